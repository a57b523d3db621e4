//! Handing the lease over (L5, L6, F1): offer, proof, finish what is in hand, release, tell the heir.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;

use crate::clock::Now;
use crate::io::CallId;

/// Why the holder lets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// L6: a better node is back and steady.
    Better,
    /// F1: the Bot API does not answer from here.
    ApiLoss,
    /// L5: the process stops.
    Stop,
}

/// What an heir could show (L6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The Bot API answered it just now, and a majority of the voters would grant it the lease.
    Whole,
    /// The Bot API answered it just now.
    BotOnly,
    /// Nothing, or it did not answer.
    Nothing,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing, or wait.
    Wait,
    /// Offer to this node, within the time limit.
    Offer {
        /// The heir.
        heir: NodeId,
        /// Time limit, milliseconds.
        timeout_ms: u64,
    },
    /// Take no more updates and finish what is in hand; then call [`Handover::drained`].
    Drain,
    /// Release at every voter; answer each with [`Handover::released`].
    Release,
    /// Tell the heir that it is its turn; answer with [`Handover::told`].
    Tell {
        /// The heir.
        heir: NodeId,
    },
    /// The lease is with somebody else, or free.
    Finished(Reason),
    /// Nobody can take it: hold on.
    Abandoned,
}

/// A hand-over on its way.
#[derive(Debug)]
pub struct Handover {
    reason: Reason,
    candidates: Vec<NodeId>,
    heir: Option<NodeId>,
    /// Reaches the Bot API, but no majority would grant it the lease: better than nobody for a process that stops (L5).
    weak_heir: Option<NodeId>,
    phase: Phase,
    deadline: u64,
    /// The way to whom it is about takes so much longer than over a wire without length.
    away_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Next,
    Offered(CallId),
    Draining,
    Releasing(BTreeSet<CallId>),
    Telling,
    Over,
}

impl Handover {
    /// Begins: `candidates` are tried in their order. A process that stops lets go even when nobody takes it.
    #[must_use]
    pub fn new(now: Now, reason: Reason, candidates: Vec<NodeId>) -> Self {
        let deadline = now.boot_ms;
        Self { reason, candidates, heir: None, weak_heir: None, phase: Phase::Next, deadline, away_ms: 0 }
    }

    /// The same over wires where an answer takes so many milliseconds.
    #[must_use]
    pub fn over(self, away_ms: u64) -> Self {
        Self { away_ms, ..self }
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// A process that stops does not wait for another reason's hand-over: its reason becomes this one's.
    pub const fn stop(&mut self) {
        self.reason = Reason::Stop;
    }

    /// When [`Handover::step`] must be called at the latest.
    #[must_use]
    pub const fn deadline(&self) -> u64 {
        self.deadline
    }

    /// What is due now. Each step is told once.
    pub fn step(&mut self, now: Now) -> Step {
        match &self.phase {
            Phase::Next => self.offer_next(now),
            Phase::Offered(_) => Step::Wait,
            Phase::Draining if now.boot_ms >= self.deadline => self.release(now),
            Phase::Releasing(waiting) if waiting.is_empty() || now.boot_ms >= self.deadline => self.tell(now),
            Phase::Telling if now.boot_ms >= self.deadline => self.finish(),
            Phase::Draining | Phase::Releasing(_) | Phase::Telling | Phase::Over => Step::Wait,
        }
    }

    /// The offer was sent by this call.
    pub fn offered(&mut self, now: Now, call: CallId, timeout_ms: u64) {
        self.phase = Phase::Offered(call);
        self.deadline = now.boot_ms.saturating_add(timeout_ms);
    }

    /// What the heir could show. False where the call was none of this hand-over.
    pub fn proven(&mut self, now: Now, call: CallId, proof: Proof) -> bool {
        if self.phase != Phase::Offered(call) {
            return false;
        }
        if proof == Proof::Whole {
            self.drain(now);
        } else {
            let weak = self.heir.take().filter(|_| proof == Proof::BotOnly);
            self.weak_heir = self.weak_heir.or(weak);
            self.phase = Phase::Next;
            self.deadline = now.boot_ms;
        }
        true
    }

    /// Whether the fence is to take no more updates.
    #[must_use]
    pub const fn draining(&self) -> bool {
        matches!(self.phase, Phase::Draining)
    }

    /// Nothing is in hand any more.
    pub const fn drained(&mut self, now: Now) {
        if matches!(self.phase, Phase::Draining) {
            self.deadline = now.boot_ms;
        }
    }

    /// The releases were sent by these calls.
    pub fn releasing(&mut self, calls: impl Iterator<Item = CallId>) {
        if let Phase::Releasing(waiting) = &mut self.phase {
            waiting.extend(calls);
        }
    }

    /// A release was answered, or not.
    pub fn released(&mut self, now: Now, call: CallId) {
        if let Phase::Releasing(waiting) = &mut self.phase
            && waiting.remove(&call)
            && waiting.is_empty()
        {
            self.deadline = now.boot_ms;
        }
    }

    /// The heir knows, or cannot be told.
    pub const fn told(&mut self, now: Now) {
        if matches!(self.phase, Phase::Telling) {
            self.deadline = now.boot_ms;
        }
    }

    fn offer_next(&mut self, now: Now) -> Step {
        if self.candidates.is_empty() {
            if self.reason == Reason::Stop {
                self.heir = self.weak_heir;
                self.drain(now);
                return Step::Drain;
            }
            self.phase = Phase::Over;
            return Step::Abandoned;
        }
        let heir = self.candidates.remove(0);
        self.heir = Some(heir);
        let timeout_ms = if self.reason == Reason::Stop { STOP_OFFER_MS } else { OFFER_MS };
        Step::Offer { heir, timeout_ms }
    }

    fn drain(&mut self, now: Now) {
        self.phase = Phase::Draining;
        self.deadline = now.boot_ms.saturating_add(DRAIN_MS).saturating_add(self.away_ms);
    }

    fn release(&mut self, now: Now) -> Step {
        self.phase = Phase::Releasing(BTreeSet::new());
        self.deadline = now.boot_ms.saturating_add(RELEASE_MS).saturating_add(self.away_ms);
        Step::Release
    }

    fn tell(&mut self, now: Now) -> Step {
        match self.heir {
            Some(heir) => {
                self.phase = Phase::Telling;
                self.deadline = now.boot_ms.saturating_add(RELEASE_MS).saturating_add(self.away_ms);
                Step::Tell { heir }
            }
            None => self.finish(),
        }
    }

    fn finish(&mut self) -> Step {
        self.phase = Phase::Over;
        Step::Finished(self.reason)
    }
}

/// L6: the heir proves itself within 2 s, otherwise the next is offered.
const OFFER_MS: u64 = 2_000;

/// A process that stops has less time: the budget of a graceful stop is 1 s in all.
const STOP_OFFER_MS: u64 = 600;

/// What is in hand is stored and confirmed within this time, or comes again to the heir.
const DRAIN_MS: u64 = 1_500;

/// A voter that does not answer a release in this time lets the grant run out by itself.
const RELEASE_MS: u64 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn n(id: u8) -> NodeId {
        NodeId([id; 32])
    }

    fn at(boot_ms: u64) -> Now {
        Now { boot_ms, unix_ms: boot_ms }
    }

    #[test]
    fn an_heir_without_proof_is_passed_over_and_nothing_is_released() {
        // L6
        let mut handover = Handover::new(at(0), Reason::Better, vec![n(1), n(2)]);
        assert_eq!(handover.step(at(0)), Step::Offer { heir: n(1), timeout_ms: OFFER_MS });
        handover.offered(at(0), CallId(1), OFFER_MS);
        assert!(handover.proven(at(5), CallId(1), Proof::BotOnly));
        assert_eq!(handover.step(at(5)), Step::Offer { heir: n(2), timeout_ms: OFFER_MS });
        handover.offered(at(5), CallId(2), OFFER_MS);
        assert!(!handover.proven(at(6), CallId(1), Proof::Whole), "a late proof of another");
        assert!(handover.proven(at(6), CallId(2), Proof::Nothing));
        assert_eq!(handover.step(at(6)), Step::Abandoned);
    }

    #[test]
    fn after_the_proof_comes_what_is_in_hand_then_the_release_then_the_heir() {
        // L5, L6
        let mut handover = Handover::new(at(0), Reason::Better, vec![n(1)]);
        let _offer = handover.step(at(0));
        handover.offered(at(0), CallId(1), OFFER_MS);
        assert!(handover.proven(at(5), CallId(1), Proof::Whole));
        assert!(handover.draining());
        assert_eq!(handover.step(at(6)), Step::Wait);
        handover.drained(at(7));
        assert_eq!(handover.step(at(7)), Step::Release);
        handover.releasing([CallId(2), CallId(3)].into_iter());
        handover.released(at(8), CallId(2));
        assert_eq!(handover.step(at(8)), Step::Wait);
        handover.released(at(9), CallId(3));
        assert_eq!(handover.step(at(9)), Step::Tell { heir: n(1) });
        handover.told(at(10));
        assert_eq!(handover.step(at(10)), Step::Finished(Reason::Better));
        assert_eq!(handover.step(at(11)), Step::Wait);
    }

    #[test]
    fn who_stops_lets_go_even_when_nobody_takes_it() {
        // L5
        let mut handover = Handover::new(at(0), Reason::Stop, vec![]);
        assert_eq!(handover.step(at(0)), Step::Drain);
        handover.drained(at(1));
        assert_eq!(handover.step(at(1)), Step::Release);
        assert_eq!(handover.step(at(2)), Step::Finished(Reason::Stop));
    }

    #[test]
    fn who_stops_tells_an_heir_that_no_majority_would_grant_rather_than_nobody() {
        // L5
        let mut handover = Handover::new(at(0), Reason::Stop, vec![n(1), n(2), n(3)]);
        for (call, proof) in [(1, Proof::Nothing), (2, Proof::BotOnly), (3, Proof::BotOnly)] {
            assert!(matches!(handover.step(at(call)), Step::Offer { .. }));
            handover.offered(at(call), CallId(call), STOP_OFFER_MS);
            assert!(handover.proven(at(call), CallId(call), proof));
        }
        assert_eq!(handover.step(at(4)), Step::Drain);
        handover.drained(at(5));
        assert_eq!(handover.step(at(5)), Step::Release);
        assert_eq!(handover.step(at(6)), Step::Tell { heir: n(2) }, "the first of them");
    }
}
