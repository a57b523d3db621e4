//! The voter's side of the lease (L1, L3): one holder at a time, for one TTL by this node's own clock.

use alloc::collections::BTreeMap;

use constella_shared::ids::{LeaderKey, NodeId, Seq, Term};
use constella_shared::limits::TERM_LEAP;
use constella_shared::state::LastGrant;
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, LeaseRefusal, LeaseRelease};
use constella_shared::wire::records::VoterRecord;

use super::durable::Durable;
use crate::clock::Now;

/// What this node has granted, and to whom it listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Voter {
    ttl_ms: u64,
    quiet_until: u64,
    /// The only node that may hold a grant of an earlier incarnation: it is granted in the quiet time too.
    resumed: Option<LastGrant>,
    grant: Option<Grant>,
    heeded: BTreeMap<NodeId, Seq>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Grant {
    holder: LeaderKey,
    term: Term,
    until: u64,
    grants: u8,
}

impl Voter {
    /// A voter that has just started: it may have granted in an earlier life, so it grants nobody for one TTL.
    #[must_use]
    pub fn new(ttl_ms: u64, now: Now) -> Self {
        Self {
            ttl_ms,
            quiet_until: now.boot_ms.saturating_add(ttl_ms),
            resumed: None,
            grant: None,
            heeded: BTreeMap::new(),
        }
    }

    /// A voter that was restarted in place: its earlier process is dead, and `last` is the newest grant that it gave. Nobody but that holder
    /// can have a grant that still holds, so that holder is granted at once, and all others after one TTL.
    #[must_use]
    pub fn resumed(ttl_ms: u64, now: Now, last: LastGrant) -> Self {
        Self { resumed: Some(last), ..Self::new(ttl_ms, now) }
    }

    /// The voter of a network of one: nobody else can have a grant of its earlier life. A network of two has one voter as well, and needs
    /// the quiet time.
    #[must_use]
    pub const fn of_one(ttl_ms: u64, now: Now) -> Self {
        Self { ttl_ms, quiet_until: now.boot_ms, resumed: None, grant: None, heeded: BTreeMap::new() }
    }

    /// Answers an ask. A raised term and another holder are in `durable` and must be on disk before the answer leaves; the caller has already taken over a
    /// newer voter record that came with the ask. One that is far behind refuses (L3), and comes up by a leap an ask.
    pub fn ask(&mut self, now: Now, durable: &mut Durable, record: &VoterRecord, ask: &LeaseAsk) -> LeaseAnswer {
        match self.judge(now, durable, record, ask) {
            Ok(()) => {
                durable.grant(ask.holder, ask.term);
                let until = now.boot_ms.saturating_add(self.ttl_ms);
                self.grant = Some(Grant { holder: ask.holder, term: ask.term, until, grants: ask.grants });
                LeaseAnswer::Granted { mark: record.mark }
            }
            Err(reason) => {
                if reason == LeaseRefusal::TermLeap {
                    durable.raise_near(ask.term);
                }
                let voters = (ask.mark < record.mark).then(|| record.clone());
                LeaseAnswer::Refused { reason, term: durable.term(), voters }
            }
        }
    }

    /// Takes a grant back.
    pub fn release(&mut self, release: &LeaseRelease) {
        if self.heed(release.holder, release.seq).is_err() {
            return;
        }
        if self.grant.is_some_and(|g| g.holder.node == release.holder && g.term <= release.term) {
            self.grant = None;
        }
        if self.resumed.is_some_and(|last| last.holder.node == release.holder && last.term <= release.term) {
            // The only grant of the earlier incarnation that could still hold is given back.
            self.quiet_until = 0;
        }
    }

    /// The grant that holds now: to whom, in which term, and until when by this node's CLOCK_BOOTTIME.
    #[must_use]
    pub fn granted(&self, now: Now) -> Option<(LeaderKey, Term, u64)> {
        self.live(now).map(|grant| (grant.holder, grant.term, grant.until))
    }

    /// The newest grant that was not given back, whether or not it has run out: to whom, and until when.
    #[must_use]
    pub fn last_grant(&self) -> Option<(NodeId, u64)> {
        self.grant.map(|grant| (grant.holder.node, grant.until))
    }

    /// Whether `heir` would be granted if `holder` released now (the proof of L6).
    #[must_use]
    pub fn would_grant(&self, now: Now, heir: NodeId, holder: NodeId) -> bool {
        !self.is_quiet_for(now, heir) && self.live(now).is_none_or(|g| g.holder.node == heir || g.holder.node == holder)
    }

    fn judge(&mut self, now: Now, durable: &Durable, record: &VoterRecord, ask: &LeaseAsk) -> Result<(), LeaseRefusal> {
        if ask.mark != record.mark {
            return Err(LeaseRefusal::OlderVoters);
        }
        self.heed(ask.holder.node, ask.seq)?;
        if ask.term.0 > durable.term().0.saturating_add(TERM_LEAP) {
            return Err(LeaseRefusal::TermLeap);
        }
        if self.is_quiet_for(now, ask.holder.node) {
            return Err(LeaseRefusal::JustStarted { left_ms: self.quiet_until.saturating_sub(now.boot_ms) });
        }
        match self.live(now) {
            Some(g) if g.holder.node != ask.holder.node => Err(LeaseRefusal::Held {
                rival: g.holder,
                grants: g.grants,
                left_ms: g.until.saturating_sub(now.boot_ms),
            }),
            _ if self.is_renewal(ask) || ask.term > durable.term() => Ok(()),
            _ => Err(LeaseRefusal::OldTerm),
        }
    }

    /// The last grant of this life was for the same holder and term: nobody else was granted since, so it may go on.
    fn is_renewal(&self, ask: &LeaseAsk) -> bool {
        self.grant.is_some_and(|g| g.holder.node == ask.holder.node && g.term == ask.term)
    }

    /// L1: within one TTL after the start, but for the one that may hold a grant of the earlier incarnation.
    fn is_quiet_for(&self, now: Now, node: NodeId) -> bool {
        now.boot_ms < self.quiet_until && self.resumed.is_none_or(|last| last.holder.node != node)
    }

    fn heed(&mut self, holder: NodeId, seq: Seq) -> Result<(), LeaseRefusal> {
        let last = self.heeded.entry(holder).or_default();
        if *last >= seq.next() {
            return Err(LeaseRefusal::OldSeq);
        }
        *last = seq.next();
        Ok(())
    }

    fn live(&self, now: Now) -> Option<Grant> {
        self.grant.filter(|g| g.until > now.boot_ms)
    }
}

#[cfg(test)]
mod tests;
