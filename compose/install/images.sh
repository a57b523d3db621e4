# shellcheck shell=bash
# Where a node's images come from: a release in artefacts/, whose signature is checked at each use, or the sources. Sourced by install.sh.

readonly artefacts="$root/artefacts"

has_sources() { [ -e "$root/Cargo.lock" ]; }
has_release() { [ -n "$opt_from" ] || [ -e "$artefacts/SHA256SUMS" ]; }

# Refused before anything is looked at or written: there must be one of them.
need_source() {
    has_release || has_sources || have_images || die "this folder has neither a release (artefacts/) nor the sources: name a release with --from URL or --from FOLDER"
}

# For the checks of disk and memory.
needed_disk_mb() { if has_release; then echo "$release_disk_mb"; else echo "$build_disk_mb"; fi; }
needed_memory_mb() { if has_release; then echo "$release_memory_mb"; else echo "$build_memory_mb"; fi; }

# What is fetched is the release's list first, and the images only after its signature was found good.
get_images() {
    if has_release; then
        step "Taking the release's images"
        [ -z "$opt_from" ] || fetch_release "$opt_from"
        check_release "$artefacts"
        [ "$release_version" = "$(controller_version)" ] ||
            die "the release in artefacts/ is version $release_version, this folder's compose files are of $(controller_version): $(how_to_meet)"
        say "  release $release_version: the signature is good"
        load_image agent "$(agent_version)"
        load_image controller "$(controller_version)"
        drop_old_images
        env_set RELEASE_URL "$(shown_url)"
    elif has_sources; then
        step "Building (minutes the first time)"
        build_images
    else
        need_source
    fi
}

how_to_meet() {
    if has_sources; then
        printf 'check out the sources of that version, or remove artefacts/ to build these'
    else
        printf 'bash compose/get.sh --dir %s FROM upgrade' "$root"
    fi
}

# The bot's invitations name the place that this node itself came from, where that is a URL.
# The controller's own rule (RELEASE_URL): it becomes a word of a shell's command, and a password in it would be shown to everybody invited.
shown_url() { if [[ $opt_from =~ ^https?://[A-Za-z0-9][A-Za-z0-9._~:/%-]{0,500}$ ]]; then printf '%s\n' "${opt_from%/}"; fi; }

fetch_release() {
    local new
    mkdir -p "$artefacts"
    new="$(mktemp -d "$artefacts/new.XXXXXX")"
    # shellcheck disable=SC2064 # the folder of this call
    trap "rm -rf '$new'; forget_secrets" EXIT
    fetch "$1" SHA256SUMS "$new"
    fetch "$1" SHA256SUMS.minisig "$new"
    check_release "$new"
    mv "$new/SHA256SUMS" "$new/SHA256SUMS.minisig" "$artefacts/"
    rm -rf "$new"
}

# load_image agent|controller VERSION. The agent's once for each version of it: a container keeps running while its image stays the same.
load_image() {
    local image="constella-$1:$2" name
    name="constella-$1-$2-$(architecture).image.tar.gz"
    if [ "$1" = agent ] && have_image "$image"; then
        say "  $image is there; it is reused"
        return
    fi
    grep -qF " $name" "$artefacts/SHA256SUMS" || die "the release has no image for $(architecture): it has $(architectures). Build the sources on this server, or on one like it (docs/releasing.md)"
    [ -e "$artefacts/$name" ] || fetch_image "$name"
    check_file "$artefacts" "$name"
    docker load -q -i "$artefacts/$name" >/dev/null
    say "  $image ($(($(wc -c <"$artefacts/$name") / 1024)) KiB)"
}
fetch_image() {
    [ -n "$opt_from" ] || die "artefacts/ has no $1: copy it there, or name the release with --from"
    fetch "$opt_from" "$1" "$artefacts"
}

# Archives of earlier releases.
drop_old_images() {
    local file
    for file in "$artefacts"/*.image.tar.gz; do
        [ ! -e "$file" ] || grep -qF " ${file##*/}" "$artefacts/SHA256SUMS" || rm -f "$file"
    done
}

# As Docker names it.
architecture() {
    case "$(uname -m)" in
        x86_64) echo amd64 ;;
        aarch64) echo arm64 ;;
        *) uname -m ;;
    esac
}
architectures() { sed -n 's/.* constella-controller-.*-\([a-z0-9_]*\)\.image\.tar\.gz$/\1/p' "$artefacts/SHA256SUMS" | sort | paste -sd ' ' -; }

# The agent's image once for each version of it; the controller's every time. Compiled dependencies stay in BuildKit's caches.
build_images() {
    local agent_image
    agent_image="constella-agent:$(agent_version)"
    if have_image "$agent_image"; then
        say "$agent_image is there; it is reused"
    else
        build_agent "$agent_image"
    fi
    compose build controller
}

build_agent() {
    DOCKER_BUILDKIT=1 docker build -f "$root/compose/Dockerfile" --target agent \
        --build-arg "AGENT_VERSION=$(agent_version)" --build-arg "CONTROLLER_VERSION=$(controller_version)" -t "$1" "$root"
}
