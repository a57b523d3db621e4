# shellcheck shell=bash
# What the two images are, and what the agent's seccomp profile lets through. Sourced by run.sh, which sets $root.

# shellcheck source=tests/containers/claim.sh
. "$(dirname "${BASH_SOURCE[0]}")/claim.sh"

inspect() { docker image inspect -f "$1" "$2"; }
files_of() {
    local id
    id="$(docker create "$1")"
    docker export "$id" | tar -tvf - | grep -vE ' (dev|proc|sys|etc|\.dockerenv)(/| |$)'
    docker rm "$id" >/dev/null
}

# A3: the named capabilities and nothing else, in the host image, which has a shell to try things with.
confined() {
    # shellcheck disable=SC2154 # run.sh sets root
    docker run --rm --network none --read-only --cap-drop ALL --cap-add SYS_ADMIN --cap-add SYS_PTRACE --cap-add SYS_CHROOT \
        --cap-add SETUID --cap-add SETGID --cap-add SETPCAP --security-opt no-new-privileges \
        --security-opt "seccomp=$root/compose/seccomp-agent.json" constella-test/host:bookworm "$@"
}

test_images_run_as_the_users_that_the_volumes_belong_to() {
    [ "$(inspect '{{.Config.User}}' constella-agent:test)" = 0:10001 ]
    [ "$(inspect '{{.Config.User}}' constella-controller:test)" = 10001:10001 ]
}

test_images_hold_one_program_an_sbom_and_the_volumes_folders() {
    local listing
    listing="$(files_of constella-agent:test)"
    grep -q '^drwxrwx--- root/10001 .* run/constella/$' <<<"$listing"
    grep -q '^drwxrwx--T root/10001 .* var/lib/constella/$' <<<"$listing"
    [ "$(grep -c '^-' <<<"$listing")" -eq 2 ]
    listing="$(files_of constella-controller:test)"
    grep -q '^drwxrwx--- root/10001 .* run/constella/$' <<<"$listing"
    grep -q '^drwx------ 10001/10001 .* state/$' <<<"$listing"
    [ "$(grep -c '^-' <<<"$listing")" -eq 2 ]
}

# What the image says it holds is what the lock file gives, each crate with its licence and checksum.
test_the_sbom_is_that_of_the_lock_file() {
    local program id work
    work="$(mktemp -d)"
    for program in agent controller; do
        id="$(docker create "constella-$program:test")"
        docker cp "$id:/sbom.spdx" "$work/$program"
        docker rm "$id" >/dev/null
        (cd "$root" && sh compose/sbom.sh "constella-$program" "$(uname -m)-unknown-linux-gnu") | diff - "$work/$program"
        [ "$(grep -c '^PackageDownloadLocation: https' "$work/$program")" -eq "$(grep -c '^PackageChecksum: SHA256: ' "$work/$program")" ]
        refute grep '^PackageLicenseDeclared: NOASSERTION' "$work/$program"
        echo "figure: constella-$program links and is built with $(grep -c '^PackageName: ' "$work/$program") packages"
    done
    rm -rf "$work"
}

# DESIGN 13.
test_images_are_labelled_and_small() {
    local image limit
    for image in agent:3000000 controller:9000000; do
        limit="${image#*:}"
        image="constella-${image%:*}:test"
        [ -n "$(inspect '{{index .Config.Labels "org.opencontainers.image.source"}}' "$image")" ]
        [ "$(inspect '{{index .Config.Labels "org.opencontainers.image.licenses"}}' "$image")" = "MIT OR Apache-2.0" ]
        echo "figure: $image: $(inspect '{{.Size}}' "$image") bytes, limit $limit"
        [ "$(inspect '{{.Size}}' "$image")" -le "$limit" ]
    done
}

test_seccomp_lets_namespaces_be_entered_but_not_made_or_mounted() {
    confined nsenter --mount=/proc/self/ns/mnt true
    confined chroot / true
    refute confined unshare --mount true
    refute confined unshare --pid --fork true
    refute confined mount -t tmpfs none /mnt
}

test_seccomp_leaves_threads_and_ordinary_programs_alone() {
    confined sh -c 'ip link >/dev/null && ps ax >/dev/null && (sleep 0.01 & wait)'
}
