# shellcheck shell=bash
# The invitation's link as it arrives: through a phone's clipboard, a messenger, a mail. Sourced by install.sh.
#
# What can only have come from the way is taken away again; what is missing cannot be guessed and is said by name, so that an invitation that
# was cut on its way is not taken for one that is spent: only the network's own refusal says that.

# read_link: the whole of standard input for `--join -`; a terminal's single line. A WireGuard key after it is left for --vpn-preshared-key.
pending_lines=()
read_link() {
    local line lines=()
    value=''
    if [ -t 0 ]; then
        IFS= read -r value || true
        value="$(whole_link "$value")"
        return
    fi
    mapfile -t lines
    for line in "${pending_lines[@]}" "${lines[@]}"; do
        if [ -n "$value" ] && [[ $line =~ ^[A-Za-z0-9+/]{43}=$ ]] || [ "${#pending_left[@]}" -gt 0 ]; then
            pending_left+=("$line")
        else
            value+="$line"
        fi
    done
    pending_lines=("${pending_left[@]}")
}
pending_left=()

# whole_link BEGINNING: at a terminal, where a paste may have its link in several lines, which are there at once. What follows a whole link is not its.
whole_link() {
    local text="$1" line
    until [[ $(mended_link "$text") =~ [\?\&]fp=.*[=,][0-9a-f]{64}$|[\?\&]fp=[0-9a-f]{64}$ ]] || ! IFS= read -r -t 0.2 line; do text+="$line"; done
    printf '%s' "$text"
}

# next_line -> $value: for the other flags that take `-`.
next_line() {
    if [ "${#pending_lines[@]}" -gt 0 ]; then
        value="${pending_lines[0]}"
        pending_lines=("${pending_lines[@]:1}")
    else
        IFS= read -r value || [ -n "$value" ]
    fi
}

# mended_link TEXT: without what messengers, mail programs, keyboards and shells add. Letters, digits and punctuation of a link are ASCII.
mended_link() {
    local text
    # Blanks, line breaks and everything outside ASCII (a keyboard's quotes, no-break and zero-width blanks) are in no link.
    text="$(printf '%s' "$1" | LC_ALL=C tr -d '\000-\040\177-\377')"
    # HTML's entities, also escaped twice; percent signs for the characters that messengers encode; a shell's quoting, and a chat's or a mail's marks.
    text="$(printf '%s' "$text" | sed -e 's/&\(amp;\)\{1,\}/\&/g' -e 's/%26/\&/g' -e 's/%3[Dd]/=/g' -e 's/%3[Ff]/?/g' -e "s/[\\\\\"'\`<>*]//g")"
    case "$text" in *[Jj][Oo][Ii][Nn]://*) text="join://${text#*[Jj][Oo][Ii][Nn]://}" ;; esac
    # The end of a sentence.
    while [[ $text == *[.,\;:\)\]!] ]]; do text="${text%?}"; done
    printf '%s' "$text"
}

check_link() {
    [ -n "$opt_join" ] || return 0
    local given="$opt_join" part query digits
    opt_join="$(mended_link "$given")"
    [[ $opt_join == join://*\?* ]] || die "--join: that is not a join:// link (quote it: it holds &)"
    [ "$opt_join" = "$given" ] || say "the link was mended: it had characters that are not its own (line breaks, quotes, &amp;, a full stop)"
    query="&${opt_join#*\?}"
    case "$query" in
        *'&token='*) ;;
        *) die "--join: the link has no token; the shell cuts an unquoted link at its first &. It is not spent: paste it again, in quotes or by --join -" ;;
    esac
    case "$query" in
        *'&fp='*) ;;
        *) die "--join: the link has no fp, which proves the other side: its end was lost on the way. It is not spent: copy the whole block again, or ask for a new link" ;;
    esac
    for part in net token fp; do
        digits="${query#*"&$part="}"
        digits="${digits%%&*}"
        [[ $digits =~ ^[0-9a-f]{64}$ ]] || die "--join: the link's $part has ${#digits} characters and not 64 of 0-9 and a-f: it was changed on its way. It is not spent: copy the whole block again"
    done
}
