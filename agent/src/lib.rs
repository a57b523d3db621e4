//! The agent of one host, as a library, so that the demo can run all of it with a [`Host`] of its own. `main.rs` is the audit map.

mod config;
mod front;
mod look;
mod powers;
mod root;
mod rows;
mod rtsignal;
mod series;
mod speedtest;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use constella_shared::limits::AGENT_REQUEST_MS;

use config::Config;
pub use config::RebootMethod;

/// What the agent takes its host to be: an argument, so that the demo and the tests hand in another one and the code never asks which.
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
            let mut helper = inner_process("reboot", if method == RebootMethod::Signal { "signal" } else { "nsenter" });
            helper.env_clear();
            helper
        };
        let boot_id = PathBuf::from("/proc/sys/kernel/random/boot_id");
        Self { pid1: PathBuf::from("/proc/1"), boot_id, powers: true, reboot }
    }
}

/// Runs the whole agent, in this process and its children, until it fails. Settings come from the environment.
#[must_use]
pub fn run(host: &Host) -> ExitCode {
    code(Config::read().and_then(|config| root::run(host, &config)))
}

/// This program again, as one of the processes in [`inner`]. The path stays right when the file is replaced meanwhile.
fn inner_process(name: &str, argument: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args([&format!("inner-{name}"), argument]).stdin(Stdio::null());
    command
}

/// The process that a hidden subcommand stands for; none where the arguments name none. A program that runs the agent calls this first
/// in its `main`, because the agent starts its other processes as that program again.
#[must_use]
pub fn inner(host: &Host) -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    let (name, argument) = (args.next()?, args.next().unwrap_or_default());
    Some(code(match name.as_str() {
        "inner-front" => Config::read().and_then(|config| front::run(host, config)),
        "inner-look" => look::run(host),
        "inner-reboot" => powers::reboot(&host.pid1, &argument),
        "inner-speedtest" => Config::read().and_then(|config| speedtest::run(host, &config, &argument)),
        _ => return None,
    }))
}

/// Asks the agent at the socket for its health: the container's health check.
#[must_use]
pub fn healthcheck() -> ExitCode {
    code(Config::read().and_then(|config| {
        let mut socket = UnixStream::connect(config.socket)?;
        socket.set_read_timeout(Some(Duration::from_millis(AGENT_REQUEST_MS)))?;
        socket.write_all(b"GET /v1/health HTTP/1.1\r\nHost: agent\r\n\r\n")?;
        let mut status = [0; 12];
        socket.read_exact(&mut status)?;
        ensure!(status == *b"HTTP/1.1 200", "the agent is not well");
        Ok(())
    }))
}

fn code(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("constella-agent: {error:#}");
    ExitCode::FAILURE
}
