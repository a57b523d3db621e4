//! Members, owner, token, voters, alert rules and quiet hours change by the holder's word alone, while a holder is known (R4).
//!
//! Records travel from any member to any other, and carry no proof of who wrote them. So a node takes a change from the node that it knows to hold, and from
//! nobody else while there is one; what another brings instead is refused, and the holder is asked for its own. The holder itself takes such a change
//! only from the time before it, shortly after it took over.

use constella_shared::ids::Term;
use constella_shared::limits::{
    ADD_EVERY_MS, ADDED_AT_ONCE, INVITE_TTL_S, INVITES, OPEN_INVITES, OWNER_RECORDS, RULES_TAKEN_BACK,
};
use constella_shared::wire::records::{
    InviteRecord, NetRecord, NetValue, OwnerRecord, RecordKey, Records, Stamp, VoterRecord,
};

use super::Roster;
use super::merge::Refusal;
use crate::alerts::choice::Quiet;
use crate::clock::Now;

/// Rights of a sender of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Word {
    /// Everything: nobody is known to hold strongly, so nobody's word is better than another's.
    #[default]
    Open,
    /// Everything: it holds.
    Holder,
    /// This node has begun to hold, in this term: what a holder before it wrote may come late.
    Before(Term),
    /// Nothing that is the owner's: somebody else holds.
    Member,
}

/// Room for nodes that members introduce.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    left: u32,
    since_boot_ms: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { left: ADDED_AT_ONCE, since_boot_ms: 0 }
    }
}

impl Room {
    fn refill(&mut self, now: Now) {
        let more = now.since(self.since_boot_ms) / ADD_EVERY_MS;
        if more > 0 {
            self.left = self.left.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)).min(ADDED_AT_ONCE);
            self.since_boot_ms = now.boot_ms;
        }
    }
}

impl Roster {
    /// The next records come from a sender with these rights.
    pub fn listen_to(&mut self, now: Now, word: Word) {
        self.room.refill(now);
        self.word = word;
    }

    const fn may_change(&self, term: Term) -> bool {
        match self.word {
            Word::Open | Word::Holder => true,
            Word::Before(mine) => term.0 < mine.0,
            Word::Member => false,
        }
    }

    /// A change of what the owner says of a node; of a node that is new here as many as members can let in.
    pub(super) fn check_owner(&mut self, record: &OwnerRecord) -> Result<(), Refusal> {
        let Some(held) = self.owners.get(&record.node) else {
            if self.owners.len() >= OWNER_RECORDS {
                return Err(Refusal::TooMany);
            }
            if !self.may_change(record.term) {
                self.room.left = self.room.left.checked_sub(1).ok_or(Refusal::NotHolder)?;
            }
            return Ok(());
        };
        let same = (&held.name, held.priority, held.removed) == (&record.name, record.priority, record.removed);
        if same || self.may_change(record.term) { Ok(()) } else { Err(Refusal::NotHolder) }
    }

    /// A change of the owner, of the token, of what raises an alert or makes a sound, or a mark of a node on its way out.
    pub(super) fn check_net(&self, record: &NetRecord) -> Result<(), Refusal> {
        let is_the_owners = match record.value {
            NetValue::Owner { .. }
            | NetValue::Token { .. }
            | NetValue::AlertRule { .. }
            | NetValue::QuietHours { .. }
            | NetValue::Leaving {} => true,
            NetValue::Message { .. }
            | NetValue::Language { .. }
            | NetValue::Bot { .. }
            // Whoever closes one that stands has it raised anew by the holder.
            | NetValue::Alert(_)
            | NetValue::Other(_) => false,
        };
        let same = self.net.get(&record.name()).is_some_and(|held| held.value == record.value);
        if !is_the_owners || same || self.may_change(record.term) { Ok(()) } else { Err(Refusal::NotHolder) }
    }

    /// A change of the voters.
    pub(super) const fn check_who_changes_voters(&self, record: &VoterRecord) -> Result<(), Refusal> {
        if self.may_change(record.mark.term) { Ok(()) } else { Err(Refusal::NotHolder) }
    }

    /// An invitation holds for a week at most, and there are not more than all members together have a use for.
    pub(super) fn check_invite(&self, record: &InviteRecord) -> Result<(), Refusal> {
        let latest_s = (record.stamp.unix_ms / 1_000).saturating_add(INVITE_TTL_S).saturating_add(CLOCKS_S);
        if record.exp_ts > latest_s {
            return Err(Refusal::Unsound("it is an invitation that holds for longer than a week"));
        }
        if self.invites.contains_key(&record.token) {
            return Ok(());
        }
        let of_writer = self.invites.values().filter(|held| held.stamp.node == record.stamp.node).count();
        let full = self.invites.len() >= INVITES || of_writer >= OPEN_INVITES;
        if full && self.word != Word::Holder { Err(Refusal::TooMany) } else { Ok(()) }
    }

    /// The holder's own records in the place of those that it refused, written anew: whoever has another takes the holder's.
    pub fn write_again(&mut self, now: Now, term: Term, keys: &[RecordKey]) -> Records {
        let mut again = Records::default();
        for key in keys {
            match key {
                RecordKey::Owner(node) => {
                    if let Some(mut record) = self.owners.get(node).filter(|owner| !owner.removed).cloned() {
                        (record.stamp, record.term) = (self.stamp(now), term);
                        self.put_owner(record.clone());
                        again.owners.push(record);
                    }
                }
                RecordKey::Net(name) => {
                    if let Some(mut record) = self.net.get(name.as_str()).cloned().or_else(|| self.no_choice(name)) {
                        (record.stamp, record.term) = (self.stamp(now), term);
                        self.put_net(record.clone());
                        again.net.push(record);
                    }
                }
                RecordKey::Self_(_) | RecordKey::Invite(_) | RecordKey::Voters => {}
            }
        }
        again
    }

    /// The record of a choice that the holder does not know of: the owner chose nothing. Without it, a node that has such a record would keep it, and
    /// its roster would never be like the others'. A forger of many rules does not fill the holder's room for records.
    fn no_choice(&self, name: &str) -> Option<NetRecord> {
        let taken_back = || self.net.values().filter(|record| record.value == NO_RULE).count();
        let (which, value) = match name.split_once('/') {
            None if name == "quiet_hours" => (None, Quiet::none().into()),
            Some(("alert_rule", which)) if taken_back() < RULES_TAKEN_BACK => (Some(which.into()), NO_RULE),
            Some(_) | None => return None,
        };
        let stamp = Stamp { unix_ms: 0, count: 0, node: self.node };
        Some(NetRecord { which, ..NetRecord::new(stamp, Term(0), value) })
    }

    /// Counts the invitations that this node wrote, that nobody used, and that have not expired.
    #[must_use]
    pub fn own_open_invites(&self, unix_s: u64) -> usize {
        let open = |token: &&constella_shared::ids::TokenHash| {
            self.invites.get(*token).is_some_and(|invite| invite.spent.is_none() && invite.exp_ts >= unix_s)
        };
        self.made.iter().filter(open).count()
    }
}

/// Nothing is chosen about a rule.
const NO_RULE: NetValue = NetValue::AlertRule { on: None, threshold: None };

/// Two clocks may be a day apart until somebody sets them.
const CLOCKS_S: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::fake::{alone, at, keys, node, pin};
    use constella_shared::ids::TokenHash;
    use constella_shared::state::InvitesState;
    use constella_shared::wire::more::More;

    #[test]
    fn an_endless_invitation_in_a_state_file_is_left_out_and_told() {
        // S6: an earlier version took it, and no other would ever replace it
        let invite = |number: u8, exp_ts: u64| InviteRecord {
            token: TokenHash([number; 32]),
            stamp: Stamp { unix_ms: at(0).unix_ms, count: 0, node: node(1) },
            exp_ts,
            spent: None,
            more: More::none(),
        };
        let good = invite(1, at(0).unix_ms / 1_000 + INVITE_TTL_S);
        let invites = InvitesState { format: 1, invites: [good, invite(2, u64::MAX)].into(), more: More::none() };
        let network = alone().to_network_state();
        let (roster, refused) = Roster::open(node(1), pin(1), network, invites, 30_000, &keys(1)).unwrap();
        assert_eq!((roster.invites.len(), refused.len()), (1, 1));
        assert!(matches!(refused[0].why, Refusal::Unsound(_)));
    }

    #[test]
    fn a_member_introduces_some_nodes_and_more_only_with_time() {
        // S6: the other side of a partition lets nodes in too
        let mut room = Room::default();
        assert_eq!(room.left, ADDED_AT_ONCE);
        room.left = 0;
        room.refill(at(ADD_EVERY_MS));
        room.left = 0;
        room.refill(at(ADD_EVERY_MS + 1));
        assert_eq!(room.left, 0);
        room.refill(at(3 * ADD_EVERY_MS));
        assert_eq!(room.left, 2);
        room.refill(at(1_000 * ADD_EVERY_MS));
        assert_eq!(room.left, ADDED_AT_ONCE);
    }
}
