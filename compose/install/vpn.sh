# shellcheck shell=bash
# The WireGuard overlay: keys and a wg-quick file, made once; on the hub, its clients. Sourced by install.sh.
#
# state/wg belongs to root, and wg-quick is given a copy in /etc/wireguard: its PostUp lines are code that runs as root, so it never reads a
# file from a folder that the controller's uid could rename away. Clients are added to the copy alone: root does not write under state/ again.

readonly wireguard_dir="${WIREGUARD_DIR:-/etc/wireguard}"

vpn_mode() { printf '%s\n' "${opt_vpn_mode:-$(env_get VPN_MODE)}"; }
vpn_interface() {
    local name
    name="${opt_vpn_interface:-$(env_get VPN_INTERFACE_NAME)}"
    printf '%s\n' "${name:-wg0}"
}
has_overlay() { case "$(vpn_mode)" in hub | client) ;; *) return 1 ;; esac; }

# Before anything is written: whether the flags make an overlay. -> $vpn_cidr, $vpn_address
vpn_check() {
    local flag
    if ! has_overlay; then
        for flag in interface cidr address listen-port hub-endpoint hub-public-key allowed-ips preshared-key; do
            refuse_flag "$flag" "needs --vpn-mode hub or client"
        done
        return
    fi
    vpn_cidr="${opt_vpn_cidr:-$(env_get VPN_CIDR)}"
    vpn_cidr="${vpn_cidr:-10.42.0.0/24}"
    vpn_address="${opt_vpn_address:-$(env_get VPN_ADDRESS)}"
    vpn_address="${vpn_address%%/*}"
    if [ "$(vpn_mode)" = hub ]; then
        for flag in hub-endpoint hub-public-key allowed-ips; do refuse_flag "$flag" "is a client's: the hub has no hub"; done
        vpn_address="${vpn_address:-$(first_of "$vpn_cidr")}"
    else
        [ -n "$vpn_address" ] || die "--vpn-mode client needs --vpn-address: a free address in $vpn_cidr"
        [ -e "$(vpn_state_file)" ] || [ -n "$opt_vpn_hub_public_key" ] || die "--vpn-mode client needs --vpn-hub-public-key, which the hub's install printed"
        [ -e "$(vpn_state_file)" ] || [ -n "$opt_vpn_hub_endpoint" ] || die "--vpn-mode client needs --vpn-hub-endpoint HOST:PORT"
    fi
    is_inside "$vpn_address" "$vpn_cidr" || die "--vpn-address $vpn_address is no host's address in $vpn_cidr"
    vpn_check_made
}

# An overlay that is made stays as it is; flags that say otherwise are refused and not half obeyed.
vpn_check_made() {
    if [ ! -e "$(vpn_state_file)" ]; then
        ! has_network || die "state/ is a running node's, and root does not write there again: to give it an overlay, remove it and join anew"
        [ ! -e "$(vpn_quick)" ] || die "$(vpn_quick) is another overlay's: choose a name with --vpn-interface, for instance $(free_interface)"
        ! vpn_is_up || die "this host has an interface $(vpn_interface) already: choose a name with --vpn-interface, for instance $(free_interface)"
        local route
        ! route="$(route_within "$vpn_cidr")" || die "$vpn_cidr is in use on this host ($route): choose a network that is free on all servers of the overlay with --vpn-cidr, for instance $(free_cidr), which is free here"
        return
    fi
    local made
    made="$(sed -n 's/^Address = //p' "$(vpn_state_file)")"
    [ "$made" = "$vpn_address/${vpn_cidr##*/}" ] || die "$(vpn_state_file) is made with $made and is kept: leave --vpn-address and --vpn-cidr out, or remove the node and install anew"
}

free_interface() {
    local number=0
    while [ -e "/sys/class/net/wg$number" ] || [ -e "$wireguard_dir/wg$number.conf" ]; do number=$((number + 1)); done
    printf 'wg%s\n' "$number"
}

# route_within CIDR: the first of this host's own networks that has an address in common with it, or status 1. The kernel's list has addresses and
# masks as hexadecimal numbers of the host's byte order; a default route (mask 0) overlaps with everything and says nothing.
route_within() {
    local interface destination mask rest common
    while read -r interface destination _ _ _ _ _ mask rest; do
        [[ $destination =~ ^[0-9A-F]{8}$ && $mask =~ ^[0-9A-F]{8}$ && $mask != 00000000 ]] || continue
        destination="$(swapped "$destination")" mask="$(swapped "$mask")"
        common=$((mask & $(mask_of "${1#*/}")))
        if (((destination & common) == ($(number_of "${1%/*}") & common))); then
            printf '%s on %s\n' "$(dotted "$destination")" "$interface"
            return
        fi
    done < <(cat /proc/net/route 2>/dev/null)
    return 1
}
# amd64 and arm64 are little-endian.
swapped() { printf '%d\n' "0x${1:6:2}${1:4:2}${1:2:2}${1:0:2}"; }
free_cidr() {
    local second=43
    while route_within "10.$second.0.0/24" >/dev/null && [ "$second" -lt 255 ]; do second=$((second + 1)); done
    printf '10.%s.0.0/24\n' "$second"
}

# refuse_flag FLAG WHY
refuse_flag() {
    local name="opt_vpn_${1//-/_}"
    [ -z "${!name}" ] || die "--vpn-$1 $2"
}

vpn_state_file() { printf '%s/state/wg/%s.conf\n' "$root" "$(vpn_interface)"; }

# After .env and state/ are there, before anybody is joined: a client reaches its seed through the overlay.
vpn_setup() {
    local port
    if ! has_overlay; then
        env_set VPN_MODE "$opt_vpn_mode"
        return
    fi
    env_set VPN_MODE "$(vpn_mode)"
    env_set VPN_INTERFACE_NAME "$(vpn_interface)"
    env_set VPN_CIDR "$vpn_cidr"
    env_set VPN_ADDRESS "$vpn_address"
    port="$(env_get LISTEN_ADDR)"
    port="${port##*:}"
    [ -n "$(env_get PUBLIC_ADDR)" ] || env_set PUBLIC_ADDR "$vpn_address:${port:-4747}"
    if [ -e "$(vpn_state_file)" ]; then
        say "  $(vpn_state_file) is there; it is kept"
    else
        vpn_file
    fi
    vpn_copy
    vpn_next_steps
    [ -n "$opt_no_start" ] || vpn_up
}

vpn_file() {
    local file
    file="$(vpn_state_file)"
    vpn_keys
    (
        umask 077
        mkdir -p "$root/state/wg"
        {
            printf '# PublicKey = %s\n[Interface]\nPrivateKey = %s\nAddress = %s/%s\n' "$vpn_public" "$vpn_private" "$vpn_address" "${vpn_cidr##*/}"
            if [ "$(vpn_mode)" = hub ]; then vpn_hub_lines; else vpn_client_lines; fi
        } >"$file"
    )
    vpn_private=
    say "  $file (0600, root's)"
}

# The hub passes packets on between its clients. Docker's own rules forbid forwarding what they do not know.
vpn_hub_lines() {
    printf 'ListenPort = %s\n' "${opt_vpn_listen_port:-51820}"
    cat <<'LINES'
PostUp = grep -qx 1 /proc/sys/net/ipv4/ip_forward || sysctl -q -w net.ipv4.ip_forward=1
PostUp = ! command -v iptables >/dev/null || iptables -I FORWARD -i %i -o %i -j ACCEPT
PostDown = ! command -v iptables >/dev/null || iptables -D FORWARD -i %i -o %i -j ACCEPT
LINES
    # For `vpn-peer`: the key that the hub shares with all its clients.
    [ -z "$opt_vpn_preshared_key" ] || printf '# PresharedKey = %s\n' "$opt_vpn_preshared_key"
}

vpn_client_lines() {
    [ -z "$opt_vpn_listen_port" ] || printf 'ListenPort = %s\n' "$opt_vpn_listen_port"
    printf '\n[Peer]\nPublicKey = %s\nEndpoint = %s\nAllowedIPs = %s\nPersistentKeepalive = 25\n' \
        "$opt_vpn_hub_public_key" "$opt_vpn_hub_endpoint" "${opt_vpn_allowed_ips:-$(network_of "$vpn_cidr")}"
    [ -z "$opt_vpn_preshared_key" ] || printf 'PresharedKey = %s\n' "$opt_vpn_preshared_key"
}

vpn_copy() {
    local copy
    copy="$(vpn_quick)"
    [ ! -e "$copy" ] || return 0
    [ -d "$wireguard_dir" ] || install -d -m 0700 "$wireguard_dir"
    install -m 0600 "$(vpn_state_file)" "$copy"
    say "  $copy: its copy, which wg-quick reads"
}

vpn_quick() { printf '%s/%s.conf\n' "$wireguard_dir" "$(vpn_interface)"; }
vpn_is_up() { [ -e "/sys/class/net/$(vpn_interface)" ]; }

# By wg-quick, which takes the kernel's WireGuard, or where that is missing wireguard-go (WG_QUICK_USERSPACE_IMPLEMENTATION names another).
vpn_up() {
    local interface output
    interface="$(vpn_interface)"
    if vpn_is_up; then
        say "  $interface is up"
    elif ! command -v wg-quick >/dev/null; then
        say "  not brought up, there is no wg-quick: apt-get install --no-install-recommends wireguard-tools; wg-quick up $interface"
    elif output="$(wg-quick up "$(vpn_quick)" 2>&1)"; then
        say "  $interface is up; at each boot: systemctl enable wg-quick@$interface"
    else
        printf '%s\n' "$output" >&2
        die "$interface does not come up; a kernel without WireGuard needs wireguard-go (apt-get install --no-install-recommends wireguard-go)"
    fi
}

# -> $vpn_private, $vpn_public, by wireguard-tools or by openssl; neither puts a key into a process's arguments.
vpn_keys() {
    if command -v wg >/dev/null; then
        vpn_private="$(wg genkey)"
        vpn_public="$(printf '%s\n' "$vpn_private" | wg pubkey)"
    elif command -v openssl >/dev/null; then
        local pem
        pem="$(openssl genpkey -algorithm X25519)"
        vpn_private="$(printf '%s\n' "$pem" | openssl pkey -outform DER | tail -c 32 | base64)"
        vpn_public="$(printf '%s\n' "$pem" | openssl pkey -pubout -outform DER | tail -c 32 | base64)"
    else
        die "the overlay's keys need wireguard-tools (apt-get install --no-install-recommends wireguard-tools)"
    fi
}

# `vpn-peer KEY ADDRESS` or `vpn-peer KEY --remove`, on the hub: in wg-quick's file, and in the interface where it is up. A peer is always
# removed and added: userspace implementations are known to fall over an update in place.
vpn_peer() {
    local key="${1:-}" address="${2:-}" file interface
    [ $# -le 2 ] || refuse "vpn-peer takes KEY and ADDRESS, or KEY and --remove, and no ${*:3}"
    need_root
    [ "$(env_get VPN_MODE)" = hub ] || die "this node is not its overlay's hub"
    [[ $key =~ ^[A-Za-z0-9+/]{43}=$ ]] || die "vpn-peer KEY ADDRESS, or vpn-peer KEY --remove: KEY is the client's WireGuard public key"
    interface="$(vpn_interface)"
    file="$(vpn_quick)"
    [ -f "$file" ] || die "$file is missing: ./install.sh init makes it"
    if [ "$address" != --remove ]; then
        address="${address%/32}"
        is_inside "$address" "$(env_get VPN_CIDR)" || die "\"$address\" is no host's address in $(env_get VPN_CIDR)"
        [ "$address" != "$(env_get VPN_ADDRESS)" ] || die "$address is the hub's own"
        ! without_peer "$key" "$file" | grep -qxF "AllowedIPs = $address/32" || die "$address is another client's"
    fi
    (
        umask 077
        without_peer "$key" "$file" >"$file.new"
        [ "$address" = --remove ] || peer_lines "$key" "$address" "$file" >>"$file.new"
    )
    mv "$file.new" "$file"
    say "$file: $([ "$address" = --remove ] && echo "$key is removed" || echo "$key is $address")"
    vpn_is_up || return 0
    peer_now "$key" "$address" "$file" || warn "the running $interface does not know of it yet: wg-quick down $interface; wg-quick up $interface"
}

# peer_now KEY ADDRESS FILE: the same in the interface that is up.
peer_now() {
    command -v wg >/dev/null || return 1
    wg set "$(vpn_interface)" peer "$1" remove || return 1
    [ "$2" = --remove ] || wg addconf "$(vpn_interface)" <(peer_lines "$1" "$2" "$3")
}

# peer_lines KEY ADDRESS FILE
peer_lines() {
    local shared
    shared="$(sed -n 's/^# PresharedKey = //p' "$3")"
    printf '\n[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\n' "$1" "$2"
    [ -z "$shared" ] || printf 'PresharedKey = %s\n' "$shared"
}

# Sections are parted by empty lines.
without_peer() { awk -v line="PublicKey = $1" 'BEGIN { RS = ""; FS = "\n" } { drop = 0; for (i = 1; i <= NF; i++) if ($i == line) drop = 1 } !drop { print (n++ ? "\n" : "") $0 }' "$2"; }

vpn_next_steps() {
    local public interface
    interface="$(vpn_interface)"
    public="$(sed -n 's/^# PublicKey = //p' "$(vpn_state_file)")"
    say "  this node's WireGuard public key: $public"
    if [ "$(vpn_mode)" = hub ]; then
        say "  next: let $(sed -n 's/^ListenPort = //p' "$(vpn_state_file)")/udp in; for each client, with the key that its install prints: ./install.sh vpn-peer ITS_KEY ITS_ADDRESS"
    else
        say "  next, on the hub: ./install.sh vpn-peer $public $vpn_address"
    fi
}

# For `doctor`: the host's side of the overlay; the controller's own doctor looks at the interface's address.
check_overlay() {
    has_overlay || return 0
    local interface shakes met
    interface="$(vpn_interface)"
    [ -f "$(vpn_quick)" ] || bad "$(vpn_quick) is missing: cp -p $(vpn_state_file) $(vpn_quick)"
    if ! vpn_is_up; then
        bad "the overlay's interface $interface is not up: wg-quick up $interface (at each boot: systemctl enable wg-quick@$interface)"
        return
    fi
    command -v wg >/dev/null || { hint "$interface is up; without wireguard-tools nothing more is known of it"; return; }
    shakes="$(wg show "$interface" latest-handshakes 2>/dev/null)" || { hint "$interface is up; its peers are shown to root alone: sudo ./install.sh doctor"; return; }
    met="$(awk 'NF { all++ } $2 > 0 { met++ } END { print met + 0 " of " all + 0 }' <<<"$shakes")"
    case "$met" in
        "0 of 0") hint "$interface is up and has no peers: ./install.sh vpn-peer KEY ADDRESS for each client" ;;
        "0 of "*) bad "$interface is up and none of its peers was ever met: check the endpoint, its UDP port, and that the hub has this node's key" ;;
        *) good "$interface is up; $met peers were met" ;;
    esac
}

# For `remove --purge`: only what this install made.
vpn_remove() {
    has_overlay && [ -e "$(vpn_state_file)" ] && [ -e "$(vpn_quick)" ] || return 0
    [ "$(head -n 1 "$(vpn_quick)")" = "$(head -n 1 "$(vpn_state_file)")" ] || return 0
    if vpn_is_up && command -v wg-quick >/dev/null; then wg-quick down "$(vpn_quick)" || true; fi
    rm -f "$(vpn_quick)"
}

# IPv4 in numbers.
number_of() {
    local a b c d
    [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
    IFS=. read -r a b c d <<<"$1"
    ((10#$a <= 255 && 10#$b <= 255 && 10#$c <= 255 && 10#$d <= 255)) || return 1
    printf '%d\n' $(((10#$a << 24) | (10#$b << 16) | (10#$c << 8) | 10#$d))
}
dotted() { printf '%d.%d.%d.%d\n' $(($1 >> 24)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }
mask_of() { printf '%d\n' $((0xffffffff << (32 - $1) & 0xffffffff)); }
is_cidr() { [[ $1 == */* ]] && number_of "${1%/*}" >/dev/null && [[ ${1#*/} =~ ^[0-9]{1,2}$ ]] && ((10#${1#*/} >= 8 && 10#${1#*/} <= 30)); }
network_of() { printf '%s/%s\n' "$(dotted $(($(number_of "${1%/*}") & $(mask_of "${1#*/}"))))" "${1#*/}"; }
first_of() { dotted $((($(number_of "${1%/*}") & $(mask_of "${1#*/}")) + 1)); }

# is_inside ADDRESS CIDR: a host's address: neither the network's own nor the broadcast address.
is_inside() {
    local address mask
    address="$(number_of "$1")" || return 1
    mask="$(mask_of "${2#*/}")"
    (((address & mask) == ($(number_of "${2%/*}") & mask) && (address & ~mask & 0xffffffff) != 0 && (address | mask) != 0xffffffff))
}
