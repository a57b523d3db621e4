//! The root part at work: all that power is used for is in [`Root::take`].

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, ExitStatus, Stdio};

use constella_shared::limits::{HELPER_MS, REBOOT_STDERR_BYTES};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};

use super::frame::{Ask, Record, State, Verb};
use super::ledger::Ledger;
use crate::config::Config;
use crate::host::{Host, Inner};
use crate::log::{Level, say};

/// A helper at work; `ended` is readable once it is not.
pub(super) struct Job {
    record: Record,
    child: Child,
    ended: OwnedFd,
    stderr: File,
}

pub(super) struct Root<'a> {
    pub(super) host: &'a Host,
    pub(super) config: &'a Config,
    pub(super) ledger: Ledger,
    pub(super) audit: File,
    /// The front holds the other end.
    pub(super) front: UnixDatagram,
    /// Where helpers report to the front, past this process.
    pub(super) reports: UnixDatagram,
    /// At most one for each verb.
    pub(super) jobs: Vec<Job>,
}

impl Root<'_> {
    pub(super) fn serve(mut self, mut front: Child) -> io::Result<Infallible> {
        let front_ended = pidfd(&front)?;
        if let Some(newest) = self.ledger.newest(|record| record.verb == Verb::Reboot)? {
            self.answer(&newest);
        }
        loop {
            let fds = [self.front.as_fd(), front_ended.as_fd()]
                .into_iter()
                .chain(self.jobs.iter().map(|job| job.ended.as_fd()));
            let mut polled: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
            // Only while a helper is at work does this process wake by itself, to end what lasts too long.
            let second = Timespec { tv_sec: 1, tv_nsec: 0 };
            retry_on_intr(|| poll(&mut polled, (!self.jobs.is_empty()).then_some(&second)))?;
            if let Some(status) = front.try_wait()? {
                return Err(io::Error::other(format!("the front ended: {status}")));
            }
            for mut job in std::mem::take(&mut self.jobs) {
                if let Some(status) = job.child.try_wait()? {
                    self.finish(job, status)?;
                    continue;
                }
                if now_ms() > job.record.taken_ms + HELPER_MS {
                    job.child.kill()?;
                }
                self.jobs.push(job);
            }
            let mut row = [0; Ask::BYTES + 1];
            match self.front.recv(&mut row) {
                // A front that sends anything else is not ours any more, and nothing more is done for it.
                Ok(length) => match row.get(..length).and_then(Ask::decode) {
                    Some(ask) => self.take(&ask)?,
                    None => return Err(io::Error::other("the front sent junk")),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Once for each id, only as the operator allows, on disk before the act, and never after the deadline.
    fn take(&mut self, ask: &Ask) -> io::Result<()> {
        let mut record = ask.record(now_ms());
        File::open(&self.host.boot_id)?.read_exact(&mut record.boot_id)?;
        let busy = self.jobs.iter().any(|job| job.record.verb == ask.verb);
        if ask.verb == Verb::Look {
            if !busy {
                self.start(record);
            }
            return Ok(());
        }
        record.state = match self.ledger.find(&ask.id) {
            Ok(Some(known)) => {
                self.answer(&known);
                return Ok(());
            }
            Ok(None) if busy => State::Busy,
            Ok(None) => self.verdict(ask, &record)?,
            Err(_) => State::NotStored,
        };
        if record.state == State::Started && self.ledger.put(&mut record).is_err() {
            record.state = State::NotStored;
        }
        if record.state != State::Started {
            self.answer(&record);
        } else if ask.verb == Verb::Reboot && now_ms() >= ask.not_after_ms {
            // Storing took so long. The id stays taken.
            self.settle(record, State::TooLate, 0, b"");
        } else {
            self.note(&record);
            self.answer(&record);
            self.start(record);
        }
        Ok(())
    }

    fn verdict(&self, ask: &Ask, record: &Record) -> io::Result<State> {
        let now = record.taken_ms;
        let soon = self.ledger.newest(|old| old.verb == Verb::Reboot)?.is_some_and(|old| {
            // Since another boot the clock began anew, so at least all of its time has passed.
            let since = if old.boot_id == record.boot_id { old.taken_ms } else { 0 };
            u128::from(now.saturating_sub(since)) < self.config.reboot_min_interval.as_millis()
        });
        Ok(match ask.verb {
            Verb::Reboot if !self.config.allow_reboot => State::Disabled,
            Verb::Speedtest if !self.config.allow_speedtest => State::Disabled,
            Verb::Reboot if now >= ask.not_after_ms => State::TooLate,
            Verb::Reboot if soon => State::TooSoon,
            Verb::Look | Verb::Reboot | Verb::Speedtest => State::Started,
        })
    }

    fn start(&mut self, record: Record) {
        match self.spawn(&record) {
            Ok((child, ended, stderr)) => self.jobs.push(Job { record, child, ended, stderr }),
            Err(error) => self.settle(record, State::Failed, 0, error.to_string().as_bytes()),
        }
    }

    /// Starts the helper. Its standard error is kept in memory, so that a full disk loses none of it.
    fn spawn(&self, record: &Record) -> io::Result<(Child, OwnedFd, File)> {
        let stderr = File::from(memfd_create("stderr", MemfdFlags::CLOEXEC)?);
        let reports = OwnedFd::from(self.reports.try_clone()?);
        let (mut command, stdout) = match record.verb {
            Verb::Look => (Inner::Look.command(), reports.into()),
            Verb::Speedtest => (Inner::SpeedtestEnter.command(), reports.into()),
            Verb::Reboot => ((self.host.reboot)(self.config.reboot_method), Stdio::null()),
        };
        if record.verb == Verb::Speedtest {
            command.args([&self.config.speedtest_url, &self.config.speedtest_max_mb.to_string()]);
        }
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr.try_clone()?).spawn()?;
        let ended = pidfd(&child)?;
        Ok((child, ended, stderr))
    }

    fn finish(&mut self, job: Job, status: ExitStatus) -> io::Result<()> {
        let mut tail = [0; REBOOT_STDERR_BYTES];
        let from = job.stderr.metadata()?.len().saturating_sub(tail.len() as u64);
        let length = job.stderr.read_at(&mut tail, from)?;
        let state = if status.success() { State::Accepted } else { State::Failed };
        let code = status.code().map_or(0, |code| u64::from(code.unsigned_abs()) + 1);
        self.settle(job.record, state, code, tail.get(..length).unwrap_or_default());
        Ok(())
    }

    /// Stores, notes and answers how a command ended.
    fn settle(&mut self, mut record: Record, state: State, status: u64, stderr: &[u8]) {
        (record.state, record.status) = (state, status);
        record.stderr.iter_mut().zip(stderr).for_each(|(to, from)| *to = *from);
        if record.verb != Verb::Look {
            if let Err(error) = self.ledger.put(&mut record) {
                say(Level::Error, "an outcome is not stored; its command id is", error);
            }
            self.note(&record);
        }
        self.answer(&record);
    }

    /// Writes the audit line. Its failing (a full disk) stops nothing, because the ledger holds the same.
    fn note(&mut self, record: &Record) {
        let id: String = record.id.iter().map(|byte| format!("{byte:02x}")).collect();
        let unix_s = clock_gettime(ClockId::Realtime).tv_sec;
        let Record { verb, state, uid, status, .. } = record;
        let line = format!("unix={unix_s} verb={verb:?} command={id} uid={uid} outcome={state:?} status={status}\n");
        if let Err(error) = self.audit.write_all(line.as_bytes()).and_then(|()| self.audit.sync_data()) {
            say(Level::Error, "no audit line", error);
        }
    }

    /// A front that does not read loses answers; it must not stop the root part.
    fn answer(&self, record: &Record) {
        if let Err(error) = self.front.send(&record.encode()) {
            say(Level::Warn, "the front takes no answer", error);
        }
    }
}

fn pidfd(child: &Child) -> io::Result<OwnedFd> {
    Ok(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?)
}

/// CLOCK_BOOTTIME: it goes on in suspend, and nobody can set it.
fn now_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}
