//! N1 at work: what this node hears of others, what it asks, and what it concludes as a holder.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::limits::WITNESSED;
use constella_shared::wire::alert::{Kind, Subject, Unit, Value};
use constella_shared::wire::incident::Witnesses;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::{Request, Response, RpcCode, Status, Word};

use super::super::Node;
use super::super::pending::Pending;
use crate::alerts::board::Finding;
use crate::alerts::witness::{Down, FRESH_MS};
use crate::clock::Now;
use crate::io::{CallError, PeerRequest, PeerResponse};
use crate::voters;

impl Node {
    /// N1: a witness says what it hears, and tries each node itself, for the next question.
    pub(in super::super) fn witness(&mut self, now: Now, from: NodeId, nodes: &[NodeId]) -> Vec<Word> {
        let nodes = nodes.iter().take(WITNESSED);
        let words: Vec<(NodeId, Word)> = nodes.map(|node| (*node, self.word(now, node))).collect();
        let mut tries = TRIES;
        for (node, word) in &words {
            let tried = self.alerts.tried.get(node).is_some_and(|at| now.since(*at) < TRY_AGAIN_MS);
            let heard = word.heard_ms.is_some_and(|ms| ms < TRY_AGAIN_MS);
            if tries > 0 && !tried && !heard && *node != self.id && *node != from && self.roster.is_member(node) {
                tries = tries.saturating_sub(1);
                self.try_member(now, *node);
            }
        }
        words.into_iter().map(|(_, word)| word).collect()
    }

    /// What a witness said.
    pub(in super::super) fn witnessed(
        &mut self,
        now: Now,
        (witness, asked_at): (NodeId, u64),
        nodes: &[NodeId],
        result: &Result<PeerResponse, CallError>,
    ) {
        match result {
            Ok(PeerResponse::Rpc(Response::Witnessed { words })) => {
                self.alerts.cases.answered(now, witness, asked_at, nodes, words);
            }
            // S7: an older version. It is no witness.
            Err(CallError::Refused(error)) if error.code == RpcCode::UnknownMethod => {
                if let Some(generation) = self.peers.generation(&witness) {
                    self.alerts.cannot_witness.insert(witness, generation);
                }
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// One word for each member that there are doubts about. Of one that is told to be down already nobody has to be asked: a sign of it is enough.
    pub(super) fn own_words(&self, now: Now) -> BTreeMap<NodeId, Word> {
        let told = |node: &NodeId| self.alerts.board.tells(&Subject::whole(*node, Kind::NodeDown));
        let doubted = self.alerts.doubted.keys().filter(|node| !told(node) && !self.is_excused(now, node));
        doubted.map(|node| (*node, self.word(now, node))).collect()
    }

    /// What this node itself hears of another.
    fn word(&self, now: Now, node: &NodeId) -> Word {
        if *node == self.id {
            return Word { heard_ms: Some(0), silent_ms: None };
        }
        let sign_at = self.peers.sign_at(node);
        // A suspicion begins when a probe, and those of others in its place, had no answer for a period.
        let doubted = self.alerts.doubted.get(node).map(|at| at.saturating_sub(self.settings.heartbeat_ms));
        let since = doubted.into_iter().chain(self.peers.failing_since(node)).min();
        let since = since.map(|since| since.max(sign_at.unwrap_or(0)).max(self.born));
        Word { heard_ms: sign_at.map(|at| now.since(at)), silent_ms: since.map(|at| now.since(at)) }
    }

    /// N3: what an order of this network, its owner, or a graceful stop explains is no alert for as long as it is followed.
    fn is_excused(&self, now: Now, node: &NodeId) -> bool {
        let away_ms = self.alerts.doubted.get(node).map_or(0, |since| now.since(*since));
        let stopped = self.membership.status(node) == Status::Left;
        // Its container may still be built: it was let in, and never said a word.
        let unborn = self.roster.member(node).is_none_or(|member| member.version.is_none());
        (stopped || unborn) && away_ms < FOLLOWED_MS || self.commands.reboots(node)
    }

    /// The voters that live and know the question, and this node. One call that had no answer makes no voter dead: over a wire that loses packets this
    /// node would be left as the only witness. A voter that answers again lives before gossip says so.
    fn witnesses(&self, now: Now) -> BTreeSet<NodeId> {
        let answers = |node: &NodeId| {
            let protocol = self.roster.member(node).and_then(|member| member.protocol);
            let knows = protocol >= Some(SECOND)
                && self.peers.generation(node) != self.alerts.cannot_witness.get(node).copied();
            let fails = self.peers.failing_since(node).is_some_and(|since| now.since(since) >= SILENT_MS);
            let is_back = || {
                let heard_lately = self.peers.sign_at(node).is_some_and(|at| now.since(at) < SILENT_MS);
                self.peers.in_touch(node) && heard_lately
            };
            knows && (self.membership.status(node) == Status::Alive && !fails || is_back())
        };
        let mut witnesses: BTreeSet<NodeId> = voters::everyone(self.roster.voters())
            .into_iter()
            .filter(|node| *node != self.id && answers(node))
            .collect();
        witnesses.insert(self.id);
        witnesses
    }

    pub(super) fn ask_witnesses(&mut self, now: Now) {
        let nodes = self.alerts.cases.due(now, &self.id, self.settings.down_after_ms);
        if nodes.is_empty() {
            return;
        }
        for witness in self.witnesses(now) {
            if witness == self.id {
                self.witness(now, witness, &nodes);
            } else {
                let request = PeerRequest::Rpc(Request::AlertsWitness { nodes: nodes.clone() });
                let pending = Pending::Witness { witness, asked_at: now.boot_ms, nodes: nodes.clone() };
                self.call(witness, self.settings.rpc_timeout_ms, request, pending);
            }
        }
    }

    fn try_member(&mut self, now: Now, node: NodeId) {
        self.alerts.tried.insert(node, now.boot_ms);
        // A heartbeat without gossip: it changes no view but by its answer.
        self.frames.entry(node).or_default();
    }

    /// Turns words into what stands and what is well.
    pub(super) fn conclude(&mut self, now: Now, words: &BTreeMap<NodeId, Word>) {
        let alone = self.concludes_alone(now);
        let mut down = self.alerts.cases.down(now, &self.witnesses(now), self.settings.down_after_ms);
        down.retain(|_| !alone);
        self.withdraw(now, &down);
        for down in down {
            let finding = Finding {
                subject: Subject::whole(down.node, Kind::NodeDown),
                since_unix_ms: now.unix_ms.saturating_sub(down.silent_ms),
                value: Value::none(),
                by: self.id,
                witnesses: Some(down.witnesses),
            };
            self.alerts.board.stands(now, finding);
        }
        let board = &self.alerts.board;
        let of_members = |subject: &&Subject| subject.kind == Kind::NodeDown;
        let subjects: BTreeSet<Subject> = board.live().chain(board.standing()).filter(of_members).cloned().collect();
        for subject in subjects {
            let node = &subject.node;
            let removed = !self.roster.is_member(node);
            let heard = self.membership.status(node) == Status::Alive && self.peers.failing(node).is_none();
            if removed || *node == self.id || heard {
                self.alerts.board.is_well(now, &subject);
            } else if words.contains_key(node) || self.alerts.doubted.contains_key(node) {
                self.alerts.board.is_unknown(&subject);
            }
        }
    }

    /// N1: what a witness heard in the second before it would have been told is not told.
    fn withdraw(&mut self, now: Now, down: &[Down]) {
        let board = &self.alerts.board;
        let is_withdrawn = |subject: &&Subject| {
            let stands = down.iter().any(|one| one.node == subject.node);
            subject.kind == Kind::NodeDown && !stands && !board.tells(subject)
        };
        let withdrawn: Vec<Subject> = board.standing().filter(is_withdrawn).cloned().collect();
        withdrawn.iter().for_each(|subject| self.alerts.board.is_well(now, subject));
    }

    /// N6: whoever lost more than half of the others at once says what it sees, and accuses nobody. Two nodes have nobody else to ask.
    fn concludes_alone(&mut self, now: Now) -> bool {
        let (sees, total) = (self.membership.alive(), self.roster.len());
        // At once: whom the owner knows to be down was not lost now.
        let is_known = |subject: &&Subject| subject.kind == Kind::NodeDown && self.roster.is_member(&subject.node);
        let lately = total.saturating_sub(self.alerts.board.live().filter(is_known).count());
        let few = match self.held {
            Some(Strength::Strong) => sees.saturating_mul(2) < lately,
            Some(Strength::Weak) | None => sees.saturating_mul(2) <= lately,
        };
        let subject = Subject::whole(self.id, Kind::VotersMissing);
        if total <= 2 || !few {
            self.alerts.alone_since = None;
            let board = &self.alerts.board;
            let alone = |subject: &&Subject| subject.kind == Kind::VotersMissing;
            let mut subjects: Vec<Subject> = board.live().filter(alone).cloned().collect();
            subjects.push(subject);
            subjects.iter().for_each(|subject| self.alerts.board.is_well(now, subject));
            return false;
        }
        let since = *self.alerts.alone_since.get_or_insert(now.boot_ms);
        if now.since(since) >= self.settings.down_after_ms {
            let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
            let witnesses = Witnesses { silent: count(total.saturating_sub(sees)), of: count(total) };
            self.alerts.board.stands(
                now,
                Finding {
                    subject,
                    since_unix_ms: now.unix_ms.saturating_sub(now.since(since)),
                    value: Value::of(i64::from(witnesses.of.saturating_sub(witnesses.silent)), Unit::Count),
                    by: self.id,
                    witnesses: Some(witnesses),
                },
            );
        }
        true
    }
}

/// A voter that answers no call for so long is no witness, also while gossip hears of it by others: as long as a word counts.
const SILENT_MS: u64 = FRESH_MS;

/// A witness does not try a node again before.
const TRY_AGAIN_MS: u64 = 2_000;

/// Nodes that a witness tries for one question: with hundreds that are silent, each dial takes seconds.
const TRIES: usize = 16;

/// A reboot, an upgrade and a first start are followed for so long.
const FOLLOWED_MS: u64 = 600_000;

/// S7: protocol 1 has no words for the question.
pub(super) const SECOND: u32 = 2;
