//! From what stands to an incident: a new message, one that is there, or none.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use constella_shared::limits::ALERTS;
use constella_shared::wire::alert::{Kind, Severity, Subject};
use constella_shared::wire::incident::{AlertRecord, AlertStage, IncidentId, MessageAt, RAISES};

use super::super::incident::{is_alike, is_live};
use super::{Act, Alert, Board, Finding};
use crate::clock::Now;

impl Board {
    /// Opens, joins and reopens incidents.
    pub(super) fn raise(&mut self, now: Now, acts: &mut Vec<Act>) {
        self.count_returns(now, acts);
        self.escalate(now, acts);
        let ready = |alert: &Alert| {
            let (finding, known_at) = alert.finding.as_ref()?;
            let record = alert.record.as_ref().map(|(record, _)| record);
            let is_new = record.is_none_or(|record| !is_live(record) || record.cleared_unix_ms.is_some());
            let told = record.is_some_and(|record| is_told_event(record, finding));
            let settled = now.since(*known_at) >= SETTLE_MS;
            let muted = record.is_some_and(|record| is_muted(now, record));
            (is_new && settled && !told && !muted).then(|| finding.clone())
        };
        let ready: Vec<Finding> = self.alerts.values().filter_map(ready).collect();
        let mut new: BTreeMap<Kind, Vec<Finding>> = BTreeMap::new();
        for finding in ready {
            match self.place(now, &finding) {
                Place::Reopen(record) => self.reopen(now, &finding, record, acts),
                Place::Join(incident, message) => {
                    let sound = false;
                    let stage = if message.is_some() { AlertStage::Open } else { AlertStage::Sending };
                    let record = self.opened(now, finding, incident, stage, message, sound);
                    self.write(now, record, acts);
                }
                Place::New => new.entry(finding.subject.kind.clone()).or_default().push(finding),
                Place::Full => {}
            }
        }
        for findings in new.into_values() {
            self.open(now, findings, acts);
        }
    }

    /// What becomes worse is told in a message of its own, and the one that told it so far says so: an edit makes no sound.
    fn escalate(&mut self, now: Now, acts: &mut Vec<Act>) {
        let worse = |alert: &Alert| {
            let ((record, _), (finding, _)) = (alert.record.as_ref()?, alert.finding.as_ref()?);
            let kind = &record.subject.kind;
            let stands = is_live(record) && record.cleared_unix_ms.is_none() && !is_muted(now, record);
            let is_worse = kind.severity(&finding.value) > kind.severity(&record.value);
            (stands && is_worse).then(|| Finding { since_unix_ms: record.raised_unix_ms, ..finding.clone() })
        };
        for finding in self.alerts.values().filter_map(worse).collect::<Vec<_>>() {
            // Of the minute in which it got worse: the id of the first message is taken.
            let incident = IncidentId::of(&finding.subject, now.unix_ms);
            self.open_as(now, incident, Vec::from([finding]), acts);
        }
    }

    /// What stands again before its recovery was told goes on coming and going.
    fn count_returns(&mut self, now: Now, acts: &mut Vec<Act>) {
        let mut again = Vec::new();
        for alert in self.alerts.values_mut() {
            let came_back = core::mem::take(&mut alert.came_back);
            let Some((record, _)) = alert.record.as_ref() else { continue };
            let counted = now.unix_ms.abs_diff(newest_raise(record)) < COUNTED_MS;
            if came_back && !counted && is_live(record) && record.cleared_unix_ms.is_none() {
                again.push(record.clone());
            }
        }
        for mut record in again {
            remember(&mut record.raises, now.unix_ms);
            self.write(now, record, acts);
        }
    }

    /// Chooses the message that tells a raise.
    fn place(&mut self, now: Now, finding: &Finding) -> Place {
        let held = self.record(&finding.subject).cloned();
        if let Some(record) = held.filter(|record| comes_back(now, record)) {
            return Place::Reopen(record);
        }
        if self.live().count() >= ALERTS {
            return Place::Full;
        }
        let severity = finding.subject.kind.severity(&finding.value);
        let alike = self.newest_alike(&finding.subject);
        let within = |record: &AlertRecord, ms| now.unix_ms.abs_diff(newest_raise(record)) < ms;
        let fresh = alike.as_ref().filter(|record| record.cleared_unix_ms.is_none() && within(record, ALIKE_MS));
        let crowded = || alike.as_ref().filter(|record| within(record, CROWDED_MS));
        let joined = match fresh {
            Some(record) => Some(record),
            None if self.budget.may_tell(now) => None,
            None => crowded(),
        };
        // What is worse than the message that it would go into has one of its own.
        let joined = joined.filter(|record| severity <= record.subject.kind.severity(&record.value));
        joined.map_or(Place::New, |record| Place::Join(record.incident, record.message))
    }

    /// A new message for findings of one kind.
    fn open(&mut self, now: Now, findings: Vec<Finding>, acts: &mut Vec<Act>) {
        let Some(first) = findings.iter().min_by_key(|finding| finding.since_unix_ms) else { return };
        let incident = self.new_id(now, first);
        self.open_as(now, incident, findings, acts);
    }

    /// The id of a new incident. A subject that is raised twice within a minute has two: the first one's message tells its end.
    fn new_id(&self, now: Now, first: &Finding) -> IncidentId {
        let id = IncidentId::of(&first.subject, first.since_unix_ms);
        let is_taken = self.records().any(|record| record.incident == id && !is_live(record));
        if is_taken { IncidentId::of(&first.subject, now.unix_ms) } else { id }
    }

    fn open_as(&mut self, now: Now, incident: IncidentId, findings: Vec<Finding>, acts: &mut Vec<Act>) {
        let severity = |finding: &Finding| finding.subject.kind.severity(&finding.value);
        let worst = findings.iter().map(severity).max().unwrap_or(Severity::Note);
        let sound = match worst {
            Severity::Critical => self.budget.may_sound(now),
            Severity::Warning => !self.quiet && self.budget.may_sound_for_less(now),
            Severity::Note => false,
        };
        self.budget.told(now.unix_ms, sound);
        for finding in findings {
            let record = self.opened(now, finding, incident, AlertStage::Sending, None, sound);
            self.write(now, record, acts);
        }
        self.desk.own(incident);
    }

    /// One that comes and goes: its message says so, and nothing new is sent.
    fn reopen(&mut self, now: Now, finding: &Finding, mut record: AlertRecord, acts: &mut Vec<Act>) {
        record.stage = if record.message.is_some() { AlertStage::Open } else { AlertStage::Sending };
        (record.cleared_unix_ms, record.noted) = (None, false);
        self.desk.no_note(record.incident);
        record.value = finding.value;
        record.witnesses = finding.witnesses;
        record.by = finding.by;
        remember(&mut record.raises, now.unix_ms);
        self.write(now, record, acts);
    }

    fn opened(
        &self,
        now: Now,
        finding: Finding,
        incident: IncidentId,
        stage: AlertStage,
        message: Option<MessageAt>,
        sounded: bool,
    ) -> AlertRecord {
        let held = self.record(&finding.subject);
        let mut raises = held.map(|record| record.raises.clone()).unwrap_or_default();
        remember(&mut raises, now.unix_ms);
        let mute = held.and_then(|record| record.mute.clone()).filter(|mute| mute.until_unix_ms.is_some());
        AlertRecord {
            incident,
            stage,
            raised_unix_ms: finding.since_unix_ms,
            value: finding.value,
            by: finding.by,
            witnesses: finding.witnesses,
            subject: finding.subject,
            cleared_unix_ms: None,
            raises,
            message,
            sounded,
            noted: false,
            ack: None,
            mute,
        }
    }

    /// The newest message that tells of the like.
    fn newest_alike(&self, subject: &Subject) -> Option<AlertRecord> {
        let alike = |record: &&AlertRecord| record.subject != *subject && is_alike(&record.subject, subject);
        self.records().filter(alike).max_by_key(|record| newest_raise(record)).cloned()
    }
}

/// The message that tells a raise.
enum Place {
    /// In a message of its own, together with the like that is raised in the same moment.
    New,
    /// In the message of others.
    Join(IncidentId, Option<MessageAt>),
    /// In the message that told it before.
    Reopen(AlertRecord),
    /// Nowhere yet.
    Full,
}

/// Whether it was raised so often within an hour, this time included, that it comes and goes.
pub(super) fn flaps(now: Now, record: &AlertRecord) -> bool {
    record.raises.iter().filter(|at| now.unix_ms.abs_diff(**at) < FLAPS_MS).count() >= FLAPS
}

/// Whether another raise makes it one that comes and goes, or it was cleared a moment ago.
fn comes_back(now: Now, record: &AlertRecord) -> bool {
    let lately = record.raises.iter().filter(|at| now.unix_ms.abs_diff(**at) < FLAPS_MS).count();
    record.subject.kind.has_state() && (record.stage == AlertStage::Clearing || lately.saturating_add(1) >= FLAPS)
}

/// An event is told once, however long it stands at its node.
fn is_told_event(record: &AlertRecord, finding: &Finding) -> bool {
    !finding.subject.kind.has_state() && record.raised_unix_ms >= finding.since_unix_ms
}

/// Whether somebody wants to hear nothing of it.
pub(super) fn is_muted(now: Now, record: &AlertRecord) -> bool {
    record.mute.as_ref().is_some_and(|mute| mute.until_unix_ms.is_none_or(|until| now.unix_ms < until))
}

pub(super) fn newest_raise(record: &AlertRecord) -> u64 {
    record.raises.last().copied().unwrap_or(record.raised_unix_ms)
}

fn remember(raises: &mut Vec<u64>, at_unix_ms: u64) {
    raises.push(at_unix_ms);
    if raises.len() > RAISES {
        raises.remove(0);
    }
}

/// What is over again within this is no news, and what is raised together is told together.
const SETTLE_MS: u64 = 1_000;

/// N4: three alike within 20 s are one message.
const ALIKE_MS: u64 = 20_000;

/// N4: where the hour's messages are sent, the like goes into the newest of them.
const CROWDED_MS: u64 = 2 * 3_600_000;

/// A record is written for one return within this time: what flaps every minute must not write every minute.
const COUNTED_MS: u64 = 300_000;

/// So many raises ...
const FLAPS: usize = 3;

/// ... within an hour: it comes and goes.
const FLAPS_MS: u64 = 3_600_000;
