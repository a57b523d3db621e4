//! The settings of the host's operator, from the environment alone: nothing that arrives over the socket can change them.

use anyhow::{Context, Result, bail};
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::Duration};

pub(crate) struct Config {
    pub(crate) socket: PathBuf,
    pub(crate) state_dir: PathBuf,
    pub(crate) allowed_uids: Vec<u32>,
    pub(crate) allow_reboot: bool,
    /// `nsenter`: enter PID 1's namespaces and execute `/sbin/reboot`. `signal`: SIGRTMIN+5 to a PID 1 that is systemd.
    pub(crate) reboot_method: String,
    pub(crate) reboot_min_interval: Duration,
    pub(crate) allow_speedtest: bool,
    pub(crate) speedtest_url: String,
    pub(crate) speedtest_max_mb: u64,
    pub(crate) speedtest_every: Option<Duration>,
    pub(crate) sample_every: Duration,
}

impl Config {
    pub(crate) fn read() -> Result<Self> {
        let vars = &mut std::env::vars_os().collect();
        let path = |text: &str| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
        let method = |text: &str| ["nsenter", "signal"].contains(&text).then(|| text.to_owned());
        let uids = |text: &str| text.split(',').map(|uid| uid.trim().parse().ok()).collect();
        let url = |text: &str| (text.starts_with("http://") || text.starts_with("https://")).then(|| text.to_owned());
        let megabytes = |text: &str| text.parse().ok().filter(|megabytes| (1..=100_000).contains(megabytes));
        let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
        let period = |text: &str| seconds(text).filter(|time| (1.0..=60.0).contains(&time.as_secs_f64()));
        let hours = |text: &str| Some(Some(seconds(text)?.checked_mul(3600)?).filter(|every| !every.is_zero()));
        let config = Self {
            socket: take(vars, "AGENT_SOCKET", "/run/constella/agent.sock", "an absolute path", path)?,
            state_dir: take(vars, "AGENT_STATE_DIR", "/var/lib/constella", "an absolute path", path)?,
            // The operator's curl and the controller.
            allowed_uids: take(vars, "AGENT_ALLOWED_UIDS", "0,10001", "uids with commas between", uids)?,
            allow_reboot: take(vars, "ALLOW_REBOOT", "true", "true or false", |text| text.parse().ok())?,
            reboot_method: take(vars, "REBOOT_METHOD", "nsenter", "nsenter or signal", method)?,
            // So long is a host up between two reboots, whatever the network wants; so soon can a failed one be tried again.
            reboot_min_interval: take(vars, "REBOOT_MIN_INTERVAL_SEC", "60", "a number of seconds", seconds)?,
            allow_speedtest: take(vars, "ALLOW_SPEEDTEST", "true", "true or false", |text| text.parse().ok())?,
            speedtest_url: take(vars, "SPEEDTEST_URL", "https://speed.cloudflare.com/", "http:// or https://", url)?,
            // Both directions together: 8 s at 200 Mbit/s.
            speedtest_max_mb: take(vars, "SPEEDTEST_MAX_MB", "200", "a number from 1 to 100000", megabytes)?,
            speedtest_every: take(vars, "SPEEDTEST_EVERY_HOURS", "0", "a number of hours, 0 for never", hours)?,
            sample_every: take(vars, "SAMPLE_EVERY_SEC", "5", "a number of seconds from 1 to 60", period)?,
        };
        // Names that begin so are ours, so that a typing error in one is found.
        let ours = ["AGENT_", "ALLOW_", "REBOOT_", "SPEEDTEST_", "SAMPLE_"];
        let unknown = vars.keys().find(|name| ours.iter().any(|ours| name.to_string_lossy().starts_with(ours)));
        let Some(name) = unknown else { return Ok(config) };
        bail!("{} is no setting of the agent, though it begins like one", name.display())
    }
}

type Vars = BTreeMap<OsString, OsString>;

/// Takes a variable out; one that is absent or empty, as compose leaves it, is its default.
fn take<T>(vars: &mut Vars, name: &str, default: &str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Result<T> {
    let value = vars.remove(&OsString::from(name)).unwrap_or_default().to_string_lossy().trim().to_owned();
    let value = if value.is_empty() { default } else { &value };
    read(value).with_context(|| format!("{name}={value} is not {wanted}"))
}
