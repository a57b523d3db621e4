//! N2: what the owner chose about a rule: off, or another threshold; for one node, or for all.

use alloc::format;
use alloc::string::String;

use constella_shared::ids::NodeId;
use constella_shared::wire::alert::Kind;
use constella_shared::wire::records::NetValue;

use super::preset::preset;
use super::rule::Rule;

/// A choice about one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Whether the rule is judged.
    pub on: bool,
    /// Another threshold than the preset's, in the preset's unit.
    pub threshold: Option<i64>,
}

impl Choice {
    /// Of an owner who chose nothing.
    pub const PRESET: Self = Self { on: true, threshold: None };

    /// The rule that holds; None where it is off, or where nobody judges the kind of itself.
    #[must_use]
    pub fn rule(&self, kind: &Kind) -> Option<Rule> {
        preset(kind).filter(|_| self.on).map(|preset| preset.rule_at(self.threshold))
    }
}

/// The owner's choice of quiet hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// Whether there are any.
    pub on: bool,
    /// Minutes after midnight when they begin.
    pub from_min: u16,
    /// Minutes after midnight when they end.
    pub until_min: u16,
    /// IANA name of the time zone.
    pub zone: String,
}

impl Quiet {
    /// Of an owner who chose nothing: the night, by the clock that the bot's screens show, and off.
    #[must_use]
    pub fn none() -> Self {
        Self { on: false, from_min: 23 * 60, until_min: 7 * 60, zone: String::from("UTC") }
    }
}

/// The record of a choice.
impl From<Quiet> for NetValue {
    fn from(quiet: Quiet) -> Self {
        let Quiet { on, from_min, until_min, zone } = quiet;
        Self::QuietHours { on, from_min, until_min, zone }
    }
}

/// For whom a choice is made. One for a node comes before the one for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every node that has no choice of its own.
    All,
    /// This node.
    Node(NodeId),
}

impl Scope {
    /// Which of the network's `alert_rule` records has the choice.
    #[must_use]
    pub fn which(&self, kind: &Kind) -> String {
        match self {
            Self::All => format!("all/{}", kind.name()),
            Self::Node(node) => format!("{node}/{}", kind.name()),
        }
    }
}
