#!/usr/bin/env bats
# install.sh on hosts that are not as most are, and with links that came a long way. Run: bats tests/install
bats_require_minimum_version 1.5.0

load common

host_name() {
    printf '#!/bin/sh\nprintf "%%s\\n" "%s"\n' "$1" >"$FAKE/bin/hostname"
    chmod +x "$FAKE/bin/hostname"
}
init_unnamed() { ./install.sh init --owner @maria --bot-token - "$@" <<<"$token"; }

@test "a host's name that is a server's name is taken, underscores, dots and other scripts included" {
    need_root
    for name in web_1 db-2.example.net "сервер-3" 7 "$(printf 'a%.0s' $(seq 63))"; do
        host_name "$name"
        run init_unnamed
        [ "$status" -eq 0 ]
        grep -qxF "SERVER_NAME='$name'" .env
        rm -r state
        sed -i /SERVER_NAME/d .env
    done
}

@test "a host's name that is none is refused before anything is written, with one that is" {
    need_root
    check() {
        host_name "$1"
        run init_unnamed
        echo "$output"
        [ "$status" -eq 1 ]
        [[ $output == *"this host's name \"$1\" is no server's name"*"--server-name $2" ]]
        [ ! -e state ]
    }
    check "my server" my-server
    check "_internal" internal
    check "$(printf 'a%.0s' $(seq 64))" "$(printf 'a%.0s' $(seq 20))"
    check "-" server
    check "(none)" none
    run init_unnamed --server-name "my server"
    [ "$status" -eq 1 ]
    [[ $output == *'--server-name: 1 to 63 letters, digits, - _ and dots'* ]]
    # The way out that is named.
    run init_unnamed --server-name my-server
    [ "$status" -eq 0 ]
}

@test "at a terminal the name is asked for where the host's is none" {
    need_root
    host_name "my server"
    printf 'alpha\n@maria\n%s\n' "$token" >"$FAKE/answers"
    run python3 "$BATS_TEST_DIRNAME/terminal.py" "$FAKE/answers" ./install.sh init
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qx "SERVER_NAME='alpha'" .env
}

@test "without git and sudo, and with no home, nothing is missed" {
    need_root
    without git sudo
    run env -u HOME ./install.sh init --owner @maria --bot-token - --server-name alpha <<<"$token"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output != *"command not found"* && $output != *": line "* ]]
    as_nobody env PATH="$PATH" ./install.sh upgrade
    [[ $output == *"without sudo: su -c './install.sh ...'"* ]]
}

@test "a number of the node's users that a user of the host has is refused, with a free one" {
    need_root
    printf 'bob:x:10001:10001::/:/bin/sh\ncarol:x:10003:10003::/:/bin/sh\n' >"$FAKE/users"
    run init
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  uid 10001, which a node's files belong to, is the user bob of this host: give bob another number (usermod -u 10004 bob; 10004 is free)"* ]]
    [ ! -e state ]
    # The operator's own name for it is no stranger.
    printf 'constella:x:10001:10001::/:/bin/sh\n' >"$FAKE/users"
    run init
    [ "$status" -eq 0 ]
    [[ $output == *"ok    the users 10001 and 10002 are the node's alone"* ]]
}

# taken PORT: until the test ends.
taken() {
    python3 -c 'import socket, sys, time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); open(sys.argv[2], "w"); time.sleep(60)' "$1" "$FAKE/listening-$1" 3>&- &
    echo $! >>"$FAKE/listeners"
    for _ in $(seq 200); do [ ! -e "$FAKE/listening-$1" ] || break; sleep 0.05; done
}
teardown() { [ ! -e "$FAKE/listeners" ] || xargs kill <"$FAKE/listeners" || true; }

@test "where the port is taken a free one is named, and --port takes it" {
    need_root
    taken 47471
    taken 47472
    run init
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  port 47471/tcp is taken by another program: stop it, or set LISTEN_ADDR in .env or --port 47473, which is free"* ]]
    [ ! -e state ]
    run init --port 47473
    [ "$status" -eq 0 ]
    grep -qxF "LISTEN_ADDR='[::]:47473'" .env
    run init --port 0
    [ "$status" -eq 1 ]
    [[ $output == *"--port: a port, 1 to 65535"* ]]
    rm -r state
    run init --port 47474 --network bridge --public-addr 203.0.113.7:47474
    [ "$status" -eq 0 ]
    grep -qx "PUBLISH_PORT='47474'" .env
}

@test "containers of another folder under the same name are not taken over, and a free name is given" {
    need_root
    echo constella >"$FAKE/project-name"
    echo /srv/constella/compose >"$FAKE/project-folder"
    run init
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  the compose project constella is that of /srv/constella/compose: use that folder, or write COMPOSE_PROJECT_NAME='constella-2' into .env"* ]]
    [ ! -e state ]
    echo "COMPOSE_PROJECT_NAME='constella-2'" >>.env
    run init
    [ "$status" -eq 0 ]
    # Its own containers are nobody else's.
    sed -i /COMPOSE_PROJECT/d .env
    echo "$repo/compose" >"$FAKE/project-folder"
    run ./install.sh doctor
    [[ $output == *"ok    the containers' names (constella) are free"* ]]
}

# in_network SETUP: `run init ...` in a network namespace of its own; $setup makes it. unshare(1) and ip(8) are the real ones.
in_network() {
    unshare --net true 2>/dev/null || skip "no network namespaces here"
    command -v ip >/dev/null || skip "no ip(8) here"
    local setup="$1"
    shift
    run unshare --net sh -c "$setup; exec \"\$@\"" sh "$@"
    echo "$output"
}
init_words=(./install.sh init --owner @maria --bot-token-file token --server-name alpha)

@test "an overlay's network that the host routes already is refused, with a free one; so is its interface" {
    need_root
    command -v wg >/dev/null || command -v openssl >/dev/null || skip "neither wireguard-tools nor openssl"
    echo "$token" >token
    # As k3s has it.
    k3s='ip link set lo up; ip route add 10.42.0.0/16 dev lo; ip route add 10.43.0.0/16 dev lo'
    in_network "$k3s" "${init_words[@]}" --vpn-mode hub
    [ "$status" -eq 1 ]
    [[ $output == *"error: 10.42.0.0/24 is in use on this host (10.42.0.0 on lo)"*"--vpn-cidr, for instance 10.44.0.0/24, which is free here"* ]]
    [ ! -e state ]
    in_network "$k3s" "${init_words[@]}" --vpn-mode hub --vpn-cidr 10.44.0.0/24
    [ "$status" -eq 0 ]
    # Made is made: its own route is no stranger's.
    in_network "ip link set lo up; ip route add 10.44.0.0/24 dev lo" "${init_words[@]}"
    [ "$status" -eq 0 ]
    ./install.sh remove --purge --yes
    run "${init_words[@]}" --vpn-mode hub --vpn-interface lo
    [ "$status" -eq 1 ]
    [[ $output == *"this host has an interface lo already: choose a name with --vpn-interface, for instance wg"* ]]
    # A wider network of the host, and a narrower one, overlap too; a default route does not.
    in_network 'ip link set lo up; ip route add 10.0.0.0/8 dev lo' "${init_words[@]}" --vpn-mode hub --port 47471
    [[ $output == *"10.42.0.0/24 is in use on this host (10.0.0.0 on lo)"* ]]
    in_network 'ip link set lo up; ip route add 10.42.0.128/25 dev lo' "${init_words[@]}" --vpn-mode hub --port 47471
    [[ $output == *"10.42.0.0/24 is in use on this host (10.42.0.128 on lo)"* ]]
    in_network 'ip link set lo up; ip route add default dev lo' "${init_words[@]}" --vpn-mode hub --port 47471
    [ "$status" -eq 0 ]
}

@test "a host with IPv6 alone, or with bindv6only, founds and joins; a bridge's container is warned about" {
    need_root
    echo "$token" >token
    v6='ip link set lo up; ip -6 addr add 2001:db8::7/64 dev lo'
    in_network "$v6" "${init_words[@]}" --public-addr '[2001:db8::7]:4747'
    [ "$status" -eq 0 ]
    [[ $output != *"IPv4"* ]]
    grep -qxF "PUBLIC_ADDR='[2001:db8::7]:4747'" .env
    rm -r state
    printf '%s' "${link/203.0.113.7/[2001:db8::1]}" >link-file
    in_network "$v6; echo 1 >/proc/sys/net/ipv6/bindv6only" ./install.sh join --join-file link-file --server-name beta
    [ "$status" -eq 0 ]
    [ "$(cat "$FAKE/secret")" = "${link/203.0.113.7/[2001:db8::1]}" ]
    rm -r state
    in_network "$v6" "${init_words[@]}" --network bridge --public-addr '[2001:db8::7]:4747'
    [[ $output == *"note  this server has no way to IPv4"*"--network host needs nothing"* ]]
    # The place of a release may have IPv4 alone.
    printf '#!/bin/sh\nexit 6\n' >"$FAKE/bin/curl"
    chmod +x "$FAKE/bin/curl"
    in_network "$v6" "${init_words[@]}" --from https://releases.example/constella
    [ "$status" -eq 1 ]
    [[ $output == *"SHA256SUMS cannot be fetched (this server has no way to IPv4, and the place may have no IPv6 address)"*"copy its folder here and name that folder"* ]]
}

# joined_by TEXT: the link that the controller was given, whatever way the text came.
joined_by() {
    rm -rf state "$FAKE/secret" "$FAKE/running"
    run ./install.sh join --join - --server-name beta <<<"$1"
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    [ "$(cat "$FAKE/secret")" = "$link" ] || { echo "given: $1"; echo "taken: $(cat "$FAKE/secret")"; return 1; }
    [[ $output != *"$(digits c0de)"* ]]
}

# shellcheck disable=SC1111,SC2001 # a keyboard's quotes; sed at each line
@test "a link that was mangled on its way is mended, and joins" {
    need_root
    joined_by "$link"
    [[ $output != *mended* ]]
    for text in "${link//&/&amp;}" "${link//&/&amp;amp;}" "$link." "$link," "$link)." "  $link  " "“$link”" "«$link»" "'$link'" "\"$link\"" "\`$link\`" "<$link>" \
        "$(printf '%s\r' "$link")" "$(sed 's/&/\n\&/g' <<<"$link")" "$(fold -w 76 <<<"$link")" "$(sed 's/^/> /' <<<"$link")" \
        "${link//&/\\&}" "${link/join/Join}" "$(printf 'join\xe2\x80\x8b%s' "${link#join}")" "$(printf '\xc2\xa0%s\xc2\xa0' "$link")" \
        "${link//&/%26}" "$(sed 's/=/%3D/g; s/?/%3F/' <<<"$link")" "the link: $link"; do
        joined_by "$text"
    done
    [[ $output == *"the link was mended"* ]]
}

@test "a link with several seeds, and a key after it on standard input, keep their parts" {
    need_root
    link+="&seed=[2001:db8::1]:4747,$(digits 1a)&seed=198.51.100.9:4747,$(digits 2b)"
    joined_by "$(fold -w 60 <<<"${link//&/&amp;}").
"
    rm -r state
    shared=FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=
    printf '%s\n%s\n' "$(fold -w 70 <<<"$link")" "$shared" >"$FAKE/both"
    run ./install.sh join --join - --server-name beta --vpn-mode client --vpn-address 10.42.0.9 --vpn-hub-endpoint 203.0.113.7:51820 \
        --vpn-hub-public-key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= --vpn-preshared-key - <"$FAKE/both"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(cat "$FAKE/secret")" = "$link" ]
    grep -qx "PresharedKey = $shared" state/wg/wg0.conf
}

@test "a link that lost something is told apart from one that is spent, before anything is written" {
    need_root
    lost() {
        run ./install.sh join --join - --server-name beta <<<"$1"
        echo "$output"
        [ "$status" -eq 1 ]
        [[ $output == *"$2"* ]]
        [[ $output != *"$(digits c0de)"* ]]
        [ ! -e state ]
    }
    lost "${link%&fp=*}" "its end was lost on the way. It is not spent"
    lost "${link%????}" "the link's fp has 60 characters and not 64"
    lost "${link/c0de/CODE}" "the link's token has 64 characters and not 64 of 0-9 and a-f"
    lost "${link/net=aaaa/net=}" "the link's net has 60 characters and not 64"
    lost "${link%%&*}" "the link has no token"
    lost "hello" "that is not a join:// link"
    # The network's own word is the only one for a spent link.
    touch "$FAKE/controller-fails"
    run ./install.sh join --join - --server-name beta <<<"$link"
    [ "$status" -eq 1 ]
    [[ $output == *"this server did not join"* && $output != *"not spent: "* ]]
}

@test "at a terminal a link in several lines is one" {
    need_root
    printf '%s\n' "$(fold -w 60 <<<"$link" | paste -sd '\r')" >"$FAKE/answers"
    run timeout 60 python3 "$BATS_TEST_DIRNAME/terminal.py" "$FAKE/answers" ./install.sh join --server-name beta
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(cat "$FAKE/secret")" = "$link" ]
}

@test "the state of the older program in Python is recognised by every verb, and what to do is said" {
    need_root
    for made in '{"network_id": "x", "peers": []}' '{"format":1}'; do
        mkdir -p state
        printf '%s\n' "$made" >state/network_state.json
        [ "$made" = '{"format":1}' ] || touch state/node_key.pem
        before="$(find state -printf '%p %u %m %T@\n' | sort)"
        for verb in "init --owner @maria --bot-token $token --server-name alpha" "join --join $link --server-name alpha" upgrade; do
            # shellcheck disable=SC2086 # a verb and its flags
            run ./install.sh $verb
            echo "$output"
            [ "$status" -eq 1 ]
            [[ $output == *"state/ is of the older Constella in Python"*"mv state state.python"* ]]
        done
        run ./install.sh doctor
        [ "$status" -eq 1 ]
        [[ $output == *"FAIL  state/ is of the older Constella in Python"* ]]
        [ "$before" = "$(find state -printf '%p %u %m %T@\n' | sort)" ]
        rm -r state
    done
    [ ! -e "$FAKE/secret" ]
}
