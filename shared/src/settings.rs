//! The agent's settings by name. The agent reads them; a controller knows their names, since one file may hold the settings of both programs;
//! docs/settings.md is made from this table.

/// A setting: a variable of the environment, for the controller also a key of `config.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// Its value where it is absent or empty, as it would be written; empty where there is none.
    pub default: &'static str,
    /// What it does, with unit and bounds.
    pub meaning: &'static str,
    /// Whether a line in `.env` reaches the program in its container.
    pub env: Env,
}

/// What `compose.yaml` does with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Env {
    /// A line in `.env` is passed on.
    Passed,
    /// The compose files decide.
    Fixed,
    /// Never in a container: a secret, or what only an empty state reads.
    Kept,
}

const fn passed(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, env: Env::Passed }
}

/// Every setting of the agent. What the host's operator decides here, nothing that arrives over the network widens.
pub const AGENT: &[Setting] = &[
    Setting {
        name: "AGENT_SOCKET",
        default: "/run/constella/agent.sock",
        meaning: "The unix socket that the agent listens on: an absolute path.",
        env: Env::Fixed,
    },
    Setting {
        name: "AGENT_STATE_DIR",
        default: "/var/lib/constella",
        meaning: "The folder of the series, of the ids that were executed, and of the audit file: an absolute path.",
        env: Env::Fixed,
    },
    passed(
        "AGENT_ALLOWED_UIDS",
        "0,10001",
        "Who may connect to the socket: uids with commas between, the operator and the controller.",
    ),
    passed("ALLOW_REBOOT", "true", "Whether the agent reboots the host when the owner orders it: true or false."),
    passed(
        "REBOOT_METHOD",
        "nsenter",
        "nsenter executes the host's /sbin/reboot in its namespaces; signal tells a PID 1 that is systemd, and needs no capability.",
    ),
    passed(
        "REBOOT_MIN_INTERVAL_SEC",
        "60",
        "Seconds that the host is up before it is rebooted again, whatever is ordered.",
    ),
    passed(
        "ALLOW_SPEEDTEST",
        "true",
        "Whether the agent measures the host's line when the owner orders it: true or false.",
    ),
    passed(
        "SPEEDTEST_URL",
        "https://speed.cloudflare.com/",
        "The server to measure against, http:// or https://, with Cloudflare's paths `__down?bytes=` and `__up`.",
    ),
    passed("SPEEDTEST_MAX_MB", "200", "Megabytes of one test, both directions together: 1 to 100000."),
    passed(
        "SPEEDTEST_EVERY_HOURS",
        "0",
        "Hours between two tests that nobody ordered, also fractional; 0 for never. They cost the host's traffic.",
    ),
    passed("SAMPLE_EVERY_SEC", "5", "Seconds between two samples of the series: 1 to 60."),
];
