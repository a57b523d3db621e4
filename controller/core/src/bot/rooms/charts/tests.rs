//! Charts: pictures in the one message, and the way back to its texts.

use crate::bot::bench::*;
use crate::bot::kit::chart::{Chart, Metric, Range, Theme};
use constella_shared::agent::{MinAvgMax, Point, SeriesKind};
use constella_shared::limits::CHART_POINTS;

use super::choice::{Choice, Menu};

fn series(kind: SeriesKind, points: u64) -> Response {
    let channels = kind.channels();
    let point = |at: u64| Point { t: at * 60, v: vec![Some(MinAvgMax(1.0, 2.0, 3.0)); channels.len()] };
    let channels = channels.iter().map(|&name| name.to_string()).collect();
    Response::Series { series: Series { kind, step_s: 60, channels, points: (0..points).map(point).collect() } }
}

/// Answers every question for a series, but those to this node.
fn answer(bench: &mut Bench, silent: Option<NodeId>) {
    bench.nodes(&mut |to, request| match request {
        Request::GetTs { kind, .. } if Some(*to) != silent => Some(Ok(series(*kind, 10))),
        _ => None,
    });
}

fn chart_of(message: &Message) -> &Chart {
    match &message.body {
        Body::Chart(chart) => chart,
        other => panic!("no chart: {other:?}"),
    }
}

/// The chart of beta is on the screen.
fn shown() -> Bench {
    let mut bench = Bench::new();
    bench.press(&ways::chart(node("beta")));
    answer(&mut bench, None);
    assert!(last_screen(&bench.telegram()).is_picture());
    bench.pass(5_000);
    bench.order.clear();
    bench
}

fn choice(bench: &Bench) -> Choice {
    Choice::parse(&bench.world, ways::chart(node("beta")).rest()).unwrap()
}

#[test]
fn a_tap_shows_the_picture_in_the_same_message() {
    // C1, C3: in as many points as a picture has
    let mut bench = Bench::new();
    let id = bench.press(&ways::chart(node("beta")));
    let wanted = Request::GetTs { kind: SeriesKind::Cpu, hours: 24, points: Some(CHART_POINTS) };
    assert_eq!(
        bench.asks.iter().map(|(_, to, request)| (*to, request.clone())).collect::<Vec<_>>(),
        [(node("beta"), wanted)]
    );
    answer(&mut bench, None);
    let calls = bench.telegram();
    assert!(matches!(calls.last(), Some(BotCall::Edit { message: MESSAGE, .. })), "{calls:?}");
    let message = last_screen(&calls);
    let chart = chart_of(&message);
    assert_eq!((chart.metric, chart.hours, chart.theme), (Metric::Cpu, 24, Theme::Dark));
    assert_eq!((chart.nodes.len(), chart.nodes[0].name.as_str()), (1, "beta"));
    assert_eq!(chart.end_unix_s, bench.world.now.unix_ms / 1_000);
    assert_eq!(bench.done(id), 1);
    assert!(bench.stages.iter().all(|(_, stage)| *stage == Stage::Done), "a view leaves no stage");
}

#[test]
fn every_button_below_a_chart_draws_what_it_says() {
    // C1: metric, range, theme, node, comparison
    let mut bench = shown();
    let of = choice(&bench);
    let menus = [Menu::Node(0), Menu::Compare(0), Menu::Chart].map(|menu| Choice { menu, ..of.clone() });
    let mut seen = alloc::collections::BTreeSet::new();
    for menu in menus {
        bench.press(&menu.press());
        answer(&mut bench, None);
        let screen = last_screen(&bench.telegram());
        bench.pass(5_000);
        let presses = screen.buttons.iter().flatten().map(|button| button.press.clone());
        for press in presses.filter(|press| press.verb() == ways::CHART) {
            let wanted = Choice::parse(&bench.world, press.rest()).unwrap();
            bench.press(&press);
            answer(&mut bench, None);
            bench.telegram();
            bench.pass(5_000);
            seen.insert((wanted.metric, wanted.range, wanted.theme == Theme::Dark, wanted.nodes().count()));
        }
    }
    assert_eq!(seen.iter().filter(|it| (it.1, it.2, it.3) == (Range::Day, true, 1)).count(), Metric::ALL.len());
    assert_eq!(seen.iter().filter(|it| (it.0, it.2, it.3) == (Metric::Cpu, true, 1)).count(), Range::ALL.len());
    assert!(seen.contains(&(Metric::Cpu, Range::Day, false, 1)) && seen.contains(&(Metric::Cpu, Range::Day, true, 2)));
}

#[test]
fn a_silent_node_keeps_no_other_from_being_shown() {
    // C2: what is there is shown within a second, and again when all have answered or their time is over
    let mut bench = shown();
    let id = bench.press(&choice(&bench).toggled(node("gamma")).press());
    answer(&mut bench, Some(node("gamma")));
    bench.pass(700);
    let early = last_screen(&bench.telegram());
    let silent =
        |message: &Message| chart_of(message).nodes.iter().map(|node| node.series.is_none()).collect::<Vec<_>>();
    assert_eq!(silent(&early), [false, true]);
    assert_eq!(bench.done(id), 0);
    answer(&mut bench, None);
    bench.pass(2_000);
    assert_eq!(silent(&last_screen(&bench.telegram())), [false, false]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_node_that_is_down_is_not_waited_for() {
    // C2
    let mut bench = shown();
    bench.world.nodes.iter_mut().filter(|row| row.name != "beta").for_each(|row| row.status = Status::Down);
    bench.press(&choice(&bench).toggled(node("gamma")).press());
    answer(&mut bench, None);
    assert_eq!(chart_of(&last_screen(&bench.telegram())).nodes.len(), 2);
}

#[test]
fn where_nothing_answers_words_say_why_and_the_buttons_stay() {
    // C2: words take the picture's place
    let mut bench = Bench::new();
    let id = bench.press(&ways::chart(node("beta")));
    bench.reply("series", &Err(CallError::Lost("no answer".into())));
    let screen = last_screen(&bench.telegram());
    assert_eq!(keys(&screen), [Key::ChartTitle, Key::NoFigures]);
    assert!(screen.buttons.iter().flatten().any(|button| button.press == ways::card(node("beta"))));
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_text_takes_a_pictures_place_as_a_new_message_and_the_picture_goes() {
    // C2: no edit makes a text of a picture
    let mut bench = shown();
    bench.press(&ways::list(0));
    let calls = bench.telegram();
    assert!(matches!(calls.last(), Some(BotCall::Send { .. })), "{calls:?}");
    assert!(matches!(last_screen(&calls).body, Body::List(_)));
    assert!(bench.records.iter().any(|record| matches!(record, NetValue::Message { message: 901, .. })));
    bench.pass(5_000);
    let deleted = bench.telegram();
    assert!(matches!(deleted[..], [BotCall::Delete { chat: OWNER, message: MESSAGE }]), "{deleted:?}");
    bench.press(&ways::list(0));
    assert!(
        bench.telegram().iter().any(|call| matches!(call, BotCall::Edit { message: 901, .. })),
        "texts are edited again"
    );
}

#[test]
fn a_picture_that_is_too_old_to_be_deleted_loses_its_buttons() {
    // C2: Bot API, deleteMessage: 48 hours
    let mut bench = shown();
    bench.press(&ways::list(0));
    bench.telegram();
    bench.pass(5_000);
    let (ask, call) = bench.calls.remove(0);
    assert!(matches!(call, BotCall::Delete { .. }));
    bench.answer(ask, Answer::Bot(Err(BotError::MessageGone)));
    bench.pass(5_000);
    let calls = bench.telegram();
    assert!(matches!(calls[..], [BotCall::TakeButtons { message: MESSAGE, .. }]), "{calls:?}");
    assert_eq!(bench.dialogue.deadline(), None);
}

#[test]
fn a_picture_of_an_earlier_leader_is_found_out_and_replaced() {
    // C2: this leader does not know what the message shows
    let mut bench = Bench::new();
    let id = bench.press(&ways::list(0));
    bench.calls.retain(|(_, call)| screen(call).is_some());
    bench.telegram_fails(BotError::IsPicture);
    bench.pass(2_000);
    let calls = bench.telegram();
    assert!(matches!(calls[..], [BotCall::Send { .. }]), "{calls:?}");
    assert_eq!(bench.done(id), 1);
    bench.pass(5_000);
    let calls = bench.telegram();
    assert!(matches!(calls[..], [BotCall::Delete { message: MESSAGE, .. }]), "{calls:?}");
}

#[test]
fn a_picture_that_is_refused_leaves_words_and_mutes_nothing() {
    // C2: neither as an edit nor as a new message is it tried again
    let mut bench = Bench::new();
    let id = bench.press(&ways::chart(node("beta")));
    answer(&mut bench, None);
    bench.calls.retain(|(_, call)| screen(call).is_some());
    bench.telegram_fails(BotError::Refused("the chart cannot be drawn".into()));
    bench.pass(5_000);
    let calls = bench.telegram();
    assert!(matches!(calls[..], [BotCall::Edit { message: MESSAGE, .. }]), "{calls:?}");
    assert_eq!(keys(&last_screen(&calls)), [Key::AnswerRefused]);
    assert_eq!(bench.done(id), 1);
    bench.press(&ways::list(0));
    assert!(matches!(last_screen(&bench.telegram()).body, Body::List(_)));
}

#[test]
fn more_points_than_were_asked_for_are_thinned_here() {
    // C3: a node of an older version answers with all that its agent has
    let mut bench = Bench::new();
    bench.press(&ways::chart(node("beta")));
    bench.reply("series", &Ok(series(SeriesKind::Cpu, 600)));
    let message = last_screen(&bench.telegram());
    let points = chart_of(&message).nodes[0].series.as_ref().unwrap().points.len();
    assert!(points <= CHART_POINTS as usize, "{points}");
}

#[test]
fn the_owners_zone_is_that_of_the_quiet_hours() {
    // C1: one zone is named once
    let mut bench = Bench::new();
    let zone = "Europe/Moscow".to_string();
    bench.world.quiet = Some(crate::alerts::choice::Quiet { on: false, from_min: 0, until_min: 60, zone });
    bench.press(&ways::chart(node("beta")));
    answer(&mut bench, None);
    assert_eq!(chart_of(&last_screen(&bench.telegram())).zone, "Europe/Moscow");
    bench.world.quiet = None;
    bench.press(&ways::chart(node("beta")));
    answer(&mut bench, None);
    bench.pass(2_000);
    assert_eq!(chart_of(&last_screen(&bench.telegram())).zone, "UTC");
}
