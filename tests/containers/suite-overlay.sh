# shellcheck shell=bash
# The WireGuard overlay: a hub and two clients, each on a VPS with a network namespace of its own, installed by install.sh. The kernel's
# WireGuard where it is, else wireguard-go over /dev/net/tun. Sourced by run.sh.

# shellcheck source=tests/containers/vps.sh
. "$(dirname "${BASH_SOURCE[0]}")/vps.sh"

readonly overlay=10.44.16.0/20
declare -A address=([hub]=10.44.16.1 [east]=10.44.17.2 [west]=10.44.31.254)

# Debian's packages, unpacked: what wg-quick and its userspace need, without what they recommend.
packages() {
    local packages=(wireguard-tools wireguard-go iptables libip4tc2 libip6tc2 libxtables12 libmnl0 libnetfilter-conntrack3 libnfnetlink0 libnftnl11)
    mkdir "$suite_work/packages"
    (
        cd "$suite_work/packages" || exit
        apt-get -qq -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root download "${packages[@]}"
        for package in *.deb; do dpkg-deb -x "$package" root; done
    ) >/dev/null 2>&1
}

setup_suite() {
    [ -c /dev/net/tun ] || skip "there is no /dev/net/tun here: the overlay was not tried"
    packages || skip "wireguard-tools, wireguard-go and iptables are not to be had here: the overlay was not tried"
    host_image="$suite_id-host"
    printf 'FROM constella-test/host:bookworm\nCOPY root /packages\nRUN cp -a /packages/usr/. /usr/ && cp -a /packages/lib/. /usr/lib/ && rm -r /packages && ln -s xtables-nft-multi /usr/sbin/iptables\n' >"$suite_work/packages/Dockerfile"
    find_docker
    DOCKER_BUILDKIT=1 "$docker_client" build --quiet -t "$host_image" "$suite_work/packages" >/dev/null
    network_up
    local name
    for name in hub east west; do
        # As a Docker host is: it forwards, and drops what Docker does not know.
        vps "$name" --cap-add NET_ADMIN --device /dev/net/tun --sysctl net.ipv4.ip_forward=1
        docker exec "$suite_id-$name" iptables -P FORWARD DROP
        cloned "$name"
    done
    head -c 32 /dev/urandom | base64 >"$suite_work/preshared"
}
teardown_suite() {
    network_down
    docker image rm "$suite_id-host" >/dev/null 2>&1 || true
}

conf() { printf '%s/constella/state/wg/mesh.conf' "$(folder_of "$1")"; }
public_key() { sed -n "s/.*this node's WireGuard public key: //p" "$suite_work/$1.out" | sed -n 1p; }
has_key() { [ "$(public_key "$1" | wc -c)" -eq 45 ]; }
wireguard() { docker exec "$suite_id-$1" wg "${@:2}"; }

test_a_hub_is_installed_and_publishes_its_overlay_address() {
    { cat "$suite_work/token"; echo; cat "$suite_work/preshared"; } >"$suite_work/secrets"
    on hub ./install.sh init --yes --server-name hub --owner "@$owner_name" --bot-token - --vpn-mode hub --vpn-interface mesh \
        --vpn-cidr "$overlay" --vpn-listen-port 51999 --vpn-preshared-key - <"$suite_work/secrets" >"$suite_work/hub.out" 2>&1 || { cat "$suite_work/hub.out"; return 1; }
    has_key hub
    [ "$(stat -c '%a %u' "$(conf hub)")" = '600 0' ]
    [ "$(wireguard hub show mesh listen-port)" = 51999 ]
    [ "$(wireguard hub show mesh public-key)" = "$(public_key hub)" ]
    says "$(docker exec "$suite_id-hub" ip -4 addr show mesh)" "${address[hub]}/20"
    within 30 all_green hub
    [ "$(cli hub peers --json | jq -r '.[0].addr')" = "${address[hub]}:4747" ]
    claimed hub
    # Neither the private nor the shared key is printed.
    refute grep -qFf <(sed -n 's/^PrivateKey = //p' "$(conf hub)"; cat "$suite_work/preshared") "$suite_work/hub.out"
}

# The client prints its key and the next step before it joins, which then waits for the hub.
join_client() {
    local name="$1" link joining
    link="$(link_from hub)"
    { printf '%s\n' "$link"; cat "$suite_work/preshared"; } >"$suite_work/secrets"
    on "$name" ./install.sh join --yes --server-name "$name" --join - --vpn-mode client --vpn-interface mesh --vpn-cidr "$overlay" \
        --vpn-address "${address[$name]}" --vpn-hub-endpoint "hub.test:51999" --vpn-hub-public-key "$(public_key hub)" --vpn-preshared-key - \
        <"$suite_work/secrets" >"$suite_work/$name.out" 2>&1 &
    joining=$!
    within 60 has_key "$name"
    says "$(cat "$suite_work/$name.out")" "./install.sh vpn-peer $(public_key "$name") ${address[$name]}"
    on hub ./install.sh vpn-peer "$(public_key "$name")" "${address[$name]}"
    wait "$joining" || { cat "$suite_work/$name.out"; return 1; }
}

test_two_clients_join_through_the_hub_and_each_reaches_the_others() {
    local name other
    for name in east west; do
        docker exec "$suite_id-$name" sh -c "echo '$(address_of hub) hub.test' >>/etc/hosts"
        join_client "$name"
    done
    within 60 all_green hub east west
    for name in hub east west; do
        [ "$(cli hub peers --json | jq -r --arg name "$name" '.[] | select(.name == $name) | .addr')" = "${address[$name]}:4747" ]
        for other in hub east west; do
            [ "$name" = "$other" ] || says "$(cli "$name" rpc --addr "${address[$other]}:4747" GetPeers '{}')" node_id
        done
    done
    # Both ends have the shared key, or there would be no handshake.
    [ "$(wireguard hub show mesh preshared-keys | awk '{ print $2 }' | sort -u)" = "$(cat "$suite_work/preshared")" ]
    [ "$(wireguard hub show mesh latest-handshakes | awk '$2 > 0' | wc -l)" -eq 2 ]
    [ "$(wireguard east show mesh allowed-ips | awk '{ print $2 }')" = "$overlay" ]
}

test_the_overlay_survives_another_run_and_a_restart_of_wg_quick() {
    local before out
    before="$(sha256sum "$(conf hub)" "$(conf east)"; docker exec "$suite_id-hub" sha256sum /etc/wireguard/mesh.conf)"
    out="$(on hub ./install.sh init --yes --server-name hub 2>&1)"
    says "$out" 'it is kept'
    on east ./install.sh join --yes --server-name east >/dev/null 2>&1
    [ "$(sha256sum "$(conf hub)" "$(conf east)"; docker exec "$suite_id-hub" sha256sum /etc/wireguard/mesh.conf)" = "$before" ]
    # The file has the clients, not the interface alone: as after a reboot.
    docker exec "$suite_id-hub" wg-quick down mesh >/dev/null 2>&1
    docker exec "$suite_id-hub" wg-quick up mesh >/dev/null 2>&1
    # Clients notice after 15 s that the hub has forgotten their session.
    within "$patience" both_met
    within "$patience" serving hub east west
    says "$(on hub ./install.sh doctor 2>&1)" 'mesh is up; 2 of 2 peers were met'
    says "$(on hub ./install.sh doctor 2>&1)" "overlay: mesh has ${address[hub]}"
}

both_met() { [ "$(wireguard hub show mesh latest-handshakes | awk '$2 > 0' | wc -l)" -eq 2 ]; }

test_wrong_flags_are_refused_before_anything_changes() {
    local flags words before
    before="$(sha256sum "$(folder_of hub)/constella/.env" "$(conf hub)")"
    while IFS='|' read -r flags words; do
        # shellcheck disable=SC2086 # one flag a word
        says "$(on hub ./install.sh init --yes $flags 2>&1 || true)" "$words"
    done <<'TABLE'
--vpn-address 10.44.16.9|is made with 10.44.16.1/20 and is kept
--vpn-cidr 10.45.0.0/16|is no host's address in 10.45.0.0/16
--vpn-hub-endpoint hub.test:1|is a client's
--vpn-mode none --vpn-address 10.44.16.1|needs --vpn-mode hub or client
--vpn-listen-port 70000|1 to 65535
--vpn-cidr 10.42.0.0/33|/8 to /30
--vpn-cidr 10.420.0.0/24|/8 to /30
TABLE
    [ "$(sha256sum "$(folder_of hub)/constella/.env" "$(conf hub)")" = "$before" ]
    says "$(on hub ./install.sh vpn-peer "$(public_key west)" "${address[east]}" 2>&1 || true)" "another client's"
    says "$(on hub ./install.sh vpn-peer "$(public_key west)" 10.44.32.1 2>&1 || true)" "no host's address"
    says "$(on east ./install.sh vpn-peer "$(public_key west)" "${address[west]}" 2>&1 || true)" "not its overlay's hub"
}

test_a_client_that_is_removed_from_the_hub_is_cut_off() {
    on hub ./install.sh vpn-peer "$(public_key west)" --remove >/dev/null
    refute docker exec "$suite_id-hub" grep -qF "$(public_key west)" /etc/wireguard/mesh.conf
    refute grep -qF "$(public_key west)" <(wireguard hub show mesh peers)
    within "$patience" is_down west
    on hub ./install.sh vpn-peer "$(public_key west)" "${address[west]}" >/dev/null
    within "$patience" all_green hub east west
}
is_down() { cli hub peers --json | jq -e --arg name "$1" '.[] | select(.name == $name) | .status == "down"' >/dev/null; }

test_purge_takes_the_overlay_down() {
    on west ./install.sh remove --purge --yes >/dev/null 2>&1
    refute docker exec "$suite_id-west" test -e /etc/wireguard/mesh.conf
    refute docker exec "$suite_id-west" test -e /sys/class/net/mesh
}
