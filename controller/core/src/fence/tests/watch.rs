//! F3, and what a watcher finishes (F6).

use super::*;

#[test]
fn a_watcher_polls_when_the_same_head_waits_for_1500_ms() {
    // F3
    let mut rig = Rig::new(WEAK);
    let polled = watch(&mut rig, 10_000, |now| (now >= 3_000).then_some(900_001));
    assert!(polled.is_some_and(|at| (5_400..=6_100).contains(&at)), "{polled:?}");
}

#[test]
fn a_watcher_is_less_patient_where_the_holders_port_refuses() {
    // F3: and still leaves an engine the time to start the process again
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { refused: true, ..title(WEAK) });
    let polled = watch(&mut rig, 10_000, |_| Some(900_001));
    assert!(polled.is_some_and(|at| (900..=1_300).contains(&at)), "{polled:?}");
    assert_eq!(watch(&mut Rig::new(WEAK), 1_300, |_| Some(900_001)), None);
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { refused: true, ..title(WEAK) });
    let served = watch(&mut rig, 30_000, |now| Some(900_000 + i64::try_from(now / 600).unwrap_or(0)));
    assert_eq!(served, None, "a port says nothing against a queue that moves");
}

#[test]
fn a_watcher_of_a_port_that_refuses_is_patient_after_a_conflict() {
    // F3: somebody serves, whatever the port says
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { refused: true, ..title(WEAK) });
    assert!(watch(&mut rig, 10_000, |_| Some(900_001)).is_some());
    let parked = CallId(rig.calls.next().0 - 1);
    let begun = rig.now;
    let acts = rig.answer(parked, Err(BotError::Conflict));
    let polled = watch_on(&mut rig, acts, begun + 30_000, |_| Some(900_001)).unwrap_or(0);
    assert!(polled - begun >= 3_000, "{}", polled - begun);
}

#[test]
fn a_watcher_leaves_the_head_to_those_that_may_watch_elsewhere_and_are_better() {
    // F3, F4: on three sides of a cut three watchers see the same head, and the first one serves all of them
    let polled_at = |rivals| {
        let mut rig = Rig::new(WEAK);
        rig.title = Some(Title { rivals, ..title(WEAK) });
        watch(&mut rig, 20_000, |_| Some(900_001)).unwrap_or(20_000)
    };
    let waits = [0, 1, 2, 4, 5, 190].map(polled_at);
    assert!((2_500..2_700).contains(&waits[0]), "{waits:?}");
    for (wait, slots) in waits.iter().zip([0, 1, 2, 3, 3, 3]) {
        assert!(wait.abs_diff(waits[0] + slots * SLOT_MS) <= 500, "looks are half a second apart: {waits:?}");
    }
    assert!(waits.is_sorted());
}

#[test]
fn who_was_weak_and_becomes_strong_lets_the_pollers_of_other_sides_hear_of_it_first() {
    // F1, F2: one of another side may poll as a watcher, and stops as soon as it hears
    let mut rig = Rig::new(WEAK);
    assert_eq!(watch(&mut rig, 5_000, |_| None), None);
    rig.title = Some(title(STRONG));
    let begun = rig.now;
    let polled = watch(&mut rig, begun + 5_000, |_| None).unwrap_or(0) - begun;
    assert!((SETTLE_MS..SETTLE_MS + 200).contains(&polled), "{polled}");
    let mut rig = Rig::new(WEAK);
    assert_eq!(watch(&mut rig, 2_300, |_| Some(900_001)), None);
    rig.title = Some(title(STRONG));
    assert!(watch(&mut rig, 2_700, |_| Some(900_001)).is_some(), "nobody serves: nobody is disturbed");
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { may_poll: false, ..title(WEAK) });
    assert_eq!(watch(&mut rig, 2_000, |_| None), None);
    rig.title = Some(title(STRONG));
    assert!(poll(&rig.step()).is_some(), "who only looked ahead follows a holder that is gone");
}

#[test]
fn a_watcher_disturbs_nobody_who_serves_the_owner() {
    // F3, F4: the head changes, so somebody takes it; an empty queue is not even peeked at
    let mut rig = Rig::new(WEAK);
    let served = watch(&mut rig, 30_000, |now| Some(900_000 + i64::try_from(now / 1_200).unwrap_or(0)));
    assert_eq!(served, None);
    let mut rig = Rig::new(WEAK);
    assert_eq!(watch(&mut rig, 30_000, |_| None), None);
}

#[test]
fn each_conflict_doubles_a_watchers_patience() {
    // F3
    let mut rig = Rig::new(WEAK);
    let mut waits = Vec::new();
    let mut acts = rig.step();
    for _ in 0..4 {
        let begun = rig.now;
        let polled = watch_on(&mut rig, acts, begun + 100_000, |_| Some(900_001)).unwrap_or(0);
        waits.push((polled - begun) / 1_000);
        let parked = CallId(rig.calls.next().0 - 1);
        rig.now += 10;
        acts = rig.answer(parked, Err(BotError::Conflict));
        assert_eq!(rig.fence.state(), BotState::Watching);
    }
    assert!(waits.is_sorted() && waits.last() > waits.first(), "{waits:?}");
}

#[test]
fn a_weak_holder_that_was_told_by_the_last_one_polls_at_once() {
    // L5
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { told: true, ..title(WEAK) });
    assert!(poll(&rig.step()).is_some());
}

#[test]
fn who_already_looked_when_it_was_told_polls_at_once_too_and_after_a_conflict_watches() {
    // L5, F3: its news that the holder left may come before the holder's own word.
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { may_poll: false, ..title(WEAK) });
    assert_eq!(poll(&rig.step()), None);
    assert_eq!(rig.fence.state(), BotState::Watching);
    rig.title = Some(Title { told: true, ..title(WEAK) });
    let parked = poll(&rig.step()).expect("it was told");
    rig.now += 10;
    let acts = rig.answer(parked, Err(BotError::Conflict));
    assert_eq!((poll(&acts), rig.fence.state()), (None, BotState::Watching));
    rig.now += 100;
    assert_eq!(poll(&rig.step()), None, "the word of the last holder counts once");
}

#[test]
fn who_began_to_poll_as_a_watcher_goes_on_until_a_conflict() {
    // F2
    let mut rig = Rig::new(WEAK);
    assert!(watch(&mut rig, 10_000, |_| Some(900_001)).is_some());
    let acts = rig.step();
    assert!(!acts.iter().any(|act| matches!(act, FenceAct::Cancel(_))));
    assert_eq!(rig.fence.state(), BotState::Polling);
}

#[test]
fn who_polled_as_a_watcher_stops_when_its_lease_is_gone_though_it_may_look_ahead() {
    // L7, F2
    let mut rig = Rig::new(WEAK);
    assert!(watch(&mut rig, 10_000, |_| Some(900_001)).is_some());
    rig.step();
    assert_eq!(rig.fence.state(), BotState::Polling);
    rig.title = Some(Title { may_poll: false, ..title(WEAK) });
    let acts = rig.step();
    assert!(acts.iter().any(|act| matches!(act, FenceAct::Cancel(_))), "{acts:?}");
    assert!(poll(&acts).is_none());
    assert_eq!(rig.fence.state(), BotState::Watching);
}

#[test]
fn a_watcher_finishes_what_it_is_owed_without_a_poll() {
    // F4, F6: the leader died between the confirmation and the answer, or was cut off: the queue is empty either way, and only one of the two
    // leaves somebody to disturb
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { owed: Owed::Orphaned, ..title(WEAK) });
    assert_eq!(watch(&mut rig, HEAD_MS - 500, |_| None), None);
    assert!(!rig.fence.finishes(), "it looks first: it may not reach Telegram");
    assert_eq!(watch(&mut rig, 120_000, |_| None), None, "there is nothing to poll for");
    assert!(rig.fence.finishes());
    rig.title = Some(Title { owed: Owed::Shared, ..title(WEAK) });
    rig.step();
    assert!(rig.fence.finishes(), "it goes on with what it began");
    rig.title = Some(title(WEAK));
    rig.step();
    assert!(!rig.fence.finishes(), "until nothing is owed");
}

#[test]
fn who_only_looks_ahead_or_knows_that_somebody_serves_finishes_nothing() {
    // L7, F6: a 409 under this title was somebody who serves; what is open here is theirs
    let owed = Title { owed: Owed::Orphaned, ..title(WEAK) };
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { may_poll: false, ..owed });
    assert_eq!(watch(&mut rig, 30_000, |_| None), None);
    assert!(!rig.fence.finishes());
    rig.title = Some(owed);
    let acts = rig.step();
    assert!(rig.fence.finishes(), "what it saw before counts");
    let polled = watch_on(&mut rig, acts, 60_000, |_| Some(900_001));
    assert!(polled.is_some() && !rig.fence.finishes(), "the poll serves everything");
    let parked = CallId(rig.calls.next().0 - 1);
    let acts = rig.answer(parked, Err(BotError::Conflict));
    assert_eq!(watch_on(&mut rig, acts, 240_000, |_| None), None);
    assert!(!rig.fence.finishes());
}

#[test]
fn who_met_a_stranger_and_has_a_majority_finishes_what_it_took() {
    // F1, F6: no member serves beside a strong holder, and a stranger does not finish what this node took
    let mut rig = Rig::new(STRONG);
    let mut acts = rig.step();
    for _ in 0..3 {
        rig.now += 4_000;
        let call = poll(&acts).unwrap_or(CallId(0));
        acts = rig.answer(call, Err(BotError::Conflict));
    }
    assert!(acts.contains(&FenceAct::Stranger(true)) && rig.fence.state() == BotState::Watching);
    rig.title = Some(Title { owed: Owed::Orphaned, ..title(STRONG) });
    assert_eq!(watch_on(&mut rig, acts, 30_000, |_| None), None, "nothing waits, so it disturbs nobody");
    assert!(rig.fence.finishes());
}

#[test]
fn who_lost_its_majority_with_a_command_in_hand_leaves_it_for_a_minute() {
    // F2, F6: others have a copy and a majority, or they died; it cannot tell which
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { owed: Owed::Shared, ..title(WEAK) });
    assert_eq!(watch(&mut rig, CUT_MS - 500, |_| None), None);
    assert!(!rig.fence.finishes());
    assert_eq!(watch(&mut rig, CUT_MS + 3_000, |_| None), None);
    assert!(rig.fence.finishes());
}

#[test]
fn who_is_only_getting_ready_looks_but_does_not_poll_before_it_has_a_lease() {
    // F3, L7
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { may_poll: false, ..title(WEAK) });
    assert_eq!(watch(&mut rig, 10_000, |_| Some(900_001)), None);
    rig.title = Some(title(WEAK));
    assert!(poll(&rig.step()).is_some(), "what it saw before counts");
}

#[test]
fn who_was_told_and_holds_nothing_does_not_poll() {
    // L7: the heir's claim may give way before it holds; what it still suspects of the former holder is no lease
    let mut rig = Rig::new(WEAK);
    rig.title = Some(Title { told: true, may_poll: false, ..title(WEAK) });
    let acts = rig.step();
    assert!(poll(&acts).is_none() && look(&acts).is_some());
}
