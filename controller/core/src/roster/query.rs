//! What the roster answers.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{LeaderKey, NetworkId, NodeId, Pin, TokenHash};
use constella_shared::link::InviteId;
use constella_shared::secret::Secret;
use constella_shared::wire::alert::Kind;
use constella_shared::wire::incident::AlertRecord;
use constella_shared::wire::records::{InviteRecord, NetValue, OwnerRecord, Stamp, VoterRecord};

use super::{Roster, name};
use crate::alerts::choice::{Choice, Quiet, Scope};
use crate::alerts::quiet::QuietHours;
use crate::bot::kit::world::Invited;
use crate::io::PinnedPeer;

/// A node that belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its id.
    pub id: NodeId,
    /// The owner's name for it.
    pub name: &'a str,
    /// Smaller leads.
    pub priority: u32,
    /// Its certificate.
    pub pin: Pin,
    /// Where it is reached; None until its own words are known.
    pub addr: Option<&'a str>,
    /// Version of its controller; None until its own words are known.
    pub version: Option<&'a str>,
    /// Its protocol; None until its own words are known.
    pub protocol: Option<u32>,
}

/// The owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Telegram user name, without `@`, as the operator wrote it.
    pub username: &'a str,
    /// Numeric Telegram id, once pinned.
    pub telegram_id: Option<i64>,
    /// SHA-256 of the code in the owner link, until first contact.
    pub claim: Option<TokenHash>,
}

/// The bot's one message in the owner's chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Telegram chat id.
    pub chat: i64,
    /// Telegram message id.
    pub message: i64,
}

/// The bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bot<'a> {
    /// Numeric id.
    pub id: i64,
    /// User name, without `@`.
    pub username: &'a str,
}

impl Roster {
    /// This node's id.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        self.node
    }

    /// All nodes that belong, this one included, removed ones not; by id.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.owners.values().filter(|owner| !owner.removed).map(|owner| self.member_of(owner))
    }

    /// How many belong.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.members
    }

    /// Whether nobody belongs: only after this node itself was removed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A node that belongs; None for a stranger and for a removed one.
    #[must_use]
    pub fn member(&self, node: &NodeId) -> Option<Member<'_>> {
        self.owners.get(node).filter(|owner| !owner.removed).map(|owner| self.member_of(owner))
    }

    /// The node with this name, in any letter case.
    #[must_use]
    pub fn named(&self, wanted: &str) -> Option<Member<'_>> {
        self.members().find(|member| name::same(member.name, wanted))
    }

    /// Whether a node belongs.
    #[must_use]
    pub fn is_member(&self, node: &NodeId) -> bool {
        self.owners.get(node).is_some_and(|owner| !owner.removed)
    }

    /// R2: whether a node was removed, for ever.
    #[must_use]
    pub fn is_removed(&self, node: &NodeId) -> bool {
        self.owners.get(node).is_some_and(|owner| owner.removed)
    }

    /// What the node leads by. A node that the owner removes comes after all others.
    #[must_use]
    pub fn leader_key(&self, node: &NodeId) -> Option<LeaderKey> {
        let priority = |member: Member<'_>| if self.is_leaving(&member.id) { u32::MAX } else { member.priority };
        self.member(node).map(|member| LeaderKey { priority: priority(member), node: member.id })
    }

    /// The members as TLS must know them, this node included (its own CLI comes with its certificate). Generations are membership's to fill in.
    #[must_use]
    pub fn pinned(&self) -> Vec<PinnedPeer> {
        let pinned = |member: Member<'_>| PinnedPeer {
            node: member.id,
            pin: member.pin,
            addr: member.addr.map(String::from),
            generation: None,
        };
        self.members().map(pinned).collect()
    }

    /// The owner; only the name until there is a record.
    #[must_use]
    pub fn owner(&self) -> Owner<'_> {
        match self.net_value("owner") {
            Some(NetValue::Owner { username, telegram_id, claim }) => {
                Owner { username, telegram_id: *telegram_id, claim: *claim }
            }
            _ => Owner { username: &self.owner_username, telegram_id: None, claim: None },
        }
    }

    /// The bot token: the network's, else this node's own, else none.
    #[must_use]
    pub fn token(&self) -> Option<&Secret> {
        match self.net_value("token") {
            Some(NetValue::Token { token }) => Some(token),
            _ => self.own_token.as_ref(),
        }
    }

    /// Whether the bot's token is a record that every member has.
    #[must_use]
    pub fn shares_token(&self) -> bool {
        self.net_value("token").is_some()
    }

    /// The bot's one message.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        match self.net_value("message") {
            Some(NetValue::Message { chat, message }) => Some(Message { chat: *chat, message: *message }),
            _ => None,
        }
    }

    /// The owner's choice of language.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        match self.net_value("language") {
            Some(NetValue::Language { code }) => Some(code),
            _ => None,
        }
    }

    /// The bot, once `getMe` told.
    #[must_use]
    pub fn bot(&self) -> Option<Bot<'_>> {
        match self.net_value("bot") {
            Some(NetValue::Bot { id, username }) => Some(Bot { id: *id, username }),
            _ => None,
        }
    }

    /// Who votes.
    #[must_use]
    pub const fn voters(&self) -> &VoterRecord {
        &self.voters
    }

    /// The network.
    #[must_use]
    pub const fn network_id(&self) -> NetworkId {
        self.network_id
    }

    /// The network's secret: hex of 32 bytes.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// How often the secret was changed.
    #[must_use]
    pub const fn secret_generation(&self) -> u32 {
        self.secret_generation
    }

    /// The invitation with this public id.
    #[must_use]
    pub fn invite(&self, id: &InviteId) -> Option<&InviteRecord> {
        self.invites.values().find(|invite| InviteId::of(&invite.token) == *id)
    }

    /// The invitation with this token hash.
    #[must_use]
    pub fn invite_of(&self, token: &TokenHash) -> Option<&InviteRecord> {
        self.invites.get(token)
    }

    /// Every invitation that is on record.
    pub fn invites(&self) -> impl Iterator<Item = Invited> {
        self.invites.values().map(|invite| Invited {
            token: invite.token,
            exp_unix_s: invite.exp_ts,
            by: invite.stamp.node,
            spent_by: invite.spent.as_ref().map(|spent| spent.node),
        })
    }

    /// Invitations that nobody used and that have not expired.
    #[must_use]
    pub fn open_invites(&self, unix_s: u64) -> usize {
        self.invites.values().filter(|invite| invite.spent.is_none() && invite.exp_ts >= unix_s).count()
    }

    /// N2: what the owner chose about a rule: for this node, else for all, else nothing.
    #[must_use]
    pub fn alert_choice(&self, node: &NodeId, kind: &Kind) -> Choice {
        let choice = |scope| self.alert_choice_of(scope, kind);
        choice(Scope::Node(*node)).or_else(|| choice(Scope::All)).unwrap_or(Choice::PRESET)
    }

    /// The choice that was made for exactly this scope.
    #[must_use]
    pub fn alert_choice_of(&self, scope: Scope, kind: &Kind) -> Option<Choice> {
        match self.net_value(&format!("alert_rule/{}", scope.which(kind))) {
            Some(NetValue::AlertRule { on: Some(on), threshold }) => Some(Choice { on: *on, threshold: *threshold }),
            _ => None,
        }
    }

    /// Every choice of the owner about rules, as the records are named: `all/KIND`, `NODE/KIND`.
    pub fn alert_choices(&self) -> impl Iterator<Item = (String, Choice)> {
        let rules =
            self.net.range(String::from("alert_rule/")..).take_while(|(name, _)| name.starts_with("alert_rule/"));
        rules.filter_map(|(_, record)| match (&record.which, &record.value) {
            (Some(which), NetValue::AlertRule { on: Some(on), threshold }) => {
                Some((which.clone(), Choice { on: *on, threshold: *threshold }))
            }
            _ => None,
        })
    }

    /// N5: the quiet hours, where the owner set some and they are on.
    #[must_use]
    pub fn quiet_hours(&self) -> Option<QuietHours> {
        match self.net_value("quiet_hours") {
            Some(NetValue::QuietHours { on: true, from_min, until_min, zone }) => {
                QuietHours::new(*from_min, *until_min, zone)
            }
            _ => None,
        }
    }

    /// The same as it was chosen.
    #[must_use]
    pub fn quiet_choice(&self) -> Option<Quiet> {
        match self.net_value("quiet_hours") {
            Some(NetValue::QuietHours { on, from_min, until_min, zone }) => {
                Some(Quiet { on: *on, from_min: *from_min, until_min: *until_min, zone: zone.clone() })
            }
            _ => None,
        }
    }

    /// Every alert that is on record, with who wrote it and when.
    pub fn alerts(&self) -> impl Iterator<Item = (&AlertRecord, Stamp)> {
        self.net.values().filter_map(|record| match &record.value {
            NetValue::Alert(alert) => Some((&**alert, record.stamp)),
            NetValue::Owner { .. }
            | NetValue::Token { .. }
            | NetValue::Message { .. }
            | NetValue::Language { .. }
            | NetValue::Bot { .. }
            | NetValue::AlertRule { .. }
            | NetValue::QuietHours { .. }
            | NetValue::Leaving {}
            | NetValue::Other(_) => None,
        })
    }

    fn net_value(&self, kind: &str) -> Option<&NetValue> {
        self.net.get(kind).map(|record| &record.value)
    }

    fn member_of<'a>(&'a self, owner: &'a OwnerRecord) -> Member<'a> {
        let own = self.selfs.get(&owner.node).map(|own| &own.record);
        Member {
            id: owner.node,
            name: &owner.name,
            priority: owner.priority,
            pin: owner.pin,
            addr: own.map(|own| own.addr.as_str()),
            version: own.map(|own| own.version.as_str()),
            protocol: own.map(|own| own.protocol),
        }
    }
}
