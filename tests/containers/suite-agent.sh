# shellcheck shell=bash
# The agent in its container beside a "host" that is a container of its own, with its own PID 1 and a /sbin/reboot that only writes down
# that it was called. The machine's PID 1 is in no process namespace here. Sourced by run.sh, which sets $root; one shell a claim.

# shellcheck source=tests/containers/claim.sh
. "$(dirname "${BASH_SOURCE[0]}")/claim.sh"

id="constella-test-$$"
image="${AGENT_IMAGE:-constella-agent:test}"
work="$(mktemp -d)"
six=(SYS_ADMIN SYS_PTRACE SYS_CHROOT SETUID SETGID SETPCAP)

cleanup() {
    docker ps -aq --filter "label=$id" | xargs -r docker rm -f >/dev/null
    rm -rf "$work"
    docker volume ls -q --filter "label=$id" | xargs -r docker volume rm >/dev/null
}
trap cleanup EXIT

# host NAME: a container that an agent can be put beside.
host() {
    docker run -d --name "$id-$1" --label "$id" --hostname "$1" --network none constella-test/host:bookworm >/dev/null
}

# agent HOST [DOCKER ARGUMENTS...]: as compose.yaml starts it, but for `pid: host`. `capabilities` can be narrowed before.
capabilities=("${six[@]}")
agent() {
    local name="$id-$1-agent" capability volume arguments=()
    shift
    for volume in socket state; do docker volume create --label "$id" "$name-$volume" >/dev/null; done
    for capability in "${capabilities[@]}"; do arguments+=(--cap-add "$capability"); done
    # shellcheck disable=SC2154 # run.sh sets root
    docker run -d --name "$name" --label "$id" --user 0:10001 --pid "container:${name%-agent}" --network none --read-only --cap-drop ALL \
        "${arguments[@]}" --security-opt no-new-privileges --security-opt "seccomp=$root/compose/seccomp-agent.json" \
        --memory 64m --pids-limit 64 -v "$name-socket:/run/constella" -v "$name-state:/var/lib/constella" \
        -e SAMPLE_EVERY_SEC=1 -e REBOOT_MIN_INTERVAL_SEC=0 -e SPEEDTEST_URL=http://127.0.0.1:9/ "$@" "$image" >/dev/null
}

socket() { printf '%s/agent.sock' "$(docker volume inspect -f '{{.Mountpoint}}' "$id-$1-agent-socket")"; }
get() { curl -sS --max-time 10 --unix-socket "$(socket "$1")" "http://agent$2"; }
post() { curl -sS --max-time 10 --unix-socket "$(socket "$1")" -d "$3" "http://agent$2"; }
command_id() { printf '%064d' "$1"; }
reboot() {
    post "$1" /v1/reboot "{\"command_id\":\"$(command_id "$2")\",\"not_after_boottime_ms\":$(awk '{ printf "%d", $1 * 1000 + 20000 }' /proc/uptime)}"
}

serves() { get "$1" /v1/health 2>/dev/null | grep -q '"ok":true'; }
ended() { [ "$(docker inspect -f '{{.State.Running}}' "$id-$1-agent")" = false ]; }

root_part() { docker inspect -f '{{.State.Pid}}' "$id-$1-agent"; }
front() { pgrep -P "$(root_part "$1")" -f inner-front; }
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
moments() { get "$1" '/v1/series?kind=cpu&hours=1' | grep -o '"t":[0-9]*' | cut -d: -f2; }
has_moments() { [ "$(moments "$1" | wc -l)" -ge "$2" ]; }

test_reboot_enters_the_agents_own_host_and_nothing_else() {
    local recorded namespace
    host one
    host two
    agent one
    within 20 serves one
    says "$(reboot one 1)" '"outcome":"accepted"'
    says "$(reboot one 1)" '"outcome":"accepted"'
    recorded="$(docker exec "$id-one" cat /var/log/reboot-recorded)"
    [ "$(grep -c '^called args=$' <<<"$recorded")" -eq 1 ]
    says "$recorded" host=one
    for namespace in mnt pid net uts ipc; do
        says "$recorded" "$namespace=$(docker exec "$id-one" readlink "/proc/self/ns/$namespace")"
        [ "$(readlink "/proc/self/ns/$namespace")" != "$(docker exec "$id-one" readlink "/proc/self/ns/$namespace")" ]
    done
    [ "$(docker exec "$id-two" sh -c 'ls /var/log/reboot-recorded 2>/dev/null | wc -l')" -eq 0 ]
    # The id stays taken when the agent is killed, and when its container is replaced.
    docker kill -s KILL "$id-one-agent" >/dev/null
    docker rm "$id-one-agent" >/dev/null
    agent one
    within 20 serves one
    says "$(reboot one 1)" '"outcome":"accepted"'
    [ "$(docker exec "$id-one" grep -c '^called args=$' /var/log/reboot-recorded)" -eq 1 ]
}

test_exit_status_and_stderr_of_the_hosts_command_come_back() {
    host one
    docker exec "$id-one" sh -c 'echo 3 >/etc/reboot-exit'
    agent one
    within 20 serves one
    local answer
    answer="$(reboot one 1)"
    says "$answer" '"status":3'
    says "$answer" 'Failed to talk to init daemon.'
}

speedtest_ended() { get one /v1/speedtest | grep -q '"state":"failed"'; }

# The table of AUDIT.md.
test_the_agent_without_each_capability_fails_as_documented() {
    local missing reboot_says speedtest_says answer
    host one
    while IFS='|' read -r missing reboot_says speedtest_says; do
        mapfile -t capabilities < <(printf '%s\n' "${six[@]}" | grep -vx -- "$missing")
        agent one
        within 20 serves one
        answer="$(reboot one 1)"
        says "$answer" "$reboot_says"
        post one /v1/speedtest "{\"command_id\":\"$(command_id 2)\"}" >/dev/null
        within 20 speedtest_ended
        says "$(get one /v1/speedtest)" "$speedtest_says"
        docker rm -f "$id-one-agent" >/dev/null
        docker volume rm "$id-one-agent-socket" "$id-one-agent-state" >/dev/null
    done <<'TABLE'
none|"outcome":"accepted"|Connection refused
SYS_ADMIN|cannot enter the host's namespaces: Operation not permitted|cannot enter the host's namespaces: Operation not permitted
SYS_PTRACE|cannot open the host's namespaces: Permission denied|cannot open the host's files: Permission denied
SYS_CHROOT|cannot enter the host's namespaces: Operation not permitted|cannot lock itself into its folder: Operation not permitted
TABLE
    [ "$(docker exec "$id-one" grep -c '^called args=$' /var/log/reboot-recorded)" -eq 1 ]
    while IFS='|' read -r missing answer; do
        mapfile -t capabilities < <(printf '%s\n' "${six[@]}" | grep -vx -- "$missing")
        agent one
        within 20 ended one
        says "$(docker logs "$id-one-agent" 2>&1)" "$answer"
        docker rm -f "$id-one-agent" >/dev/null
    done <<'TABLE'
SETUID|cannot change the uid: Operation not permitted
SETGID|cannot leave the groups: Operation not permitted
SETPCAP|cannot empty the bounding set: Operation not permitted
TABLE
}

test_the_agent_has_no_network_and_its_front_no_capability() {
    local table set pid
    host one
    agent one
    within 20 serves one
    pid="$(front one)"
    [ "$(tail -n +3 "/proc/$pid/net/dev" | cut -d: -f1 | tr -d ' ')" = lo ]
    for table in tcp tcp6 udp udp6 raw raw6; do
        [ "$(tail -n +2 "/proc/$pid/net/$table" | wc -l)" -eq 0 ]
    done
    [ "$(status_of "$pid" Uid)" = "$(printf '10002\t10002\t10002\t10002')" ]
    [ "$(status_of "$pid" Gid)" = "$(printf '10001\t10001\t10001\t10001')" ]
    for set in CapInh CapPrm CapEff CapBnd CapAmb; do
        [ "$(status_of "$pid" "$set")" = 0000000000000000 ]
    done
    for pid in "$(front one)" "$(root_part one)"; do
        [ "$(status_of "$pid" NoNewPrivs)" = 1 ]
        [ "$(status_of "$pid" Seccomp)" = 2 ]
    done
    # SETGID, SETUID, SETPCAP, SYS_CHROOT, SYS_PTRACE, SYS_ADMIN.
    for set in CapPrm CapEff CapBnd; do
        [ "$(status_of "$(root_part one)" "$set")" = 00000000002c01c0 ]
    done
    # Nobody but the operator and the controller is let in.
    docker run --rm --network none --user 10002:10001 -v "$id-one-agent-socket:/run/constella" "$image" healthcheck && return 1
    docker run --rm --network none --user 10001:10001 -v "$id-one-agent-socket:/run/constella:ro" "$image" healthcheck
}

# controller DOCKER ARGUMENTS... -- ARGUMENTS...: as compose.yaml starts it, but for the host's network.
controller() {
    local arguments=()
    while [ "$1" != -- ]; do arguments+=("$1"); shift; done
    shift
    docker run "${arguments[@]}" --label "$id" --user 10001:10001 --network none --read-only --cap-drop ALL \
        --security-opt no-new-privileges -v "$id-controller-state:/state" -v "$id-one-agent-socket:/run/constella:ro" \
        --tmpfs /run/control:uid=10001,gid=10001,mode=0700,size=64k -e STATE_DIR=/state -e CONTROL_SOCKET=/run/control/control.sock \
        -e AGENT_SOCKET=/run/constella/agent.sock -e TELEGRAM_API_URL=http://127.0.0.1:9 constella-controller:test "$@"
}
asks() { docker exec "$id-controller" /constella-controller rpc --addr 127.0.0.1:4747 GetStats '{}' 2>/dev/null | grep -q '"hostname"'; }
replace_controller() {
    docker rm -f "$id-controller" >/dev/null 2>&1 || true
    controller -d --name "$id-controller" -- run >/dev/null
    within 30 asks
}

test_the_series_has_no_gap_while_the_controller_is_replaced() {
    local since
    host one
    agent one
    within 20 serves one
    docker volume create --label "$id" "$id-controller-state" >/dev/null
    printf '123456:no-token-of-anybody' >"$work/token"
    chmod 0644 "$work/token"
    controller --rm -v "$work/token:/run/token:ro" -- init --state-dir /state --server-name one --owner somebody \
        --public-addr 127.0.0.1:4747 --bot-token-file /run/token >/dev/null
    replace_controller
    within 20 has_moments one 1
    since="$(date +%s)"
    replace_controller
    replace_controller
    sampled_without_gap "$(docker volume inspect -f '{{.Mountpoint}}' "$id-one-agent-state")/series/samples" "$since"
}

test_a_full_disk_prevents_no_reboot_and_no_answer() {
    host one
    docker volume create --label "$id" -d local -o type=tmpfs -o device=tmpfs -o o=size=12m,gid=10001,mode=1770 "$id-one-agent-state" >/dev/null
    agent one
    within 20 has_moments one 2
    says "$(docker run --rm --network none -v "$id-one-agent-state:/full" constella-test/host:bookworm \
        sh -c 'dd if=/dev/zero of=/full/filler bs=64k 2>&1 || true')" 'No space left on device'
    says "$(reboot one 1)" '"outcome":"accepted"'
    [ "$(docker exec "$id-one" grep -c '^called args=$' /var/log/reboot-recorded)" -eq 1 ]
    get one /v1/stats | grep -q '"cpu_percent"'
}

test_a_read_only_state_volume_stops_the_agent_with_the_reason() {
    host one
    docker volume create --label "$id" "$id-one-agent-ro" >/dev/null
    agent one --mount "type=volume,src=$id-one-agent-ro,dst=/var/lib/constella/inner,readonly" -e AGENT_STATE_DIR=/var/lib/constella/inner
    within 20 ended one
    says "$(docker logs "$id-one-agent" 2>&1)" 'cannot prepare /var/lib/constella/inner/series: Read-only file system'
}

test_a_paused_and_a_crashed_front_are_got_over() {
    host one
    agent one --restart unless-stopped
    within 20 has_moments one 2
    docker pause "$id-one-agent" >/dev/null
    docker unpause "$id-one-agent" >/dev/null
    within 20 serves one
    # The front's end is the agent's: the engine starts both anew, and what was written is there.
    local first
    first="$(moments one | head -n 1)"
    kill -9 "$(front one)"
    within 30 serves one
    [ "$(moments one | head -n 1)" = "$first" ]
}

test_two_builds_of_the_agents_image_give_the_same_bytes() {
    local client=docker first second
    docker buildx version >/dev/null 2>&1 || client=/usr/bin/docker
    first="$(docker image inspect -f '{{.RootFS.Layers}}' "$image")"
    DOCKER_BUILDKIT=1 "$client" build --no-cache --quiet -f "$root/compose/Dockerfile" --target agent -t "$id:again" "$root" >/dev/null
    second="$(docker image inspect -f '{{.RootFS.Layers}}' "$id:again")"
    docker image rm "$id:again" >/dev/null
    echo "$first / $second"
    [ "$first" = "$second" ]
}
