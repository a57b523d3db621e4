//! What an owner reads of alerts, and what presses do.

use constella_shared::wire::alert::{Kind as AlertKind, Subject, Unit, Value as Amount};
use constella_shared::wire::incident::{AlertStage, MessageAt};

use super::*;
use crate::bot::bench::*;
use crate::io::BotCall;

fn alert(name: &str, kind: AlertKind, incident: u64, cleared: bool) -> AlertRecord {
    let raised_unix_ms = 1_800_000_000_000 - 60_000;
    AlertRecord {
        subject: Subject::whole(node(name), kind),
        incident: IncidentId(incident),
        stage: if cleared { AlertStage::Closed } else { AlertStage::Open },
        raised_unix_ms,
        value: Amount::of(971, Unit::PercentTenths),
        by: node("alpha"),
        witnesses: None,
        cleared_unix_ms: cleared.then_some(1_800_000_000_000),
        raises: Vec::new(),
        message: Some(MessageAt { chat: 7, message: 77 }),
        sounded: true,
        noted: cleared,
        ack: None,
        mute: None,
    }
}

fn with(alerts: Vec<AlertRecord>) -> Bench {
    let mut bench = Bench::new();
    for alert in alerts {
        bench.world.alerts.push(Incident { id: alert.incident, alerts: vec![alert] });
    }
    bench
}

#[test]
fn the_list_tells_what_is_open_worst_first_and_the_last_ones() {
    // N5
    let open = [alert("beta", AlertKind::Memory, 1, false), alert("gamma", AlertKind::NodeDown, 2, false)];
    let mut bench = with(open.into_iter().chain([alert("beta", AlertKind::Cpu, 3, true)]).collect());
    bench.text("/alerts");
    let screen = last_screen(&bench.telegram());
    let lines = [Key::AlertsOpen, Key::AlertLine, Key::AlertLine, Key::AlertsRecent, Key::AlertLineOver];
    assert_eq!(keys(&screen), lines);
    let Body::Says(says) = &screen.body else { panic!("sentences") };
    assert!(says[1].values.contains(&("name", Value::Text("gamma".into()))), "the dead server comes first");
    bench.world.alerts.clear();
    bench.text("/alerts");
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::AlertsNone]);
}

#[test]
fn two_hundred_that_are_open_fit_a_screen() {
    // N5
    let mut bench = with((0..200).map(|number| alert("beta", AlertKind::Memory, number, false)).collect());
    bench.text("/mute");
    let screen = last_screen(&bench.telegram());
    assert_eq!(keys(&screen).len(), 1 + OPEN + 1);
    let mutes: Vec<&str> = screen.buttons[0].iter().map(|button| button.press.data()).collect();
    assert_eq!(mutes, ["al:1:*", "al:8:*", "al:w:*"]);
}

#[test]
fn a_press_under_an_incident_is_written_down_and_leaves_its_message_alone() {
    // N5
    let mut bench = with(vec![alert("beta", AlertKind::NodeDown, 0xab, false)]);
    bench.text("/nodes");
    bench.telegram();
    let id = bench.press_on(77, "al:8:00000000000000ab");
    let calls = bench.telegram();
    assert_eq!(toast(&calls), Some(Key::AlertMuteSet));
    assert!(calls.iter().all(|call| matches!(call, BotCall::AnswerCallback { .. })), "{calls:?}");
    assert_eq!(bench.done(id), 1);
    let [press] = &bench.pressed[..] else { panic!("{:?}", bench.pressed) };
    assert_eq!((press.incident, press.wish), (IncidentId(0xab), BoardWish::MuteFor(8 * HOUR_MS)));
    assert_eq!(press.by, "@Olga");
    bench.world.alerts.clear();
    bench.press_on(77, "al:a:00000000000000ab");
    assert_eq!(toast(&bench.telegram()), Some(Key::AlertIsOver));
    assert_eq!(bench.pressed.len(), 1);
}

#[test]
fn the_card_opens_in_a_message_of_its_own() {
    // N5
    let mut bench = with(vec![alert("beta", AlertKind::NodeDown, 0xab, false)]);
    bench.text("/nodes");
    bench.telegram();
    let shown =
        message::screen(crate::bot::kit::language::Language::En, &bench.world.alerts[0], |_| "beta".to_string());
    let crate::bot::kit::page::Screen::Alert { buttons, says, .. } = shown else { panic!("an alert") };
    assert!(says.iter().all(Say::is_whole));
    let card = buttons.last().unwrap()[0].press.data().to_string();
    bench.press_on(77, &card);
    let mut calls = bench.telegram();
    bench.pass(3_000);
    calls.extend(bench.telegram());
    assert!(calls.iter().any(|call| matches!(call, BotCall::Send { .. })), "{calls:?}");
    assert!(!calls.iter().any(|call| matches!(call, BotCall::TakeButtons { message: 77, .. })), "{calls:?}");
}

#[test]
fn every_button_of_an_incident_fits_and_is_a_wish_or_a_card() {
    // N5
    for (acked, muted) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut one = alert("beta", AlertKind::NodeDown, u64::MAX, false);
        one.ack = acked.then(|| constella_shared::wire::incident::Ack { by: "a".into(), at_unix_ms: 1 });
        one.mute = muted.then(|| constella_shared::wire::incident::Mute { by: "a".into(), until_unix_ms: None });
        let incident = Incident { id: one.incident, alerts: vec![one] };
        let shown = message::screen(crate::bot::kit::language::Language::En, &incident, |_| "beta".to_string());
        let crate::bot::kit::page::Screen::Alert { buttons, .. } = shown else { panic!("an alert") };
        let presses: Vec<&Press> = buttons.iter().flatten().map(|button| &button.press).collect();
        assert!(presses.iter().all(|press| press.data().len() <= 64));
        let wishes = presses.iter().filter(|press| wish_of(press).is_some()).count();
        assert_eq!(wishes, usize::from(!acked) + if muted { 1 } else { 3 });
        assert_eq!(presses.len(), wishes + 1);
    }
}
