//! The settings of the host's operator, from the environment alone: nothing that arrives over the socket can change them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::log::Level;

/// How a reboot is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebootMethod {
    /// Enter PID 1's namespaces and execute `/sbin/reboot`.
    Nsenter,
    /// Send SIGRTMIN+5 to a PID 1 that is systemd; needs no capability.
    Signal,
}

impl RebootMethod {
    /// The name in `REBOOT_METHOD`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nsenter => "nsenter",
            Self::Signal => "signal",
        }
    }
}

/// Everything that the operator can set.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is the variable of the same name, explained in `read`")]
pub struct Config {
    pub socket: PathBuf,
    pub state_dir: PathBuf,
    pub allowed_uids: Vec<u32>,
    pub allow_reboot: bool,
    pub reboot_method: RebootMethod,
    pub reboot_min_interval: Duration,
    pub allow_speedtest: bool,
    pub speedtest_url: String,
    pub speedtest_max_mb: u64,
    pub speedtest_every: Option<Duration>,
    pub sample_every: Duration,
    pub log: Level,
}

/// A setting that cannot be meant. The operator's to mend; nothing was started.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A value outside what its variable takes.
    #[error("{name}={value} is not {wanted}")]
    BadValue {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// A name that begins like one of ours and is none.
    #[error("{0} is no setting of the agent; its settings are {names}", names = NAMES.join(" "))]
    Unknown(String),
}

const NAMES: [&str; 12] = [
    "AGENT_SOCKET",
    "AGENT_STATE_DIR",
    "AGENT_ALLOWED_UIDS",
    "ALLOW_REBOOT",
    "REBOOT_METHOD",
    "REBOOT_MIN_INTERVAL_SEC",
    "ALLOW_SPEEDTEST",
    "SPEEDTEST_URL",
    "SPEEDTEST_MAX_MB",
    "SPEEDTEST_EVERY_HOURS",
    "SAMPLE_EVERY_SEC",
    "LOG",
];
/// Names that begin so are ours, so that a typing error in one is found.
const OURS: [&str; 5] = ["AGENT_", "ALLOW_", "REBOOT_", "SPEEDTEST_", "SAMPLE_"];

impl Config {
    /// Reads the settings from the variables given (name, value).
    ///
    /// # Errors
    /// [`ConfigError`] names the first setting that is wrong.
    pub fn read(vars: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let vars = Vars(vars.collect());
        for name in vars.0.keys() {
            if OURS.iter().any(|ours| name.starts_with(ours)) && !NAMES.contains(&name.as_str()) {
                return Err(ConfigError::Unknown(name.clone()));
            }
        }
        let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
        let hours = |text: &str| Some(seconds(text)?.checked_mul(3600)).map(|h| h.filter(|h| !h.is_zero()));
        Ok(Self {
            socket: vars.take("AGENT_SOCKET", "/run/constella/agent.sock", "an absolute path", absolute)?,
            state_dir: vars.take("AGENT_STATE_DIR", "/var/lib/constella", "an absolute path", absolute)?,
            // The operator's curl and the controller.
            allowed_uids: vars.take("AGENT_ALLOWED_UIDS", "0,10001", "a list of uids with commas", |text| {
                text.split(',').map(|uid| uid.trim().parse().ok()).collect()
            })?,
            allow_reboot: vars.take("ALLOW_REBOOT", "true", "true or false", |text| text.parse().ok())?,
            reboot_method: vars.take("REBOOT_METHOD", "nsenter", "nsenter or signal", |text| {
                [RebootMethod::Nsenter, RebootMethod::Signal].into_iter().find(|m| m.name() == text)
            })?,
            // A minute: long enough that a host is always reachable between two, short enough for a second try.
            reboot_min_interval: vars.take("REBOOT_MIN_INTERVAL_SEC", "60", "a number of seconds", seconds)?,
            allow_speedtest: vars.take("ALLOW_SPEEDTEST", "true", "true or false", |text| text.parse().ok())?,
            speedtest_url: vars.take(
                "SPEEDTEST_URL",
                "https://speed.cloudflare.com/",
                "an http:// or https:// address",
                |text| (text.starts_with("https://") || text.starts_with("http://")).then(|| text.to_owned()),
            )?,
            // Both directions together: 8 s at 200 Mbit/s, or what a small traffic quota forgives.
            speedtest_max_mb: vars.take("SPEEDTEST_MAX_MB", "200", "a number from 1 to 100000", |text| {
                text.parse().ok().filter(|mb| (1..=100_000).contains(mb))
            })?,
            speedtest_every: vars.take("SPEEDTEST_EVERY_HOURS", "0", "a number of hours, 0 for never", hours)?,
            sample_every: vars.take("SAMPLE_EVERY_SEC", "5", "a number of seconds from 1 to 60", |text| {
                seconds(text).filter(|s| (1.0..=60.0).contains(&s.as_secs_f64()))
            })?,
            log: vars.take("LOG", "info", "error, warn, info or debug", |text| match text {
                "error" => Some(Level::Error),
                "warn" => Some(Level::Warn),
                "info" => Some(Level::Info),
                "debug" => Some(Level::Debug),
                _ => None,
            })?,
        })
    }
}

fn absolute(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(text)).filter(|path| path.is_absolute())
}

struct Vars(BTreeMap<String, String>);

impl Vars {
    /// The variable, or its default where it is absent or empty (as compose files leave it), read by `read`.
    fn take<T>(
        &self,
        name: &'static str,
        default: &str,
        wanted: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let value = self.0.get(name).map(|v| v.trim()).filter(|v| !v.is_empty()).unwrap_or(default);
        read(value).ok_or_else(|| ConfigError::BadValue { name, value: value.to_owned(), wanted })
    }
}
