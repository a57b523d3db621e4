//! What is held of a rule and its latch: `for`, hysteresis, `clear_for`, absence, and any sequence of looks.

use alloc::vec::Vec;

use super::*;

const RULE: Rule = Rule { raise: 900, clear: 850, for_ms: 60_000, clear_for_ms: 120_000 };
const LOWER_IS_WORSE: Rule = Rule { raise: 50, clear: 100, for_ms: 0, clear_for_ms: 0 };

fn at(ms: u64) -> Now {
    Now { boot_ms: ms, unix_ms: 1_000_000 + ms }
}

fn level(level: i64) -> Sight {
    Sight::Level(level, Value::of(level, Unit::PercentTenths))
}

/// Looks every 15 s; the changes with the number of their look.
fn changes(rule: Rule, sights: impl IntoIterator<Item = Sight>) -> Vec<(u64, Change)> {
    let mut latch = Latch::new();
    let looks = (0_u64..).zip(sights);
    looks.filter_map(|(i, sight)| Some((i, latch.look(at(i * 15_000), &Kind::DiskFull, &rule, sight)?))).collect()
}

fn times(count: usize, sight: Sight) -> impl Iterator<Item = Sight> + Clone {
    core::iter::repeat_n(sight, count)
}

#[test]
fn it_is_raised_after_for_and_cleared_after_clear_for() {
    // N2
    let told = changes(RULE, times(10, level(910)).chain(times(20, level(849))));
    let raised = Change::Raised(Value { mark: Some(900), ..Value::of(910, Unit::PercentTenths) });
    assert_eq!(told, [(4, raised), (18, Change::Cleared)]);
    assert_eq!(changes(RULE, times(4, level(910)).chain(times(9, level(849)))), [], "45 s are no minute");
}

#[test]
fn what_lies_between_raise_and_clear_changes_nothing() {
    // N2
    assert_eq!(changes(RULE, times(99, level(899))), []);
    let told = changes(RULE, times(5, level(900)).chain(times(99, level(850))));
    assert_eq!(told.len(), 1, "{told:?}");
    let dips = times(3, level(900)).chain([level(899)]).cycle().take(400);
    assert_eq!(changes(RULE, dips), [], "it was never beyond for a whole minute");
}

#[test]
fn where_lower_is_worse_the_rule_is_the_mirror() {
    // N2
    let sights = [51, 50, 100, 101, 50].map(level);
    let told: Vec<u64> = changes(LOWER_IS_WORSE, sights).into_iter().map(|(i, _)| i).collect();
    assert_eq!(told, [1, 3, 4]);
}

#[test]
fn a_figure_that_is_absent_neither_raises_nor_clears() {
    // N2
    assert_eq!(changes(RULE, times(99, Sight::Absent)), []);
    let goes = times(5, level(950)).chain(times(400, Sight::Absent));
    assert_eq!(changes(RULE, goes).len(), 1, "it stays raised");
    // A short absence is bridged: 60 s that were seen, within 75 s.
    let bridged = times(3, level(950)).chain(times(2, Sight::Absent)).chain(times(2, level(950)));
    assert_eq!(changes(RULE, bridged).into_iter().map(|(i, _)| i).collect::<Vec<_>>(), [6]);
    // After a long one the time begins anew.
    let anew = times(4, level(950)).chain(times(5, Sight::Absent)).chain(times(4, level(950)));
    assert_eq!(changes(RULE, anew), []);
    let clears = times(5, level(950)).chain(times(6, level(100))).chain(times(9, Sight::Absent));
    assert_eq!(changes(RULE, clears.chain(times(3, level(100)))).len(), 1, "the half of clear_for does not count");
}

#[test]
fn a_machine_that_was_suspended_proves_nothing_about_the_time_of_it() {
    // N2
    let mut latch = Latch::new();
    let mut look = |ms| latch.look(at(ms), &Kind::DiskFull, &RULE, level(950));
    assert_eq!((look(0), look(7_200_000), look(7_215_000)), (None, None, None));
}

#[test]
fn it_gets_worse_once_for_each_severity() {
    // N2
    let sights = times(6, level(910)).chain([970, 971, 940, 980, 999].map(level));
    let told: Vec<Change> = changes(RULE, sights).into_iter().map(|(_, change)| change).collect();
    let value = |amount| Value { mark: Some(900), ..Value::of(amount, Unit::PercentTenths) };
    assert_eq!(told, [Change::Raised(value(910)), Change::Worse(value(970))]);
}

#[test]
fn what_is_gone_is_cleared_like_what_is_well() {
    // N2
    let told = changes(RULE, times(5, level(910)).chain(times(9, Sight::Gone)));
    assert_eq!(told.last(), Some(&(13, Change::Cleared)));
    assert_eq!(changes(RULE, times(9, Sight::Gone)), []);
}

#[test]
fn an_alert_that_stood_before_a_restart_is_not_raised_again_and_ends_with_its_own_clear() {
    // N2, N3
    let raised = Raised { since_unix_ms: 7, value: Value::of(950, Unit::PercentTenths) };
    let mut latch = Latch::resumed(raised);
    for i in 0..9 {
        assert_eq!(latch.look(at(i * 15_000), &Kind::DiskFull, &RULE, level(960)), None);
    }
    assert_eq!(latch.raised(), Some(&raised));
    let cleared = (9..30).find_map(|i| latch.look(at(i * 15_000), &Kind::DiskFull, &RULE, level(0)));
    assert_eq!(cleared, Some(Change::Cleared));
    assert!(latch.is_idle());
}

/// Numbers that jump about, the same for the same seed (splitmix64).
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    (1..).map(move |i: u64| {
        let mixed = (seed << 32 | i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    })
}

#[test]
fn raises_and_clears_alternate_in_any_sequence_and_no_two_raises_are_nearer_than_clear_for() {
    // N2, N4: 400 sequences of 2,000 looks, with runs of one kind, absence, and gaps of the clock.
    for seed in 0..400 {
        let (mut latch, mut now, mut numbers) = (Latch::new(), 0, numbers(seed));
        let (mut stands, mut last_raise, mut raises) = (false, None, 0);
        let mut run = (level(0), 0);
        for _ in 0..2_000 {
            if run.1 == 0 {
                let sight = match numbers.next().unwrap() % 6 {
                    0 => Sight::Absent,
                    1 => Sight::Gone,
                    2 => level(870),
                    3 => level(700),
                    4 => level(990),
                    _ => level(910),
                };
                run = (sight, numbers.next().unwrap() % 14);
            } else {
                run.1 -= 1;
            }
            now += if numbers.next().unwrap() % 100 == 0 { 600_000 } else { 15_000 };
            let change = latch.look(at(now), &Kind::DiskFull, &RULE, run.0);
            match change {
                Some(Change::Raised(_)) => {
                    assert!(!stands, "raised twice, seed {seed}");
                    assert!(last_raise.is_none_or(|last| now - last >= RULE.clear_for_ms), "seed {seed}");
                    (stands, last_raise, raises) = (true, Some(now), raises + 1);
                }
                Some(Change::Cleared) => {
                    assert!(stands, "cleared without a raise, seed {seed}");
                    stands = false;
                }
                Some(Change::Worse(_)) => assert!(stands, "worse without a raise, seed {seed}"),
                None => {}
            }
            assert!(run.0 != Sight::Absent || change.is_none(), "an absent figure changed something, seed {seed}");
            assert_eq!(latch.raised().is_some(), stands, "seed {seed}");
        }
        assert!(raises > 0, "seed {seed} shows nothing");
    }
}

#[test]
fn a_figure_that_flaps_around_its_threshold_is_raised_once_in_clear_for_at_most() {
    // N2, N4
    let rule = Rule { for_ms: 0, ..RULE };
    for period in 1..12 {
        let flapping = times(period, level(950)).chain(times(period, level(800))).collect::<Vec<_>>();
        let told = changes(rule, flapping.into_iter().cycle().take(4_000));
        let raises: Vec<u64> = told.iter().filter(|(_, change)| *change != Change::Cleared).map(|(i, _)| *i).collect();
        assert!(raises.windows(2).all(|two| (two[1] - two[0]) * 15_000 >= rule.clear_for_ms), "period {period}");
        // Well for less than clear_for is not well.
        assert!(period > 8 || raises.len() == 1, "period {period}: {raises:?}");
    }
}
