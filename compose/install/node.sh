# shellcheck shell=bash
# A node on this host: its .env, its state folder, its images and containers. Sourced by install.sh.

compose() { (cd "$root" && docker compose "$@"); }
has_network() { [ -e "$root/state/network_state.json" ]; }
can_compose() { [ -n "$docker_answers" ] && [ -n "$compose_answers" ]; }
container_runs() {
    local running
    can_compose && [ -f "$root/.env" ] || return 1
    running="$(compose ps --status running --services 2>/dev/null)" || return 1
    grep -qx "$1" <<<"$running"
}
have_image() { docker image inspect "$1" >/dev/null 2>&1; }
have_images() { have_image "constella-agent:$(agent_version)" && have_image "constella-controller:$(controller_version)"; }

# The agent's own version, or the workspace's where it has none of its own.
agent_version() {
    local own
    own="$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/agent/Cargo.toml" | head -n 1)"
    printf '%s\n' "${own:-$(controller_version)}"
}
controller_version() { sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1; }

# env_get KEY: what .env says, without its quotes.
env_get() { [ ! -r "$root/.env" ] || sed -n "s/^$1=//p" "$root/.env" | tail -n 1 | sed "s/^'\(.*\)'\$/\1/"; }

# env_set KEY VALUE: one line of .env, said aloud when it changes. Values were checked to hold no quote.
env_set() {
    local old line
    [ -n "$2" ] || return 0
    line="$1='$2'"
    old="$(env_get "$1")"
    [ "$old" != "$2" ] || return 0
    if [ -n "$old" ]; then
        local rest
        rest="$(grep -v "^$1=" "$root/.env" || true)"
        printf '%s\n' "$rest" "$line" | sed '/^$/d' >"$root/.env.new"
        mv "$root/.env.new" "$root/.env"
        say "  .env: $line (was '$old')"
    else
        printf '%s\n' "$line" >>"$root/.env"
        say "  .env: $line"
    fi
}

need_root() { is_root || die "run this as root (sudo ./install.sh ..., without sudo: su -c './install.sh ...'): the state folder belongs to uid $controller_uid, which only root can give away"; }

stop_on_failed_checks() {
    [ "$failed_checks" -eq 0 ] || die "$failed_checks check(s) failed; nothing was changed. Mend what is marked FAIL and run this again"
}

# For verbs that do nothing but by Docker: all that is missing is said at once, before anything is changed.
need_docker() {
    step "Checking Docker"
    check_docker
    stop_on_failed_checks
}

install_node() {
    local verb="$1"
    need_root
    need_source
    refuse_predecessor
    vpn_check
    can_ask || ask_missing "$verb"
    step "Checking this host"
    check_host
    stop_on_failed_checks
    ask_missing "$verb"
    step "Writing"
    write_env
    make_state
    vpn_setup
    get_images
    if has_network; then
        say "state/ already belongs to a network; it is kept as it is"
    else
        step "$([ "$verb" = init ] && echo "Founding the network" || echo "Joining the network")"
        "${verb}_network"
    fi
    [ -z "$opt_no_start" ] || { say "Not started (--no-start). Start it with: docker compose up -d"; return; }
    start_node
    next_steps
}

write_env() {
    [ -e "$root/.env" ] || printf '# Written by install.sh; read by docker compose. No secret belongs here.\n' >"$root/.env"
    case "${opt_network:-}" in
        bridge) env_set COMPOSE_FILE compose/compose.yaml:compose/bridge.yaml ;;
        host) env_set COMPOSE_FILE compose/compose.yaml ;;
        *) [ -n "$(env_get COMPOSE_FILE)" ] || env_set COMPOSE_FILE compose/compose.yaml ;;
    esac
    env_set AGENT_VERSION "$(agent_version)"
    env_set CONTROLLER_VERSION "$(controller_version)"
    env_set SERVER_NAME "$opt_server_name"
    env_set PUBLIC_ADDR "$opt_public_addr"
    env_set PRIORITY "$opt_priority"
    if is_bridge; then env_set PUBLISH_PORT "$opt_port"; else env_set LISTEN_ADDR "${opt_port:+[::]:$opt_port}"; fi
    case "$(env_get COMPOSE_FILE)" in
        *bridge*) [ -n "$(env_get PUBLIC_ADDR)" ] || die "--network bridge needs --public-addr: the container cannot see the host's address" ;;
    esac
}

# The older Constella, a Python program, has a state/ too: its network_state.json has no format, and no node's key stands beside it.
is_predecessors() { has_network && { [ ! -e "$root/state/node_key.pem" ] || ! grep -q '"format"' "$root/state/network_state.json"; }; }
refuse_predecessor() {
    ! is_predecessors || die "state/ is of the older Constella in Python, whose network cannot be carried over. Stop that program for good on this server (two programs with one bot token take each other's messages), move its folder away (mv state state.python), and run this again. Its bot, with the same token, can be used again once all its servers are stopped"
}

# Made once, and not written by root again: what a controller that went bad could put there must not steer root.
make_state() {
    if [ -d "$root/state" ]; then
        [ "$(stat -c %u "$root/state")" = "$controller_uid" ] || die "state/ exists and belongs to uid $(stat -c %u "$root/state"), not $controller_uid: move it away, or chown -R $controller_uid:$controller_uid state if it is a node's"
        return
    fi
    mkdir -m 0700 "$root/state"
    chown "$controller_uid:$controller_uid" "$root/state"
    say "  state/ (0700, uid $controller_uid): keys, roster, network secret and token; back it up, show it to nobody"
}

# run_once SECRET_NAME SECRET ARGS...: the controller's own verb, with the secret in a file that only it reads.
# Its port is published as the node's will be: the seed dials back while it joins.
run_once() {
    local name="$1" value="$2"
    shift 2
    secret_file "$name" "$value"
    local status=0
    compose run --rm --no-deps --service-ports -T -v "$secret_path:/run/install/$name:ro" controller "$@" </dev/null || status=$?
    rm -f "$secret_path"
    return "$status"
}

common_arguments() {
    arguments+=(--state-dir /state --server-name "$opt_server_name")
    local address priority
    address="$(env_get PUBLIC_ADDR)"
    priority="$(env_get PRIORITY)"
    [ -z "$address" ] || arguments+=(--public-addr "$address")
    [ -z "$priority" ] || arguments+=(--priority "$priority")
}

init_network() {
    local arguments=(init --owner "${opt_owner#@}" --bot-token-file /run/install/bot-token)
    common_arguments
    [ -z "$opt_no_share_token" ] || arguments+=(--no-share-token)
    run_once bot-token "$opt_bot_token" "${arguments[@]}" || die "the network was not founded; state/ holds nothing new, so run this again when the reason above is mended"
    say "Open the link above in Telegram, as ${opt_owner}: it makes you the owner, once."
}

join_network() {
    local arguments=(join --join-file /run/install/join-link)
    common_arguments
    run_once join-link "$opt_join" "${arguments[@]}" || die "this server did not join; nothing was spent unless the reason above says so"
}

start_node() {
    step "Starting"
    compose up -d --no-build --remove-orphans
    wait_healthy agent /constella-agent
    wait_healthy controller /constella-controller
}

# The healthcheck itself, asked until it says yes: Docker's own first look comes only after an interval.
wait_healthy() {
    local service="$1" binary="$2" deadline=$((SECONDS + 60))
    until compose exec -T "$service" "$binary" healthcheck >/dev/null 2>&1 </dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            compose logs --tail 20 "$service" >&2 || true
            die "the $service is not healthy after 60 s; its last lines are above, \`./install.sh doctor\` says more"
        fi
        sleep 0.5
    done
    say "  $service is healthy"
}

next_steps() {
    step "This node runs"
    say "  docker compose exec controller /constella-controller status        what it sees"
    say "  docker compose exec controller /constella-controller invite --ttl 15m   a link for the next server"
    say "  docker compose logs -f controller                                  its log"
    say "  ./install.sh doctor | upgrade | remove"
}

upgrade_node() {
    need_root
    [ -f "$root/.env" ] || die "there is no node here to upgrade: ./install.sh init or join"
    has_network || die "this node belongs to no network yet: ./install.sh init or join"
    refuse_predecessor
    need_source
    need_docker
    local old
    old="$(env_get CONTROLLER_VERSION)"
    ! have_image "constella-controller:$old" || docker tag "constella-controller:$old" constella-controller:previous
    env_set AGENT_VERSION "$(agent_version)"
    env_set CONTROLLER_VERSION "$(controller_version)"
    get_images
    [ -z "$opt_no_start" ] || { say "Not restarted (--no-start)."; return; }
    step "Replacing the controller"
    say "  stopping: it finishes the update in hand and hands the bot to the next node first"
    compose stop controller
    compose up -d --no-build --remove-orphans
    wait_healthy agent /constella-agent
    wait_healthy controller /constella-controller
    say "Back to the version before: docker tag constella-controller:previous constella-controller:$(controller_version) && docker compose up -d --no-build"
}

remove_node() {
    need_root
    [ -f "$root/.env" ] || { say "there is no node here"; return; }
    need_docker
    if [ -n "$opt_purge" ]; then
        confirm "Delete this node's containers, images, series, keys and state/ for good?" || die "nothing was removed"
        compose down --remove-orphans --volumes
        docker image rm "constella-agent:$(env_get AGENT_VERSION)" "constella-controller:$(env_get CONTROLLER_VERSION)" constella-controller:previous >/dev/null 2>&1 || true
        vpn_remove
        rm -rf "$root/state" "$root/.env"
        say "Removed, state included."
    else
        compose down --remove-orphans
        say "Stopped and removed the containers; state/, .env and the series stay (--purge deletes them too)."
    fi
    say "The other nodes go on to show it, as down, until it is put out: `remove NODE` where the network is led (README, Members)."
}

# Exit status 0: all is well, 1: something is wrong. Every check reports, whatever the ones before it met, and the count is the last line.
doctor() {
    step "This host"
    check_root
    check_host
    step "This node"
    if [ ! -f "$root/.env" ]; then
        hint "no node is installed here: ./install.sh init or join"
    elif [ ! -r "$root/.env" ]; then
        bad ".env cannot be read by this user: sudo ./install.sh doctor"
    else
        doctor_node
    fi
    say
    [ "$failed_checks" -eq 0 ] || { say "$failed_checks check(s) failed"; exit 1; }
    say "nothing is wrong"
}

check_state() {
    local owner
    if [ -d "$root/state" ] && [ ! -x "$root/state" ]; then
        hint "state/ is closed to this user: sudo ./install.sh doctor"
        return
    fi
    if ! has_network; then
        bad "state/ belongs to no network: ./install.sh init or join"
        return
    fi
    if is_predecessors; then
        bad "state/ is of the older Constella in Python: move it away (mv state state.python), then ./install.sh init or join"
        return
    fi
    owner="$(stat -c '%u %a' "$root/state")"
    if [ "$owner" = "$controller_uid 700" ]; then
        good "state/ belongs to a network, to uid $controller_uid, and is closed to others"
    else
        bad "state/ has owner and mode $owner, not $controller_uid 700: chown $controller_uid:$controller_uid state; chmod 700 state"
    fi
}

check_compose_files() {
    local problem
    if [ -z "$compose_answers" ]; then
        hint "the compose files cannot be checked without \`docker compose\`"
    elif problem="$(compose config -q 2>&1)"; then
        good "compose files are valid"
    else
        bad "the compose files do not fit .env, ./install.sh init writes it: $problem"
    fi
}

check_container() {
    local service="$1"
    if ! can_compose; then
        hint "the $service cannot be looked at without Docker"
    elif ! container_runs "$service"; then
        bad "the $service does not run: docker compose up -d; docker compose logs $service"
    elif compose exec -T "$service" "/constella-$service" healthcheck >/dev/null 2>&1 </dev/null; then
        good "the $service is healthy"
    else
        bad "the $service runs and is not healthy: docker compose logs $service"
    fi
}

# A line that nobody reads does nothing, and a misspelt one is such a line. What Compose and Docker read themselves begins as they do; compose files
# of the operator's own are read too.
check_env_names() {
    local name unread='' files
    IFS=: read -ra files <<<"$(env_get COMPOSE_FILE)"
    while IFS= read -r name; do
        case "$name" in COMPOSE_* | DOCKER_*) continue ;; esac
        (cd "$root" && grep -rqsw -- "$name" compose install.sh "${files[@]}") || unread+=" $name"
    done < <(sed -n 's/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}\([A-Za-z_][A-Za-z0-9_]*\)[[:space:]]*=.*/\2/p' "$root/.env")
    if [ -z "$unread" ]; then
        good "every line of .env is read by somebody"
    else
        bad ".env sets what nobody reads:$unread (docs/settings.md has every setting)"
    fi
}

doctor_node() {
    check_compose_files
    check_env_names
    check_overlay
    check_state
    check_container agent
    check_container controller
    if container_runs controller; then
        compose exec -T controller /constella-controller doctor </dev/null || bad "the controller's own checks above"
    fi
}
