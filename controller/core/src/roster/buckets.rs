//! The digest over all records, kept up to date with each write: 32 sums, so that two rosters find where they differ without naming
//! every record.

use constella_shared::ids::NodeId;
use constella_shared::wire::heartbeat::Digest;
use constella_shared::wire::records::RecordKey;
use constella_shared::wire::speaks::Speaks;
use sha2::Digest as _;
use sha2::Sha256;

use super::rank::Rank;

/// At 1,000 nodes a bucket has about 65 records, whose stamps are 10 kB; the digests themselves are under 1 kB.
pub(super) const BUCKETS: usize = 32;

/// For each bucket the sum of its entries' hashes; adding and taking away needs no look at the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets {
    sums: [u64; BUCKETS],
    /// Over what a node of protocol 1 keeps: it would begin an exchange for the rest with every heartbeat.
    first: u64,
}

impl Buckets {
    /// Replaces the entry of a key.
    pub(super) fn change(&mut self, key: &RecordKey, old: Option<Rank>, new: Option<Rank>) {
        let hash = |rank: Option<Rank>| rank.map_or(0, |rank| entry(key, &rank));
        let change = hash(new).wrapping_sub(hash(old));
        if let Some(sum) = self.sums.get_mut(bucket(key)) {
            *sum = sum.wrapping_add(change);
        }
        if Speaks::First.keeps(key) {
            self.first = self.first.wrapping_add(change);
        }
    }

    /// The digest over all.
    pub(super) fn digest(&self) -> Digest {
        Digest(self.sums.iter().fold(0, |sum, bucket| sum.wrapping_add(*bucket)))
    }

    /// The digest over all that such a node keeps.
    pub(super) fn digest_for(&self, reader: Speaks) -> Digest {
        match reader {
            Speaks::First => Digest(self.first),
            Speaks::Second => self.digest(),
        }
    }

    /// The digest of each bucket.
    pub(super) fn each(&self) -> impl Iterator<Item = Digest> {
        self.sums.iter().map(|sum| Digest(*sum))
    }

    /// Which buckets differ from another roster's; all, where that one divides otherwise.
    pub(super) fn differing(&self, theirs: &[Digest]) -> [bool; BUCKETS] {
        let mut differs = [true; BUCKETS];
        if theirs.len() == BUCKETS {
            for ((differs, mine), theirs) in differs.iter_mut().zip(self.sums).zip(theirs) {
                *differs = mine != theirs.0;
            }
        }
        differs
    }
}

/// Whether the key's bucket is among them.
pub(super) fn is_in(key: &RecordKey, buckets: &[bool; BUCKETS]) -> bool {
    buckets.get(bucket(key)).copied().unwrap_or_default()
}

fn bucket(key: &RecordKey) -> usize {
    let hash: [u8; 32] = hash_of(key).finalize().into();
    hash.first().map_or(0, |byte| usize::from(*byte) % BUCKETS)
}

fn entry(key: &RecordKey, rank: &Rank) -> u64 {
    let NodeId(node) = rank.0.node;
    let hash: [u8; 32] = hash_of(key)
        .chain_update(rank.0.unix_ms.to_be_bytes())
        .chain_update(rank.0.count.to_be_bytes())
        .chain_update(node)
        .finalize()
        .into();
    hash.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn hash_of(key: &RecordKey) -> Sha256 {
    let (tag, bytes): (u8, &[u8]) = match key {
        RecordKey::Self_(node) => (0, &node.0),
        RecordKey::Owner(node) => (1, &node.0),
        RecordKey::Net(kind) => (2, kind.as_bytes()),
        RecordKey::Invite(token) => (3, &token.0),
        RecordKey::Voters => (4, &[]),
    };
    Sha256::new().chain_update([tag]).chain_update((bytes.len() as u64).to_be_bytes()).chain_update(bytes)
}
