//! What the agent takes the host to be: an argument, so that the demo and the tests hand in another one and the code never asks which.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::config::RebootMethod;

/// The host under the agent. [`Host::real`] is what the product runs with.
pub struct Host {
    /// The `/proc` folder of the process whose namespaces are the host's: `/proc/1`.
    pub pid1: PathBuf,
    /// The file with the boot id, a UUID that changes with every boot.
    pub boot_id: PathBuf,
    /// True where the agent is started as root and must give its power away; false where it never had any (the demo).
    pub powers: bool,
    /// The command that reboots the host. Its exit status and standard error are the outcome.
    pub reboot: fn(RebootMethod) -> Command,
}

impl Host {
    /// The host whose PID 1 this process sees: with `pid: host`, the machine's.
    #[must_use]
    pub fn real() -> Self {
        Self {
            pid1: PathBuf::from("/proc/1"),
            boot_id: PathBuf::from("/proc/sys/kernel/random/boot_id"),
            powers: true,
            reboot: |method| {
                let mut helper = Inner::Reboot.command();
                helper.arg(method.name());
                helper
            },
        }
    }
}

/// The hidden subcommands: each is this same program, freshly executed, with one purpose and a cleared environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    /// The unprivileged front; alone in keeping the environment, which is where its settings are.
    Front,
    /// Looks at the host's name and mounts, without power.
    Look,
    /// Enters PID 1's namespaces and becomes `/sbin/reboot`.
    Reboot,
    /// Enters PID 1's network, drops everything, and becomes [`Inner::Speedtest`].
    SpeedtestEnter,
    /// Measures, without power.
    Speedtest,
}

impl Inner {
    const ALL: [Self; 5] = [Self::Front, Self::Look, Self::Reboot, Self::SpeedtestEnter, Self::Speedtest];

    /// The argument that selects it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Front => "inner-front",
            Self::Look => "inner-look",
            Self::Reboot => "inner-reboot",
            Self::SpeedtestEnter => "inner-speedtest-enter",
            Self::Speedtest => "inner-speedtest",
        }
    }

    /// The subcommand of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|inner| inner.name() == name)
    }

    /// This program again, as that subcommand. `/proc/self/exe` stays right when the file is replaced meanwhile.
    #[must_use]
    pub fn command(self) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.arg(self.name()).stdin(Stdio::null());
        if self != Self::Front {
            command.env_clear();
        }
        command
    }
}
