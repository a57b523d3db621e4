#!/usr/bin/env bash
# The container tests: builds the images (images.sh) and runs every suite-*.sh beside this file. Needs a Docker engine and root.
# Each suite is a file of functions `test_<claim>`; one line is printed for each, and the exit status is 1 if any failed.
set -uo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
export root
passed=0 failed=0

"$here/images.sh" all || exit 1

for suite in "$here"/suite-*.sh; do
    mapfile -t claims < <(sed -n 's/^\(test_[a-z0-9_]*\)().*/\1/p' "$suite")
    for claim in "${claims[@]}"; do
        started=$SECONDS
        # shellcheck disable=SC2016 # the inner shell expands its own arguments
        if output="$(timeout 400 bash -c 'set -euo pipefail; . "$1"; "$2"' suite "$suite" "$claim" 2>&1)"; then
            passed=$((passed + 1))
            printf 'ok      %s (%d s)\n' "$claim" $((SECONDS - started))
        else
            failed=$((failed + 1))
            printf 'FAILED  %s (%d s)\n%s\n' "$claim" $((SECONDS - started)) "$output"
        fi
    done
done

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
