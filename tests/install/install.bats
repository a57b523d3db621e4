#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# install.sh against a docker that writes down what it is asked. Run: bats tests/install

load common

# Nowhere but in the one file that was mounted: no argument, no output, no file that stays.
secret_is_nowhere() {
    refute grep -qF "$1" "$FAKE/calls"
    [[ $output != *"$1"* ]]
    refute grep -rqF "$1" "$repo"
    [ -z "$(find /tmp -maxdepth 1 -name 'constella.*' -newer "$FAKE/engine")" ]
}

@test "help names every verb, and no verb is help" {
    run ./install.sh
    [ "$status" -eq 0 ]
    for verb in init join demo upgrade remove doctor; do [[ $output == *"$verb"* ]]; done
}

@test "whoever asks for help gets help, and nothing is started, asked or written" {
    before="$(find . | sort; cat .env)"
    for verb in init join demo upgrade remove doctor vpn-peer; do
        for words in "$verb --help" "$verb -h" "$verb --yes --help"; do
            # shellcheck disable=SC2086
            run --separate-stderr ./install.sh $words
            [ "$status" -eq 0 ]
            [[ $output == "Usage: "*"$verb"* ]]
            [ -z "$stderr" ]
        done
    done
    [ "$before" = "$(find . | sort; cat .env)" ]
    [ ! -e "$FAKE/calls" ]
}

@test "an unknown verb, an unknown flag and a flag of another verb are refused" {
    for wrong in frobnicate "frobnicate --help" "init --frobnicate" "join --owner @maria" "doctor now" "upgrade --purge" "demo --frobnicate" "demo --port" "vpn-peer a b c"; do
        # shellcheck disable=SC2086
        run --separate-stderr ./install.sh $wrong
        [ "$status" -eq 2 ]
        [[ $stderr == *"error: "* ]]
        [ -z "$output" ]
    done
    run ./install.sh init --frobnicate
    [[ $output == *"init knows no --frobnicate"* ]]
    [ ! -e state ]
    [ ! -e "$FAKE/calls" ]
}

@test "a bad value is refused by name before anything is written" {
    for pair in "--priority x" "--public-addr a/b" "--owner 1x" "--network vlan" "--vpn-mode mesh" "--vpn-cidr x" "--vpn-hub-public-key short"; do
        # shellcheck disable=SC2086
        run ./install.sh init $pair
        [ "$status" -eq 1 ]
        [[ $output == *"${pair%% *}"* ]]
    done
    run ./install.sh init --server-name 'a$(reboot)'
    [ "$status" -eq 1 ]
    [ ! -e state ]
    [ ! -e "$FAKE/calls" ]
}

@test "a bad token is refused without being repeated" {
    run ./install.sh init --owner @maria --bot-token - <<<"123:tooshort"
    [ "$status" -eq 1 ]
    [[ $output == *BotFather* ]]
    [[ $output != *tooshort* ]]
}

@test "a lasting secret on the command line is warned about, and not repeated" {
    local key='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa='
    for pair in "--bot-token $token" "--vpn-preshared-key $key"; do
        # shellcheck disable=SC2086 # a flag and its value
        run ./install.sh init $pair --priority x
        [ "$status" -eq 1 ]
        [[ $output == *"warning: ${pair% *} on the command line stays in the shell's history"* ]]
        [[ $output != *"${pair#* }"* ]]
    done
    # A link is used up by the time that somebody finds it.
    run ./install.sh join --join "$link" --priority x
    [[ $output != *warning* ]]
}

@test "a link without fp, or cut by the shell at its first &, is refused" {
    run ./install.sh join --join "join://203.0.113.7:4747?net=abc&token=t"
    [ "$status" -eq 1 ]
    [[ $output == *"ask for a new link"* ]]
    run ./install.sh join --join "join://203.0.113.7:4747?net=abc"
    [ "$status" -eq 1 ]
    [[ $output == *"unquoted"* ]]
}

@test "without a terminal a missing flag is an error that names it" {
    need_root
    run ./install.sh init --server-name alpha </dev/null
    [ "$status" -eq 1 ]
    [[ $output == *--owner* ]]
    run ./install.sh join --server-name alpha </dev/null
    [ "$status" -eq 1 ]
    [[ $output == *--join* ]]
    [ ! -e state ]
}

@test "at a terminal what is missing is asked for, and the token is not shown" {
    need_root
    printf 'alpha\n@maria\n%s\n' "$token" >"$FAKE/answers"
    run python3 "$BATS_TEST_DIRNAME/terminal.py" "$FAKE/answers" ./install.sh init
    [ "$status" -eq 0 ]
    [[ $output == *"Your Telegram username"* ]]
    [ "$(cat "$FAKE/secret")" = "$token" ]
    rm "$FAKE/secret" "$FAKE/answers"
    secret_is_nowhere "$token"
    grep -q -- '--owner maria .*--server-name alpha' "$FAKE/calls"
    # Asked for once: there is a network now.
    printf 'alpha\n' >"$FAKE/answers"
    run python3 "$BATS_TEST_DIRNAME/terminal.py" "$FAKE/answers" ./install.sh init
    [ "$status" -eq 0 ]
    [[ $output != *username* ]]
}

@test "init founds the network, and the token is in no argument, output or file" {
    need_root
    run init
    [ "$status" -eq 0 ]
    [[ $output == *"https://t.me/somebot?start=code"* ]]
    [ "$(cat "$FAKE/secret")" = "$token" ]
    [ "$(cat "$FAKE/secret-mode")" = "600 10001:10001" ]
    [ "$(stat -c '%a %u:%g' state)" = "700 10001:10001" ]
    rm "$FAKE/secret"
    secret_is_nowhere "$token"
    grep -q "^COMPOSE_FILE='compose/compose.yaml'" .env
    grep -q 'run --rm --no-deps --service-ports -T .* init --owner maria --bot-token-file /run/install/bot-token --state-dir /state --server-name alpha' "$FAKE/calls"
}

@test "the token can come from a file" {
    need_root
    printf '%s\n' "$token" >"$BATS_TEST_TMPDIR/token"
    run ./install.sh init --owner maria --bot-token-file "$BATS_TEST_TMPDIR/token" --server-name alpha --priority 10 --public-addr 203.0.113.7:4747 --no-share-token </dev/null
    [ "$status" -eq 0 ]
    grep -q -- '--public-addr 203.0.113.7:4747 --priority 10 --no-share-token' "$FAKE/calls"
}

@test "join hands the link over in a file too" {
    need_root
    run ./install.sh join --join "$link" --server-name beta </dev/null
    [ "$status" -eq 0 ]
    [ "$(cat "$FAKE/secret")" = "$link" ]
    [ "$(cat "$FAKE/secret-mode")" = "600 10001:10001" ]
    rm "$FAKE/secret"
    secret_is_nowhere c0dec0de
}

# The invitation's message as the renderer's own test recorded it, as a phone copies it.
@test "the block of an invitation is pasted as it is, and its link stays out of ps and of the shell's history" {
    need_root
    for language in en ru; do
        recorded_block "invite.$language" >"$BATS_TEST_TMPDIR/block"
        run python3 "$BATS_TEST_DIRNAME/paste.py" "$BATS_TEST_TMPDIR/block" "$BATS_TEST_TMPDIR/history"
        echo "$output"
        [[ $output == *"== This node runs"* ]]
        [ "$(cat "$FAKE/secret")" = "$link" ]
        # The history is kept, and has what was typed after the block.
        grep -q 'pasted' "$BATS_TEST_TMPDIR/history"
        refute grep -qE 'c0dec0de|join://' "$BATS_TEST_TMPDIR/history"
        refute grep -qE 'c0dec0de|join://' "$FAKE/calls"
        rm -rf "$FAKE/secret" state "$FAKE/running" "$BATS_TEST_TMPDIR/history"
    done
}

@test "running it again changes nothing" {
    need_root
    init
    before="$(cat .env; find state -printf '%p %m %u %T@\n' | sort)"
    : >"$FAKE/calls"
    run init
    [ "$status" -eq 0 ]
    [[ $output == *"kept as it is"* ]]
    [ "$before" = "$(cat .env; find state -printf '%p %m %u %T@\n' | sort)" ]
    refute grep -q 'compose run' "$FAKE/calls"
    refute grep -q '^build ' "$FAKE/calls"
}

@test "a refused init leaves no network and no secret, and can be repeated" {
    need_root
    touch "$FAKE/controller-fails"
    run init
    [ "$status" -eq 1 ]
    [[ $output == *"Telegram refuses this token"* ]]
    [ ! -e state/network_state.json ]
    rm "$FAKE/secret"
    secret_is_nowhere "$token"
    [ ! -e "$FAKE/running" ]
    rm "$FAKE/controller-fails"
    init
    [ -e state/network_state.json ]
}

@test "a state folder of somebody else is not taken" {
    need_root
    mkdir state
    run init
    [ "$status" -eq 1 ]
    [[ $output == *"belongs to uid 0"* ]]
}

@test "the agent is built once for its version, and reused" {
    need_root
    init
    [ "$(grep -c '^build ' "$FAKE/calls")" -eq 1 ]
    grep -q '^build .*--target agent' "$FAKE/calls"
    run ./install.sh upgrade --yes
    [ "$status" -eq 0 ]
    [ "$(grep -c '^build ' "$FAKE/calls")" -eq 1 ]
}

@test "upgrade builds first, stops gracefully, then starts" {
    need_root
    init
    : >"$FAKE/calls"
    run ./install.sh upgrade
    [ "$status" -eq 0 ]
    order="$(grep -oE '^compose (build|stop|up)' "$FAKE/calls" | tr '\n' ' ')"
    [ "$order" = "compose build compose stop compose up " ]
}

@test "upgrade of nothing says so" {
    need_root
    rm .env
    run ./install.sh upgrade
    [ "$status" -eq 1 ]
    [[ $output == *"no node here"* ]]
}

@test "remove keeps the state; purge asks, and without a terminal wants --yes" {
    need_root
    init
    run ./install.sh remove
    [ "$status" -eq 0 ]
    [ -e state/network_state.json ]
    [ ! -e "$FAKE/running" ]
    run ./install.sh remove --purge </dev/null
    [ "$status" -eq 1 ]
    [ -e state/network_state.json ]
    run ./install.sh remove --purge --yes
    [ "$status" -eq 0 ]
    [ ! -e state ]
    [ ! -e .env ]
}

@test "bridge needs the public address, and is written as a second compose file" {
    need_root
    run init --network bridge
    [ "$status" -eq 1 ]
    [[ $output == *--public-addr* ]]
    run init --network bridge --public-addr 203.0.113.7
    [ "$status" -eq 0 ]
    grep -qx "COMPOSE_FILE='compose/compose.yaml:compose/bridge.yaml'" .env
}

@test "an old engine or a missing compose stops before anything is written" {
    need_root
    echo 19.3.15 >"$FAKE/engine"
    run init
    [ "$status" -eq 1 ]
    [[ $output == *"older than 20.10.10"* ]]
    echo 28.0.1 >"$FAKE/engine"
    touch "$FAKE/no-compose"
    run init
    [ "$status" -eq 1 ]
    [[ $output == *docker-compose-plugin* ]]
    [ ! -e state ]
}

# taken PORT COMMAND...: runs it while another program listens there.
taken() {
    local port="$1" listener
    shift
    python3 -c 'import socket, sys, time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(); open(sys.argv[2], "w"); time.sleep(60)' "$port" "$FAKE/listening-$port" 3>&- &
    listener=$!
    for _ in $(seq 200); do [ ! -e "$FAKE/listening-$port" ] || break; sleep 0.05; done
    run "$@"
    kill "$listener"
}

@test "a port that another program has stops it, by number" {
    need_root
    taken 47471 init
    [ "$status" -eq 1 ]
    [[ $output == *"port 47471/tcp is taken by another program: stop it, or set LISTEN_ADDR in .env"* ]]
    [ ! -e state ]
}

@test "with bridge it is the published port that counts" {
    need_root
    taken 47472 init --network bridge --public-addr 203.0.113.7
    [ "$status" -eq 1 ]
    [[ $output == *"port 47472/tcp is taken by another program: stop it, or set PUBLISH_PORT in .env"* ]]
    [ ! -e state ]
    taken 47471 init --network bridge --public-addr 203.0.113.7
    [ "$status" -eq 0 ]
    [[ $output == *"port 47472/tcp is free"* ]]
}

@test "a hub's port that another program has stops it, by number" {
    need_root
    python3 -c 'import socket, sys, time; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 47473)); open(sys.argv[1], "w"); time.sleep(60)' "$FAKE/listening-udp" 3>&- &
    local listener=$!
    for _ in $(seq 200); do [ ! -e "$FAKE/listening-udp" ] || break; sleep 0.05; done
    run init --vpn-mode hub --vpn-listen-port 47473 --public-addr 203.0.113.7
    kill "$listener"
    [ "$status" -eq 1 ]
    [[ $output == *"port 47473/udp is taken by another program: stop it, or choose another with --vpn-listen-port"* ]]
    [ ! -e state ]
    run init --vpn-mode hub --vpn-listen-port 47474 --public-addr 203.0.113.7
    [[ $output == *"port 47474/udp is free for the overlay"* ]]
}

@test "a clock that is not synchronised stops it; ufw is told about" {
    need_root
    printf '#!/bin/sh\necho no\n' >"$FAKE/bin/timedatectl"
    printf '#!/bin/sh\necho Status: active\n' >"$FAKE/bin/ufw"
    run init
    [ "$status" -eq 1 ]
    [[ $output == *"timedatectl set-ntp true"* ]]
    [[ $output == *"ufw allow 47471/tcp"* ]]
}

has_keys() { command -v wg >/dev/null || command -v openssl >/dev/null || skip "neither wireguard-tools nor openssl"; }
hub() { init --vpn-mode hub --vpn-cidr 10.42.16.0/20 --vpn-interface wgtest7 "$@"; }
client_key=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
other_key=TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
shared_key=FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=

@test "hub and client get a WireGuard file that only root reads, and publish the overlay's address" {
    need_root
    has_keys
    run hub
    [ "$status" -eq 0 ]
    conf=state/wg/wgtest7.conf
    [ "$(stat -c '%a %u' "$conf")" = "600 0" ]
    [ "$(stat -c '%a' "$WIREGUARD_DIR/wgtest7.conf")" = 600 ]
    private="$(sed -n 's/^PrivateKey = //p' "$conf")"
    public="$(sed -n 's/^# PublicKey = //p' "$conf")"
    [ "${#private}" -eq 44 ]
    [ "${#public}" -eq 44 ]
    [[ $output == *"$public"* ]]
    [[ $output != *"$private"* ]]
    grep -qx 'Address = 10.42.16.1/20' "$conf"
    # The port is the one that the controller listens on.
    grep -qx "PUBLIC_ADDR='10.42.16.1:47471'" .env
    grep -qx "wg-quick up $WIREGUARD_DIR/wgtest7.conf" "$FAKE/calls"
}

@test "a client's file leads to the hub, and the next step is said before the join" {
    need_root
    has_keys
    run ./install.sh join --join "$link" --server-name beta --vpn-mode client --vpn-cidr 10.42.16.0/20 --vpn-address 10.42.17.9 \
        --vpn-hub-endpoint '[2001:db8::1]:51999' --vpn-hub-public-key "$client_key" --vpn-preshared-key - <<<"$shared_key"
    [ "$status" -eq 0 ]
    [[ $output != *"$shared_key"* ]]
    [[ ${output%%== Joining*} == *"./install.sh vpn-peer $(sed -n 's/^# PublicKey = //p' state/wg/wg0.conf) 10.42.17.9"* ]]
    for line in 'Address = 10.42.17.9/20' "PublicKey = $client_key" 'Endpoint = [2001:db8::1]:51999' 'AllowedIPs = 10.42.16.0/20' "PresharedKey = $shared_key"; do
        grep -qxF "$line" state/wg/wg0.conf
    done
}

@test "clients are let in and out of the hub's file, with the shared key, each address once" {
    need_root
    has_keys
    { printf '%s\n%s\n' "$token" "$shared_key"; } >"$FAKE/secrets"
    run ./install.sh init --owner @maria --bot-token - --server-name alpha --vpn-mode hub --vpn-preshared-key - <"$FAKE/secrets"
    [ "$status" -eq 0 ]
    [[ $output != *"$shared_key"* ]]
    file="$WIREGUARD_DIR/wg0.conf"
    made="$(cat "$file")"
    ./install.sh vpn-peer "$client_key" 10.42.0.2
    ./install.sh vpn-peer "$other_key" 10.42.0.3/32
    [ "$(grep -c '^PresharedKey = ' "$file")" -eq 2 ]
    grep -qx 'AllowedIPs = 10.42.0.3/32' "$file"
    # Again, and with another address: it moves, nothing is there twice.
    ./install.sh vpn-peer "$client_key" 10.42.0.2
    ./install.sh vpn-peer "$client_key" 10.42.0.4
    [ "$(grep -c '^\[Peer\]$' "$file")" -eq 2 ]
    refute grep -qx 'AllowedIPs = 10.42.0.2/32' "$file"
    for wrong in "$client_key 10.42.0.3" "$client_key 10.42.0.1" "$client_key 10.42.1.2" "$client_key 10.42.0.255" "$client_key" "short 10.42.0.9"; do
        # shellcheck disable=SC2086
        run ./install.sh vpn-peer $wrong
        [ "$status" -eq 1 ]
    done
    [ "$(stat -c '%a' "$file")" = 600 ]
    ./install.sh vpn-peer "$client_key" --remove
    ./install.sh vpn-peer "$other_key" --remove
    [ "$(cat "$file")" = "$made" ]
    # Under state/, root writes once.
    refute grep -q Peer state/wg/wg0.conf
}

@test "an overlay that is made is kept, and flags that say otherwise are refused" {
    need_root
    has_keys
    hub
    before="$(cat .env state/wg/wgtest7.conf)"
    run init
    [ "$status" -eq 0 ]
    for wrong in "--vpn-address 10.42.16.9" "--vpn-cidr 10.43.0.0/16" "--vpn-hub-endpoint a:1" "--vpn-allowed-ips 10.0.0.0/8"; do
        # shellcheck disable=SC2086
        run init $wrong
        [ "$status" -eq 1 ]
        [[ $output == *--vpn-* || $output == *"is kept"* ]]
    done
    [ "$before" = "$(cat .env state/wg/wgtest7.conf)" ]
    run ./install.sh remove --purge --yes
    [ ! -e "$WIREGUARD_DIR/wgtest7.conf" ]
}

@test "overlay flags without an overlay, and values that fit no network, are refused before anything is written" {
    need_root
    rm .env
    for wrong in "--vpn-cidr 10.42.0.0/24" "--vpn-preshared-key $shared_key" "--vpn-mode hub --vpn-cidr 10.42.0.0/33" "--vpn-mode hub --vpn-cidr 10.300.0.0/24" \
        "--vpn-mode hub --vpn-address 10.42.0.0" "--vpn-mode hub --vpn-address 10.42.0.255" "--vpn-mode hub --vpn-address 10.43.0.1" "--vpn-mode hub --vpn-listen-port 0" \
        "--vpn-mode hub --vpn-hub-public-key $client_key"; do
        # shellcheck disable=SC2086
        run init $wrong
        [ "$status" -eq 1 ]
        [[ $output == *--vpn-* ]]
    done
    [ ! -e .env ]
    [ ! -e state ]
    mkdir -p "$WIREGUARD_DIR"
    touch "$WIREGUARD_DIR/wg0.conf"
    run init --vpn-mode hub
    [ "$status" -eq 1 ]
    [[ $output == *"another overlay's"* ]]
}

@test "a client without the hub's key or an address is refused by name" {
    need_root
    run ./install.sh join --join "$link" --server-name beta --vpn-mode client </dev/null
    [ "$status" -eq 1 ]
    [[ $output == *--vpn-address* ]]
    run ./install.sh join --join "$link" --server-name beta --vpn-mode client --vpn-address 10.42.0.2 </dev/null
    [ "$status" -eq 1 ]
    [[ $output == *--vpn-hub-public-key* ]]
}

@test "doctor sees a state folder of the wrong owner or open to others" {
    need_root
    init
    run ./install.sh doctor
    [[ $output == *"ok    state/ belongs to a network, to uid 10001"* ]]
    chmod 0755 state
    run ./install.sh doctor
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  state/ has owner and mode 10001 755"* ]]
    chmod 0700 state
    chown 0 state
    run ./install.sh doctor
    [ "$status" -eq 1 ]
    [[ $output == *"chown 10001:10001 state"* ]]
}

@test "doctor finds what is wrong, says what to do, and fails" {
    run ./install.sh doctor
    [ "$status" -eq 1 ]
    [[ $output == *"belongs to no network"* ]]
    touch "$FAKE/no-compose"
    run ./install.sh doctor
    [ "$status" -eq 1 ]
    [[ $output == *docker-compose-plugin* ]]
}

@test "the demo builds with cargo's progress, passes its flags on, and needs a new enough Rust" {
    run ./install.sh demo --script
    [ "$status" -eq 0 ]
    grep -q '^build --locked' "$FAKE/calls"
    grep -q '^run -q --locked -p constella-tests --bin demo -- --script' "$FAKE/calls"
    refute grep -q '^build.* -q' "$FAKE/calls"
    FAKE_RUSTC=1.84.0 run ./install.sh demo
    [ "$status" -eq 1 ]
    [[ $output == *"rustup update"* ]]
}

@test "Ctrl-C reaches the demo, which cleans up" {
    touch "$FAKE/demo-waits"
    ./install.sh demo 3>&- &
    demo=$!
    for _ in $(seq 200); do [ ! -e "$FAKE/demo-up" ] || break; sleep 0.05; done
    kill -TERM "$demo"
    wait "$demo"
    [ -e "$FAKE/cleaned" ]
}
