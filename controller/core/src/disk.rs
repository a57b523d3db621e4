//! What the disk has, and what is newer in memory because it could not be written. Nothing that rests on a document leaves before it is stored.

use alloc::collections::{BTreeMap, BTreeSet};

use constella_shared::ids::{NodeId, Seq, Term};
use constella_shared::state::VoteState;
use constella_shared::wire::records::VotersMark;

use crate::clock::Now;
use crate::io::{Document, DocumentName, Trouble};

/// This node's state folder.
#[derive(Debug)]
pub struct Disk {
    /// What the shell says of it.
    room: Option<Trouble>,
    /// Documents whose last write failed.
    behind: BTreeMap<DocumentName, Trouble>,
    /// Documents that the last step wrote: on disk, unless [`Self::failed`] follows before the next step begins.
    writing: BTreeSet<DocumentName>,
    stored: Promises,
    written: Promises,
    retry_at: u64,
    /// Nodes of which this one told the owner that they store nothing.
    pub(crate) told: BTreeMap<NodeId, Trouble>,
}

/// The parts of `vote.json` and `network_state.json` that other nodes rely on.
#[derive(Debug, Clone, Copy)]
struct Promises {
    granted: Option<(NodeId, Term)>,
    seq: Seq,
    voters: VotersMark,
}

impl Disk {
    /// As the node found it at its start.
    #[must_use]
    pub fn new(vote: &VoteState, voters: VotersMark) -> Self {
        let stored = Promises { granted: granted(vote), seq: vote.seq_reserved, voters };
        let (behind, writing) = (BTreeMap::new(), BTreeSet::new());
        Self { room: None, behind, writing, stored, written: stored, retry_at: 0, told: BTreeMap::new() }
    }

    /// Why this node stores nothing new at the moment; None where it does.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.behind.values().next().copied().or(self.room)
    }

    /// Whether the document is newer in memory than on disk.
    #[must_use]
    pub fn is_behind(&self, document: DocumentName) -> bool {
        self.behind.contains_key(&document)
    }

    /// When failed writes are to be tried again; None where none failed.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        (!self.behind.is_empty()).then_some(self.retry_at)
    }

    /// What the last step wrote is on disk: no failure was reported before this step. Answers which documents that were.
    pub fn step(&mut self) -> BTreeSet<DocumentName> {
        let stored = core::mem::take(&mut self.writing);
        for document in &stored {
            self.behind.remove(document);
            match document {
                DocumentName::Vote => (self.stored.granted, self.stored.seq) = (self.written.granted, self.written.seq),
                DocumentName::Network => self.stored.voters = self.written.voters,
                DocumentName::Invites | DocumentName::Commands => {}
            }
        }
        stored
    }

    /// The shell looked. Where there is room again, what failed is tried at once.
    pub fn looked(&mut self, now: Now, room: Option<Trouble>) {
        self.room = room;
        if room.is_none() {
            self.retry_at = now.boot_ms;
        }
    }

    /// Whether a changed document is to be written now: one that failed waits for its next try.
    #[must_use]
    pub fn may_write(&self, now: Now, document: DocumentName) -> bool {
        !self.is_behind(document) || now.boot_ms >= self.retry_at
    }

    /// The document is about to be written.
    pub fn writes(&mut self, document: &Document) {
        self.writing.insert(document.name());
        match document {
            Document::Vote(vote) => (self.written.granted, self.written.seq) = (granted(vote), vote.seq_reserved),
            Document::Network(network) => self.written.voters = network.voters.mark,
            Document::Invites(_) | Document::Commands(_) => {}
        }
    }

    /// The write failed. True where the writes before it did not.
    pub fn failed(&mut self, now: Now, document: DocumentName, why: Trouble) -> bool {
        self.writing.remove(&document);
        self.retry_at = now.boot_ms.saturating_add(RETRY_MS);
        self.behind.insert(document, why).is_none()
    }

    /// L1: a grant to this holder in this term, under this record of voters, is not forgotten in a crash.
    #[must_use]
    pub fn holds_grant(&self, holder: NodeId, term: Term, voters: VotersMark) -> bool {
        (!self.is_behind(DocumentName::Vote) || self.stored.granted == Some((holder, term)))
            && (!self.is_behind(DocumentName::Network) || voters == self.stored.voters)
    }

    /// L1: a sequence number after this one is not used again after a crash, for as many asks as one round has.
    #[must_use]
    pub fn holds_seqs(&self, next: Seq) -> bool {
        !self.is_behind(DocumentName::Vote) || next.0.saturating_add(ROUND) < self.stored.seq.0
    }
}

fn granted(vote: &VoteState) -> Option<(NodeId, Term)> {
    vote.granted.map(|last| (last.holder.node, last.term))
}

/// Failed writes are tried again so often: the owner has just made room, and a dying disk is not to be worn out.
const RETRY_MS: u64 = 2_000;

/// Asks of one round at most: one for each voter of two lists, with room.
const ROUND: u64 = 32;

#[cfg(test)]
mod tests;
