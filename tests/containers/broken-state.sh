# shellcheck shell=bash
# A controller whose state folder is missing, empty, read-only or full: gamma's, with a copy of its state. Sourced by suite-cluster.sh, whose
# claims are below; these are what they do.

: "${suite_id:?}" "${host_image:?}"

# run_with MOUNT DOCKER ARGUMENTS...: gamma's controller once more, as compose.yaml has it, with another state.
run_with() {
    local mount="$1"
    shift
    docker run "$@" --label "$suite_id" --user 10001:10001 --network "container:$suite_id-gamma" --read-only --cap-drop ALL \
        --security-opt no-new-privileges --mount "$mount" -v "$suite_id-gamma_socket:/run/constella:ro" \
        --tmpfs /run/control:uid=10001,gid=10001,mode=0700,size=64k -e STATE_DIR=/state -e CONTROL_SOCKET=/run/control/control.sock \
        -e AGENT_SOCKET=/run/constella/agent.sock -e TELEGRAM_API_URL=http://botapi:8081/gamma \
        "constella-controller:$(controller_version)" run
}

gamma_state() { printf '%s/constella/state' "$(folder_of gamma)"; }
gamma_stops() { on gamma docker compose stop controller >/dev/null 2>&1; }
gamma_starts() { on gamma docker compose up -d --no-build controller >/dev/null 2>&1; }
is_gone() { [ "$(docker inspect -f '{{.State.Running}}' "$1")" = false ]; }

# A copy of gamma's state in a volume made with the given options; a container keeps it mounted, which a tmpfs needs.
copy_of_state() {
    docker volume create --label "$suite_id" "$@" "$suite_id-copy" >/dev/null
    docker run -d --name "$suite_id-keeper" --label "$suite_id" --network none -v "$(gamma_state):/from:ro" -v "$suite_id-copy:/state" "$host_image" sleep infinity >/dev/null
    in_copy 'cp -a /from/. /state/'
}
in_copy() { docker exec "$suite_id-keeper" sh -c "$1"; }
drop_copy() {
    docker rm -f "$suite_id-keeper" >/dev/null
    docker volume rm "$suite_id-copy" >/dev/null
}
copied_network() { in_copy 'cat /state/network_state.json' | jq -S '{network_id, network_secret, owner_username, peers: [.peers[].owner.node] | sort}'; }
