#!/usr/bin/env bash
# Fetches a release of Constella, checks its signature, and runs the install.sh that is in it. The bot's /invite shows the whole command.
#
#   get.sh [--dir FOLDER] FROM [VERSION] [VERB FLAGS...]      e.g. get.sh https://example.net/constella/0.1.0 0.1.0 join --join -
#
# FROM is a URL or a folder with what release/build.sh made. VERSION is the oldest that is taken. Nothing that was fetched is run, unpacked or
# shown to Docker before the signature over SHA256SUMS and the file's own hash were checked; the transport is not trusted.
# install.sh and release/sign.sh source this file for its functions.
set -euo pipefail
umask 022

# The key that releases are signed with, as in release/constella.pub. Whoever signs releases of their own writes theirs here.
readonly release_key=RWSOyH/RM64/1A5lqTL5pGVTHvsQMVxPX3b2l7BV6EtbkEwg6hfacAmV
readonly release_file_mb=64 # twice the largest file of a release with room: a server that sends without end must not fill the disk

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# fetch FROM NAME FOLDER: one file of a release into FOLDER; it appears there whole or not at all.
fetch() {
    local from="${1%/}/$2" to="$3/$2"
    case "$1" in
        http://* | https://*)
            if command -v curl >/dev/null; then
                curl -fsSL --retry 2 --connect-timeout 15 --max-time 600 -- "$from"
            elif command -v wget >/dev/null; then
                wget -q -T 15 -t 3 -O - -- "$from"
            else
                die "neither curl nor wget is here: apt-get install curl"
            fi | head -c "$((release_file_mb * 1048576))" >"$to.new"
            ;;
        *) cat -- "$from" >"$to.new" ;;
    esac || {
        rm -f "$to.new"
        die "$from cannot be fetched$(why_not_fetched "$1"). Try again, or fetch the release on another computer, copy its folder here and name that folder"
    }
    mv "$to.new" "$to"
}

# Some hosts of releases have no IPv6 address; a server without IPv4 cannot reach them, and no other word of its tools says so.
why_not_fetched() {
    case "$1" in http*) ;; *) return 0 ;; esac
    has_ipv4 || printf ' (this server has no way to IPv4, and the place may have no IPv6 address)'
}
# /proc/net/route has the IPv4 routes: a default route has destination and mask 0.
has_ipv4() { awk 'NR > 1 && $2 == "00000000" && $8 == "00000000" { found = 1 } END { exit !found }' /proc/net/route 2>/dev/null; }

# check_release FOLDER [LEAST]: whether FOLDER/SHA256SUMS is signed with the release key, and is of version LEAST or newer. -> $release_version
check_release() {
    local sums="$1/SHA256SUMS" signature="$1/SHA256SUMS.minisig" comment
    if [ ! -s "$sums" ] || [ ! -s "$signature" ]; then die "$1 has no SHA256SUMS with a SHA256SUMS.minisig: it holds no release"; fi
    if command -v minisign >/dev/null; then
        minisign -V -q -P "$release_key" -m "$sums" -x "$signature" >/dev/null 2>&1 || bad_signature "$1"
    elif openssl pkeyutl -help 2>&1 | grep -q -e -rawin; then
        openssl_verifies "$sums" "$signature" || bad_signature "$1"
    else
        die "the signature of the release cannot be checked: that needs OpenSSL 3 or newer, or minisign: apt-get install openssl (or minisign)"
    fi
    comment="$(sed -n '3s/^trusted comment: //p' "$signature")"
    [[ $comment =~ ^constella\ ([0-9A-Za-z.+-]+)$ ]] || bad_signature "$1"
    release_version="${BASH_REMATCH[1]}"
    [ -z "${2:-}" ] || version_at_least "$release_version" "$2" || die "the release in $1 is version $release_version, and $2 is the oldest that fits here: name the place of that one"
}

bad_signature() {
    die "the signature in $1 is not of Constella's release key, or SHA256SUMS was changed after it was signed. Nothing of it was run. Remove the folder, fetch the release again from where it is published, and if this stays so tell whoever publishes it"
}

# minisign's signature by openssl alone (https://jedisct1.github.io/minisign/): Ed25519 over the BLAKE2b-512 of the file, and a second one over
# the first and the trusted comment. The key's and the signature's first ten bytes are the algorithm and the key's number.
openssl_verifies() {
    local work status=1
    work="$(mktemp -d)"
    if printf '%s' "$release_key" | base64 -d >"$work/key" && sed -n 2p "$2" | base64 -d >"$work/signature" 2>/dev/null &&
        sed -n 4p "$2" | base64 -d >"$work/over-all" 2>/dev/null &&
        [ "$(wc -c <"$work/signature") $(wc -c <"$work/over-all")" = "74 64" ] && [ "$(head -c 2 "$work/signature")" = ED ] &&
        cmp -s <(tail -c +3 "$work/key" | head -c 8) <(tail -c +3 "$work/signature" | head -c 8); then
        # SubjectPublicKeyInfo of Ed25519 (RFC 8410) is these twelve bytes and the key.
        { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'; tail -c 32 "$work/key"; } >"$work/key.der"
        openssl dgst -blake2b512 -binary "$1" >"$work/hash" 2>/dev/null || die "this openssl has no BLAKE2b (FIPS mode?), which the signature needs: apt-get install minisign"
        tail -c 64 "$work/signature" >"$work/first"
        { cat "$work/first"; sed -n '3s/^trusted comment: //p' "$2" | tr -d '\n'; } >"$work/all"
        if verifies "$work/hash" "$work/first" "$work/key.der" && verifies "$work/all" "$work/over-all" "$work/key.der"; then status=0; fi
    fi
    rm -rf "$work"
    return "$status"
}
# verifies FILE SIGNATURE KEY
verifies() { openssl pkeyutl -verify -rawin -in "$1" -sigfile "$2" -pubin -keyform DER -inkey "$3" >/dev/null 2>&1; }

# check_file FOLDER NAME: whether the file is the one that the signed list names.
check_file() {
    local want
    want="$(awk -v name="$2" '$2 == name { print $1 }' "$1/SHA256SUMS")"
    [ -n "$want" ] || die "this release has no $2"
    [ "$(sha256sum <"$1/$2")" = "$want  -" ] || die "$1/$2 is damaged or was changed: it does not fit SHA256SUMS. Remove it and run this again"
}

# The folder of the node: what is there already must be a node's, of a release too, or what a node left: its settings and its state.
check_folder() {
    local free="$1" number=2
    [ ! -e "$1/Cargo.lock" ] || die "$1 is a checkout of the sources: run its ./install.sh, or name another folder with --dir"
    [ ! -e "$1/compose/get.sh" ] || return 0
    [ -e "$1" ] && find "$1" -mindepth 1 -maxdepth 1 ! -name .env ! -name state ! -name artefacts | grep -q . || return 0
    while [ -e "$free" ]; do free="$1-$number"; number=$((number + 1)); done
    die "$1 is something else's folder: name a free one, for instance get.sh --dir $free"
}

get() {
    local folder=/opt/constella least='' from
    if [ "${1:-}" = --dir ]; then folder="${2:?--dir needs a folder}"; shift 2; fi
    [ $# -ge 1 ] || die "usage: get.sh [--dir FOLDER] FROM [VERSION] [VERB FLAGS...]"
    from="$1"
    shift
    [[ ! ${1:-} =~ ^[0-9] ]] || { least="$1"; shift; }
    [ "$(id -u)" = 0 ] || die "run this as root: it writes $folder and speaks to Docker"
    case "$from" in http://* | https://*) ;; *) from="$(cd "$from" && pwd)" || die "there is no folder $from" ;; esac
    check_folder "$folder"
    mkdir -p "$folder/artefacts"
    fetched="$(mktemp -d "$folder/artefacts/new.XXXXXX")"
    trap 'rm -rf "$fetched"' EXIT
    fetch "$from" SHA256SUMS "$fetched"
    fetch "$from" SHA256SUMS.minisig "$fetched"
    check_release "$fetched" "$least"
    say "release $release_version: the signature is good"
    fetch "$from" "constella-kit-$release_version.tar.gz" "$fetched"
    check_file "$fetched" "constella-kit-$release_version.tar.gz"
    tar -xzf "$fetched/constella-kit-$release_version.tar.gz" --no-same-owner --strip-components=1 -C "$folder"
    mv "$fetched/SHA256SUMS" "$fetched/SHA256SUMS.minisig" "$folder/artefacts/"
    rm -rf "$fetched"
    trap - EXIT
    cd "$folder"
    [ $# -gt 0 ] || { say "unpacked in $folder. Next: cd $folder; ./install.sh init --from $from (or join, or upgrade)"; return; }
    exec ./install.sh "$@" --from "$from"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || get "$@"
