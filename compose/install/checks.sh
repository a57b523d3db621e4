# shellcheck shell=bash
# What an install needs of its host. Each check prints one line and, where something is wrong, what to do. Sourced by install.sh.

# Seconds for an engine's first word: a good one needs a fraction of one.
readonly engine_patience_s=20

failed_checks=0
good() { printf '  ok    %s\n' "$*"; }
hint() { printf '  note  %s\n' "$*"; }
bad() { printf '  FAIL  %s\n' "$*"; failed_checks=$((failed_checks + 1)); }

# What Docker is good for here; check_docker finds out, the checks after it ask. A check that needs what is missing says so and goes on.
docker_answers='' compose_answers=''

# Each thing of Docker's is looked at by itself, so that one report names all that is missing.
check_docker() {
    docker_answers='' compose_answers=''
    command -v docker >/dev/null || { bad "there is no docker here: install Docker Engine $min_docker or newer (https://docs.docker.com/engine/install)"; return 0; }
    check_engine
    check_compose
}

check_engine() {
    local version status=0
    # An engine that hangs must not hang its check.
    version="$(timeout "$engine_patience_s" docker version --format '{{.Server.Version}}' 2>/dev/null)" || status=$?
    case "$status" in
        0) ;;
        124) bad "the Docker engine does not answer within $engine_patience_s s: systemctl restart docker"; return 0 ;;
        *)
            case "$(timeout "$engine_patience_s" docker version 2>&1 >/dev/null || true)" in
                *"permission denied"*) bad "this user may not speak to the Docker engine: run this as root (sudo ./install.sh ...)" ;;
                *) bad "no Docker engine answers: start it (systemctl start docker)" ;;
            esac
            return 0
            ;;
    esac
    docker_answers=1
    if version_at_least "${version%%[+-]*}" "$min_docker"; then good "Docker engine $version"; else bad "Docker engine $version is older than $min_docker: upgrade it"; fi
    case "$(docker_info '{{.SecurityOptions}}')" in
        *rootless*) bad "this engine runs rootless: the agent could not see the host; use the system's engine" ;;
    esac
}

check_compose() {
    local version
    if version="$(docker compose version --short 2>/dev/null)"; then
        compose_answers=1
        good "Docker Compose $version"
    else
        bad "\`docker compose\` is missing (docker-compose 1.x is too old): install the docker-compose-plugin package"
    fi
}

# docker_info FORMAT: nothing where no engine answers.
docker_info() { [ -n "$docker_answers" ] || return 0; docker info --format "$1" 2>/dev/null || true; }

# Root gives state/ away, and alone may look into it.
is_root() { [ "$(id -u)" = 0 ]; }
check_root() {
    if is_root; then good "this is root, who may look at everything"; else bad "this is not root, so not everything can be looked at: sudo ./install.sh doctor"; fi
}

# The port that this host opens: the controller's own, or with bridge.yaml the one that Docker publishes. Before .env is written the flag counts.
is_bridge() { [ "${opt_network:-}" = bridge ] || { [ -z "${opt_network:-}" ] && [[ $(env_get COMPOSE_FILE) == *bridge* ]]; }; }
port_setting() { if is_bridge; then echo PUBLISH_PORT; else echo LISTEN_ADDR; fi; }
host_port() {
    local port
    port="${opt_port:-$(env_get "$(port_setting)")}"
    port="${port##*:}"
    printf '%s\n' "${port:-4747}"
}

# is_taken PROTOCOL PORT: in the kernel's own lists of sockets, of which a host without IPv6 has one. 0A is a socket that listens (tcp_states.h).
is_taken() {
    local state=''
    [ "$1" = udp ] || state=0A
    cat "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null |
        awk -v port=":$(printf '%04X' "$2")" -v state="$state" \
            '(state == "" || $4 == state) && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}

# free_port PROTOCOL PORT: the next one that nobody has.
free_port() {
    local port=$(($2 + 1))
    while is_taken "$1" "$port"; do port=$((port + 1)); done
    printf '%s\n' "$port"
}

# Ours may have it.
check_port() {
    local port setting
    setting="$(port_setting)"
    port="$(host_port)"
    if ! is_port "$port"; then
        bad "$setting in .env ends with no port: write e.g. $([ "$setting" = LISTEN_ADDR ] && echo '[::]:4747' || echo 4747)"
    elif ! is_taken tcp "$port"; then
        good "port $port/tcp is free"
    elif container_runs controller; then
        good "port $port/tcp is served by this node"
    else
        bad "port $port/tcp is taken by another program: stop it, or set $setting in .env or --port $(free_port tcp "$port"), which is free (ss -ltnp | grep $port)"
    fi
}

# A hub's clients come by UDP. Ours may have it: then the interface is up.
check_hub_port() {
    local port
    [ "$(vpn_mode)" = hub ] || return 0
    port="${opt_vpn_listen_port:-$(sed -n 's/^ListenPort = //p' "$(vpn_state_file)" 2>/dev/null || true)}"
    port="${port:-51820}"
    if vpn_is_up; then
        good "the overlay is up"
    elif ! is_port "$port"; then
        bad "$(vpn_state_file) has no ListenPort from 1 to 65535: write one there and in $(vpn_quick)"
    elif is_taken udp "$port"; then
        bad "port $port/udp is taken by another program: stop it, or choose another with --vpn-listen-port $(free_port udp "$port"), which is free (ss -lunp | grep $port)"
    else
        good "port $port/udp is free for the overlay"
    fi
}

# The images run as these users. A user of this host with such a number could read the node's keys, or speak to its agent.
check_users() {
    local uid name free=10003 taken=''
    for uid in "$controller_uid" "$agent_front_uid"; do
        name="$(user_of "$uid")"
        case "$name" in '' | constella*) continue ;; esac
        while [ -n "$(user_of "$free")" ]; do free=$((free + 1)); done
        taken=1
        bad "uid $uid, which a node's files belong to, is the user $name of this host: give $name another number (usermod -u $free $name; $free is free)"
    done
    [ -n "$taken" ] || good "the users $controller_uid and $agent_front_uid are the node's alone"
}
user_of() { { getent passwd "$1" 2>/dev/null || awk -F: -v uid="$1" '$3 == uid' /etc/passwd 2>/dev/null; } | head -n 1 | cut -d: -f1; }

# Compose knows a project by its name: a second folder of the same name would take the containers of the first away.
check_project() {
    local name folder free number=2
    name="${COMPOSE_PROJECT_NAME:-$(env_get COMPOSE_PROJECT_NAME)}"
    name="${name:-constella}"
    folder="$(project_folder "$name")"
    if [ -z "$folder" ] || [ "$folder" = "$root/compose" ] || [ "$folder" = "$root" ]; then
        good "the containers' names ($name) are free"
        return
    fi
    free="$name-$number"
    while [ -n "$(project_folder "$free")" ]; do number=$((number + 1)); free="$name-$number"; done
    bad "the compose project $name is that of $folder: use that folder, or write COMPOSE_PROJECT_NAME='$free' into .env for a second node (it needs a port of its own)"
}
project_folder() {
    [ -n "$docker_answers" ] || return 0
    docker ps -a --filter "label=com.docker.compose.project=$1" --format '{{.Label "com.docker.compose.project.working_dir"}}' 2>/dev/null | head -n 1
}

# A container on Docker's own bridge has IPv4 unless its daemon was told otherwise.
check_families() {
    if has_ipv4 || ! is_bridge; then return 0; fi
    hint "this server has no way to IPv4, and a container with --network bridge has IPv6 only where Docker's daemon is told so: --network host needs nothing"
}

check_clock() {
    local synced
    synced="$(timedatectl show -p NTPSynchronized --value 2>/dev/null || true)"
    case "$synced" in
        yes) good "the clock is synchronised" ;;
        no) bad "the clock is not synchronised; 30 s off and other nodes refuse this one: timedatectl set-ntp true" ;;
        *) hint "cannot tell whether the clock is synchronised (no timedatectl): see that a time service runs" ;;
    esac
}

check_disk() {
    local folder free_mb needed purpose=building
    needed="$(needed_disk_mb)"
    ! has_release || purpose='a release'
    folder="$(docker_info '{{.DockerRootDir}}')"
    [ -d "$folder" ] || folder="$root"
    free_mb="$(df -Pk "$folder" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')" || free_mb=
    if [ -z "$free_mb" ]; then
        hint "cannot tell how much disk is free in $folder: $purpose needs $needed MB"
    elif [ "$free_mb" -ge "$needed" ]; then
        good "$free_mb MB free in $folder"
    elif have_images; then
        hint "$free_mb MB free in $folder: enough to run, too little for the next upgrade ($purpose needs $needed MB)"
    else
        bad "$free_mb MB free in $folder, $purpose needs $needed: make room (docker system prune)$(or_a_release)"
    fi
}

or_a_release() { has_release || printf ', or take a release, which needs %s MB (--from)' "$release_disk_mb"; }

check_memory() {
    local free_mb needed
    needed="$(needed_memory_mb)"
    free_mb="$(awk '/^(MemAvailable|SwapFree):/ { sum += $2 } END { print int(sum / 1024) }' /proc/meminfo 2>/dev/null)" || free_mb=0
    if [ "$free_mb" -ge "$needed" ] || have_images; then
        good "$free_mb MB of memory and swap available"
    elif has_release; then
        hint "$free_mb MB of memory and swap, a node wants $needed: add swap"
    else
        hint "$free_mb MB of memory and swap, the build wants $needed: take a release (--from), which is built already, or add swap"
    fi
}

check_apparmor() {
    if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
        hint "AppArmor is on: the agent's container runs as apparmor:unconfined, or it could not enter PID 1's namespaces to reboot the host"
    else
        good "no AppArmor in the way"
    fi
}

check_firewall() {
    local port rules
    port="$(host_port)"
    rules="$(ufw status 2>/dev/null)" || rules=
    if ! grep -q '^Status: active' <<<"$rules"; then
        hint "see that a firewall, also your provider's, lets $port/tcp in"
    elif is_bridge; then
        hint "ufw is active, and a port that Docker publishes is open all the same"
    elif grep -Eq "^$port(/tcp)? +ALLOW" <<<"$rules"; then
        good "ufw lets $port/tcp in"
    else
        hint "ufw is active: let the other nodes in with \`ufw allow $port/tcp\`"
    fi
}

# The overlay's keys are made by one of two programs; without either nothing may be written yet.
check_key_tools() {
    has_overlay && [ ! -e "$(vpn_state_file)" ] || return 0
    if command -v wg >/dev/null || command -v openssl >/dev/null; then
        good "the overlay's keys can be made"
    else
        bad "the overlay's keys need wireguard-tools: apt-get install --no-install-recommends wireguard-tools"
    fi
}

check_host() {
    check_docker
    check_project
    check_users
    check_port
    check_families
    check_hub_port
    check_key_tools
    check_clock
    check_disk
    check_memory
    check_apparmor
    check_firewall
}

# The demo's needs: Rust, and a linker, which is the C compiler. Rust is looked for by what it answers: rustup's proxies are there without a
# toolchain too.
check_rust() {
    local have
    if ! command -v cargo >/dev/null; then
        bad "there is no cargo here: install Rust $min_rust or newer from https://rustup.rs (as the user who runs the demo: it needs no root)"
    fi
    have="$(rustc --version 2>/dev/null | awk '{ print $2 }')" || have=
    if [ -z "$have" ]; then
        bad "rustc does not tell its version: install Rust $min_rust or newer from https://rustup.rs (rustup default stable)"
    elif version_at_least "$have" "$min_rust"; then
        good "Rust $have"
    else
        bad "Rust $have is older than $min_rust: rustup update"
    fi
    if command -v cc >/dev/null; then good "there is a C compiler"; else bad "there is no C compiler (cc), which links the programs: apt-get install --no-install-recommends gcc libc6-dev"; fi
}
