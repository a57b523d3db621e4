#!/usr/bin/env bash
# Installs, upgrades, checks and removes a Constella node, or shows the demo. `./install.sh help` lists the verbs and their flags.
#
# What it writes: .env (no secret in it), state/ (made once, owned by uid 10001; never touched again), images and containers of this
# project. Secrets go to the controller through a file that only its uid reads, which is removed when the controller has taken it.
set -euo pipefail
umask 022

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly root
readonly controller_uid=10001
readonly agent_front_uid=10002 # the agent's part without power
readonly min_docker=20.10.10  # its seccomp support knows errnoRet, without which clone3 breaks threads
readonly min_rust=1.95
readonly build_disk_mb=4096   # Rust's image, compiled dependencies, two small images
readonly build_memory_mb=1500 # the linker's peak with fat LTO
readonly release_disk_mb=100  # a release's images, packed and unpacked, twice
readonly release_memory_mb=64 # what agent, controller and `docker load` need, with room

# shellcheck source=compose/get.sh
. "$root/compose/get.sh"
# shellcheck source=compose/install/say.sh
. "$root/compose/install/say.sh"
# shellcheck source=compose/install/options.sh
. "$root/compose/install/options.sh"
# shellcheck source=compose/install/checks.sh
. "$root/compose/install/checks.sh"
# shellcheck source=compose/install/link.sh
. "$root/compose/install/link.sh"
# shellcheck source=compose/install/images.sh
. "$root/compose/install/images.sh"
# shellcheck source=compose/install/node.sh
. "$root/compose/install/node.sh"
# shellcheck source=compose/install/vpn.sh
. "$root/compose/install/vpn.sh"

usage() {
    cat <<'TEXT'
Usage: ./install.sh VERB [FLAGS]

  init      found a network: this server becomes its first node
  join      add this server to a network, with a link from the bot's /invite
  demo      three nodes on this computer with a local Telegram; needs only Rust
  upgrade   take the images of a release, or build the sources that are checked out, and replace the controller; the agent only if its own
            version changed
  remove    stop and remove the containers (--purge: also state, volumes and images)
  doctor    check this host and this node, and say what to do (exit status 0: all is well, 1: something is wrong)
  vpn-peer KEY ADDRESS | KEY --remove
            on the overlay's hub: let a client in, with the key that its install printed, or out

Flags of init and join (what is missing is asked, or with no terminal an error):
  --server-name NAME        how the owner sees this server (default: the host's name)
  --public-addr HOST[:PORT] where other nodes reach it (default: what the seed sees; port 4747)
  --port N                  where this server listens (default: 4747)
  --priority N              smaller holds the bot earlier (default: 100)
  --network host|bridge     the controller's network (default: host)
  --from URL|FOLDER         a release, whose signature is checked; without it: one that is in artefacts/ here, else the sources are built
  --no-start                write, load and build everything, start nothing
  --yes                     ask nothing
init only:
  --owner @NAME             your Telegram username
  --bot-token TOKEN         from @BotFather; `-` reads it from standard input, --bot-token-file PATH from a file
  --no-share-token          later nodes do not get the token and never hold the bot
join only:
  --join LINK               the join:// link; `-` reads it from standard input, --join-file PATH from a file
upgrade:
  --from URL|FOLDER         as above; the release brings its own install.sh: compose/get.sh FROM upgrade
  --no-start                load or build everything, replace nothing      --yes  ask nothing
remove:
  --purge                   also state, volumes and images         --yes  ask nothing
demo:
  --script                  plays the story without a browser
  --port N  --nodes 2..10  --lang en|ru
Settings of a node that is there: .env and docs/settings.md
Overlay (WireGuard), init and join:
  --vpn-mode none|hub|client  --vpn-interface wg0  --vpn-cidr 10.42.0.0/24  --vpn-address A  --vpn-listen-port 51820
  --vpn-hub-endpoint HOST:PORT  --vpn-hub-public-key KEY  --vpn-allowed-ips CIDRS  --vpn-preshared-key KEY|-
TEXT
}

main() {
    local verb="${1:-help}"
    [ $# -eq 0 ] || shift
    # Whoever asks for help gets it and nothing else, wherever the word stands.
    case " $verb $* " in
        " init "* | " join "* | " demo "* | " upgrade "* | " remove "* | " doctor "* | " vpn-peer "*)
            case " $* " in *" --help "* | *" -h "*) verb=help ;; esac
            ;;
    esac
    case "$verb" in
        init | join) options "$verb" "$@"; install_node "$verb" ;;
        demo) demo "$@" ;;
        upgrade) options upgrade "$@"; upgrade_node ;;
        remove) options remove "$@"; remove_node ;;
        doctor) options doctor "$@"; doctor ;;
        vpn-peer) vpn_peer "$@" ;;
        help | -h | --help) usage ;;
        *) usage >&2; refuse "unknown verb: $verb" ;;
    esac
}

# Replaces this shell by cargo, and cargo itself by the demo: Ctrl-C and signals reach the demo, which cleans up after itself.
demo() {
    demo_flags "$@"
    step "Checking this computer"
    check_rust
    stop_on_failed_checks
    cd "$root"
    say "building (the first time takes some minutes on two cores; cargo shows how far it is)"
    cargo build --locked -p constella-agent -p constella-controller -p constella-tests --bins
    exec cargo run -q --locked -p constella-tests --bin demo -- "$@"
}

# Refused before minutes of building; the values are the demo's own to judge.
demo_flags() {
    while [ $# -gt 0 ]; do
        case "$1" in
            --script | --port=* | --nodes=* | --lang=*) ;;
            --port | --nodes | --lang) [ $# -gt 1 ] || refuse "demo: $1 needs a value (./install.sh demo --help)"; shift ;;
            *) refuse "demo knows no $1 (./install.sh demo --help)" ;;
        esac
        shift
    done
}

main "$@"
