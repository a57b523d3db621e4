# shellcheck shell=bash
# A "VPS": a container with its own process and network namespace, a sleeping PID 1 and a /sbin/reboot that only writes down that it was
# called. The node on it is installed by install.sh, which runs inside the VPS and speaks to this machine's engine. Sourced by suites.
#
# Two lines of compose.yaml are changed in the sources that a VPS clones, because the engine is this machine's: `pid: host` and
# `network_mode: host` become the VPS's namespaces. Nothing is started while a `host` is left.

here="$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tests/containers/engine.sh
. "$here/engine.sh"
# shellcheck source=tests/containers/claim.sh
. "$here/claim.sh"
# shellcheck source=tests/containers/phone.sh
. "$here/phone.sh"

host_image="${host_image:-constella-test/host:bookworm}"
skip() { printf '%s\n' "$*"; exit 77; }

now_ms() { date +%s%3N; }

# run.sh sets these; nothing is made without them.
: "${root:?}" "${suite_id:?}" "${suite_work:?}"

address_of() { docker inspect -f "{{(index .NetworkSettings.Networks \"$suite_id\").IPAddress}}" "$suite_id-$1"; }
folder_of() { printf '%s/%s' "$suite_work" "$1"; }
container() { printf '%s-%s-%s-1' "$suite_id" "$1" "$2"; }
token() { cat "$suite_work/token"; }
controller_version() { sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | sed -n 1p; }

# A network with Telegram, for nodes of this machine's engine.
network_up() {
    telegram_up
    set_images_aside
    origin
}

# A network with a fixed subnet, or a host that was cut off could not come back with its address; and Telegram on it.
telegram_up() {
    local third
    find_docker || skip "no docker client here does BuildKit"
    find_compose "$root/target/tools/bin" || skip "no Docker Compose 2 here, and none to be had: nothing was installed"
    command -v jq >/dev/null || skip "the owner's phone needs jq"
    mkdir "$suite_work/plugins"
    cp "$compose_binary" "$suite_work/plugins/docker-compose"
    ! find_plugin docker-buildx >/dev/null || cp "$(find_plugin docker-buildx)" "$suite_work/plugins/docker-buildx"
    for third in $(shuf -i 0-255 -n 20); do
        ! docker network create --label "$suite_id" --subnet "10.213.$third.0/24" "$suite_id" >/dev/null 2>&1 || break
    done
    docker network inspect "$suite_id" >/dev/null
    (umask 077 && printf '7%08d:%s' "$RANDOM" "$(head -c 64 /dev/urandom | base64 -w0 | tr -dc A-Za-z0-9 | head -c 35)" >"$suite_work/token")
    (cd "$root" && cargo build --quiet --locked -p constella-tests --bin botapi)
    docker run -d --name "$suite_id-botapi" --label "$suite_id" --network "$suite_id" --network-alias botapi \
        -v "$root/target/debug/botapi:/botapi:ro" "$host_image" /botapi --listen 0.0.0.0:8081 --control 0.0.0.0:8082 --token "$(token)" >/dev/null
    within 20 control stats >/dev/null
}

# The tags that install.sh builds under. A node of this machine may use them, and an image of an earlier run must not be taken for this one's.
install_tags() {
    local agent
    agent="$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/agent/Cargo.toml" | sed -n 1p)"
    printf '%s\n' "constella-agent:$agent" "constella-controller:$(controller_version)" constella-controller:previous
}
set_images_aside() {
    local tag
    : >"$suite_work/aside"
    for tag in $(install_tags); do
        docker tag "$tag" "$suite_id-kept/$tag" 2>/dev/null || continue
        docker image rm "$tag" >/dev/null
    done
}
put_images_back() {
    [ -e "$suite_work/aside" ] || return 0
    local tag
    for tag in $(install_tags); do
        docker image rm "$tag" >/dev/null 2>&1 || true
        docker tag "$suite_id-kept/$tag" "$tag" 2>/dev/null || continue
        docker image rm "$suite_id-kept/$tag" >/dev/null
    done
}

# The sources as a repository to clone, as they are on disk now.
origin() {
    local origin="$suite_work/origin"
    mkdir "$origin"
    tar -C "$root" --exclude=./target --exclude=./.git --exclude=./state --exclude=./.env -cf - . | tar -C "$origin" -xf -
    # shellcheck disable=SC2016 # compose expands it
    sed -i 's/^\( *\)pid: host$/\1pid: "container:${TEST_VPS:?}"/; s/^\( *\)network_mode: host$/\1network_mode: "container:${TEST_VPS:?}"/' "$origin/compose/compose.yaml"
    # shellcheck disable=SC2016
    sed -i 's/^\( *\)network_mode: bridge$/\1network_mode: "${TEST_NETWORK:?}"/' "$origin/compose/bridge.yaml"
    [ "$(grep -cF 'container:$' "$origin/compose/compose.yaml")" -eq 2 ]
    refute grep -rnE '(pid|network_mode|userns_mode|ipc): *"?host' "$origin/compose" --include=*.yaml
    git -C "$origin" init -q -b main
    commit 'The sources under test'
}
commit() { git -C "$suite_work/origin" add -A && git -C "$suite_work/origin" -c user.name=test -c user.email=test@localhost commit -q -m "$1"; }

# vps NAME [DOCKER ARGUMENTS...]: an empty server with Docker and Compose, and a home that has the same path on this machine, because the
# engine resolves what is mounted.
vps() {
    local name="$1" folder
    folder="$(folder_of "$1")"
    shift
    mkdir -p "$folder/tmp"
    docker run -d --name "$suite_id-$name" --label "$suite_id" --hostname "$name" --network "$suite_id" "$@" \
        -v "$folder:$folder" -v /var/run/docker.sock:/var/run/docker.sock -v "$docker_client:/usr/bin/docker:ro" \
        -v "$suite_work/plugins:/usr/libexec/docker/cli-plugins:ro" "$host_image" sleep infinity >/dev/null
}

# on NAME COMMAND...: in the checkout on that VPS.
on() {
    local name="$1"
    shift
    docker exec -i -w "$(folder_of "$name")/constella" -e "TMPDIR=$(folder_of "$name")/tmp" -e "TEST_VPS=$suite_id-$name" -e "TEST_NETWORK=$suite_id" \
        -e "COMPOSE_PROJECT_NAME=$suite_id-$name" "$suite_id-$name" "$@"
}

# cloned NAME: what an operator has after `git clone`, with the settings that a test's node needs.
cloned() {
    git clone -q "$suite_work/origin" "$(folder_of "$1")/constella"
    printf "TELEGRAM_API_URL='http://botapi:8081/%s'\nSAMPLE_EVERY_SEC='1'\nLANG_DEFAULT='en'\n" "$1" >"$(folder_of "$1")/constella/.env"
}

init_on() { on "$1" ./install.sh init --yes --server-name "$1" --owner "@$owner_name" --bot-token - "${@:2}" <"$suite_work/token" >"$suite_work/$1.out" 2>&1 || { cat "$suite_work/$1.out"; return 1; }; }
join_on() { on "$1" ./install.sh join --yes --server-name "$1" --join - "${@:3}" <<<"$2" >"$suite_work/$1.out" 2>&1 || { cat "$suite_work/$1.out"; return 1; }; }
cli() { docker exec "$(container "$1" controller)" /constella-controller "${@:2}"; }
link_from() { cli "$1" invite --ttl 15m | tail -n 1; }

# A network of the named nodes, the first of them its founder, with an owner.
found() {
    local first="$1" name
    for name in "$@"; do vps "$name"; cloned "$name"; done
    init_on "$first"
    for name in "${@:2}"; do join_on "$name" "$(link_from "$first")"; done
    within 30 all_green "$@"
    claimed "$first"
}
claimed() {
    local code
    code="$(sed -n 's/.*[?]start=//p' "$suite_work/$1.out" | tail -n 1)"
    asks "/start $code" >/dev/null
    sees "obeys you alone"
}

# Each of them sees all of them alive, and the same one leading.
all_green() {
    local name rows
    for name in "$@"; do
        rows="$(cli "$name" peers --json 2>/dev/null)" || return 1
        jq -e --argjson count "$#" 'length == $count and all(.status == "alive") and ([.[] | select(.leader)] | length == 1)' <<<"$rows" >/dev/null || return 1
        jq -r '.[] | select(.leader) | .name' <<<"$rows"
    done | sort -u | wc -l | grep -qx 1
}
# Who leads, once somebody does: a lease is away for a moment when it moves, or when a voter comes in.
leader() { within "$patience" named_leader "$1"; }
named_leader() { cli "$1" peers --json | jq -er '.[] | select(.leader) | .name'; }
# serving NAME...: they agree on a leader, and it is the one that polls.
serving() { all_green "$@" && [ "$(leader "$1")" = "$(poller)" ]; }

# A7: no sample of a node's agent is missing since the given second, and its controller answers with points of after it.
has_no_gap_since() {
    within 60 has_points_after "$1" "$2"
    sampled_without_gap "$(docker volume inspect -f '{{.Mountpoint}}' "$suite_id-$1_agent-state")/series/samples" "$2"
}
has_points_after() { cli "$1" rpc --addr 127.0.0.1:4747 GetTS '{"kind":"cpu","hours":1}' | jq -e --argjson since "$2" '[.. | objects | select(has("t")).t | select(. > $since)] != []' >/dev/null; }

# Everything of the suite: nodes by their compose projects, the rest by label.
network_down() {
    local ids
    ids="$(docker ps -aq --filter "label=$suite_id"; docker ps -a --format '{{.ID}} {{.Label "com.docker.compose.project"}}' | awk -v id="$suite_id-" 'index($2, id) == 1 { print $1 }')"
    # shellcheck disable=SC2086 # one id a word
    [ -z "$ids" ] || docker rm -f $ids >/dev/null
    docker volume ls -q | awk -v id="$suite_id" 'index($1, id) == 1' | xargs -r docker volume rm >/dev/null
    docker network rm "$suite_id" >/dev/null 2>&1 || true
    put_images_back
}
