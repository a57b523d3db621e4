//! The front's side of the two sockets that it was born with: records from the root part on standard input, reports of helpers on
//! standard output.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::time::Duration;

use constella_shared::agent::{AgentError, AgentErrorCode};
use constella_shared::limits::{DISKS, REBOOT_ANSWER_MS, REPORT_BYTES};
use tokio::net::UnixDatagram;
use tokio::sync::broadcast;

use super::Front;
use super::answer::refusal;
use crate::report::Report;
use crate::root::frame::{Ask, Record, State, Verb};

pub(super) struct Channel {
    root: UnixDatagram,
    reports: UnixDatagram,
    records: broadcast::Sender<Record>,
}

impl Channel {
    pub(super) fn open() -> io::Result<Self> {
        let socket = |fd: std::os::fd::BorrowedFd<'_>| {
            let socket = StdDatagram::from(fd.try_clone_to_owned()?);
            socket.set_nonblocking(true)?;
            UnixDatagram::from_std(socket)
        };
        let records = broadcast::Sender::new(16);
        Ok(Self { root: socket(io::stdin().as_fd())?, reports: socket(io::stdout().as_fd())?, records })
    }

    /// Sends a request and does not wait for what comes of it.
    pub(super) async fn send(&self, ask: &Ask) -> io::Result<()> {
        self.root.send(&ask.encode()).await.map(|_| ())
    }

    /// Sends a command and waits for its record: the last one where it ends soon, `Started` where it does not.
    pub(super) async fn command(&self, ask: &Ask, patient: bool) -> Result<Record, AgentError> {
        let silent = || {
            refusal(
                AgentErrorCode::Failed,
                "the agent's root part does not answer; whether the command was taken is unknown",
            )
        };
        let mut records = self.records.subscribe();
        self.send(ask).await.map_err(|_| silent())?;
        let mut last = None;
        let answered = async {
            while let Ok(record) = records.recv().await {
                if record.id == ask.id {
                    let ended = record.state != State::Started || !patient;
                    last = Some(record);
                    if ended {
                        return;
                    }
                }
            }
        };
        // Running out of time is no error here: the last record says how far it came.
        let _ = tokio::time::timeout(Duration::from_millis(REBOOT_ANSWER_MS), answered).await;
        last.ok_or_else(silent)
    }
}

/// Takes in records and reports for ever. Reports first: what a helper said comes before the news of its end.
pub(super) async fn receive(front: &Front) -> io::Result<()> {
    let (mut row, mut report) = ([0; Record::BYTES + 1], [0; REPORT_BYTES]);
    loop {
        tokio::select! {
            biased;
            length = front.channel.reports.recv(&mut report) => {
                // A helper without power may be anybody's by now: what is no report is nothing.
                if let Ok(report) = serde_json::from_slice(report.get(..length?).unwrap_or_default()) {
                    take_report(front, report);
                }
            }
            length = front.channel.root.recv(&mut row) => {
                if let Some(record) = row.get(..length?).and_then(Record::decode) {
                    take_record(front, record);
                }
            }
        }
    }
}

fn take_report(front: &Front, report: Report) {
    let mut looked = front.looked.borrow_mut();
    let (hostname, disks, coming) = &mut *looked;
    match report {
        Report::Disk(disk) if coming.len() < DISKS => coming.push(disk),
        Report::Disk(_) => {}
        Report::Looked { hostname: name } => (*hostname, *disks) = (name, std::mem::take(coming)),
        Report::Progress { phase, percent, so_far } => front.speedtest.borrow_mut().progress(phase, percent, so_far),
        Report::Measured(figures) => front.speedtest.borrow_mut().measured(figures),
    }
}

fn take_record(front: &Front, record: Record) {
    match record.verb {
        Verb::Look => {}
        Verb::Reboot if matches!(record.state, State::Started | State::Accepted | State::Failed) => {
            *front.last_reboot.borrow_mut() = Some(record.clone());
        }
        Verb::Reboot => {}
        Verb::Speedtest => front.speedtest.borrow_mut().record(&record),
    }
    // Nobody may be waiting, which is fine.
    let _ = front.channel.records.send(record);
}
