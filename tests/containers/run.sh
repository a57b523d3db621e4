#!/usr/bin/env bash
# The container tests: builds the images (images.sh) and runs suite-*.sh beside this file, or only those named: run.sh [SUITE...]
# (agent, cluster, ...). Needs a Docker engine and root.
#
# A suite is a file of functions `test_<claim>`, one shell each; one line is printed for a claim, and the exit status is 1 if any failed.
# Where a suite has `setup_suite`, that runs once before its claims, which then share what it made and run in their order; exit status
# 77 of it skips the suite, with the reason as its last line. `teardown_suite` runs in any case.
set -uo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
export root
passed=0 failed=0 skipped=0

# part LIMIT_S FUNCTION: one function of the suite, in a shell of its own.
part() {
    # shellcheck disable=SC2016 # the inner shell expands its own arguments
    timeout "$1" bash -c 'set -euo pipefail; . "$1"; "$2"' suite "$suite" "$2" 2>&1
}
# Also when this is interrupted or runs out of time.
tear_down() {
    [ -n "${suite_work:-}" ] || return 0
    ! has teardown_suite || part 120 teardown_suite
    rm -rf "$suite_work"
    suite_work=
}
trap tear_down EXIT
trap 'exit 143' TERM INT
has() { grep -q "^$1()" "$suite"; }

claim() {
    local started=$SECONDS output
    if output="$(part 400 "$1")"; then
        passed=$((passed + 1))
        printf 'ok      %s (%d s)\n' "$1" $((SECONDS - started))
        # What a claim measured.
        sed -n 's/^figure: /        /p' <<<"$output"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s (%d s)\n%s\n' "$1" $((SECONDS - started)) "$output"
    fi
}

suite() {
    local name started=$SECONDS output status=0 claims one
    name="$(basename "$suite" .sh)"
    export suite_id="constella-test-$$-${name#suite-}" suite_work
    suite_work="$(mktemp -d)"
    if has setup_suite; then
        output="$(part 900 setup_suite)" || status=$?
        if [ "$status" -eq 77 ]; then
            skipped=$((skipped + 1))
            printf 'SKIPPED %s: %s\n' "$name" "$(tail -n 1 <<<"$output")"
        elif [ "$status" -ne 0 ]; then
            failed=$((failed + 1))
            printf 'FAILED  %s: its setup (%d s)\n%s\n' "$name" $((SECONDS - started)) "$output"
        else
            printf 'set up  %s (%d s)\n' "$name" $((SECONDS - started))
            sed -n 's/^figure: /        /p' <<<"$output"
        fi
    fi
    if [ "$status" -eq 0 ]; then
        mapfile -t claims < <(sed -n 's/^\(test_[a-z0-9_]*\)().*/\1/p' "$suite")
        for one in "${claims[@]}"; do claim "$one"; done
    fi
    tear_down
}

"$here/images.sh" all || exit 1

for suite in "$here"/suite-*.sh; do
    name="$(basename "$suite" .sh)"
    if [ $# -eq 0 ] || [[ " $* " == *" ${name#suite-} "* ]]; then suite; fi
done

printf '%d passed, %d failed, %d suites skipped\n' "$passed" "$failed" "$skipped"
[ "$skipped" -eq 0 ] || printf 'Some suites were SKIPPED on this machine; their lines above say why.\n'
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
