//! What must survive a crash: the highest term, and how far the sequence numbers may have been used.

use constella_shared::ids::{Generation, LeaderKey, Seq, Term};
use constella_shared::limits::{COUNT_MOST, TERM_LEAP};
use constella_shared::state::{LastGrant, VoteState};

/// `vote.json` in memory, and whether the disk has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Durable {
    state: VoteState,
    next: Seq,
    dirty: bool,
}

impl Durable {
    /// Goes on from what the disk had: no sequence number below the reserved one is used again.
    #[must_use]
    pub fn new(state: VoteState) -> Self {
        let next = state.seq_reserved;
        Self { state, next, dirty: false }
    }

    /// The highest term that this node granted, claimed or heeded.
    #[must_use]
    pub fn term(&self) -> Term {
        self.state.term
    }

    /// Takes a higher term; a lower one changes nothing (L3), nor does one that no network comes to.
    pub fn raise(&mut self, term: Term) {
        if term > self.state.term && term.0 < COUNT_MOST {
            self.state.term = term;
            self.dirty = true;
        }
    }

    /// Takes a higher term that somebody claims to have seen, as far as others accept one leap (L3): a damaged number uses up no terms, and who is
    /// far behind comes up in a few steps.
    pub fn raise_near(&mut self, term: Term) {
        self.raise(term.min(Term(self.state.term.0.saturating_add(TERM_LEAP))));
    }

    /// L1: this node's voter grants. A renewal in the same term changes nothing and writes nothing.
    pub fn grant(&mut self, holder: LeaderKey, term: Term) {
        self.raise(term);
        let same = self.state.granted.is_some_and(|last| last.holder.node == holder.node && last.term == term);
        if !same {
            self.state.granted = Some(LastGrant { holder, term });
            self.dirty = true;
        }
    }

    /// The newest grant of this node's voter, in this incarnation or an earlier one.
    #[must_use]
    pub const fn granted(&self) -> Option<LastGrant> {
        self.state.granted
    }

    /// How often this node has started within the last `within_s` seconds, this start included (L6).
    #[must_use]
    pub fn starts(&self, unix_s: u64, within_s: u64) -> usize {
        self.state.starts.iter().filter(|start| unix_s.saturating_sub(**start) < within_s).count()
    }

    /// Somebody knows a later life of this node: the state is a restored copy, and the next start takes a generation above that one.
    pub fn outlive(&mut self, generation: Generation) {
        self.state.generation = self.state.generation.max(generation);
        self.dirty = true;
    }

    /// A sequence number that was never used before (L1). A block of [`SEQ_BLOCK`] is reserved when half of the one before is used: a disk that
    /// fills up leaves numbers for hours of renewals.
    pub fn next_seq(&mut self) -> Seq {
        let seq = self.next;
        self.next = seq.next();
        if self.next.0.saturating_add(SEQ_BLOCK / 2) >= self.state.seq_reserved.0 {
            self.state.seq_reserved = Seq(self.next.0.saturating_add(SEQ_BLOCK));
            self.dirty = true;
        }
        seq
    }

    /// The number that [`Self::next_seq`] will give.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.next
    }

    /// The last write of the state failed: it is to be written again.
    pub const fn unwritten(&mut self) {
        self.dirty = true;
    }

    /// The state file's new content, once after each change.
    pub fn take_dirty(&mut self) -> Option<VoteState> {
        core::mem::take(&mut self.dirty).then(|| self.state.clone())
    }
}

/// One number a second: a write every one and a half hours.
const SEQ_BLOCK: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use constella_shared::wire::more::More;

    fn fresh() -> VoteState {
        VoteState {
            format: 1,
            generation: Generation(1),
            term: Term(5),
            seq_reserved: Seq(0),
            starts: Vec::new(),
            granted: None,
            more: More::none(),
        }
    }

    #[test]
    fn a_sequence_number_is_not_used_before_its_block_is_on_disk() {
        // L1
        let mut durable = Durable::new(fresh());
        let seq = durable.next_seq();
        let stored = durable.take_dirty();
        assert!(stored.is_some_and(|state| state.seq_reserved > seq));
        assert!(durable.take_dirty().is_none());
    }

    #[test]
    fn after_a_crash_no_number_comes_back() {
        // L1
        let mut durable = Durable::new(fresh());
        let first = durable.next_seq();
        let Some(stored) = durable.take_dirty() else { unreachable!("the first number reserves a block") };
        let last = (0..100).map(|_| durable.next_seq()).last();
        let again = Durable::new(stored).next_seq();
        assert!(again > first && Some(again) > last);
    }

    #[test]
    fn terms_only_grow() {
        // L3
        let mut durable = Durable::new(fresh());
        durable.raise(Term(4));
        assert!(durable.take_dirty().is_none());
        durable.raise(Term(9));
        assert_eq!(durable.term(), Term(9));
        assert!(durable.take_dirty().is_some());
        durable.raise(Term(u64::MAX));
        assert_eq!(durable.term(), Term(9), "no network comes there");
    }
}
