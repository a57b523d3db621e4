//! What the network remembers of an alert that was told: one record a subject, written by a holder under its term (N3).
//!
//! Subjects that were told in one message have one [`IncidentId`]. The record is stored before its message is sent, and has the message's id
//! after: a holder that takes over knows what was told, and what may have been.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use super::alert::{Subject, Value};
use crate::ids::NodeId;
use crate::limits::{ALERT_BY_BYTES, ALERT_KEPT_MS};

/// Names one message in the owner's chat that tells of alerts: 64 bits over its first subject and the minute that this one was raised in. Two holders
/// that find the same thing within a minute give it the same id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub u64);

impl IncidentId {
    /// The id of the incident that begins with this subject, raised at this unix time in milliseconds.
    #[must_use]
    pub fn of(subject: &Subject, raised_unix_ms: u64) -> Self {
        let minute = (raised_unix_ms / 60_000).to_be_bytes();
        Self(first_64(Sha256::new().chain_update(key(subject)).chain_update(minute)))
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IncidentId({self})")
    }
}

/// Text that is no [`IncidentId`]. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an incident's id has 16 lower-case hex digits")]
pub struct IncidentIdError;

impl FromStr for IncidentId {
    type Err = IncidentIdError;

    fn from_str(text: &str) -> Result<Self, IncidentIdError> {
        if text.len() != 16 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(IncidentIdError);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| IncidentIdError)
    }
}

impl Serialize for IncidentId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IncidentId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An alert that was told, or is being told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// Of what.
    pub subject: Subject,
    /// The message that tells it.
    pub incident: IncidentId,
    /// How far its telling has come.
    pub stage: AlertStage,
    /// When it was raised, unix milliseconds; of the first time within this incident.
    pub raised_unix_ms: u64,
    /// How much it is.
    #[serde(default)]
    pub value: Value,
    /// Who saw it.
    pub by: NodeId,
    /// For a node that is down: how many were asked, and how many of them hear nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<Witnesses>,
    /// When it was cleared, unix milliseconds; absent while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_unix_ms: Option<u64>,
    /// When it was raised within this incident, unix milliseconds, newest last; more than one time for one that comes and goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raises: Vec<u64>,
    /// The owner's chat and the message in it; absent until Telegram told its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageAt>,
    /// Whether the owner's phone made a sound for it.
    #[serde(default)]
    pub sounded: bool,
    /// Whether a note on its end was sent, or was about to be.
    #[serde(default)]
    pub noted: bool,
    /// Who of the owners has seen it. It ends when the alert gets worse or clears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Ack>,
    /// Nothing more is told of the subject for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Mute>,
}

/// How far the telling of an alert has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStage {
    /// Its message is about to be sent, or was.
    Sending,
    /// Telegram did not take its message: whoever can sends it.
    Waiting,
    /// Its message is in the chat.
    Open,
    /// It is cleared, and its message does not say so yet, or may not.
    Clearing,
    /// The owner was told its end.
    Closed,
    /// S7: of a newer version; nothing is done by it.
    #[serde(other)]
    Other,
}

/// A message in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageAt {
    /// Telegram chat id.
    pub chat: i64,
    /// Telegram message id.
    pub message: i64,
}

/// How many nodes were asked whether they hear of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Witnesses {
    /// They had no answer for `DOWN_AFTER`.
    pub silent: u16,
    /// All that could be asked.
    pub of: u16,
}

/// Somebody has seen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Telegram's name of the person, or the number; at most [`ALERT_BY_BYTES`].
    pub by: String,
    /// When the button was pressed, unix milliseconds.
    pub at_unix_ms: u64,
}

/// Somebody wants to hear nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// As in [`Ack`].
    pub by: String,
    /// Until when, unix milliseconds; absent until it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_unix_ms: Option<u64>,
}

impl AlertRecord {
    /// Which of its kind the record is ([`super::records::NetRecord::which`]): 128 bits over the subject, in hex.
    #[must_use]
    pub fn which(subject: &Subject) -> String {
        let mut text = hex::encode(key(subject));
        text.truncate(32);
        text
    }

    /// Whether it is as small as what members may make each other keep.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        let by = self.ack.as_ref().map(|ack| &ack.by).into_iter().chain(self.mute.as_ref().map(|mute| &mute.by));
        self.raises.len() <= RAISES && by.into_iter().all(|by| by.len() <= ALERT_BY_BYTES)
    }
}

/// S6, S7: whether a record that was stamped then is kept no longer. A holder stamps anew what is open, long before.
#[must_use]
pub const fn is_forgotten(stamp_unix_ms: u64, now_unix_ms: u64) -> bool {
    stamp_unix_ms.saturating_add(ALERT_KEPT_MS) < now_unix_ms
}

/// Raises that one record remembers: enough to say that something comes and goes.
pub const RAISES: usize = 8;

fn key(subject: &Subject) -> [u8; 32] {
    let Subject { node, kind, part } = subject;
    let part = part.as_ref().map_or("", super::alert::Part::as_str);
    crate::ids::TokenHash::over(&[&node.0, kind.name().as_bytes(), part.as_bytes()]).0
}

fn first_64(hash: Sha256) -> u64 {
    let hash: [u8; 32] = hash.finalize().into();
    hash.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::alert::Kind;

    #[test]
    fn two_holders_give_one_incident_one_id_within_a_minute() {
        // F7
        let subject = Subject::whole(NodeId([7; 32]), Kind::NodeDown);
        let id = IncidentId::of(&subject, 120_000);
        assert_eq!(id, IncidentId::of(&subject, 179_999));
        assert_ne!(id, IncidentId::of(&subject, 180_000));
        assert_ne!(id, IncidentId::of(&Subject::whole(NodeId([8; 32]), Kind::NodeDown), 120_000));
        assert_eq!(alloc::format!("{id}").parse(), Ok(id));
        assert!("0123456789abcdeF".parse::<IncidentId>().is_err() && "12".parse::<IncidentId>().is_err());
    }

    #[test]
    fn a_subjects_record_has_one_name_and_two_subjects_have_two() {
        let of = |kind, part: &str| AlertRecord::which(&Subject::part(NodeId([7; 32]), kind, part));
        assert_eq!(of(Kind::DiskFull, "/var").len(), 32);
        assert_ne!(of(Kind::DiskFull, "/var"), of(Kind::DiskFull, "/"));
        assert_ne!(of(Kind::DiskFull, "/var"), of(Kind::Inodes, "/var"));
    }
}
