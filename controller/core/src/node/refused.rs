//! Refusals of members are counted for `status` and `doctor`; refused records are set right with the holder.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::limits::{OPEN_COMMANDS, VOTERS_LEAP};
use constella_shared::wire::command::StoredCommand;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::records::{VoterRecord, VotersMark};

use super::Node;
use crate::clock::Now;
use crate::roster::{Refusal, Refused, Word};

/// Counts by kind, since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counts: BTreeMap<&'static str, u64>,
    /// When the log had a line of it last, when the holder was asked for its own last, and when it wrote its own anew last.
    said_at: Option<u64>,
    asked_at: Option<u64>,
    written_at: Option<u64>,
    /// Since when this node holds strongly; None while it does not.
    pub(super) strong_since: Option<u64>,
}

impl Refusals {
    pub(super) fn count(&mut self, what: &'static str) {
        let count = self.counts.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.counts.iter().map(|(what, count)| (*what, *count)).collect()
    }
}

impl Node {
    /// R4: what this member may change here now.
    pub(super) fn word_of(&self, now: Now, from: NodeId) -> Word {
        match self.held {
            Some(Strength::Strong) => {
                let late = self.refused.strong_since.is_some_and(|since| now.since(since) >= LATE_MS);
                if late { Word::Member } else { Word::Before(self.claim.term()) }
            }
            Some(Strength::Weak) => Word::Open,
            None => {
                let Some(seen) = self.seen.live(now).filter(|view| view.strength == Strength::Strong) else {
                    return Word::Open;
                };
                if seen.holder.node == from || self.obeys(now, &from) { Word::Holder } else { Word::Member }
            }
        }
    }

    /// Records that were not taken: counted, told of by one line in a while, and where they are the owner's, set right with the holder.
    pub(super) fn records_refused(&mut self, now: Now, refused: &[Refused]) {
        let Some(first) = refused.first() else { return };
        for one in refused {
            self.refused.count(kind(one.why));
        }
        if is_due(self.refused.said_at, now, SAY_EVERY_MS) {
            self.refused.said_at = Some(now.boot_ms);
            let more = refused.len().saturating_sub(1);
            self.warn(alloc::format!("a record was refused: {first:?}; and {more} more"));
        }
        let contested: Vec<_> =
            refused.iter().filter(|one| one.why == Refusal::NotHolder).filter_map(|one| one.key.clone()).collect();
        if contested.is_empty() {
            return;
        }
        if self.held == Some(Strength::Strong) {
            if is_due(self.refused.written_at, now, AGAIN_MS) {
                self.refused.written_at = Some(now.boot_ms);
                let records = self.roster.write_again(now, self.claim.term(), &contested);
                self.announce(now, &records);
            }
        } else if let Some(holder) = self.holder(now).filter(|key| key.node != self.id)
            && is_due(self.refused.asked_at, now, AGAIN_MS)
        {
            self.refused.asked_at = Some(now.boot_ms);
            let sync = self.roster.sync_start();
            self.sync(holder.node, sync);
        }
    }

    /// L1: nobody but the strong holder writes a voter record. One that others took meanwhile is outnumbered: the same voters under a higher number.
    pub(super) fn outnumber(&mut self, now: Now, other: VotersMark) {
        let held = self.roster.voters();
        if other <= held.mark || other.number > held.mark.number.saturating_add(VOTERS_LEAP) {
            return;
        }
        let mark = VotersMark { number: other.number.saturating_add(1), term: self.claim.term() };
        let record = VoterRecord { mark, ..held.clone() };
        if let Some(records) = self.roster.set_voters(record) {
            self.network_dirty = true;
            self.claim.hurry(now);
            self.announce(now, &records);
        }
    }

    /// S6: whether the commands that another node brings find room beside those that are open.
    pub(super) fn has_room_for(&self, commands: &[StoredCommand]) -> bool {
        self.commands.open_count().saturating_add(commands.len()) <= OPEN_COMMANDS
    }
}

const fn kind(why: Refusal) -> &'static str {
    match why {
        Refusal::TooEarly { .. } => "records_ahead",
        Refusal::NotSigned => "records_not_signed",
        Refusal::UnknownNode | Refusal::UnknownVoter => "records_of_unknown_nodes",
        Refusal::Removed => "records_of_removed_nodes",
        Refusal::OtherPin => "records_with_another_certificate",
        Refusal::Unsound(_) => "records_unsound",
        Refusal::TooMany => "records_too_many",
        Refusal::NotHolder => "records_not_of_the_holder",
        Refusal::LongExpired => "invitations_expired",
        Refusal::LongOver => "alerts_of_long_ago",
    }
}

fn is_due(last: Option<u64>, now: Now, every_ms: u64) -> bool {
    last.is_none_or(|last| now.since(last) >= every_ms)
}

/// A holder takes what one before it wrote for so long: who was out of touch comes with it in the first exchanges.
const LATE_MS: u64 = 60_000;

/// One line of refused records in so many milliseconds: a flood of them is no flood of the log.
const SAY_EVERY_MS: u64 = 10_000;

/// Between two exchanges, or two writes, because of refused records.
const AGAIN_MS: u64 = 5_000;
