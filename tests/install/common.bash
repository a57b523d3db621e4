# shellcheck shell=bash
# What the tests of install.sh stand on: a checkout of their own, and a docker that writes down what it is asked.

setup() {
    export FAKE="$BATS_TEST_TMPDIR/fake"
    mkdir -p "$FAKE/images" "$FAKE/bin"
    echo 20.10.24+dfsg1 >"$FAKE/engine"
    cp "$BATS_TEST_DIRNAME"/fake/* "$FAKE/bin/"
    # A time service and no firewall, whatever the machine has.
    printf '#!/bin/sh\necho yes\n' >"$FAKE/bin/timedatectl"
    printf '#!/bin/sh\necho Status: inactive\n' >"$FAKE/bin/ufw"
    # No user of this machine has a node's numbers.
    printf '#!/bin/sh\n! grep ":$2:" "%s" 2>/dev/null || exit 0\nexit 2\n' "$FAKE/users" >"$FAKE/bin/getent"
    # The overlay's files in a place of their own, and an interface that never comes up.
    export WIREGUARD_DIR="$FAKE/wireguard"
    printf '#!/bin/sh\nprintf "wg-quick %%s\n" "$*" >>"%s"\n' "$FAKE/calls" >"$FAKE/bin/wg-quick"
    chmod +x "$FAKE"/bin/*
    export PATH="$FAKE/bin:$PATH"
    repo="$BATS_TEST_TMPDIR/checkout"
    source="$BATS_TEST_DIRNAME/../.."
    mkdir -p "$repo/agent"
    cp -r "$source/install.sh" "$source/compose" "$source/Cargo.toml" "$source/Cargo.lock" "$repo/"
    cp "$source/agent/Cargo.toml" "$repo/agent/"
    token="123456789:AAEhBOweik9aaaaaaaaaaaaaaaaaaaaaaaa"
    # shellcheck disable=SC2034 # the tests read it
    link="join://203.0.113.7:4747?net=$(digits a)&token=$(digits c0de)&ttl=900s&fp=$(digits 0f)"
    cd "$repo" || exit
    # Ports of the test's own: 4747 of this machine may be in use.
    printf "LISTEN_ADDR='[::]:47471'\nPUBLISH_PORT='127.0.0.1:47472'\n" >.env
}

# digits PATTERN: 64 of them, as a link's parts have.
digits() { printf -v spaces '%64s' ''; spaces="${spaces// /$1}"; printf '%s' "${spaces:0:64}"; }

# recorded_block NAME: the block of an invitation's message as the renderer's own test recorded it, as a phone copies it.
recorded_block() {
    sed -n '/<pre>/,/<\/pre>/p' "$source/controller/src/telegram/render/golden/$1.txt" | sed 's/.*<pre>//; s/<\/pre>.*//; s/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&amp;/\&/g'
}

# bats lets a plain `!` pass in the middle of a test.
refute() { if "$@"; then return 1; fi; }
need_root() { [ "$(id -u)" = 0 ] || skip "gives files away, which only root may"; }
init() { ./install.sh init --owner @maria --bot-token - --server-name alpha "$@" <<<"$token"; }

# without COMMAND...: every program of this machine but these is found, and those of the fakes.
without() {
    local folder name
    mkdir -p "$FAKE/tools"
    IFS=: read -ra folders <<<"$PATH"
    for folder in "${folders[@]}"; do
        [ "$folder" = "$FAKE/bin" ] || find "$folder/" -maxdepth 1 ! -type d -exec ln -s -t "$FAKE/tools" {} + 2>/dev/null || true
    done
    for name in "$@"; do rm -f "$FAKE/tools/$name" "$FAKE/bin/$name"; done
    PATH="$FAKE/bin:$FAKE/tools"
}

# as_nobody COMMAND...: `run` as a user without any right, who may read this checkout but for state/
as_nobody() {
    local folder="$BATS_TEST_TMPDIR"
    while [ "$folder" != / ]; do chmod o+x "$folder"; folder="$(dirname "$folder")"; done
    chmod -R o+rX "$repo/install.sh" "$repo/compose" "$repo/Cargo.toml" "$repo/agent" "$FAKE/bin"
    chmod -R o+rwX "$FAKE"
    [ ! -e "$repo/.env" ] || chmod o+r "$repo/.env"
    run setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
