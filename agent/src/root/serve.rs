//! The root part at work: all that power is used for begins in [`Root::perform`].

use std::io::{self, Read, Write};
use std::os::unix::{fs::FileExt, net::UnixDatagram};
use std::process::{Child, Command, Stdio};
use std::{fs::File, os::fd::OwnedFd, time::Duration};

use constella_shared::ids::CommandId;
use constella_shared::limits::{HELPER_MS, REBOOT_ANSWER_MS, REBOOT_STDERR_BYTES};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::time::{ClockId, clock_gettime};

use super::frame::{Ask, Record, State, Verb};
use crate::{config::Config, inner_process, rows::Rows};

/// Helpers write their reports to the front, past this process.
pub(super) struct Root<'a> {
    pub(super) host: &'a crate::Host,
    pub(super) config: &'a Config,
    /// The memory of reboots on disk: an id that was taken once is never performed again, however often the agent starts. Rows are only
    /// appended, so that a torn write spoils none before it.
    pub(super) ledger: Rows<Record>,
    pub(super) audit: File,
    pub(super) reports: UnixDatagram,
    pub(super) jobs: Vec<Job>,
}

/// A helper at work, at most one for each verb. What it says is kept in memory, so that a full disk loses none of it.
pub(super) struct Job {
    record: Record,
    child: Child,
    stderr: File,
}

impl Root<'_> {
    pub(super) fn perform(&mut self, ask: Ask) -> io::Result<Record> {
        self.reap()?;
        let (stderr, zeros, state) = ([0; REBOOT_STDERR_BYTES], [0; 7], State::NoneYet);
        let mut record = Record { ask, taken_ms: now_ms(), boot_id: [0; 36], status: -1, stderr, state, zeros };
        File::open(&self.host.boot_id)?.read_exact(&mut record.boot_id)?;
        record.state = match ask.verb {
            Verb::LastReboot => return Ok(self.newest(|_| true).ok().flatten().unwrap_or(record)),
            Verb::Reboot => match self.newest(|old| old.ask.id == ask.id) {
                Ok(Some(known)) => return Ok(known),
                Ok(None) if self.at_work(ask.verb) => State::Busy,
                Ok(None) => return self.reboot(record),
                Err(_) => State::NotStored,
            },
            Verb::Speedtest if !self.config.allow_speedtest => State::Disabled,
            Verb::Look | Verb::Speedtest if self.at_work(ask.verb) => State::Busy,
            Verb::Look => return self.start(record, inner_process("look", "")),
            Verb::Speedtest => return self.start(record, inner_process("speedtest", &CommandId(ask.id).to_string())),
        };
        Ok(record)
    }

    /// A reboot whose id is new: as the operator allows, on disk before the act, and not after the deadline.
    fn reboot(&mut self, mut record: Record) -> io::Result<Record> {
        let soon = self.newest(|_| true)?.is_some_and(|last| {
            // In another boot the clock began anew, so at least the time since then has passed.
            let since = if last.boot_id == record.boot_id { last.taken_ms } else { 0 };
            u128::from(record.taken_ms.saturating_sub(since)) < self.config.reboot_min_interval.as_millis()
        });
        let (id, not_after_ms) = (record.ask.id, record.ask.not_after_ms);
        record.state = match () {
            () if !self.config.allow_reboot => State::Disabled,
            () if record.taken_ms >= not_after_ms => State::TooLate,
            () if soon => State::TooSoon,
            () if self.store(&Record { state: State::Started, ..record }).is_err() => State::NotStored,
            // Storing took so long. The id stays taken.
            () if now_ms() >= not_after_ms => self.settle(Record { state: State::TooLate, ..record }).state,
            () => State::Started,
        };
        if record.state != State::Started {
            return Ok(record);
        }
        let record = self.start(record, (self.host.reboot)(self.config.reboot_method))?;
        // Whoever asked waits, and so does this process: the outcome of most reboots is known at once.
        while self.at_work(Verb::Reboot) && now_ms() < record.taken_ms + REBOOT_ANSWER_MS {
            std::thread::sleep(Duration::from_millis(10));
            self.reap()?;
        }
        Ok(self.newest(|old| old.ask.id == id)?.unwrap_or(record))
    }

    fn start(&mut self, mut record: Record, mut helper: Command) -> io::Result<Record> {
        record.state = State::Started;
        self.note(&record);
        let stderr = File::from(memfd_create("stderr", MemfdFlags::CLOEXEC)?);
        match record.ask.verb {
            Verb::Reboot => helper.stdout(Stdio::null()).stderr(stderr.try_clone()?),
            Verb::Look | Verb::LastReboot | Verb::Speedtest => helper.stdout(OwnedFd::from(self.reports.try_clone()?)),
        };
        let Ok(child) = helper.spawn() else { return Ok(self.settle(Record { state: State::Failed, ..record })) };
        self.jobs.push(Job { record, child, stderr });
        Ok(record)
    }

    fn at_work(&self, verb: Verb) -> bool {
        self.jobs.iter().any(|job| job.record.ask.verb == verb)
    }

    /// Takes in the helpers that have ended, and ends those that last too long.
    fn reap(&mut self) -> io::Result<()> {
        for mut job in std::mem::take(&mut self.jobs) {
            if let Some(status) = job.child.try_wait()? {
                job.record.state = if status.success() { State::Accepted } else { State::Failed };
                job.record.status = status.code().unwrap_or(-1);
                let from = job.stderr.metadata()?.len().saturating_sub(REBOOT_STDERR_BYTES as u64);
                job.stderr.read_at(&mut job.record.stderr, from)?;
                self.settle(job.record);
                continue;
            }
            if now_ms() > job.record.taken_ms + HELPER_MS {
                job.child.kill()?;
            }
            self.jobs.push(job);
        }
        Ok(())
    }

    /// Keeps how a command ended.
    fn settle(&mut self, record: Record) -> Record {
        if record.ask.verb == Verb::Reboot
            && let Err(error) = self.store(&record)
        {
            eprintln!("constella-agent: an outcome is not stored (its command id is): {error}");
        }
        self.note(&record);
        record
    }

    /// The newest record of the ledger that fits. Rows that are torn are passed over: nothing was begun for them.
    fn newest(&self, fits: impl Fn(&Record) -> bool) -> io::Result<Option<Record>> {
        (0..self.ledger.count()?).try_fold(None, |newest, at| Ok(self.ledger.get(at)?.filter(&fits).or(newest)))
    }

    /// Appends to the ledger; it is on disk when this returns.
    fn store(&self, record: &Record) -> io::Result<()> {
        self.ledger.put(self.ledger.count()?, record)?;
        self.ledger.sync()
    }

    /// Writes the audit line (A8). A full disk loses it and stops nothing: of a reboot the ledger has the same.
    fn note(&mut self, Record { ask: Ask { verb, uid, id, .. }, state, status, .. }: &Record) {
        let (unix, id) = (clock_gettime(ClockId::Realtime).tv_sec, CommandId(*id));
        let line = format!("unix={unix} verb={verb:?} command={id} uid={uid} outcome={state:?} status={status}\n");
        if *verb != Verb::Look && self.audit.write_all(line.as_bytes()).and_then(|()| self.audit.sync_data()).is_err() {
            eprintln!("constella-agent: this audit line is not written: {line}");
        }
    }
}

/// CLOCK_BOOTTIME: it goes on in suspend, and nobody can set it.
fn now_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}
