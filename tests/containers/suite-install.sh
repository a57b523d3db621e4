# shellcheck shell=bash
# install.sh for real: init, join, upgrade, doctor, remove, with Docker, on VPSes that are containers. Sourced by run.sh; the claims are one
# story and run in their order.

# shellcheck source=tests/containers/vps.sh
. "$(dirname "${BASH_SOURCE[0]}")/vps.sh"

setup_suite() {
    network_up
    local name
    for name in alpha beta gamma; do vps "$name"; done
}
teardown_suite() { network_down; }

# What an operator waits for. The compiled dependencies are in BuildKit's cache, and so is everything else where nothing was changed.
test_from_git_clone_to_a_green_node() {
    local started
    started="$(now_ms)"
    cloned alpha
    init_on alpha
    within 30 all_green alpha
    echo "figure: git clone to green, warm cache: $(($(now_ms) - started)) ms, load $(cut -d' ' -f1 /proc/loadavg)"
    [ "$(stat -c '%a %u:%g' "$(folder_of alpha)/constella/state")" = "700 10001:10001" ]
    [ -z "$(ls -A "$(folder_of alpha)/tmp")" ]
    claimed alpha
}

test_running_it_again_is_harmless() {
    local before out
    before="$(fingerprint)"
    out="$(on alpha ./install.sh init --yes --server-name alpha --owner @somebody --bot-token - 2>&1 <<<'123456:another-token-of-somebody-else-aaaaaaaaa')"
    says "$out" 'it is kept as it is'
    refute grep -qF 'another-token' <<<"$out"
    [ "$(fingerprint)" = "$before" ]
    # Nor does Compose's own command, which is all that an operator needs afterwards.
    on alpha docker compose up -d --build >/dev/null 2>&1
    [ "$(fingerprint)" = "$before" ]
    all_green alpha
}
# Containers and what must never be overwritten.
fingerprint() {
    docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$(container alpha agent)" "$(container alpha controller)"
    (cd "$(folder_of alpha)/constella" && sha256sum .env state/node_id state/node_key.pem state/node_cert.pem && jq -S '{network_id, network_secret, owner_username}' state/network_state.json)
}

test_a_second_server_joins_by_link_and_a_spent_link_is_refused() {
    local link
    cloned beta
    link="$(link_from alpha)"
    join_on beta "$link"
    within 30 all_green alpha beta
    cloned gamma
    join_on gamma "$link" >"$suite_work/refused" && { echo 'a link was good twice'; return 1; }
    says "$(cat "$suite_work/refused")" 'this server did not join'
    [ ! -e "$(folder_of gamma)/constella/state/network_state.json" ]
    # Neither the link nor its token is repeated.
    refute grep -qF "${link#*token=}" "$suite_work/refused" "$suite_work/beta.out"
    refute grep -qE 'token=[0-9a-f]' "$suite_work/refused" "$suite_work/beta.out"
}

# The alternative: Docker's own network and one published port, here on the address of the suite's network alone.
test_a_node_on_bridge_yaml_is_reached_by_its_published_port() {
    local gateway
    gateway="$(docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' "$suite_id" | grep .)" || gateway="$(docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' "$suite_id" | sed 's|\.0/.*|.1|')"
    printf "PUBLISH_PORT='%s:4790'\n" "$gateway" >>"$(folder_of gamma)/constella/.env"
    join_on gamma "$(link_from alpha)" --network bridge --public-addr "$gateway:4790"
    within 60 all_green alpha beta gamma
    [ "$(cli alpha peers --json | jq -r '.[] | select(.name == "gamma") | .addr')" = "$gateway:4790" ]
    [ "$(docker inspect -f '{{range $port, $to := .NetworkSettings.Ports}}{{$port}} {{(index $to 0).HostIp}}:{{(index $to 0).HostPort}}{{end}}' "$(container gamma controller)")" = "4747/tcp $gateway:4790" ]
    says "$(cli alpha rpc --addr "$gateway:4790" GetStats '{}')" boot_id
}

# Every check of the list has its line: on the host, and of the controller's own doctor.
test_doctor_names_every_check() {
    local out check
    within 60 reached_by_all
    out="$(on alpha ./install.sh doctor 2>&1)" || { echo "$out"; return 1; }
    for check in 'Docker engine' 'Docker Compose' 'port 4747/tcp is served by this node' 'clock' 'MB free' 'memory' AppArmor \
        'the agent is healthy' 'the controller is healthy' 'uid: ' 'state: ' 'agent: ' 'controller: ' 'telegram: ' 'token: ' 'webhook: ' \
        'to uid 10001' 'peers: 2 of 2' 'is reached by 2 of 2' 'versions: ' 'nothing is wrong'; do
        says "$out" "$check"
    done
    for check in beta gamma; do grep -qE "clock: .*$check [+-][0-9.]+ s" <<<"$out"; done
    # A check that cannot fail is none: without its agent the node is not well, and what to do is said.
    on alpha docker compose stop agent >/dev/null 2>&1
    out="$(on alpha ./install.sh doctor 2>&1)" && { echo "well without an agent: $out"; return 1; }
    says "$out" 'FAIL  the agent does not run: docker compose up -d'
    says "$out" 'FAIL  agent: it does not answer'
    on alpha docker compose up -d --no-build agent >/dev/null 2>&1
    within 60 all_green alpha beta gamma
}
reached_by_all() { says "$(on alpha ./install.sh doctor 2>&1)" 'is reached by 2 of 2' >/dev/null; }

# The new image differs in a label, which costs no compilation.
test_an_upgrade_moves_the_bot_away_first_and_leaves_the_agent_alone() {
    local first agent old since offset polled ended before out
    within "$patience" serving alpha beta gamma
    first="$(leader alpha)"
    before="$(conflicts)"
    sed -i '/^FROM scratch AS controller$/a LABEL upgraded="yes"' "$suite_work/origin/compose/Dockerfile"
    commit 'A newer controller'
    git -C "$(folder_of "$first")/constella" pull -q
    agent="$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$(container "$first" agent)")"
    old="$(docker inspect -f '{{.Id}}' "$(container "$first" controller)")"
    since="$(date +%s)"
    offset="$(($(now_ms) - $(control stats | jq .at)))"
    out="$(on "$first" ./install.sh upgrade --yes 2>&1)" || { echo "$out"; return 1; }
    asks /nodes >/dev/null
    [ "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$(container "$first" agent)")" = "$agent" ]
    [ "$(docker inspect -f '{{.Id}}' "$(container "$first" controller)")" != "$old" ]
    [ "$(docker inspect -f '{{.Config.Labels.upgraded}}' "$(container "$first" controller)")" = yes ]
    # Another node polled before the old controller was gone.
    ended="$(docker events --since "$since" --until "$(($(date +%s) + 1))" --filter "container=$old" --filter event=die --format '{{.TimeNano}}' | sed -n 1p)"
    polled="$(control stats | jq --arg first "/$first" --argjson since "$((since * 1000 - offset))" '[.calls[] | select(.at > $since and .method == "getupdates" and (.source.prefix | ltrimstr("/")) != ($first | ltrimstr("/"))) | .at] | min')"
    echo "figure: another node polled $((ended / 1000000 - polled - offset)) ms before the old controller had ended"
    [ $((polled + offset)) -le $((ended / 1000000)) ]
    [ "$(conflicts)" -eq "$before" ]
    within "$patience" serving alpha beta gamma
    within "$patience" nothing_is_lost
    has_no_gap_since "$first" "$since"
}

test_remove_keeps_the_state_and_purge_leaves_nothing() {
    local out ids
    out="$(on beta ./install.sh remove --yes 2>&1)"
    [ -z "$(of_project beta)" ]
    [ -e "$(folder_of beta)/constella/state/network_state.json" ]
    # It is the same node when it is started again.
    on beta docker compose up -d --no-build >/dev/null 2>&1
    within "$patience" all_green alpha beta gamma
    out="$(on beta ./install.sh remove --purge 2>&1)" && { echo "purged without being asked: $out"; return 1; }
    out="$(on beta ./install.sh remove --purge --yes 2>&1)" || { echo "$out"; return 1; }
    [ -z "$(of_project beta)" ]
    [ -z "$(docker volume ls -q | grep "^$suite_id-beta" || true)" ]
    [ ! -e "$(folder_of beta)/constella/state" ] && [ ! -e "$(folder_of beta)/constella/.env" ]
    says "$out" 'The other nodes go on to show it, as down'
    ids="$(cli alpha peers --json | jq -r '[.[].name] | sort | join(" ")')"
    [ "$ids" = "alpha beta gamma" ]
}
of_project() { docker ps -aq --filter "label=com.docker.compose.project=$suite_id-$1"; }
