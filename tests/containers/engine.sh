# shellcheck shell=bash
# The Docker client and the Compose 2 of this machine, or where to get them. Sourced by .ci/run, images.sh and vps.sh.

# BuildKit with what is there: the buildx plugin, or Debian's docker 20.10, which has it built in (another client may shadow it).
# -> $docker_client
find_docker() {
    local candidate
    for candidate in docker /usr/bin/docker; do
        candidate="$(type -P "$candidate")" || continue
        if "$candidate" buildx version >/dev/null 2>&1 || "$candidate" --version | grep -q 'version 20\.'; then
            # shellcheck disable=SC2034 # for whoever asked
            docker_client="$candidate"
            return
        fi
    done
    echo "no docker client here does BuildKit: install docker-buildx" >&2
    return 1
}

# find_plugin NAME: where Docker keeps its plugins (docker.com/cli/plugins).
find_plugin() {
    local folder
    for folder in ~/.docker/cli-plugins /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins /usr/lib/docker/cli-plugins /usr/libexec/docker/cli-plugins; do
        if [ -x "$folder/$1" ]; then
            printf '%s\n' "$folder/$1"
            return
        fi
    done
    return 1
}

# find_compose FOLDER: Compose 2 where it is; else Debian's newer package, unpacked into FOLDER once. -> $compose_binary
find_compose() {
    compose_binary="$(find_plugin docker-compose)" && return
    compose_binary="$1/docker-compose-v2"
    [ ! -x "$compose_binary" ] || return 0
    local work mirror
    work="$(mktemp -d)"
    mirror="$(sed -n 's/^URIs: //p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)"
    mkdir -p "$1" "$work/lists/partial" "$work/cache/archives/partial"
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "$mirror" >"$work/trixie.sources"
    (
        cd "$work"
        apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/trixie.sources" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
        "${apt[@]}" update && "${apt[@]}" download docker-compose && dpkg-deb -x docker-compose_*.deb unpacked
    ) >/dev/null 2>&1 || true
    [ ! -f "$work/unpacked/usr/libexec/docker/cli-plugins/docker-compose" ] || cp "$work/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$compose_binary"
    rm -rf "$work"
    [ -x "$compose_binary" ]
}
