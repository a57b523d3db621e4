//! The root part at work: all that power is used for begins in [`Root::perform`].

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::{fs::File, os::fd::OwnedFd, os::unix::fs::FileExt, os::unix::net::UnixDatagram};

use constella_shared::limits::{HELPER_MS, REBOOT_ANSWER_MS, REBOOT_STDERR_BYTES};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use zerocopy::FromZeros;

use super::frame::{Ask, Record, State, Verb};
use super::ledger::Ledger;
use crate::{config::Config, host};

/// A helper at work. What it says is kept in memory, so that a full disk loses none of it.
pub(super) struct Job {
    ask: Ask,
    record: Record,
    child: Child,
    stderr: File,
}

/// Helpers write their reports to the front, past this process. At most one job for each verb.
pub(super) struct Root<'a> {
    pub(super) host: &'a host::Host,
    pub(super) config: &'a Config,
    pub(super) ledger: Ledger,
    pub(super) audit: File,
    pub(super) reports: UnixDatagram,
    pub(super) jobs: Vec<Job>,
}

impl Root<'_> {
    pub(super) fn perform(&mut self, ask: &Ask) -> io::Result<Record> {
        self.reap()?;
        let mut record = Record { id: ask.id, taken_ms: now_ms(), status: -1, ..Record::new_zeroed() };
        File::open(&self.host.boot_id)?.read_exact(&mut record.boot_id)?;
        let busy = self.jobs.iter().any(|job| job.ask.verb == ask.verb);
        record.state = match ask.verb {
            Verb::LastReboot => return Ok(self.ledger.newest(|_| true).ok().flatten().unwrap_or(record)),
            Verb::Reboot => match self.ledger.newest(|old| old.id == ask.id) {
                Ok(Some(known)) => return Ok(known),
                Ok(None) if busy => State::Busy,
                Ok(None) => return self.reboot(ask, record),
                Err(_) => State::NotStored,
            },
            Verb::Speedtest if !self.config.allow_speedtest => State::Disabled,
            Verb::Look | Verb::Speedtest if busy => State::Busy,
            Verb::Look => return self.start(ask, record, host::inner("look")),
            Verb::Speedtest => return self.start(ask, record, host::inner("speedtest")),
        };
        Ok(record)
    }

    /// A reboot whose id is new: as the operator allows, on disk before the act, and not after the deadline.
    fn reboot(&mut self, ask: &Ask, mut record: Record) -> io::Result<Record> {
        let soon = self.ledger.newest(|_| true)?.is_some_and(|last| {
            // In another boot the clock began anew, so at least the time since then has passed.
            let since = if last.boot_id == record.boot_id { last.taken_ms } else { 0 };
            u128::from(record.taken_ms.saturating_sub(since)) < self.config.reboot_min_interval.as_millis()
        });
        record.state = match () {
            () if !self.config.allow_reboot => State::Disabled,
            () if record.taken_ms >= ask.not_after_ms => State::TooLate,
            () if soon => State::TooSoon,
            () if self.ledger.put(Record { state: State::Started, ..record }).is_err() => State::NotStored,
            // Storing took so long. The id stays taken.
            () if now_ms() >= ask.not_after_ms => self.settle(ask, Record { state: State::TooLate, ..record }).state,
            () => State::Started,
        };
        if record.state != State::Started {
            return Ok(record);
        }
        let record = self.start(ask, record, (self.host.reboot)(self.config.reboot_method))?;
        if let Some(job) = self.jobs.last().filter(|job| job.ask.verb == Verb::Reboot) {
            // Whoever asked waits, and so does this process: the outcome of most reboots is known at once.
            let ended = pidfd_open(Pid::from_child(&job.child), PidfdFlags::empty())?;
            let patience = Timespec { tv_sec: (REBOOT_ANSWER_MS / 1000) as i64, tv_nsec: 0 };
            poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&patience))?;
        }
        self.reap()?;
        Ok(self.ledger.newest(|old| old.id == ask.id)?.unwrap_or(record))
    }

    fn start(&mut self, ask: &Ask, mut record: Record, mut helper: Command) -> io::Result<Record> {
        record.state = State::Started;
        self.note(ask, &record);
        let stderr = File::from(memfd_create("stderr", MemfdFlags::CLOEXEC)?);
        match ask.verb {
            Verb::Reboot => helper.stdout(Stdio::null()).stderr(stderr.try_clone()?),
            Verb::Look | Verb::LastReboot | Verb::Speedtest => helper.stdout(OwnedFd::from(self.reports.try_clone()?)),
        };
        let Ok(child) = helper.spawn() else { return Ok(self.settle(ask, Record { state: State::Failed, ..record })) };
        self.jobs.push(Job { ask: *ask, record, child, stderr });
        Ok(record)
    }

    /// Takes in the helpers that have ended, and ends those that last too long.
    fn reap(&mut self) -> io::Result<()> {
        for mut job in std::mem::take(&mut self.jobs) {
            if let Some(status) = job.child.try_wait()? {
                job.record.state = if status.success() { State::Accepted } else { State::Failed };
                job.record.status = status.code().unwrap_or(-1);
                let from = job.stderr.metadata()?.len().saturating_sub(REBOOT_STDERR_BYTES as u64);
                job.stderr.read_at(&mut job.record.stderr, from)?;
                self.settle(&job.ask, job.record);
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
    fn settle(&mut self, ask: &Ask, record: Record) -> Record {
        if ask.verb == Verb::Reboot
            && let Err(error) = self.ledger.put(record)
        {
            eprintln!("constella-agent: an outcome is not stored (its command id is): {error}");
        }
        self.note(ask, &record);
        record
    }

    /// Writes the audit line (A8). A full disk loses it and stops nothing: of a reboot the ledger has the same.
    fn note(&mut self, Ask { verb, uid, id, .. }: &Ask, Record { state, status, .. }: &Record) {
        let (unix, id) = (clock_gettime(ClockId::Realtime).tv_sec, id.map(|byte| format!("{byte:02x}")).concat());
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
