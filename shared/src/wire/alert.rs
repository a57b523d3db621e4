//! Alerts as they travel and as they are stored: what is judged, and how the judgement changed. N1: only transitions, and the set that stands, travel.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::ids::NodeId;
use crate::limits::{ALERT_KIND_BYTES, ALERT_PART_BYTES};

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// N1: a majority of the live voters has no answer from the node.
    NodeDown,
    /// A file system is nearly full. The part is its mount point.
    DiskFull,
    /// A file system is full within a day if it goes on as today. The part is its mount point.
    DiskFillsUp,
    /// Little memory is available.
    Memory,
    /// The CPU has been busy for long.
    Cpu,
    /// Memory moves to and from swap all the time.
    Swap,
    /// A sensor is near its critical mark. The part is its label.
    Temperature,
    /// A file system has few inodes left. The part is its mount point.
    Inodes,
    /// The node's clock differs from the others'.
    ClockSkew,
    /// The node's controller gets no answer from its agent.
    AgentUnreachable,
    /// An event: the machine booted, and no order of this network was the reason.
    UnexpectedReboot,
    /// Another program polls with the bot's token.
    OtherProgram,
    /// An event, told when it is over: the node could not reach Telegram.
    TelegramUnreachable,
    /// Voters do not answer.
    VotersMissing,
    /// Two processes run under one identity.
    TwoBoots,
    /// An event: a member joined.
    Joined,
    /// An event: a member was removed.
    Removed,
    /// An event: a member is reached elsewhere than before. The part is its address.
    AddressChanged,
    /// An event: a new version is waiting. The part is the version.
    NewVersion,
    /// S7: of a newer version. It is kept and told by its name.
    Other(KindName),
}

/// A kind's name on the wire: 1 to [`ALERT_KIND_BYTES`] of `a` to `z`, `0` to `9` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindName(String);

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never with sound.
    Note,
    /// Somebody should look at it today.
    Warning,
    /// Somebody should look at it now. It passes quiet hours (N5).
    Critical,
}

/// Each known kind, with its name on the wire.
const KINDS: [(Kind, &str); 19] = [
    (Kind::NodeDown, "node_down"),
    (Kind::DiskFull, "disk_full"),
    (Kind::DiskFillsUp, "disk_fills_up"),
    (Kind::Memory, "memory"),
    (Kind::Cpu, "cpu"),
    (Kind::Swap, "swap"),
    (Kind::Temperature, "temperature"),
    (Kind::Inodes, "inodes"),
    (Kind::ClockSkew, "clock_skew"),
    (Kind::AgentUnreachable, "agent_unreachable"),
    (Kind::UnexpectedReboot, "unexpected_reboot"),
    (Kind::OtherProgram, "other_program"),
    (Kind::TelegramUnreachable, "telegram_unreachable"),
    (Kind::VotersMissing, "voters_missing"),
    (Kind::TwoBoots, "two_boots"),
    (Kind::Joined, "joined"),
    (Kind::Removed, "removed"),
    (Kind::AddressChanged, "address_changed"),
    (Kind::NewVersion, "new_version"),
];

impl Kind {
    /// Every kind that this version knows.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(kind, _)| kind.clone())
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Other(KindName(name)) => name,
            known => KINDS.iter().find(|(kind, _)| kind == known).map_or("", |(_, name)| *name),
        }
    }

    /// The kind of this name; None where no version may have given a kind such a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if let Some((kind, _)) = KINDS.iter().find(|(_, known)| *known == name) {
            return Some(kind.clone());
        }
        let fits = (1..=ALERT_KIND_BYTES).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        fits.then(|| Self::Other(KindName(name.to_string())))
    }

    /// Whether it is raised and later cleared. The others are events: they are raised, and that is all.
    #[must_use]
    pub const fn has_state(&self) -> bool {
        match self {
            Self::NodeDown
            | Self::DiskFull
            | Self::DiskFillsUp
            | Self::Memory
            | Self::Cpu
            | Self::Swap
            | Self::Temperature
            | Self::Inodes
            | Self::ClockSkew
            | Self::AgentUnreachable
            | Self::OtherProgram
            | Self::VotersMissing
            | Self::TwoBoots
            | Self::Other(_) => true,
            Self::UnexpectedReboot
            | Self::TelegramUnreachable
            | Self::Joined
            | Self::Removed
            | Self::AddressChanged
            | Self::NewVersion => false,
        }
    }

    /// How much it matters with this value.
    #[must_use]
    pub fn severity(&self, value: &Value) -> Severity {
        let above = |mark: i64| if value.amount >= mark { Severity::Critical } else { Severity::Warning };
        match self {
            Self::NodeDown | Self::OtherProgram | Self::TwoBoots => Severity::Critical,
            Self::DiskFull | Self::Inodes => above(NEARLY_ALL),
            Self::Temperature => value.mark.map_or(Severity::Warning, above),
            Self::VotersMissing => value.mark.map_or(Severity::Critical, above),
            Self::DiskFillsUp
            | Self::Memory
            | Self::Cpu
            | Self::Swap
            | Self::ClockSkew
            | Self::AgentUnreachable
            | Self::UnexpectedReboot
            | Self::Other(_) => Severity::Warning,
            Self::TelegramUnreachable | Self::Joined | Self::Removed | Self::AddressChanged | Self::NewVersion => {
                Severity::Note
            }
        }
    }
}

/// 97 %: services begin to fail for want of space, for log files and databases grow in steps.
const NEARLY_ALL: i64 = 970;

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = <alloc::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::of(&name).ok_or_else(|| de::Error::custom("a kind of alerts is a short word"))
    }
}

/// One of several of its kind at a node: a mount point, a sensor, an address. At most [`ALERT_PART_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Part(String);

impl Part {
    /// The part of this name. A name that is too long is cut and ends in eight digits of its hash, so that two of them stay two.
    #[must_use]
    pub fn new(name: &str) -> Self {
        if name.len() <= ALERT_PART_BYTES {
            return Self(name.to_string());
        }
        let mut hash = hex::encode(Sha256::digest(name.as_bytes()));
        hash.truncate(8);
        let ending = format!("~{hash}");
        let cut = (0..=ALERT_PART_BYTES.saturating_sub(ending.len())).rev().find_map(|at| name.get(..at));
        Self(format!("{}{ending}", cut.unwrap_or_default()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = <alloc::borrow::Cow<'de, str>>::deserialize(from)?;
        Ok(Self::new(&name))
    }
}

/// Whose alert of which kind. At most one alert of a subject stands at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The node that it is about.
    pub node: NodeId,
    /// The kind.
    pub kind: Kind,
    /// Which of several; absent where a node has one of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

impl Subject {
    /// Of a kind of which the node has one.
    #[must_use]
    pub const fn whole(node: NodeId, kind: Kind) -> Self {
        Self { node, kind, part: None }
    }

    /// Of a part of the node.
    #[must_use]
    pub fn part(node: NodeId, kind: Kind, part: &str) -> Self {
        Self { node, kind, part: Some(Part::new(part)) }
    }
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Value {
    /// How much, in the unit.
    #[serde(default)]
    pub amount: i64,
    /// The unit of `amount` and `mark`.
    #[serde(default)]
    pub unit: Unit,
    /// The threshold or the critical mark that `amount` is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<i64>,
}

impl Value {
    /// An amount that is held against nothing.
    #[must_use]
    pub const fn of(amount: i64, unit: Unit) -> Self {
        Self { amount, unit, mark: None }
    }

    /// Of an alert without a number.
    #[must_use]
    pub const fn none() -> Self {
        Self::of(0, Unit::Nothing)
    }
}

/// What a [`Value`] counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The alert has no number.
    #[default]
    Nothing,
    /// Tenths of a percent.
    PercentTenths,
    /// Tenths of a degree Celsius.
    CelsiusTenths,
    /// Seconds.
    Seconds,
    /// Bytes a second.
    BytesPerSecond,
    /// Things.
    Count,
    /// S7: of a newer version; the number is not shown.
    #[serde(other)]
    Other,
}

/// A judgement that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Of what.
    pub subject: Subject,
    /// When it changed, by the judge's wall clock, unix milliseconds.
    pub at_unix_ms: u64,
    /// How.
    pub change: Change,
}

/// How a judgement changed. For one subject that has a state, `Raised` and `Cleared` alternate, with any number of `Worse` between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It holds now. An event happened.
    Raised(Value),
    /// It still holds and is worse: its severity rose ([`Kind::severity`]).
    Worse(Value),
    /// It no longer holds.
    Cleared,
}

/// An alert that stands at its node: what a node tells a holder as often as it is asked. An event stands for a while, so that a holder which takes
/// over hears of it; the subject and the time tell two of them apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// Of what.
    pub subject: Subject,
    /// Since when, by the judge's wall clock, unix milliseconds.
    pub since_unix_ms: u64,
    /// How much it is; of the last time that it was raised or got worse.
    pub value: Value,
}

#[cfg(test)]
mod tests;
