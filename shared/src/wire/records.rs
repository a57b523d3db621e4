//! The roster's records: who belongs, and what the network itself remembers. Last writer wins, by hybrid logical clock.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::incident::AlertRecord;
use super::more::More;
use crate::ids::{NodeId, Pin, Term, TokenHash};
use crate::secret::Secret;

/// A hybrid logical clock's reading: orders all writes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Unix time in milliseconds, never behind what the writer had seen.
    pub unix_ms: u64,
    /// Counts writes within one millisecond.
    pub count: u32,
    /// The writer; breaks ties.
    pub node: NodeId,
}

/// What a node says of itself. Signed by its own key (R1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfRecord {
    /// Whose.
    pub node: NodeId,
    /// When it was written.
    pub stamp: Stamp,
    /// Where others reach it: `host:port`, `v4:port` or `[v6]:port`.
    pub addr: String,
    /// Version of its controller, e.g. `0.1.0`.
    pub version: String,
    /// Its [`super::PROTOCOL`].
    pub protocol: u32,
}

/// A [`SelfRecord`] as it travels and as it is stored: the signed text itself, so that no re-encoding can break the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedSelf {
    /// JSON of a [`SelfRecord`], exactly as signed.
    pub body: String,
    /// Base64 of the certificate (DER) that holds the key; its SHA-256 is the pin of the owner record.
    pub cert: String,
    /// Hex of the Ed25519 signature over `body`.
    pub signature: String,
}

/// What the owner, through a lease holder, says of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerRecord {
    /// Whom it is about.
    pub node: NodeId,
    /// When it was written.
    pub stamp: Stamp,
    /// The holder's term at that time.
    pub term: Term,
    /// The name that the owner sees.
    pub name: String,
    /// Smaller leads.
    pub priority: u32,
    /// SHA-256 of the certificate (DER) that was checked at admission; `self` records must be signed by its key.
    pub pin: Pin,
    /// Who admitted it; itself for the founder.
    pub admitted_by: NodeId,
    /// R2: final for this id; no later stamp undoes it.
    pub removed: bool,
    /// Of a newer version; kept (S7).
    #[serde(flatten)]
    pub more: More,
}

/// One record of the network's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct NetRecord {
    /// When it was written.
    pub stamp: Stamp,
    /// The holder's term at that time.
    pub term: Term,
    /// Which of its kind, e.g. a node's id; None where there is one of the kind.
    pub which: Option<String>,
    /// What.
    pub value: NetValue,
    /// Fields of a newer version beside the value; kept (S7).
    pub more: More,
    /// Fields of a newer version in a value of a known kind; kept (S7).
    pub more_in_value: More,
}

impl NetRecord {
    /// The only record of its kind.
    #[must_use]
    pub const fn new(stamp: Stamp, term: Term, value: NetValue) -> Self {
        Self { stamp, term, which: None, value, more: More::none(), more_in_value: More::none() }
    }

    /// The record's name among the network's records, known kinds and unknown ones alike: `kind`, or `kind/which`.
    #[must_use]
    pub fn name(&self) -> String {
        let kind = self.value.kind();
        self.which.as_ref().map_or_else(|| String::from(kind), |which| alloc::format!("{kind}/{which}"))
    }
}

/// A [`NetRecord`] as it is written.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    stamp: Stamp,
    term: Term,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    which: Option<String>,
    value: More,
    #[serde(flatten)]
    more: More,
}

impl TryFrom<Written> for NetRecord {
    type Error = serde_json::Error;

    fn try_from(Written { stamp, term, which, value, more }: Written) -> Result<Self, Self::Error> {
        let read = value.read()?;
        let known = More::of(&read).unwrap_or_default();
        Ok(Self { stamp, term, which, value: read, more, more_in_value: value.without(&known) })
    }
}

impl From<NetRecord> for Written {
    fn from(NetRecord { stamp, term, which, value, more, more_in_value }: NetRecord) -> Self {
        let value = More::of(&value).unwrap_or_default().with(&more_in_value);
        Self { stamp, term, which, value, more }
    }
}

/// What the network remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", remote = "Self")]
pub enum NetValue {
    /// The owner.
    Owner {
        /// Telegram user name, without `@`, as the operator wrote it.
        username: String,
        /// Numeric Telegram id, pinned at first contact.
        telegram_id: Option<i64>,
        /// SHA-256 (hex) of the code in the owner link, until first contact.
        claim: Option<TokenHash>,
    },
    /// The bot token; absent in a network made with `--no-share-token`.
    Token {
        /// The token.
        token: Secret,
    },
    /// The bot's one message in the owner's chat.
    Message {
        /// Telegram chat id.
        chat: i64,
        /// Telegram message id.
        message: i64,
    },
    /// The owner's choice of language: `ru` or `en`.
    Language {
        /// Two letters.
        code: String,
    },
    /// The bot, as `getMe` told: its id enters every command id.
    Bot {
        /// Numeric id of the bot.
        id: i64,
        /// Its user name, for links.
        username: String,
    },
    /// What the owner chose about one of the rules by which nodes judge themselves. Which of its kind: `all/KIND` or `NODE/KIND`.
    AlertRule {
        /// Whether the rule is judged. Absent: nothing is chosen here, so the choice for all holds, or the preset.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
        /// Another threshold than the preset's, in the preset's unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<i64>,
    },
    /// When only critical alerts sound.
    QuietHours {
        /// Whether there are such hours.
        on: bool,
        /// Minutes after midnight when they begin.
        from_min: u16,
        /// Minutes after midnight when they end; not after `from_min`: on the next day.
        until_min: u16,
        /// IANA name of the time zone.
        zone: String,
    },
    /// The owner removes the node that the record's `which` names: it gives its vote and its lease away first, and is removed then.
    Leaving {},
    /// An alert that was told, or is being told. Which: [`AlertRecord::which`].
    Alert(alloc::boxed::Box<AlertRecord>),
    /// S7: of a kind that this version does not know. It is kept and passed on, and nothing is done by it.
    #[serde(untagged)]
    Other(More),
}

impl NetValue {
    /// The kind as it is written; empty where there is none.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Owner { .. } => "owner",
            Self::Token { .. } => "token",
            Self::Message { .. } => "message",
            Self::Language { .. } => "language",
            Self::Bot { .. } => "bot",
            Self::AlertRule { .. } => "alert_rule",
            Self::QuietHours { .. } => "quiet_hours",
            Self::Leaving {} => "leaving",
            Self::Alert(_) => "alert",
            Self::Other(value) => value.text("kind").unwrap_or_default(),
        }
    }
}

/// S7: of another kind, or damaged where the kind is a known one.
impl<'de> Deserialize<'de> for NetValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Self::deserialize(from)? {
            Self::Other(more) => {
                let known =
                    ["owner", "token", "message", "language", "bot", "alert_rule", "quiet_hours", "leaving", "alert"];
                more.of_another("kind", &known).map(Self::Other)
            }
            known @ (Self::Owner { .. }
            | Self::Token { .. }
            | Self::Message { .. }
            | Self::Language { .. }
            | Self::Bot { .. }
            | Self::AlertRule { .. }
            | Self::QuietHours { .. }
            | Self::Leaving {}
            | Self::Alert(_)) => Ok(known),
        }
    }
}

impl Serialize for NetValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, to)
    }
}

/// An invitation, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRecord {
    /// SHA-256 of the token.
    pub token: TokenHash,
    /// When it was last written.
    pub stamp: Stamp,
    /// Unix time, seconds, after which it is refused.
    pub exp_ts: u64,
    /// Who entered with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
    /// Of a newer version; kept (S7).
    #[serde(flatten)]
    pub more: More,
}

/// Who entered with an invitation: the same again is a lost answer, another is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The node.
    pub node: NodeId,
    /// Its certificate.
    pub pin: Pin,
}

/// A voter record's place in their order: a record with a higher mark replaces one with a lower. The term decides between two records of
/// one number, written by holders that followed each other before either was granted under.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VotersMark {
    /// Counts up by one with every change.
    pub number: u64,
    /// The term of the strong holder that wrote it.
    pub term: Term,
}

/// Who votes. While `old` is not empty, strong means a majority of each list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VoterRecord {
    /// Its place in the order of records.
    pub mark: VotersMark,
    /// The list that is being left; empty outside a change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old: Vec<NodeId>,
    /// The list that holds, or will.
    pub new: Vec<NodeId>,
}

/// Records on their way from one roster to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    /// Nodes' own words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub selfs: Vec<SignedSelf>,
    /// The owner's words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<OwnerRecord>,
    /// The network's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub net: Vec<NetRecord>,
    /// Invitations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invites: Vec<InviteRecord>,
    /// The voters, where the sender has a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voters: Option<VoterRecord>,
}

/// Names a record, for exchanging what is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub enum RecordKey {
    /// A node's own words.
    Self_(NodeId),
    /// The owner's words on a node.
    Owner(NodeId),
    /// A record of the network: [`NetRecord::name`].
    Net(String),
    /// An invitation.
    Invite(TokenHash),
    /// The voters (there is one).
    Voters,
}
