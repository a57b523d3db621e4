//! `POST /rpc`: `{"method": "...", "params": {...}}` in, `{"ok": true, "is": "...", ...}` or `{"ok": false, "error": {...}}` out.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize};

use super::command::StoredCommand;
use super::heartbeat::{Digest, Facts};
use super::join::{JoinAnswer, JoinForward};
use super::lease::{LeaseAnswer, LeaseAsk, LeaseRelease, LeaseState};
use super::more::More;
use super::records::{RecordKey, Records, Stamp};
use crate::agent::{RebootAnswer, Series, SeriesKind, SpeedtestState, Stats};
use crate::ids::{CommandId, LeaderKey, NodeId, Term};

/// A request to one node. Never forwarded, but `Join`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", content = "params")]
pub enum Request {
    /// Who is there, as the asked node sees it.
    GetPeers {},
    /// The asked node's host now.
    GetStats {},
    /// A series of the asked node's host.
    #[serde(rename = "GetTS")]
    GetTs {
        /// Which.
        kind: SeriesKind,
        /// How far back, 1 to 2,160.
        hours: u32,
        /// Points at most, from 1; absent for as many as the agent has. An older node does not know it and answers with all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        points: Option<u32>,
    },
    /// Start a speedtest of the asked node's host.
    RunSpeedtest {
        /// Repeating it answers the same test.
        command_id: CommandId,
        /// The holder's term; refused below the highest seen.
        term: Term,
    },
    /// How the newest speedtest is doing.
    GetSpeedtest {},
    /// Reboot the asked node's host.
    Reboot {
        /// Performed at most once.
        command_id: CommandId,
        /// The holder's term; refused below the highest seen.
        term: Term,
        /// Milliseconds that are left, by the sender's reckoning.
        expires_in_ms: u64,
        /// The same as an instant of the asked node's own CLOCK_BOOTTIME, so that time on the way counts; absent in a call by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_after_boot_ms: Option<u64>,
        /// The boot that is to be ended: in another one nothing is left to do, and that instant means nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boot_id: Option<String>,
    },
    /// A seed that does not hold the lease passes an invitation on to the holder.
    Join(JoinForward),
    /// The lease as the asked node sees it.
    #[serde(rename = "Lease.Get")]
    LeaseGet {
        /// Would it grant this node, if `holder` released now?
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heir: Option<LeaderKey>,
        /// The holder that offers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holder: Option<NodeId>,
    },
    /// Take or renew.
    #[serde(rename = "Lease.Acquire")]
    LeaseAcquire(LeaseAsk),
    /// Give back.
    #[serde(rename = "Lease.Release")]
    LeaseRelease(LeaseRelease),
    /// A strong holder tells that it took over (L3): a hint.
    #[serde(rename = "Bot.Takeover")]
    BotTakeover {
        /// Who.
        holder: LeaderKey,
        /// In which term.
        term: Term,
    },
    /// The holder offers the bot; the heir answers with a proof (L6).
    #[serde(rename = "Bot.Offer")]
    BotOffer {
        /// The offering holder's term.
        term: Term,
    },
    /// The holder has released for this heir, which claims (and, told by the holder itself, polls) at once.
    #[serde(rename = "Bot.Handover")]
    BotHandover {
        /// The released term.
        term: Term,
    },
    /// Which records differ? Sent where digests did.
    #[serde(rename = "Roster.Sync")]
    RosterSync(RosterSync),
    /// Membership as the sender sees it: gossip frames that name every member (M1).
    #[serde(rename = "Members.Sync")]
    MembersSync {
        /// Base64 of the encoded members.
        members: Vec<String>,
    },
    /// Keep a copy of these commands (F6), replacing older stages. `Busy` where one tells that its time is ended, and the receiver has begun it.
    #[serde(rename = "Command.Store")]
    CommandStore {
        /// The commands.
        commands: Vec<StoredCommand>,
        /// The sender's term.
        term: Term,
        /// The sender does not hold the lease and the receiver does: carry them out.
        adopt: bool,
    },
    /// These are done: their copies are marked so, but for one with an order that the sender did not know of.
    #[serde(rename = "Command.Done")]
    CommandDone {
        /// Which.
        ids: Vec<CommandId>,
        /// Of these, the ones that ended with an order known to the sender: a reboot or a speedtest that a target was asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ordered: Vec<CommandId>,
    },
    /// What does the asked node hear of these? It tries each of them itself, for the next request. At most [`crate::limits::WITNESSED`] (N1).
    #[serde(rename = "Alerts.Witness")]
    AlertsWitness {
        /// Which.
        nodes: Vec<NodeId>,
    },
    /// All alerts that stand at the sender, by its own judgement (N1). At most [`crate::limits::ALERT_STANDING`].
    #[serde(rename = "Alerts.Tell")]
    AlertsTell {
        /// Each of them; none where all is well.
        standing: Vec<super::alert::Standing>,
    },
}

/// `Roster.Sync`: narrows the difference by buckets, then by stamps, then carries records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RosterSync {
    /// Digest of each of the sender's buckets; empty in a follow-up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<Digest>,
    /// Stamps of all records of the buckets that differ.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "known_stamps")]
    pub have: Vec<(RecordKey, Stamp)>,
    /// Records that the receiver lacks, or asked for.
    pub records: Records,
    /// Records that the sender lacks and wants.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "known_keys")]
    pub want: Vec<RecordKey>,
}

/// S7: a key of a family that this version does not know is left out: it can neither take nor give such a record.
struct Key(Option<RecordKey>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let key = More::deserialize(from)?;
        match key.text("of") {
            None | Some("self_" | "owner" | "net" | "invite" | "voters") => {
                key.read().map(|key| Self(Some(key))).map_err(serde::de::Error::custom)
            }
            Some(_) => Ok(Self(None)),
        }
    }
}

fn known_keys<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RecordKey>, D::Error> {
    let keys = <Vec<Key>>::deserialize(from)?;
    Ok(keys.into_iter().filter_map(|Key(key)| key).collect())
}

fn known_stamps<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(RecordKey, Stamp)>, D::Error> {
    let pairs = <Vec<(Key, Stamp)>>::deserialize(from)?;
    Ok(pairs.into_iter().filter_map(|(Key(key), stamp)| Some((key?, stamp))).collect())
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Response {
    /// Done, nothing to say.
    Done,
    /// To `GetPeers`.
    Peers {
        /// One row a node, removed ones left out.
        peers: Vec<PeerRow>,
    },
    /// To `GetStats`.
    Stats {
        /// The host now.
        stats: Stats,
        /// Version of the controller.
        controller_version: String,
    },
    /// To `GetTS`.
    Series {
        /// The series.
        series: Series,
    },
    /// To `RunSpeedtest` and `GetSpeedtest`.
    Speedtest {
        /// The newest test.
        test: SpeedtestState,
    },
    /// To `Reboot`.
    Reboot {
        /// What the agent did.
        answer: RebootAnswer,
        /// The boot id before, to follow the node by.
        boot_id: Option<String>,
    },
    /// To `Join`.
    Joined {
        /// For the joiner.
        answer: JoinAnswer,
    },
    /// To `Lease.Get`.
    Lease {
        /// The lease there.
        state: LeaseState,
    },
    /// To `Lease.Acquire`.
    Vote {
        /// Granted or not.
        answer: LeaseAnswer,
        /// What the voter says of itself.
        facts: Facts,
    },
    /// To `Bot.Offer`.
    Proof {
        /// A Bot API call that was made just now succeeded.
        ready: bool,
        /// Voters of each list that would grant are a majority.
        majority: bool,
    },
    /// To `Roster.Sync`.
    Sync {
        /// The next step.
        sync: RosterSync,
    },
    /// To `Members.Sync`.
    Members {
        /// The answering side's members.
        members: Vec<String>,
    },
    /// To `Alerts.Witness`.
    Witnessed {
        /// One for each node that was asked about, in that order.
        words: Vec<Word>,
    },
}

/// What one node hears of another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Milliseconds since it last heard the other node itself; absent where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_ms: Option<u64>,
    /// For how many milliseconds it has had no answer, to its own calls or to the gossip's probes; absent where nothing speaks against the other node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_ms: Option<u64>,
}

/// One row of `GetPeers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRow {
    /// The owner's name for it.
    pub name: String,
    /// Its id.
    pub node_id: NodeId,
    /// Where it is reached.
    pub addr: String,
    /// Alive, suspect, down, left.
    pub status: Status,
    /// Unix seconds of the last sign of life that the answering node had itself; 0 for never.
    pub last_seen: u64,
    /// Smaller leads.
    pub priority: u32,
    /// Holds the lease, as the answering node sees it.
    pub leader: bool,
    /// Version of its controller.
    pub version: String,
    /// Round trip of the last heartbeat in milliseconds, where there was one.
    pub rtt_ms: Option<u32>,
    /// Unix seconds when it last answered a call of the answering node: that its port can be reached from there. 0 for never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reached: u64,
    /// Milliseconds that its wall clock is ahead of the answering node's, where it was heard; the way there counts into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A member's status (DESIGN 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 🟢
    Alive,
    /// 🟡
    Suspect,
    /// 🔴
    Down,
    /// Went away by itself.
    Left,
}

/// S7: a status that this version does not know is neither a sign of life nor a death, so it counts as suspect.
impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match &*<Cow<'de, str>>::deserialize(from)? {
            "alive" => Self::Alive,
            "down" => Self::Down,
            "left" => Self::Left,
            _ => Self::Suspect,
        })
    }
}

/// A refusal: `{"ok": false, "error": {"code": "...", "message": "..."}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcError {
    /// For programs.
    pub code: RpcCode,
    /// One sentence for a person; says what to do next where something can be done.
    pub message: String,
}

/// Kinds of refusal. State is unchanged after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RpcCode {
    /// The body is no JSON of the wanted shape, or a field is missing or has a wrong type. HTTP 400.
    BadRequest,
    /// No such method. HTTP 404.
    UnknownMethod,
    /// Addressed to another node. HTTP 421.
    WrongRecipient,
    /// The caller's certificate is not pinned (removed, or never admitted). HTTP 403.
    NotAMember,
    /// The MAC does not fit. HTTP 401.
    BadMac,
    /// The nonce was seen before. HTTP 401.
    Replayed,
    /// The clocks are further apart than CLOCK_SKEW; the message has the skew. HTTP 401.
    ClockSkew,
    /// Made for an earlier start of this node; the answer's `generation` has today's. HTTP 401.
    EarlierBoot,
    /// Made under another generation of the secret. HTTP 401.
    OtherSecret,
    /// A header is missing or cannot be read. HTTP 401.
    BadHeaders,
    /// The term is below the highest seen. HTTP 409.
    OldTerm,
    /// The deadline is past. HTTP 410.
    TooLate,
    /// The host's operator switched it off. HTTP 403.
    Disabled,
    /// A test, a reboot or the command is on its way here, or the last was too short ago. HTTP 409.
    Busy,
    /// The agent does not answer. HTTP 503.
    AgentUnreachable,
    /// The agent refused or failed; the message is its own. HTTP 502.
    AgentFailed,
    /// This node holds no lease that allows it. HTTP 409.
    NotHolder,
    /// The invitation is unknown, expired, used by another, or its MAC does not fit. HTTP 403.
    BadInvite,
    /// The name is taken; the message suggests another. HTTP 409.
    NameTaken,
    /// Dialling back failed. HTTP 409.
    Unreachable,
    /// Another network. HTTP 403.
    WrongNetwork,
    /// Too many requests from there. HTTP 429.
    TooMany,
    /// The body or head is over its limit. HTTP 413.
    TooLarge,
    /// The request took too long. HTTP 408.
    TimedOut,
    /// Versions do not overlap. HTTP 426.
    Protocol,
    /// The node has just started and does not know its members yet. HTTP 503.
    Starting,
    /// The node is stopping. HTTP 503.
    Stopping,
    /// S7: a kind that this version does not know, told by a newer node: nothing was done. HTTP 500.
    #[serde(other)]
    Unknown,
}
