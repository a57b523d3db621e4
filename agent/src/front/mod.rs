//! The front: everything that listens, parses and keeps figures, in a process without power. Its threads share one [`Front`].

mod answer;
mod sampler;
mod server;
use crate::root::frame::{Ask, Record, State, Verb};
use crate::{Host, config::Config, look::Report, powers, series::Series};
use constella_shared::agent::{AgentError, AgentErrorCode as Code, Missing, Stats};
use constella_shared::{ids::CommandId, limits};
use std::os::{fd::AsFd, unix::net::UnixDatagram, unix::net::UnixStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, io::Read, io::Write, thread::Builder, time::Instant, time::SystemTime};
use zerocopy::{IntoBytes, TryFromBytes};

struct Front {
    config: Config,
    root: Mutex<UnixStream>,
    known: Mutex<Known>,
}

struct Known {
    /// The newest sample, and when it was taken.
    stats: Stats,
    sampled: Instant,
    looks: constella_figures::Known,
    series: Series,
    speedtest: answer::Speedtest,
}

/// Gives power away, and serves until the root part ends or the socket cannot be had.
pub(crate) fn run(host: &Host, config: Config) -> anyhow::Result<()> {
    powers::drop_all(host, powers::FRONT)?;
    let listener = server::bind(&config.socket)?;
    let reports = UnixDatagram::from(io::stdout().as_fd().try_clone_to_owned()?);
    let root = Mutex::new(io::stdin().as_fd().try_clone_to_owned()?.into());
    let series = Series::new(&config.state_dir.join("series"), config.sample_every.as_millis() as u64);
    let speedtest = answer::Speedtest::load(config.state_dir.join("series/speedtest.json"));
    let missing = vec![Missing { figure: "all".to_owned(), why: "no sample is taken yet".to_owned() }];
    let (stats, looks) = (Stats { missing, ..Stats::default() }, constella_figures::Known::default());
    let known = Mutex::new(Known { stats, sampled: Instant::now(), looks, series, speedtest });
    // It lives as long as the process.
    let front: &Front = Box::leak(Box::new(Front { config, root, known }));
    Builder::new().spawn(move || front.hear(&reports))?;
    for _ in 0..limits::AGENT_CONNECTIONS {
        let listener = listener.try_clone()?;
        Builder::new().spawn(move || server::serve(front, &listener))?;
    }
    sampler::run(front, host)
}

impl Front {
    fn known(&self) -> MutexGuard<'_, Known> {
        // A thread that panics ends the process; there is no poison.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the root part perform a command: its record, or why it was not taken.
    fn ask(&self, verb: Verb, id: CommandId, not_after_ms: u64, uid: u32) -> Result<Record, AgentError> {
        let gone = |error: io::Error| AgentError::failed(format!("the root part is gone, and may have acted: {error}"));
        let (mut root, mut row) = (self.root.lock().unwrap_or_else(PoisonError::into_inner), [0; size_of::<Record>()]);
        root.write_all(Ask { not_after_ms, uid, verb, id: id.0 }.as_bytes()).map_err(gone)?;
        root.read_exact(&mut row).map_err(gone)?;
        let record = Record::try_read_from_bytes(&row).map_err(|_| gone(io::ErrorKind::InvalidData.into()))?;
        let (code, message) = match record.state {
            State::NoneYet | State::Started | State::Accepted | State::Failed => return Ok(record),
            State::TooLate => (Code::TooLate, "the command's deadline is past"),
            State::TooSoon => (Code::TooSoon, "the last reboot is less than REBOOT_MIN_INTERVAL_SEC ago"),
            State::Busy => (Code::Busy, "another command of this kind is on its way"),
            State::Disabled => (Code::Disabled, "the operator of this host switched it off"),
            State::NotStored => (Code::Failed, "there is no room to write it down, so nothing was begun"),
        };
        Err(AgentError::new(code, message))
    }

    /// Takes in what helpers report. They have no power and may be anybody's by now: their figures are believed, and no more.
    fn hear(&self, reports: &UnixDatagram) -> io::Result<()> {
        let mut bytes = vec![0; limits::REPORT_BYTES];
        loop {
            let length = reports.recv(&mut bytes)?;
            let (report, mut known) = (bytes.get(..length).unwrap_or_default(), self.known());
            if let Ok(state) = serde_json::from_slice(report) {
                known.speedtest.hear(state);
                continue;
            }
            match serde_json::from_slice(report) {
                Ok(Report::View(view)) => known.looks.viewed(view),
                Ok(Report::Seen(seen)) => known.looks.saw(seen),
                // Whoever sent it is no helper of ours any more.
                Err(_) => {}
            }
        }
    }
}

/// Milliseconds since 1970; 0 where the clock is before that.
pub(crate) fn unix_ms() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_millis() as u64)
}
