//! What the agent takes the host to be: an argument, so that the demo and the tests hand in another one and the code never asks which.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::config::RebootMethod;

/// The host under the agent. [`Host::real`] is what the product runs with.
pub struct Host {
    /// The `/proc` folder of the process whose namespaces are the host's: `/proc/1`.
    pub pid1: PathBuf,
    /// The file with the boot id, which changes with every boot: 36 characters.
    pub boot_id: PathBuf,
    /// True where the agent is started as root and must give its power away; false where it has none to begin with (the demo).
    pub powers: bool,
    /// The command that reboots the host; its exit status and standard error are the outcome.
    pub reboot: fn(RebootMethod) -> Command,
}

impl Host {
    /// The host whose PID 1 this process sees: with `pid: host`, the machine's.
    #[must_use]
    pub fn real() -> Self {
        let reboot = |method: RebootMethod| {
            let mut helper = inner("reboot");
            helper.arg(if method == RebootMethod::Signal { "signal" } else { "nsenter" }).env_clear();
            helper
        };
        let boot_id = PathBuf::from("/proc/sys/kernel/random/boot_id");
        Self { pid1: PathBuf::from("/proc/1"), boot_id, powers: true, reboot }
    }
}

/// This program again, as one of the processes in [`crate::inner`]. The path stays right when the file is replaced meanwhile.
pub(crate) fn inner(name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(format!("inner-{name}")).stdin(Stdio::null());
    command
}
