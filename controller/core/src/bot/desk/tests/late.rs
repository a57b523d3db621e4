//! Sends that fail while polls work: nothing that was asked ends without words, and what comes then is of now.

use crate::bot::bench::*;
use crate::bot::kit::say::Value;

/// Telegram refuses every screen and message for so long; answers to presses pass.
fn refused_for(bench: &mut Bench, ms: u64, error: &BotError) {
    let end = bench.world.now.boot_ms + ms;
    while bench.world.now.boot_ms < end {
        while let Some(at) = bench.calls.iter().position(|(_, call)| !matches!(call, BotCall::AnswerCallback { .. })) {
            let (ask, _) = bench.calls.remove(at);
            bench.answer(ask, Answer::Bot(Err(error.clone())));
        }
        bench.pass(500);
    }
}

/// Telegram takes everything again; what it took within this time.
fn taken_within(bench: &mut Bench, ms: u64) -> Vec<BotCall> {
    let mut calls = bench.telegram();
    for _ in 0..ms / 250 {
        bench.pass(250);
        calls.extend(bench.telegram());
    }
    calls
}

fn line(message: &Message) -> Option<&Say> {
    message.notices.iter().find(|say| matches!(say.key, Key::WhileRefused | Key::AnsweredLate))
}

fn asked(say: &Say) -> Vec<String> {
    let Some((_, Value::Several(values))) = say.values.iter().find(|(slot, _)| *slot == "asked") else { panic!() };
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => alloc::format!("{other:?}"),
    };
    values.iter().map(text).collect()
}

/// Issue 14.2: it was dropped after five minutes, and marked done.
#[test]
fn after_six_minutes_of_refusals_every_question_is_answered_within_five_seconds() {
    let errors = [
        BotError::Server,
        BotError::Unreachable("x".into()),
        BotError::RetryAfter { ms: 5_000 },
        BotError::Unauthorized,
        BotError::Conflict,
    ];
    for error in errors {
        let mut bench = Bench::new();
        let began_ms = bench.world.now.unix_ms;
        let ids = [bench.press(&ways::help()), bench.text("/nodes"), bench.press(&ways::card(node("beta")))];
        bench.reply("stats", &stats("boot-1", 5));
        refused_for(&mut bench, 360_000, &error);
        assert!(ids.iter().all(|id| bench.done(*id) == 0), "{error:?}: ended without words");
        assert!(bench.order.len() < 600, "{error:?}: {} calls", bench.order.len());
        let mut calls = taken_within(&mut bench, 5_000);
        while bench.reply("stats", &stats("boot-2", 370)) > 0 {
            calls.extend(taken_within(&mut bench, 1_000));
        }
        bench.reply("series", &lost());
        bench.reply("test", &lost());
        calls.extend(taken_within(&mut bench, 3_000));
        let first = calls.iter().find_map(screen).unwrap();
        let told = line(first).unwrap_or_else(|| panic!("{error:?}: {first:?}"));
        assert_eq!(told.key, Key::WhileRefused);
        assert_eq!(asked(told), ["❓", "/nodes", "beta"]);
        assert_eq!(told.values[0].1, Value::Clock(began_ms / 1_000), "{error:?}");
        let Value::Clock(to) = told.values[1].1 else { panic!() };
        assert!(to >= began_ms / 1_000 + 345 && to <= began_ms / 1_000 + 365, "{error:?}: {told:?}");
        // What is shown was fetched after Telegram's return.
        let Body::Card(card) = &last_screen(&calls).body else { panic!("{error:?}") };
        assert_eq!(card.figures.as_ref().unwrap().uptime_s, Ok(370), "{error:?}");
        let figures = calls.iter().filter_map(screen).filter_map(|message| match &message.body {
            Body::Card(card) => card.figures.as_ref().ok().map(|figures| figures.uptime_s.clone()),
            _ => None,
        });
        assert!(figures.into_iter().all(|uptime_s| uptime_s == Ok(370)), "{error:?}: figures of six minutes ago");
        assert!(ids.iter().all(|id| bench.done(*id) == 1), "{error:?}");
    }
}

#[test]
fn a_list_that_waited_is_of_now() {
    let mut bench = Bench::new();
    bench.press(&ways::list(0));
    refused_for(&mut bench, 30_000, &BotError::Server);
    bench.world.nodes[1].status = Status::Down;
    refused_for(&mut bench, 12_000, &BotError::Server);
    let calls = taken_within(&mut bench, 5_000);
    let first = calls.iter().find_map(screen).unwrap();
    let Body::List(list) = &first.body else { panic!() };
    assert_eq!(list.alive, 2);
    assert_eq!(line(first), None, "half a minute is no news");
}

#[test]
fn a_retry_after_is_obeyed_however_long_and_the_answer_comes_at_its_end() {
    let mut bench = Bench::new();
    let id = bench.press(&ways::help());
    bench.telegram_fails(BotError::RetryAfter { ms: 3_600_000 });
    bench.pass(3_599_999);
    assert_eq!(bench.count("edit"), 1);
    bench.pass(1);
    let calls = bench.telegram();
    assert_eq!(keys(&last_screen(&calls)), [Key::WhileRefused, Key::HelpText]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn an_invitation_is_told_what_is_left_of_it_or_that_it_is_over() {
    let mut bench = Bench::new();
    let ids = [bench.text("/invite 1h"), bench.text("/invite 1m")];
    while let Some((ask, ttl_s)) = bench.invites.pop() {
        bench.answer(ask, Answer::Link(Ok(crate::bot::rooms::invite::tests::link(ttl_s))));
    }
    refused_for(&mut bench, 360_000, &BotError::Server);
    let calls = taken_within(&mut bench, 5_000);
    let invites: Vec<u64> = calls
        .iter()
        .filter_map(|call| match call {
            BotCall::Send { screen: Screen::Invite { ttl_s, .. }, .. } => Some(*ttl_s),
            _ => None,
        })
        .collect();
    assert!(matches!(invites[..], [3_180 | 3_240]), "{invites:?}");
    let said = calls.iter().filter_map(screen).find_map(line).expect("no word about the other one");
    assert_eq!(asked(said), ["/invite 1m"]);
    assert!(ids.iter().all(|id| bench.done(*id) == 1));
}

#[test]
fn a_confirmation_that_waited_has_a_button_that_works() {
    let mut bench = Bench::new();
    bench.press(&ways::ask_reboot(node("beta")));
    refused_for(&mut bench, 120_000, &BotError::Server);
    let calls = taken_within(&mut bench, 5_000);
    let shown = last_screen(&calls);
    let button = shown.buttons[0][0].press.clone();
    bench.order.clear();
    let id = bench.press(&button);
    assert_eq!(toast(&bench.telegram()), None, "{shown:?}");
    assert!(
        bench.stages.iter().any(|(of, stage)| *of == id && matches!(stage, Stage::Rebooting { .. })),
        "{:?}",
        bench.order
    );
}

#[test]
fn the_end_of_an_order_is_no_late_answer() {
    let mut bench = Bench::new();
    let id = crate::bot::rooms::reboot::tests::confirm(&mut bench);
    bench
        .reply("reboot", &crate::bot::rooms::reboot::tests::took(id, constella_shared::agent::RebootOutcome::Accepted));
    bench.telegram();
    for _ in 0..40 {
        bench.pass(2_000);
        bench.reply("stats", &lost());
        bench.telegram();
    }
    bench.pass(2_000);
    bench.reply("stats", &stats("boot-2", 5));
    let calls = taken_within(&mut bench, 5_000);
    assert_eq!(keys(&last_screen(&calls)), [Key::RebootBack]);
}

/// A change of leader in the middle, or a restart: the next one finds the questions open and has no evidence of its own about Telegram.
#[test]
fn a_successor_says_what_was_asked_before_it() {
    let mut bench = Bench::new();
    let mut commands: Vec<StoredCommand> =
        ["/nodes", "/help"].map(|text| bench.stored(CommandContent::Text { text: text.into() })).into();
    for command in &mut commands {
        command.taken_by = node("beta");
        command.taken_unix_ms = bench.world.now.unix_ms - 300_000;
        bench.give(command);
    }
    let last = last_screen(&taken_within(&mut bench, 5_000));
    assert_eq!(keys(&last), [Key::AnsweredLate, Key::AnsweredLate, Key::HelpText]);
    let told: Vec<String> = last.notices.iter().flat_map(asked).collect();
    assert_eq!(told, ["/nodes", "/help"]);
    assert!(commands.iter().all(|command| bench.done(command.id) == 1));
}

#[test]
fn many_questions_make_one_line() {
    let mut bench = Bench::new();
    let ids: Vec<CommandId> =
        (0..40).map(|_| bench.text("what is this long text that goes on and on and on?")).collect();
    refused_for(&mut bench, 90_000, &BotError::Server);
    let calls = taken_within(&mut bench, 5_000);
    let shown = calls.iter().find_map(screen).unwrap();
    assert_eq!(shown.notices.len(), 1);
    let told = line(shown).unwrap();
    assert_eq!(asked(told).len(), 9);
    assert!(asked(told)[0].chars().count() <= 32 && asked(told)[8].contains("Count(32)"), "{told:?}");
    assert!(ids.iter().all(|id| bench.done(*id) == 1));
}
