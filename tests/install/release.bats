#!/usr/bin/env bats
# Releases: made, signed, checked, refused, installed. Run: bats tests/install
bats_require_minimum_version 1.5.0

load common
load release

@test "two builds of one commit in two folders give the same files" {
    made_release
    git clone -q "$origin" "$BATS_TEST_TMPDIR/some where/else"
    built "$BATS_TEST_TMPDIR/some where/else" "$BATS_TEST_TMPDIR/second"
    CONSTELLA_SIGNING_KEY="$signing_key" "$origin/release/sign.sh" "$BATS_TEST_TMPDIR/second"
    diff "$release/SHA256SUMS" "$BATS_TEST_TMPDIR/second/SHA256SUMS"
    # Ed25519 has no randomness; minisign's second signature is over a comment that we give.
    diff -r "$release" "$BATS_TEST_TMPDIR/second"
    [ "$(wc -l <"$release/SHA256SUMS")" -eq 8 ]
    (cd "$release" && sha256sum -c --quiet SHA256SUMS)
}

@test "what is not committed is not released, and a folder that has files is not filled" {
    made_release
    echo 'echo not reviewed' >>"$origin/install.sh"
    rm -rf "$release"
    built "$origin" "$release"
    refute grep -q 'not reviewed' <(tar -xzOf "$release/constella-kit-$(version).tar.gz" constella/install.sh)
    run "$origin/release/build.sh" "$release"
    [ "$status" -eq 1 ]
    [[ $output == *"is not empty"* ]]
}

@test "an image of a release is what its stage of the Dockerfile says, with the folders of build.sh" {
    made_release
    config="$(tar -xzOf "$release/$(image controller)" --wildcards '*.json' --exclude manifest.json)"
    for part in '"User": "10001:10001"' '"WorkingDir": "/"' '"ExposedPorts": {"4747/tcp": {}}' '"Entrypoint": ["/constella-controller"]' '"Cmd": ["run"]' \
        '"architecture": "amd64"' '"org.opencontainers.image.licenses": "MIT OR Apache-2.0"' "\"org.opencontainers.image.version\": \"$(version)\""; do
        [[ $config == *"$part"* ]] || { echo "no $part in $config"; return 1; }
    done
    config="$(tar -xzOf "$release/$(image agent)" --wildcards '*.json' --exclude manifest.json)"
    [[ $config == *'GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0'* && $config == *'"User": "0:10001"'* ]]
    listing="$(tar -xzOf "$release/$(image agent)" --wildcards '*.tar' | tar --numeric-owner -tvf -)"
    echo "$listing"
    grep -q '^drwxrwx--- 0/10001 .* run/constella' <<<"$listing"
    grep -q '^drwxrwx--T 0/10001 .* var/lib/constella' <<<"$listing"
    grep -q '^-rwxr-xr-x 0/0 .* constella-agent$' <<<"$listing"
}

@test "an instruction of the Dockerfile that the image's writer does not know stops the release" {
    made_release
    sed -i 's/^USER 10001:10001$/&\nSTOPSIGNAL SIGINT/' "$origin/compose/Dockerfile"
    committed
    run "$origin/release/build.sh" "$BATS_TEST_TMPDIR/second"
    [ "$status" -ne 0 ]
    [[ $output == *"STOPSIGNAL is not known"* ]]
}

@test "without the signing key, or with one that the repository does not name, nothing is signed for good" {
    made_release
    run "$origin/release/sign.sh" "$release"
    [ "$status" -eq 1 ]
    [[ $output == *"CONSTELLA_SIGNING_KEY names no file"* ]]
    minisign -G -W -f -p "$signing_key.pub" -s "$signing_key" >/dev/null
    run signed
    [ "$status" -eq 1 ]
    [[ $output == *"not of Constella's release key"* ]]
}

@test "the repository's public key is the one that get.sh checks with, and no private key is near it" {
    [ "$(tail -n 1 "$source/release/constella.pub")" = "$(sed -n 's/^readonly release_key=//p' "$source/compose/get.sh")" ]
    refute grep -rql 'secret key' "$source/release" --include='*.key'
    [ "$(find "$source/release" -type f | wc -l)" -eq 4 ]
}

@test "a server without git, Rust, sources and minisign installs a release from a folder, and builds nothing" {
    need_root
    made_release
    without git cargo rustc cc minisign sudo
    run get_init
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"release $(version): the signature is good"* ]]
    [[ $output == *"https://t.me/somebot?start=code"* ]]
    [ -e "$node/state/network_state.json" ]
    [ "$(grep -c '^load ' "$FAKE/calls")" -eq 2 ]
    refute grep -qE '^build |^compose build' "$FAKE/calls"
    # The images are the release's.
    cmp "$release/$(image agent)" "$FAKE/images/constella-agent_$(version)"
    cmp "$release/$(image controller)" "$FAKE/images/constella-controller_$(version)"
    # A folder is nothing that an invitation could name.
    refute grep -q RELEASE_URL "$node/.env"
}

@test "by minisign where there is no openssl" {
    need_root
    made_release
    without openssl
    run get_init
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "without anything that can check a signature nothing is taken, and what to install is said" {
    need_root
    made_release
    without minisign
    # What OpenSSL 1.1.1 says.
    printf '#!/bin/sh\n[ "$1" != version ] || echo "OpenSSL 1.1.1w"\necho "Usage: pkeyutl [options]" >&2\nexit 1\n' >"$FAKE/bin/openssl"
    chmod +x "$FAKE/bin/openssl"
    refused_release "needs OpenSSL 3 or newer, or minisign: apt-get install" get_init
    without openssl minisign
    refused_release "needs OpenSSL 3 or newer, or minisign: apt-get install" get_init
}

# Every way to check, and every way to be wrong.
@test "a list that was changed, one of another key, another algorithm, another comment and no signature at all are refused" {
    need_root
    made_release
    cp -r "$release" "$BATS_TEST_TMPDIR/good"
    # Both verifiers.
    for missing in minisign openssl; do
        (
            without "$missing"
            echo >>"$release/SHA256SUMS"
            refused_release "is not of Constella's release key, or SHA256SUMS was changed" get_init
        )
        rm -rf "$release" && cp -r "$BATS_TEST_TMPDIR/good" "$release"
        (
            without "$missing"
            sed -i "3s/.*/trusted comment: constella 99.0.0/" "$release/SHA256SUMS.minisig"
            refused_release "is not of Constella's release key, or SHA256SUMS was changed" get_init
        )
        rm -rf "$release" && cp -r "$BATS_TEST_TMPDIR/good" "$release"
        (
            sed -i '2s/^....../AAAAAA/' "$release/SHA256SUMS.minisig"
            without "$missing"
            refused_release "is not of Constella's release key, or SHA256SUMS was changed" get_init
        )
        rm -rf "$release" && cp -r "$BATS_TEST_TMPDIR/good" "$release"
        (
            minisign -G -W -f -p "$BATS_TEST_TMPDIR/other.pub" -s "$BATS_TEST_TMPDIR/other" >/dev/null
            minisign -S -H -s "$BATS_TEST_TMPDIR/other" -m "$release/SHA256SUMS" -t "constella $(version)" >/dev/null
            without "$missing"
            refused_release "is not of Constella's release key, or SHA256SUMS was changed" get_init
        )
        rm -rf "$release" && cp -r "$BATS_TEST_TMPDIR/good" "$release"
        (
            printf 'untrusted comment: x\nnot base64\n' >"$release/SHA256SUMS.minisig"
            without "$missing"
            refused_release "is not of Constella's release key, or SHA256SUMS was changed" get_init
        )
        rm -rf "$release" && cp -r "$BATS_TEST_TMPDIR/good" "$release"
    done
    rm "$release/SHA256SUMS.minisig"
    refused_release "SHA256SUMS.minisig cannot be fetched" get_init
}

@test "an older release is refused, however well signed" {
    need_root
    made_release
    refused_release "is version $(version), and 99.0.0 is the oldest that fits here" get "$release" 99.0.0 init
}

@test "a file that does not fit the signed list is refused before it is unpacked or loaded" {
    need_root
    made_release
    cp "$release/constella-kit-$(version).tar.gz" "$BATS_TEST_TMPDIR/kit"
    echo >>"$release/constella-kit-$(version).tar.gz"
    refused_release "is damaged or was changed" get_init
    cp "$BATS_TEST_TMPDIR/kit" "$release/constella-kit-$(version).tar.gz"
    echo >>"$release/$(image controller)"
    rm -rf "$node"
    run get_init
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"$(image controller) is damaged or was changed: it does not fit SHA256SUMS. Remove it and run this again"* ]]
    refute grep -q "^load .*controller" "$FAKE/calls"
    [ ! -e "$node/state/network_state.json" ]
}

# served -> $url: the release over HTTP on this machine's loopback.
served() {
    python3 -c '
import functools, http.server, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1]))
open(sys.argv[2], "w").write(str(server.server_port))
server.serve_forever()' "$release" "$FAKE/http-port" >/dev/null 2>&1 3>&- &
    echo $! >"$FAKE/http-pid"
    for _ in $(seq 200); do [ ! -s "$FAKE/http-port" ] || break; sleep 0.05; done
    url="http://127.0.0.1:$(cat "$FAKE/http-port")"
}
teardown() { [ ! -e "$FAKE/http-pid" ] || kill "$(cat "$FAKE/http-pid")"; }

@test "a release comes over HTTP by curl or by wget, fetched once, and the node remembers from where" {
    need_root
    made_release
    served
    for missing in wget curl; do
        (
            without "$missing"
            rm -rf "$node" "$FAKE/images/"*
            run get "$url/" "$(version)" join --join - --server-name beta <<<"$link"
            echo "$output"
            [ "$status" -eq 0 ]
            grep -qx "RELEASE_URL='$url'" "$node/.env"
        )
    done
    # All that came over the wire, at a second run nothing but the list.
    rm "$node/.env.new" 2>/dev/null || true
    cd "$node"
    kill "$(cat "$FAKE/http-pid")"
    rm "$FAKE/http-pid"
    run ./install.sh join --server-name beta
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qx "RELEASE_URL='$url'" .env
    run ./install.sh join --server-name beta --from "$url"
    [ "$status" -eq 1 ]
    [[ $output == *"SHA256SUMS cannot be fetched"* && $output == *"copy its folder here and name that folder"* ]]
}

# pasted: the recorded block with this test's release. get.sh's folder is /opt/constella, so its own is made a folder of the test by a mount.
pasted() {
    recorded_block "invite-release.$1" |
        sed "s|https://releases.example/constella/1|$url|; s|HASH|$(sha256sum <"$2" | cut -d' ' -f1)|; s|VERSION|$(version)|" >"$BATS_TEST_TMPDIR/block"
    mkdir -p "$node"
    # Settings that a test's node needs; a folder with nothing but those is free.
    printf "LISTEN_ADDR='[::]:47471'\n" >"$node/.env"
    # shellcheck disable=SC2016 # the inner shell expands its own arguments
    run unshare --mount sh -c 'mount -t tmpfs none /opt && mkdir /opt/constella && mount --bind "$1" /opt/constella && shift && exec "$@"' sh "$node" \
        timeout 120 python3 "$BATS_TEST_DIRNAME/paste.py" "$BATS_TEST_TMPDIR/block" "$BATS_TEST_TMPDIR/history"
    echo "$output"
}

@test "the block of a released node's invitation, pasted on a server that has nothing, fetches, checks and joins" {
    need_root
    unshare --mount true 2>/dev/null || skip "no mount namespaces here"
    made_release
    served
    without git cargo rustc cc minisign
    cd /
    for language in en ru; do
        pasted "$language" "$release/get.sh"
        [[ $output == *"release $(version): the signature is good"*"== This node runs"* ]]
        [ "$(cat "$FAKE/secret")" = "$link" ]
        refute grep -qE 'c0dec0de|join://' "$BATS_TEST_TMPDIR/history"
        refute grep -qE 'c0dec0de|join://' "$FAKE/calls"
        # A script that is not this release's own is not run.
        rm -rf "$node" "$FAKE/secret" "$FAKE/running" "$FAKE/images/"* "$FAKE/calls"
        pasted "$language" "$release/SHA256SUMS"
        [[ $output == *"get.sh: FAILED"* && $output != *"signature"* ]]
        [ "$(ls -A "$node")" = .env ]
        [ ! -e "$FAKE/calls" ]
    done
}

@test "a release beside install.sh is taken before the sources, and a bad one is refused and not built around" {
    need_root
    made_release
    cp "$origin/compose/get.sh" compose/get.sh
    cp -r "$release" artefacts
    run init
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^load ' "$FAKE/calls")" -eq 2 ]
    refute grep -q '^compose build' "$FAKE/calls"
    # Loaded again it is the same; the agent's image is left alone.
    : >"$FAKE/calls"
    run ./install.sh upgrade
    [ "$(grep -c '^load ' "$FAKE/calls")" -eq 1 ]
    echo >>artefacts/SHA256SUMS
    : >"$FAKE/calls"
    run ./install.sh upgrade
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"is not of Constella's release key"* ]]
    refute grep -qE '^load |build|stop' "$FAKE/calls"
    # Without it the sources are built.
    rm -r artefacts
    run ./install.sh upgrade
    [ "$status" -eq 0 ]
    grep -q '^compose build' "$FAKE/calls"
}

@test "a release of another version than the folder's own is not mixed with it" {
    need_root
    made_release
    cp "$origin/compose/get.sh" compose/get.sh
    sed -i 's/^version = .*/version = "0.0.1"/' Cargo.toml
    run init --from "$release"
    [ "$status" -eq 1 ]
    [[ $output == *"the release in artefacts/ is version $(version), this folder's compose files are of 0.0.1: check out the sources of that version"* ]]
    refute grep -q '^load ' "$FAKE/calls"
}

@test "get.sh upgrades a node: its settings and state stay, and images of before are removed" {
    need_root
    made_release
    get_init >/dev/null
    before="$(cat "$node/state/network_state.json"; sha256sum <"$node/state/node_key.pem")"
    sed -i '0,/^version = .*/s//version = "0.9.0"/' "$origin/Cargo.toml"
    committed
    rm -rf "$release"
    built "$origin" "$release"
    signed
    : >"$FAKE/calls"
    run get "$release" upgrade
    echo "$output"
    [ "$status" -eq 0 ]
    grep -qx "CONTROLLER_VERSION='0.9.0'" "$node/.env"
    [ "$before" = "$(cat "$node/state/network_state.json"; sha256sum <"$node/state/node_key.pem")" ]
    [ "$(find "$node/artefacts" -name '*-controller-*' | wc -l)" -eq 1 ]
    [ "$(grep -oE '^(load|compose (stop|up))' "$FAKE/calls" | tr '\n' ' ' | sed 's/load load/load/')" = "load compose stop compose up " ]
}

@test "a server whose architecture has no image is told which there are" {
    need_root
    made_release
    printf '#!/bin/sh\necho armv7l\n' >"$FAKE/bin/uname"
    chmod +x "$FAKE/bin/uname"
    run get_init
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"no image for armv7l: it has amd64"* ]]
}

@test "a folder of something else, and a checkout, are not written into, and a free folder is named" {
    need_root
    made_release
    mkdir -p "$node" "$node-2"
    echo mine >"$node/file"
    run bash "$release/get.sh" --dir "$node" "$release"
    [ "$status" -eq 1 ]
    [[ $output == *"is something else's folder: name a free one, for instance get.sh --dir $node-3"* ]]
    [ "$(ls "$node")" = file ]
    run bash "$release/get.sh" --dir "$repo" "$release"
    [ "$status" -eq 1 ]
    [[ $output == *"is a checkout of the sources"* ]]
    # A free one is taken; without a verb it says what is next.
    run bash "$release/get.sh" --dir "$node-3" "$release"
    [ "$status" -eq 0 ]
    [[ $output == *"cd $node-3; ./install.sh init --from $release"* ]]
}

@test "a release asks for a fraction of the disk and memory that a build does" {
    need_root
    made_release
    printf '#!/bin/sh\necho "Filesystem 1024-blocks Used Available Capacity Mounted"\necho "/dev/x 5000000 4800000 200000 96%% /"\n' >"$FAKE/bin/df"
    chmod +x "$FAKE/bin/df"
    run init
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL  195 MB free"*"building needs 4096: make room (docker system prune), or take a release, which needs 100 MB (--from)"* ]]
    run get_init
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "a folder with neither a release nor sources says how to name one" {
    need_root
    rm Cargo.lock
    run init
    [ "$status" -eq 1 ]
    [[ $output == *"name a release with --from URL or --from FOLDER"* ]]
    [ ! -e state ]
}
