# shellcheck shell=bash
# What an install needs of its host. Each check prints one line and, where something is wrong, what to do. Sourced by install.sh.

failed_checks=0
good() { printf '  ok    %s\n' "$*"; }
hint() { printf '  note  %s\n' "$*"; }
bad() { printf '  FAIL  %s\n' "$*"; failed_checks=$((failed_checks + 1)); }

check_docker() {
    command -v docker >/dev/null || { bad "there is no docker here: install Docker Engine $min_docker or newer"; return; }
    local version
    version="$(docker version --format '{{.Server.Version}}' 2>/dev/null)" || { bad "no Docker engine answers: start it (systemctl start docker), and run this as root"; return; }
    if version_at_least "${version%%[+-]*}" "$min_docker"; then good "Docker engine $version"; else bad "Docker engine $version is older than $min_docker: upgrade it"; fi
    if docker compose version >/dev/null 2>&1; then
        good "Docker Compose $(docker compose version --short 2>/dev/null)"
    else
        bad "\`docker compose\` is missing (docker-compose 1.x is too old): install the docker-compose-plugin package"
    fi
    if docker info --format '{{.SecurityOptions}}' 2>/dev/null | grep -q rootless; then
        bad "this engine runs rootless: the agent could not see the host; use the system's engine"
    fi
}

# The port that this host opens: the controller's own, or with bridge.yaml the one that Docker publishes. Before .env is written the flag counts.
is_bridge() { [ "${opt_network:-}" = bridge ] || { [ -z "${opt_network:-}" ] && [[ $(env_get COMPOSE_FILE) == *bridge* ]]; }; }
port_setting() { if is_bridge; then echo PUBLISH_PORT; else echo LISTEN_ADDR; fi; }
host_port() {
    local port
    port="$(env_get "$(port_setting)")"
    port="${port##*:}"
    printf '%s\n' "${port:-4747}"
}

# In the kernel's own list of listening sockets; ours may have it.
check_port() {
    local port hex
    port="$(host_port)"
    hex="$(printf '%04X' "$port")"
    if ! awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null; then
        good "port $port/tcp is free"
    elif container_runs controller; then
        good "port $port/tcp is served by this node"
    else
        bad "port $port/tcp is taken by another program: stop it, or set $(port_setting) in .env (ss -ltnp | grep $port)"
    fi
}

# A hub's clients come by UDP. Ours may have it: then the interface is up.
check_hub_port() {
    local port hex
    [ "$(vpn_mode)" = hub ] || return 0
    port="${opt_vpn_listen_port:-$(sed -n 's/^ListenPort = //p' "$(vpn_state_file)" 2>/dev/null || true)}"
    port="${port:-51820}"
    hex="$(printf '%04X' "$port")"
    if vpn_is_up; then
        good "the overlay is up"
    elif awk -v port=":$hex" 'substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' /proc/net/udp /proc/net/udp6 2>/dev/null; then
        bad "port $port/udp is taken by another program: stop it, or choose another with --vpn-listen-port (ss -lunp | grep $port)"
    else
        good "port $port/udp is free for the overlay"
    fi
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
    local folder free_mb
    folder="$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)"
    [ -d "$folder" ] || folder="$root"
    free_mb="$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')"
    if [ "$free_mb" -ge "$build_disk_mb" ]; then
        good "$free_mb MB free in $folder"
    elif have_images; then
        hint "$free_mb MB free in $folder: enough to run, too little for the next build ($build_disk_mb MB)"
    else
        bad "$free_mb MB free in $folder, building needs $build_disk_mb: make room (docker system prune)"
    fi
}

check_memory() {
    local free_mb
    free_mb="$(awk '/^(MemAvailable|SwapFree):/ { sum += $2 } END { print int(sum / 1024) }' /proc/meminfo)"
    if [ "$free_mb" -ge "$build_memory_mb" ] || have_images; then
        good "$free_mb MB of memory and swap available"
    else
        hint "$free_mb MB of memory and swap, the build wants $build_memory_mb: add swap, or build elsewhere and copy (docker save | docker load)"
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
    local port
    port="$(host_port)"
    if command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then
        if is_bridge; then
            hint "ufw is active, and a port that Docker publishes is open all the same"
        elif ufw status | grep -Eq "^$port(/tcp)? +ALLOW"; then
            good "ufw lets $port/tcp in"
        else
            hint "ufw is active: let the other nodes in with \`ufw allow $port/tcp\`"
        fi
    else
        hint "see that a firewall, also your provider's, lets $port/tcp in"
    fi
}

check_host() {
    check_docker
    check_port
    check_hub_port
    check_clock
    check_disk
    check_memory
    check_apparmor
    check_firewall
}
