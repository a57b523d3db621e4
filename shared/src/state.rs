//! The state files. Each has `format`, so that a later version knows what it reads; a file that cannot be read stops the node (S4).

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::ids::{CommandId, Generation, LeaderKey, NetworkId, Seq, Term};
use crate::secret::Secret;
use crate::wire::alert::Standing;
use crate::wire::command::StoredCommand;
use crate::wire::more::More;
use crate::wire::records::{InviteRecord, NetRecord, OwnerRecord, Records, SignedSelf, VoterRecord};
use crate::wire::speaks::{command_for_first, records_for_first};

/// The format of all state files of this version.
pub const STATE_FORMAT: u32 = 1;

/// `network_state.json`: secret and roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkState {
    /// [`STATE_FORMAT`].
    pub format: u32,
    /// The network.
    pub network_id: NetworkId,
    /// The owner's Telegram name (the `owner` record has the rest).
    pub owner_username: String,
    /// Hex of 32 bytes.
    pub network_secret: Secret,
    /// Counts rotations.
    pub secret_generation: u32,
    /// The bot token of a node in a network that does not share it; otherwise it is a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_token: Option<Secret>,
    /// Every node, removed ones too (R2).
    pub peers: Vec<Peer>,
    /// The network's own records.
    pub records: Vec<NetRecord>,
    /// The voters.
    pub voters: VoterRecord,
    /// Of a newer version; kept (S7).
    #[serde(flatten)]
    pub more: More,
}

/// One node in `network_state.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The owner's words.
    pub owner: OwnerRecord,
    /// Its own words; absent until heard.
    #[serde(rename = "self", default, skip_serializing_if = "Option::is_none")]
    pub own: Option<SignedSelf>,
}

/// `invites.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitesState {
    /// [`STATE_FORMAT`].
    pub format: u32,
    /// Open, and spent or expired less than a day ago.
    pub invites: Vec<InviteRecord>,
    /// Of a newer version; kept (S7).
    #[serde(flatten)]
    pub more: More,
}

/// `vote.json`: what this node must not forget about the lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VoteState {
    /// [`STATE_FORMAT`].
    pub format: u32,
    /// This node's boot generation; the next start takes a higher one and stores it before it speaks.
    pub generation: Generation,
    /// The highest term it granted, claimed, or carried out a command under.
    pub term: Term,
    /// Sequence numbers below this may have been used.
    pub seq_reserved: Seq,
    /// Unix seconds of this and earlier starts within ten minutes, newest first (L6).
    pub starts: Vec<u64>,
    /// The newest grant of this node's voter, written before the grant leaves (L1); absent before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<LastGrant>,
    /// Of a newer version; kept (S7).
    #[serde(flatten)]
    pub more: More,
}

/// The newest grant of a voter in `vote.json`. Renewals under the same term do not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LastGrant {
    /// To whom.
    pub holder: LeaderKey,
    /// In which term.
    pub term: Term,
}

/// `commands.json`: F6.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommandsState {
    /// [`STATE_FORMAT`].
    pub format: u32,
    /// Commands that are not done, taken here or kept as copies.
    pub open: Vec<StoredCommand>,
    /// Ids that are done, newest last, at most [`crate::limits::DONE_COMMANDS`].
    pub done: Vec<CommandId>,
    /// Of these, the ones that ended here with an order known: a reboot or a speedtest that a target was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ordered: Vec<CommandId>,
    /// Ids that this node executed as a target, newest last, at most [`crate::limits::DONE_COMMANDS`].
    pub executed: Vec<CommandId>,
    /// Ids that this node refused as a target, for they came late, newest last, at most [`crate::limits::DONE_COMMANDS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<CommandId>,
    /// N2: what this node's judgement of itself must not forget over a restart. Where it is lost, what is raised is raised again.
    #[serde(default, skip_serializing_if = "JudgeState::is_empty")]
    pub judge: JudgeState,
    /// Of a newer version; kept (S7).
    #[serde(flatten)]
    pub more: More,
}

impl CommandsState {
    /// Of a node that has seen no command.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            format: STATE_FORMAT,
            open: Vec::new(),
            done: Vec::new(),
            ordered: Vec::new(),
            executed: Vec::new(),
            refused: Vec::new(),
            judge: JudgeState::empty(),
            more: More::none(),
        }
    }
}

/// A node's judgement of itself in `commands.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct JudgeState {
    /// What stands, at most [`crate::limits::ALERT_STANDING`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<Standing>,
    /// Boots of the machine.
    pub boots: BootsState,
}

/// What tells an ordered boot of the machine from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct BootsState {
    /// The last boot that was seen ([`crate::agent::Stats::boot`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// When this node was last ordered to reboot its machine in that boot, unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered_unix_ms: Option<u64>,
}

impl JudgeState {
    /// Of a node that has judged nothing yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self { standing: Vec::new(), boots: BootsState { boot: None, ordered_unix_ms: None } }
    }

    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::empty()
    }
}

/// A state file as a build of protocol 1 reads it, which refuses a file with anything that it does not know: so a network can go back (S7).
pub trait Plain: Clone + PartialEq + Serialize {
    /// Without what that build does not know.
    #[must_use]
    fn plain(&self) -> Self;
}

impl Plain for NetworkState {
    fn plain(&self) -> Self {
        let records = Records {
            owners: self.peers.iter().map(|peer| peer.owner.clone()).collect(),
            net: self.records.clone(),
            ..Records::default()
        };
        let Records { owners, net, .. } = records_for_first(records);
        let own = self.peers.iter().map(|peer| peer.own.clone());
        let peers = owners.into_iter().zip(own).map(|(owner, own)| Peer { owner, own }).collect();
        Self { peers, records: net, more: More::none(), ..self.clone() }
    }
}

impl Plain for InvitesState {
    fn plain(&self) -> Self {
        let records = Records { invites: self.invites.clone(), ..Records::default() };
        Self { format: self.format, invites: records_for_first(records).invites, more: More::none() }
    }
}

impl Plain for VoteState {
    fn plain(&self) -> Self {
        Self { granted: None, more: More::none(), ..self.clone() }
    }
}

impl Plain for CommandsState {
    fn plain(&self) -> Self {
        let open = self.open.iter().cloned().filter_map(command_for_first).collect();
        Self { open, judge: JudgeState::empty(), more: More::none(), ..self.clone() }
    }
}
