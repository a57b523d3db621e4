//! N2: a rule, and one subject's state under it. A level is held against `raise` and `clear`; what lies between them changes nothing.

use constella_shared::wire::alert::{Change, Kind, Unit, Value};

use crate::clock::Now;

/// When an alert is raised and when it is cleared. Levels are in the unit of the kind's [`super::preset::Preset`]. Where `clear` is above `raise`, lower
/// levels are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The level that raises: at least this, or at most where lower is worse.
    pub raise: i64,
    /// A level on the good side of this one clears.
    pub clear: i64,
    /// How long the level must have been beyond `raise`, milliseconds.
    pub for_ms: u64,
    /// How long the level must have been on the good side of `clear`, milliseconds.
    pub clear_for_ms: u64,
}

/// One look at a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// The level, and the number that is told.
    Level(i64, Value),
    /// The figure is absent, with a reason: nothing is known.
    Absent,
    /// The subject itself is no longer there, e.g. an unmounted disk.
    Gone,
}

/// How a level lies to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Beyond,
    Between,
    Good,
}

impl Rule {
    /// The value with what it is held against, where it has no mark of its own.
    fn marked(&self, value: Value) -> Value {
        let raise = (value.unit != Unit::Nothing).then_some(self.raise);
        Value { mark: value.mark.or(raise), ..value }
    }

    const fn side(&self, level: i64) -> Side {
        let (beyond, good) = if self.clear > self.raise {
            (level <= self.raise, level > self.clear)
        } else {
            (level >= self.raise, level < self.clear)
        };
        match (beyond, good) {
            (true, _) => Side::Beyond,
            (false, true) => Side::Good,
            (false, false) => Side::Between,
        }
    }
}

/// One subject's state: raised or not, and for how long the opposite has been seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latch {
    raised: Option<Raised>,
    /// For how long the level has been on the side that would change the state, milliseconds.
    held_ms: u64,
    /// When it was last seen on that side, CLOCK_BOOTTIME; None where the last look showed another side.
    seen_at: Option<u64>,
}

/// An alert that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// When it was raised, unix milliseconds.
    pub since_unix_ms: u64,
    /// The value of the worst severity so far.
    pub value: Value,
}

impl Latch {
    /// Of a subject of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { raised: None, held_ms: 0, seen_at: None }
    }

    /// Of a subject whose alert stood when the process before this one ended. It stands until it is cleared like any other.
    #[must_use]
    pub const fn resumed(raised: Raised) -> Self {
        Self { raised: Some(raised), ..Self::new() }
    }

    /// The alert, where it stands.
    #[must_use]
    pub const fn raised(&self) -> Option<&Raised> {
        self.raised.as_ref()
    }

    /// Whether there is nothing to remember.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.raised.is_none() && self.held_ms == 0 && self.seen_at.is_none()
    }

    /// Takes a look in. The answer is the change that it makes, where it makes one.
    pub fn look(&mut self, now: Now, kind: &Kind, rule: &Rule, sight: Sight) -> Option<Change> {
        let (side, value) = match sight {
            Sight::Level(level, value) => (rule.side(level), rule.marked(value)),
            Sight::Gone => (Side::Good, Value::none()),
            Sight::Absent => return None,
        };
        let worse = |raised: &Raised| side == Side::Beyond && kind.severity(&value) > kind.severity(&raised.value);
        if let Some(raised) = self.raised.as_mut().filter(|raised| worse(raised)) {
            raised.value = value;
            self.forget();
            return Some(Change::Worse(value));
        }
        let (turning, wanted_ms) = match self.raised {
            None => (Side::Beyond, rule.for_ms),
            Some(_) => (Side::Good, rule.clear_for_ms),
        };
        if side != turning {
            self.forget();
            return None;
        }
        self.hold(now);
        if self.held_ms < wanted_ms {
            return None;
        }
        self.held_ms = 0;
        self.seen_at = None;
        Some(if self.raised.take().is_some() {
            Change::Cleared
        } else {
            self.raised = Some(Raised { since_unix_ms: now.unix_ms, value });
            Change::Raised(value)
        })
    }

    /// Time counts only between two looks that both saw it. A short gap is bridged and counts as one look; after a long one the time begins anew.
    fn hold(&mut self, now: Now) {
        match self.seen_at.map(|at| now.since(at)) {
            Some(gap) if gap <= GAP_MS => self.held_ms = self.held_ms.saturating_add(gap.min(LOOK_MS)),
            Some(_) | None => self.held_ms = 0,
        }
        self.seen_at = Some(now.boot_ms);
    }

    const fn forget(&mut self) {
        self.held_ms = 0;
        self.seen_at = None;
    }
}

impl Default for Latch {
    fn default() -> Self {
        Self::new()
    }
}

/// The longest time that one look stands for: figures are asked for every 15 s, and an answer may come some seconds later than the one before.
const LOOK_MS: u64 = 20_000;

/// A figure that is absent for longer says nothing about the time before: three looks are missed, or the machine was suspended.
const GAP_MS: u64 = 60_000;

#[cfg(test)]
mod tests;
