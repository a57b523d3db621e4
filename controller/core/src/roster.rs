//! The roster: who belongs and what the network remembers, whether alive or not. A last-writer-wins map stamped by a hybrid logical clock.
//!
//! Every record is checked before it counts: a node's own words by its signature (R1), a stamp by this node's clock (R1), a removed node
//! by its tombstone (R2). Two rosters that differ find out where by [`Roster::sync_start`] and exchange only that (R3).

mod buckets;
mod found;
mod hlc;
mod leaving;
mod merge;
pub mod name;
mod opaque;
mod query;
mod rank;
mod sync;
mod word;
mod write;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{NetworkId, NodeId, Pin, TokenHash};
use constella_shared::secret::Secret;
use constella_shared::state::{InvitesState, NetworkState, Peer, STATE_FORMAT};
use constella_shared::wire::alert::Subject;
use constella_shared::wire::heartbeat::Digest;
use constella_shared::wire::incident::is_forgotten;
use constella_shared::wire::more::More;
use constella_shared::wire::records::{
    InviteRecord, NetRecord, NetValue, OwnerRecord, RecordKey, Records, SelfRecord, SignedSelf, VoterRecord,
};
use constella_shared::wire::speaks::Speaks;

use crate::clock::Now;
use crate::keys::Keys;
use buckets::Buckets;
use hlc::Hlc;
use opaque::Opaque;
use rank::{Rank, Ranked};

pub use found::{Founding, adopt, found};
pub use leaving::Revoke;
pub use merge::{Merged, Refusal, Refused};
pub use query::{Bot, Member, Message, Owner};
pub use word::Word;
pub use write::{Admission, Edit, EditError};

/// All records, and the network's secret beside them.
#[derive(Debug)]
pub struct Roster {
    node: NodeId,
    skew_ms: u64,
    network_id: NetworkId,
    owner_username: String,
    secret: Secret,
    secret_generation: u32,
    own_token: Option<Secret>,
    /// S7: what a newer version wrote into the two files.
    more: More,
    more_of_invites: More,
    owners: BTreeMap<NodeId, OwnerRecord>,
    /// How many of them belong: asked in every step, so never counted anew (M2).
    members: usize,
    selfs: BTreeMap<NodeId, Own>,
    /// By their names.
    net: BTreeMap<String, NetRecord>,
    /// S7: how much of it this version does not know.
    opaque: Opaque,
    /// Nodes that the owner removes, and that may still vote or hold; and the unix milliseconds of their marks.
    leaving: BTreeMap<NodeId, u64>,
    invites: BTreeMap<TokenHash, InviteRecord>,
    /// Of these, the ones that this node wrote itself.
    made: BTreeSet<TokenHash>,
    voters: VoterRecord,
    /// Rights of the sender whose records come.
    word: Word,
    room: word::Room,
    buckets: Buckets,
    hlc: Hlc,
    /// No record has a later stamp than this: where it is not ahead of the clock, none is (M2).
    newest_ms: u64,
    /// How far the fastest clock that this node has heard is ahead of its own, milliseconds.
    fastest_ahead_ms: Option<u64>,
    /// R1: ranks that came too far ahead of this node's clock. Named in an exchange as if held, so that nobody offers them again.
    early: BTreeMap<RecordKey, Rank>,
    /// For which pair of digests an exchange with a member was last begun, and when.
    begun: BTreeMap<NodeId, sync::Begun>,
}

/// A node's own words, as signed and as read.
#[derive(Debug, Clone)]
struct Own {
    signed: SignedSelf,
    record: SelfRecord,
}

/// Why the state files do not make a roster. The node stops and says so (S4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Written by another version.
    #[error(
        "the state is of format {found}, this version reads format {STATE_FORMAT}; run the version that wrote it, or restore a backup"
    )]
    Format {
        /// What the file says.
        found: u32,
    },
    /// No record of this node, or one with another certificate: the state is another node's.
    #[error(
        "the state's records do not know this node by its id and certificate; it belongs to another node, or to a lost key"
    )]
    NotOurs,
    /// Nobody votes, or a list is longer than any version writes.
    #[error("the state's list of voters is empty or too long; restore a backup")]
    Voters,
    /// R1: the answer to a join has stamps from the future. Nothing that follows would replace them, and everybody else refuses them.
    #[error("the seed's clock is {ahead_s} s ahead of this server's; set the clocks, then join again")]
    Ahead {
        /// Seconds.
        ahead_s: u64,
    },
}

impl Roster {
    /// Reads the state files. Records in them that do not hold (a broken signature) are left out and told: an exchange brings them back.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing was changed.
    pub fn open(
        node: NodeId,
        pin: Pin,
        network: NetworkState,
        invites: InvitesState,
        clock_skew_ms: u64,
        keys: &dyn Keys,
    ) -> Result<(Self, Vec<Refused>), OpenError> {
        for found in [network.format, invites.format] {
            if found != STATE_FORMAT {
                return Err(OpenError::Format { found });
            }
        }
        if !merge::voters_are_sound(&network.voters) {
            return Err(OpenError::Voters);
        }
        let mut roster = Self {
            node,
            skew_ms: clock_skew_ms,
            network_id: network.network_id,
            owner_username: network.owner_username,
            secret: network.network_secret,
            secret_generation: network.secret_generation,
            own_token: network.own_token,
            more: network.more,
            more_of_invites: invites.more,
            owners: BTreeMap::new(),
            members: 0,
            selfs: BTreeMap::new(),
            net: BTreeMap::new(),
            opaque: Opaque::default(),
            leaving: BTreeMap::new(),
            invites: BTreeMap::new(),
            made: BTreeSet::new(),
            voters: VoterRecord::default(),
            word: Word::default(),
            room: word::Room::default(),
            buckets: Buckets::default(),
            hlc: Hlc::default(),
            newest_ms: 0,
            fastest_ahead_ms: None,
            early: BTreeMap::new(),
            begun: BTreeMap::new(),
        };
        let mut records = Records { net: network.records, invites: invites.invites, ..Records::default() };
        // Whom they name was checked when the record came.
        roster.put_voters(network.voters);
        for Peer { owner, own } in network.peers {
            records.owners.push(owner);
            records.selfs.extend(own);
        }
        let merged = roster.take(merge::Limits::NONE, records, keys);
        let own = roster.invites.values().filter(|invite| invite.stamp.node == node).map(|invite| invite.token);
        roster.made = own.collect();
        match roster.owners.get(&node) {
            Some(owner) if owner.pin == pin => Ok((roster, merged.refused)),
            _ => Err(OpenError::NotOurs),
        }
    }

    /// The roster as `network_state.json` keeps it.
    #[must_use]
    pub fn to_network_state(&self) -> NetworkState {
        let peer = |owner: &OwnerRecord| Peer {
            owner: owner.clone(),
            own: self.selfs.get(&owner.node).map(|own| own.signed.clone()),
        };
        NetworkState {
            format: STATE_FORMAT,
            network_id: self.network_id,
            owner_username: String::from(self.owner().username),
            network_secret: self.secret.clone(),
            secret_generation: self.secret_generation,
            own_token: self.own_token.clone(),
            peers: self.owners.values().map(peer).collect(),
            records: self.net.values().cloned().collect(),
            voters: self.voters.clone(),
            more: self.more.clone(),
        }
    }

    /// The invitations as `invites.json` keeps them: those that expired more than a day ago are left out, spent ones included (a spent
    /// one that was forgotten before its end could be brought back open by a node that slept).
    #[must_use]
    pub fn to_invites_state(&self, now: Now) -> InvitesState {
        let invites =
            self.invites.values().filter(|invite| !merge::is_forgotten(invite, now.unix_ms)).cloned().collect();
        InvitesState { format: STATE_FORMAT, invites, more: self.more_of_invites.clone() }
    }

    /// Forgets invitations that expired more than a day ago; to be called about once a minute. Answers whether any went.
    pub fn expire(&mut self, now: Now) -> bool {
        let gone: Vec<TokenHash> = self
            .invites
            .values()
            .filter(|invite| merge::is_forgotten(invite, now.unix_ms))
            .map(|invite| invite.token)
            .collect();
        for token in &gone {
            self.made.remove(token);
            if let Some(invite) = self.invites.remove(token) {
                self.buckets.change(&invite.key(), Some(invite.rank()), None);
            }
        }
        !gone.is_empty()
    }

    /// Forgets the alerts of which nothing was written for a week; to be called about once a minute. Answers what they were about.
    pub fn expire_alerts(&mut self, now: Now) -> Vec<Subject> {
        let gone = |(name, record): (&String, &NetRecord)| match &record.value {
            NetValue::Alert(alert) if is_forgotten(record.stamp.unix_ms, now.unix_ms) => {
                Some((name.clone(), alert.subject.clone()))
            }
            _ => None,
        };
        let gone: Vec<(String, Subject)> = self.net.iter().filter_map(gone).collect();
        for (name, _) in &gone {
            if let Some(record) = self.net.remove(name) {
                self.buckets.change(&record.key(), Some(record.rank()), None);
                self.opaque.leave(&record);
            }
        }
        gone.into_iter().map(|(_, subject)| subject).collect()
    }

    /// R1: what the clocks of others say, before records of others are taken.
    pub const fn hear_clocks(&mut self, fastest_ahead_ms: Option<u64>) {
        self.fastest_ahead_ms = fastest_ahead_ms;
    }

    /// R3: the digest over all records held. Equal digests, equal rosters.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.buckets.digest()
    }

    /// R3, S7: the digest over those records that a member keeps, by the protocol of its own words. Before they are known, the oldest.
    #[must_use]
    pub fn digest_for(&self, reader: &NodeId) -> Digest {
        let protocol = self.selfs.get(reader).map(|own| own.record.protocol);
        self.buckets.digest_for(Speaks::of(protocol))
    }

    /// Every record held: what a joiner is given.
    #[must_use]
    pub fn records(&self) -> Records {
        Records {
            selfs: self.selfs.values().map(|own| own.signed.clone()).collect(),
            owners: self.owners.values().cloned().collect(),
            net: self.net.values().cloned().collect(),
            invites: self.invites.values().cloned().collect(),
            voters: Some(self.voters.clone()),
        }
    }

    fn rank_of(&self, key: &RecordKey) -> Option<Rank> {
        match key {
            RecordKey::Self_(node) => self.selfs.get(node).map(|own| own.record.rank()),
            RecordKey::Owner(node) => self.owners.get(node).map(Ranked::rank),
            RecordKey::Net(kind) => self.net.get(kind.as_str()).map(Ranked::rank),
            RecordKey::Invite(token) => self.invites.get(token).map(Ranked::rank),
            RecordKey::Voters => Some(self.voters.rank()),
        }
    }

    /// Books a record's arrival: digest, clock, and what was refused as early before it.
    fn book(&mut self, record: &impl Ranked) {
        let (key, rank) = (record.key(), record.rank());
        self.buckets.change(&key, self.booked(&key), Some(rank));
        self.newest_ms = self.newest_ms.max(rank.0.unix_ms);
        if self.early.get(&key).is_some_and(|early| *early <= rank) {
            self.early.remove(&key);
        }
    }

    /// What the digest counts for a key now. The voters of an opening roster are not counted until they were put.
    fn booked(&self, key: &RecordKey) -> Option<Rank> {
        self.rank_of(key).filter(|_| *key != RecordKey::Voters || self.voters != VoterRecord::default())
    }

    fn put_owner(&mut self, record: OwnerRecord) {
        self.book(&record);
        self.hlc.see(&record.stamp);
        if record.removed
            && let Some(own) = self.selfs.remove(&record.node)
        {
            self.buckets.change(&own.record.key(), Some(own.record.rank()), None);
        }
        self.members += usize::from(!record.removed);
        let before = self.owners.insert(record.node, record);
        self.members -= usize::from(before.is_some_and(|before| !before.removed));
    }

    fn put_self(&mut self, own: Own) {
        self.book(&own.record);
        self.hlc.see(&own.record.stamp);
        self.selfs.insert(own.record.node, own);
    }

    fn put_net(&mut self, record: NetRecord) {
        self.book(&record);
        self.hlc.see(&record.stamp);
        let name = record.name();
        self.leaving.extend(leaving::leaves(&record).map(|node| (node, record.stamp.unix_ms)));
        self.opaque.change(self.net.get(&name), &record);
        self.net.insert(name, record);
    }

    fn put_invite(&mut self, record: InviteRecord) {
        self.book(&record);
        self.hlc.see(&record.stamp);
        self.invites.insert(record.token, record);
    }

    fn put_voters(&mut self, record: VoterRecord) {
        self.book(&record);
        self.voters = record;
    }
}
