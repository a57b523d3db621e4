# shellcheck shell=bash
# A release on small servers: containers with one CPU, 512 MB and a Docker engine of their own, so that all that an install takes is inside of the
# limits and `pid: host` is the server's own. Sourced by run.sh; the claims are one story and run in their order.

# shellcheck source=tests/containers/vps.sh
. "$(dirname "${BASH_SOURCE[0]}")/vps.sh"

setup_suite() {
    "$here/images.sh" server || skip "no server with an engine of its own could be made here"
    command -v minisign >/dev/null || skip "minisign signs the release"
    telegram_up
    release_up
    local name
    for name in alpha beta gamma; do server "$name"; done
}
teardown_suite() {
    [ ! -e "$suite_work/http-pid" ] || kill "$(cat "$suite_work/http-pid")" || true
    network_down
}

# The programs of the images under test as a release, with a key of this run, published over HTTP on the suite's network.
release_up() {
    local program id files gateway
    for program in agent controller; do
        files="$suite_work/built/$(uname -m)-unknown-linux-gnu/constella-$program"
        mkdir -p "$files"
        id="$(docker create "constella-$program:test")"
        docker cp "$id:/constella-$program" "$files/"
        docker cp "$id:/sbom.spdx" "$files/"
        docker rm "$id" >/dev/null
    done
    minisign -G -W -p "$suite_work/key.pub" -s "$suite_work/key" >/dev/null
    mkdir "$suite_work/origin"
    tar -C "$root" --exclude=./target --exclude=./.git --exclude=./state --exclude=./.env -cf - . | tar -C "$suite_work/origin" -xf -
    sed -i "s|^readonly release_key=.*|readonly release_key=$(tail -n 1 "$suite_work/key.pub")|" "$suite_work/origin/compose/get.sh"
    git -C "$suite_work/origin" init -q -b main
    commit 'The sources under test'
    "$suite_work/origin/release/build.sh" --built "$suite_work/built" "$suite_work/release"
    CONSTELLA_SIGNING_KEY="$suite_work/key" "$suite_work/origin/release/sign.sh" "$suite_work/release"
    gateway="$(docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' "$suite_id" | sed 's|\.0/.*|.1|')"
    python3 -m http.server --bind "$gateway" --directory "$suite_work/release" 8099 >"$suite_work/http.log" 2>&1 &
    echo $! >"$suite_work/http-pid"
    echo "http://$gateway:8099" >"$suite_work/url"
    within 20 curl -fs -o /dev/null "$(cat "$suite_work/url")/SHA256SUMS"
}

# server NAME: its engine needs the control groups of its own container, and no bridge: a node is on the server's network.
server() {
    local name="$1"
    docker run -d --name "$suite_id-$name" --label "$suite_id" --hostname "$name" --network "$suite_id" --cpus 1 --memory 512m --memory-swap 512m \
        --cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
        -v "$suite_id-$name:/var/lib/docker" -v "$suite_work/plugins:/usr/libexec/docker/cli-plugins:ro" constella-test/server:bookworm sleep infinity >/dev/null
    # shellcheck disable=SC2016 # the server's shell expands it
    docker exec "$suite_id-$name" sh -c 'for group in /sys/fs/cgroup/*; do [ -L "$group" ] || mount -o remount,rw,bind "$group"; done; umask 022; mkdir -p /opt/constella'
    docker exec -d "$suite_id-$name" sh -c 'exec dockerd --iptables=false --ip6tables=false --bridge=none >/var/log/dockerd.log 2>&1'
    within 60 docker exec "$suite_id-$name" docker version >/dev/null 2>&1
    # Its own engine, in its own process namespace, or nothing is started on it.
    [ "$(docker exec "$suite_id-$name" docker info --format '{{.Name}}')" = "$name" ]
    [ "$(docker exec "$suite_id-$name" cat /proc/1/comm)" = sleep ]
    printf "TELEGRAM_API_URL='http://botapi:8081/%s'\nSAMPLE_EVERY_SEC='1'\nLANG_DEFAULT='en'\nSERVER_NAME='%s'\n" "$name" "$name" |
        docker exec -i "$suite_id-$name" sh -c 'cat >/opt/constella/.env'
}
cli() { docker exec "$suite_id-$1" docker exec constella-controller-1 /constella-controller "${@:2}"; }
received() { docker exec "$suite_id-$1" cat /sys/class/net/eth0/statistics/rx_bytes; }
# The controller was built with the repository's get.sh, and this run's has a key of its own, so the block gets the hash of the latter.
block() { screen | sed -n '/^set +o history$/,/^set -o history$/p' | sed "s/[0-9a-f]\{64\} \*/$(sha256sum <"$suite_work/release/get.sh" | cut -d' ' -f1) */"; }
# The block's last line is the shell's own, so its status says nothing of the install: what came of it is looked at.
pasted() { docker exec -i "$suite_id-$1" bash <"$suite_work/block" >"$suite_work/$1.out" 2>&1 || true; }

test_a_network_is_founded_from_a_release() {
    local started url
    url="$(cat "$suite_work/url")"
    started="$(now_ms)"
    docker exec -i "$suite_id-alpha" bash -c "curl -fsS $url/get.sh >get.sh && bash get.sh $url $(controller_version) init --yes --owner @$owner_name --bot-token -" \
        <"$suite_work/token" >"$suite_work/alpha.out" 2>&1 || { cat "$suite_work/alpha.out"; return 1; }
    within 90 all_green alpha
    echo "figure: get.sh to a green first node: $(($(now_ms) - started)) ms, $(received alpha) bytes received, load $(cut -d' ' -f1 /proc/loadavg)"
    claimed alpha
}

# The block as the bot's message shows it, pasted into a shell of a server that has neither Rust nor git nor the repository.
test_paste_to_green_on_a_server_of_512_mb() {
    local started before
    asks '/invite 15m' >/dev/null
    within "$patience" shows 'get.sh'
    block >"$suite_work/block"
    before="$(received beta)"
    started="$(now_ms)"
    pasted beta
    within 90 all_green alpha beta || { cat "$suite_work/beta.out"; return 1; }
    echo "figure: paste to green: $(($(now_ms) - started)) ms, load $(cut -d' ' -f1 /proc/loadavg)"
    echo "figure: $(($(received beta) - before)) bytes received, $(docker exec "$suite_id-beta" du -sm /var/lib/docker /opt/constella | awk '{ sum += $1 } END { print sum }') MB of disk"
    echo "figure: at most $(($(docker exec "$suite_id-beta" sh -c 'cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes /sys/fs/cgroup/memory.peak 2>/dev/null') / 1048576)) MiB of memory with page cache, Docker engine included"
    [ $(($(received beta) - before)) -le 20000000 ]
    within "$patience" shows 'beta'
}

test_a_release_that_was_changed_is_not_run() {
    asks '/invite 15m' >/dev/null
    within "$patience" shows 'get.sh'
    block >"$suite_work/block"
    cp "$suite_work/release/SHA256SUMS" "$suite_work/good"
    echo "0000  constella-agent" >>"$suite_work/release/SHA256SUMS"
    pasted gamma
    cp "$suite_work/good" "$suite_work/release/SHA256SUMS"
    says "$(cat "$suite_work/gamma.out")" "is not of Constella's release key"
    [ "$(docker exec "$suite_id-gamma" ls -A /opt/constella)" = "$(printf '.env\nartefacts')" ]
    [ -z "$(docker exec "$suite_id-gamma" docker images -q)" ]
    # The invitation is not spent: the same block joins once the release is whole.
    pasted gamma
    within 90 all_green alpha beta gamma || { cat "$suite_work/gamma.out"; return 1; }
}
