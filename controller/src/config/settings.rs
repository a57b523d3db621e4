//! Every setting of the controller, and those of `install.sh`, which a controller does not read: parsing, `run --help` and docs/settings.md are
//! made from these tables.

use std::fmt::Write as _;

use constella_shared::settings::{AGENT, Env, Setting};

const fn passed(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, env: Env::Passed }
}

const fn fixed(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, env: Env::Fixed }
}

const fn kept(name: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default: "", meaning, env: Env::Kept }
}

/// What the controller reads. An empty variable counts as absent.
pub const CONTROLLER: [Setting; 29] = [
    fixed(
        "STATE_DIR",
        "state",
        "The folder of keys, roster, secret and token. Not in config.toml, which is inside of it.",
    ),
    passed(
        "SERVER_NAME",
        "",
        "For `init` and `join`: this server's name before the owner, 1 to 63 letters, digits and .-_; without it the host's name. A state that is there wins.",
    ),
    passed("LISTEN_ADDR", "[::]:4747", "Where members are answered: ADDRESS:PORT. [::] answers IPv4 too."),
    passed(
        "PUBLIC_ADDR",
        "",
        "Where members reach this node: HOST or HOST:PORT. Without it the overlay's address, or the one that the seed or the kernel's route tells.",
    ),
    passed(
        "PRIORITY",
        "100",
        "For `init` and `join`: a whole number; among the nodes that can, the one with the smallest leads. A state that is there wins.",
    ),
    kept("OWNER_USERNAME", "The owner's Telegram name. For `init`; a state that is there wins."),
    kept("BOT_TOKEN", "The bot's token. For `init`; a state that is there wins. Not together with BOT_TOKEN_FILE."),
    kept("BOT_TOKEN_FILE", "A file with the token, or - for standard input; read when it is needed."),
    kept("NETWORK_ID", "64 hex digits. For `init`, which otherwise draws it; a state that is there wins."),
    kept("NETWORK_SECRET", "64 hex digits. For `init`, which otherwise draws it; a state that is there wins."),
    kept("JOIN_URL", "An invitation. For `join`, and for `run` with an empty state."),
    kept("SEED_PEERS", "More seeds for joining: HOST:PORT,PIN each, separated by blanks."),
    passed("HEARTBEAT_INTERVAL", "2", "Seconds between two probes of a member: 0.05 to 60."),
    passed(
        "HEARTBEAT_TIMEOUT",
        "",
        "Seconds after which a probe has failed: 0.01 to 60, and less than the interval; without it half the interval.",
    ),
    passed("DOWN_AFTER_MISSES", "3", "Intervals that a suspected member has to answer before it is down: 1 to 100."),
    passed(
        "DOWN_AFTER",
        "30",
        "Seconds without an answer to anybody after which the owner is told that a node is down: 10 to 600. The one of the Host counts.",
    ),
    passed("RPC_TIMEOUT", "3", "Seconds for a request to another node that has no limit of its own: 0.1 to 60."),
    passed(
        "CLOCK_SKEW",
        "30",
        "Seconds that another clock may be off before its requests are refused and its claims do not count: 1 to 3600.",
    ),
    passed(
        "BOT_LEASE_TTL",
        "4",
        "Seconds that a voter grants the lease for: 0.4 to 60. It must be the same on every node of a network.",
    ),
    passed(
        "TELEGRAM_API_URL",
        "https://api.telegram.org",
        "The Bot API server, http:// or https://, also with a path in front.",
    ),
    passed(
        "TELEGRAM_PROXY",
        "",
        "The proxy to Telegram, and to nothing else: http://, https://, socks5:// or socks5h://, also with USER:PASSWORD@.",
    ),
    passed(
        "RELEASE_URL",
        "",
        "Where the release came from that this node runs; `install.sh --from URL` writes it, and `/invite` sends new servers there.",
    ),
    passed("LANG_DEFAULT", "ru", "The bot's language until the owner chooses or Telegram names one: ru or en."),
    fixed("AGENT_SOCKET", "/run/constella/agent.sock", "The agent's socket."),
    fixed(
        "CONTROL_SOCKET",
        "",
        "The socket of this command line; without it control.sock in /run/constella-control where that is, else in the state folder.",
    ),
    passed("LOG", "info", "What is logged: a filter of tracing, e.g. info or constella_controller=debug."),
    passed("VPN_MODE", "none", "none, hub or client: whether this node is in an overlay, whose address it publishes."),
    passed("VPN_INTERFACE_NAME", "wg0", "The overlay's interface: 1 to 15 letters, digits, - and _."),
    passed("VPN_ADDRESS", "", "This node's address in the overlay, also with its network's length."),
];

/// What `install.sh` and Compose read: lines of `.env`, and what is a flag and never a line.
pub const INSTALL: [Setting; 10] = [
    passed("COMPOSE_FILE", "", "Which compose files make this node; `--network` of install.sh writes it."),
    passed("AGENT_VERSION", "", "The agent's image; install.sh writes it."),
    passed("CONTROLLER_VERSION", "", "The controller's image; install.sh writes it."),
    passed("PUBLISH_PORT", "4747", "With `--network bridge`: the port of the host, also ADDRESS:PORT."),
    passed("VPN_CIDR", "10.42.0.0/24", "The overlay's IPv4 network: `--vpn-cidr`."),
    kept("VPN_LISTEN_PORT", "`--vpn-listen-port`: the overlay's UDP port; a hub's is 51820 without it."),
    kept("VPN_HUB_ENDPOINT", "`--vpn-hub-endpoint`: where a client meets its hub, HOST:PORT."),
    kept("VPN_HUB_PUBLIC_KEY", "`--vpn-hub-public-key`: the hub's WireGuard key."),
    kept(
        "VPN_ALLOWED_IPS",
        "`--vpn-allowed-ips`: what a client sends through its hub; the overlay's network without it.",
    ),
    kept("VPN_PRESHARED_KEY", "`--vpn-preshared-key`: a key that the hub shares with its clients."),
];

/// Whether the controller reads a variable of this name.
pub(super) fn is_ours(name: &str) -> bool {
    CONTROLLER.iter().any(|setting| setting.name == name)
}

/// Whose setting this is, where it is not the controller's; as the end of a sentence.
pub(super) fn of_whom(name: &str) -> Option<&'static str> {
    let among = |table: &[Setting]| table.iter().any(|setting| setting.name == name);
    if among(AGENT) {
        Some("that is a setting of the agent, which reads its own environment")
    } else if among(&INSTALL) {
        Some("that is install.sh's, which makes the overlay and the compose files; a controller does not read it")
    } else if name == METRICS {
        Some("this version has no metrics")
    } else {
        None
    }
}

/// Of a later version. Whoever sets it shall not wait for figures that never come.
pub(super) const METRICS: &str = "METRICS_ADDR";

/// The controller's settings, for `run --help`.
#[must_use]
pub fn help() -> String {
    let mut text = String::from(
        "Settings, from the environment, then from config.toml in the state folder (in lower case), then the default:\n",
    );
    for Setting { name, default, meaning, .. } in CONTROLLER {
        let default = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        // A String takes everything.
        let _ = write!(text, "\n  {name}{default}\n      {meaning}\n");
    }
    text
}
