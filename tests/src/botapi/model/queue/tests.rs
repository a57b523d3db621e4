//! FACTS, "Telegram's server", and DESIGN 5, "Facts the fence rests on": getUpdates as Client.cpp serves it.

use super::*;

const FIRST: i32 = 1_000;

fn queue() -> UpdateQueue<&'static str> {
    UpdateQueue::new(UpdateId(FIRST))
}

fn ask(offset: i32, timeout_s: i64) -> GetUpdates {
    GetUpdates { offset, timeout_s, ..GetUpdates::default() }
}

fn ids(answered: &Answered<&'static str>) -> Vec<i32> {
    match &answered.delivery {
        Delivery::Updates(updates) => updates.iter().map(|(id, _)| id.0).collect(),
        Delivery::Conflict(conflict) => unreachable!("a 409 instead of updates: {conflict:?}"),
    }
}

fn conflict(call: u64, cause: Conflict) -> Answered<&'static str> {
    Answered { call: CallId(call), delivery: Delivery::Conflict(cause) }
}

fn nothing(call: u64) -> Answered<&'static str> {
    Answered { call: CallId(call), delivery: Delivery::Updates(Vec::new()) }
}

/// A queue with `count` updates waiting.
fn filled(count: usize) -> UpdateQueue<&'static str> {
    let mut queue = queue();
    for _ in 0..count {
        queue.push(Ms(0), "message", "hello");
    }
    queue
}

#[test]
fn an_update_stays_until_a_later_offset_confirms_it() {
    let mut queue = filled(2);
    assert_eq!(ids(&queue.get_updates(Ms(10), CallId(1), &ask(0, 0))[0]), [1000, 1001]);
    assert_eq!(ids(&queue.get_updates(Ms(1000), CallId(2), &ask(FIRST, 0))[0]), [1000, 1001]);
    assert_eq!(ids(&queue.get_updates(Ms(2000), CallId(3), &ask(FIRST + 1, 0))[0]), [1001]);
    assert_eq!((queue.ledger().confirmed(), queue.ledger().destroyed()), (1, 0));
    assert_eq!(queue.webhook_info().pending_update_count, 1);
}

#[test]
fn pending_count_includes_what_was_delivered_but_not_confirmed() {
    let mut queue = filled(3);
    queue.get_updates(Ms(10), CallId(1), &ask(0, 0));
    assert_eq!(queue.webhook_info().pending_update_count, 3);
    assert_eq!(queue.ledger().updates[0].deliveries.len(), 1);
}

#[test]
fn limit_is_obeyed_and_clamped() {
    let mut queue = filled(120);
    let limited = |limit| GetUpdates { limit: Some(limit), ..GetUpdates::default() };
    for (at, limit, count) in [(1_000, 5, 5), (2_000, 0, 1), (3_000, -4, 1), (4_000, 500, 100)] {
        assert_eq!(ids(&queue.get_updates(Ms(at), CallId(at), &limited(limit))[0]).len(), count, "limit {limit}");
    }
}

#[test]
fn negative_offset_destroys_all_but_the_last() {
    let mut queue = filled(3);
    assert_eq!(ids(&queue.get_updates(Ms(10), CallId(1), &ask(-1, 0))[0]), [1002]);
    assert_eq!(queue.ledger().destroyed(), 2);
    assert_eq!(queue.ledger().updates[0].end.unwrap().how, End::NegativeOffset);
}

#[test]
fn confirming_what_nobody_saw_is_destruction() {
    let mut queue = filled(2);
    queue.get_updates(Ms(10), CallId(1), &ask(FIRST + 2, 0));
    assert_eq!(queue.ledger().destroyed(), 2);
    assert_eq!(queue.ledger().updates[1].end.unwrap().how, End::Skipped);
}

#[test]
fn an_offset_of_another_server_confirms_nothing() {
    // F3 rests on it: a small positive offset that no poll uses only looks.
    for offset in [1, FIRST + 1_000] {
        let mut queue = filled(2);
        assert_eq!(ids(&queue.get_updates(Ms(10), CallId(1), &ask(offset, 0))[0]), [1000, 1001], "offset {offset}");
        assert_eq!(queue.ledger().destroyed() + queue.ledger().confirmed(), 0);
    }
}

#[test]
fn a_poll_parks_until_an_update_comes() {
    let mut queue = queue();
    assert_eq!(queue.get_updates(Ms(0), CallId(1), &ask(0, 50)), []);
    assert_eq!(queue.parked(), Some(CallId(1)));
    let (id, answers) = queue.push(Ms(700), "message", "hello");
    assert_eq!((id, ids(&answers[0])), (Some(UpdateId(FIRST)), vec![FIRST]));
    assert_eq!((queue.parked(), queue.deadline()), (None, None));
}

#[test]
fn a_poll_ends_empty_at_its_timeout_which_is_at_most_50_s() {
    let mut queue = queue();
    queue.get_updates(Ms(0), CallId(1), &ask(0, 900));
    assert_eq!(queue.deadline(), Some(Ms(50_000)));
    assert_eq!(queue.tick(Ms(49_999)), []);
    assert_eq!(queue.tick(Ms(50_000)), [nothing(1)]);
}

#[test]
fn a_newcomer_evicts_the_parked_poll_and_is_told_nothing() {
    let mut queue = queue();
    queue.get_updates(Ms(0), CallId(1), &ask(0, 50));
    assert_eq!(queue.get_updates(Ms(5_000), CallId(2), &ask(0, 50)), [conflict(1, Conflict::OtherGetUpdates)]);
    assert_eq!(queue.parked(), Some(CallId(2)));
}

#[test]
fn a_second_conflict_within_3_s_comes_exactly_3_s_late_and_gets_nothing_meanwhile() {
    let mut queue = queue();
    queue.get_updates(Ms(0), CallId(1), &ask(0, 50));
    queue.get_updates(Ms(1_000), CallId(2), &ask(0, 50));
    assert_eq!(queue.get_updates(Ms(2_500), CallId(3), &ask(0, 50)), []);
    let (_, answers) = queue.push(Ms(3_000), "message", "hello");
    assert_eq!(answers.iter().map(|answer| answer.call).collect::<Vec<_>>(), [CallId(3)]);
    assert_eq!(queue.deadline(), Some(Ms(5_500)));
    assert_eq!(queue.tick(Ms(5_499)), []);
    assert_eq!(queue.tick(Ms(5_500)), [conflict(2, Conflict::OtherGetUpdates)]);
    let late = queue.ledger().conflicts[1];
    assert_eq!((late.at, late.answered, late.call), (Ms(2_500), Ms(5_500), CallId(2)));
}

#[test]
fn a_late_conflict_does_not_delay_the_next_one() {
    let mut queue = queue();
    for (at, call) in [(0, 1), (1_000, 2), (2_000, 3)] {
        queue.get_updates(Ms(at), CallId(call), &ask(0, 50));
    }
    // Call 1 got its 409 at 1,000; call 2's is due at 5,000; at 4,000 the last immediate one is 3 s ago.
    assert_eq!(queue.get_updates(Ms(4_000), CallId(4), &ask(0, 50)), [conflict(3, Conflict::OtherGetUpdates)]);
}

#[test]
fn a_call_that_need_not_wait_evicts_nobody() {
    let mut queue = queue();
    queue.get_updates(Ms(0), CallId(1), &ask(0, 50));
    assert_eq!(queue.get_updates(Ms(4_000), CallId(2), &ask(7, 0)), [nothing(2)]);
    assert_eq!(queue.get_updates(Ms(9_000), CallId(3), &ask(0, 0)), [nothing(3)]);
    assert_eq!(queue.parked(), Some(CallId(1)));
}

#[test]
fn a_farewell_with_the_same_offset_within_3_s_becomes_a_poll_and_evicts() {
    for (at, evicts) in [(2_999, true), (3_000, false)] {
        let mut queue = queue();
        queue.get_updates(Ms(0), CallId(1), &ask(0, 50));
        let answers = queue.get_updates(Ms(at), CallId(2), &ask(0, 0));
        let expected = if evicts { conflict(1, Conflict::OtherGetUpdates) } else { nothing(2) };
        assert_eq!(answers, [expected], "at {at}");
    }
}

#[test]
fn the_forced_poll_lasts_3_s() {
    let mut queue = queue();
    queue.get_updates(Ms(0), CallId(1), &ask(5, 0));
    assert_eq!(queue.get_updates(Ms(100), CallId(2), &ask(5, 1)), []);
    assert_eq!(queue.deadline(), Some(Ms(3_100)));
    assert_eq!(queue.tick(Ms(3_100)), [nothing(2)]);
}

#[test]
fn the_same_offset_with_something_pending_is_answered_at_once_and_within_half_a_second_with_one() {
    let mut queue = filled(3);
    queue.get_updates(Ms(0), CallId(1), &ask(0, 0));
    assert_eq!(ids(&queue.get_updates(Ms(499), CallId(2), &ask(0, 0))[0]), [1000]);
    assert_eq!(ids(&queue.get_updates(Ms(999), CallId(3), &ask(0, 0))[0]), [1000, 1001, 1002]);
}

#[test]
fn an_update_for_a_dead_poll_comes_again() {
    let mut queue = queue();
    queue.get_updates(Ms(0), CallId(1), &ask(0, 50));
    // The client of call 1 died; the server does not know, and answers into the void.
    let (_, answers) = queue.push(Ms(1_000), "message", "hello");
    assert_eq!(ids(&answers[0]), [FIRST]);
    assert_eq!(ids(&queue.get_updates(Ms(5_000), CallId(2), &ask(0, 50))[0]), [FIRST]);
    assert_eq!(queue.ledger().updates[0].deliveries.len(), 2);
    assert_eq!(queue.ledger().destroyed(), 0);
}

#[test]
fn allowed_updates_is_remembered_until_somebody_changes_it() {
    let mut queue = queue();
    let only = |kinds: &[&str]| GetUpdates {
        allowed_updates: Some(kinds.iter().map(|kind| (*kind).to_owned()).collect()),
        ..GetUpdates::default()
    };
    queue.get_updates(Ms(0), CallId(1), &only(&["message", "no_such_kind"]));
    queue.get_updates(Ms(1_000), CallId(2), &ask(0, 0));
    assert_eq!(queue.push(Ms(2_000), "callback_query", "tap").0, None);
    assert_eq!(queue.webhook_info().allowed_updates, Some(vec!["message".to_owned()]));
    queue.get_updates(Ms(6_000), CallId(3), &only(&[]));
    assert!(queue.push(Ms(7_000), "callback_query", "tap").0.is_some());
    assert_eq!(queue.push(Ms(7_000), "chat_member", "joined").0, None);
}

#[test]
fn webhook_info_disturbs_nobody() {
    let mut queue = queue();
    queue.get_updates(Ms(0), CallId(1), &ask(0, 50));
    for _ in 0..1_000 {
        assert_eq!(queue.webhook_info().pending_update_count, 0);
    }
    assert_eq!((queue.parked(), queue.deadline()), (Some(CallId(1)), Some(Ms(50_000))));
    assert!(queue.ledger().conflicts.is_empty());
}

#[test]
fn a_webhook_ends_polls_with_its_own_text_until_it_is_deleted() {
    let mut queue = filled(1);
    queue.get_updates(Ms(0), CallId(1), &ask(FIRST + 1, 50));
    assert_eq!(queue.set_webhook(Ms(10), "https://example.org/", false, None), [conflict(1, Conflict::SetWebhook)]);
    // The same 3 s rule holds for its conflicts.
    assert_eq!(queue.get_updates(Ms(100), CallId(2), &ask(0, 50)), []);
    assert_eq!(queue.tick(Ms(3_100)), [conflict(2, Conflict::WebhookActive)]);
    assert_eq!(queue.get_updates(Ms(3_200), CallId(3), &ask(0, 0)), [conflict(3, Conflict::WebhookActive)]);
    queue.delete_webhook(Ms(4_000), false);
    assert_eq!(queue.get_updates(Ms(9_000), CallId(4), &ask(0, 0)), [nothing(4)]);
}

#[test]
fn drop_pending_updates_is_destruction() {
    let mut queue = filled(2);
    queue.delete_webhook(Ms(10), true);
    assert_eq!((queue.ledger().destroyed(), queue.webhook_info().pending_update_count), (2, 0));
    assert_eq!(queue.ledger().updates[0].end.unwrap().how, End::Dropped);
}

#[test]
fn an_update_expires_after_a_day() {
    let mut queue = filled(1);
    assert_eq!(queue.get_updates(Ms(24 * 3_600_000 + 1), CallId(1), &ask(0, 0)), [nothing(1)]);
    assert_eq!(queue.ledger().updates[0].end.unwrap().how, End::Expired);
}
