//! The operator: asks a core by its control socket, and asks again where the core says that it may help.

use std::collections::{BTreeMap, BTreeSet};

use constella_core::io::{InboundId, Input, OperatorAnswer, OperatorRequest};
use constella_core::roster::Edit;
use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::{RpcCode, RpcError};

use super::super::event::Event;
use super::super::host::Host;
use super::World;

/// What operators wait for.
#[derive(Default)]
pub(super) struct Operators {
    next: u64,
    asked: BTreeMap<InboundId, Asked>,
    /// Nodes that were removed: when, and since when they were in touch with all others and did not serve, where they were.
    removed: BTreeMap<NodeId, (u64, Option<u64>)>,
}

/// What was asked, and what for.
#[derive(Debug, Clone)]
pub(in super::super) enum Asked {
    /// An invitation for a server of this name.
    Invite { name: String },
    /// An edit, for the so-manieth time.
    Edit { node: NodeId, edit: Edit, tries: u32 },
}

impl World {
    /// The owner edits a node through whoever leads.
    pub(super) fn edit(&mut self, node: &str, edit: Edit) {
        let Some(node) = self.named(node).and_then(|at| self.hosts.get(at)).map(|host| host.id) else { return };
        self.ask_again(Asked::Edit { node, edit, tries: 0 });
    }

    /// The same request, at whoever leads now.
    pub(super) fn ask_again(&mut self, asked: Asked) {
        let Asked::Edit { node, edit, tries } = &asked else { return };
        let request = OperatorRequest::Edit { node: *node, edit: edit.clone() };
        match self.leader() {
            Some(at) => self.ask_operator(at, request, asked),
            None if *tries < MOST_TRIES => self.later(asked),
            None => {}
        }
    }

    /// Asks a core.
    pub(super) fn ask_operator(&mut self, at: usize, request: OperatorRequest, asked: Asked) {
        // Who stands still takes nothing in, from its own operator neither.
        let Some(life) = self.hosts.get(at).filter(|host| host.runs()).map(|host| host.life) else { return };
        self.operators.next += 1;
        let inbound = InboundId(OPERATORS | self.operators.next);
        self.operators.asked.insert(inbound, asked);
        self.input(at, life, Input::Operator { inbound, request });
    }

    /// A core answers.
    pub(super) fn operator_reply(&mut self, at: usize, inbound: InboundId, result: Result<OperatorAnswer, RpcError>) {
        let Some(asked) = self.operators.asked.remove(&inbound) else { return };
        let said = result.as_ref().err().map(|error| error.message.clone());
        self.note(|| format!("the operator is told: {}", said.unwrap_or_else(|| "done".to_owned())));
        match (asked, result) {
            (Asked::Invite { name }, Ok(OperatorAnswer::Link(link))) => self.carry_link(at, name, &link),
            (asked @ Asked::Edit { .. }, Err(error)) if matches!(error.code, RpcCode::Busy | RpcCode::NotHolder) => {
                self.later(asked);
            }
            (Asked::Edit { node, edit: Edit::Remove, .. }, Ok(_)) => {
                let touch = self.in_touch_since(node).filter(|_| self.by_id.get(&node) != Some(&at));
                self.operators.removed.entry(node).or_insert((self.t, touch));
            }
            (Asked::Invite { .. } | Asked::Edit { .. }, _) => {}
        }
    }

    fn in_touch_since(&self, node: NodeId) -> Option<u64> {
        let quiet = self.network.quiet_since()?;
        let awake = self.hosts.iter().filter(|host| host.id == node && host.runs()).map(|host| host.awake_since);
        awake.map(|awake| awake.max(quiet)).next()
    }

    /// Whether a node that was removed had this long enough to pass it on before, and somebody to pass it on to.
    pub(super) fn had_time_to_pass_on(&self, of: &Host, since: u64) -> bool {
        let removal = self.operators.removed.get(&of.id);
        removal.is_some_and(|(at, touch)| touch.is_some_and(|touch| touch.max(since) + PASS_ON_MS < *at))
    }

    /// Whether some disk says that the owner removed it, which is final (R2).
    pub(super) fn is_removed(&self, of: &Host) -> bool {
        let says_so = |host: &Host| {
            let disk = host.disk.as_ref().filter(|_| host.network == of.network);
            disk.is_some_and(|disk| {
                disk.network.peers.iter().any(|peer| peer.owner.removed && peer.owner.node == of.id)
            })
        };
        self.hosts.iter().any(says_so)
    }

    /// Whether it was let in by a node that was removed before it had told anybody but others of its kind: nobody can introduce it any more.
    pub(super) fn is_orphan(&self, of: &Host) -> bool {
        let peers = |host: &Host| host.disk.as_ref().map(|disk| disk.network.peers.clone()).unwrap_or_default();
        if !self.was_let_in_by_a_removed_one(of) {
            return false;
        }
        let members = self.hosts.iter().filter(|host| host.network == of.network && !self.is_removed(host));
        let (mut orphans, others): (Vec<_>, Vec<_>) = members.partition(|host| self.was_let_in_by_a_removed_one(host));
        let mut known: BTreeSet<NodeId> = others.into_iter().flat_map(peers).map(|peer| peer.owner.node).collect();
        // Whom a member knows, that one is introduced by it, and knows others in its turn.
        while let Some(at) = orphans.iter().position(|host| known.contains(&host.id)) {
            known.extend(peers(orphans.swap_remove(at)).iter().map(|peer| peer.owner.node));
        }
        orphans.iter().any(|host| host.id == of.id)
    }

    /// By a removed node, or by one that was itself let in so.
    fn was_let_in_by_a_removed_one(&self, of: &Host) -> bool {
        let admitter = |host: &Host| {
            let own = host.disk.as_ref()?.network.peers.iter().find(|peer| peer.owner.node == host.id)?;
            self.hosts.get(*self.by_id.get(&own.owner.admitted_by)?).filter(|by| by.id != host.id)
        };
        let chain = std::iter::successors(admitter(of), |by| admitter(by));
        chain.take(self.hosts.len()).any(|by| self.is_removed(by))
    }

    fn later(&mut self, asked: Asked) {
        if let Asked::Edit { node, edit, tries } = asked
            && tries < MOST_TRIES
        {
            let again = Asked::Edit { node, edit, tries: tries + 1 };
            self.agenda.add(self.t + AGAIN_MS, Event::AskAgain(Box::new(again)));
        }
    }
}

/// Who does not serve passes commands on once a second, and again after 3 s, to a holder that it heard of by a heartbeat.
const PASS_ON_MS: u64 = 20_000;

/// A person asks again after this time ...
const AGAIN_MS: u64 = 3_000;

/// ... so often.
const MOST_TRIES: u32 = 6;

/// Keeps the numbers of operators apart from those of flights and joins.
const OPERATORS: u64 = 1 << 61;
