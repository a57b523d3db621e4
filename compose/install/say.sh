# shellcheck shell=bash
# Speaking, asking, and the temporary place for secrets. Sourced by install.sh, after get.sh, which has say and die.

step() { printf '\n== %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
# For arguments that no verb knows: a status of its own, as the programs have it.
refuse() { printf 'error: %s\n' "$*" >&2; exit 2; }

can_ask() { [ -t 0 ] && [ -z "${opt_yes:-}" ]; }

# ask QUESTION DEFAULT -> $answer
ask() {
    if ! can_ask; then answer="$2"; return; fi
    read -r -p "$1${2:+ [$2]}: " answer
    answer="${answer:-$2}"
}

# The same without an echo. The value is never printed again.
ask_secret() {
    answer=
    can_ask || return 0
    read -r -s -p "$1: " answer
    printf '\n'
}

confirm() {
    [ -n "${opt_yes:-}" ] && return 0
    [ -t 0 ] || die "$1: say --yes to do it without a question"
    read -r -p "$1 [y/N] " answer
    [ "$answer" = y ] || [ "$answer" = Y ]
}

secret_dir=
forget_secrets() { [ -z "$secret_dir" ] || rm -rf "$secret_dir"; }

# secret_file NAME VALUE: a file for the controller alone, 0600 from its first byte, in a folder that only root enters until it is mounted.
# printf is a builtin: the value is in no process's arguments. -> $secret_path
secret_file() {
    if [ -z "$secret_dir" ]; then
        secret_dir="$(mktemp -d "${TMPDIR:-/tmp}/constella.XXXXXXXX")"
        trap forget_secrets EXIT
    fi
    secret_path="$secret_dir/$1"
    (umask 077 && printf '%s\n' "$2" >"$secret_path")
    chown "$controller_uid:$controller_uid" "$secret_path"
}
