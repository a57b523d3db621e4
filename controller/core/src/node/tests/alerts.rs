//! A server dies and the owner is told, it comes back and the owner is told: once each, whoever leads.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::wire::alert::{Kind, Standing, Subject, Unit};
use constella_shared::wire::records::NetValue;

use super::bench::Bench;
use crate::alerts::judge::Judge;
use crate::bot::desk::act::Act;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say, Value};
use crate::io::{BotCall, Input};
use crate::roster::fake::node;

/// What the owner reads: keys and names, and whether it is an edit, a message with sound, or a silent one. An edit that changes nothing is none.
fn read(bench: &Bench) -> Vec<String> {
    let mut read: Vec<String> = Vec::new();
    for word in words(bench) {
        let nothing_new = |(_, says): &(&str, &str)| read.iter().any(|before| before.ends_with(says));
        if word.split_once(" edits ").filter(nothing_new).is_none() {
            read.push(word);
        }
    }
    read
}

fn words(bench: &Bench) -> Vec<String> {
    let word = |(_, by, call): &(u64, u64, BotCall)| {
        let (how, screen) = match call {
            BotCall::Send { screen, silent: false, .. } => ("sends", screen),
            BotCall::Send { screen, silent: true, .. } => ("sends silently", screen),
            BotCall::Edit { screen, .. } => ("edits", screen),
            other => panic!("{other:?}"),
        };
        let says: Vec<String> = match screen {
            Screen::Alert { says, .. } => says.iter().map(word_of).collect(),
            Screen::Note { say, .. } => vec![word_of(say)],
            other => panic!("{other:?}"),
        };
        alloc::format!("{by} {how} {}", says.join(", "))
    };
    bench.alerts.iter().map(word).collect()
}

fn word_of(say: &Say) -> String {
    assert!(say.is_whole(), "{say:?}");
    let value = |(slot, value): &(&'static str, Value)| match value {
        Value::Text(text) if *slot == "name" || *slot == "by" => Some(text.to_string()),
        Value::Count(count) => Some(count.to_string()),
        Value::Say(say) if say.key == Key::WhatDiskFull => Some(match &say.values[..] {
            [(_, Value::Text(part)), (_, Value::Text(value))] => alloc::format!("disk {part} {value}"),
            other => panic!("{other:?}"),
        }),
        _ => None,
    };
    let values: Vec<String> = say.values.iter().filter_map(value).collect();
    alloc::format!("{:?}({})", say.key, values.join(" "))
}

fn settled(nodes: u64) -> Bench {
    let mut bench = Bench::of(nodes);
    bench.run_ms(40_000);
    assert_eq!(bench.pollers(), [1]);
    assert_eq!(read(&bench), [""; 0], "a calm network says nothing");
    bench
}

#[test]
fn a_node_that_dies_is_told_once_and_so_is_its_return() {
    // N1, N3
    let mut bench = settled(3);
    bench.kill(3);
    let killed = bench.now;
    assert!(bench.run_until(35_000, |bench| !bench.alerts.is_empty()), "within DOWN_AFTER and 5 s");
    assert!(bench.now - killed >= 28_000, "{} ms", bench.now - killed);
    bench.run_ms(120_000);
    assert_eq!(read(&bench), ["1 sends AlertDown(node3), AlertByAll(2)"]);
    let asked = bench.questions;
    bench.run_ms(60_000);
    assert_eq!(bench.questions, asked, "nobody is asked about what was told");
    bench.restart(3);
    bench.run_ms(60_000);
    let told = ["1 sends AlertDown(node3), AlertByAll(2)", "1 edits AlertUp(node3)", "1 sends NoteUp(node3)"];
    assert_eq!(read(&bench), told);
    bench.run_ms(600_000);
    assert_eq!(read(&bench), told);
}

#[test]
fn the_death_of_the_leader_is_told_by_the_next_one() {
    // N1, N3
    let mut bench = settled(3);
    bench.kill(1);
    let killed = bench.now;
    assert!(bench.run_until(35_000, |bench| !bench.alerts.is_empty()), "{:?}", bench.now - killed);
    bench.restart(1);
    assert!(bench.run_until(60_000, |bench| bench.alerts.len() == 3));
    bench.run_ms(120_000);
    assert_eq!(bench.pollers(), [1], "the better leader is back");
    assert_eq!(
        read(&bench),
        ["2 sends AlertDown(alpha), AlertByAll(2)", "2 edits AlertUp(alpha)", "2 sends NoteUp(alpha)"]
    );
}

#[test]
fn of_two_nodes_the_other_one_tells_and_says_that_it_is_the_only_witness() {
    // N1
    for (dies, by_number) in [(1, 2), (2, 1)] {
        let mut bench = settled(2);
        bench.kill(dies);
        assert!(bench.run_until(35_000, |bench| !bench.alerts.is_empty()), "{dies}");
        let name = |number| if number == 1 { "alpha".to_string() } else { alloc::format!("node{number}") };
        let (down, by) = (name(dies), name(by_number));
        bench.run_ms(5_000);
        bench.restart(dies);
        bench.run_ms(30_000);
        // Whoever leads by then, says so.
        let tells = read(&bench)[1].chars().next().unwrap();
        let told = [
            alloc::format!("{by_number} sends AlertDown({down}), AlertByOne({by})"),
            alloc::format!("{tells} edits AlertUp({down})"),
            alloc::format!("{tells} sends NoteUp({down})"),
        ];
        assert_eq!(read(&bench), told);
    }
}

#[test]
fn a_new_leader_goes_on_where_the_last_one_died() {
    // N3: nothing is repeated and nothing is forgotten
    let mut bench = settled(4);
    bench.kill(4);
    assert!(bench.run_until(35_000, |bench| !bench.alerts.is_empty()));
    bench.run_ms(5_000);
    bench.kill(1);
    bench.run_ms(60_000);
    let told = read(&bench);
    assert_eq!(told[0], "1 sends AlertDown(node4), AlertByAll(3)");
    let again = |word: &&String| word.contains("sends") && word.contains("AlertDown(node4)");
    assert_eq!(told.iter().filter(again).count(), 1, "{told:?}");
    bench.restart(4);
    bench.run_ms(60_000);
    let told = read(&bench);
    assert_eq!(told.iter().filter(|word| word.contains("NoteUp(node4)")).count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|word| word.contains("edits AlertUp(node4)")).count(), 1, "{told:?}");
}

#[test]
fn a_leader_that_dies_between_sending_and_knowing_leaves_an_alert_that_is_read_twice_at_most() {
    // N3: an alert is never lost; the second time it has no sound
    let mut bench = settled(4);
    bench.kill(4);
    bench.deaf.insert(1);
    assert!(bench.run_until(35_000, |bench| !bench.alerts.is_empty()));
    bench.run_ms(500);
    bench.kill(1);
    bench.run_ms(25_000);
    let told = read(&bench);
    assert_eq!(told, ["1 sends AlertDown(node4), AlertByAll(3)", "2 sends silently AlertDown(node4), AlertByAll(3)"]);
    bench.restart(4);
    bench.run_ms(20_000);
    let told = read(&bench);
    assert_eq!(told[2..4], ["2 edits AlertUp(node4)", "2 sends NoteUp(node4)"]);
}

#[test]
fn what_happens_while_nobody_reaches_telegram_is_told_afterwards_in_one_message() {
    // N3
    let mut bench = settled(4);
    bench.no_telegram.extend([1, 2, 3, 4]);
    bench.run_ms(20_000);
    bench.kill(4);
    bench.run_ms(60_000);
    bench.kill(3);
    bench.run_ms(60_000);
    bench.restart(4);
    bench.run_ms(60_000);
    assert_eq!(read(&bench), [""; 0]);
    bench.no_telegram.clear();
    bench.run_ms(60_000);
    let told = read(&bench);
    let is_down = |word: &&String| word.contains("sends") && word.contains("Down");
    let sent: Vec<&String> = told.iter().filter(is_down).collect();
    assert_eq!(sent.len(), 1, "{told:?}");
    assert!(
        told.iter().filter(|word| word.contains("sends")).count() <= 2,
        "and one from where Telegram was unreachable: {told:?}"
    );
    assert!(sent[0].contains("sends AlertManyDown(1 2), AlertLine(node3), AlertLineOver(node4)"), "{told:?}");
}

#[test]
fn a_graceful_stop_and_an_ordered_reboot_are_no_alerts_as_long_as_they_are_followed() {
    // N3
    let mut bench = settled(3);
    bench.goodbye = true;
    bench.input(3, Input::Stop);
    bench.run_ms(500_000);
    assert_eq!(read(&bench), [""; 0], "it was stopped");
    bench.run_ms(200_000);
    assert_eq!(read(&bench), ["1 sends AlertDown(node3), AlertByAll(2)"], "and did not come back");
}

#[test]
fn a_node_that_one_witness_hears_is_not_down() {
    // N1: its port refuses the leader and everybody else, and it calls out as ever
    let mut bench = settled(3);
    bench.refuses.insert(3);
    bench.run_ms(300_000);
    assert_eq!(read(&bench), [""; 0]);
}

#[test]
fn whoever_loses_most_of_the_others_accuses_itself() {
    // N6
    let mut bench = settled(5);
    for dead in [3, 4, 5] {
        bench.kill(dead);
    }
    bench.run_ms(60_000);
    assert_eq!(read(&bench), ["1 sends AlertAlone(alpha 2 5), AlertAloneWhy(alpha)"]);
    for back in [3, 4, 5] {
        bench.restart(back);
    }
    bench.run_ms(60_000);
    assert_eq!(read(&bench)[1..], ["1 edits AlertTogether(alpha)", "1 sends NoteTogether(alpha)"]);
}

#[test]
fn before_the_first_contact_nothing_is_told_and_nothing_is_lost() {
    // N3
    let mut bench = settled(3);
    assert!(bench.node(1).held == Some(super::Strength::Strong));
    bench.kill(3);
    bench.run_ms(60_000);
    assert_eq!(read(&bench).len(), 1);
    assert!(matches!(bench.alerts[0].2, BotCall::Send { chat: 7, .. }), "the owner's own chat");
    assert_eq!(word_of(&Say::new(Key::AlertAloneWhy).text("name", "a")), "AlertAloneWhy(a)");
}

/// From now on the node judges that this stands at it; the bench's figures have no value that would say anything else.
fn stands(bench: &mut Bench, number: u64, standing: Vec<Standing>) {
    bench.node_mut(number).watch.judge = Judge::resumed(node(number), standing);
}

fn full_disk(of: u64, percent: i64) -> Standing {
    let value = constella_shared::wire::alert::Value::of(percent * 10, Unit::PercentTenths);
    Standing { subject: Subject::part(node(of), Kind::DiskFull, "/"), since_unix_ms: 1_700_000_000_000, value }
}

#[test]
fn what_a_node_judges_of_itself_is_told_by_the_holder_and_so_is_its_end() {
    // N1, N3
    let mut bench = settled(3);
    stands(&mut bench, 3, vec![full_disk(3, 92)]);
    bench.run_ms(10_000);
    assert_eq!(read(&bench), ["1 sends AlertRaised(node3 disk / 92 %)"]);
    stands(&mut bench, 3, vec![]);
    bench.run_ms(20_000);
    assert_eq!(read(&bench)[1..], ["1 edits AlertOver(node3 disk / 92 %)", "1 sends NoteOver(node3 disk / 92 %)"]);
    bench.run_ms(60_000);
    assert_eq!(read(&bench).len(), 3);
}

#[test]
fn a_new_holder_hears_what_stands_and_ends_what_does_not() {
    // N1, N3
    let mut bench = settled(4);
    stands(&mut bench, 3, vec![full_disk(3, 92)]);
    stands(&mut bench, 4, vec![full_disk(4, 98)]);
    bench.run_ms(10_000);
    assert_eq!(read(&bench).len(), 1, "both in one message");
    bench.kill(1);
    bench.run_ms(500);
    stands(&mut bench, 3, vec![]);
    bench.run_ms(25_000);
    let told = read(&bench);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("2 edits AlertMany(1 2)"), "{told:?}");
}

#[test]
fn a_node_speaks_for_itself_alone() {
    // S6
    let mut bench = settled(3);
    stands(&mut bench, 3, vec![full_disk(2, 99), full_disk(3, 92)]);
    let down = Standing { subject: Subject::whole(node(2), Kind::NodeDown), ..full_disk(3, 1) };
    stands(&mut bench, 2, vec![down]);
    bench.run_ms(20_000);
    assert_eq!(read(&bench), ["1 sends AlertRaised(node3 disk / 92 %)"]);
}

#[test]
fn one_death_after_the_other_is_told_and_nobody_accuses_itself() {
    // N6: what was told before was not lost at once
    let mut bench = settled(5);
    for dead in [5, 4, 3] {
        bench.kill(dead);
        bench.run_ms(60_000);
    }
    let told = read(&bench);
    assert!(told.iter().all(|word| !word.contains("AlertAlone")), "{told:?}");
    assert!(told.iter().any(|word| word.contains("AlertDown(node3)")), "{told:?}");
}

#[test]
fn in_quiet_hours_only_what_is_critical_sounds() {
    // N5: 1,700,000,000 s is 22:13 UTC
    let mut bench = settled(4);
    let value = NetValue::QuietHours { on: true, from_min: 22 * 60, until_min: 7 * 60, zone: "UTC".into() };
    bench.act(1, Act::Record(value));
    stands(&mut bench, 3, vec![full_disk(3, 92)]);
    bench.run_ms(30_000);
    assert_eq!(read(&bench), ["1 sends silently AlertRaised(node3 disk / 92 %)"]);
    bench.kill(4);
    bench.run_ms(60_000);
    assert_eq!(read(&bench)[1..], ["1 sends AlertDown(node4), AlertByAll(3)"]);
    bench.restart(4);
    bench.run_ms(30_000);
    assert_eq!(read(&bench)[2..], ["1 edits AlertUp(node4)", "1 sends silently NoteUp(node4)"]);
}
