//! Taking in records of others: what is checked, what wins, and what is told about it.

use alloc::vec::Vec;

use constella_shared::ids::TokenHash;
use constella_shared::limits::{
    ADDR_BYTES, COUNT_MOST, EARLY_RECORDS, INVITE_KEPT_S, SELF_RECORD_BYTES, TOKEN_BYTES, USERNAME_BYTES,
    VERSION_BYTES, VOTERS, VOTERS_LEAP, ZONE_BYTES,
};
use constella_shared::link::checked_addr;
use constella_shared::wire::incident::{AlertRecord, is_forgotten as is_forgotten_alert};
use constella_shared::wire::records::{
    InviteRecord, NetRecord, NetValue, OwnerRecord, RecordKey, Records, SelfRecord, SignedSelf, VoterRecord,
};

use super::rank::{REMOVED, Rank, Ranked};
use super::{Own, Roster, name, opaque};
use crate::clock::Now;
use crate::keys::Keys;

/// What a merge changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// The records that were new here: to be forwarded where records are announced.
    pub news: Records,
    /// What was not taken, and why. Nothing was changed by it.
    pub refused: Vec<Refused>,
    /// `network_state.json` has to be written.
    pub network_changed: bool,
    /// `invites.json` has to be written.
    pub invites_changed: bool,
    /// Members came or went, or one has moved: TLS and dialling must learn it.
    pub pins_changed: bool,
    /// The voters' record changed.
    pub voters_changed: bool,
    /// Invitations that let in two different nodes, on two sides of a cut: the owner is told.
    pub spent_twice: Vec<TokenHash>,
}

/// One record that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which; None where nobody can vouch for what it says.
    pub key: Option<RecordKey>,
    /// Why.
    pub why: Refusal,
}

/// Why a record is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// R1: its stamp is too far ahead. Somebody's clock is wrong, perhaps this node's.
    #[error("its stamp is {ahead_ms} ms ahead of this node's clock")]
    TooEarly {
        /// By how much.
        ahead_ms: u64,
    },
    /// R1: not signed by the key that the owner's record pins.
    #[error("it is not signed by the key of the node that it is about")]
    NotSigned,
    /// No owner's record of that node yet: it comes with the next exchange, and the refused record after it.
    #[error("the node that it is about is not known here")]
    UnknownNode,
    /// L1: it names a node that never belonged here. As above: it is taken once that node is known.
    #[error("it gives a vote to a node that is not known here")]
    UnknownVoter,
    /// R2: the node was removed.
    #[error("the node that it is about was removed, and removal is final")]
    Removed,
    /// A node has one certificate for life.
    #[error("it gives a node another certificate")]
    OtherPin,
    /// It says what no version of this program writes.
    #[error("it is not sound: {0}")]
    Unsound(&'static str),
    /// S6: this node keeps as many of its kind as a network has a use for, or as one writer has.
    #[error("this node keeps no more records of this kind")]
    TooMany,
    /// R4: it changes what is the owner's, and its sender does not hold the lease. Nothing is lost by it: the holder is asked for its own.
    #[error("only the node that leads may change it")]
    NotHolder,
    /// An alert of which nothing was written for a week.
    #[error("it is an alert of long ago")]
    LongOver,
    /// An invitation that expired more than a day ago.
    #[error("it is an invitation that expired long ago")]
    LongExpired,
}

/// The newest stamp and the oldest invitation that are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    newest_unix_ms: u64,
    now_unix_ms: u64,
}

impl Limits {
    /// For this node's own state files: they were checked when they came.
    pub(super) const NONE: Self = Self { newest_unix_ms: u64::MAX, now_unix_ms: 0 };

    pub(super) const fn at(now: Now, skew_ms: u64) -> Self {
        Self { newest_unix_ms: now.unix_ms.saturating_add(skew_ms), now_unix_ms: now.unix_ms }
    }

    /// R1: whether a record with this rank may be taken now.
    pub(super) const fn allow(&self, key: &RecordKey, rank: &Rank) -> bool {
        rank.unix_ms(key) <= self.newest_unix_ms
    }
}

impl Roster {
    /// Takes what is new and sound. In any order and however often the same records come, the outcome is the same.
    pub fn merge(&mut self, now: Now, records: Records, keys: &dyn Keys) -> Merged {
        self.take(Limits::at(now, self.skew_ms), records, keys)
    }

    /// Owners first: a node's own words need them.
    pub(super) fn take(&mut self, limits: Limits, records: Records, keys: &dyn Keys) -> Merged {
        let mut merged = Merged::default();
        let Records { selfs, owners, net, invites, voters } = records;
        for record in owners {
            let key = Some(record.key());
            self.take_owner(limits, record, &mut merged)
                .unwrap_or_else(|why| merged.refused.push(Refused { key, why }));
        }
        for signed in selfs {
            self.take_self(limits, signed, keys, &mut merged).unwrap_or_else(|refused| merged.refused.push(refused));
        }
        for record in net {
            let key = Some(record.key());
            self.take_net(limits, record, &mut merged).unwrap_or_else(|why| merged.refused.push(Refused { key, why }));
        }
        for record in invites {
            let key = Some(record.key());
            self.take_invite(limits, record, &mut merged)
                .unwrap_or_else(|why| merged.refused.push(Refused { key, why }));
        }
        if let Some(record) = voters {
            let key = Some(record.key());
            self.take_voters(record, &mut merged).unwrap_or_else(|why| merged.refused.push(Refused { key, why }));
        }
        merged
    }

    /// Whether a record is newer than what is held; R1 for its stamp.
    fn is_new(&mut self, limits: Limits, record: &impl Ranked) -> Result<bool, Refusal> {
        let (key, rank) = (record.key(), record.rank());
        if limits.allow(&key, &rank) {
            return Ok(self.holds_good(limits, &key).is_none_or(|held| rank > held));
        }
        let ahead_ms = rank.unix_ms(&key).saturating_sub(limits.now_unix_ms);
        if self.early.len() < EARLY_RECORDS {
            let known = self.early.entry(key).or_insert(rank);
            *known = rank.max(*known);
        }
        Err(Refusal::TooEarly { ahead_ms })
    }

    /// The rank that a newcomer must beat. A stamp of another node that is ahead of every clock in sight was within the limit when it came: both
    /// clocks were ahead then, and its writer writes it anew when its own is right ([`Self::restamp`]). It gives way to any that is not ahead.
    /// Where some clock has come there, it is this node's that fell behind.
    pub(super) fn holds_good(&self, limits: Limits, key: &RecordKey) -> Option<Rank> {
        let in_sight = limits.newest_unix_ms.saturating_add(self.fastest_ahead_ms.unwrap_or(0));
        let in_sight = Limits { newest_unix_ms: in_sight, ..limits };
        self.booked(key).filter(|held| held.0.node == self.node || in_sight.allow(key, held))
    }

    fn take_owner(&mut self, limits: Limits, record: OwnerRecord, merged: &mut Merged) -> Result<(), Refusal> {
        if record.stamp.unix_ms & REMOVED != 0 {
            return Err(Refusal::Unsound("its stamp is no time"));
        }
        if name::check(&record.name).is_err() {
            return Err(Refusal::Unsound("its name breaks the rules for names"));
        }
        if !record.more.is_bounded() {
            return Err(Refusal::Unsound(TOO_MUCH));
        }
        if self.owners.get(&record.node).is_some_and(|held| held.pin != record.pin) {
            return Err(Refusal::OtherPin);
        }
        if self.owners.get(&record.node).is_some_and(|held| held.removed) && !record.removed {
            return Err(Refusal::Removed);
        }
        if self.is_new(limits, &record)? {
            self.check_owner(&record)?;
            merged.network_changed = true;
            let held = self.owners.get(&record.node);
            merged.pins_changed |= held.is_none_or(|held| held.removed != record.removed);
            merged.news.owners.push(record.clone());
            self.put_owner(record);
        }
        Ok(())
    }

    fn take_self(
        &mut self,
        limits: Limits,
        signed: SignedSelf,
        keys: &dyn Keys,
        merged: &mut Merged,
    ) -> Result<(), Refused> {
        let refuse = |key, why| Err(Refused { key, why });
        if signed.body.len() > SELF_RECORD_BYTES {
            return refuse(None, Refusal::Unsound("it is too long"));
        }
        let Some(signer) = keys.signer(&signed) else { return refuse(None, Refusal::NotSigned) };
        let Ok(record) = serde_json::from_str::<SelfRecord>(&signed.body) else {
            return refuse(None, Refusal::Unsound("it cannot be read"));
        };
        let key = Some(record.key());
        let Some(owner) = self.owners.get(&record.node) else { return refuse(key, Refusal::UnknownNode) };
        if owner.pin != signer || record.stamp.node != record.node {
            return refuse(key, Refusal::NotSigned);
        }
        if owner.removed {
            return refuse(key, Refusal::Removed);
        }
        if checked_addr(&record.addr).is_err() || record.addr.len() > ADDR_BYTES {
            return refuse(key, Refusal::Unsound("its address is not host:port"));
        }
        if record.version.len() > VERSION_BYTES || record.version.chars().any(char::is_control) {
            return refuse(key, Refusal::Unsound("its version is no version"));
        }
        match self.is_new(limits, &record) {
            Err(why) => refuse(key, why),
            Ok(false) => Ok(()),
            Ok(true) => {
                merged.network_changed = true;
                merged.pins_changed |= self.selfs.get(&record.node).is_none_or(|own| own.record.addr != record.addr);
                merged.news.selfs.push(signed.clone());
                self.put_self(Own { signed, record });
                Ok(())
            }
        }
    }

    fn take_net(&mut self, limits: Limits, record: NetRecord, merged: &mut Merged) -> Result<(), Refusal> {
        if !record.more.is_bounded() || !record.more_in_value.is_bounded() {
            return Err(Refusal::Unsound(TOO_MUCH));
        }
        let sound = match &record.value {
            NetValue::Owner { username, .. } | NetValue::Bot { username, .. } => username.len() <= USERNAME_BYTES,
            NetValue::Token { token } => token.expose().len() <= TOKEN_BYTES,
            NetValue::Language { code } => code.len() == 2,
            NetValue::QuietHours { from_min, until_min, zone, .. } => {
                *from_min < DAY_MIN && *until_min < DAY_MIN && zone.len() <= ZONE_BYTES
            }
            NetValue::Alert(alert) => {
                alert.is_bounded() && record.which.as_deref() == Some(AlertRecord::which(&alert.subject).as_str())
            }
            NetValue::Message { .. } | NetValue::AlertRule { .. } | NetValue::Leaving {} | NetValue::Other(_) => true,
        };
        if !sound {
            return Err(Refusal::Unsound("a text or a number in it is none that it can be"));
        }
        if matches!(record.value, NetValue::Alert(_)) && is_forgotten_alert(record.stamp.unix_ms, limits.now_unix_ms) {
            return Err(Refusal::LongOver);
        }
        if opaque::is_opaque(&record) {
            self.check_opaque(&record)?;
        }
        if self.is_new(limits, &record)? {
            self.check_net(&record)?;
            merged.network_changed = true;
            merged.news.net.push(record.clone());
            self.put_net(record);
        }
        Ok(())
    }

    fn take_invite(&mut self, limits: Limits, record: InviteRecord, merged: &mut Merged) -> Result<(), Refusal> {
        if is_forgotten(&record, limits.now_unix_ms) {
            return Err(Refusal::LongExpired);
        }
        if !record.more.is_bounded() {
            return Err(Refusal::Unsound(TOO_MUCH));
        }
        self.check_invite(&record)?;
        let held = self.invites.get(&record.token).and_then(|held| held.spent.as_ref());
        let twice = matches!((held, &record.spent), (Some(one), Some(other)) if one != other);
        let unused_again = held.is_some() && record.spent.is_none();
        if self.is_new(limits, &record)? && !(unused_again && self.booked(&record.key()) > Some(record.rank())) {
            merged.invites_changed = true;
            if twice {
                merged.spent_twice.push(record.token);
            }
            merged.news.invites.push(record.clone());
            self.put_invite(record);
        }
        Ok(())
    }

    fn take_voters(&mut self, record: VoterRecord, merged: &mut Merged) -> Result<(), Refusal> {
        self.check_voters(&record)?;
        if self.is_new(Limits::NONE, &record)? {
            self.check_who_changes_voters(&record)?;
            merged.network_changed = true;
            merged.voters_changed = true;
            merged.news.voters = Some(record.clone());
            self.put_voters(record);
        }
        Ok(())
    }

    /// L1: what can be known of a voter record without knowing who wrote it. A removed node may still have its vote: it is replaced later.
    pub(super) fn check_voters(&self, record: &VoterRecord) -> Result<(), Refusal> {
        if record.mark.number >= COUNT_MOST || record.mark.term.0 >= COUNT_MOST {
            return Err(Refusal::Unsound("its number is no count"));
        }
        if record.mark.number > self.voters.mark.number.saturating_add(VOTERS_LEAP) {
            return Err(Refusal::Unsound("its number is too far above the one that is held"));
        }
        if !voters_are_sound(record) {
            return Err(Refusal::Unsound("nobody votes, somebody votes twice, or too many do"));
        }
        let is_even = |list: &[_]| !list.is_empty() && list.len().is_multiple_of(2);
        if is_even(&record.old) || is_even(&record.new) {
            return Err(Refusal::Unsound("its lists are not odd in number"));
        }
        let mut voters = record.old.iter().chain(&record.new);
        if voters.all(|node| self.owners.contains_key(node)) { Ok(()) } else { Err(Refusal::UnknownVoter) }
    }
}

/// Minutes of a day.
const DAY_MIN: u16 = 24 * 60;

/// S7: what it adds to the fields that this version knows is longer or deeper than any version writes.
pub(super) const TOO_MUCH: &str = "what it has beyond the fields that are known here is too much";

/// Somebody votes, nobody twice, and no list is longer than [`VOTERS`].
pub(super) fn voters_are_sound(record: &VoterRecord) -> bool {
    let once = |list: &[_]| list.iter().enumerate().all(|(at, one)| list.iter().take(at).all(|other| other != one));
    !record.new.is_empty() && [&record.old, &record.new].iter().all(|list| list.len() <= VOTERS && once(list))
}

/// An invitation that expired more than a day ago is neither kept nor taken.
pub(super) const fn is_forgotten(invite: &InviteRecord, now_unix_ms: u64) -> bool {
    invite.exp_ts.saturating_add(INVITE_KEPT_S).saturating_mul(1_000) < now_unix_ms
}
