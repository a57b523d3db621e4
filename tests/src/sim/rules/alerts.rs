//! N1: nobody is told to be down whom a witness hears. N2: nobody is told to run twice. N3: what was told is told again without a sound.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use constella_shared::ids::NodeId;
use constella_shared::state::NetworkState;
use constella_shared::wire::alert::{Kind, Subject};
use constella_shared::wire::incident::{AlertStage, IncidentId};
use constella_shared::wire::records::{NetRecord, NetValue};

use super::super::host::Host;

/// A rule that was broken, and how.
type Wrong = (&'static str, String);

/// Who heard whom, and what was raised.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    /// When (true time) the first host heard the second lately, newest last: a request, or an answer.
    heard: BTreeMap<(NodeId, NodeId), VecDeque<u64>>,
    /// From when to when (true time) the first host had answers of the second that were no refusals, without a gap.
    answered: BTreeMap<(NodeId, NodeId), (u64, u64)>,
    raised: BTreeSet<(Subject, u64)>,
    /// Incidents that a host itself was the first to write.
    opened: BTreeSet<(NodeId, IncidentId)>,
    /// Incidents of which a host had the message's id on its disk.
    told: BTreeSet<(NodeId, IncidentId)>,
    /// The ids of messages that a host had on its disk, each with what it told.
    messages: BTreeSet<(NodeId, i64, Subject)>,
}

impl Alerts {
    pub(super) fn heard(&mut self, t: u64, by: NodeId, of: NodeId) {
        let heard = self.heard.entry((by, of)).or_default();
        heard.push_back(t);
        while heard.front().is_some_and(|at| t - at > HEARD_MS) {
            heard.pop_front();
        }
    }

    pub(super) fn answered(&mut self, t: u64, by: NodeId, of: NodeId) {
        let (since, last) = self.answered.entry((by, of)).or_insert((t, t));
        if t - *last > IN_TOUCH_MS {
            *since = t;
        }
        *last = t;
    }

    /// A process is gone, with what it has heard: a word of what it heard before can be had from nobody.
    pub(super) fn died(&mut self, node: NodeId) {
        self.heard.retain(|(by, _), _| *by != node);
        self.answered.retain(|(by, _), _| *by != node);
    }

    /// N3: whether the host knows that the incident was told, or that another one was about to tell it.
    pub(super) fn must_be_silent(&self, host: &Host, incident: IncidentId) -> bool {
        let records = host.disk.iter().flat_map(|disk| &disk.network.records);
        let is_anothers = |record: &NetRecord| match &record.value {
            NetValue::Alert(alert) => {
                alert.incident == incident && alert.stage == AlertStage::Sending && record.stamp.node != host.id
            }
            _ => false,
        };
        let key = (host.id, incident);
        self.told.contains(&key) || !self.opened.contains(&key) && records.into_iter().any(is_anothers)
    }

    /// Whether a host has ever had a record of the subject that names this message.
    pub(super) fn has_known_message(&self, host: NodeId, message: i64, subject: &Subject) -> bool {
        self.messages.contains(&(host, message, subject.clone()))
    }

    /// What a host has on its disk from now on.
    fn knows(&mut self, host: NodeId, new: &NetworkState) {
        for record in &new.records {
            let NetValue::Alert(alert) = &record.value else { continue };
            if let Some(at) = alert.message {
                self.told.insert((host, alert.incident));
                self.messages.insert((host, at.message, alert.subject.clone()));
            }
            if record.stamp.node == host && alert.stage == AlertStage::Sending {
                self.opened.insert((host, alert.incident));
            }
        }
    }

    /// A host writes its roster: how many nodes it newly says to be down, and what is wrong with that.
    pub(super) fn writes(&mut self, t: u64, hosts: &[Host], host: &Host, new: &NetworkState) -> Result<u64, Wrong> {
        self.knows(host.id, new);
        let mut raised = 0;
        for record in new.records.iter().filter(|record| record.stamp.node == host.id) {
            let NetValue::Alert(alert) = &record.value else { continue };
            if alert.subject.kind == Kind::TwoBoots {
                return Err(("N2", format!("{} tells of two processes of one node, which never run here", host.name)));
            }
            let is_raise = alert.subject.kind == Kind::NodeDown && alert.cleared_unix_ms.is_none();
            let newest = alert.raises.last().copied().unwrap_or(alert.raised_unix_ms);
            if !is_raise || !self.raised.insert((alert.subject.clone(), newest)) {
                continue;
            }
            raised += 1;
            // A full disk kept it: what was heard when it was told is not known any more.
            if host.clock.now(t).unix_ms.abs_diff(newest) > STORED_MS {
                continue;
            }
            let down = alert.subject.node;
            let lately = |by: &NodeId, of: &NodeId, from: u64, ms: u64| {
                let heard = self.heard.get(&(*by, *of));
                heard.is_some_and(|heard| heard.iter().any(|at| (from..ms).contains(&(t - at))))
            };
            let has_word = |by: &NodeId| {
                let answers = self.answered.get(&(host.id, *by));
                answers.is_some_and(|(since, last)| t - last < IN_TOUCH_MS && t - since >= ASKED_MS)
            };
            let in_touch = |by: &&NodeId| **by == host.id || has_word(by);
            let witnesses = new.voters.old.iter().chain(&new.voters.new).chain([&host.id]).filter(in_touch);
            let word_ms = |by: &NodeId| if *by == host.id { 0 } else { WORD_MS };
            let hears = witnesses.into_iter().find(|by| lately(by, &down, word_ms(by), HEARD_MS));
            let name = |id: &NodeId| hosts.iter().find(|each| each.id == *id).map_or("?", |each| each.name.as_str());
            if let Some(by) = hears {
                let what = format!("{} tells that {} is down, whom {} hears", host.name, name(&down), name(by));
                return Err(("N1", what));
            }
        }
        Ok(raised)
    }
}

/// A holder that a voter answered within this can have its word. Requests of a voter that it cannot ask bring no word.
const IN_TOUCH_MS: u64 = 2_500;

/// A raise that a disk takes is on it within the step that writes it.
const STORED_MS: u64 = 1_000;

/// A voter that answers again is asked within a second, and its word may be on its way for as long as a call may take.
const ASKED_MS: u64 = 6_000;

/// What a witness heard since it was asked is not known to the holder: a word counts for 6.5 s, and a record is written once a second.
const WORD_MS: u64 = 7_500;

/// `DOWN_AFTER`, less the age of a word that counts, the second until it is told, and clocks that run 1 % apart.
const HEARD_MS: u64 = 20_000;
