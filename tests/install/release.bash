# shellcheck shell=bash
# A release as release/build.sh and release/sign.sh make it, of this checkout, with a cargo that does not compile and a key of the test's own.

# made_release -> $release: a folder; $node: where get.sh shall install.
made_release() {
    command -v minisign >/dev/null || skip "minisign signs the test's releases"
    release="$BATS_TEST_TMPDIR/release" node="$BATS_TEST_TMPDIR/opt/constella"
    origin="$BATS_TEST_TMPDIR/origin" signing_key="$BATS_TEST_TMPDIR/key"
    minisign -G -W -p "$signing_key.pub" -s "$signing_key" >/dev/null
    mkdir "$origin"
    (cd "$source" && tar --exclude=./target --exclude=./.git --exclude=./shared --exclude=./controller --exclude=./tests -cf - .) | tar -C "$origin" -xf -
    sed -i "s|^readonly release_key=.*|readonly release_key=$(tail -n 1 "$signing_key.pub")|" "$origin/compose/get.sh"
    git -C "$origin" init -q -b main
    committed
    built "$origin" "$release"
    signed
    # Only what install.sh asks for counts from here on.
    rm "$FAKE/calls"
}
committed() { git -C "$origin" add -A && git -C "$origin" -c user.name=test -c user.email=test@localhost commit -q -m 'The sources of a release'; }
built() { "$1/release/build.sh" "$2" >"$BATS_TEST_TMPDIR/build.log" 2>&1; }
signed() { CONSTELLA_SIGNING_KEY="$signing_key" "$origin/release/sign.sh" "$release"; }

# version: of this checkout.
version() { sed -n 's/^version = "\(.*\)"/\1/p' "$source/Cargo.toml" | head -n 1; }
image() { printf 'constella-%s-%s-amd64.image.tar.gz' "$1" "$(version)"; }

# The node's settings, as a test's node needs them; then get.sh, as it is published beside the release.
get() {
    mkdir -p "$node"
    [ -e "$node/.env" ] || printf "LISTEN_ADDR='[::]:47471'\n" >"$node/.env"
    bash "$release/get.sh" --dir "$node" "$@"
}
get_init() { get "$release" "$(version)" init --owner @maria --bot-token - --server-name alpha "$@" <<<"$token"; }

# refused_release MARK COMMAND...: nothing was unpacked, run or shown to Docker.
refused_release() {
    local mark="$1"
    shift
    rm -rf "$node" "$FAKE/calls"
    run "$@"
    echo "$mark -> $output"
    [ "$status" -eq 1 ]
    [[ $output == *"$mark"* ]]
    [ ! -e "$node/install.sh" ] && [ ! -e "$node/state" ] && [ ! -e "$node/artefacts/SHA256SUMS" ]
    refute grep -qE '^(load|build|compose (build|run|up))' "$FAKE/calls"
}
