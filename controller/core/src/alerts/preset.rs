//! N2: the rules that hold from the first minute, and within which bounds an owner may change them.

use constella_shared::wire::alert::{Kind, Unit};

use super::rule::Rule;

/// What a node judges of itself by one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// The rule where the owner chose none.
    pub rule: Rule,
    /// The unit of its levels.
    pub unit: Unit,
    /// The lowest and the highest threshold that an owner may choose; None where there is no number to choose.
    pub range: Option<(i64, i64)>,
    /// Thresholds that are offered, from the most to the least sensitive.
    pub offers: &'static [i64],
    /// What the level is.
    pub level: &'static str,
}

/// The kinds that a node judges of itself, in the order in which they are shown.
pub const JUDGED: [Kind; 12] = [
    Kind::DiskFull,
    Kind::DiskFillsUp,
    Kind::Inodes,
    Kind::Memory,
    Kind::Swap,
    Kind::Cpu,
    Kind::Temperature,
    Kind::ClockSkew,
    Kind::AgentUnreachable,
    Kind::UnexpectedReboot,
    Kind::TelegramUnreachable,
    Kind::TwoBoots,
];

/// The preset of a kind; None where no node judges it of itself.
#[must_use]
pub const fn preset(kind: &Kind) -> Option<Preset> {
    Some(match kind {
        Kind::DiskFull => percent(900, 850, (MINUTE, 5 * MINUTE), &[800, 850, 900, 950], DISK),
        Kind::Inodes => percent(900, 850, (MINUTE, 5 * MINUTE), &[800, 850, 900, 950], INODES),
        Kind::Memory => percent(950, 900, (10 * MINUTE, 5 * MINUTE), &[850, 900, 950, 980], MEMORY),
        Kind::Cpu => percent(950, 850, (15 * MINUTE, 5 * MINUTE), &[800, 900, 950, 990], CPU),
        Kind::DiskFillsUp => Preset {
            rule: rule(24 * HOUR_S, 48 * HOUR_S, (30 * MINUTE, 60 * MINUTE)),
            unit: Unit::Seconds,
            range: Some((HOUR_S, 7 * 24 * HOUR_S)),
            offers: &[72 * HOUR_S, 48 * HOUR_S, 24 * HOUR_S, 6 * HOUR_S],
            level: "time until the file system is full, at the rate of the last six hours",
        },
        Kind::Swap => Preset {
            rule: rule(1024 * KIB, 256 * KIB, (5 * MINUTE, 5 * MINUTE)),
            unit: Unit::BytesPerSecond,
            range: Some((64 * KIB, 1024 * 1024 * KIB)),
            offers: &[256 * KIB, 1024 * KIB, 4096 * KIB, 16_384 * KIB],
            level: "memory that moves both to and from swap, the smaller of the two rates",
        },
        Kind::Temperature => Preset {
            rule: rule(50, 100, (2 * MINUTE, 5 * MINUTE)),
            unit: Unit::CelsiusTenths,
            range: Some((0, 400)),
            offers: &[200, 100, 50, 0],
            level: "degrees between a sensor and its own critical mark",
        },
        Kind::ClockSkew => Preset {
            rule: rule(10, 5, (5 * MINUTE, 5 * MINUTE)),
            unit: Unit::Seconds,
            range: Some((2, 25)),
            offers: &[2, 5, 10, 20],
            level: "seconds between the node's clock and the median of the others'",
        },
        Kind::AgentUnreachable => is_so((2 * MINUTE, MINUTE / 2), "the controller gets no answer from its agent"),
        Kind::TelegramUnreachable => {
            is_so((MINUTE, MINUTE / 2), "Telegram does not answer this node; told when it does")
        }
        Kind::TwoBoots => is_so((MINUTE / 2, 10 * MINUTE), "an earlier process of a member speaks after a later one"),
        Kind::UnexpectedReboot => is_so((0, 0), "the machine booted, and no order of this network was the reason"),
        Kind::NodeDown
        | Kind::OtherProgram
        | Kind::VotersMissing
        | Kind::Joined
        | Kind::Removed
        | Kind::AddressChanged
        | Kind::NewVersion
        | Kind::Other(_) => return None,
    })
}

impl Preset {
    /// The rule with a threshold of the owner's, within the bounds. Its distance to `clear` stays.
    #[must_use]
    pub fn rule_at(&self, threshold: Option<i64>) -> Rule {
        let Some((wanted, (least, most))) = threshold.zip(self.range) else { return self.rule };
        let raise = wanted.clamp(least, most);
        let distance = self.rule.clear.saturating_sub(self.rule.raise);
        // A rate has no fixed distance: a quarter of it is quiet, whatever it is.
        let clear = if self.unit == Unit::BytesPerSecond { raise / 4 } else { raise.saturating_add(distance) };
        Rule { raise, clear, ..self.rule }
    }
}

const fn rule(raise: i64, clear: i64, (for_ms, clear_for_ms): (u64, u64)) -> Rule {
    Rule { raise, clear, for_ms, clear_for_ms }
}

const fn percent(raise: i64, clear: i64, times: (u64, u64), offers: &'static [i64], level: &'static str) -> Preset {
    Preset { rule: rule(raise, clear, times), unit: Unit::PercentTenths, range: Some((500, 995)), offers, level }
}

/// Of what is so or is not: the level is 1 or 0.
const fn is_so(times: (u64, u64), level: &'static str) -> Preset {
    Preset { rule: rule(1, 1, times), unit: Unit::Nothing, range: None, offers: &[], level }
}

const DISK: &str = "used space of a file system, as `df` counts it";
const INODES: &str = "used inodes of a file system";
const MEMORY: &str = "memory that is not available";
const CPU: &str = "time that the CPUs were not idle";

const MINUTE: u64 = 60_000;
const HOUR_S: i64 = 3_600;
const KIB: i64 = 1024;
