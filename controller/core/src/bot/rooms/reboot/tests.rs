//! Reboot: every press and every answer, F6.

mod successor;

use crate::bot::bench::*;
use constella_shared::agent::{RebootAnswer, RebootOutcome};

/// Presses the confirmation's button; tells which command it was and its call to the target.
pub(crate) fn confirm(bench: &mut Bench) -> CommandId {
    let data = show_confirmation(bench);
    let id = bench.press_on(MESSAGE, &data);
    assert_eq!(toast(&bench.telegram()), None);
    id
}

fn show_confirmation(bench: &mut Bench) -> String {
    bench.press(&ways::ask_reboot(node("beta")));
    let shown = last_screen(&bench.telegram());
    bench.reply("stats", &stats("boot-1", 1_000));
    assert_eq!(keys(&shown), [Key::ConfirmReboot]);
    shown.buttons[0][0].press.data().to_string()
}

pub(crate) fn took(id: CommandId, outcome: RebootOutcome) -> Result<Response, CallError> {
    Ok(Response::Reboot { answer: RebootAnswer { command_id: id, outcome }, boot_id: Some("boot-1".into()) })
}

#[test]
fn a_confirmed_reboot_is_asked_once_and_followed_until_the_boot_id_changes() {
    let mut bench = Bench::new();
    let id = confirm(&mut bench);
    // F6: the stage is stored before the question goes out.
    let stage_at = bench.order.iter().position(|act| *act == "stage").unwrap();
    let ask_at = bench.order.iter().rposition(|act| *act == "ask").unwrap();
    assert!(stage_at < ask_at);
    let Stage::Rebooting { target, boot_id, not_after_unix_ms, asked_unix_ms, .. } = bench.stages[1].1.clone() else {
        panic!("{:?}", bench.stages)
    };
    assert_eq!((target, boot_id.as_deref()), (node("beta"), Some("boot-1")));
    assert_eq!(not_after_unix_ms, bench.world.now.unix_ms + 60_000);
    assert_eq!(asked_unix_ms, Some(bench.world.now.unix_ms));
    bench.pass(1_000);
    bench.reply("reboot", &took(id, RebootOutcome::Accepted));
    bench.pass(2_000);
    bench.reply("stats", &stats("boot-1", 1_003));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootGoing]);
    bench.pass(2_000);
    bench.reply("stats", &lost());
    bench.pass(2_000);
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootAway]);
    bench.pass(36_000);
    bench.reply("stats", &stats("boot-2", 5));
    let screen = last_screen(&bench.telegram());
    assert_eq!(said(&screen, Key::RebootBack).values[1].1, Value::Span(43_000));
    assert_eq!(bench.done(id), 1);
    assert_eq!(bench.dialogue.deadline(), None);
}

#[test]
fn the_end_of_a_reboot_waits_until_telegram_takes_it() {
    // A change of leader before it is shown must find the command open: the next one tells its end.
    for hours in [1, 25] {
        let mut bench = Bench::new();
        let id = confirm(&mut bench);
        bench.reply("reboot", &took(id, RebootOutcome::Accepted));
        bench.telegram();
        bench.pass(2_000);
        bench.reply("stats", &stats("boot-2", 5));
        for _ in 0..hours * 60 {
            bench.telegram_fails(BotError::RetryAfter { ms: 5_000 });
            bench.pass(60_000);
        }
        assert_eq!(bench.done(id), 0, "{hours} h");
        assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootBack]);
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn the_deadline_is_sixty_seconds_from_its_showing_by_the_targets_own_clock() {
    // F6: where that clock is not known, the time on the way must not make it later
    for (theirs, not_after_boot_ms, expires_in_ms) in [(Some(5_000), Some(45_000), 40_000), (None, None, 30_000)] {
        let mut bench = Bench::new();
        let data = show_confirmation(&mut bench);
        bench.pass(20_000);
        bench.world.nodes[1].boot_ms = theirs;
        let command_id = bench.press_on(MESSAGE, &data);
        let (_, to, request) = bench.asks.last().cloned().unwrap();
        let boot_id = Some("boot-1".into());
        let expected = Request::Reboot { command_id, term: Term(7), expires_in_ms, not_after_boot_ms, boot_id };
        assert_eq!((to, request), (node("beta"), expected));
        let Stage::Rebooting { not_after_boot_ms: stored, .. } = bench.stages.last().unwrap().1 else { panic!() };
        assert_eq!(stored, not_after_boot_ms, "a successor asks by the same");
    }
}

#[test]
fn a_button_that_is_late_or_used_or_anothers_says_why_and_puts_no_new_one_under_the_finger() {
    type Prepare = fn(&mut Bench, String) -> String;
    let cases: [(Prepare, &[Key]); 5] = [
        (
            |bench, data| {
                bench.pass(45_001);
                bench.telegram();
                data
            },
            &[Key::ConfirmExpired],
        ),
        (
            |bench, data| {
                bench.press_on(MESSAGE, &data);
                bench.telegram();
                bench.reply("reboot", &refused(RpcCode::Disabled));
                bench.pass(1_000);
                bench.telegram();
                data
            },
            &[Key::ConfirmUsed, Key::RebootRefused],
        ),
        (
            |bench, data| {
                bench.press(&ways::ask_reboot(node("beta")));
                bench.telegram();
                data
            },
            &[Key::ConfirmUsed, Key::ConfirmReboot],
        ),
        (|_, data| data.replace(&data[20..], "0123456789abcdef"), &[Key::ConfirmTaken]),
        (
            |bench, data| {
                bench.dialogue.deposed();
                let acts = bench.dialogue.elected(&bench.world, None);
                bench.perform(acts);
                bench.telegram();
                data
            },
            &[Key::ConfirmTaken],
        ),
    ];
    for (prepare, expected) in cases {
        let mut bench = Bench::new();
        let data = show_confirmation(&mut bench);
        let data = prepare(&mut bench, data);
        bench.pass(10_000);
        let reboots = bench.asks.iter().filter(|(_, _, request)| request_name(request) == "reboot").count();
        let id = bench.press_on(MESSAGE, &data);
        let calls = bench.telegram();
        assert!(matches!(calls.first(), Some(BotCall::AnswerCallback { .. })));
        // Of another leader's button nobody may say that nothing was done.
        let taken = expected[0] == Key::ConfirmTaken;
        assert_eq!(toast(&calls), Some(if taken { Key::ConfirmElsewhere } else { expected[0] }));
        assert_eq!(keys(&last_screen(&calls)), expected, "also for whom the toast comes too late");
        let live = last_screen(&calls).buttons.iter().flatten().any(|one| one.press.verb() == reboot::CONFIRM);
        assert_eq!(live, expected.contains(&Key::ConfirmReboot), "only where the owner has asked for it since");
        let after = bench.asks.iter().filter(|(_, _, request)| request_name(request) == "reboot").count();
        assert_eq!(after, reboots, "{expected:?}");
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn a_confirmation_is_taken_off_the_screen_when_its_button_stops_working() {
    let mut bench = Bench::new();
    show_confirmation(&mut bench);
    bench.pass(45_000);
    assert!(bench.telegram().is_empty(), "until then it works");
    bench.pass(1);
    let screen = last_screen(&bench.telegram());
    assert_eq!(keys(&screen), [Key::ConfirmOver]);
    let presses: Vec<&Press> = screen.buttons.iter().flatten().map(|button| &button.press).collect();
    assert_eq!(presses, [&ways::card(node("beta")), &ways::list(0)]);
    assert_eq!(bench.dialogue.deadline(), None);
    // A newer one has its own time, and what the owner looks at instead stays.
    show_confirmation(&mut bench);
    bench.pass(20_000);
    show_confirmation(&mut bench);
    bench.pass(44_000);
    assert!(bench.telegram().is_empty());
    bench.press(&ways::help());
    bench.telegram();
    bench.pass(60_000);
    assert!(bench.telegram().is_empty());
}

#[test]
fn a_reboot_of_the_leader_says_whether_another_node_takes_over() {
    for (has_heir, expected) in [(true, Key::ConfirmRebootLeader), (false, Key::ConfirmRebootAlone)] {
        let mut bench = Bench::new();
        bench.world.has_heir = has_heir;
        bench.press(&ways::ask_reboot(node("alpha")));
        assert_eq!(keys(&last_screen(&bench.telegram())), [expected]);
    }
}

#[test]
fn a_result_that_the_next_screen_covers_unshown_is_told_above_it() {
    // F6: "asking" is on its way to Telegram, the failure waits for it, and the owner asks for the list meanwhile.
    let mut bench = Bench::new();
    let data = show_confirmation(&mut bench);
    let id = bench.press_on(MESSAGE, &data);
    bench.reply("reboot", &took(id, RebootOutcome::Failed { status: Some(1), stderr: "no".into() }));
    bench.text("/nodes");
    let screen = last_screen(&bench.telegram());
    assert_eq!(screen.notices.iter().map(|say| say.key).collect::<Vec<_>>(), [Key::RebootFailed]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn every_answer_of_the_target_is_told_in_words() {
    let failed = |status| RebootOutcome::Failed { status, stderr: "no".into() };
    let id = CommandId([0; 32]);
    let unexpected = Ok(Response::Done);
    let cases: Vec<(Result<Response, CallError>, Key, bool)> = vec![
        (took(id, RebootOutcome::Started), Key::RebootGoing, false),
        (took(id, RebootOutcome::Accepted), Key::RebootGoing, false),
        (took(id, failed(Some(1))), Key::RebootFailed, true),
        (took(id, failed(None)), Key::RebootFailed, true),
        (unexpected, Key::RebootUnsure, false),
        (not_sent(), Key::RebootNotSent, true),
        (lost(), Key::RebootUnsure, false),
        (refused(RpcCode::Disabled), Key::RebootRefused, true),
        (refused(RpcCode::OldTerm), Key::RebootRefused, true),
        (refused(RpcCode::TooLate), Key::RebootRefused, true),
        (refused(RpcCode::Busy), Key::RebootRefused, true),
        (refused(RpcCode::AgentFailed), Key::RebootRefused, true),
        (refused(RpcCode::ClockSkew), Key::RebootRefused, true),
        (refused(RpcCode::AgentUnreachable), Key::RebootUnsure, false),
        (refused(RpcCode::TimedOut), Key::RebootUnsure, false),
    ];
    for (answer, expected, over) in cases {
        let mut bench = Bench::new();
        let id = confirm(&mut bench);
        bench.reply("reboot", &answer);
        bench.pass(10_000);
        let screen = last_screen(&bench.telegram());
        assert!(keys(&screen).contains(&expected), "{answer:?}: {:?}", keys(&screen));
        assert_eq!(bench.done(id), usize::from(over), "{answer:?}");
    }
}

#[test]
fn what_was_not_done_is_not_said_to_be_undone_while_a_copy_of_it_is_out_of_reach() {
    // F6: the other side of a cut has the order, and asks as well
    for answer in [not_sent(), refused(RpcCode::OldTerm), refused(RpcCode::ClockSkew)] {
        let mut bench = Bench::new();
        bench.world.nodes[1].boot_ms = Some(5_000);
        let id = confirm(&mut bench);
        bench.world.strayed = vec![id];
        bench.reply("reboot", &answer);
        bench.pass(10_000);
        assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootUnsure, Key::RebootStillUp]);
        bench.reply("stats", &stats("boot-1", 1_012));
        let again = bench.asks.iter().filter(|(_, _, request)| request_name(request) == "reboot").count();
        assert_eq!((again, bench.done(id)), (1, 0), "it is asked again, by the same id");
        bench.reply("reboot", &took(id, RebootOutcome::Started));
        bench.pass(2_000);
        bench.reply("stats", &stats("boot-2", 3));
        bench.telegram();
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn before_the_owner_reads_that_nothing_was_done_nobody_can_do_it_any_more() {
    // F6: a keeper that does not hear of the end takes the order up; not even where the target refuses it is that certain: one whose machine
    // stood still counts that no more once its process starts anew
    for answer in [not_sent(), refused(RpcCode::OldTerm), refused(RpcCode::ClockSkew), refused(RpcCode::TooLate)] {
        let mut bench = Bench::new();
        bench.world.nodes[1].boot_ms = Some(5_000);
        let id = confirm(&mut bench);
        bench.telegram();
        bench.pass(2_000);
        bench.order.clear();
        bench.reply("reboot", &answer);
        bench.world.unsettled = vec![id];
        bench.pass(1_000);
        assert_eq!(bench.order, ["stage"], "{answer:?}: the keepers have not answered");
        bench.world.unsettled.clear();
        bench.pass(1_000);
        assert_eq!(bench.order, ["stage", "edit"], "{answer:?}");
        let stage = bench.stages.last().cloned().expect("a stage").1;
        assert!(
            matches!(stage, Stage::Rebooting { not_after_boot_ms: Some(0), not_after_unix_ms: 0, .. }),
            "{stage:?}"
        );
        let mut successor = Bench::new();
        let content = CommandContent::Text { text: "x".into() };
        let command = StoredCommand { id, stage, ..successor.stored(content) };
        successor.give(&command);
        successor.reply("stats", &stats("boot-1", 1_000));
        let asked = |(_, _, request): &(AskId, NodeId, Request)| match request {
            Request::Reboot { not_after_boot_ms, .. } => Some(*not_after_boot_ms),
            _ => None,
        };
        assert_eq!(successor.asks.iter().find_map(asked), Some(Some(0)), "the target refuses it as late");
        successor.reply("reboot", &refused(RpcCode::TooLate));
        successor.pass(2_000);
        assert_eq!(keys(&last_screen(&successor.telegram())), [Key::RebootRefused]);
    }
}

#[test]
fn a_keeper_that_is_cut_off_while_it_is_told_that_nothing_was_done_leaves_it_open() {
    // F6: it has the order as it was given, and may be the next leader
    let mut bench = Bench::new();
    bench.world.nodes[1].boot_ms = Some(5_000);
    let id = confirm(&mut bench);
    bench.telegram();
    bench.pass(2_000);
    bench.reply("reboot", &not_sent());
    bench.world.unsettled = vec![id];
    bench.pass(1_000);
    (bench.world.unsettled, bench.world.strayed) = (Vec::new(), vec![id]);
    bench.pass(1_000);
    let stage = bench.stages.last().cloned().expect("a stage").1;
    assert!(matches!(stage, Stage::Rebooting { not_after_boot_ms: Some(65_000), .. }), "as it was given: {stage:?}");
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootUnsure, Key::RebootStillUp]);
    bench.pass(2_000);
    bench.reply("stats", &stats("boot-1", 1_012));
    bench.reply("reboot", &took(id, RebootOutcome::Started));
    bench.pass(2_000);
    bench.reply("stats", &stats("boot-2", 3));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::RebootBack]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn a_host_that_does_not_come_back_is_given_up_in_words() {
    for (answer, expected) in [(lost(), Key::RebootNotBack), (stats("boot-1", 2_000), Key::RebootNotDone)] {
        let mut bench = Bench::new();
        let id = confirm(&mut bench);
        bench.reply("reboot", &took(id, RebootOutcome::Accepted));
        let mut last = None;
        for _ in 0..400 {
            bench.pass(2_000);
            bench.reply("stats", &answer);
            last = bench.telegram().iter().rev().find_map(screen).cloned().or(last);
            if bench.done(id) > 0 {
                break;
            }
        }
        assert_eq!(keys(&last.unwrap()), [expected]);
        assert_eq!(bench.done(id), 1);
        // Ten minutes of progress do not cost hundreds of edits.
        assert!(bench.count("edit") < 100, "{}", bench.count("edit"));
    }
}

#[test]
fn a_result_reaches_an_owner_who_looks_elsewhere() {
    let mut bench = Bench::new();
    let id = confirm(&mut bench);
    bench.reply("reboot", &took(id, RebootOutcome::Accepted));
    bench.press(&ways::list(0));
    bench.telegram();
    bench.pass(20_000);
    bench.reply("stats", &stats("boot-2", 3));
    let screen = last_screen(&bench.telegram());
    assert!(matches!(screen.body, Body::List(_)));
    assert_eq!(keys(&screen), [Key::RebootBack]);
    assert_eq!(bench.done(id), 1);
    // It was read by the time of the next press.
    bench.pass(5_000);
    bench.press(&ways::list(0));
    assert_eq!(keys(&last_screen(&bench.telegram())), []);
}
