//! The settings of the host's operator, from the environment alone: nothing that arrives over the socket can change them.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};

/// How a reboot is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebootMethod {
    /// Enter PID 1's namespaces and execute `/sbin/reboot`.
    Nsenter,
    /// Send SIGRTMIN+5 to a PID 1 that is systemd; needs no capability.
    Signal,
}

#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) socket: PathBuf,
    pub(crate) state_dir: PathBuf,
    pub(crate) allowed_uids: Vec<u32>,
    pub(crate) allow_reboot: bool,
    pub(crate) reboot_method: RebootMethod,
    pub(crate) reboot_min_interval: Duration,
    pub(crate) allow_speedtest: bool,
    pub(crate) speedtest_url: String,
    pub(crate) speedtest_max_mb: u64,
    /// Zero for never.
    pub(crate) speedtest_every: Duration,
    pub(crate) sample_every: Duration,
    /// Whether to write what the agent recovers from to standard error too.
    pub(crate) warnings: bool,
}

/// Names that begin so are ours, so that a typing error in one is found.
const OURS: [&str; 5] = ["AGENT_", "ALLOW_", "REBOOT_", "SPEEDTEST_", "SAMPLE_"];

impl Config {
    pub(crate) fn read() -> Result<Self> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            name.into_string().ok().zip(value.into_string().ok())
        };
        let mut vars = Vars(std::env::vars_os().filter_map(text).collect());
        let path = |text: &str| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
        let yes = |text: &str| text.parse().ok();
        let method = |text: &str| match text {
            "nsenter" => Some(RebootMethod::Nsenter),
            "signal" => Some(RebootMethod::Signal),
            _ => None,
        };
        let uids = |text: &str| text.split(',').map(|uid| uid.trim().parse().ok()).collect();
        let url = |text: &str| (text.starts_with("http://") || text.starts_with("https://")).then(|| text.to_owned());
        let megabytes = |text: &str| text.parse().ok().filter(|megabytes| (1..=100_000).contains(megabytes));
        let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
        let period = |text: &str| seconds(text).filter(|time| (1.0..=60.0).contains(&time.as_secs_f64()));
        let hours = |text: &str| seconds(text)?.checked_mul(3600);
        let level = |text: &str| ["error", "warn", "info", "debug"].into_iter().position(|level| level == text);
        let config = Self {
            socket: vars.take("AGENT_SOCKET", "/run/constella/agent.sock", "an absolute path", path)?,
            state_dir: vars.take("AGENT_STATE_DIR", "/var/lib/constella", "an absolute path", path)?,
            // The operator's curl and the controller.
            allowed_uids: vars.take("AGENT_ALLOWED_UIDS", "0,10001", "uids with commas between", uids)?,
            allow_reboot: vars.take("ALLOW_REBOOT", "true", "true or false", yes)?,
            reboot_method: vars.take("REBOOT_METHOD", "nsenter", "nsenter or signal", method)?,
            // So long is a host up between two reboots, whatever the network wants; so soon can a failed one be tried again.
            reboot_min_interval: vars.take("REBOOT_MIN_INTERVAL_SEC", "60", "a number of seconds", seconds)?,
            allow_speedtest: vars.take("ALLOW_SPEEDTEST", "true", "true or false", yes)?,
            speedtest_url: vars.take("SPEEDTEST_URL", "https://speed.cloudflare.com/", "http:// or https://", url)?,
            // Both directions together: 8 s at 200 Mbit/s.
            speedtest_max_mb: vars.take("SPEEDTEST_MAX_MB", "200", "a number from 1 to 100000", megabytes)?,
            speedtest_every: vars.take("SPEEDTEST_EVERY_HOURS", "0", "a number of hours, 0 for never", hours)?,
            sample_every: vars.take("SAMPLE_EVERY_SEC", "5", "a number of seconds from 1 to 60", period)?,
            warnings: vars.take("LOG", "info", "error, warn, info or debug", level)? > 0,
        };
        match vars.0.into_keys().find(|name| OURS.iter().any(|ours| name.starts_with(ours))) {
            Some(name) => bail!("{name} is no setting of the agent, though it begins like one"),
            None => Ok(config),
        }
    }
}

struct Vars(BTreeMap<String, String>);

impl Vars {
    /// Takes a variable out; one that is absent or empty, as compose leaves it, is its default.
    fn take<T>(&mut self, name: &str, default: &str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Result<T> {
        let value = self.0.remove(name).filter(|value| !value.trim().is_empty()).unwrap_or_else(|| default.to_owned());
        read(value.trim()).with_context(|| format!("{name}={value} is not {wanted}"))
    }
}
