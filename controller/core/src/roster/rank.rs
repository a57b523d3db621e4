//! Keys and ranks: of two records with one key, the one with the higher rank stays, whoever compares them and in whatever order they come.

use constella_shared::ids::NodeId;
use constella_shared::wire::records::{
    InviteRecord, NetRecord, OwnerRecord, RecordKey, SelfRecord, Stamp, VoterRecord,
};

/// A record's place among those with its key. It travels as a [`Stamp`] (`Roster.Sync`), so it is one: the record's own stamp, but
/// for a removed node with [`REMOVED`] set (R2: no later stamp undoes it), and for the voters made of their mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(pub(super) Stamp);

/// The top bit of a removed node's time: no clock comes near it, and [`OwnerRecord`]s that claim it are refused.
pub(super) const REMOVED: u64 = 1 << 63;

impl Rank {
    /// The time that the record's writer read; 0 where ranks have no time.
    pub(super) const fn unix_ms(&self, key: &RecordKey) -> u64 {
        match key {
            RecordKey::Owner(_) => self.0.unix_ms & !REMOVED,
            RecordKey::Self_(_) | RecordKey::Net(_) | RecordKey::Invite(_) => self.0.unix_ms,
            RecordKey::Voters => 0,
        }
    }
}

/// What every kind of record has.
pub(super) trait Ranked {
    /// What it is about.
    fn key(&self) -> RecordKey;
    /// Its place among those with this key.
    fn rank(&self) -> Rank;
}

impl Ranked for SelfRecord {
    fn key(&self) -> RecordKey {
        RecordKey::Self_(self.node)
    }
    fn rank(&self) -> Rank {
        Rank(self.stamp)
    }
}

impl Ranked for OwnerRecord {
    fn key(&self) -> RecordKey {
        RecordKey::Owner(self.node)
    }
    fn rank(&self) -> Rank {
        let mut stamp = self.stamp;
        if self.removed {
            stamp.unix_ms |= REMOVED;
        }
        Rank(stamp)
    }
}

impl Ranked for NetRecord {
    fn key(&self) -> RecordKey {
        RecordKey::Net(self.name())
    }
    fn rank(&self) -> Rank {
        Rank(self.stamp)
    }
}

impl Ranked for InviteRecord {
    fn key(&self) -> RecordKey {
        RecordKey::Invite(self.token)
    }
    fn rank(&self) -> Rank {
        Rank(self.stamp)
    }
}

impl Ranked for VoterRecord {
    fn key(&self) -> RecordKey {
        RecordKey::Voters
    }
    fn rank(&self) -> Rank {
        let mut term = [0; 32];
        term.iter_mut().zip(self.mark.term.0.to_be_bytes()).for_each(|(to, from)| *to = from);
        Rank(Stamp { unix_ms: self.mark.number, count: 0, node: NodeId(term) })
    }
}
