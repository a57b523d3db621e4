//! The agent of one host, as a library, so that the demo can run all of it with a [`Host`] of its own. `main.rs` is the audit map.

mod config;
mod front;
mod host;
mod look;
mod powers;
mod root;
mod rtsignal;
mod series;
mod speedtest;

use std::io::{self, Read, Write};
use std::{error::Error, os::unix::net::UnixStream, process::ExitCode, time::Duration};

use constella_shared::limits::AGENT_REQUEST_MS;

use config::Config;
pub use config::RebootMethod;
pub use host::Host;

/// Why something ended, in a sentence with its causes: the operator's log and the owner read it, no code does.
type Failure = Box<dyn Error + Send + Sync>;

/// Runs the whole agent, in this process and its children, until it fails. Settings come from the environment.
#[must_use]
pub fn run(host: &Host) -> ExitCode {
    code(Config::read(std::env::vars_os()).and_then(|config| Ok(root::run(host, &config)?)))
}

/// The process that a hidden subcommand stands for; none where the arguments name none. A program that runs the agent calls this first
/// in its `main`, because the agent starts its other processes as that program again.
#[must_use]
pub fn inner(host: &Host) -> Option<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Some(code(match args.as_slice() {
        ["inner-front"] => Config::read(std::env::vars_os()).and_then(|config| front::run(host, config)),
        ["inner-look"] => look::run(host),
        ["inner-reboot", method] => powers::reboot(&host.pid1, method).map_err(Into::into),
        ["inner-speedtest"] => Config::read(std::env::vars_os()).and_then(|config| speedtest::run(host, &config)),
        _ => return None,
    }))
}

/// Asks the agent at the socket for its health: the container's health check.
#[must_use]
pub fn healthcheck() -> ExitCode {
    code(Config::read(std::env::vars_os()).and_then(|config| {
        let mut socket = UnixStream::connect(config.socket)?;
        socket.set_read_timeout(Some(Duration::from_millis(AGENT_REQUEST_MS)))?;
        socket.write_all(b"GET /v1/health HTTP/1.1\r\nHost: agent\r\n\r\n")?;
        let mut status = [0; 12];
        socket.read_exact(&mut status)?;
        if status == *b"HTTP/1.1 200" { Ok(()) } else { Err(io::Error::other("the agent is not well").into()) }
    }))
}

fn code(result: Result<(), Failure>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("constella-agent: {error}");
    ExitCode::FAILURE
}
