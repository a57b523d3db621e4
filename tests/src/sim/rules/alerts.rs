//! N1: nobody is told to be down whom a witness hears.

use std::collections::{BTreeMap, BTreeSet};

use constella_shared::ids::NodeId;
use constella_shared::state::NetworkState;
use constella_shared::wire::alert::{Kind, Subject};
use constella_shared::wire::records::NetValue;

use super::super::host::Host;

/// Who heard whom, and what was raised.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    /// When (true time) the first host last heard the second: a request, or an answer.
    heard: BTreeMap<(NodeId, NodeId), u64>,
    raised: BTreeSet<(Subject, u64)>,
}

impl Alerts {
    pub(super) fn heard(&mut self, t: u64, by: NodeId, of: NodeId) {
        self.heard.insert((by, of), t);
    }

    /// A host writes its roster: how many nodes it newly says to be down, and what is wrong with that.
    pub(super) fn writes(&mut self, t: u64, hosts: &[Host], host: &Host, new: &NetworkState) -> (u64, Option<String>) {
        let (mut raised, mut wrong) = (0, None);
        for record in new.records.iter().filter(|record| record.stamp.node == host.id) {
            let NetValue::Alert(alert) = &record.value else { continue };
            let is_raise = alert.subject.kind == Kind::NodeDown && alert.cleared_unix_ms.is_none();
            let newest = alert.raises.last().copied().unwrap_or(alert.raised_unix_ms);
            if !is_raise || !self.raised.insert((alert.subject.clone(), newest)) {
                continue;
            }
            raised += 1;
            let down = alert.subject.node;
            let lately = |by: &NodeId, of: &NodeId, ms: u64| self.heard.get(&(*by, *of)).is_some_and(|at| t - at < ms);
            let in_touch = |by: &&NodeId| **by == host.id || lately(&host.id, by, IN_TOUCH_MS);
            let witnesses = new.voters.old.iter().chain(&new.voters.new).chain([&host.id]).filter(in_touch);
            let hears = witnesses.into_iter().find(|by| lately(by, &down, HEARD_MS));
            let name = |id: &NodeId| hosts.iter().find(|each| each.id == *id).map_or("?", |each| each.name.as_str());
            if let Some(by) = hears {
                wrong = Some(format!("{} tells that {} is down, whom {} hears", host.name, name(&down), name(by)));
            }
        }
        (raised, wrong)
    }
}

/// A holder that heard a voter within this has its word.
const IN_TOUCH_MS: u64 = 2_500;

/// `DOWN_AFTER`, less the age of a word that counts, the second until it is told, and clocks that run 1 % apart.
const HEARD_MS: u64 = 20_000;
