//! What is held of readings: levels, absence, clocks.

use alloc::string::String;
use alloc::vec;

use constella_shared::agent::{Missing, Temperature};

use super::*;

const ME: NodeId = NodeId([5; 32]);

fn stats() -> Stats {
    let disk = |mount: &str, used| Disk {
        mount: String::from(mount),
        total: 1_000,
        used,
        available: Some(950 - used),
        inodes_total: Some(200),
        inodes_used: Some(50),
        ..Disk::default()
    };
    let sensor = |label: &str, celsius, critical| Temperature { label: String::from(label), celsius, critical };
    Stats {
        cpu_percent: Some(99.96),
        mem_total: Some(1_000),
        mem_used: Some(10),
        swap_rates: Some([2_000, 500]),
        disks: vec![disk("/", 475), disk("/srv", 950)],
        temperatures: vec![sensor("cpu", 96.0, Some(100.0)), sensor("board", 96.0, None)],
        ..Stats::default()
    }
}

/// The levels of a kind, by part; None for an absent one. And whether others may be there.
fn levels(stats: &Stats, kind: &Kind) -> (Vec<(String, Option<i64>)>, bool) {
    let reading = of_stats(ME, stats).into_iter().find(|reading| reading.kind == *kind).unwrap();
    let level = |(subject, sight): (Subject, Sight)| {
        let part = subject.part.map(|part| String::from(part.as_str())).unwrap_or_default();
        match sight {
            Sight::Level(level, _) => (part, Some(level)),
            Sight::Absent => (part, None),
            Sight::Gone => panic!("a reading has seen it"),
        }
    };
    (reading.seen.into_iter().map(level).collect(), reading.is_partial)
}

fn named(levels: &[(&str, Option<i64>)]) -> Vec<(String, Option<i64>)> {
    levels.iter().map(|(part, level)| (String::from(*part), *level)).collect()
}

#[test]
fn levels_are_tenths_bytes_and_distances() {
    // N2
    let stats = stats();
    assert_eq!(levels(&stats, &Kind::DiskFull), (named(&[("/", Some(500)), ("/srv", Some(1_000))]), false));
    assert_eq!(levels(&stats, &Kind::Inodes).0, named(&[("/", Some(250)), ("/srv", Some(250))]));
    assert_eq!(levels(&stats, &Kind::Cpu).0, named(&[("", Some(1_000))]), "99.96 is shown as 100.0");
    assert_eq!(levels(&stats, &Kind::Memory).0, named(&[("", Some(10))]));
    assert_eq!(levels(&stats, &Kind::Swap).0, named(&[("", Some(500))]), "the smaller of the two rates");
    assert_eq!(levels(&stats, &Kind::Temperature).0, named(&[("cpu", Some(40)), ("board", None)]));
    let kinds: Vec<Kind> = of_stats(ME, &stats).into_iter().map(|reading| reading.kind).collect();
    assert_eq!(kinds, OF_STATS);
}

#[test]
fn an_absent_figure_has_no_level() {
    // N2: of an agent that has nothing, and of one whose figures are old.
    let why = |figure: &str| Missing { figure: String::from(figure), why: String::from("gone") };
    let nothing = Stats { missing: vec![why("disks"), why("temperatures")], ..Stats::default() };
    let old = Stats { age_s: Some(40), ..stats() };
    for stats in [nothing, old] {
        for kind in OF_STATS {
            assert_eq!(levels(&stats, &kind), (Vec::new(), true), "{kind:?}");
        }
    }
    let unknown = Stats { cpu_percent: Some(f32::NAN), mem_total: Some(0), ..stats() };
    assert!(levels(&unknown, &Kind::Cpu).1 && levels(&unknown, &Kind::Memory).1);
}

#[test]
fn a_list_that_lacks_a_part_says_nothing_about_the_others() {
    // N2
    let mut stats = stats();
    stats.missing.push(Missing { figure: String::from("disks"), why: String::from("/mnt does not answer") });
    assert!(levels(&stats, &Kind::DiskFull).1 && !levels(&stats, &Kind::Temperature).1);
}

#[test]
fn a_clock_is_held_against_the_median_of_the_others() {
    // N2, L2
    let other = |byte, ahead_ms| (NodeId([byte; 32]), ahead_ms);
    let level = |others: &[(NodeId, i64)]| match clock(ME, others).seen.as_slice() {
        [(_, Sight::Level(level, value))] => Some((*level, value.amount)),
        _ => None,
    };
    assert_eq!(level(&[]), None, "nobody was heard");
    assert_eq!(level(&[other(1, 40_000), other(2, 41_000), other(3, 50)]), Some((40, -40)), "it is behind");
    assert_eq!(level(&[other(1, -40_000), other(2, 0), other(3, 50)]), Some((0, 0)), "another one is");
    assert_eq!(level(&[other(1, -40_000), other(2, 10)]), Some((0, 0)), "one of two others agrees");
    assert_eq!(level(&[other(1, 12_000)]), Some((12, -12)), "of two nodes the one with the larger id");
    assert_eq!(level(&[other(9, 12_000)]), Some((0, 0)), "and not both");
}
