//! Calls that are on their way to Telegram, and their outcomes.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::wire::incident::{AlertRecord, AlertStage, IncidentId, MessageAt};

use super::super::incident::{Incident, is_unsent, stands};
use super::raise::is_muted;
use super::{Act, Board};
use crate::clock::Now;

/// Messages of alerts at Telegram, as far as this holder knows.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Incidents that this holder opened: it knows whether their message was sent.
    own: BTreeSet<IncidentId>,
    /// Calls that are on their way.
    flying: BTreeMap<IncidentId, Flight>,
    /// The face that a message shows.
    shown: BTreeMap<IncidentId, Vec<AlertRecord>>,
    /// The messages that this node sent or edited.
    messages: BTreeMap<IncidentId, MessageAt>,
    /// Messages of this node that tell of what goes on in another message.
    left: BTreeMap<MessageAt, IncidentId>,
    /// Messages of this node that say where each goes on, while a record still names them.
    moved: BTreeSet<MessageAt>,
    /// Incidents whose end was told, and whose message may not show it.
    pub(super) outdated: BTreeSet<IncidentId>,
    /// Notes that are still to be sent.
    notes: BTreeMap<IncidentId, bool>,
    /// The next call is made then, CLOCK_BOOTTIME: Telegram asked to wait, or did not answer, or the last edit was a moment ago.
    not_before: u64,
    failures: u64,
    /// No call has been answered since then, CLOCK_BOOTTIME.
    failing_since: Option<u64>,
}

/// A call that is on its way, and what the message shows when it arrived.
#[derive(Debug)]
struct Flight {
    what: Call,
    face: Vec<AlertRecord>,
    /// The message that is left.
    leaves: Option<MessageAt>,
}

/// A call to Telegram for an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Its message.
    Send,
    /// Another face for its message.
    Edit,
    /// The note on its end.
    Note,
    /// That it goes on elsewhere.
    Move,
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The message is there.
    Sent(MessageAt),
    /// It was done, or never can be: the owner deleted the message, or nobody can be told.
    Done,
    /// It is to be tried again, not before so many milliseconds.
    Again {
        /// As Telegram asked; 0 where it did not.
        after_ms: u64,
    },
}

impl Desk {
    /// This node tells from now on: notes, pauses and the incidents of its earlier time are forgotten. Its messages stay its own.
    pub(super) fn begin(&mut self) {
        self.own.clear();
        self.notes.clear();
        (self.not_before, self.failures, self.failing_since) = (0, 0, None);
    }

    /// This holder opened the incident.
    pub(super) fn own(&mut self, incident: IncidentId) {
        self.own.insert(incident);
    }

    /// The incident goes on: no word of its end.
    pub(super) fn no_note(&mut self, incident: IncidentId) {
        self.notes.remove(&incident);
    }

    fn fly(&mut self, incident: &Incident, what: Call) {
        self.flying.insert(incident.id, Flight { what, face: incident.face(), leaves: None });
    }

    /// A call leaves, unless another one of the incident is on its way.
    pub(super) fn depart(
        &mut self,
        incident: IncidentId,
        what: Call,
        face: Vec<AlertRecord>,
        leaves: Option<MessageAt>,
    ) -> bool {
        let free = !self.flying.contains_key(&incident);
        if free {
            self.flying.insert(incident, Flight { what, face, leaves });
        }
        free
    }

    /// This incident goes on in another message than this one.
    pub(super) fn leave(&mut self, at: MessageAt, incident: IncidentId) {
        self.left.insert(at, incident);
    }

    /// Of these messages, each that does not say yet that it goes on elsewhere.
    pub(super) fn leave_strays(&mut self, strays: &[(MessageAt, IncidentId)]) {
        self.moved.retain(|at| strays.iter().any(|(stray, _)| stray == at));
        let moved = &self.moved;
        self.left.extend(strays.iter().filter(|(at, _)| !moved.contains(at)).copied());
    }

    /// The message says that it goes on elsewhere.
    fn has_moved(&mut self, at: MessageAt) {
        self.stay(at);
        self.moved.insert(at);
    }

    /// The incident is shown in this message.
    pub(super) fn stay(&mut self, at: MessageAt) {
        self.left.remove(&at);
    }

    pub(super) fn left_messages(&self) -> Vec<(MessageAt, IncidentId)> {
        self.left.iter().map(|(at, incident)| (*at, *incident)).collect()
    }

    /// No call is made before, CLOCK_BOOTTIME.
    pub(super) const fn waits_until(&self) -> u64 {
        self.not_before
    }

    pub(super) fn has_no_message(&self) -> bool {
        self.messages.is_empty()
    }

    /// Leaves the messages of incidents that are not on record any more, where they show something as standing.
    pub(super) fn leave_unknown(&mut self, known: &BTreeSet<IncidentId>) {
        let is_lost = |id: &IncidentId| !known.contains(id) && !self.flying.contains_key(id);
        let lost: Vec<(IncidentId, MessageAt)> =
            self.messages.iter().filter(|(id, _)| is_lost(id)).map(|(id, at)| (*id, *at)).collect();
        for (incident, at) in lost {
            if self.shown.get(&incident).is_some_and(|face| face.iter().any(stands)) {
                self.leave(at, incident);
            }
            self.forget(incident);
        }
    }

    /// Whether a message of this node shows the subject of this record.
    pub(super) fn shows(&self, record: &AlertRecord) -> bool {
        self.shown.get(&record.incident).is_some_and(|face| face.iter().any(|alert| alert.subject == record.subject))
    }

    /// Whether this node last showed the subject of this record as something else.
    pub(super) fn shows_otherwise(&self, record: &AlertRecord) -> bool {
        let Some(face) = self.shown.get(&record.incident) else { return false };
        let shown = face.iter().find(|alert| alert.subject == record.subject);
        shown.is_none_or(|alert| alert.cleared_unix_ms != record.cleared_unix_ms)
    }

    fn forget(&mut self, incident: IncidentId) {
        self.messages.remove(&incident);
        self.shown.remove(&incident);
    }

    fn failed(&mut self, now: Now, after_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(now.boot_ms);
        let wait_ms = after_ms.max(AGAIN_MS.saturating_mul(self.failures).min(MOST_AGAIN_MS));
        self.not_before = now.boot_ms.saturating_add(wait_ms);
    }
}

impl Board {
    /// Sends, edits and notes: one call at a time for each incident, raises first.
    pub(super) fn tell(&mut self, now: Now, acts: &mut Vec<Act>) {
        if now.boot_ms < self.desk.not_before {
            return;
        }
        if self.desk.failures > 0 {
            self.gather(now, acts);
            if !self.desk.flying.is_empty() {
                return;
            }
        }
        let mut incidents: Vec<Incident> = self.incidents().into_values().collect();
        incidents.retain(|incident| !self.desk.flying.contains_key(&incident.id));
        incidents.sort_by_key(|incident| incident.message().is_some());
        for incident in incidents {
            let act = self.next_of(now, &incident, acts);
            let Some((act, call)) = act else { continue };
            self.desk.fly(&incident, call);
            acts.push(act);
            // A failure holds for all of them, and edits are not worth a burst.
            if self.desk.failures > 0 || call == Call::Edit {
                self.desk.not_before = now.boot_ms.saturating_add(PACE_MS);
                return;
            }
        }
    }

    /// The next call for an incident; None where nothing is to be told.
    fn next_of(&mut self, now: Now, incident: &Incident, acts: &mut Vec<Act>) -> Option<(Act, Call)> {
        let id = incident.id;
        let unsent: Vec<&AlertRecord> = incident.alerts.iter().filter(|alert| is_unsent(alert)).collect();
        let Some(at) = incident.message() else {
            let refused = unsent.iter().all(|alert| alert.stage == AlertStage::Waiting);
            let own = refused || self.desk.own.contains(&id);
            if unsent.is_empty() || !own && !self.is_adopted(now, &unsent) {
                return None;
            }
            return Some((Act::Send { incident: id, silent: !own || !incident.sounded() }, Call::Send));
        };
        for alert in unsent {
            let stage = if alert.cleared_unix_ms.is_some() { AlertStage::Clearing } else { AlertStage::Open };
            self.write(now, AlertRecord { stage, message: Some(at), ..alert.clone() }, acts);
        }
        if let Some(silent) = self.desk.notes.get(&id).copied() {
            return Some((Act::Note { incident: id, silent }, Call::Note));
        }
        let face = incident.face();
        let unsaid = self.desk.shown.get(&id) != Some(&face)
            && incident.alerts.iter().any(|alert| alert.stage != AlertStage::Closed);
        if unsaid {
            self.plan_note(now, incident, acts);
            self.desk.messages.insert(id, at);
            return Some((Act::Edit { incident: id, at }, Call::Edit));
        }
        None
    }

    /// N3: the first who finds the incident over says so before its note is sent, so that nobody sends a second.
    fn plan_note(&mut self, now: Now, incident: &Incident, acts: &mut Vec<Act>) {
        let muted = incident.alerts.iter().all(|alert| is_muted(now, alert));
        if !incident.is_over() || !incident.sounded() || incident.noted() || muted {
            return;
        }
        for alert in &incident.alerts {
            self.write(now, AlertRecord { noted: true, ..alert.clone() }, acts);
        }
        let sound = !self.quiet && self.budget.may_sound_for_less(now);
        if sound {
            self.budget.sounded(now.unix_ms);
        }
        self.desk.notes.insert(incident.id, !sound);
    }

    /// Another holder was about to send it. It had its time to say that it did.
    fn is_adopted(&self, now: Now, unsent: &[&AlertRecord]) -> bool {
        let learned = |alert: &&AlertRecord| self.alerts.get(&alert.subject).and_then(|held| held.record.as_ref());
        let newest = unsent.iter().filter_map(learned).map(|(_, at)| *at).max().unwrap_or(0);
        let since = self.telling.unwrap_or(now.boot_ms).max(newest);
        now.since(since) >= ADOPT_MS
    }

    /// N3: what could not be told for want of Telegram is told in one message.
    fn gather(&mut self, now: Now, acts: &mut Vec<Act>) {
        let waits = |incident: &Incident| {
            let own = self.desk.own.contains(&incident.id);
            let waits = |alert: &AlertRecord| alert.stage == AlertStage::Waiting || own && is_unsent(alert);
            !self.desk.flying.contains_key(&incident.id) && incident.alerts.iter().all(waits)
        };
        let mut unsent = self.incidents().into_values().filter(waits).collect::<Vec<_>>().into_iter();
        let Some(first) = unsent.next() else { return };
        let sounded = first.sounded();
        for alert in unsent.flat_map(|incident| incident.alerts) {
            self.desk.own.remove(&alert.incident);
            self.desk.own(first.id);
            self.write(now, AlertRecord { incident: first.id, sounded: sounded || alert.sounded, ..alert }, acts);
        }
    }

    /// N7: for how long Telegram has taken no message of alerts, milliseconds; 0 while it does.
    #[must_use]
    pub fn unheard_ms(&self, now: Now) -> u64 {
        self.desk.failing_since.map_or(0, |since| now.since(since))
    }

    /// Telegram answered a call, or did not. Also whoever does not tell any more writes down what its last calls did.
    pub fn told(&mut self, now: Now, incident: IncidentId, call: Call, outcome: Outcome) -> Vec<Act> {
        let mut acts = Vec::new();
        let Some(flight) = self.desk.flying.remove(&incident).filter(|flight| flight.what == call) else { return acts };
        let message = match outcome {
            Outcome::Again { after_ms } => {
                self.desk.failed(now, after_ms);
                match call {
                    // A node that stopped telling cannot know whether its successor has sent the message meanwhile.
                    Call::Send if self.telling.is_some() => self.refused(now, incident, &mut acts),
                    Call::Edit => drop(self.desk.outdated.insert(incident)),
                    Call::Send | Call::Note | Call::Move => {}
                }
                return acts;
            }
            Outcome::Sent(at) => Some(at),
            Outcome::Done => None,
        };
        (self.desk.failures, self.desk.failing_since) = (0, None);
        if let Some(at) = message.filter(|at| call == Call::Send && self.is_told_elsewhere(incident, *at)) {
            self.desk.own.remove(&incident);
            self.desk.leave(at, incident);
            return acts;
        }
        match call {
            Call::Send => self.sent(now, incident, &flight.face, message, &mut acts),
            Call::Edit => self.edited(now, incident, &flight.face, &mut acts),
            Call::Note => {
                self.desk.notes.remove(&incident);
                return acts;
            }
            Call::Move => {
                flight.leaves.into_iter().for_each(|at| self.desk.has_moved(at));
                return acts;
            }
        }
        self.desk.shown.insert(incident, flight.face);
        acts
    }

    /// Telegram did not take the message: another holder needs not be silent about it.
    fn refused(&mut self, now: Now, incident: IncidentId, acts: &mut Vec<Act>) {
        for record in self.of(incident, &[AlertStage::Sending]) {
            self.write(now, AlertRecord { stage: AlertStage::Waiting, ..record }, acts);
        }
    }

    /// The message is in the chat, with what it showed when it was sent. Where nobody can be told, there is none.
    fn sent(
        &mut self,
        now: Now,
        incident: IncidentId,
        face: &[AlertRecord],
        message: Option<MessageAt>,
        acts: &mut Vec<Act>,
    ) {
        self.desk.own.remove(&incident);
        self.desk.messages.extend(message.map(|at| (incident, at)));
        for record in self.of(incident, &[AlertStage::Sending, AlertStage::Waiting]) {
            let told = face.iter().find(|shown| shown.subject == record.subject);
            let told_over = told.is_some_and(|shown| shown.cleared_unix_ms.is_some());
            let over = record.cleared_unix_ms.is_some();
            let stage = match (message.is_some(), over) {
                _ if !record.subject.kind.has_state() => AlertStage::Closed,
                (_, true) if told_over => AlertStage::Closed,
                (true, true) => AlertStage::Clearing,
                (false, true) => AlertStage::Closed,
                (_, false) => AlertStage::Open,
            };
            self.write(now, AlertRecord { stage, message, ..record }, acts);
        }
    }

    /// The message shows what it showed when the edit left.
    fn edited(&mut self, now: Now, incident: IncidentId, face: &[AlertRecord], acts: &mut Vec<Act>) {
        for record in self.of(incident, &[AlertStage::Open, AlertStage::Clearing]) {
            let told = face.iter().find(|shown| shown.subject == record.subject);
            // An event ends by being told.
            let is_over = record.cleared_unix_ms.is_some() || !record.subject.kind.has_state();
            if is_over && told.is_some_and(|shown| shown.cleared_unix_ms == record.cleared_unix_ms) {
                self.write(now, AlertRecord { stage: AlertStage::Closed, ..record }, acts);
            }
        }
    }
}

/// After the first failure; longer after each further one ...
const AGAIN_MS: u64 = 1_000;

/// ... up to this: an alert is read within 5 s of Telegram's return.
const MOST_AGAIN_MS: u64 = 4_000;

/// Between two edits: Telegram bears about one call a second in a chat, and the owner's own taps go before.
const PACE_MS: u64 = 1_000;

/// A holder had so long for its call, and to say what came of it, before its successor sends the message itself.
const ADOPT_MS: u64 = 7_000;
