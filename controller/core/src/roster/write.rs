//! This node's own writes. Each answers the records to announce; the caller persists first.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Pin, Term, TokenHash};
use constella_shared::limits::INVITE_TTL_S;
use constella_shared::secret::Secret;
use constella_shared::wire::incident::AlertRecord;
use constella_shared::wire::more::More;
use constella_shared::wire::records::{
    InviteRecord, NetRecord, NetValue, OwnerRecord, Records, SelfRecord, Spent, Stamp, VoterRecord,
};

use super::hlc::Hlc;
use super::rank::Ranked;
use super::{Own, Roster, name};
use crate::clock::Now;
use crate::keys::Keys;

/// A node that is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Its id.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Smaller leads.
    pub priority: u32,
    /// Its certificate.
    pub pin: Pin,
    /// Whose dial-back met that certificate.
    pub admitted_by: NodeId,
}

/// What the owner changes about a node (R4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Another name.
    Rename(String),
    /// Another priority.
    Priority(u32),
    /// R2: away, for ever.
    Remove,
}

/// Why a write about a node is refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// No such node.
    #[error("no node with this id belongs to the network")]
    UnknownNode,
    /// R2.
    #[error("this node was removed, and removal is final; it can come back with a new invitation and a new id")]
    Removed,
    /// Another node has the name.
    #[error("the name is taken; {free} is free")]
    NameTaken {
        /// One that nobody has.
        free: String,
    },
    /// Not a name.
    #[error(transparent)]
    Name(#[from] name::NameError),
    /// The id, or the certificate, belongs to another node.
    #[error("the id or the certificate is another node's; remove the state folder of the new node and join again")]
    Belongs,
}

impl Roster {
    /// Writes a record of the network's own, of a kind of which there is one.
    pub fn write_net(&mut self, now: Now, term: Term, value: NetValue) -> Records {
        self.write_net_of(now, term, None, value)
    }

    /// Writes one of several records of a kind.
    pub fn write_net_of(&mut self, now: Now, term: Term, which: Option<String>, value: NetValue) -> Records {
        let mut record = NetRecord { which, ..NetRecord::new(self.stamp(now), term, value) };
        if let Some(held) = self.net.get(&record.name()) {
            // S7: what this version does not know of it is not its to take away.
            record.more = held.more.clone();
            record.more_in_value = held.more_in_value.clone();
        }
        self.put_net(record.clone());
        Records { net: Vec::from([record]), ..Records::default() }
    }

    /// Writes the record of an alert.
    pub fn write_alert(&mut self, now: Now, term: Term, alert: AlertRecord) -> NetRecord {
        let which = AlertRecord::which(&alert.subject);
        let value = NetValue::Alert(Box::new(alert));
        let mut record = NetRecord { which: Some(which), ..NetRecord::new(self.stamp(now), term, value) };
        if let Some(held) = self.net.get(&record.name()) {
            record.more = held.more.clone();
            record.more_in_value = held.more_in_value.clone();
        }
        self.put_net(record.clone());
        record
    }

    /// Lets a node in. One that belongs already, with the same certificate, stays as it is: the same answer again (a lost one).
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn admit(&mut self, now: Now, term: Term, new: Admission) -> Result<Records, EditError> {
        if let Some(held) = self.owners.get(&new.node) {
            return match (held.removed, held.pin == new.pin) {
                (true, _) => Err(EditError::Removed),
                (false, false) => Err(EditError::Belongs),
                (false, true) => Ok(Records { owners: Vec::from([held.clone()]), ..Records::default() }),
            };
        }
        if self.owners.values().any(|owner| owner.pin == new.pin) {
            return Err(EditError::Belongs);
        }
        self.check_name(&new.name, &new.node)?;
        let Admission { node, name, priority, pin, admitted_by } = new;
        let stamp = self.stamp(now);
        Ok(self.write_owner(OwnerRecord {
            node,
            stamp,
            term,
            name,
            priority,
            pin,
            admitted_by,
            removed: false,
            more: More::none(),
        }))
    }

    /// Changes what the owner says of a node. Whether a holder may do so (R4) is the caller's to know.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn edit(&mut self, now: Now, term: Term, node: &NodeId, edit: Edit) -> Result<Records, EditError> {
        let mut record = self.owners.get(node).cloned().ok_or(EditError::UnknownNode)?;
        if record.removed {
            return Err(EditError::Removed);
        }
        match edit {
            Edit::Rename(name) => {
                self.check_name(&name, node)?;
                record.name = name;
            }
            Edit::Priority(priority) => record.priority = priority,
            Edit::Remove => record.removed = true,
        }
        record.stamp = self.stamp(now);
        record.term = term;
        Ok(self.write_owner(record))
    }

    /// Says where this node is and what it runs; empty where the roster says so already.
    pub fn write_self(&mut self, now: Now, addr: &str, version: &str, protocol: u32, keys: &dyn Keys) -> Records {
        let says_so = |own: &Own| {
            own.record.addr == addr
                && own.record.version == version
                && own.record.protocol == protocol
                && !self.is_ahead(now, &own.record.stamp)
        };
        if self.selfs.get(&self.node).is_some_and(says_so) {
            return Records::default();
        }
        let stamp = self.stamp(now);
        let own = Self::signed(
            SelfRecord { node: self.node, stamp, addr: addr.to_string(), version: version.to_string(), protocol },
            keys,
        );
        self.put_self(own.clone());
        Records { selfs: Vec::from([own.signed]), ..Records::default() }
    }

    /// A new invitation. The token itself is never written.
    pub fn write_invite(&mut self, now: Now, token: TokenHash, exp_ts: u64) -> Records {
        let record = InviteRecord { token, stamp: self.stamp(now), exp_ts, spent: None, more: More::none() };
        self.made.insert(token);
        self.put_invite(record.clone());
        Records { invites: Vec::from([record]), ..Records::default() }
    }

    /// Marks an invitation as used. None where it is unknown, or another used it: then nothing was changed.
    pub fn spend_invite(&mut self, now: Now, token: &TokenHash, spent: Spent) -> Option<Records> {
        let mut record = self.invites.get(token)?.clone();
        match &record.spent {
            Some(before) if *before != spent => return None,
            Some(_) => {}
            None => {
                record.spent = Some(spent);
                record.stamp = self.stamp(now);
                self.put_invite(record.clone());
            }
        }
        Some(Records { invites: Vec::from([record]), ..Records::default() })
    }

    /// Takes a voter record with a higher mark than the one held; None where it is not higher, not sound, or names nodes that are not
    /// known here yet.
    pub fn set_voters(&mut self, record: VoterRecord) -> Option<Records> {
        if record.rank() <= self.voters.rank() || self.check_voters(&record).is_err() {
            return None;
        }
        self.put_voters(record.clone());
        Some(Records { voters: Some(record), ..Records::default() })
    }

    /// Sets this node's own bot token (`--no-share-token`).
    pub fn set_own_token(&mut self, token: Secret) {
        self.own_token = Some(token);
    }

    /// Writes anew what this node, or one that was removed since, wrote while its clock was ahead, now that the clock is right: everybody else
    /// refused it (R1), and nothing that is written at the right time would replace it here. To be called at the start and about once a minute.
    pub fn restamp(&mut self, now: Now, keys: &dyn Keys) -> Records {
        let mut again = Records::default();
        if self.newest_ms <= now.unix_ms.saturating_add(self.skew_ms) {
            return again;
        }
        let own = |stamp: &Stamp| self.is_ahead(now, stamp);
        let ahead = |stamp: &Stamp| own(stamp) || self.is_left_ahead(now, stamp);
        let owners: Vec<OwnerRecord> = self.owners.values().filter(|r| ahead(&r.stamp)).cloned().collect();
        let selfs: Vec<SelfRecord> =
            self.selfs.values().map(|own| &own.record).filter(|r| own(&r.stamp)).cloned().collect();
        let net: Vec<NetRecord> = self.net.values().filter(|r| ahead(&r.stamp)).cloned().collect();
        let invites: Vec<InviteRecord> = self.invites.values().filter(|r| ahead(&r.stamp)).cloned().collect();
        for mut record in owners {
            record.stamp = self.stamp(now);
            again.owners.extend(self.write_owner(record).owners);
        }
        for mut record in selfs {
            record.stamp = self.stamp(now);
            let own = Self::signed(record, keys);
            again.selfs.push(own.signed.clone());
            self.put_self(own);
        }
        for mut record in net {
            record.stamp = self.stamp(now);
            again.net.push(record.clone());
            self.put_net(record);
        }
        for mut record in invites {
            record.stamp = self.stamp(now);
            // Its end was reckoned by that clock too.
            record.exp_ts = record.exp_ts.min((now.unix_ms / 1_000).saturating_add(INVITE_TTL_S));
            again.invites.push(record.clone());
            self.put_invite(record);
        }
        self.newest_ms = self.stamps().map(|stamp| stamp.unix_ms).max().unwrap_or(0);
        again
    }

    fn write_owner(&mut self, record: OwnerRecord) -> Records {
        self.put_owner(record.clone());
        Records { owners: Vec::from([record]), ..Records::default() }
    }

    pub(super) fn signed(record: SelfRecord, keys: &dyn Keys) -> Own {
        // A record of strings and numbers is always written; the empty text would be signed by nobody's hand and refused everywhere.
        let body = serde_json::to_string(&record).unwrap_or_default();
        Own { signed: keys.sign(body), record }
    }

    /// The next stamp. What this node itself wrote with a clock that was ahead does not push it into the future.
    pub(super) fn stamp(&mut self, now: Now) -> Stamp {
        let node = self.node;
        let stamp = self.hlc.next(now, node);
        if stamp.unix_ms <= now.unix_ms.saturating_add(self.skew_ms) {
            return stamp;
        }
        let mut hlc = Hlc::default();
        self.stamps().filter(|stamp| self.is_in_time(now, stamp)).for_each(|stamp| hlc.see(stamp));
        self.hlc = hlc;
        self.hlc.next(now, node)
    }

    fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        let owners = self.owners.values().map(|record| &record.stamp);
        let selfs = self.selfs.values().map(|own| &own.record.stamp);
        let net = self.net.values().map(|record| &record.stamp);
        owners.chain(selfs).chain(net).chain(self.invites.values().map(|record| &record.stamp))
    }

    /// Whether what is written now comes after it. Two nodes whose clocks were ahead would hold each other's new stamps up otherwise.
    fn is_in_time(&self, now: Now, stamp: &Stamp) -> bool {
        let nobody_to_ask = stamp.node != self.node && self.fastest_ahead_ms.is_none();
        nobody_to_ask || !self.is_ahead_of_all(now, stamp)
    }

    /// Written by this node while its clock was ahead. Another node's stamp that seems ahead was within the limit when it came: then it
    /// is this node's clock that fell behind, and the stamp holds. It does too where another clock in sight is there already.
    fn is_ahead(&self, now: Now, stamp: &Stamp) -> bool {
        stamp.node == self.node && self.is_ahead_of_all(now, stamp)
    }

    /// Written by a node with a clock that was ahead, and that belongs no more: nobody else would write it anew.
    fn is_left_ahead(&self, now: Now, stamp: &Stamp) -> bool {
        self.fastest_ahead_ms.is_some() && !self.is_member(&stamp.node) && self.is_ahead_of_all(now, stamp)
    }

    /// Ahead of this node's clock, and of every other that it heard.
    fn is_ahead_of_all(&self, now: Now, stamp: &Stamp) -> bool {
        let in_sight = now.unix_ms.saturating_add(self.fastest_ahead_ms.unwrap_or(0));
        stamp.unix_ms > in_sight.saturating_add(self.skew_ms)
    }

    fn check_name(&self, wanted: &str, node: &NodeId) -> Result<(), EditError> {
        name::check(wanted)?;
        let taken = |name: &str| self.named(name).is_some_and(|member| member.id != *node);
        if taken(wanted) { Err(EditError::NameTaken { free: name::free(wanted, taken) }) } else { Ok(()) }
    }
}
