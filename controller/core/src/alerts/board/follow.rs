//! A record of another node may take the place of one of this node's. This node then mends its own message. That needs no lease (F7): only the node that
//! sent a message, or wrote its record last, may know of it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::wire::alert::Subject;
use constella_shared::wire::incident::{AlertRecord, AlertStage, IncidentId, MessageAt, RAISES};

use super::super::incident::{is_live, stands};
use super::raise::newest_raise;
use super::tell::Call;
use super::{Act, Board};
use crate::clock::Now;

impl Board {
    /// A record of the state file. This node wrote it, or another one did.
    pub fn restore(&mut self, now: Now, record: AlertRecord, own: bool) {
        self.put(now, record, own);
    }

    /// A record of the network, new here.
    pub fn learn(&mut self, now: Now, mut record: AlertRecord) {
        let alert = self.alerts.get(&record.subject);
        let held = alert.and_then(|alert| Some((alert.record.as_ref()?.0.clone(), alert.own)));
        let mut keeps_own = false;
        if let Some((held, own)) = held {
            if held.incident == record.incident {
                // Its writer did not know that the message was sent. Whoever tells writes the message's id again.
                keeps_own = own && record.message.is_none() && held.message.is_some();
                record.message = record.message.or(held.message);
            }
            if let Some(at) = held.message.filter(|_| own && is_left(&held, &record)) {
                self.desk.leave(at, held.incident);
            }
            if self.is_outdated_by(&held, &record) {
                self.desk.outdated.insert(record.incident);
            }
        }
        self.put(now, record, keeps_own);
    }

    /// A subject that goes on in another incident may be what its message still shows as standing, beside others that are over.
    pub(super) fn notice_leaving(&mut self, record: &AlertRecord) {
        let Some(alert) = self.alerts.get(&record.subject) else { return };
        let Some((held, _)) = alert.record.as_ref().filter(|(held, _)| held.incident != record.incident) else {
            return;
        };
        let concerns = alert.own || self.telling.is_some() || self.desk.shows(held);
        if concerns && held.message.is_some() && stands(held) {
            self.desk.outdated.insert(held.incident);
        }
    }

    /// Whether the message may show the subject as it was before: another holder told its end, and this node has edited the message too, or tells and
    /// cannot know which edit came last.
    fn is_outdated_by(&self, held: &AlertRecord, record: &AlertRecord) -> bool {
        let ended = record.stage == AlertStage::Closed && record.message.is_some() && held.incident == record.incident;
        let tells = || self.telling.is_some() && is_live(held);
        ended && (tells() || self.desk.shows_otherwise(record))
    }

    /// Whether another holder took the incident for unsent, and sent it meanwhile in another message than this one.
    pub(super) fn is_told_elsewhere(&self, incident: IncidentId, at: MessageAt) -> bool {
        self.incident(incident).and_then(|incident| incident.message()).is_some_and(|known| known != at)
    }

    /// A message of this node whose alerts went on in the message of another says so, and one that another holder has overtaken is shown as it is now.
    pub(super) fn follow(&mut self, now: Now, acts: &mut Vec<Act>) {
        if now.boot_ms < self.desk.waits_until() {
            return;
        }
        self.find_lost();
        let shown = self.shown_in();
        self.find_strays(&shown);
        for (at, incident) in self.desk.left_messages() {
            if shown.get(&incident) == Some(&at) {
                self.desk.stay(at);
            } else if self.desk.depart(incident, Call::Move, Vec::new(), Some(at)) {
                acts.push(Act::Move { incident, at });
            }
        }
        for id in core::mem::take(&mut self.desk.outdated) {
            let Some(incident) = self.incident(id) else { continue };
            // Where something of it is not over, whoever tells edits it anyway.
            let over = incident.alerts.iter().all(|alert| alert.stage == AlertStage::Closed);
            let Some(at) = incident.message().filter(|_| over) else { continue };
            if self.desk.depart(id, Call::Edit, incident.face(), None) {
                acts.push(Act::Edit { incident: id, at });
            } else {
                self.desk.outdated.insert(id);
            }
        }
    }

    /// In which message each incident is shown: as [`Incident::message`](super::Incident::message).
    fn shown_in(&self) -> BTreeMap<IncidentId, MessageAt> {
        let mut first: BTreeMap<IncidentId, (u64, &Subject, MessageAt)> = BTreeMap::new();
        for record in self.records() {
            let Some(at) = record.message else { continue };
            let key = (record.raised_unix_ms, &record.subject, at);
            first.entry(record.incident).and_modify(|known| *known = key.min(*known)).or_insert(key);
        }
        first.into_iter().map(|(id, (_, _, at))| (id, at)).collect()
    }

    /// F7: several sides of a partition gave one incident one id, and each a message. It goes on in one of them.
    fn find_strays(&mut self, shown: &BTreeMap<IncidentId, MessageAt>) {
        let own = self.alerts.values().filter(|alert| alert.own).filter_map(|alert| alert.record.as_ref());
        let stray = |(record, _): &(AlertRecord, u64)| {
            let at = record.message.filter(|at| shown.get(&record.incident) != Some(at))?;
            Some((at, record.incident))
        };
        let strays: Vec<(MessageAt, IncidentId)> = own.filter_map(stray).collect();
        self.desk.leave_strays(&strays);
    }

    /// F7: a message of this node that no record names any more, and that shows something as standing.
    fn find_lost(&mut self) {
        if self.desk.has_no_message() {
            return;
        }
        let known: BTreeSet<IncidentId> = self.records().map(|record| record.incident).collect();
        self.desk.leave_unknown(&known);
    }
}

/// Whether the message of a record of this node goes on elsewhere, unknown to whoever wrote the new record: it told the same incident in another message,
/// or it does not know of that raise. A holder that knew the raise has ended its message.
fn is_left(held: &AlertRecord, record: &AlertRecord) -> bool {
    let unknown = !record.raises.contains(&newest_raise(held)) && record.raises.len() < RAISES;
    let elsewhere = if held.incident == record.incident { record.message.is_some() } else { unknown };
    stands(held) && record.message != held.message && elsewhere
}
