//! A reboot that an earlier leader left: F6.

use super::{confirm, took};
use crate::bot::bench::*;
use constella_shared::agent::RebootOutcome;

/// What alpha asked or was about to ask when it died, and gamma takes up.
fn resumed(bench: &mut Bench, stage: Stage) -> CommandId {
    let content = CommandContent::Button { callback_id: "cb".into(), data: "rb:x".into(), message: MESSAGE };
    let command = StoredCommand { stage, taken_by: node("alpha"), ..bench.stored(content) };
    bench.world.me = node("gamma");
    bench.world.nodes[0].status = Status::Down;
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    bench.give(&command)
}

fn stage(asked_unix_ms: Option<u64>, not_after_unix_ms: u64, boot_id: Option<&str>) -> Stage {
    let boot_id = boot_id.map(String::from);
    Stage::Rebooting { target: node("beta"), boot_id, not_after_unix_ms, not_after_boot_ms: None, asked_unix_ms }
}

/// Asked 12 s ago, to be refused by beta after 70,000 ms of its boot `boot-1`.
fn asked(bench: &Bench) -> Stage {
    let asked_unix_ms = bench.world.now.unix_ms - 12_000;
    Stage::Rebooting {
        target: node("beta"),
        boot_id: Some("boot-1".into()),
        not_after_unix_ms: asked_unix_ms + 30_000,
        not_after_boot_ms: Some(70_000),
        asked_unix_ms: Some(asked_unix_ms),
    }
}

fn reboots(bench: &Bench) -> Vec<&Request> {
    bench.asks.iter().map(|(_, _, request)| request).filter(|request| request_name(request) == "reboot").collect()
}

#[test]
fn a_successor_asks_again_with_the_same_id_and_deadline_once_the_target_shows_that_its_boot_is_the_same() {
    // F6: "a successor finishes what is not done"; the target executes an id once, whoever asks how often
    let mut bench = Bench::new();
    let stage = asked(&bench);
    let command_id = resumed(&mut bench, stage);
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootAsking]);
    assert!(reboots(&bench).is_empty(), "first it looks");
    bench.reply("stats", &lost());
    bench.pass(8_000);
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootViaGone, Key::RebootAway]);
    bench.reply("stats", &stats("boot-1", 1_000));
    let (boot_id, not_after_boot_ms) = (Some("boot-1".into()), Some(70_000));
    let expected = Request::Reboot { command_id, term: Term(7), expires_in_ms: 10_000, not_after_boot_ms, boot_id };
    assert_eq!(reboots(&bench), [&expected]);
    bench.reply("reboot", &took(command_id, RebootOutcome::Started));
    bench.pass(8_000);
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootGoing], "no doubt is left");
    bench.reply("stats", &stats("boot-1", 1_004));
    bench.pass(2_000);
    assert!(reboots(&bench).is_empty(), "what is certain is not asked again");
    bench.reply("stats", &stats("boot-2", 3));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootBack]);
    assert_eq!(bench.done(command_id), 1);
}

#[test]
fn who_finishes_without_a_poll_tells_the_beginning_and_the_end_and_no_progress() {
    // F6: the one that took it may live on the other side of a cut, and tell the owner how it goes
    let mut bench = Bench::new();
    bench.world.polls = false;
    let stage = asked(&bench);
    let command_id = resumed(&mut bench, stage);
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootAsking]);
    bench.reply("stats", &stats("boot-1", 1_000));
    assert_eq!(bench.reply("reboot", &took(command_id, RebootOutcome::Started)), 1, "asked all the same");
    for elapsed in 1..=10 {
        bench.pass(2_000);
        bench.reply("stats", &if elapsed < 5 { stats("boot-1", 1_000 + 2 * elapsed) } else { lost() });
        assert!(bench.telegram().is_empty(), "after {elapsed} looks");
    }
    bench.pass(2_000);
    bench.reply("stats", &stats("boot-2", 3));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootBack]);
    assert_eq!(bench.done(command_id), 1);
}

#[test]
fn what_a_target_says_to_a_second_asking_is_certain_or_asked_again() {
    // F6: a refusal by the order's own terms means that it was never done; one that says nothing on that is no end
    let (busy, late, old) = (refused(RpcCode::Busy), refused(RpcCode::TooLate), refused(RpcCode::OldTerm));
    let gone = refused(RpcCode::AgentUnreachable);
    for (answer, certain) in [(late, true), (busy, true), (old, false), (lost(), false), (not_sent(), false)] {
        let mut bench = Bench::new();
        let stage = asked(&bench);
        let id = resumed(&mut bench, stage);
        bench.reply("stats", &stats("boot-1", 1_000));
        assert_eq!(bench.reply("reboot", &answer), 1);
        bench.pass(2_000);
        bench.reply("stats", &stats("boot-1", 1_002));
        let screen = last_screen(&bench.telegram());
        assert_eq!(reboots(&bench).len(), usize::from(!certain), "{answer:?}");
        assert_eq!(bench.done(id), usize::from(certain), "{answer:?}");
        assert_eq!(keys(&screen).contains(&Key::RebootRefused), certain, "{answer:?}: {:?}", keys(&screen));
    }
    let mut bench = Bench::new();
    let stage = asked(&bench);
    resumed(&mut bench, stage);
    bench.reply("stats", &stats("boot-1", 1_000));
    bench.reply("reboot", &gone);
    bench.pass(10_000);
    bench.reply("stats", &stats("boot-1", 1_012));
    assert!(reboots(&bench).is_empty(), "its node has the id, its agent may have it");
    assert!(keys(&last_screen(&bench.telegram())).contains(&Key::RebootUnsure));
}

#[test]
fn what_was_asked_by_a_clock_that_is_ahead_is_not_watched_for_longer() {
    // F6: every command has an end; by the two wall clocks no time passes for an hour
    let mut bench = Bench::new();
    let asked = bench.world.now.unix_ms + 3_600_000;
    let id = resumed(&mut bench, stage(Some(asked), asked + 30_000, None));
    let mut last = None;
    for _ in 0..310 {
        bench.pass(2_000);
        bench.reply("stats", &stats("boot-1", 90_000));
        last = bench.telegram().iter().rev().find_map(screen).cloned().or(last);
    }
    assert_eq!(keys(&last.unwrap()), [Key::RebootNotDone]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn whether_a_host_of_an_unknown_boot_rebooted_is_told_by_its_own_clock() {
    // F6: alpha's wall clock was an hour off, either way; beta's CLOCK_BOOTTIME was at 1,000 s when the owner confirmed
    for off_ms in [-3_600_000_i64, 3_600_000] {
        for (uptime_s, back) in [(1_030, false), (12, true)] {
            let mut bench = Bench::new();
            let asked = bench.world.now.unix_ms.strict_add_signed(off_ms);
            let stage = Stage::Rebooting {
                target: node("beta"),
                boot_id: None,
                not_after_unix_ms: asked + 60_000,
                not_after_boot_ms: Some(1_060_000),
                asked_unix_ms: Some(asked),
            };
            let id = resumed(&mut bench, stage);
            bench.reply("stats", &stats("boot-9", uptime_s));
            bench.pass(5_000);
            bench.telegram();
            assert_eq!(bench.done(id), usize::from(back), "{uptime_s} s, {off_ms} ms off");
        }
    }
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again() {
    let mut bench = Bench::new();
    bench.world.nodes[1].boot_ms = Some(5_000);
    let id = confirm(&mut bench);
    bench.reply("reboot", &lost());
    bench.pass(2_000);
    bench.reply("stats", &stats("boot-1", 1_002));
    assert_eq!(reboots(&bench).len(), 1);
    bench.reply("reboot", &refused(RpcCode::TooLate));
    bench.pass(2_000);
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootRefused]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_successor_that_cannot_be_certain_does_not_ask_and_says_through_whom_it_was_asked() {
    let mut bench = Bench::new();
    let asked = bench.world.now.unix_ms - 12_000;
    let id = resumed(&mut bench, stage(Some(asked), asked + 30_000, Some("boot-1")));
    let screen = last_screen(&bench.telegram());
    assert_eq!(keys(&screen), [Key::RebootViaGone]);
    assert_eq!(said(&screen, Key::RebootViaGone).values[1].1, Value::Text("alpha".into()));
    bench.pass(10_000);
    bench.reply("stats", &stats("boot-1", 1_000));
    bench.pass(10_000);
    assert!(reboots(&bench).is_empty());
    bench.reply("stats", &stats("boot-2", 3));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootBack]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn what_is_said_of_who_asked_fits() {
    let cases = [
        (node("gamma"), Status::Down, Key::RebootSelf),
        (node("alpha"), Status::Alive, Key::RebootVia),
        (node("alpha"), Status::Suspect, Key::RebootViaGone),
        (node("removed"), Status::Alive, Key::RebootViaGone),
    ];
    for (taken_by, status, expected) in cases {
        let mut bench = Bench::new();
        bench.world.me = node("gamma");
        bench.world.nodes[0].status = status;
        let stage = stage(Some(bench.world.now.unix_ms), 1, Some("boot-1"));
        let content = CommandContent::Text { text: "x".into() };
        let command = StoredCommand { stage, taken_by, ..bench.stored(content) };
        bench.give(&command);
        assert_eq!(keys(&last_screen(&bench.telegram())), [expected]);
        bench.reply("stats", &stats("boot-1", 5));
        bench.pass(5_000);
        assert_eq!(keys(&last_screen(&bench.telegram())), [expected, Key::RebootStillUp]);
    }
}

#[test]
fn a_successor_asks_what_was_not_asked_while_there_is_time() {
    let mut bench = Bench::new();
    let now = bench.world.now.unix_ms;
    let command_id = resumed(&mut bench, stage(None, now + 20_000, Some("boot-1")));
    let (not_after_boot_ms, boot_id) = (None, Some("boot-1".into()));
    let expected = Request::Reboot { command_id, term: Term(7), expires_in_ms: 10_000, not_after_boot_ms, boot_id };
    assert_eq!(bench.asks.last().unwrap().2, expected);
    assert!(matches!(bench.stages.last().unwrap().1, Stage::Rebooting { asked_unix_ms: Some(_), .. }));
}

#[test]
fn a_successor_that_comes_too_late_does_nothing_and_says_so() {
    let mut bench = Bench::new();
    let now = bench.world.now.unix_ms;
    let id = resumed(&mut bench, stage(None, now, Some("boot-1")));
    let screen = last_screen(&bench.telegram());
    assert_eq!(keys(&screen), [Key::RebootTooLate]);
    assert!(bench.asks.is_empty());
    assert_eq!(bench.done(id), 1);
}

#[test]
fn without_a_boot_id_the_uptime_tells_a_reboot() {
    let mut bench = Bench::new();
    let asked = bench.world.now.unix_ms - 60_000;
    let id = resumed(&mut bench, stage(Some(asked), asked + 30_000, None));
    bench.telegram();
    bench.reply("stats", &stats("boot-9", 59));
    assert_eq!(bench.done(id), 0);
    bench.pass(4_000);
    bench.reply("stats", &stats("boot-9", 30));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootBack]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn an_absent_boot_id_is_no_change_of_it() {
    // A reboot that did nothing was told as "back after 2 s": the agent had no figures, and told an empty boot id and no uptime.
    let answer = |boot_id: Option<&str>, uptime_s| {
        let stats = Stats { boot_id: boot_id.map(Into::into), uptime_s, ..Stats::default() };
        Ok(Response::Stats { stats, controller_version: "0.1.0".into() })
    };
    let long_up = Some(90_000);
    for (before, boot_id, uptime_s, end) in [
        (Some("boot-1"), None, None, Key::RebootUntold),
        (None, None, None, Key::RebootUntold),
        (Some("boot-1"), Some(""), None, Key::RebootUntold),
        (Some("boot-1"), None, long_up, Key::RebootNotDone),
        (None, Some("boot-9"), None, Key::RebootNotDone),
        (Some("boot-1"), None, Some(0), Key::RebootBack),
    ] {
        let mut bench = Bench::new();
        let asked = bench.world.now.unix_ms;
        let id = resumed(&mut bench, stage(Some(asked), asked + 30_000, before));
        let mut last = None;
        for _ in 0..310 {
            bench.pass(2_000);
            bench.reply("stats", &answer(boot_id, uptime_s));
            last = bench.telegram().iter().rev().find_map(screen).cloned().or(last);
        }
        assert_eq!(keys(&last.unwrap()), [end], "{before:?} {boot_id:?} {uptime_s:?}");
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn one_that_was_asked_long_ago_is_still_looked_at() {
    let mut bench = Bench::new();
    let asked = bench.world.now.unix_ms - 3_600_000;
    let id = resumed(&mut bench, stage(Some(asked), asked + 30_000, Some("boot-1")));
    bench.world.nodes[1].up_ms = Some(3_500_000);
    bench.telegram();
    bench.reply("stats", &stats("boot-2", 3_500));
    let screen = last_screen(&bench.telegram());
    let took = &said(&screen, Key::RebootBack).values[1].1;
    assert_eq!(*took, Value::Span(100_000), "by when its controller started, not by when it was looked at");
    assert_eq!(bench.done(id), 1);
}

/// Beta's clock is off by so much from gamma's, which knows it or not while beta is away, and hears of it later or not at all.
fn returned(bench: &mut Bench, off_ms: i64, known: bool, heard: Option<u64>, uptime_s: u64) -> Say {
    let theirs = bench.world.now.unix_ms.strict_add_signed(off_ms);
    bench.world.nodes[1].unix_ms = known.then_some(theirs);
    bench.world.nodes[1].up_ms = known.then_some(900_000);
    // Alpha asked 3 s ago and wrote down what beta's clock showed; its own says something else again.
    let id = resumed(bench, stage(Some(theirs - 3_000), theirs + 57_000, Some("boot-1")));
    bench.telegram();
    for _ in 0..3 {
        bench.reply("stats", &lost());
        bench.pass(2_000);
        bench.telegram();
    }
    // It is back 4 s after gamma took it up, so 7 s after it was asked, and gamma looks 2 s later.
    let mut shown = None;
    for _ in 0..20 {
        bench.reply("stats", &stats("boot-2", uptime_s));
        if let Some(heard) = heard.filter(|_| bench.world.nodes[1].up_ms.is_none_or(|up_ms| up_ms > 100_000)) {
            let unix_ms = bench.world.now.unix_ms.strict_add_signed(off_ms);
            (bench.world.nodes[1].unix_ms, bench.world.nodes[1].up_ms) = (Some(unix_ms), Some(heard));
        }
        bench.pass(500);
        shown = bench.telegram().iter().rev().find_map(screen).cloned().or(shown);
    }
    assert_eq!(bench.done(id), 1);
    match shown.map(|message| message.body) {
        Some(Body::Says(says)) => says[0].clone(),
        body => panic!("{body:?}"),
    }
}

#[test]
fn how_long_a_reboot_took_is_told_by_the_targets_clocks_whatever_its_followers_show() {
    // The wall clocks of the three nodes are hours apart, and the uptime is that of a machine that runs for months (a container)
    for off_ms in [-7_200_000, 0, 40, 7_200_000] {
        for known in [true, false] {
            let said = returned(&mut Bench::new(), off_ms, known, Some(2_000), 9_000_000);
            assert_eq!(said.key, Key::RebootBack, "{off_ms} {known}");
            assert_eq!(said.values[1].1, Value::Span(7_000), "{off_ms} {known}");
        }
    }
}

#[test]
fn a_controller_that_is_not_heard_leaves_the_uptime_and_without_it_no_duration_is_said() {
    // 11 s after the asking its kernel has been running for 5 s
    let said = returned(&mut Bench::new(), 0, true, None, 5);
    let Value::Span(took_ms) = said.values[1].1 else { panic!("{said:?}") };
    assert!((5_000..=10_000).contains(&took_ms), "{took_ms}");
    let said = returned(&mut Bench::new(), 0, true, None, 9_000_000);
    assert_eq!((said.key, said.values.len()), (Key::RebootBackSometime, 1));
    let said = returned(&mut Bench::new(), 0, false, None, 5);
    assert_eq!(said.key, Key::RebootBackSometime);
}

#[test]
fn the_time_of_the_asking_is_stored_by_the_targets_clock() {
    let mut bench = Bench::new();
    bench.world.nodes[1].unix_ms = Some(1_700_000_000_000);
    crate::bot::rooms::reboot::tests::confirm(&mut bench);
    let stage = bench.stages.last().cloned().expect("a stage").1;
    assert!(matches!(stage, Stage::Rebooting { asked_unix_ms: Some(1_700_000_000_000), .. }), "{stage:?}");
}

#[test]
fn an_older_order_that_is_taken_up_leaves_the_screen_to_what_was_asked_for_since() {
    // F6: its end is told above that
    let mut bench = Bench::new();
    let order = StoredCommand {
        stage: asked(&bench),
        taken_by: node("gamma"),
        ..bench.stored(CommandContent::Button { callback_id: "cb".into(), data: "rb:x".into(), message: MESSAGE })
    };
    bench.press(&ways::list(0));
    let list = last_screen(&bench.telegram());
    let id = bench.give(&order);
    bench.pass(500);
    bench.reply("stats", &stats("boot-2", 3));
    let mut screen = list.clone();
    for _ in 0..5 {
        screen = bench.telegram().iter().rev().find_map(super::screen).cloned().unwrap_or(screen);
        bench.pass(1_000);
    }
    assert_eq!(core::mem::discriminant(&screen.body), core::mem::discriminant(&list.body), "{screen:?}");
    assert!(said(&screen, Key::RebootBack).is_whole());
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_press_that_another_leader_took_is_not_said_to_have_done_nothing() {
    // F6: its order may have been copied elsewhere.
    let mut bench = Bench::new();
    bench.world.me = node("gamma");
    let data = reboot::confirm(node("beta"), "0123456789abcdef").data().to_string();
    let content = CommandContent::Button { callback_id: "cb".into(), data, message: MESSAGE };
    let command = StoredCommand { taken_by: node("alpha"), ..bench.stored(content) };
    let id = bench.give(&command);
    let calls = bench.telegram();
    assert_eq!(toast(&calls), Some(Key::ConfirmElsewhere));
    assert_eq!(keys(&last_screen(&calls)), [Key::ConfirmTaken]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn why_a_press_was_not_taken_is_read_above_a_newer_screen_that_covers_it_unseen() {
    // F6: the press and the next one come in one batch, before Telegram has taken a screen
    let mut bench = Bench::new();
    let data = reboot::confirm(node("beta"), "0123456789abcdef").data().to_string();
    let (press, list) = (bench.press_on(MESSAGE, &data), bench.press(&ways::list(0)));
    let calls = bench.telegram();
    let screen = last_screen(&calls);
    assert!(said(&screen, Key::ConfirmTaken).is_whole(), "{screen:?}");
    assert!(matches!(screen.body, crate::bot::kit::page::Body::List(_)));
    assert_eq!((bench.done(press), bench.done(list)), (1, 1));
}

#[test]
fn what_a_node_told_before_it_polled_is_not_taken_away_when_it_polls() {
    // F6: it finishes what another took as a watcher, and polls when nobody else does: the list would cover its word after a moment.
    let mut bench = Bench::new();
    let data = reboot::confirm(node("beta"), "0123456789abcdef").data().to_string();
    let content = CommandContent::Button { callback_id: "cb".into(), data, message: MESSAGE };
    let press = StoredCommand { taken_by: node("alpha"), ..bench.stored(content) };
    let asked = StoredCommand {
        stage: asked(&bench),
        taken_by: node("alpha"),
        ..bench.stored(CommandContent::Text { text: "/nodes".into() })
    };
    bench.world.me = node("gamma");
    bench.world.polls = false;
    bench.give(&asked);
    bench.give(&press);
    let told = keys(&last_screen(&bench.telegram()));
    assert!(told.contains(&Key::ConfirmTaken), "{told:?}");
    bench.world.polls = true;
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    let calls = bench.telegram();
    assert!(matches!(calls[..], [BotCall::SetCommands { .. }]), "{calls:?}");
    bench.reply("stats", &stats("boot-2", 3));
    bench.pass(5_000);
    let after = keys(&last_screen(&bench.telegram()));
    assert!(
        after.contains(&Key::ConfirmTaken) && after.contains(&Key::RebootBack),
        "what it has in hand goes on: {after:?}"
    );
}

#[test]
fn what_waited_for_a_minute_is_asked_for_its_outcome_only() {
    // F6, L7: the target stood still with its machine, and by its clock the time is not over
    // By its own watching, and by the wall clocks, of which one may be behind.
    for (waits_ms, behind_ms) in [(18_000, 0), (17_900, 0), (58_000, 3_600_000), (62_000, 3_600_000)] {
        let mut bench = Bench::new();
        let stage = asked(&bench);
        bench.world.now.unix_ms -= behind_ms;
        resumed(&mut bench, stage);
        bench.reply("stats", &lost());
        bench.pass(waits_ms);
        bench.reply("stats", &stats("boot-1", 1_000));
        let [Request::Reboot { not_after_boot_ms, .. }] = reboots(&bench)[..] else { panic!("{:?}", reboots(&bench)) };
        let is_over = waits_ms == 18_000 || waits_ms == 62_000;
        assert_eq!(*not_after_boot_ms, Some(if is_over { 0 } else { 70_000 }), "{waits_ms}");
    }
}

#[test]
fn a_card_that_a_node_collects_when_it_begins_to_poll_is_shown() {
    // The list would take the screen, and a card that is not looked at any more is not drawn.
    let mut bench = Bench::new();
    bench.world.polls = false;
    bench.press(&ways::card(node("beta")));
    bench.telegram();
    bench.world.polls = true;
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    bench.reply("stats", &stats("boot-1", 5));
    bench.pass(2_000);
    assert!(matches!(last_screen(&bench.telegram()).body, Body::Card(_)));
}

#[test]
fn what_a_newer_version_began_is_left_alone_and_told_as_not_known() {
    // S7, F6: nothing is asked of any node; the owner reads why
    let mut bench = Bench::new();
    let stage: Stage = serde_json::from_str(r#"{"stage":"upgrading","target":"beta","step":2}"#).unwrap();
    let id = resumed(&mut bench, stage);
    assert!(bench.asks.is_empty());
    let sent = bench.telegram();
    let said = |call: &BotCall| matches!(call, BotCall::Send { screen: Screen::Note { say, .. }, .. } if say.key == Key::OtherVersion);
    assert!(sent.iter().any(said), "{sent:?}");
    assert_eq!(bench.done(id), 1);
}
