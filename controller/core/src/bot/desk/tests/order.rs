//! Answers leave in the order of the questions, one after another.

use crate::bot::bench::*;

/// The links of these calls, in the order in which they left.
fn links(calls: &[BotCall]) -> Vec<String> {
    let number = |link: &str| {
        let token = link.split("token=").nth(1).and_then(|rest| rest.get(..64)).unwrap();
        u64::from_str_radix(token, 16).unwrap().to_string()
    };
    let link = |call: &BotCall| match call {
        BotCall::Send { screen: Screen::Invite { link, .. }, .. } => Some(number(link.expose())),
        BotCall::Send { screen: Screen::Message(_), .. } => Some("list".to_string()),
        _ => None,
    };
    calls.iter().filter_map(link).collect()
}

fn invite(bench: &mut Bench, link: u64) -> CommandId {
    let id = bench.text("/invite 15m");
    let (ask, _) = bench.invites.pop().unwrap();
    bench.answer(ask, Answer::Link(Ok(crate::bot::rooms::invite::tests::link(link))));
    id
}

/// Lets Telegram take everything, one call at a time, until there is nothing left.
fn all(bench: &mut Bench) -> Vec<BotCall> {
    let mut calls = bench.telegram();
    for _ in 0..60 {
        bench.pass(1_500);
        calls.extend(bench.telegram());
    }
    calls
}

/// Issue 14.4: they came 0,1,2,3,9,11,6,8,7,10,4,5.
#[test]
fn twelve_invitations_at_once_come_in_the_order_in_which_they_were_asked_for() {
    let mut bench = Bench::new();
    let ids: Vec<CommandId> = (0..12).map(|link| invite(&mut bench, link)).collect();
    assert_eq!(bench.calls.len(), 1, "one after another: two on their way may overtake each other");
    let calls = all(&mut bench);
    assert_eq!(links(&calls), (0..12).map(|link| link.to_string()).collect::<Vec<_>>());
    assert!(ids.iter().all(|id| bench.done(*id) == 1));
}

#[test]
fn one_that_fails_is_not_overtaken_by_the_next() {
    let mut bench = Bench::new();
    let _ids: Vec<CommandId> = (0..3).map(|link| invite(&mut bench, link)).collect();
    let errors =
        [BotError::Server, BotError::RetryAfter { ms: 7_000 }, BotError::Unreachable("x".into()), BotError::TopicGone];
    let mut sent = Vec::new();
    for error in errors {
        while bench.calls.is_empty() {
            bench.pass(500);
        }
        let (ask, call) = bench.calls.remove(0);
        sent.extend(links(&[call]));
        bench.answer(ask, Answer::Bot(Err(error)));
        assert!(bench.calls.len() < 2);
    }
    assert_eq!(sent, ["0", "0", "0", "0"], "a topic that is gone without one having been named is a refusal");
    assert_eq!(links(&all(&mut bench)), ["1", "2"]);
}

#[test]
fn a_list_has_its_place_between_invitations() {
    let mut bench = Bench::new();
    invite(&mut bench, 0);
    bench.text("/nodes");
    invite(&mut bench, 1);
    bench.text("/nodes");
    invite(&mut bench, 2);
    // The later list takes the place of the earlier one, which nobody saw.
    assert_eq!(links(&all(&mut bench)), ["0", "1", "list", "2"]);
}

#[test]
fn a_list_that_is_on_its_way_is_not_overtaken() {
    let mut bench = Bench::new();
    bench.text("/nodes");
    invite(&mut bench, 0);
    assert_eq!(bench.order.iter().filter(|name| **name == "send").count(), 1);
    bench.telegram_fails(BotError::Server);
    assert_eq!(links(&all(&mut bench)), ["list", "0"]);
}

#[test]
fn a_card_that_is_brought_holds_an_invitation_up_for_a_moment_only() {
    let mut bench = Bench::new();
    bench.press_on(7, ways::card(node("beta")).data());
    invite(&mut bench, 0);
    assert_eq!(links(&bench.telegram()), [] as [&str; 0]);
    bench.pass(700);
    let calls = bench.telegram();
    assert_eq!(links(&calls), ["list", "0"], "what is there of the card, though its node does not answer");
}

#[test]
fn a_press_is_shown_at_once_beside_many_invitations() {
    let mut bench = Bench::new();
    let _ids: Vec<CommandId> = (0..12).map(|link| invite(&mut bench, link)).collect();
    bench.press(&ways::help());
    assert!(bench.calls.iter().any(|(_, call)| matches!(call, BotCall::Edit { .. })), "{:?}", bench.order);
}

/// What another leader left comes after what was taken here: its order is that of the questions too.
#[test]
fn commands_of_another_leader_keep_their_order() {
    let mut bench = Bench::new();
    let mut commands: Vec<StoredCommand> =
        (0..6).map(|_| bench.stored(CommandContent::Text { text: "/invite 15m".into() })).collect();
    commands.iter_mut().for_each(|command| command.taken_by = node("beta"));
    let updates: Vec<i64> = commands.iter().map(|command| command.update_id).collect();
    commands.reverse();
    for command in &commands {
        bench.give(command);
    }
    while let Some((ask, _)) = bench.invites.pop() {
        let number = commands[bench.invites.len()].update_id.unsigned_abs();
        bench.answer(ask, Answer::Link(Ok(crate::bot::rooms::invite::tests::link(number))));
    }
    let expected: Vec<String> = updates.iter().map(i64::to_string).collect();
    assert_eq!(links(&all(&mut bench)), expected);
}
