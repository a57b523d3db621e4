//! The one message: what Telegram may answer, and what the owner sees then.

use crate::bot::bench::*;

fn text(text: &str) -> CommandContent {
    CommandContent::Text { text: text.to_string() }
}

#[test]
fn a_press_is_answered_before_any_work_and_edits_the_one_message() {
    let mut bench = Bench::new();
    let id = bench.press(&ways::list(0));
    assert_eq!(bench.order, ["callback", "edit"]);
    assert!(matches!(bench.calls[1].1, BotCall::Edit { chat: OWNER, message: MESSAGE, .. }));
    assert_eq!(bench.done(id), 0);
    bench.telegram();
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_typed_command_brings_the_message_to_the_end_of_the_chat() {
    let mut bench = Bench::new();
    let id = bench.text("/nodes");
    assert_eq!(bench.order, ["send"]);
    bench.telegram();
    assert_eq!(bench.records, [NetValue::Message { chat: OWNER, message: 901 }]);
    assert_eq!(bench.done(id), 1);
    // The same screen is no edit; a second later it has another time.
    bench.press(&ways::list(0));
    assert_eq!(bench.telegram().len(), 1);
    bench.pass(1_000);
    bench.press(&ways::list(0));
    assert!(matches!(bench.telegram()[1], BotCall::Edit { message: 901, .. }));
}

#[test]
fn a_press_on_an_old_message_is_answered_and_brings_the_current_one() {
    let mut bench = Bench::new();
    bench.press_on(7, ways::list(0).data());
    let calls = bench.telegram();
    assert_eq!(toast(&calls), Some(Key::OldMessage));
    assert!(matches!(calls[1], BotCall::Send { .. }));
    assert_eq!(bench.records, [NetValue::Message { chat: OWNER, message: 901 }]);
}

#[test]
fn every_error_of_telegram_has_its_consequence() {
    // Error, what follows at once, what follows within a minute, whether the command is done without another success.
    let cases: [(BotError, &[&str], &[&str], bool); 12] = [
        (BotError::MessageGone, &["send"], &["send"], false),
        (BotError::Refused("message can't be edited".into()), &["send"], &["send"], false),
        (BotError::QueryTooOld, &["send"], &["send"], false),
        (BotError::ChatGone, &["done"], &["done"], true),
        (BotError::RetryAfter { ms: 7_000 }, &[], &["edit"], false),
        (BotError::Server, &[], &["edit"], false),
        (BotError::Unreachable("x".into()), &[], &["edit"], false),
        (BotError::Cancelled, &[], &["edit"], false),
        (BotError::NoToken, &[], &["edit"], false),
        (BotError::Unauthorized, &[], &["edit"], false),
        (BotError::Conflict, &[], &["edit"], false),
        (BotError::WebhookSet, &[], &["edit"], false),
    ];
    for (error, at_once, later, done) in cases {
        let mut bench = Bench::new();
        let id = bench.press(&ways::list(0));
        bench.order.clear();
        bench.telegram_fails(error.clone());
        assert_eq!(bench.order, at_once, "{error:?}");
        bench.pass(60_000);
        assert_eq!(bench.order, later, "{error:?}");
        assert_eq!(bench.done(id), usize::from(done), "{error:?}");
        bench.telegram();
        assert_eq!(bench.done(id), 1, "{error:?}");
    }
}

#[test]
fn retry_after_is_obeyed_to_the_millisecond() {
    let mut bench = Bench::new();
    bench.press(&ways::list(0));
    bench.telegram_fails(BotError::RetryAfter { ms: 7_000 });
    bench.press(&ways::help());
    bench.pass(6_999);
    assert_eq!(bench.count("edit"), 1);
    bench.pass(1);
    assert_eq!(bench.count("edit"), 2);
    // The last screen wins.
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::HelpText]);
}

#[test]
fn a_chat_that_is_gone_ends_its_command() {
    for error in [BotError::MessageGone, BotError::ChatGone] {
        let mut bench = Bench::new();
        let id = bench.text("/nodes");
        bench.telegram_fails(error);
        assert_eq!(bench.done(id), 1);
        assert_eq!(bench.dialogue.deadline(), None);
    }
}

#[test]
fn a_screen_that_telegram_will_never_take_is_answered_in_words_once() {
    let mut bench = Bench::new();
    let id = bench.text("/nodes");
    bench.telegram_fails(BotError::Refused("can't parse entities".into()));
    let (_, call) = bench.calls.last().unwrap();
    assert_eq!(keys(screen(call).unwrap()), [Key::AnswerRefused]);
    assert_eq!(bench.done(id), 0);
    bench.telegram_fails(BotError::Refused("again".into()));
    assert_eq!((bench.done(id), bench.calls.len()), (1, 0), "there are no words left");
    let id = bench.text("/invite soon");
    bench.pass(5_000);
    let (ask, _) = bench.calls.pop().unwrap();
    bench.answer(ask, Answer::Bot(Err(BotError::Refused("no".into()))));
    let calls = bench.telegram();
    assert!(
        matches!(&calls[..], [BotCall::Send { screen: Screen::Note { say, .. }, .. }] if say.key == Key::AnswerRefused)
    );
    assert_eq!(bench.done(id), 1);
}

#[test]
fn several_presses_at_once_cost_few_edits_and_all_are_done() {
    let mut bench = Bench::new();
    let ids: Vec<CommandId> = (0..10).map(|page| bench.press(&ways::list(page))).collect();
    let help = bench.press(&ways::help());
    let mut calls = bench.telegram();
    bench.pass(5_000);
    calls.extend(bench.telegram());
    assert_eq!(calls.iter().filter(|call| screen(call).is_some()).count(), 2);
    assert_eq!(keys(&last_screen(&calls)), [Key::HelpText]);
    assert!(ids.iter().chain([&help]).all(|id| bench.done(*id) == 1));
}

#[test]
fn a_new_leader_edits_the_same_message_and_sets_the_menu() {
    let mut bench = Bench::new();
    let acts = bench.dialogue.elected(&bench.world, Some(&text("/nodes")));
    bench.perform(acts);
    let calls = bench.telegram();
    assert!(matches!(calls[0], BotCall::SetCommands { .. }));
    assert!(matches!(calls[1], BotCall::Edit { chat: OWNER, message: MESSAGE, .. }));
    let Body::List(list) = last_screen(&calls).body else { panic!() };
    assert_eq!(list.rows.iter().filter(|row| row.leader).map(|row| row.name.as_str()).collect::<Vec<_>>(), ["alpha"]);
    // Before first contact there is no message, and nobody to write to.
    bench.world.message = None;
    bench.order.clear();
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    assert_eq!(bench.order, ["menu"]);
}

#[test]
fn a_new_leader_leaves_what_the_owner_looks_at_unless_that_is_known_to_be_a_list() {
    // DESIGN 9: a result, a card or the help stays until its owner taps something; a confirmation died with the leader that showed it
    let press = |press: Press| CommandContent::Button {
        callback_id: "cb".into(),
        data: press.data().to_string(),
        message: MESSAGE,
    };
    let cases = [
        (None, false),
        (Some(text("/nodes")), true),
        (Some(text("/start 0123")), true),
        (Some(text("/help")), false),
        (Some(text("/invite 5m")), false),
        (Some(press(ways::list(1))), true),
        (Some(press(ways::ask_reboot(node("beta")))), true),
        (Some(press(ways::card(node("beta")))), false),
        (Some(press(reboot::confirm(node("beta"), "0123456789abcdef"))), false),
        (Some(press(ways::speedtest(node("beta")))), false),
        (Some(press(Press::nothing())), false),
    ];
    for (last, draws) in cases {
        let mut bench = Bench::new();
        let acts = bench.dialogue.elected(&bench.world, last.as_ref());
        bench.perform(acts);
        assert_eq!(bench.order, if draws { ["menu", "edit"].as_slice() } else { &["menu"] }, "{last:?}");
    }
}

#[test]
fn a_notice_of_a_leader_that_does_not_know_the_screen_does_not_replace_it() {
    let mut bench = Bench::new();
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    bench.telegram();
    let acts = bench.dialogue.notice(&bench.world, Say::new(Key::TokenElsewhere));
    bench.perform(acts);
    let calls = bench.telegram();
    assert!(matches!(calls[..], [BotCall::Send { .. }]), "{calls:?}");
    assert_eq!(keys(&last_screen(&calls)), [Key::TokenElsewhere]);
}

#[test]
fn the_menu_is_tried_a_few_times() {
    let mut bench = Bench::new();
    bench.world.message = None;
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    for _ in 0..20 {
        if let Some((ask, _)) = bench.calls.pop() {
            bench.answer(ask, Answer::Bot(Err(BotError::Server)));
        }
        bench.pass(20_000);
    }
    assert_eq!(bench.count("menu"), 5);
    assert_eq!(bench.dialogue.deadline(), None);
}

#[test]
fn what_a_deposed_leader_asked_is_not_its_business_any_longer() {
    let mut bench = Bench::new();
    let id = bench.press(&ways::card(node("beta")));
    bench.dialogue.deposed();
    bench.order.clear();
    bench.reply("stats", &stats("boot-1", 5));
    bench.telegram();
    bench.pass(600_000);
    assert_eq!(bench.order, [] as [&str; 0]);
    assert_eq!(bench.done(id), 0);
}

#[test]
fn a_command_that_is_on_its_way_is_not_taken_twice() {
    let mut bench = Bench::new();
    let content = CommandContent::Text { text: "/invite 5m".into() };
    let command = bench.stored(content);
    bench.give(&command);
    bench.give(&command);
    assert_eq!(bench.invites.len(), 1);
}

#[test]
fn a_notice_of_the_node_is_shown_above_the_list() {
    let mut bench = Bench::new();
    let acts = bench.dialogue.notice(&bench.world, Say::new(Key::TokenElsewhere));
    bench.perform(acts);
    let screen = last_screen(&bench.telegram());
    assert!(matches!(screen.body, Body::List(_)));
    assert_eq!(keys(&screen), [Key::TokenElsewhere]);
}

#[test]
fn results_that_nobody_could_read_are_not_pushed_out_by_later_ones() {
    // F6: each end is words; more than five at once only while Telegram takes none.
    let mut bench = Bench::new();
    bench.text("/nodes");
    bench.telegram();
    let notice = |bench: &mut Bench, count: u64| {
        for number in 1..=count {
            let say = Say::new(Key::RebootBack).text("name", alloc::format!("n{number}")).span("took", 1_000);
            let acts = bench.dialogue.notice(&bench.world, say);
            bench.perform(acts);
        }
    };
    notice(&mut bench, 12);
    bench.telegram_fails(BotError::Unreachable("refused".into()));
    bench.pass(120_000);
    assert_eq!(last_screen(&bench.telegram()).notices.len(), 12);
    notice(&mut bench, 1);
    bench.pass(5_000);
    assert_eq!(last_screen(&bench.telegram()).notices.len(), 5, "what was shown makes room");
    notice(&mut bench, 100);
    bench.pass(5_000);
    let shown = last_screen(&bench.telegram()).notices;
    assert!(shown.len() <= 20, "{}", shown.len());
}
