//! Old buttons, presses in a flood wait, topics, forwards and groups.

use crate::bot::bench::*;

fn event(text: &str) -> UpdateEvent {
    UpdateEvent {
        user: OWNER,
        username: Some("olga".into()),
        language: Some("en".into()),
        chat: OWNER,
        private: true,
        thread: None,
        forwarded: false,
        content: CommandContent::Text { text: text.into() },
    }
}

fn admit(bench: &mut Bench, event: UpdateEvent) -> Admission {
    bench.dialogue.admit(&bench.world, &Update { id: 5, event: Some(event) })
}

fn taken(calls: &[BotCall]) -> Vec<i64> {
    calls
        .iter()
        .filter_map(|call| match call {
            BotCall::TakeButtons { chat: OWNER, message } => Some(*message),
            _ => None,
        })
        .collect()
}

fn settle(bench: &mut Bench) -> Vec<BotCall> {
    let mut calls = bench.telegram();
    for _ in 0..20 {
        bench.pass(1_500);
        calls.extend(bench.telegram());
    }
    calls
}

#[test]
fn a_new_list_takes_the_old_ones_buttons_away_also_another_leaders() {
    let mut bench = Bench::new();
    // The message on record is of a leader before.
    bench.text("/nodes");
    assert_eq!(taken(&settle(&mut bench)), [MESSAGE]);
    bench.text("/nodes");
    assert_eq!(taken(&settle(&mut bench)), [901]);
    // An edit makes no new message.
    bench.press(&ways::list(0));
    assert_eq!(taken(&settle(&mut bench)), [] as [i64; 0]);
    // Who died before it took them left them: the press tells.
    bench.press_on(7, ways::list(0).data());
    assert_eq!(taken(&settle(&mut bench)), [7, 902]);
    assert_eq!(bench.dialogue.deadline(), None);
}

#[test]
fn old_buttons_are_tried_again_until_they_are_gone_and_hold_up_no_answer() {
    let mut bench = Bench::new();
    bench.text("/nodes");
    bench.telegram();
    bench.pass(3_000);
    let (ask, call) = bench.calls.pop().unwrap();
    assert!(matches!(call, BotCall::TakeButtons { message: MESSAGE, .. }));
    bench.press(&ways::help());
    assert!(
        bench.calls.iter().any(|(_, call)| matches!(call, BotCall::Edit { .. })),
        "it does not wait for the buttons"
    );
    bench.answer(ask, Answer::Bot(Err(BotError::Server)));
    assert_eq!(taken(&settle(&mut bench)), [MESSAGE]);
    for error in [BotError::MessageGone, BotError::Refused("message can't be edited".into()), BotError::ChatGone] {
        bench.text("/nodes");
        bench.telegram();
        bench.pass(6_000);
        let (ask, _) = bench.calls.pop().unwrap();
        bench.answer(ask, Answer::Bot(Err(error)));
        assert_eq!(taken(&settle(&mut bench)), [] as [i64; 0]);
    }
}

#[test]
fn a_press_in_a_flood_wait_is_told_to_wait() {
    let mut bench = Bench::new();
    bench.press(&ways::list(0));
    bench.telegram_fails(BotError::RetryAfter { ms: 40_000 });
    bench.telegram();
    bench.pass(10_000);
    bench.press(&ways::help());
    bench.press_on(7, ways::help().data());
    let calls = bench.telegram();
    assert_eq!(toast(&calls), Some(Key::FloodWait));
    let told = |call: &BotCall| {
        matches!(call, BotCall::AnswerCallback { toast: Some(Screen::Note { say, .. }), .. }
        if say.values == [("wait", crate::bot::kit::say::Value::Span(30_000))])
    };
    assert_eq!(calls.iter().filter(|call| told(call)).count(), 2, "{calls:?}");
    // What says more than that stays.
    bench.press_on(MESSAGE, "zz");
    assert_eq!(toast(&bench.telegram()), Some(Key::UnknownButton));
    bench.pass(30_000);
    assert!(matches!(last_screen(&bench.telegram()).body, Body::List(_)));
    bench.pass(10_000);
    bench.press(&ways::help());
    assert_eq!(toast(&bench.telegram()), None);
}

#[test]
fn an_answer_goes_to_the_topic_of_its_question_and_where_that_is_gone_to_the_chat() {
    let mut bench = Bench::new();
    let threads = |calls: &[BotCall]| -> Vec<Option<i64>> {
        calls
            .iter()
            .filter_map(|call| match call {
                BotCall::Send { thread, .. } => Some(*thread),
                _ => None,
            })
            .collect()
    };
    let ask = |bench: &mut Bench, text: &str, thread| {
        let command = bench.stored(CommandContent::Text { text: text.into() });
        let event = UpdateEvent { thread, ..event(text) };
        let update = Update { id: command.update_id, event: Some(event) };
        assert_eq!(bench.dialogue.admit(&bench.world, &update), Admission::Command);
        bench.give(&command)
    };
    for (text, thread) in [("/nodes", Some(31)), ("/invite soon", Some(32)), ("/nodes", None), ("x", Some(33))] {
        ask(&mut bench, text, thread);
        assert_eq!(threads(&settle(&mut bench)), [thread], "{text}");
    }
    let id = ask(&mut bench, "/nodes", Some(34));
    bench.telegram_fails(BotError::TopicGone);
    assert_eq!(threads(&bench.telegram()), [None]);
    assert_eq!(bench.done(id), 1);
    let id = ask(&mut bench, "/invite soon", Some(35));
    bench.pass(10_000);
    let at = bench.calls.iter().position(|(_, call)| matches!(call, BotCall::Send { .. })).unwrap();
    let (call, _) = bench.calls.remove(at);
    bench.answer(call, Answer::Bot(Err(BotError::TopicGone)));
    assert_eq!(threads(&settle(&mut bench)), [None]);
    assert_eq!(bench.done(id), 1);
}

/// Issue 14.14: every command that does anything, and no command that only looks.
#[test]
fn a_forwarded_command_is_not_the_owners_own() {
    let dialogue = Bench::new().dialogue;
    let heard = |text: &str| dialogue.own_words(&UpdateEvent { forwarded: true, ..event(text) });
    for text in ["/invite 50m", "/INVITE", "/Invite@Our_bot 1h", "/lang ru", "/start c0de"] {
        let content = heard(text);
        assert_ne!(content, CommandContent::Text { text: text.into() }, "{text}");
        let mut bench = Bench::new();
        let command = bench.stored(content);
        let id = bench.give(&command);
        let calls = bench.telegram();
        let note =
            matches!(&calls[..], [BotCall::Send { screen: Screen::Note { say, .. }, .. }] if say.key == Key::Forwarded);
        assert!(note, "{text}: {calls:?}");
        assert!(bench.invites.is_empty() && bench.records.is_empty());
        assert_eq!(bench.done(id), 1);
    }
    for text in ["/nodes", "/help", "/lang", "/start", "beta", "", "invite me"] {
        assert_eq!(heard(text), CommandContent::Text { text: text.into() }, "{text}");
    }
    // Nobody becomes the owner by a forwarded code.
    let mut bench = Bench::new();
    bench.world.owner =
        Owner { username: "olga".into(), telegram_id: None, claim: Some(token_hash(&Secret::new("c0de".into()))) };
    let forwarded = UpdateEvent { forwarded: true, ..event("/start c0de") };
    assert!(matches!(admit(&mut bench, forwarded), Admission::Refuse(_)));
    assert_eq!(admit(&mut bench, event("/START c0de")), Admission::Command);
}

#[test]
fn a_group_reads_one_line_an_hour_and_nothing_of_it_is_a_command() {
    let mut bench = Bench::new();
    let group = |chat, text: &str| UpdateEvent { chat, private: false, thread: Some(3), ..event(text) };
    let Admission::Refuse(acts) = admit(&mut bench, group(-100, "/nodes@Our_Bot")) else { panic!() };
    bench.perform(acts);
    let calls = bench.telegram();
    let said = matches!(&calls[..], [BotCall::Send { chat: -100, thread: Some(3), screen: Screen::Note { say, .. }, .. }]
        if say.key == Key::PrivateOnly);
    assert!(said, "{calls:?}");
    for text in ["/nodes", "/invite 5m", "hello", ""] {
        assert_eq!(admit(&mut bench, group(-100, text)), Admission::Ignore, "{text}");
    }
    assert_eq!(admit(&mut bench, group(-200, "/nodes@another_bot")), Admission::Ignore);
    assert!(matches!(admit(&mut bench, group(-200, "/nodes")), Admission::Refuse(_)), "each group has its own hour");
    bench.pass(3_600_000);
    assert!(matches!(admit(&mut bench, group(-100, "/nodes")), Admission::Refuse(_)));
    let content = CommandContent::Button { callback_id: "1".into(), data: "ls:0".into(), message: 3 };
    let Admission::Refuse(acts) = admit(&mut bench, UpdateEvent { content, ..group(-300, "") }) else { panic!() };
    assert!(matches!(&acts[..], [Act::Bot { call: BotCall::AnswerCallback { toast: Some(_), .. }, .. }]));
}

#[test]
fn commands_are_read_in_any_case() {
    for text in ["/NODES", "/Nodes@Our_Bot", "/sTaRt"] {
        let mut bench = Bench::new();
        bench.text(text);
        assert!(matches!(last_screen(&bench.telegram()).body, Body::List(_)), "{text}");
    }
    let mut bench = Bench::new();
    bench.text("/INVITE 15M");
    assert_eq!(bench.invites.pop().map(|(_, ttl_s)| ttl_s), Some(900));
    bench.text("/LANG RU");
    assert_eq!(bench.records, [NetValue::Language { code: "ru".into() }]);
}
