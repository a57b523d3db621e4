#!/usr/bin/env bash
# Makes the images that the container tests need where no registry is reachable, from Debian's packages and this machine's toolchain:
#   constella-test/host:bookworm   a "host": Debian with its own recording /sbin/reboot
#   rust:1.95-slim-bookworm        a stand-in under the name that the Dockerfile asks for, made only where no image has that name
# Then builds both products from compose/Dockerfile, unchanged. Usage: images.sh [base|rust|server|products|all]. Repeating it is cheap.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
rust_image="$(sed -n 's/^ARG RUST_IMAGE=//p' "$root/compose/Dockerfile")"
host_image=constella-test/host:bookworm
work=
# shellcheck source=tests/containers/engine.sh
. "$root/tests/containers/engine.sh"

say() { printf 'images: %s\n' "$*"; }
die() { printf 'images: %s\n' "$*" >&2; exit 1; }

docker() { command "$docker_client" "$@"; }
have_image() { docker image inspect "$1" >/dev/null 2>&1; }

debian_packages() {
    command -v mmdebstrap >/dev/null && return
    say "installing mmdebstrap"
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends mmdebstrap >/dev/null
}

# A "host" has a PID 1 that sleeps, and a /sbin/reboot that writes down that it was called, by whom, and in which namespaces.
host_base() {
    have_image "$host_image" && return
    debian_packages
    say "making $host_image"
    mmdebstrap --quiet --variant=minbase --include=iproute2,procps "$(debian_suite)" "$work/host.tar" "$(debian_mirror)"
    mkdir -p "$work/host"
    cp "$root/tests/containers/reboot-recorder.sh" "$work/host/reboot"
    docker import "$work/host.tar" constella-test/debian:bookworm >/dev/null
    printf 'FROM constella-test/debian:bookworm\nRUN rm -f /sbin/reboot\nCOPY --chmod=0755 reboot /sbin/reboot\nCMD ["sleep", "infinity"]\n' >"$work/host/Dockerfile"
    DOCKER_BUILDKIT=1 docker build --quiet -t "$host_image" "$work/host" >/dev/null
}

# A "server" as a provider hands it out: the host with OpenSSL, curl, and a Docker engine of its own.
server_base() {
    have_image constella-test/server:bookworm && return
    host_base
    say "making constella-test/server:bookworm"
    printf 'FROM %s\nRUN apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends openssl curl docker.io iptables >/dev/null\n' "$host_image" |
        DOCKER_BUILDKIT=0 docker build --quiet --network host -t constella-test/server:bookworm - >/dev/null
}

# This machine's pinned toolchain where the official image has it, the C compiler that `ring` needs, and the machine's certificates.
rust_base() {
    have_image "$rust_image" && return
    debian_packages
    local version toolchain
    version="${rust_image#rust:}"
    version="${version%%-*}"
    toolchain="$(rustup toolchain list | sed 's/ .*//' | grep -E "^$version(\.[0-9]+)?-" | head -n 1)" || die "no toolchain $version on this machine"
    say "making a stand-in for $rust_image with $toolchain"
    mmdebstrap --quiet --variant=minbase --include=gcc,libc6-dev,ca-certificates \
        --customize-hook="mkdir -p \"\$1/usr/local/rust\" \"\$1/usr/local/cargo\"" \
        --customize-hook="cp -a '$(rustup run "$toolchain" rustc --print sysroot)/bin' '$(rustup run "$toolchain" rustc --print sysroot)/lib' \"\$1/usr/local/rust/\"" \
        --customize-hook="cp /etc/ssl/certs/ca-certificates.crt \"\$1/etc/ssl/certs/ca-certificates.crt\"" \
        "$(debian_suite)" "$work/rust.tar" "$(debian_mirror)"
    docker import \
        --change 'ENV PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV CARGO_HOME=/usr/local/cargo' --change 'ENV RUSTUP_AUTO_INSTALL=0' \
        --change 'ENV CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt' \
        --change 'LABEL constella.stand-in=1' \
        "$work/rust.tar" "$rust_image" >/dev/null
    rm -f "$work/rust.tar"
}

debian_suite() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }
debian_mirror() { sed -n 's/^URIs: //p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1; }

# The user's own Dockerfile, as install.sh and compose call it.
products() {
    local target
    for target in agent controller; do
        say "building constella-$target:test"
        DOCKER_BUILDKIT=1 docker build -f "$root/compose/Dockerfile" --target "$target" -t "constella-$target:test" "$root"
    done
    docker image ls --format 'images: {{.Repository}}:{{.Tag}} {{.Size}}' | grep constella-
}

main() {
    find_docker || exit 1
    docker info >/dev/null 2>&1 || die "no Docker engine answers here"
    work="$(mktemp -d)"
    trap 'rm -rf "$work"' EXIT
    case "${1:-all}" in
        base) host_base ;;
        rust) rust_base ;;
        server) server_base ;;
        products) products ;;
        all) host_base; rust_base; products ;;
        *) die "usage: images.sh [base|rust|server|products|all]" ;;
    esac
}

main "$@"
