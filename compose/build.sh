#!/bin/sh
# Builds one program and lays out its image: build.sh PACKAGE. Called by the Dockerfile; the same sources and compiler give the same bytes.
set -eu
package=$1
out="/out/$package"
target="${RUST_TARGET:-$(rustc -vV | sed -n 's/^host: //p')}"

# Cargo judges our own sources by their times, which a checkout of another version may have set back: compile them anew every time.
find . -name '*.rs' -exec touch {} +
RUSTFLAGS='-C target-feature=+crt-static --remap-path-prefix=/usr/local/cargo/registry/src=/crates --remap-path-prefix=/src=/constella'
# Relative relocations in a bit each: a tenth of a megabyte less. On amd64 every linker of the last years knows the option.
case "$target" in x86_64-*) RUSTFLAGS="$RUSTFLAGS -C link-arg=-Wl,-z,pack-relative-relocs" ;; esac
export RUSTFLAGS
# Each program in a cargo run of its own: built together, the agent's crates would get the features that only the controller asks for.
cargo build --release --locked --target "$target" -p "$package"

mkdir -p "$out/run/constella"
cp "$CARGO_TARGET_DIR/$target/release/$package" "$out/$package"
sh compose/sbom.sh "$package" "$target" >"$out/sbom.spdx"

# Folders that named volumes take their owner and mode from (Docker copies them on first use). The socket's folder: only uid 0 and group
# 10001 enter it. The agent's state: root part and front both create files there, and the sticky bit keeps the front from removing or
# replacing what root wrote.
chown -R 0:0 "$out"
chown 0:10001 "$out/run/constella"
chmod 0770 "$out/run/constella"
case "$package" in
    constella-agent)
        mkdir -p "$out/var/lib/constella"
        chown 0:10001 "$out/var/lib/constella"
        chmod 1770 "$out/var/lib/constella"
        ;;
    constella-controller)
        mkdir -p "$out/state"
        chown 10001:10001 "$out/state"
        chmod 0700 "$out/state"
        ;;
esac
find "$out" -exec touch -h -d @0 {} +
