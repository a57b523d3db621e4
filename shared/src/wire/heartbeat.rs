//! The heartbeat: one round trip of `POST /health` carries gossip both ways, the lease, the digests, and what each side says of itself.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::lease::LeaseView;
use crate::ids::Generation;

/// Body of `POST /health`, and of its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Gossip frames (base64): what the sender's membership has for the receiver now.
    pub swim: Vec<String>,
    /// Digest over all roster records that the sender holds (R3).
    pub roster: Digest,
    /// Digest over the sender's view of the members (M1).
    pub view: Digest,
    /// The lease as the sender sees it (L4).
    pub lease: Option<LeaseView>,
    /// What the sender says of itself.
    pub facts: Facts,
}

/// A 64-bit digest, as 16 hex digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

/// What a node says of itself on every heartbeat and lease answer: true now, never stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The sender's boot generation.
    pub generation: Generation,
    /// The sender's CLOCK_BOOTTIME, milliseconds: deadlines for the sender are stated on its own clock.
    pub boot_ms: u64,
    /// The sender's wall clock, unix milliseconds: skew is an alert, not a death.
    pub unix_ms: u64,
    /// Milliseconds since the sender's process started (L6).
    pub up_ms: u64,
    /// Has the token, and its last look at the Bot API succeeded.
    pub ready: bool,
    /// Reached a majority of the voters within 3 s (L4).
    pub reaches_voters: bool,
    /// Is about to stop (L5).
    pub stopping: bool,
    /// Members that the sender sees alive, itself included (M3).
    pub sees: u16,
    /// CPU and memory in percent, for the list; absent while the agent does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glance: Option<Glance>,
    /// Why the sender stores nothing that is new: it takes no orders and no edits. Absent where it does, and towards nodes of protocol 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskTrouble>,
}

/// Why a node stores nothing that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskTrouble {
    /// No space, no inode, or no quota is left.
    Full,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The state folder may not be written.
    Denied,
    /// Anything else, also what a later version tells.
    #[serde(other)]
    Failing,
}

/// CPU and memory at a glance, whole percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    /// CPU, 0 to 100.
    pub cpu: u8,
    /// Memory, 0 to 100.
    pub mem: u8,
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&alloc::format!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(from)?;
        if text.len() != 16 {
            return Err(serde::de::Error::custom("a digest of 16 hex digits"));
        }
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}
