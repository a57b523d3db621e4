#!/usr/bin/env bash
# Builds a release into a folder: release/build.sh [--built FOLDER] OUT [TARGET...]. A target is a Rust triple (default: this machine's); another architecture
# needs its standard library and a linker (CARGO_TARGET_<TRIPLE>_LINKER, CC_<triple>). Then: release/sign.sh OUT.
#
# The sources are those of HEAD, so what is not committed is not released. No Docker is needed: the images are written by release/image.py.
# The same commit and compiler give the same bytes, wherever this runs. Needs git, Rust, a C compiler and Python 3. With --built nothing is
# compiled: FOLDER/TARGET/PACKAGE has what compose/build.sh made.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" CARGO_INCREMENTAL=0

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

say() { printf 'release: %s\n' "$*"; }
die() { printf 'release: %s\n' "$*" >&2; exit 1; }

# The architecture as Docker names it, which is also what `uname -m` is translated to by the host that installs.
arch_of() {
    case "$1" in
        x86_64-*) echo amd64 ;;
        aarch64-*) echo arm64 ;;
        *) die "no image was ever tried on $1" ;;
    esac
}

# What a server needs besides the images, at the paths of the repository: no sources.
kit() {
    local name="constella-kit-$1.tar.gz"
    (cd "$work/source" && tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar --transform='s|^|constella/|' -cf - \
        install.sh Cargo.toml agent/Cargo.toml compose/bridge.yaml compose/compose.yaml compose/get.sh compose/install compose/seccomp-agent.json \
        docs/settings.md LICENSE-APACHE LICENSE-MIT README.md README.ru.md | gzip -9 -n) >"$out/$name"
}

program() {
    local package="$1" target="$2" version="$3" name files="${built:-$work}/$2/$1"
    name="$package-$version-$(arch_of "$target")"
    say "$name"
    [ -n "$built" ] || (cd "$work/source" && RUST_TARGET="$target" CARGO_TARGET_DIR="$work/target" sh compose/build.sh "$package" "$work/$target")
    install -m 0755 "$files/$package" "$out/$name"
    install -m 0644 "$files/sbom.spdx" "$out/$name.spdx"
    python3 "$work/source/release/image.py" --dockerfile "$work/source/compose/Dockerfile" --stage "${package#constella-}" --files "$files" \
        --folders <(sh "$work/source/compose/folders.sh" "$package") --arch "$(arch_of "$target")" --tag "$package:$version" --version "$version" >"$out/$name.image.tar.gz"
}

main() {
    built=''
    if [ "${1:-}" = --built ]; then built="$(cd "${2:?}" && pwd)"; shift 2; fi
    [ $# -ge 1 ] || die "usage: release/build.sh [--built FOLDER] OUT [TARGET...]"
    mkdir -p "$1"
    out="$(cd "$1" && pwd)"
    shift
    [ -z "$(ls -A "$out")" ] || die "$out is not empty"
    [ $# -gt 0 ] || set -- "$(rustc -vV | sed -n 's/^host: //p')"
    mkdir "$work/source"
    git -C "$root" archive HEAD | tar -C "$work/source" -xf -
    local target agent controller
    controller="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$work/source/Cargo.toml")"
    agent="$(sed -n 's/^version = "\(.*\)"/\1/p' "$work/source/agent/Cargo.toml" | head -n 1)"
    for target in "$@"; do
        program constella-agent "$target" "${agent:-$controller}"
        program constella-controller "$target" "$controller"
    done
    kit "$controller"
    install -m 0644 "$work/source/compose/get.sh" "$out/get.sh"
    # Sorted by name, so that the list is the same too. It is the one file that is signed.
    (cd "$out" && sha256sum -- * >"$work/sums" && mv "$work/sums" SHA256SUMS)
    say "$(wc -l <"$out/SHA256SUMS") files in $out; sign them with release/sign.sh $out"
}

main "$@"
