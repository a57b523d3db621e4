//! The lease on the wire: `Lease.Acquire` (also renews), `Lease.Release`, `Lease.Get`, and the view that rides on every heartbeat.

use alloc::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::records::{VoterRecord, VotersMark};
use crate::ids::{LeaderKey, NodeId, Seq, Term};

/// How good a holder's title is (L2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Grants from every voter that it can reach, but no majority.
    Weak,
    /// Unexpired grants from a majority of the voters.
    Strong,
}

/// S7: a title that this version does not know is no majority, so it counts as weak.
impl<'de> Deserialize<'de> for Strength {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        Ok(if text == "strong" { Self::Strong } else { Self::Weak })
    }
}

/// The lease as somebody sees it. Spread on every heartbeat; each teller subtracts the time it kept it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseView {
    /// Who holds, with its LeaderKey.
    pub holder: LeaderKey,
    /// In which term.
    pub term: Term,
    /// With what title.
    pub strength: Strength,
    /// Whether it polls Telegram (a weak one may only watch).
    pub polling: bool,
    /// The holder's sequence number of the renewal that this view tells of: a relay of the same renewal never lengthens it, so a view
    /// cannot live on by being passed around.
    pub renewal: Seq,
    /// Milliseconds until it runs out.
    pub left_ms: u64,
}

/// `Lease.Acquire`: take or renew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LeaseAsk {
    /// Who asks.
    pub holder: LeaderKey,
    /// For which term.
    pub term: Term,
    /// L1: higher than any that this holder sent before, in this life or an earlier one.
    pub seq: Seq,
    /// The voter record that the holder counts by.
    pub mark: VotersMark,
    /// That record itself, until the voter is known to have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voters: Option<VoterRecord>,
    /// Unexpired grants that the holder has now: settles who gives way.
    pub grants: u8,
    /// What the asker holds already: the voter knows the lease first-hand then. Absent while it only claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Strength>,
    /// Whether it polls Telegram.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub polling: bool,
}

/// Answer to `Lease.Acquire`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum LeaseAnswer {
    /// Granted for one TTL from when the voter heard the ask.
    Granted {
        /// The voter's record: the holder need not send its own again.
        mark: VotersMark,
    },
    /// Not granted.
    Refused {
        /// Why.
        reason: LeaseRefusal,
        /// The voter's term: the next ask uses a higher one.
        term: Term,
        /// The voter's own record, where the ask came with a lower mark.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voters: Option<VoterRecord>,
    },
    /// S7: of a newer voter. It grants nothing, and tells nothing about a rival.
    #[serde(other)]
    Unknown,
}

/// Why a voter does not grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LeaseRefusal {
    /// Somebody else has this voter's grant.
    Held {
        /// Who.
        rival: LeaderKey,
        /// How many grants that one had when it last asked.
        grants: u8,
        /// Until the grant runs out.
        left_ms: u64,
    },
    /// The ask counts by an older voter record; the voter's own is in the answer.
    OlderVoters,
    /// The ask's term is not above the voter's.
    OldTerm,
    /// The ask's term is more than [`crate::limits::TERM_LEAP`] above the voter's.
    TermLeap,
    /// The sequence number is not newer than the last heeded from that holder.
    OldSeq,
    /// The voter has just started and may have granted in its earlier life.
    JustStarted {
        /// Until it grants again.
        left_ms: u64,
    },
    /// S7: of a newer voter. The ask was not granted; nothing else follows from it.
    #[serde(other)]
    Unknown,
}

/// `Lease.Release`: give back; needs no grant to exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LeaseRelease {
    /// Who gives back.
    pub holder: NodeId,
    /// Its term.
    pub term: Term,
    /// L1: as in [`LeaseAsk`].
    pub seq: Seq,
    /// L5: the holder stops, so it neither claims for half a TTL nor is waited for.
    pub stopping: bool,
}

/// Answer to `Lease.Get`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseState {
    /// The lease as the asked node sees it.
    pub view: Option<LeaseView>,
    /// The asked node's term.
    pub term: Term,
    /// The voter record it goes by.
    pub voters: VoterRecord,
    /// Whether it would grant `heir` if the holder named in the question released now.
    pub would_grant: bool,
    /// What the asked node granted as a voter, by its own word and nobody else's; absent in an answer of an older build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Granted>,
}

/// The grant of a voter that holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// To whom; None while it has granted nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NodeId>,
}
