//! The root part: the one process that keeps power. It reads frames of fixed size from the front and starts helpers. It parses no text,
//! has one thread, and allocates nothing that depends on input. All that power is used for begins in [`Root::perform`].

pub(crate) mod frame;
mod ledger;

use std::fs::{File, OpenOptions, Permissions, create_dir_all, set_permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Child, Command, Stdio};
use std::{os::fd::OwnedFd, path::Path};

use constella_shared::limits::{HELPER_MS, REBOOT_ANSWER_MS, REBOOT_STDERR_BYTES};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use zerocopy::{FromZeros, IntoBytes, TryFromBytes};

use crate::host::{Host, inner};
use crate::{config::Config, powers::FRONT};
use frame::{Ask, Record, State, Verb};
use ledger::Ledger;

/// A helper at work. What a reboot says is kept in memory, so that a full disk loses none of it.
struct Job {
    ask: Ask,
    record: Record,
    child: Child,
    stderr: File,
}

struct Root<'a> {
    host: &'a Host,
    config: &'a Config,
    ledger: Ledger,
    audit: File,
    /// Where helpers report to the front, past this process.
    reports: UnixDatagram,
    /// At most one for each verb.
    jobs: Vec<Job>,
}

/// Prepares the folders, starts the front, and serves it until it ends, which ends the agent.
pub(crate) fn run(host: &Host, config: &Config) -> io::Result<()> {
    if host.powers && std::process::id() == 1 {
        return Err(io::Error::other("this process is PID 1 itself; the container needs `pid: host`"));
    }
    let (folder, state) = (config.socket.parent().unwrap_or(Path::new("/")), &config.state_dir);
    for folder in [folder, &state.join("series")] {
        create_dir_all(folder)?;
        if host.powers {
            // A folder's owner needs no capability to give it to a group of its own: compose starts the agent as 0:10001.
            chown(folder, None, Some(FRONT.1))?;
            set_permissions(folder, Permissions::from_mode(0o770))?;
        }
    }
    let audit = OpenOptions::new().create(true).append(true).mode(0o640).open(state.join("audit.log"))?;
    let (mut front, front_end) = UnixStream::pair()?;
    let (reports, reports_end) = UnixDatagram::pair()?;
    let mut process = inner("front");
    process.envs(std::env::vars_os()).stdin(OwnedFd::from(front_end)).stdout(OwnedFd::from(reports_end));
    let mut child = process.spawn()?;
    // With it go this process's copies of the front's ends, so that the front's end is seen.
    drop(process);
    let mut root = Root { host, config, ledger: Ledger::open(state)?, audit, reports, jobs: Vec::new() };
    let mut frame = [0; size_of::<Ask>()];
    while front.read_exact(&mut frame).is_ok() {
        // A front that sends anything else is not ours any more, and nothing more is done for it.
        let ask = Ask::try_read_from_bytes(&frame).map_err(|_| io::Error::other("the front sent junk"))?;
        front.write_all(root.perform(&ask)?.as_bytes())?;
    }
    Err(io::Error::other(format!("the front ended: {}", child.wait()?)))
}

impl Root<'_> {
    fn perform(&mut self, ask: &Ask) -> io::Result<Record> {
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
            Verb::Look | Verb::Speedtest if busy => State::Busy,
            Verb::Look => return self.start(ask, record, inner("look")),
            Verb::Speedtest if !self.config.allow_speedtest => State::Disabled,
            Verb::Speedtest => {
                let mut helper = inner("speedtest");
                helper.args([&self.config.speedtest_url, &self.config.speedtest_max_mb.to_string()]);
                helper.arg(self.config.state_dir.join("jail"));
                return self.start(ask, record, helper);
            }
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
            () if now_ms() >= ask.not_after_ms => {
                // Storing took so long. The id stays taken.
                self.settle(ask, Record { state: State::TooLate, ..record });
                State::TooLate
            }
            () => {
                let started = self.start(ask, record, (self.host.reboot)(self.config.reboot_method))?;
                if let Some(job) = self.jobs.last() {
                    // Whoever asked waits, and so does this process: the outcome of most reboots is known at once.
                    let ended = pidfd_open(Pid::from_child(&job.child), PidfdFlags::empty())?;
                    let patience = Timespec { tv_sec: (REBOOT_ANSWER_MS / 1000) as i64, tv_nsec: 0 };
                    poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&patience))?;
                }
                self.reap()?;
                return Ok(self.ledger.newest(|old| old.id == ask.id)?.unwrap_or(started));
            }
        };
        Ok(record)
    }

    fn start(&mut self, ask: &Ask, mut record: Record, mut helper: Command) -> io::Result<Record> {
        record.state = State::Started;
        self.note(ask, &record);
        let stderr = File::from(memfd_create("stderr", MemfdFlags::CLOEXEC)?);
        match ask.verb {
            Verb::Reboot => helper.stdout(Stdio::null()).stderr(stderr.try_clone()?),
            Verb::Look | Verb::LastReboot | Verb::Speedtest => helper.stdout(OwnedFd::from(self.reports.try_clone()?)),
        };
        match helper.spawn() {
            Ok(child) => self.jobs.push(Job { ask: *ask, record, child, stderr }),
            Err(error) => {
                eprintln!("constella-agent: cannot start a helper: {error}");
                record.state = State::Failed;
                self.settle(ask, record);
            }
        }
        Ok(record)
    }

    /// Takes in the helpers that have ended, and ends those that last too long.
    fn reap(&mut self) -> io::Result<()> {
        for mut job in std::mem::take(&mut self.jobs) {
            let Some(status) = job.child.try_wait()? else {
                if now_ms() > job.record.taken_ms + HELPER_MS {
                    job.child.kill()?;
                }
                self.jobs.push(job);
                continue;
            };
            job.record.state = if status.success() { State::Accepted } else { State::Failed };
            job.record.status = status.code().unwrap_or(-1);
            let end = job.stderr.metadata()?.len();
            job.stderr.read_at(&mut job.record.stderr, end.saturating_sub(REBOOT_STDERR_BYTES as u64))?;
            self.settle(&job.ask, job.record);
        }
        Ok(())
    }

    /// Keeps how a command ended.
    fn settle(&mut self, ask: &Ask, record: Record) {
        if ask.verb == Verb::Reboot
            && let Err(error) = self.ledger.put(record)
        {
            eprintln!("constella-agent: an outcome is not stored (its command id is): {error}");
        }
        self.note(ask, &record);
    }

    /// Writes the audit line (A8). A full disk loses it and stops nothing: of a reboot the ledger has the same.
    fn note(&mut self, ask: &Ask, record: &Record) {
        let id: String = ask.id.iter().map(|byte| format!("{byte:02x}")).collect();
        let (unix, verb, uid) = (clock_gettime(ClockId::Realtime).tv_sec, ask.verb, ask.uid);
        let (state, status) = (record.state, record.status);
        let line = format!("unix={unix} verb={verb:?} command={id} uid={uid} outcome={state:?} status={status}\n");
        if verb != Verb::Look
            && let Err(error) = self.audit.write_all(line.as_bytes()).and_then(|()| self.audit.sync_data())
        {
            eprintln!("constella-agent: no audit line: {error}: {line}");
        }
    }
}

/// CLOCK_BOOTTIME: it goes on in suspend, and nobody can set it.
fn now_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}
