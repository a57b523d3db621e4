# shellcheck shell=bash
# A network of three, each node installed by install.sh on a VPS of its own, and what happens to it. Sourced by run.sh.

# shellcheck source=tests/containers/vps.sh
. "$(dirname "${BASH_SOURCE[0]}")/vps.sh"
# shellcheck source=tests/containers/broken-state.sh
. "$(dirname "${BASH_SOURCE[0]}")/broken-state.sh"

all=(alpha beta gamma)

setup_suite() {
    network_up
    found "${all[@]}"
    within "$patience" serving "${all[@]}"
}
teardown_suite() { network_down; }

follower() { printf '%s\n' "${all[@]}" | grep -vx "$(leader alpha)" | sed -n 1p; }
others() { printf '%s\n' "${all[@]}" | grep -vx "$1"; }
healed() {
    within "$patience" serving "${all[@]}"
    asks /nodes >/dev/null
    sees "3 of 3 up"
    within "$patience" nothing_is_lost
}
pid_of() { docker inspect -f '{{.State.Pid}}' "$(container "$1" "$2")"; }
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(container "$1" "$2")")" = healthy ]; }
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
eth0_rx() { docker exec "$suite_id-$1" cat /sys/class/net/eth0/statistics/rx_bytes; }
recorded() { docker exec "$suite_id-$1" sh -c 'cat /var/log/reboot-recorded 2>/dev/null' || true; }

test_joined_by_link_all_three_see_all_three_green() {
    local name
    for name in "${all[@]}"; do
        [ "$(cli "$name" peers --json | jq -r '[.[] | select(.status == "alive") | .name] | sort | join(" ")')" = "${all[*]}" ]
    done
}

test_the_owner_opens_a_card_and_sees_the_figures_of_that_vps() {
    local name stats low high rx
    name="$(follower)"
    asks /nodes >/dev/null
    sees "3 of 3 up"
    press "$name"
    sees "$name" CPU RAM Uptime "controller $(controller_version), agent"
    # The interface is the VPS's own, its counter between two looks from inside; the agent's container has no interface at all.
    low="$(eth0_rx "$name")"
    within 20 card_is_newer_than "$name" "$(date +%s)"
    stats="$(stats_of "$name")"
    high="$(eth0_rx "$name")"
    rx="$(jq '.. | objects | select(.name? == "eth0") | .rx_total' <<<"$stats")"
    [ "$(jq -r '.. | .hostname? // empty' <<<"$stats")" = "$name" ] || echo "figure: hostname is $(jq -r '.. | .hostname? // empty' <<<"$stats")"
    echo "$low <= $rx <= $high"
    [ "$low" -le "$rx" ] && [ "$rx" -le "$high" ]
}
stats_of() { cli "$1" rpc --addr "$(address_of "$1"):4747" GetStats '{}'; }
card_is_newer_than() { [ "$(stats_of "$1" | jq '.. | .at_unix_s? // empty')" -gt "$2" ]; }

# A4, F6: one confirmation, one call of that host's own command, in its own namespaces.
test_a_reboot_confirmed_in_the_bot_enters_that_vps_and_no_other_once() {
    local name other namespace
    name="$(follower)"
    asks /nodes >/dev/null
    press "$name"
    sees "$name" "[♻️ Reboot]"
    press "Reboot"
    sees "Reboot $name" "Yes, reboot"
    press "Yes"
    within "$patience" was_called "$name"
    [ "$(recorded "$name" | grep -c '^called args=$')" -eq 1 ]
    says "$(recorded "$name")" "host=$name"
    for namespace in mnt pid net uts ipc; do
        says "$(recorded "$name")" "$namespace=$(docker exec "$suite_id-$name" readlink "/proc/self/ns/$namespace")"
    done
    for other in $(others "$name"); do [ -z "$(recorded "$other")" ]; done
    sees "$name" "the server"
}
was_called() { [ -n "$(recorded "$1")" ]; }

# L4, F1. What is measured here has the owner's question asked right after the fault, and the load of the machine.
test_a_killed_leader_is_followed_and_returns_without_conflict() {
    local first took before
    first="$(leader alpha)"
    before="$(conflicts)"
    # By the engine, so that it stays away; its restart policy is the next claim.
    docker kill -s KILL "$(container "$first" controller)" >/dev/null
    took="$(asks /nodes)"
    [ "$(poller)" != "$first" ]
    echo "figure: killed -9, answered after $took ms"
    docker start "$(container "$first" controller)" >/dev/null
    healed
    [ "$(conflicts)" -eq "$before" ]
}

test_a_controller_that_is_killed_alone_is_started_again_by_the_engine() {
    local name count
    name="$(follower)"
    count="$(restarts "$name")"
    kill -9 "$(pid_of "$name" controller)"
    within 30 has_restarted "$name" "$count"
    healed
}
restarts() { docker inspect -f '{{.RestartCount}}' "$(container "$1" controller)"; }
has_restarted() { [ "$(restarts "$1")" -gt "$2" ]; }

test_a_paused_leader_is_followed_and_wakes_without_conflict() {
    local first took before
    first="$(leader alpha)"
    before="$(conflicts)"
    docker pause "$(container "$first" controller)" >/dev/null
    took="$(asks /nodes)"
    [ "$(poller)" != "$first" ]
    echo "figure: paused, answered after $took ms"
    docker unpause "$(container "$first" controller)" >/dev/null
    healed
    [ "$(conflicts)" -eq "$before" ]
}

# The leader's host loses the others and Telegram.
test_a_leader_that_is_cut_off_is_followed_and_returns_without_conflict() {
    local first took before address
    first="$(leader alpha)"
    before="$(conflicts)"
    address="$(address_of "$first")"
    docker network disconnect "$suite_id" "$suite_id-$first"
    took="$(asks /nodes)"
    echo "figure: cut off, answered after $took ms"
    docker network connect --ip "$address" "$suite_id" "$suite_id-$first"
    healed
    [ "$(conflicts)" -eq "$before" ]
}

# A7: upgraded or replaced, the controller leaves no gap in the agent's series, and the agent is the same container.
test_a_replaced_controller_is_the_same_node_and_the_series_has_no_gap() {
    local name id agent started since before
    name="$(leader alpha)"
    before="$(conflicts)"
    id="$(cli "$name" status --json | jq -r .node_id)"
    agent="$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$(container "$name" agent)")"
    since="$(date +%s)"
    docker rm -f "$(container "$name" controller)" >/dev/null
    started="$(now_ms)"
    on "$name" docker compose up -d --no-build controller >/dev/null 2>&1
    within 30 cli "$name" healthcheck
    echo "figure: container made anew to serving, $(($(now_ms) - started)) ms"
    within "$patience" serving "${all[@]}"
    [ "$(cli "$name" status --json | jq -r .node_id)" = "$id" ]
    [ "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$(container "$name" agent)")" = "$agent" ]
    healed
    has_no_gap_since "$name" "$since"
    [ "$(conflicts)" -eq "$before" ]
}

# Sections 1 and 3, A3, from the kernel and not from the compose file.
test_the_controller_has_no_privilege_and_a_read_only_root() {
    local pid set
    pid="$(pid_of alpha controller)"
    [ "$(status_of "$pid" Uid)" = "$(printf '10001\t10001\t10001\t10001')" ]
    [ "$(status_of "$pid" Gid)" = "$(printf '10001\t10001\t10001\t10001')" ]
    [ "$(status_of "$pid" NoNewPrivs)" = 1 ]
    [ "$(status_of "$pid" Seccomp)" = 2 ]
    for set in CapInh CapPrm CapEff CapBnd CapAmb; do
        [ "$(status_of "$pid" "$set")" = 0000000000000000 ]
    done
    [[ $(awk '$5 == "/" { print $6 }' "/proc/$pid/mountinfo") =~ ^ro(,|$) ]]
    [[ $(awk '$5 == "/run/constella" { print $6 }' "/proc/$pid/mountinfo") =~ ^ro(,|$) ]]
    [ "$(docker inspect -f '{{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}}' "$(container alpha controller)")" = "false true [ALL] []" ]
    # It writes where it must and nowhere else.
    refute grep -qE ' /state ro' <(awk '{ print $5, $6 }' "/proc/$pid/mountinfo" | tr ',' ' ')
}

test_limits_log_rotation_and_restart_policy_are_set() {
    local service shown
    for service in agent controller; do
        shown="$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.PidsLimit}} {{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config "max-size"}} {{index .HostConfig.LogConfig.Config "max-file"}} {{eq .HostConfig.Memory .HostConfig.MemorySwap}}' "$(container alpha "$service")")"
        [ "$shown" = "unless-stopped 64 json-file 5m 3 true" ] || { echo "$service: $shown"; return 1; }
    done
    [ "$(docker inspect -f '{{.HostConfig.Memory}}' "$(container alpha agent)")" = $((64 << 20)) ]
    [ "$(docker inspect -f '{{.HostConfig.Memory}}' "$(container alpha controller)")" = $((128 << 20)) ]
}

# Docker's own look, with the programs' healthchecks, in images that have nothing else.
test_both_healthchecks_turn_healthy_in_images_from_scratch() {
    local service
    for service in agent controller; do within 90 healthy alpha "$service"; done
}

# S3.
test_no_secret_is_in_inspect_history_logs_or_output() {
    local secret name service code
    secret="$(state_of alpha | jq -r .network_secret)"
    [ "${#secret}" -eq 64 ]
    code="$(sed -n 's/.*[?]start=//p' "$suite_work/alpha.out" | tail -n 1)"
    for name in "${all[@]}"; do
        {
            for service in agent controller; do
                docker inspect "$(container "$name" "$service")"
                docker logs "$(container "$name" "$service")" 2>&1
                docker history --no-trunc "$(docker inspect -f '{{.Image}}' "$(container "$name" "$service")")"
                docker image inspect "$(docker inspect -f '{{.Image}}' "$(container "$name" "$service")")"
            done
            cat "$suite_work/$name.out" "$(folder_of "$name")/constella/.env"
            find "$(folder_of "$name")/tmp" -type f -exec cat {} +
        } >"$suite_work/seen"
        refute grep -qF "$(token)" "$suite_work/seen"
        refute grep -qF "$secret" "$suite_work/seen"
        refute grep -qF 'token=' "$suite_work/seen"
    done
    # The owner's code is on the screen once, and in no log.
    [ "$(cat "$suite_work"/*.out | grep -cF "$code")" -eq 1 ]
    # They are where they belong, and only there.
    grep -qF "$(token)" "$(folder_of alpha)/constella/state/network_state.json"
    refute grep -rqF "$(token)" --exclude='network_state.json*' "$(folder_of alpha)"
    [ -z "$(find "$(folder_of alpha)/constella/state" -type f ! -perm 0600)" ]
}
state_of() { cat "$(folder_of "$1")/constella/state/network_state.json"; }

# DESIGN 13, at three nodes: PSS from the kernel. Ten nodes after an hour are `measure idle`.
test_memory_is_within_its_budget() {
    local name service pss limit
    for name in "${all[@]}"; do
        for service in agent:3072 controller:10240; do
            limit="${service#*:}"
            service="${service%:*}"
            pss="$(pss_of "$(pid_of "$name" "$service")")"
            echo "figure: PSS of $name's $service: $pss KiB, limit $limit"
            [ "$pss" -le "$limit" ]
        done
    done
}
# In KiB; an agent's front is its root part's child.
pss_of() { for pid in "$1" $(pgrep -P "$1" -f inner-front); do sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup"; done | awk '{ sum += $1 } END { print sum }'; }

# Section 3: only `init` founds a network.
test_a_missing_or_empty_state_never_founds_a_network() {
    local out state
    state="$(gamma_state)"
    on gamma docker compose rm -sf controller >/dev/null 2>&1
    mv "$state" "$state.away"
    # The folder is missing: Compose refuses, and does not make it.
    out="$(on gamma docker compose up -d --no-build controller 2>&1)" && { echo "started without a state: $out"; return 1; }
    says "$out" "$state"
    [ ! -e "$state" ]
    # It is there and empty, as where a mount did not come: the controller stops with the way out, and writes no network.
    mkdir -m 0700 "$state"
    chown 10001:10001 "$state"
    out="$(run_with "type=bind,src=$state,dst=/state" --rm 2>&1)" && { echo "runs on an empty state: $out"; return 1; }
    # shellcheck disable=SC2016 # the controller's own words
    says "$out" 'has no network; found one with `init`, join one with `join`'
    [ ! -e "$state/network_state.json" ]
    rm -rf "$state"
    mv "$state.away" "$state"
    gamma_starts
    healed
}

# S4.
test_a_read_only_state_stops_the_controller_with_the_reason() {
    local out
    gamma_stops
    copy_of_state
    out="$(run_with "type=volume,src=$suite_id-copy,dst=/state,readonly" --rm 2>&1)" && { echo "runs on a read-only state: $out"; return 1; }
    says "$out" 'Read-only file system'
    says "$out" '/state'
    drop_copy
    gamma_starts
    healed
}

# S4: a disk that fills up under a node stops it; it loses nothing, and is the same node when there is room again.
test_a_full_disk_is_told_and_never_empties_the_state() {
    local id before name="$suite_id-full"
    id="$(cli gamma status --json | jq -r .node_id)"
    gamma_stops
    copy_of_state -d local -o type=tmpfs -o device=tmpfs -o o=size=1m,uid=10001,gid=10001,mode=0700
    run_with "type=volume,src=$suite_id-copy,dst=/state" -d --name "$name" >/dev/null
    within 30 docker exec "$name" /constella-controller healthcheck >/dev/null
    before="$(copied_network)"
    says "$(in_copy 'dd if=/dev/zero of=/state/filler bs=4k 2>&1 || true')" 'No space left on device'
    # The node stays and says what is wrong; what must be on disk before it is told is refused with the reason.
    within 30 is_refused_an_invitation "$name"
    docker exec "$name" /constella-controller healthcheck >/dev/null
    says "$(docker exec "$name" /constella-controller status)" 'disk is full'
    # Started again while the disk is full it does the same, and nothing is lost.
    docker restart "$name" >/dev/null
    within 30 docker exec "$name" /constella-controller healthcheck >/dev/null
    within 30 is_refused_an_invitation "$name"
    [ "$(copied_network)" = "$before" ]
    in_copy 'rm /state/filler'
    docker start "$name" >/dev/null
    within 30 docker exec "$name" /constella-controller healthcheck >/dev/null
    [ "$(docker exec "$name" /constella-controller status --json | jq -r .node_id)" = "$id" ]
    within "$patience" three_by "$name"
    docker rm -f "$name" >/dev/null
    drop_copy
    gamma_starts
    healed
}
is_refused_an_invitation() {
    local out
    out="$(docker exec "$1" /constella-controller invite --ttl 15m 2>&1)" && return 1
    grep -q 'disk is full' <<<"$out"
}
three_by() { docker exec "$1" /constella-controller peers --json | jq -e '[.[] | select(.status == "alive")] | length == 3' >/dev/null; }
