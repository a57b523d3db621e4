//! The root part at work: all that power is used for begins in [`Root::perform`].

use super::frame::{Ask, Record, State, Verb};
use crate::{config::Config, inner_process};
use constella_shared::{ids::CommandId, limits};
use std::os::{fd::OwnedFd, unix::fs::FileExt, unix::net::UnixDatagram};
use std::process::{Child, Command, Stdio};
use std::{fs::File, io, io::Read, io::Write, time::Duration};
use zerocopy::{IntoBytes, TryFromBytes};

pub(super) struct Root<'a> {
    pub(super) host: &'a crate::Host,
    pub(super) config: &'a Config,
    /// The memory of reboots on disk: an id that was taken once is never performed again, however often the agent starts.
    pub(super) ledger: File,
    pub(super) audit: File,
    /// Helpers write their reports to the front, past this process.
    pub(super) reports: UnixDatagram,
    pub(super) jobs: Vec<Job>,
}

/// A helper at work: at most one for each verb, of looks a few. What it says is kept in memory, so that a full disk loses none of it.
pub(super) struct Job(Record, Child, File);

impl Root<'_> {
    pub(super) fn perform(&mut self, ask: Ask) -> io::Result<Record> {
        self.reap()?;
        let (mut boot_id, stderr) = ([0; 36], [0; limits::REBOOT_STDERR_BYTES]);
        // Zeros where it cannot be read: then it is taken to be the last one.
        let _ = File::open(&self.host.boot_id).and_then(|mut file| file.read_exact(&mut boot_id));
        let record = Record { ask, taken_ms: now_ms(), boot_id, state: State::NoneYet, status: -1, stderr };
        let full = self.audit.metadata()?.len() > limits::AUDIT_BYTES;
        match ask.verb {
            Verb::LastReboot => Ok(self.newest(|_| true).ok().flatten().unwrap_or(record)),
            Verb::Reboot => self.reboot(record),
            Verb::Speedtest if !self.config.allow_speedtest => Ok(Record { state: State::Disabled, ..record }),
            Verb::Speedtest if full => Ok(Record { state: State::NotStored, ..record }),
            Verb::Look if self.at_work(ask.verb) >= limits::LOOKS => Ok(Record { state: State::Busy, ..record }),
            Verb::Speedtest if self.at_work(ask.verb) > 0 => Ok(Record { state: State::Busy, ..record }),
            Verb::Look => self.start(record, inner_process("look", "")),
            Verb::Speedtest => self.start(record, inner_process("speedtest", &CommandId(ask.id).to_string())),
        }
    }

    /// A reboot: once for each id, as the operator allows, on disk before the act, and not after the deadline.
    fn reboot(&mut self, mut record: Record) -> io::Result<Record> {
        let (id, not_after_ms) = (record.ask.id, record.ask.not_after_ms);
        let (Ok(known), Ok(last)) = (self.newest(|old| old.ask.id == id), self.newest(|_| true)) else {
            return Ok(Record { state: State::NotStored, ..record });
        };
        if let Some(known) = known {
            return Ok(known);
        }
        // In another boot the clock began anew, so at least the time since then has passed.
        let same = |last: &Record| record.boot_id == [0; 36] || last.boot_id == record.boot_id;
        let last_ms = last.map(|last| if same(&last) { last.taken_ms } else { 0 });
        let since = last_ms.map(|last_ms| Duration::from_millis(record.taken_ms.saturating_sub(last_ms)));
        record.state = match () {
            () if self.at_work(Verb::Reboot) > 0 => State::Busy,
            () if !self.config.allow_reboot => State::Disabled,
            () if record.taken_ms >= not_after_ms => State::TooLate,
            () if since.is_some_and(|since| since < self.config.reboot_min_interval) => State::TooSoon,
            () if self.store(&Record { state: State::Started, ..record }).is_err() => State::NotStored,
            // Storing took so long. The id stays taken.
            () if now_ms() >= not_after_ms => self.settle(Record { state: State::TooLate, ..record }).state,
            () => self.start(record, inner_process("reboot", &self.config.reboot_method))?.state,
        };
        if record.state != State::Started {
            return Ok(record);
        }
        // Whoever asked waits, and so does this process: the outcome of most reboots is known at once.
        while self.at_work(Verb::Reboot) > 0 && now_ms() < record.taken_ms + limits::REBOOT_ANSWER_MS {
            std::thread::sleep(Duration::from_millis(10));
            self.reap()?;
        }
        Ok(self.newest(|old| old.ask.id == id)?.unwrap_or(record))
    }

    fn start(&mut self, mut record: Record, mut helper: Command) -> io::Result<Record> {
        record.state = State::Started;
        self.note(&record);
        let stderr = File::from(rustix::fs::memfd_create("stderr", rustix::fs::MemfdFlags::CLOEXEC)?);
        match record.ask.verb {
            Verb::Reboot => helper.stdout(Stdio::null()).stderr(stderr.try_clone()?),
            Verb::Look | Verb::LastReboot | Verb::Speedtest => helper.stdout(OwnedFd::from(self.reports.try_clone()?)),
        };
        let Ok(child) = helper.spawn() else { return Ok(self.settle(Record { state: State::Failed, ..record })) };
        self.jobs.push(Job(record, child, stderr));
        Ok(record)
    }

    /// How many helpers are.
    fn at_work(&self, verb: Verb) -> usize {
        self.jobs.iter().filter(|Job(record, ..)| record.ask.verb == verb).count()
    }

    /// Takes in the helpers that have ended, and ends those that last too long.
    fn reap(&mut self) -> io::Result<()> {
        for Job(mut record, mut child, stderr) in std::mem::take(&mut self.jobs) {
            if let Some(status) = child.try_wait()? {
                record.state = if status.success() { State::Accepted } else { State::Failed };
                record.status = status.code().unwrap_or(-1).into();
                let end = stderr.metadata()?.len();
                stderr.read_at(&mut record.stderr, end.saturating_sub(limits::REBOOT_STDERR_BYTES as u64))?;
                self.settle(record);
                continue;
            }
            if now_ms() > record.taken_ms + limits::HELPER_MS {
                child.kill()?;
            }
            self.jobs.push(Job(record, child, stderr));
        }
        Ok(())
    }

    /// Keeps how a command ended. Of a reboot the id is on disk already; an outcome that cannot be stored is in the audit line.
    fn settle(&mut self, record: Record) -> Record {
        let _ = record.ask.verb == Verb::Reboot && self.store(&record).is_ok();
        self.note(&record);
        record
    }

    /// Where the next row of the ledger begins: behind the last whole one, so that it covers one that a crash cut off.
    fn end(&self) -> io::Result<u64> {
        let row = size_of::<Record>() as u64;
        Ok(self.ledger.metadata()?.len() / row * row)
    }

    /// The newest record of the ledger that fits. What is none is passed over.
    fn newest(&self, fits: impl Fn(&Record) -> bool) -> io::Result<Option<Record>> {
        let (mut row, mut newest) = ([0; size_of::<Record>()], None);
        for at in (0..self.end()?).step_by(row.len()) {
            self.ledger.read_exact_at(&mut row, at)?;
            newest = Record::try_read_from_bytes(&row).ok().filter(&fits).or(newest);
        }
        Ok(newest)
    }

    /// Appends to the ledger; it is on disk when this returns.
    fn store(&self, record: &Record) -> io::Result<()> {
        self.ledger.write_all_at(record.as_bytes(), self.end()?)?;
        self.ledger.sync_data()
    }

    /// Writes the audit line (A8). A full disk loses it and stops nothing: of a reboot the ledger has the same.
    fn note(&mut self, Record { ask: Ask { verb, uid, id, .. }, state, status, .. }: &Record) {
        let (unix, id) = (rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec, CommandId(*id));
        let line = format!("unix={unix} verb={verb:?} command={id} uid={uid} outcome={state:?} status={status}\n");
        if *verb != Verb::Look && self.audit.write_all(line.as_bytes()).and_then(|()| self.audit.sync_data()).is_err() {
            eprintln!("constella-agent: this audit line is not written: {line}");
        }
    }
}

/// CLOCK_BOOTTIME: it goes on in suspend, and nobody can set it.
fn now_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}
