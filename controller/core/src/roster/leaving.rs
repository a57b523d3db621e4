//! Nodes on their way out: a node that votes or holds is marked first, and its tombstone follows when it does neither.

use alloc::string::ToString;

use constella_shared::ids::{NodeId, Term, TokenHash};
use constella_shared::wire::more::More;
use constella_shared::wire::records::{NetRecord, NetValue, Records};

use super::Roster;
use crate::clock::Now;

/// Which node the record marks; None for every other record.
pub(super) fn leaves(record: &NetRecord) -> Option<NodeId> {
    match record.value {
        NetValue::Leaving {} => record.which.as_ref()?.parse().ok(),
        NetValue::Owner { .. }
        | NetValue::Token { .. }
        | NetValue::Message { .. }
        | NetValue::Language { .. }
        | NetValue::Bot { .. }
        | NetValue::AlertRule { .. }
        | NetValue::QuietHours { .. }
        | NetValue::Alert(_)
        | NetValue::Other(_) => None,
    }
}

impl Roster {
    /// Whether the owner removes this member.
    #[must_use]
    pub fn is_leaving(&self, node: &NodeId) -> bool {
        self.leaving.contains_key(node) && self.is_member(node)
    }

    /// The members that the owner removes, each with the unix milliseconds of its mark.
    pub fn leaving(&self) -> impl Iterator<Item = (NodeId, u64)> {
        self.leaving.iter().filter(|(node, _)| self.is_member(node)).map(|(node, marked_ms)| (*node, *marked_ms))
    }

    /// Marks a node as on its way out; empty where it is marked already.
    pub fn write_leaving(&mut self, now: Now, term: Term, node: NodeId) -> Records {
        if self.leaving.contains_key(&node) {
            return Records::default();
        }
        let (stamp, which) = (self.stamp(now), Some(node.to_string()));
        let (value, more, more_in_value) = (NetValue::Leaving {}, More::none(), More::none());
        let record = NetRecord { stamp, term, which, value, more, more_in_value };
        self.put_net(record.clone());
        Records { net: [record].into(), ..Records::default() }
    }

    /// Ends the open invitations that a node wrote, or the one with this token: their time is over. Empty where there is none.
    pub fn revoke(&mut self, now: Now, which: &Revoke) -> Records {
        let over = (now.unix_ms / 1_000).saturating_sub(1);
        let meant = |invite: &&constella_shared::wire::records::InviteRecord| match which {
            Revoke::WrittenBy(node) => invite.stamp.node == *node,
            Revoke::Token(token) => invite.token == *token,
        };
        let open = self.invites.values().filter(|invite| invite.spent.is_none() && invite.exp_ts > over);
        let mut revoked: alloc::vec::Vec<_> = open.filter(meant).cloned().collect();
        for record in &mut revoked {
            (record.stamp, record.exp_ts) = (self.stamp(now), over);
            self.put_invite(record.clone());
        }
        Records { invites: revoked, ..Records::default() }
    }
}

/// Which invitations are to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoke {
    /// Those that this node wrote last.
    WrittenBy(NodeId),
    /// The one with this token.
    Token(TokenHash),
}
