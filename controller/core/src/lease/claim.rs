//! The holder's side of the lease (L2): gather grants, keep them, know when they run out, give way.

mod ask;
mod canvass;
mod standing;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::ids::{LeaderKey, NodeId, Seq, Term};
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, LeaseRefusal, LeaseRelease};
use constella_shared::wire::records::{VoterRecord, VotersMark};

use super::durable::Durable;
use crate::clock::Now;
use crate::voters;
pub use ask::{AskSent, Holds};
pub use standing::Standing;

/// One node's claim to the lease, from the first ask to the last release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    ttl_ms: u64,
    active: bool,
    began: u64,
    term: Term,
    last_seq: Seq,
    last_round: u64,
    next_round: u64,
    /// How long a round takes over the wires to the voters.
    takes_ms: u64,
    known: BTreeMap<NodeId, Known>,
    has_mark: BTreeMap<NodeId, VotersMark>,
    /// Nodes that vote under the next record: they are asked beside the voters.
    canvassed: BTreeSet<NodeId>,
    /// A holder that seems dead: what voters keep for it blocks nobody from being weak.
    gone: Option<NodeId>,
    /// Refusals since the last grant that made it ask again before its usual time, counted up to [`MOST_DOUBLINGS`].
    refusals: u32,
}

/// What is known of one voter in this claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Known {
    /// Its grant holds until then, by both of our clocks; it was given under that mark.
    Granted { until: Now, mark: VotersMark },
    /// It holds for somebody else until about then.
    Held { rival: LeaderKey, grants: u8, until: u64 },
    /// It grants nobody until about then.
    Quiet { until: u64 },
    /// It did not answer.
    Silent,
}

impl Claim {
    /// No claim.
    #[must_use]
    pub fn new(ttl_ms: u64) -> Self {
        Self {
            ttl_ms,
            active: false,
            began: 0,
            term: Term(0),
            last_seq: Seq(0),
            last_round: 0,
            next_round: 0,
            takes_ms: 0,
            known: BTreeMap::new(),
            has_mark: BTreeMap::new(),
            canvassed: BTreeSet::new(),
            gone: None,
            refusals: 0,
        }
    }

    /// Starts claiming in a term above every one that is known. Does nothing while a claim is on its way.
    pub fn begin(&mut self, now: Now, durable: &Durable) {
        if !self.active {
            self.active = true;
            self.began = now.boot_ms;
            self.refusals = 0;
            self.renew_term(now, durable);
        }
    }

    /// Whether a claim is on its way or held.
    #[must_use]
    pub const fn active(&self) -> bool {
        self.active
    }

    /// The claim's term.
    #[must_use]
    pub const fn term(&self) -> Term {
        self.term
    }

    /// The sequence number of the newest round of asks.
    #[must_use]
    pub const fn renewal(&self) -> Seq {
        self.last_seq
    }

    /// When the next round of asks is due.
    #[must_use]
    pub const fn next_round(&self) -> Option<u64> {
        if self.active { Some(self.next_round) } else { None }
    }

    /// How long a round takes until a majority has answered, milliseconds: failed claims are retried no sooner.
    pub const fn takes(&mut self, round_ms: u64) {
        self.takes_ms = round_ms;
    }

    /// One ask for each voter. The caller sends each and tells how it was answered with [`Claim::answered`].
    pub fn round(
        &mut self,
        now: Now,
        me: LeaderKey,
        holds: Holds,
        durable: &mut Durable,
        record: &VoterRecord,
    ) -> Vec<(NodeId, LeaseAsk)> {
        self.last_seq = durable.next_seq();
        self.last_round = now.boot_ms;
        self.next_round = now.boot_ms.saturating_add(self.pause(now, record));
        let grants = u8::try_from(self.grants(now)).unwrap_or(u8::MAX);
        let ask = |node: NodeId| {
            let knows = self.has_mark.get(&node) == Some(&record.mark);
            let voters = (!knows).then(|| record.clone());
            let Holds { held, polling } = holds;
            let (term, seq, mark) = (self.term, self.last_seq, record.mark);
            (node, LeaseAsk { holder: me, term, seq, mark, voters, grants, held, polling })
        };
        self.canvassed.retain(|node| !record.old.contains(node) && !record.new.contains(node));
        self.asked(record).into_iter().map(ask).collect()
    }

    /// Takes a voter's answer in; `sent` is the time right before the ask was sent, from which a grant counts (L2).
    pub fn answered(
        &mut self,
        now: Now,
        durable: &mut Durable,
        voter: NodeId,
        ask: &AskSent,
        answer: Option<&LeaseAnswer>,
    ) {
        if !self.active || ask.term != self.term {
            return;
        }
        let news = match answer {
            None => Known::Silent,
            Some(LeaseAnswer::Granted { mark }) => {
                self.has_mark.insert(voter, *mark);
                self.refusals = 0;
                Known::Granted { until: ask.sent.after(counted(self.ttl_ms)), mark: *mark }
            }
            Some(LeaseAnswer::Refused { reason, term, .. }) => match self.refused(now, durable, voter, reason, *term) {
                Some(known) => known,
                None => return,
            },
            // S7: neither a grant nor a rival; the voter stays undecided, so this node is not weak without it.
            Some(LeaseAnswer::Unknown) => return,
        };
        self.learn(now, voter, news);
    }

    /// What the claim is worth.
    #[must_use]
    pub fn standing(&self, now: Now, me: LeaderKey, record: &VoterRecord) -> Standing {
        if !self.active {
            return Standing::Open;
        }
        if let Some(until) = voters::majority_until(record, |voter| self.granted_until(now, voter)) {
            return Standing::Strong { until };
        }
        let mine = self.grants(now);
        let most = record.new.len() / 2 + 1;
        let mut undecided = false;
        for voter in voters::everyone(record) {
            match self.known.get(&voter) {
                Some(Known::Held { rival, .. }) if Some(rival.node) == self.gone => {}
                Some(Known::Held { rival, grants, until }) if *until > now.boot_ms => {
                    let theirs = usize::from(*grants);
                    if theirs >= most {
                        // A rival whose time is just over is asked for again after a pause too.
                        return Standing::GiveWay { until: (*until).max(now.boot_ms.saturating_add(SOON_MS)) };
                    }
                    if theirs > mine || (theirs == mine && *rival < me) {
                        return Standing::GiveWay { until: now.boot_ms.saturating_add(2 * self.retry_ms()) };
                    }
                    undecided = true;
                }
                Some(Known::Held { .. }) | None => undecided = true,
                Some(Known::Granted { .. } | Known::Quiet { .. } | Known::Silent) => {}
            }
        }
        if undecided { Standing::Open } else { Standing::Weak { reached: mine > 0 } }
    }

    /// Voters whose grant holds now.
    #[must_use]
    pub fn grants(&self, now: Now) -> usize {
        let voters = self.known.keys().filter(|node| !self.canvassed.contains(node));
        voters.filter(|voter| self.granted_until(now, voter).is_some()).count()
    }

    /// Whether a voter's grant holds now, and was given under exactly this mark.
    #[must_use]
    pub fn granted_under(&self, now: Now, voter: &NodeId, mark: VotersMark) -> bool {
        match self.known.get(voter) {
            Some(Known::Granted { until, mark: given }) => now.left_until(*until) > 0 && *given == mark,
            Some(Known::Held { .. } | Known::Quiet { .. } | Known::Silent) | None => false,
        }
    }

    /// Ends the claim: one release for each voter.
    pub fn end(
        &mut self,
        me: NodeId,
        durable: &mut Durable,
        record: &VoterRecord,
        stopping: bool,
    ) -> Vec<(NodeId, LeaseRelease)> {
        let releases = if self.active { self.releases(me, durable, record, stopping) } else { Vec::new() };
        self.active = false;
        self.known.clear();
        self.canvassed.clear();
        releases
    }

    /// L7: the clock jumped; no grant counts any more, all are asked for anew.
    pub fn doubt(&mut self, now: Now, durable: &Durable) {
        if self.active {
            self.renew_term(now, durable);
        }
    }

    /// A higher term than its own was seen: goes on above that, so that orders are not refused for it. Towards one that is far above it takes a
    /// step each time: voters that have not seen it would refuse the leap (L3), and cost the holder its lease.
    pub fn outgrow(&mut self, now: Now, durable: &mut Durable, seen: Term) {
        let seen = seen.max(durable.term()).min(Term(self.term.0.saturating_add(NEAR)));
        if self.active && seen > self.term {
            durable.raise(seen);
            self.term = seen.next();
            self.next_round = now.boot_ms;
        }
    }

    /// The voter record changed: ask at once, so that grants under it are known soon.
    pub fn hurry(&mut self, now: Now) {
        self.next_round = self.next_round.min(now.boot_ms.max(self.last_round.saturating_add(SOON_MS)));
    }

    /// The next round after a refusal. The pause doubles with each: a voter that refuses whatever it is asked is not asked without end.
    fn ask_again(&mut self, now: Now) {
        let pause_ms = SOON_MS << self.refusals;
        self.refusals = self.refusals.saturating_add(1).min(MOST_DOUBLINGS);
        self.next_round = now.boot_ms.max(self.last_round.saturating_add(pause_ms));
    }

    fn refused(
        &mut self,
        now: Now,
        durable: &mut Durable,
        voter: NodeId,
        reason: &LeaseRefusal,
        term: Term,
    ) -> Option<Known> {
        match reason {
            LeaseRefusal::Held { rival, grants, left_ms } => {
                let until = now.boot_ms.saturating_add((*left_ms).min(self.ttl_ms));
                Some(Known::Held { rival: *rival, grants: *grants, until })
            }
            LeaseRefusal::JustStarted { left_ms } => {
                Some(Known::Quiet { until: now.boot_ms.saturating_add((*left_ms).min(self.ttl_ms)) })
            }
            LeaseRefusal::OldTerm | LeaseRefusal::TermLeap => {
                durable.raise_near(term);
                if term >= self.term {
                    self.step_up(now, durable);
                    self.ask_again(now);
                }
                None
            }
            LeaseRefusal::OlderVoters => {
                // One that was shown the record and did not take it does not know all of its nodes yet: it is asked again at the usual pace.
                if self.has_mark.remove(&voter).is_some() {
                    self.hurry(now);
                }
                None
            }
            LeaseRefusal::OldSeq | LeaseRefusal::Unknown => None,
        }
    }

    /// A later answer replaces an earlier one. Silence does not undo a grant that still holds, nor does a voter that has just started: it
    /// grants nobody else for a whole TTL, which outlives the grant.
    fn learn(&mut self, now: Now, voter: NodeId, news: Known) {
        let holds = self.granted_until(now, &voter).is_some();
        match news {
            Known::Silent | Known::Quiet { .. } if holds => {}
            Known::Granted { until, mark } => {
                let until = match self.known.get(&voter) {
                    Some(Known::Granted { until: known, .. }) if known.boot_ms > until.boot_ms => *known,
                    _ => until,
                };
                self.known.insert(voter, Known::Granted { until, mark });
            }
            Known::Held { .. } | Known::Quiet { .. } | Known::Silent => {
                if let Known::Held { until, .. } | Known::Quiet { until } = news {
                    // A dead holder's grants run out one after another; a living one renews its own long before.
                    let soonest = self.last_round.saturating_add(SOON_MS);
                    self.next_round = self.next_round.min(until.saturating_add(1).max(soonest));
                }
                self.known.insert(voter, news);
            }
        }
    }

    /// By CLOCK_BOOTTIME. L7: where the wall clock went further meanwhile, that machine stood still, and the grant ends the sooner.
    fn granted_until(&self, now: Now, voter: &NodeId) -> Option<u64> {
        match self.known.get(voter) {
            Some(Known::Granted { until, .. }) => {
                let left_ms = now.left_until(*until);
                (left_ms > 0).then(|| now.boot_ms.saturating_add(left_ms))
            }
            Some(Known::Held { .. } | Known::Quiet { .. } | Known::Silent) | None => None,
        }
    }

    fn releases(
        &mut self,
        me: NodeId,
        durable: &mut Durable,
        record: &VoterRecord,
        stopping: bool,
    ) -> Vec<(NodeId, LeaseRelease)> {
        let seq = durable.next_seq();
        let release = LeaseRelease { holder: me, term: self.term, seq, stopping };
        self.asked(record).into_iter().map(|voter| (voter, release.clone())).collect()
    }

    /// A new term in which nothing is known yet.
    fn renew_term(&mut self, now: Now, durable: &Durable) {
        self.known.clear();
        self.step_up(now, durable);
    }

    /// A new term, so that answers to earlier asks no longer count. Grants that were given stay: a voter keeps to the holder, whatever its term.
    fn step_up(&mut self, now: Now, durable: &Durable) {
        self.term = durable.term().max(self.term).next();
        self.next_round = now.boot_ms;
    }

    fn retry_ms(&self) -> u64 {
        RETRY_MS.max(self.takes_ms)
    }

    fn pause(&self, now: Now, record: &VoterRecord) -> u64 {
        let held = voters::majority(record, |voter| self.granted_until(now, voter).is_some());
        let eager = !held && now.since(self.began) < EAGER_MS;
        if eager { self.retry_ms() } else { self.ttl_ms / 4 }
    }
}

/// L2: a holder counts 95 % of the TTL, so that a voter whose clock runs 5 % slower still outlives the grant that it gave.
const fn counted(ttl_ms: u64) -> u64 {
    ttl_ms.saturating_sub(margin_ms(ttl_ms))
}

/// Milliseconds that a voter's grant outlives the holder's: by so much may two clocks differ within one TTL.
pub const fn margin_ms(ttl_ms: u64) -> u64 {
    ttl_ms.saturating_mul(5).div_ceil(100)
}

/// L2: failed claims are retried so often, or as often as a round takes, and a rival claimant with the better claim has won or lost within two
/// of its rounds ...
const RETRY_MS: u64 = 300;

/// ... for so long, then with every quarter of the TTL.
const EAGER_MS: u64 = 1_500;

/// Grants that run out one after another are not each followed by a round of asks to all.
const SOON_MS: u64 = 50;

/// 50, 100, 200, then every 400 ms: sooner than the usual pause of a claim that is held up.
const MOST_DOUBLINGS: u32 = 3;

/// Of the leap that a voter accepts, so that a few such steps before its next renewal are no leap either.
const NEAR: u64 = constella_shared::limits::TERM_LEAP / 4;

#[cfg(test)]
mod tests;
