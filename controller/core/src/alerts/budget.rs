//! How many messages, and how many sounds, an owner bears (N4).

use alloc::collections::VecDeque;

use crate::clock::Now;

/// The messages and sounds of the last hour.
#[derive(Debug, Default)]
pub struct Budget {
    /// Unix milliseconds of each new message that told of something raised.
    raises: VecDeque<u64>,
    /// Of each sound.
    sounds: VecDeque<u64>,
}

impl Budget {
    /// A message was sent at this unix time, in milliseconds: by this holder, or by one before it.
    pub fn told(&mut self, at_unix_ms: u64, with_sound: bool) {
        keep(&mut self.raises, at_unix_ms);
        if with_sound {
            self.sounded(at_unix_ms);
        }
    }

    /// A note was sent with sound.
    pub fn sounded(&mut self, at_unix_ms: u64) {
        keep(&mut self.sounds, at_unix_ms);
    }

    /// Whether another message may tell of something raised. Beyond it, what is raised goes into a message that is there.
    pub fn may_tell(&mut self, now: Now) -> bool {
        within(&mut self.raises, now) < RAISES
    }

    /// Whether something critical may have a sound.
    pub fn may_sound(&mut self, now: Now) -> bool {
        within(&mut self.sounds, now) < SOUNDS
    }

    /// Whether a warning or a recovery may have a sound: the last one of the hour is kept for what is critical.
    pub fn may_sound_for_less(&mut self, now: Now) -> bool {
        within(&mut self.sounds, now) < SOUNDS.saturating_sub(1)
    }

    /// Forgets everything: another holder counts now.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn keep(times: &mut VecDeque<u64>, at_unix_ms: u64) {
    times.push_back(at_unix_ms);
    if times.len() > MOST_KEPT {
        times.pop_front();
    }
}

fn within(times: &mut VecDeque<u64>, now: Now) -> usize {
    // A wall clock that was set back must not leave the owner without a sound for longer.
    times.retain(|at| now.unix_ms.abs_diff(*at) < HOUR_MS);
    times.len()
}

/// Budgets are for an hour.
const HOUR_MS: u64 = 3_600_000;

/// N4: 20 nodes that flap for an hour make 12 messages at most; each with sound may have a note on its end, which leaves nine, and some for a second
/// holder that counted less.
const RAISES: usize = 6;

/// N4: three of them have a sound.
const SOUNDS: usize = 3;

/// No more are counted than limit anything.
const MOST_KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unix_ms: u64) -> Now {
        Now { boot_ms: 0, unix_ms }
    }

    #[test]
    fn an_hour_has_three_sounds_and_the_last_of_them_is_for_what_is_critical() {
        // N4
        let mut budget = Budget::default();
        budget.told(0, true);
        assert!(budget.may_sound_for_less(at(1)));
        budget.sounded(1);
        assert!(budget.may_sound(at(2)) && !budget.may_sound_for_less(at(2)));
        budget.told(2, true);
        assert!(!budget.may_sound(at(3)));
        assert!(budget.may_sound(at(HOUR_MS + 1)), "the first is an hour ago");
    }

    #[test]
    fn what_is_beyond_the_budget_waits_for_no_longer_than_an_hour() {
        // N4
        let mut budget = Budget::default();
        for minute in 0..10 {
            if budget.may_tell(at(minute * 60_000)) {
                budget.told(minute * 60_000, false);
            }
        }
        assert!(!budget.may_tell(at(3_599_999)) && budget.may_tell(at(HOUR_MS)));
        budget.told(HOUR_MS, false);
        assert!(budget.may_tell(at(0)) || budget.may_tell(at(2 * HOUR_MS)), "a clock that was set");
    }
}
