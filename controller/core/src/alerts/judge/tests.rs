//! What is held of the judge: what stands, parts, restarts, rules that are switched off, events.

use alloc::vec;

use super::*;
use crate::alerts::preset::preset;

const ME: NodeId = NodeId([5; 32]);

fn at(ms: u64) -> Now {
    Now { boot_ms: ms, unix_ms: 1_000_000_000 + ms }
}

fn on(kind: &Kind) -> Option<Rule> {
    preset(kind).map(|preset| preset.rule)
}

fn full(parts: &[(&str, i64)], is_partial: bool) -> Vec<Reading> {
    let sight = |amount| Sight::Level(amount, Value::of(amount, Unit::PercentTenths));
    let seen = parts.iter().map(|(part, amount)| (Subject::part(ME, Kind::DiskFull, part), sight(*amount)));
    vec![Reading { kind: Kind::DiskFull, seen: seen.collect(), is_partial }]
}

/// The same readings every 15 s, from look to look; what changed, as `part change`.
fn run(judge: &mut Judge, looks: core::ops::Range<u64>, readings: &[Reading]) -> Vec<String> {
    let mut told = Vec::new();
    for look in looks {
        told.extend(judge.judge(at(look * 15_000), readings.to_vec(), on).into_iter().map(|it| {
            let change = match it.change {
                Change::Raised(value) => alloc::format!("raised {}", value.amount),
                Change::Worse(value) => alloc::format!("worse {}", value.amount),
                Change::Cleared => "cleared".into(),
            };
            alloc::format!("{} {change}", it.subject.part.map(|part| String::from(part.as_str())).unwrap_or_default())
        }));
    }
    told
}

#[test]
fn parts_are_judged_each_for_itself() {
    // N1, N2
    let mut judge = Judge::resumed(ME, Vec::new());
    let told = run(&mut judge, 0..10, &full(&[("/", 910), ("/srv", 100), ("/var", 980)], false));
    assert_eq!(told, ["/ raised 910", "/var raised 980"]);
    let standing = judge.standing();
    assert_eq!(standing.len(), 2);
    assert_eq!(standing[0].since_unix_ms, at(60_000).unix_ms);
    // /var is unmounted; of / nothing is known.
    let told = run(&mut judge, 10..99, &full(&[("/", 910)], false));
    assert_eq!(told, ["/var cleared"]);
    assert_eq!(run(&mut judge, 99..200, &full(&[], true)), Vec::<String>::new());
    assert_eq!(judge.standing().len(), 1);
}

#[test]
fn a_restart_neither_raises_nor_clears() {
    // N2, N3: what stood before stands after it, with its own time, also while no figure is there.
    let mut before = Judge::resumed(ME, Vec::new());
    run(&mut before, 0..10, &full(&[("/", 910)], false));
    let stood = before.standing();
    let mut after = Judge::resumed(ME, stood.clone());
    assert_eq!(run(&mut after, 10..20, &[Reading::absent(Kind::DiskFull)]), Vec::<String>::new());
    assert_eq!(run(&mut after, 20..99, &full(&[("/", 910)], false)), Vec::<String>::new());
    assert_eq!(after.standing(), stood);
    assert_eq!(run(&mut after, 99..200, &full(&[("/", 100)], false)), ["/ cleared"]);
    assert_eq!(after.standing(), []);
    // The time that counts towards `for` begins anew: 45 s before the restart and 45 s after it are no minute.
    let mut before = Judge::resumed(ME, Vec::new());
    run(&mut before, 0..4, &full(&[("/", 910)], false));
    let mut after = Judge::resumed(ME, before.standing());
    assert_eq!(run(&mut after, 4..8, &full(&[("/", 910)], false)), Vec::<String>::new());
}

#[test]
fn an_alert_of_a_kind_that_is_judged_no_longer_does_not_stand_for_ever() {
    // S7: a newer version wrote it before the owner went back.
    let kind = Kind::of("fan_stopped").unwrap();
    let standing = Standing { subject: Subject::whole(ME, kind), since_unix_ms: 1, value: Value::none() };
    assert_eq!(Judge::resumed(ME, vec![standing]).standing(), []);
}

#[test]
fn a_rule_that_is_switched_off_ends_what_stands() {
    // N2, N3
    let mut judge = Judge::resumed(ME, Vec::new());
    run(&mut judge, 0..10, &full(&[("/", 910)], false));
    let told = judge.judge(at(150_000), full(&[("/", 910)], false), |_| None);
    assert_eq!(told.iter().map(|it| it.change).collect::<Vec<_>>(), [Change::Cleared]);
    assert_eq!(judge.judge(at(165_000), full(&[("/", 910)], false), |_| None), []);
    assert_eq!(judge.standing(), []);
}

#[test]
fn what_is_told_afterwards_is_one_event_with_its_time_and_duration() {
    // N2: Telegram was out of reach from the second minute to the twelfth.
    let mut judge = Judge::resumed(ME, Vec::new());
    let mut told = Vec::new();
    for look in 0..80_u64 {
        let out = (4..48).contains(&look);
        let reading = Reading::is_so(ME, Kind::TelegramUnreachable, Some(out));
        told.extend(judge.judge(at(look * 15_000), vec![reading], on));
        assert!(told.is_empty() || look > 48, "told before it was over");
    }
    let [Transition { subject, at_unix_ms, change: Change::Raised(value) }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((&subject.kind, *at_unix_ms), (&Kind::TelegramUnreachable, at(60_000).unix_ms));
    assert_eq!(*value, Value::of(660, Unit::Seconds));
    assert_eq!(judge.standing().len(), 1, "a holder that takes over hears of it");
    judge.judge(at(9_000_000), Vec::new(), on);
    assert_eq!(judge.standing(), [], "and does not for ever");
}

#[test]
fn parts_and_events_are_bounded() {
    // S6
    let mut judge = Judge::resumed(ME, Vec::new());
    let names: Vec<String> = (0..500).map(|i| alloc::format!("/{i}")).collect();
    let parts: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 990)).collect();
    assert_eq!(run(&mut judge, 0..10, &full(&parts, false)).len(), ALERT_PARTS);
    for boot in 0..99 {
        judge.happened(Subject::whole(ME, Kind::UnexpectedReboot), at(boot).unix_ms, Value::none());
    }
    assert_eq!(judge.standing().len(), ALERT_PARTS + ALERT_EVENTS);
    assert_eq!(judge.standing().last().unwrap().since_unix_ms, at(98).unix_ms, "the newest stay");
}

#[test]
fn a_disk_that_fills_up_is_told_hours_before_it_is_full() {
    // N2: 100 GB, 60 in use, 2 GB more each hour. After two hours, and half an hour more, 17 are left.
    let mut judge = Judge::resumed(ME, Vec::new());
    let mut told = Vec::new();
    for look in 0..(5 * 240_u64) {
        let used = 60_000_000_000 + look * 2_000_000_000 / 240;
        let disk = Disk { mount: "/".into(), total: 100_000_000_000, used, ..Disk::default() };
        let stats = Stats { disks: vec![disk], ..Stats::default() };
        let reading = judge.filling(at(look * 15_000), &stats);
        told.extend(judge.judge(at(look * 15_000), vec![reading], on).into_iter().map(|it| (look / 240, it.change)));
    }
    let [(hour, Change::Raised(value))] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*hour, value.amount / 3_600), (2, 17));
}
