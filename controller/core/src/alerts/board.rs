//! The board knows what is raised, and how far the telling of it has come (N3, N4).
//!
//! The truth is in the network's records; the board mirrors them, holds them against what stands now, and answers what to write and what to send.
//! A record is written before its message is sent, and again with the message's id. A holder that dies between the two leaves a successor that
//! sends the message once more, without a sound: an alert may be read twice, and is never lost. A recovery edits the message, which may be done
//! twice; its note is sent at most once.

mod clear;
mod follow;
mod press;
mod raise;
mod tell;

#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::alert::{Severity, Subject, Value};
use constella_shared::wire::incident::{AlertRecord, AlertStage, IncidentId, MessageAt, Witnesses};

use super::budget::Budget;
use super::incident::{Incident, is_live};
use crate::clock::Now;
use tell::Desk;

pub use press::{Press, Wish};
pub use tell::{Call, Outcome};

/// The board: all alerts that this node knows, and the messages that tell them.
#[derive(Debug, Default)]
pub struct Board {
    alerts: BTreeMap<Subject, Alert>,
    /// This node has told since then, CLOCK_BOOTTIME; None while it does not tell.
    telling: Option<u64>,
    budget: Budget,
    desk: Desk,
    /// Only what is critical sounds now.
    quiet: bool,
}

/// One subject.
#[derive(Debug, Default)]
struct Alert {
    /// The network's record of it, and when this node learned that, CLOCK_BOOTTIME.
    record: Option<(AlertRecord, u64)>,
    /// This node wrote the record.
    own: bool,
    /// The finding that stands now, and when this node first had it, CLOCK_BOOTTIME.
    finding: Option<(Finding, u64)>,
    /// The subject has been well since then, CLOCK_BOOTTIME. None where it stands, and where this node does not know.
    well_since: Option<u64>,
    /// It was well for a moment, too short for its recovery to be told, and stands again.
    came_back: bool,
}

/// Something that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The node, the kind and the part that it is about.
    pub subject: Subject,
    /// It has stood since then, unix milliseconds.
    pub since_unix_ms: u64,
    /// The figure that was measured.
    pub value: Value,
    /// The node that found it.
    pub by: NodeId,
    /// The votes of the witnesses, for a node that is down.
    pub witnesses: Option<Witnesses>,
}

/// An action that the board asks its caller to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Write this record, before anything that follows.
    Write(AlertRecord),
    /// Send an incident's message.
    Send {
        /// The incident that it tells.
        incident: IncidentId,
        /// Without a sound.
        silent: bool,
    },
    /// Show an incident as it is now.
    Edit {
        /// The incident that it tells.
        incident: IncidentId,
        /// The message that tells it.
        at: MessageAt,
    },
    /// Say in a message that what it told goes on in another one: two sides of a partition told the same (F7).
    Move {
        /// The incident that the message told.
        incident: IncidentId,
        /// The message that tells it.
        at: MessageAt,
    },
    /// Send a short note that an incident is over.
    Note {
        /// The incident that it tells.
        incident: IncidentId,
        /// Without a sound.
        silent: bool,
    },
}

impl Board {
    /// The network forgot what it had of a subject.
    pub fn forget(&mut self, subject: &Subject) {
        if let Some(alert) = self.alerts.get_mut(subject) {
            alert.record = None;
            if alert.finding.is_none() {
                self.alerts.remove(subject);
            }
        }
    }

    /// This node tells from now on, or no longer. What it found so far is for whoever tells now to find.
    pub fn begin_or_end(&mut self, now: Now, tells: bool) {
        if tells == self.telling.is_some() {
            return;
        }
        self.telling = tells.then_some(now.boot_ms);
        self.budget.clear();
        for alert in self.alerts.values_mut() {
            (alert.finding, alert.well_since) = (None, None);
        }
        self.alerts.retain(|_, alert| alert.record.is_some());
        if tells {
            self.desk.begin();
            for (_, incident) in self.incidents() {
                let raised = incident.alerts.iter().map(|alert| alert.raised_unix_ms).min().unwrap_or(0);
                self.budget.told(raised, incident.sounded());
            }
        }
    }

    /// N5: whether only what is critical sounds now.
    pub fn keep_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// It stands. Telling it again changes nothing.
    pub fn stands(&mut self, now: Now, finding: Finding) {
        let alert = self.alerts.entry(finding.subject.clone()).or_default();
        alert.came_back |= alert.well_since.take().is_some();
        match alert.finding.as_mut() {
            Some((known, _)) => {
                known.value = finding.value;
                known.witnesses = finding.witnesses.or(known.witnesses);
            }
            None => alert.finding = Some((finding, now.boot_ms)),
        }
    }

    /// It is well, as far as this node knows.
    pub fn is_well(&mut self, now: Now, subject: &Subject) {
        if let Some(alert) = self.alerts.get_mut(subject) {
            alert.finding = None;
            alert.well_since.get_or_insert(now.boot_ms);
            if alert.record.is_none() {
                self.alerts.remove(subject);
            }
        }
    }

    /// Nobody can tell whether it is well.
    pub fn is_unknown(&mut self, subject: &Subject) {
        if let Some(alert) = self.alerts.get_mut(subject) {
            alert.well_since = None;
        }
    }

    /// The subjects of which something is still to be told.
    pub fn live(&self) -> impl Iterator<Item = &Subject> {
        self.records().filter(|record| is_live(record)).map(|record| &record.subject)
    }

    /// The subjects that stand, as far as this node knows.
    pub fn standing(&self) -> impl Iterator<Item = &Subject> {
        self.alerts.iter().filter(|(_, alert)| alert.finding.is_some()).map(|(subject, _)| subject)
    }

    /// Whether the owner reads that it stands, or is about to.
    #[must_use]
    pub fn tells(&self, subject: &Subject) -> bool {
        self.record(subject).is_some_and(|record| is_live(record) && record.cleared_unix_ms.is_none())
    }

    /// The network's record of a subject.
    #[must_use]
    pub fn record(&self, subject: &Subject) -> Option<&AlertRecord> {
        self.alerts.get(subject)?.record.as_ref().map(|(record, _)| record)
    }

    /// All incidents that are on record, by id.
    #[must_use]
    pub fn incidents(&self) -> BTreeMap<IncidentId, Incident> {
        Incident::all(self.records())
    }

    /// One incident, as it is now.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> Option<Incident> {
        Incident::all(self.records().filter(|record| record.incident == id)).remove(&id)
    }

    /// N7: the incidents that are open and critical, for whoever tells them elsewhere too.
    pub fn critical(&self) -> impl Iterator<Item = Incident> {
        let live = Incident::all(self.records().filter(|record| is_live(record)));
        live.into_values().filter(|incident| incident.severity() == Severity::Critical)
    }

    /// The actions that are due. The caller knows whether the owner has a chat: without one nothing is told, and nothing is lost.
    pub fn due(&mut self, now: Now, has_chat: bool) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.telling.is_some() && has_chat {
            self.raise(now, &mut acts);
            self.clear(now, &mut acts);
            self.tell(now, &mut acts);
        }
        self.follow(now, &mut acts);
        acts
    }

    fn records(&self) -> impl Iterator<Item = &AlertRecord> {
        self.alerts.values().filter_map(|alert| alert.record.as_ref()).map(|(record, _)| record)
    }

    /// Writes a record here, and asks for it to be written in the network.
    fn write(&mut self, now: Now, record: AlertRecord, acts: &mut Vec<Act>) {
        self.put(now, record.clone(), true);
        acts.push(Act::Write(record));
    }

    fn put(&mut self, now: Now, record: AlertRecord, own: bool) {
        self.notice_leaving(&record);
        let alert = self.alerts.entry(record.subject.clone()).or_default();
        (alert.record, alert.own) = (Some((record, now.boot_ms)), own);
    }

    /// The records of an incident that are in one of these stages.
    fn of(&self, incident: IncidentId, stages: &[AlertStage]) -> Vec<AlertRecord> {
        let fits = |record: &&AlertRecord| record.incident == incident && stages.contains(&record.stage);
        self.records().filter(fits).cloned().collect()
    }
}
