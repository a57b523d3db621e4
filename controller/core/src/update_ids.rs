//! Telegram's update ids: each is one more than the one before, but after a week without any they start anew, anywhere.

/// The later of two ids or offsets; a new count is later than the old one. What was stored for long may come after later ones.
#[must_use]
pub fn later(before: Option<i64>, id: i64) -> i64 {
    before.filter(|before| before.saturating_sub(id) < ANEW).map_or(id, |before| before.max(id))
}

/// Whether an update came before another of the same count.
#[must_use]
pub const fn is_before(id: i64, other: i64) -> bool {
    id < other && other.saturating_sub(id) < ANEW
}

/// Ids that are so much lower are a new count: Telegram keeps no more updates than that.
const ANEW: i64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_count_is_later_whatever_its_numbers() {
        assert_eq!([later(None, 7), later(Some(9), 7), later(Some(7), 9)], [7, 9, 9]);
        assert_eq!(
            [later(Some(731_000_000), 2_000_000), later(Some(2_000_000), 731_000_000)],
            [2_000_000, 731_000_000]
        );
        assert!(is_before(7, 9) && !is_before(9, 7) && !is_before(7, 7));
        assert!(!is_before(2_000_000, 731_000_000), "nobody knows");
    }
}
