//! Invitations: bounds, refusals in the owner's words, and what becomes of each in its own message.

use constella_shared::ids::{NetworkId, Pin};
use constella_shared::limits::INVITE_TTL_S;
use constella_shared::link::{InviteLink, Seed};

use crate::bot::bench::*;
use crate::bot::kit::say::Value;
use crate::bot::kit::world::Invited;
use crate::joins::InviteError;

/// A link that differs from others by this number.
pub(crate) fn link(number: u64) -> InviteLink {
    InviteLink {
        seeds: vec![Seed { addr: "203.0.113.7:4747".into(), pin: Pin([7; 32]) }],
        network: NetworkId([1; 32]),
        token: Secret::new(alloc::format!("{number:064x}")),
        ttl_s: 900,
    }
}

fn record(link: &InviteLink, world: &World, ttl_s: u64) -> Invited {
    Invited {
        token: token_hash(&link.token),
        exp_unix_s: world.now.unix_ms / 1_000 + ttl_s,
        by: world.me,
        spent_by: None,
    }
}

/// Asks for an invitation, which is on record and in the chat afterwards; the message, and whether the command ended.
fn invited(bench: &mut Bench, number: u64, ttl_s: u64) -> i64 {
    let id = bench.text(&alloc::format!("/invite {ttl_s}"));
    let (ask, asked_s) = bench.invites.pop().unwrap();
    assert_eq!(asked_s, ttl_s);
    let link = link(number);
    let record = record(&link, &bench.world, ttl_s);
    bench.world.invites.push(record);
    bench.answer(ask, Answer::Link(Ok(link)));
    let sent = bench.telegram();
    assert!(matches!(sent.last(), Some(BotCall::Send { screen: Screen::Invite { .. }, .. })), "{sent:?}");
    assert_eq!(bench.done(id), 1);
    bench.next_message
}

/// A server came in, and the node looks, as it does when a record of an invitation changes.
fn spend(bench: &mut Bench, at: usize, name: &str) {
    bench.world.invites[at].spent_by = Some(node(name));
    bench.invitations_changed();
}

/// What the message was edited to.
fn edited(calls: &[BotCall], of: i64) -> Option<Say> {
    calls.iter().find_map(|call| match call {
        BotCall::Edit { chat: OWNER, message, screen: Screen::Note { say, .. } } if *message == of => Some(say.clone()),
        _ => None,
    })
}

/// Answers everything that waits for Telegram with this.
fn telegram_says(bench: &mut Bench, result: &Result<BotReply, BotError>) -> usize {
    let calls = core::mem::take(&mut bench.calls);
    let count = calls.len();
    for (ask, _) in calls {
        bench.answer(ask, Answer::Bot(result.clone()));
    }
    count
}

#[test]
fn an_invitation_is_a_message_of_its_own() {
    let cases =
        [("/invite", 900), ("/invite 2h", 7_200), ("/invite 90", 90), ("/invite 60", 60), ("/invite 7d", 604_800)];
    for (text, seconds) in cases {
        let mut bench = Bench::new();
        let id = bench.text(text);
        let (ask, ttl_s) = bench.invites.pop().unwrap();
        assert_eq!(ttl_s, seconds);
        bench.answer(ask, Answer::Link(Ok(link(1))));
        let secret = Secret::new(link(1).to_string());
        let expected = Screen::Invite { language: Language::En, link: secret, ttl_s };
        assert!(!alloc::format!("{:?}", bench.calls).contains("join://"), "a link is a secret");
        assert_eq!(bench.telegram(), [BotCall::Send { chat: OWNER, thread: None, screen: expected, silent: false }]);
        assert!(bench.records.is_empty());
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn no_invitation_is_told_in_words_of_the_owners_language() {
    let note = |calls: &[BotCall]| match &calls[0] {
        BotCall::Send { screen: Screen::Note { say, .. }, .. } => say.clone(),
        other => panic!("{other:?}"),
    };
    for text in ["/invite soon", "/invite 0", "/invite -5m", "/invite 99999999999999999999d"] {
        let mut bench = Bench::new();
        let id = bench.text(text);
        assert_eq!(note(&bench.telegram()).key, Key::InviteUsage, "{text}");
        assert_eq!(bench.done(id), 1);
    }
    let bounds = Say::new(Key::InviteBounds).span("least", 60_000).span("most", INVITE_TTL_S * 1_000);
    for text in ["/invite 1s", "/invite 59", "/invite 8d", "/invite 604801"] {
        let mut bench = Bench::new();
        let id = bench.text(text);
        assert_eq!(note(&bench.telegram()), bounds, "{text}");
        assert!(bench.invites.is_empty(), "{text}");
        assert_eq!(bench.done(id), 1);
    }
    let refusals = [
        (InviteError::TooMany, Say::new(Key::InviteTooMany).with("count", Value::Count(256))),
        (InviteError::NoAddress, Say::new(Key::InviteNoAddress)),
    ];
    for (error, why) in refusals {
        let mut bench = Bench::new();
        let id = bench.text("/invite 5m");
        let (ask, _) = bench.invites.pop().unwrap();
        bench.answer(ask, Answer::Link(Err(error)));
        let said = Say::new(Key::InviteFailed).with("why", Value::Say(why));
        assert_eq!(note(&bench.telegram()), said);
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn a_used_invitation_says_by_whom_and_is_not_edited_again() {
    let mut bench = Bench::new();
    let message = invited(&mut bench, 1, 900);
    bench.pass(10_000);
    assert!(bench.calls.is_empty());
    spend(&mut bench, 0, "gamma");
    bench.pass(5_000);
    assert_eq!(edited(&bench.telegram(), message), Some(Say::new(Key::InviteUsed).text("name", "gamma")));
    bench.pass(2 * 900_000);
    assert!(bench.calls.is_empty() && bench.dialogue.deadline().is_none());
}

#[test]
fn an_invitation_that_nobody_used_says_that_it_is_over() {
    let mut bench = Bench::new();
    let message = invited(&mut bench, 1, 60);
    bench.pass(59_000);
    assert!(bench.calls.is_empty());
    bench.pass(4_000);
    assert_eq!(edited(&bench.telegram(), message), Some(Say::new(Key::InviteOver)));
    bench.pass(900_000);
    assert!(bench.calls.is_empty() && bench.dialogue.deadline().is_none());
}

#[test]
fn an_invitation_is_not_called_over_while_the_wall_clock_lets_somebody_in() {
    let mut bench = Bench::new();
    let message = invited(&mut bench, 1, 60);
    // The wall clock was set back by a minute.
    bench.world.now.unix_ms -= 60_000;
    bench.pass(100_000);
    assert!(bench.calls.is_empty());
    bench.pass(30_000);
    assert_eq!(edited(&bench.telegram(), message), Some(Say::new(Key::InviteOver)));
}

#[test]
fn a_wall_clock_that_was_set_ahead_ends_an_invitation_at_the_next_look() {
    let mut bench = Bench::new();
    let message = invited(&mut bench, 1, 900);
    bench.pass(5_000);
    bench.world.now.unix_ms += 3_600_000;
    bench.tick();
    assert_eq!(edited(&bench.telegram(), message), Some(Say::new(Key::InviteOver)));
    // One that is not on record any more, for its clock was set by more than it is kept.
    let mut bench = Bench::new();
    let message = invited(&mut bench, 1, 60);
    bench.world.invites.clear();
    bench.pass(59_000);
    assert!(bench.calls.is_empty());
    bench.pass(2_000);
    assert_eq!(edited(&bench.telegram(), message), Some(Say::new(Key::InviteOver)));
}

#[test]
fn each_of_several_invitations_gets_its_own_end_one_after_another() {
    let mut bench = Bench::new();
    let messages = [1, 2, 3].map(|number| {
        bench.pass(10_000);
        invited(&mut bench, number, 900)
    });
    spend(&mut bench, 2, "beta");
    spend(&mut bench, 0, "gamma");
    let mut calls = Vec::new();
    for _ in 0..5 {
        assert!(bench.calls.len() <= 1, "one edit at a time");
        calls.extend(bench.telegram());
        bench.pass(2_000);
    }
    assert_eq!(edited(&calls, messages[0]), Some(Say::new(Key::InviteUsed).text("name", "gamma")));
    assert_eq!(edited(&calls, messages[1]), None);
    assert_eq!(edited(&calls, messages[2]), Some(Say::new(Key::InviteUsed).text("name", "beta")));
}

#[test]
fn a_message_that_is_gone_is_not_edited_again_and_one_that_cannot_be_reached_not_for_ever() {
    for error in [BotError::MessageGone, BotError::ChatGone, BotError::Refused("no".into())] {
        let mut bench = Bench::new();
        invited(&mut bench, 1, 900);
        spend(&mut bench, 0, "gamma");
        bench.pass(5_000);
        assert_eq!(telegram_says(&mut bench, &Err(error.clone())), 1, "{error:?}");
        bench.pass(3_600_000);
        assert!(bench.calls.is_empty() && bench.dialogue.deadline().is_none(), "{error:?}");
    }
    for error in [BotError::Server, BotError::Unreachable("x".into())] {
        let mut bench = Bench::new();
        invited(&mut bench, 1, 900);
        spend(&mut bench, 0, "gamma");
        let mut tries = 0;
        for _ in 0..3_000 {
            bench.pass(31_000);
            tries += telegram_says(&mut bench, &Err(error.clone()));
        }
        assert!((1_000..=2_600).contains(&tries), "{error:?}: {tries}");
        assert!(bench.dialogue.deadline().is_none(), "{error:?}");
    }
}

#[test]
fn a_flood_wait_delays_the_edit_and_a_failed_one_is_tried_again() {
    for error in [BotError::RetryAfter { ms: 30_000 }, BotError::Server] {
        let mut bench = Bench::new();
        let message = invited(&mut bench, 1, 900);
        spend(&mut bench, 0, "gamma");
        bench.pass(5_000);
        assert_eq!(telegram_says(&mut bench, &Err(error.clone())), 1);
        bench.pass(31_000);
        assert!(edited(&bench.telegram(), message).is_some(), "{error:?}");
    }
}

#[test]
fn a_node_that_serves_again_tells_what_became_of_its_invitations_meanwhile() {
    let mut bench = Bench::new();
    let message = invited(&mut bench, 1, 900);
    bench.pass(5_000);
    bench.dialogue.deposed();
    bench.world.invites[0].spent_by = Some(node("beta"));
    bench.pass(60_000);
    assert!(bench.calls.is_empty() || !bench.world.polls);
    bench.calls.clear();
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    let mut calls = bench.telegram();
    bench.pass(5_000);
    calls.extend(bench.telegram());
    assert_eq!(edited(&calls, message), Some(Say::new(Key::InviteUsed).text("name", "beta")));
}
