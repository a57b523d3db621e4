//! The agent of one host, as a library, so that the demo can run all of it with a [`Host`] of its own. `main.rs` is the audit map.

mod config;
mod front;
mod look;
mod powers;
mod root;
mod series;
mod speedtest;
use anyhow::{Context, Result, ensure};
use config::Config;
use constella_shared::settings::{self, Setting};
use std::process::{Command, ExitCode, Stdio};
use std::{io::Read, io::Write, os::unix::net::UnixStream, path::PathBuf};

/// What the agent takes its host to be: an argument, so that the demo and the tests hand in another one and the code never asks which.
pub struct Host {
    /// The `/proc` folder of the process whose namespaces are the host's: `/proc/1`.
    pub pid1: PathBuf,
    /// The file with the boot id, which changes with every boot: 36 characters.
    pub boot_id: PathBuf,
    /// True where the agent is started as root and must give its power away; false where it has none to begin with (the demo).
    pub powers: bool,
    /// The command that reboots the host, executed inside of it with no environment; its exit status and standard error are the outcome.
    pub reboot: fn() -> Command,
}

impl Host {
    /// The host whose PID 1 this process sees: with `pid: host`, the machine's.
    #[must_use]
    pub fn real() -> Self {
        let (pid1, boot_id) = ("/proc/1".into(), "/proc/sys/kernel/random/boot_id".into());
        Self { pid1, boot_id, powers: true, reboot: || Command::new("/sbin/reboot") }
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

/// What a subcommand stands for, most of them processes of the agent; none where the arguments name none. A program that runs the agent
/// calls this first in its `main`, because the agent starts its other processes as that program again.
#[must_use]
pub fn inner(host: &Host) -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let (name, argument) = (args.next()?, args.next().unwrap_or_default());
    Some(code(match name.as_str() {
        "inner-front" => Config::read().and_then(|config| front::run(host, config)),
        "inner-look" => look::run(host),
        "healthcheck" => Config::read().and_then(|config| healthcheck(&config)),
        "version" => writeln!(std::io::stdout(), "constella-agent {}", env!("CARGO_PKG_VERSION")).map_err(Into::into),
        "inner-reboot" => powers::reboot(host, &argument),
        "inner-speedtest" => Config::read().and_then(|config| speedtest::run(host, &config, &argument)),
        _ => return None,
    }))
}

/// Asks the agent at the socket for its health: the container's health check, whose time is the engine's to limit.
fn healthcheck(config: &Config) -> Result<()> {
    let (path, mut status) = (config.socket.display(), [0; 12]);
    let mut ask = || -> std::io::Result<()> {
        let mut socket = UnixStream::connect(&config.socket)?;
        socket.write_all(b"GET /v1/health HTTP/1.1\r\n\r\n")?;
        socket.read_exact(&mut status)
    };
    ask().with_context(|| format!("no agent answers at {path} (AGENT_SOCKET)"))?;
    ensure!(status == *b"HTTP/1.1 200", "the agent at {path} is not well");
    Ok(())
}

/// What the program can be told, and every setting.
#[must_use]
pub fn help() -> String {
    let usage = "constella-agent [run | healthcheck | version | help]\n\n  run          serves the host's agent (default)\n  \
        healthcheck  asks a running agent for its health; exit status 0 where it is well\n  version      prints the version\n\n\
        Settings come from the environment alone; an empty one is its default:\n";
    let row = |it: &Setting| format!("  {}={}\n      {}\n", it.name, it.default, it.meaning);
    usage.to_owned() + &settings::AGENT.iter().map(row).collect::<String>()
}

fn code(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("constella-agent: {error:#}");
    ExitCode::FAILURE
}
