#!/usr/bin/env bash
# Signs a release: release/sign.sh OUT, where OUT is what release/build.sh filled, for one architecture or several copied into one folder.
#
# The key is a file of minisign, CONSTELLA_SIGNING_KEY=PATH; it is on the maintainer's machine and nowhere in the repository. Its password is
# asked for by minisign, or comes from CONSTELLA_SIGNING_PASSWORD_FILE.
set -euo pipefail
umask 022
export LC_ALL=C

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
die() { printf 'release: %s\n' "$*" >&2; exit 1; }

[ $# -eq 1 ] || die "usage: release/sign.sh OUT"
[ -f "${CONSTELLA_SIGNING_KEY:-}" ] || die "CONSTELLA_SIGNING_KEY names no file: minisign -G -p release/constella.pub -s PATH makes one (docs/releasing.md)"
command -v minisign >/dev/null || die "minisign is missing: apt-get install minisign"
cd "$1"
kit="$(ls constella-kit-*.tar.gz)" || die "$1 has no kit: release/build.sh fills it"
version="${kit#constella-kit-}"
version="${version%.tar.gz}"

rm -f SHA256SUMS SHA256SUMS.minisig
sums="$(sha256sum -- *)"
printf '%s\n' "$sums" >SHA256SUMS
# The version stands in the trusted comment, which is signed too: an older release, however well signed, is not taken for a newer one.
# -H signs BLAKE2b of the file, which the openssl of a bare server can compute and verify.
minisign -S -H -s "$CONSTELLA_SIGNING_KEY" -x SHA256SUMS.minisig -m SHA256SUMS -c "signature of Constella's release" \
    -t "constella $version" <"${CONSTELLA_SIGNING_PASSWORD_FILE:-/dev/stdin}" >/dev/null
# As a server will: by the key in the repository. A release that nobody can check is found out here.
# shellcheck source=compose/get.sh
(. "$root/compose/get.sh" && check_release . "$version")
printf 'release: %s is signed\n' "$version"
