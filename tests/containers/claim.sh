# shellcheck shell=bash
# What claims are made of: conditions, their refusal, waiting, and the samples that an agent has on disk. Sourced by suites.

# within SECONDS COMMAND...: until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || { echo "waited in vain: $*" >&2; return 1; }
        sleep 0.2
    done
}
says() { grep -qF -- "$2" <<<"$1" || { printf 'does not say %s:\n%s\n' "$2" "$1"; return 1; }; }
refute() { if "$@"; then echo "succeeded, and must not: $*"; return 1; fi; }

# sampled FILE SINCE: the moments (Unix time, ms) of the samples since a second. The file of an agent that samples once a second has a row of
# 224 bytes for each second of a day, and its moment in the first eight of them (agent/src/series.rs). Written once a minute.
sampled() {
    local first=$(($2 % 86400)) rows=$(($(date +%s) - $2 + 1)) midnight
    midnight=$((first + rows - 86400))
    {
        od -An -v -t u8 -w224 -j $((first * 224)) -N $((rows * 224)) "$1"
        [ "$midnight" -le 0 ] || od -An -v -t u8 -w224 -N $((midnight * 224)) "$1"
    } | awk -v since="$2" '$1 >= since * 1000 { print $1 }'
}
is_sampled_after() { [ -n "$(sampled "$1" "$2")" ]; }

# sampled_without_gap FILE SINCE: no sample is missing since that second: neighbours are never two periods apart. Waits for what is not
# written yet.
sampled_without_gap() {
    local gap
    within 90 is_sampled_after "$1" "$(date +%s)"
    gap="$(sampled "$1" "$2" | awk -v last="$(($2 * 1000))" '$1 - last > most { most = $1 - last } { last = $1 } END { print most + 0 }')"
    echo "figure: $(sampled "$1" "$2" | wc -l) samples, a second each, greatest distance $gap ms, load $(cut -d' ' -f1 /proc/loadavg)"
    [ "$gap" -lt 2000 ]
}
