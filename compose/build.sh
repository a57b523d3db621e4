#!/bin/sh
# Builds one program and lays out its image: build.sh PACKAGE [OUT]. Called by the Dockerfile, and by release/build.sh, which lays out its images
# itself. The same sources and compiler give the same bytes, in whatever folder.
set -eu
package=$1
out="${2:-/out}/$package"
target="${RUST_TARGET:-$(rustc -vV | sed -n 's/^host: //p')}"

# Cargo judges our own sources by their times, which a checkout of another version may have set back: compile them anew every time.
find . -path ./target -prune -o -name '*.rs' -exec touch {} +
RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/crates --remap-path-prefix=$PWD=/constella"
# A panic aborts, and symbols are stripped: nobody reads the index of the tables that unwind a stack.
RUSTFLAGS="$RUSTFLAGS -C link-arg=-Wl,--no-eh-frame-hdr"
# Relative relocations in a bit each: a tenth of a megabyte less. On amd64 every linker of the last years knows the option.
case "$target" in x86_64-*) RUSTFLAGS="$RUSTFLAGS -C link-arg=-Wl,-z,pack-relative-relocs" ;; esac
export RUSTFLAGS
# Each program in a cargo run of its own: built together, the agent's crates would get the features that only the controller asks for.
cargo build --release --locked --target "$target" -p "$package"

mkdir -p "$out"
cp "$CARGO_TARGET_DIR/$target/release/$package" "$out/$package"
sh compose/sbom.sh "$package" "$target" >"$out/sbom.spdx"
[ $# -eq 1 ] || exit 0

sh compose/folders.sh "$package" | while read -r mode uid gid path; do
    mkdir -p "$out/$path"
    chown "$uid:$gid" "$out/$path"
    chmod "$mode" "$out/$path"
done
find "$out" -exec touch -h -d @0 {} +
