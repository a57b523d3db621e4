//! The front: everything that listens, parses and keeps figures, in a process without power. Its threads share one [`Front`]; none
//! waits for the root part or a caller while it holds what is known.

mod answer;
mod sampler;
mod server;
mod speedtest;

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use constella_shared::agent::{AgentError, AgentErrorCode as Code, Stats};
use constella_shared::ids::CommandId;
use constella_shared::limits::REPORT_BYTES;
use zerocopy::{IntoBytes, TryFromBytes};

use crate::config::{Config, RebootMethod};
use crate::powers::{self, FRONT};
use crate::root::frame::{Ask, Record, State, Verb};
use crate::{Host, look::Report, series::Series};
use speedtest::Speedtest;

struct Front {
    config: Config,
    root: Mutex<UnixStream>,
    known: Mutex<Known>,
}

/// What the front can tell.
struct Known {
    stats: Stats,
    series: Series,
    speedtest: Speedtest,
}

/// Gives power away, and serves until the root part ends or the socket cannot be had.
pub(crate) fn run(host: &Host, config: Config) -> Result<()> {
    match host.powers {
        true => powers::drop_all(FRONT, config.reboot_method == RebootMethod::Signal)?,
        false => powers::bind_to_parent()?,
    }
    let listener = server::bind(&config.socket)?;
    let reports = UnixDatagram::from(io::stdout().as_fd().try_clone_to_owned()?);
    let root = Mutex::new(io::stdin().as_fd().try_clone_to_owned()?.into());
    let folder = config.state_dir.join("series");
    let series = Series::new(&folder, config.sample_every.as_millis() as u64);
    let known = Known { stats: Stats::default(), series, speedtest: Speedtest::load(folder.join("speedtest.json")) };
    let front = Arc::new(Front { config, root, known: Mutex::new(known) });
    let (server, ear) = (front.clone(), front.clone());
    Builder::new().spawn(move || server::serve(&server, &listener))?;
    Builder::new().spawn(move || ear.hear(&reports))?;
    sampler::run(&front, host)
}

impl Front {
    fn known(&self) -> MutexGuard<'_, Known> {
        // A thread that panics ends the process; there is no poison.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the root part perform a command: its record, or why it was not taken.
    fn ask(&self, verb: Verb, id: CommandId, not_after_ms: u64, uid: u32) -> Result<Record, AgentError> {
        let gone =
            |error| AgentError::new(Code::Failed, format!("the root part is gone, whether it acted or not: {error}"));
        let mut root = self.root.lock().unwrap_or_else(PoisonError::into_inner);
        root.write_all(Ask { not_after_ms, uid, verb, zeros: [0; 3], id: id.0 }.as_bytes()).map_err(gone)?;
        let mut row = [0; size_of::<Record>()];
        root.read_exact(&mut row).map_err(gone)?;
        let record = Record::try_read_from_bytes(&row).map_err(|_| gone(io::ErrorKind::InvalidData.into()))?;
        let (code, message) = match record.state {
            State::NoneYet | State::Started | State::Accepted | State::Failed => return Ok(record),
            State::TooLate => (Code::TooLate, "the command's deadline is past"),
            State::TooSoon => (Code::TooSoon, "the last reboot is less than REBOOT_MIN_INTERVAL_SEC ago"),
            State::Busy => (Code::Busy, "another command of this kind is on its way"),
            State::Disabled => (Code::Disabled, "the operator of this host switched it off"),
            State::NotStored => (Code::Failed, "the command id cannot be stored, so nothing was begun"),
        };
        Err(AgentError::new(code, message))
    }

    /// Takes in what helpers report. They have no power and may be anybody's by now: what is no report is nothing.
    fn hear(&self, reports: &UnixDatagram) -> io::Result<()> {
        let mut bytes = [0; REPORT_BYTES];
        loop {
            let length = reports.recv(&mut bytes)?;
            match serde_json::from_slice(bytes.get(..length).unwrap_or_default()) {
                Ok(Report::Looked { hostname, disks }) => {
                    let stats = &mut self.known().stats;
                    (stats.hostname, stats.disks) = (hostname, disks);
                }
                Ok(Report::Speedtest(state)) => self.known().speedtest.hear(state),
                Err(error) => self.warn("a report that is none", error),
            }
        }
    }

    fn warn(&self, what: &str, why: impl std::fmt::Display) {
        if self.config.warnings {
            eprintln!("constella-agent: {what}: {why:#}");
        }
    }
}

/// Milliseconds since 1970; 0 where the clock is before that.
pub(crate) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}
