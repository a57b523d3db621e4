#!/usr/bin/env bats
# Every check reports, and says what to do, whatever its host lacks; the count is the last line. Run: bats tests/install
bats_require_minimum_version 1.5.0

load common

# What `doctor` looks at whether or not Docker is there.
every_check_reported() {
    for word in 'port 47471/tcp' clock 'MB free' memory AppArmor "lets 47471/tcp in" state/ 'compose files' 'the agent' 'the controller'; do
        [[ $output == *"$word"* ]] || { echo "no word of $word"; return 1; }
    done
    [[ $output != *": line "* && $output != *"command not found"* ]]
}

# failed COUNT: the status is 1, and the last line has the number of lines that are marked.
failed() {
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$(grep -c '^  FAIL  ' <<<"$output")" -eq "$1" ]
    [ "${lines[-1]}" = "$1 check(s) failed" ]
}

# A node that is well, before anything is taken away from it.
well() {
    need_root
    init >/dev/null
    run ./install.sh doctor
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "nothing is wrong" ]
    every_check_reported
}

@test "doctor without docker reports every check, and counts at the end" {
    well
    without docker
    run ./install.sh doctor
    failed 1
    every_check_reported
    [[ $output == *"FAIL  there is no docker here: install Docker Engine"* ]]
}

@test "doctor with a stopped engine reports every check, and compose is still looked at" {
    well
    echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >"$FAKE/silent"
    run ./install.sh doctor
    failed 1
    every_check_reported
    [[ $output == *"FAIL  no Docker engine answers: start it (systemctl start docker)"* ]]
    [[ $output == *"ok    Docker Compose 2.26.1"* ]]
    [[ $output == *"ok    compose files are valid"* ]]
}

@test "doctor with a stopped engine and without compose names both at once" {
    well
    echo "Cannot connect to the Docker daemon" >"$FAKE/silent"
    touch "$FAKE/no-compose"
    run ./install.sh doctor
    failed 2
    every_check_reported
    [[ $output == *"docker-compose-plugin"* ]]
}

@test "doctor without compose reports every check" {
    well
    touch "$FAKE/no-compose"
    run ./install.sh doctor
    failed 1
    every_check_reported
    [[ $output == *"ok    Docker engine"* ]]
}

@test "doctor with an engine that hangs says so after its patience" {
    well
    printf '#!/bin/sh\nexit 124\n' >"$FAKE/bin/timeout"
    chmod +x "$FAKE/bin/timeout"
    run ./install.sh doctor
    failed 1
    every_check_reported
    [[ $output == *"does not answer within 20 s"* ]]
}

@test "doctor without root reports every check, and says what root would see" {
    well
    echo "permission denied while trying to connect to the Docker daemon socket" >"$FAKE/silent"
    as_nobody ./install.sh doctor
    failed 2
    every_check_reported
    [[ $output == *"FAIL  this is not root"* ]]
    [[ $output == *"FAIL  this user may not speak to the Docker engine"* ]]
    # Root's folder is not taken for an empty one.
    [[ $output == *"state/ is closed to this user"* ]]
    [[ $output != *"belongs to no network"* ]]
}

@test "doctor without root on a host without docker and without a node" {
    need_root
    rm .env
    without docker
    as_nobody env PATH="$PATH" ./install.sh doctor
    # Without .env it is this machine's own port 4747 that is looked at, free or not.
    failed "$(grep -c '^  FAIL  ' <<<"$output")"
    [[ $output == *"FAIL  this is not root"* ]]
    [[ $output == *"FAIL  there is no docker here"* ]]
    [[ $output == *"no node is installed here"* ]]
}

@test "doctor without a time service's tool, a firewall's, and IPv6's list of sockets" {
    well
    without timedatectl ufw
    run ./install.sh doctor
    echo "$output"
    [ "$status" -eq 0 ]
    every_check_reported
    [[ $output == *"note  cannot tell whether the clock is synchronised"* ]]
}

@test "doctor with a setting that names no port goes on" {
    well
    for wrong in "[::]" "abc" "0.0.0.0:99999"; do
        printf "LISTEN_ADDR='%s'\n" "$wrong" >>.env
        run ./install.sh doctor
        failed 1
        [[ $output == *"FAIL  LISTEN_ADDR in .env ends with no port"* ]]
        [[ $output == *"the controller is healthy"* ]]
    done
}

@test "doctor names lines of .env that nobody reads, and none that Compose reads" {
    well
    printf 'COMPOSE_PROFILES=x\n# HEARTBEAT_INTERVALL=4\nHEARTBEAT_INTERVAL=4\nSAMPLE_EVERY_SEC=10\n' >>.env
    run ./install.sh doctor
    echo "$output"
    [ "$status" -eq 0 ]
    printf 'HEARTBEAT_INTERVALL=4\nMETRICS_ADDR=127.0.0.1:9\n' >>.env
    run ./install.sh doctor
    failed 1
    [[ $output == *"FAIL  .env sets what nobody reads: HEARTBEAT_INTERVALL METRICS_ADDR (docs/settings.md"* ]]
    # The operator's own compose file may read what it likes.
    printf "COMPOSE_FILE='compose/compose.yaml:mine.yaml'\n" >>.env
    printf 'x: ${HEARTBEAT_INTERVALL}\ny: ${METRICS_ADDR}\n' >mine.yaml
    run ./install.sh doctor
    [ "$status" -eq 0 ]
}

# Named after its making as an interface that is there, so that it counts as up.
hub_that_is_up() {
    init --vpn-mode hub --vpn-interface wgtest7 >/dev/null
    sed -i "s/wgtest7/lo/" .env
    mv state/wg/wgtest7.conf state/wg/lo.conf
    mv "$WIREGUARD_DIR/wgtest7.conf" "$WIREGUARD_DIR/lo.conf"
}

@test "doctor of an overlay whose tools are missing, or whose peers are root's to see" {
    need_root
    command -v wg >/dev/null || command -v openssl >/dev/null || skip "neither wireguard-tools nor openssl"
    hub_that_is_up
    without wg
    run ./install.sh doctor
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"note  lo is up; without wireguard-tools"* ]]
    printf '#!/bin/sh\necho "Unable to access interface: Operation not permitted" >&2\nexit 1\n' >"$FAKE/bin/wg"
    chmod +x "$FAKE/bin/wg"
    run ./install.sh doctor
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"note  lo is up; its peers are shown to root alone"* ]]
    printf '#!/bin/sh\nprintf "a\\t0\\nb\\t12\\n"\n' >"$FAKE/bin/wg"
    run ./install.sh doctor
    [[ $output == *"ok    lo is up; 1 of 2 peers were met"* ]]
    every_check_reported
}

# lacking_docker MARK VERB...: the verb says what is missing, and changes nothing. Of a node that is there, or of none.
lacking_docker() {
    local mark="$1" before
    shift
    before="$(find . -path ./state/wg -prune -o -print | sort; cat .env 2>/dev/null)"
    run "$@"
    echo "$* -> $output"
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  $mark"* ]]
    [[ ${lines[-1]} == "error: 1 check(s) failed; nothing was changed."* ]]
    [[ $output != *": line "* && $output != *"command not found"* ]]
    [ "$before" = "$(find . -path ./state/wg -prune -o -print | sort; cat .env 2>/dev/null)" ]
}

@test "init and join without docker, with a stopped engine, or without compose change nothing" {
    need_root
    printf '%s\n' "$token" >"$BATS_TEST_TMPDIR/token"
    init_it=(./install.sh init --owner @maria --bot-token-file "$BATS_TEST_TMPDIR/token" --server-name alpha)
    join_it=(./install.sh join --join "$link" --server-name beta)
    echo "Cannot connect to the Docker daemon" >"$FAKE/silent"
    lacking_docker "no Docker engine answers" "${init_it[@]}"
    lacking_docker "no Docker engine answers" "${join_it[@]}"
    rm "$FAKE/silent"
    touch "$FAKE/no-compose"
    lacking_docker "\`docker compose\` is missing" "${init_it[@]}"
    lacking_docker "\`docker compose\` is missing" "${join_it[@]}"
    rm "$FAKE/no-compose"
    without docker
    lacking_docker "there is no docker here" "${init_it[@]}"
    lacking_docker "there is no docker here" "${join_it[@]}"
}

@test "upgrade and remove without docker, with a stopped engine, or without compose change nothing" {
    need_root
    init >/dev/null
    verbs=(upgrade remove "remove --purge --yes")
    echo "Cannot connect to the Docker daemon" >"$FAKE/silent"
    # shellcheck disable=SC2086 # a verb and its flags
    for verb in "${verbs[@]}"; do lacking_docker "no Docker engine answers" ./install.sh $verb; done
    rm "$FAKE/silent"
    touch "$FAKE/no-compose"
    # shellcheck disable=SC2086
    for verb in "${verbs[@]}"; do lacking_docker "\`docker compose\` is missing" ./install.sh $verb; done
    without docker
    # shellcheck disable=SC2086
    for verb in "${verbs[@]}"; do lacking_docker "there is no docker here" ./install.sh $verb; done
}

@test "what only root may do is said before anything else, whatever is missing" {
    need_root
    for verb in init join upgrade remove "vpn-peer a b"; do
        # shellcheck disable=SC2086 # a verb and its arguments
        as_nobody ./install.sh $verb
        echo "$output"
        [ "$status" -eq 1 ]
        [[ $output == "error: run this as root (sudo ./install.sh"* ]]
    done
    [ ! -e state ]
    [ ! -e "$FAKE/calls" ]
}

@test "an overlay without a tool for its keys writes nothing" {
    need_root
    without wg openssl
    run init --vpn-mode hub
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  the overlay's keys need wireguard-tools"* ]]
    [ ! -e state ]
    [ "$(cat .env)" = "$(printf "LISTEN_ADDR='[::]:47471'\nPUBLISH_PORT='127.0.0.1:47472'")" ]
}

@test "vpn-peer says when the interface that is up does not know of the client" {
    need_root
    command -v wg >/dev/null || command -v openssl >/dev/null || skip "neither wireguard-tools nor openssl"
    hub_that_is_up
    without wg
    run ./install.sh vpn-peer xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= 10.42.0.2
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"warning: the running lo does not know of it yet: wg-quick down lo; wg-quick up lo"* ]]
    grep -qx 'AllowedIPs = 10.42.0.2/32' "$WIREGUARD_DIR/lo.conf"
}

@test "the demo without Rust, with a part of it, or without a linker says what to install and builds nothing" {
    for missing in cargo rustc cc "cargo rustc cc"; do
        (
            # shellcheck disable=SC2086 # names
            without $missing
            run ./install.sh demo
            echo "$output"
            [ "$status" -eq 1 ]
            [ "$(grep -c '^  FAIL  ' <<<"$output")" -eq "$(wc -w <<<"$missing")" ]
            [[ ${lines[-1]} == "error: $(wc -w <<<"$missing") check(s) failed; nothing was changed."* ]]
            [[ $output != *"command not found"* ]]
        )
        cp "$BATS_TEST_DIRNAME"/fake/* "$FAKE/bin/"
        rm -rf "$FAKE/tools"
    done
    [ ! -e "$FAKE/calls" ]
}

@test "the demo with rustup's proxies and no toolchain says so" {
    printf '#!/bin/sh\necho "error: rustup could not choose a version of rustc to run" >&2\nexit 1\n' >"$FAKE/bin/rustc"
    run ./install.sh demo
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  rustc does not tell its version"* ]]
    [ ! -e "$FAKE/calls" ]
}
