# shellcheck shell=bash
# The owner's phone, over the control port of the Bot API double: writes, presses, and waits for what it shows. Sourced by vps.sh.

readonly owner_id=77000001
readonly owner_name=maria
# For each step, on a machine that has other things to do.
readonly patience=60

control() {
    local path="$1"
    shift
    curl -sS --fail-with-body --max-time 20 "http://$(address_of botapi):8082/control/$path" "$@"
}
chat() { control "chat?id=$owner_id"; }
# What the bot's last message shows, buttons in brackets.
screen() { chat | jq -r '[.messages[] | select(.from_bot)] | last // empty | .text, (.keyboard[]? | map("[" + .text + "]") | join(" "))'; }

# writes TEXT -> the message's id
writes() {
    local order
    order="$(jq -n --arg text "$1" --arg name "$owner_name" --argjson id "$owner_id" \
        '{user: {id: $id, first_name: $name, username: $name, language_code: "en"}, text: $text}')"
    control text -d "$order" | jq -e .message_id
}

# press LABEL: the newest button that holds it.
press() {
    local message
    message="$(chat | jq --arg words "$1" '[.messages[] | select([.keyboard[]?[]?.text | select(contains($words))] != [])] | last | .id')"
    [ "$message" != null ] || { printf 'there is no button %s:\n%s\n' "$1" "$(screen)"; return 1; }
    control tap -d "$(jq -n --arg words "$1" --argjson chat "$owner_id" --argjson message "$message" '{chat: $chat, message: $message, label: $words}')" >/dev/null
}

shows() {
    local words shown
    shown="$(screen)"
    for words in "$@"; do grep -qF -- "$words" <<<"$shown" || return 1; done
}
# sees WORDS...: waits until the bot's last message has each of them.
sees() { within "$patience" shows "$@" || { screen; return 1; }; }

# answer_to MESSAGE: milliseconds until a message of the bot that is newer or was edited later; fails where there is none.
answer_to() {
    chat | jq -e --argjson asked "$1" '
        (.messages[] | select(.id == $asked).sent) as $sent
        | [.messages[] | select(.from_bot and (.id > $asked or (.edited // 0) >= $sent)) | .edited // .sent]
        | last // empty | . - $sent'
}
# asks TEXT: writes and waits for an answer -> how long it took, in milliseconds
asks() {
    local message
    message="$(writes "$1")"
    within "$patience" answer_to "$message" >/dev/null || { screen; return 1; }
    answer_to "$message"
}

# The node whose poll waits at the double now: each node comes under a path of its own name.
poller() { control stats | jq -r 'if .parked == null then "" else .calls[.parked].source.prefix end' | tr -d /; }
# 409s that somebody read: the one to a dead client's poll disturbs nobody.
conflicts() { control stats | jq '. as $all | [.ledger.conflicts[] | select($all.calls[.call].unheard | not)] | length'; }
# Nothing of the owner's was destroyed, and nothing waits.
nothing_is_lost() { control stats | jq -e '.destroyed == 0 and .pending == 0' >/dev/null; }
