//! A host that only records its reboots. To the agent it is a host like any other: the real figures of this machine, a boot id of its
//! own, and a reboot command whose outcome it hears.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use constella_agent::Host;

/// A reboot that was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Since 1970.
    pub at: Duration,
}

/// The folder of one host.
#[derive(Clone, Debug)]
pub(super) struct HostFolder(PathBuf);

impl HostFolder {
    /// Makes the folder, with a first boot id.
    pub(super) fn create(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let host = Self(folder);
        host.boot()?;
        Ok(host)
    }

    /// For the environment of the agent.
    pub(super) fn variable(&self) -> (&'static str, &Path) {
        (VARIABLE, &self.0)
    }

    /// The host boots: it has another boot id from now on.
    pub(super) fn boot(&self) -> io::Result<()> {
        let fresh = std::fs::read("/proc/sys/kernel/random/uuid")?;
        let hidden = self.0.join("boot_id.new");
        std::fs::write(&hidden, fresh)?;
        std::fs::rename(hidden, self.0.join(BOOT_ID))
    }

    /// The reboots that were ordered so far.
    pub(super) fn reboots(&self) -> Vec<Recorded> {
        let text = std::fs::read_to_string(self.0.join(REBOOTS)).unwrap_or_default();
        let at = |line: &str| line.parse().ok().map(|ms| Recorded { at: Duration::from_millis(ms) });
        text.lines().filter_map(at).collect()
    }
}

/// The host that the environment names: what the agent is given in place of the real one.
pub(super) fn of_environment() -> Host {
    let folder = std::env::var_os(VARIABLE).map_or_else(|| PathBuf::from("/nonexistent"), PathBuf::from);
    Host { pid1: PathBuf::from("/proc/self"), boot_id: folder.join(BOOT_ID), powers: false, reboot }
}

/// Stands where `/sbin/reboot` would: writes a line.
fn reboot() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg("cluster-reboot").arg(std::env::var_os(VARIABLE).unwrap_or_default());
    command
}

/// Records one reboot.
pub(super) fn record(folder: &Path) -> io::Result<()> {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join(REBOOTS))?;
    file.write_all(format!("{ms}\n").as_bytes())
}

/// Where the agent's processes learn which host they are on.
const VARIABLE: &str = "RECORDED_HOST";
const BOOT_ID: &str = "boot_id";
const REBOOTS: &str = "reboots";
