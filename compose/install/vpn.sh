# shellcheck shell=bash
# The WireGuard overlay: keys and a wg-quick file, made once. Sourced by install.sh.
#
# state/wg belongs to root, and wg-quick is given a copy in /etc/wireguard: its PostUp lines are code that runs as root, so it never reads a
# file from a folder that the controller's uid could rename away.

vpn_setup() {
    local mode="${opt_vpn_mode:-$(env_get VPN_MODE)}"
    case "$mode" in '' | none) env_set VPN_MODE "$mode"; return ;; esac
    local interface cidr address
    interface="${opt_vpn_interface:-$(env_get VPN_INTERFACE_NAME)}"
    interface="${interface:-wg0}"
    cidr="${opt_vpn_cidr:-$(env_get VPN_CIDR)}"
    cidr="${cidr:-10.42.0.0/24}"
    address="${opt_vpn_address:-$(env_get VPN_ADDRESS)}"
    address="${address%%/*}"
    if [ -z "$address" ]; then
        [ "$mode" = hub ] || die "--vpn-mode client needs --vpn-address: a free address in $cidr"
        address="${cidr%.*}.1"
    fi
    env_set VPN_MODE "$mode"
    env_set VPN_INTERFACE_NAME "$interface"
    env_set VPN_ADDRESS "$address"
    [ -n "$(env_get PUBLIC_ADDR)" ] || env_set PUBLIC_ADDR "$address:4747"
    vpn_file "$mode" "$interface" "$cidr" "$address"
}

vpn_file() {
    local mode="$1" interface="$2" cidr="$3" address="$4" folder="$root/state/wg"
    vpn_path="$folder/$interface.conf"
    vpn_mode="$mode"
    if [ -e "$vpn_path" ]; then
        vpn_public="$(sed -n 's/^# PublicKey = //p' "$vpn_path")"
        say "  $vpn_path is there; it is kept"
        return
    fi
    ! has_network || die "state/ is a running node's, and root does not write there again: make $vpn_path by hand, or remove and join anew"
    [ "$mode" = hub ] || [ -n "$opt_vpn_hub_public_key" ] || die "--vpn-mode client needs --vpn-hub-public-key"
    [ "$mode" = hub ] || [ -n "$opt_vpn_hub_endpoint" ] || die "--vpn-mode client needs --vpn-hub-endpoint"
    vpn_keys
    (
        umask 077
        mkdir -p "$folder"
        {
            printf '# PublicKey = %s\n[Interface]\nPrivateKey = %s\nAddress = %s/%s\n' "$vpn_public" "$vpn_private" "$address" "${cidr##*/}"
            if [ "$mode" = hub ]; then
                printf 'ListenPort = %s\n' "${opt_vpn_listen_port:-51820}"
            else
                printf '\n[Peer]\nPublicKey = %s\nEndpoint = %s\nAllowedIPs = %s\nPersistentKeepalive = 25\n' \
                    "$opt_vpn_hub_public_key" "$opt_vpn_hub_endpoint" "${opt_vpn_allowed_ips:-$cidr}"
                [ -z "$opt_vpn_preshared_key" ] || printf 'PresharedKey = %s\n' "$opt_vpn_preshared_key"
            fi
        } >"$vpn_path"
    )
    vpn_private=
    say "  $vpn_path (0600, root's)"
    if [ -d /etc/wireguard ] && [ ! -e "/etc/wireguard/$interface.conf" ]; then
        install -m 0600 "$vpn_path" "/etc/wireguard/$interface.conf"
        say "  /etc/wireguard/$interface.conf: its copy, which wg-quick reads"
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

vpn_mode=''
vpn_next_steps() {
    [ -n "$vpn_mode" ] || return 0
    step "The overlay"
    say "  this node's WireGuard public key: $vpn_public"
    if [ "$vpn_mode" = hub ]; then
        say "  bring it up: wg-quick up $(env_get VPN_INTERFACE_NAME); for each client: wg set $(env_get VPN_INTERFACE_NAME) peer ITS_KEY allowed-ips ITS_ADDRESS/32"
        say "  and let $(sed -n 's/^ListenPort = //p' "$vpn_path")/udp in"
    else
        say "  on the hub: wg set wg0 peer $vpn_public allowed-ips $(env_get VPN_ADDRESS)/32"
        say "  then here: wg-quick up $(env_get VPN_INTERFACE_NAME)"
    fi
}
