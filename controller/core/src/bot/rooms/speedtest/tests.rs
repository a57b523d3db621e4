//! Speedtest: live progress, results, errors, a change of leader.

use crate::bot::bench::*;
use constella_shared::agent::{SpeedtestFigures, SpeedtestPhase};

fn running(command_id: CommandId, percent: u8) -> Result<Response, CallError> {
    let so_far = SpeedtestFigures { latency_ms: Some(12.0), ..SpeedtestFigures::default() };
    test_state(SpeedtestState::Running { command_id, phase: SpeedtestPhase::Download, percent, so_far })
}

fn ended(command_id: CommandId) -> Result<Response, CallError> {
    let figures = SpeedtestFigures { download_bps: Some(1_000), upload_bps: None, ..SpeedtestFigures::default() };
    test_state(SpeedtestState::Done { command_id, at_unix_s: 5, figures })
}

fn body(message: &Message) -> crate::bot::kit::page::Speedtest {
    match &message.body {
        Body::Speedtest(test) => test.clone(),
        other => panic!("{other:?}"),
    }
}

fn started(bench: &mut Bench) -> CommandId {
    let id = bench.press(&ways::speedtest(node("beta")));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::SpeedtestAsked]);
    id
}

#[test]
fn a_test_is_stored_started_followed_and_shown() {
    let mut bench = Bench::new();
    let id = started(&mut bench);
    assert_eq!(bench.order[..3], ["callback", "stage", "ask"]);
    assert!(matches!(bench.stages[0].1, Stage::Testing { target, .. } if target == node("beta")));
    assert_eq!(bench.asks[0].2, Request::RunSpeedtest { command_id: id, term: Term(7) });
    bench.reply("run", &running(id, 0));
    bench.pass(2_000);
    bench.reply("test", &running(id, 40));
    bench.telegram();
    bench.pass(1_000);
    let shown = body(&last_screen(&bench.telegram()));
    assert_eq!(shown.progress, Some((SpeedtestPhase::Download, 40)));
    assert_eq!(bench.done(id), 0);
    bench.pass(1_000);
    bench.reply("test", &ended(id));
    let screen = last_screen(&bench.telegram());
    assert_eq!((keys(&screen), body(&screen).progress), (vec![Key::SpeedtestDone], None));
    assert_eq!(body(&screen).figures.download_bps, Some(1_000));
    assert_eq!(bench.done(id), 1);
    assert_eq!(bench.dialogue.deadline(), None);
}

#[test]
fn progress_is_edited_at_most_once_in_a_second_and_a_half() {
    let mut bench = Bench::new();
    let id = started(&mut bench);
    bench.reply("run", &running(id, 0));
    let (mut edits, mut percent) = (0, 0);
    for _ in 0..300 {
        bench.pass(100);
        percent = (percent + 1) % 100;
        bench.reply("test", &running(id, percent));
        edits += bench.telegram().len();
    }
    assert!((10..=20).contains(&edits), "{edits}");
}

#[test]
fn every_answer_to_the_start_is_told_in_words() {
    let cases = [
        (Ok(Response::Done), Key::SpeedtestFailed),
        (not_sent(), Key::SpeedtestFailed),
        (refused(RpcCode::Disabled), Key::SpeedtestFailed),
        (refused(RpcCode::Busy), Key::SpeedtestFailed),
        (refused(RpcCode::OldTerm), Key::SpeedtestFailed),
        (refused(RpcCode::AgentUnreachable), Key::SpeedtestFailed),
        (refused(RpcCode::AgentFailed), Key::SpeedtestFailed),
    ];
    for (answer, expected) in cases {
        let mut bench = Bench::new();
        let id = started(&mut bench);
        bench.reply("run", &answer);
        assert_eq!(keys(&last_screen(&bench.telegram())), [expected], "{answer:?}");
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn a_failed_test_says_why() {
    let mut bench = Bench::new();
    let id = started(&mut bench);
    let failed = SpeedtestState::Failed { command_id: id, at_unix_s: 1, message: "no route".into() };
    bench.reply("run", &test_state(failed));
    let screen = last_screen(&bench.telegram());
    let why = Say::new(Key::WhyAgentFailed).text("message", "no route");
    assert_eq!(said(&screen, Key::SpeedtestFailed).values[1].1, Value::Say(why));
}

#[test]
fn a_lost_start_is_looked_for_and_asked_once_more_with_the_same_id() {
    let mut bench = Bench::new();
    let id = started(&mut bench);
    bench.reply("run", &lost());
    bench.pass(2_000);
    bench.reply("test", &test_state(SpeedtestState::Idle));
    assert_eq!(bench.asks[0].2, Request::RunSpeedtest { command_id: id, term: Term(7) });
    bench.reply("run", &running(id, 10));
    bench.pass(2_000);
    bench.reply("test", &test_state(SpeedtestState::Idle));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::SpeedtestUnknown]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_node_that_falls_silent_is_given_up() {
    let mut bench = Bench::new();
    let id = started(&mut bench);
    bench.reply("run", &running(id, 0));
    let mut last = None;
    for _ in 0..20 {
        bench.pass(2_000);
        bench.reply("test", &lost());
        last = bench.telegram().iter().rev().find_map(screen).cloned().or(last);
    }
    assert_eq!(keys(&last.unwrap()), [Key::SpeedtestLost]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_successor_finds_the_running_test_and_starts_none() {
    let mut bench = Bench::new();
    let content = CommandContent::Button { callback_id: "cb".into(), data: "st:x".into(), message: MESSAGE };
    let stage = Stage::Testing { target: node("beta"), asked_unix_ms: bench.world.now.unix_ms - 90_000 };
    let command = StoredCommand { stage, ..bench.stored(content) };
    let id = bench.give(&command);
    assert_eq!(bench.reply("test", &running(id, 70)), 1);
    bench.pass(2_000);
    bench.reply("test", &ended(id));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::SpeedtestDone]);
    assert_eq!(bench.done(id), 1);

    let other = StoredCommand { id: CommandId([9; 32]), ..command };
    bench.give(&other);
    bench.reply("test", &ended(id));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::SpeedtestUnknown]);
    assert!(bench.asks.is_empty());
}

#[test]
fn a_result_reaches_an_owner_who_looks_elsewhere() {
    let mut bench = Bench::new();
    let id = started(&mut bench);
    bench.reply("run", &running(id, 0));
    bench.press(&ways::help());
    bench.telegram();
    bench.pass(2_000);
    bench.reply("test", &ended(id));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::SpeedtestNotice, Key::HelpText]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_result_that_another_screen_overtakes_stays_as_a_notice() {
    // F6: an order ends with words. The edit before it is still on its way when the owner asks for something else.
    let mut bench = Bench::new();
    let id = bench.press(&ways::speedtest(node("beta")));
    bench.reply("run", &refused(RpcCode::Disabled));
    bench.press(&ways::help());
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::SpeedtestFailed, Key::HelpText]);
    assert_eq!(bench.done(id), 1);
    bench.press(&ways::help());
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::HelpText], "it was read");
}

#[test]
fn a_result_that_was_shown_does_not_stay() {
    let mut bench = Bench::new();
    let id = bench.press(&ways::speedtest(node("beta")));
    bench.reply("run", &refused(RpcCode::Disabled));
    bench.telegram();
    assert_eq!(bench.done(id), 1);
    bench.press(&ways::help());
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::HelpText]);
}
