//! The agent of one host, as a library, so that the demo and the tests can run all of it with a [`Host`] of their own. `main.rs` is the audit map.

pub mod config;
mod front;
pub mod host;
mod log;
mod look;
mod report;
mod root;
mod row;
mod rtsignal;
mod series;
mod speedtest;

use std::error::Error;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use constella_shared::limits::AGENT_REQUEST_MS;

use config::{Config, RebootMethod};
use host::{Host, Inner};

/// Runs the whole agent in this process and its children until it fails. Settings come from the environment.
#[must_use]
pub fn run(host: &Host) -> ExitCode {
    code(settings().and_then(|config| match root::run(host, &config)? {}))
}

/// The part that a hidden subcommand stands for; none where the arguments name none. Whatever program runs the agent calls this
/// first in its `main`, because the agent starts its other processes as that program again.
#[must_use]
pub fn inner(host: &Host) -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    let inner = Inner::of(&args.next()?)?;
    let mut next = || args.next().unwrap_or_default();
    Some(code(match inner {
        Inner::Front => settings().and_then(|config| Ok(front::run(host, config)?)),
        Inner::Look => look::run(host).map_err(Into::into),
        Inner::Reboot if next() == RebootMethod::Signal.name() => {
            root::powers::signal_reboot(&host.pid1).map_err(Into::into)
        }
        Inner::Reboot => Err(root::powers::become_reboot(&host.pid1).into()),
        Inner::SpeedtestEnter => Err(speedtest::enter(host, &next(), &next()).into()),
        Inner::Speedtest => speedtest::run(&next(), &next()).map_err(Into::into),
    }))
}

/// Asks the agent at the socket for its health, as the container's health check.
#[must_use]
pub fn healthcheck() -> ExitCode {
    let ask = |config: Config| -> io::Result<()> {
        let mut socket = UnixStream::connect(config.socket)?;
        socket.set_read_timeout(Some(Duration::from_millis(AGENT_REQUEST_MS)))?;
        socket.write_all(b"GET /v1/health HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        socket.read_exact(&mut status)?;
        (status == *b"HTTP/1.1 200").then_some(()).ok_or_else(|| io::Error::other("the agent is not well"))
    };
    code(settings().and_then(|config| Ok(ask(config)?)))
}

fn settings() -> Result<Config, Box<dyn Error>> {
    let vars =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::read(vars)?;
    log::set(config.log);
    Ok(config)
}

fn code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("constella-agent: {error}");
            ExitCode::FAILURE
        }
    }
}
