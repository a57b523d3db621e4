//! F1, F2, F3 against a scripted Telegram.

mod hindrance;
mod watch;

use super::*;
use crate::io::UpdateEvent;
use alloc::string::String;
use alloc::vec;

fn at(boot_ms: u64) -> Now {
    Now { boot_ms, unix_ms: boot_ms }
}

fn title(strength: Strength) -> Title {
    let (may_poll, told, ready, all_visible, refused) = (true, false, true, true, false);
    Title { strength, may_poll, told, ready, all_visible, rivals: 0, refused, owed: Owed::Nothing }
}

const STRONG: Strength = Strength::Strong;
const WEAK: Strength = Strength::Weak;

struct Rig {
    fence: Fence,
    calls: Calls,
    now: u64,
    title: Option<Title>,
}

impl Rig {
    fn new(strength: Strength) -> Self {
        Self { fence: Fence::new(NodeId([3; 32])), calls: Calls::default(), now: 0, title: Some(title(strength)) }
    }

    fn step(&mut self) -> Vec<FenceAct> {
        self.fence.step(at(self.now), self.title, &mut self.calls)
    }

    fn answer(&mut self, call: CallId, result: Result<BotReply, BotError>) -> Vec<FenceAct> {
        let mut acts = self.fence.answered(at(self.now), self.title, call, result);
        acts.extend(self.step());
        acts
    }
}

fn asked(acts: &[FenceAct], wanted: impl Fn(&BotCall) -> bool) -> Option<CallId> {
    acts.iter().find_map(|act| match act {
        FenceAct::Call { call, request, .. } if wanted(request) => Some(*call),
        _ => None,
    })
}

fn poll(acts: &[FenceAct]) -> Option<CallId> {
    asked(acts, |request| matches!(request, BotCall::GetUpdates { timeout_s, .. } if *timeout_s > 0))
}

fn look(acts: &[FenceAct]) -> Option<CallId> {
    asked(acts, |request| matches!(request, BotCall::GetWebhookInfo))
}

fn peek(acts: &[FenceAct]) -> Option<(CallId, i64)> {
    acts.iter().find_map(|act| match act {
        FenceAct::Call {
            call,
            request: BotCall::GetUpdates { offset: Some(offset), timeout_s: 0, limit: 1, name_kinds: false },
            ..
        } => Some((*call, *offset)),
        _ => None,
    })
}

fn pending(count: u32) -> Result<BotReply, BotError> {
    Ok(BotReply::Webhook { pending: count, set: false })
}

fn update(id: i64) -> Update {
    let content = constella_shared::wire::command::CommandContent::Text { text: "/nodes".into() };
    let (user, chat, private) = (1, 1, true);
    let event =
        UpdateEvent { user, username: None, language: None, chat, private, thread: None, forwarded: false, content };
    Update { id, event: Some(event) }
}

fn updates(ids: &[i64]) -> Result<BotReply, BotError> {
    Ok(BotReply::Updates(ids.iter().map(|id| update(*id)).collect()))
}

fn unreachable() -> Result<BotReply, BotError> {
    Err(BotError::Unreachable(String::from("no route")))
}

#[test]
fn a_strong_holder_polls_at_once_and_confirms_before_it_polls_on() {
    // F6, F5
    let mut rig = Rig::new(STRONG);
    let acts = rig.step();
    let call = poll(&acts).unwrap_or(CallId(0));
    let acts = rig.answer(call, updates(&[900_001, 900_002]));
    assert!(acts.iter().any(|act| matches!(act, FenceAct::Updates(list) if list.len() == 2)));
    assert_eq!(poll(&acts), None, "nothing is polled while they are stored");
    rig.fence.confirm(900_003);
    let acts = rig.step();
    let confirm = asked(&acts, |r| matches!(r, BotCall::GetUpdates { offset: Some(900_003), timeout_s: 0, .. }));
    let acts = rig.answer(confirm.unwrap_or(CallId(0)), updates(&[]));
    assert!(acts.contains(&FenceAct::Confirmed(900_003)));
    assert!(poll(&acts).is_some());
}

#[test]
fn ids_that_start_anew_after_an_idle_week_are_followed() {
    // Telegram ignores an offset far ahead of its queue and brings the same again: a poll that kept to it would ask without end
    let mut rig = Rig::new(STRONG);
    let mut acts = rig.step();
    for (id, expected) in [(900_001, 900_002), (900_000, 900_002), (700_000, 700_001), (2_000_000, 2_000_001)] {
        let call = poll(&acts).unwrap_or(CallId(0));
        let _acts = rig.answer(call, updates(&[id]));
        rig.fence.skip(id + 1);
        acts = rig.step();
        let next = asked(&acts, |r| matches!(r, BotCall::GetUpdates { offset, .. } if *offset == Some(expected)));
        assert!(next.is_some(), "{id}: {acts:?}");
    }
}

#[test]
fn what_was_shown_is_confirmed_by_the_next_poll_and_by_a_call_of_its_own_where_none_follows() {
    // F6, L5
    for stops in [false, true] {
        let mut rig = Rig::new(STRONG);
        let acts = rig.step();
        let _acts = rig.answer(poll(&acts).unwrap_or(CallId(0)), updates(&[900_001]));
        if stops {
            rig.fence.drain();
        }
        assert!(rig.fence.busy());
        rig.fence.skip(900_002);
        let acts = rig.step();
        let confirms = |request: &BotCall| matches!(request, BotCall::GetUpdates { offset: Some(900_002), .. });
        let call = asked(&acts, confirms).unwrap_or(CallId(0));
        assert_eq!((poll(&acts).is_some(), rig.fence.busy()), (!stops, stops), "{acts:?}");
        let _acts = rig.answer(call, updates(&[]));
        assert!(!rig.fence.busy(), "the stop goes on");
    }
}

/// A poller that sent the confirmation of 900,001; the call.
fn confirming(strength: Strength) -> (Rig, CallId) {
    let mut rig = Rig::new(strength);
    let acts = rig.step();
    let call = match strength {
        Strength::Strong => poll(&acts),
        Strength::Weak => watch_on(&mut rig, acts, 10_000, |_| Some(900_001)).map(|_| CallId(rig.calls.next().0 - 1)),
    };
    let _acts = rig.answer(call.unwrap_or(CallId(0)), updates(&[900_001]));
    rig.fence.confirm(900_002);
    let acts = rig.step();
    let confirm = confirmation(&acts).unwrap_or(CallId(0));
    (rig, confirm)
}

fn confirmation(acts: &[FenceAct]) -> Option<CallId> {
    asked(acts, |r| matches!(r, BotCall::GetUpdates { offset: Some(900_002), timeout_s: 0, .. }))
}

#[test]
fn a_failed_confirmation_is_looked_after_and_nothing_is_acted_on_before() {
    // F6: Telegram may have heard it; to ask again with the same offset while nothing waits would be a poll of 3 s, again and again
    for (waits, confirmed) in [(0, true), (1, false)] {
        let (mut rig, confirm) = confirming(STRONG);
        rig.now += 2_000;
        let acts = rig.answer(confirm, unreachable());
        assert!(!acts.iter().any(|act| matches!(act, FenceAct::Confirmed(_))) && confirmation(&acts).is_none());
        let looked = look(&acts).expect("it looks at once");
        rig.now += 500;
        assert_eq!(confirmation(&rig.step()), None, "not before it knows");
        let acts = rig.answer(looked, pending(waits));
        assert_eq!(acts.contains(&FenceAct::Confirmed(900_002)), confirmed, "{waits} wait");
        assert_eq!((confirmation(&acts).is_some(), poll(&acts).is_some()), (!confirmed, confirmed), "{waits} wait");
    }
}

#[test]
fn a_look_from_before_the_updates_came_confirms_nothing() {
    // F6: it counted what was there before them
    let mut rig = Rig::new(STRONG);
    let parked = poll(&rig.step()).unwrap_or(CallId(0));
    rig.now = 2_000;
    let early = look(&rig.step()).unwrap_or(CallId(0));
    rig.now += 10;
    let _acts = rig.answer(parked, updates(&[900_001]));
    rig.fence.confirm(900_002);
    let confirm = confirmation(&rig.step()).unwrap_or(CallId(0));
    let acts = rig.answer(early, pending(0));
    assert!(!acts.contains(&FenceAct::Confirmed(900_002)));
    assert!(rig.answer(confirm, updates(&[])).contains(&FenceAct::Confirmed(900_002)));
}

#[test]
fn a_confirmation_that_cannot_be_sent_is_tried_again() {
    // F6
    let (mut rig, confirm) = confirming(STRONG);
    let acts = rig.answer(confirm, unreachable());
    let acts = rig.answer(look(&acts).unwrap_or(CallId(0)), unreachable());
    assert_eq!(confirmation(&acts), None);
    rig.now += 500;
    assert!(confirmation(&rig.step()).is_some());
}

#[test]
fn a_conflict_over_a_confirmation_is_a_conflict() {
    // F3: two sides took one update and confirm it with one offset, which Telegram makes polls of 3 s of: one of them leaves
    let (mut rig, confirm) = confirming(WEAK);
    let acts = rig.answer(confirm, Err(BotError::Conflict));
    assert_eq!((confirmation(&acts), rig.fence.state()), (None, BotState::Watching));
}

#[test]
fn without_a_title_every_call_is_dropped() {
    // L7
    let mut rig = Rig::new(STRONG);
    let call = poll(&rig.step()).unwrap_or(CallId(0));
    rig.title = None;
    assert_eq!(rig.step(), vec![FenceAct::Cancel(call)]);
    assert_eq!(rig.fence.state(), BotState::Idle);
    assert_eq!(rig.answer(call, updates(&[900_001])), vec![], "a late answer is nobody's");
}

#[test]
fn a_holder_that_loses_its_majority_stops_polling_and_watches() {
    // F2
    let mut rig = Rig::new(STRONG);
    let call = poll(&rig.step()).unwrap_or(CallId(0));
    rig.title = Some(title(WEAK));
    let acts = rig.step();
    assert!(acts.contains(&FenceAct::Cancel(call)) && look(&acts).is_some() && poll(&acts).is_none());
    assert_eq!(rig.fence.state(), BotState::Watching);
}

#[test]
fn who_was_told_and_then_lost_its_majority_watches() {
    // F2, L5: the last holder's word was good for the lease that came after it, and says nothing about a cut since then.
    let mut rig = Rig::new(STRONG);
    rig.title = Some(Title { told: true, ..title(STRONG) });
    assert!(poll(&rig.step()).is_some());
    rig.title = Some(Title { told: true, ..title(WEAK) });
    for _ in 0..3 {
        assert_eq!(poll(&rig.step()), None);
        assert_eq!(rig.fence.state(), BotState::Watching);
        rig.now += 100;
    }
}

/// Watches until the fence polls or `until`; the head of the queue is `head(now)`, none where the queue is empty.
fn watch(rig: &mut Rig, until: u64, head: impl Fn(u64) -> Option<i64>) -> Option<u64> {
    let acts = rig.step();
    watch_on(rig, acts, until, head)
}

/// The same, from acts that are not answered yet.
fn watch_on(rig: &mut Rig, mut acts: Vec<FenceAct>, until: u64, head: impl Fn(u64) -> Option<i64>) -> Option<u64> {
    let mut offsets = Vec::new();
    while rig.now <= until {
        if poll(&acts).is_some() {
            return Some(rig.now);
        }
        let head = head(rig.now);
        acts = match (look(&acts), peek(&acts)) {
            (Some(call), _) => rig.answer(call, pending(u32::from(head.is_some()))),
            (_, Some((call, offset))) => {
                assert!((1..2_000_000).contains(&offset) && !offsets.contains(&offset), "{offset} again");
                offsets.push(offset);
                rig.answer(call, updates(head.as_slice()))
            }
            _ => {
                rig.now += 100;
                rig.step()
            }
        };
    }
    None
}

#[test]
fn the_third_conflict_within_a_minute_is_a_stranger_while_all_are_visible_else_the_eighth() {
    // F1
    for (all_visible, conflicts) in [(true, 3), (false, 8)] {
        let mut rig = Rig::new(STRONG);
        rig.title = Some(Title { all_visible, ..title(STRONG) });
        let mut acts = rig.step();
        for count in 1..=conflicts {
            rig.now += 4_000;
            let call = poll(&acts).unwrap_or(CallId(0));
            acts = rig.answer(call, Err(BotError::Conflict));
            assert_eq!(acts.contains(&FenceAct::Stranger(true)), count == conflicts, "{count} of {conflicts}");
        }
        assert_eq!(rig.fence.state(), BotState::Watching);
        assert!(watch_on(&mut rig, acts, 60_000, |_| Some(900_009)).is_some(), "it resumes by F3");
    }
}

#[test]
fn conflicts_that_lie_apart_are_no_stranger() {
    // F1
    let mut rig = Rig::new(STRONG);
    let mut acts = rig.step();
    for _ in 0..6 {
        rig.now += 31_000;
        let call = poll(&acts).unwrap_or(CallId(0));
        acts = rig.answer(call, Err(BotError::Conflict));
        assert!(!acts.contains(&FenceAct::Stranger(true)) && poll(&acts).is_some());
    }
}

#[test]
fn the_bot_api_is_lost_three_seconds_after_the_first_failed_look_was_begun() {
    // F1: silently dropped packets too: the look has a limit of 2 s
    let mut rig = Rig::new(STRONG);
    let _parked = rig.step();
    rig.now = 2_000;
    let call = look(&rig.step()).unwrap_or(CallId(0));
    rig.now = 4_000;
    let acts = rig.answer(call, unreachable());
    assert!(acts.contains(&FenceAct::Reached(false)) && !acts.contains(&FenceAct::ApiLost));
    rig.now = 5_000;
    assert!(rig.step().contains(&FenceAct::ApiLost));
    assert!(!rig.step().contains(&FenceAct::ApiLost), "told once");
}

#[test]
fn polls_that_fail_while_looks_are_answered_lose_the_bot_api_too() {
    // F1: "3 s after the first failed call"; a bot that nobody hears is silent, whatever a look says
    let lost_at = |fails_until: u64, then: Option<BotError>| {
        let mut rig = Rig::new(STRONG);
        let mut acts = rig.step();
        while rig.now < 30_000 && !acts.contains(&FenceAct::ApiLost) {
            let error = if rig.now < fails_until { Some(BotError::Server) } else { then.clone() };
            let failed = poll(&acts).zip(error);
            let mut next = failed.map_or_else(Vec::new, |(call, error)| rig.answer(call, Err(error)));
            next.extend(look(&acts).map_or_else(Vec::new, |call| rig.answer(call, pending(0))));
            rig.now += 100;
            next.extend(rig.step());
            acts = next;
        }
        rig.now
    };
    assert_eq!(lost_at(u64::MAX, None), 5_000);
    assert_eq!(lost_at(2_000, None), 30_000, "some that fail, and then one that is parked");
    assert_eq!(lost_at(2_000, Some(BotError::WebhookSet)), 30_000, "a webhook is no loss");
}

#[test]
fn a_count_over_our_own_parked_poll_for_1500_ms_means_a_dead_poll() {
    // F1
    let mut rig = Rig::new(STRONG);
    let parked = poll(&rig.step()).unwrap_or(CallId(0));
    rig.now = 2_000;
    let mut acts = rig.step();
    while rig.now < 3_400 {
        if let Some(call) = look(&acts) {
            acts = rig.answer(call, pending(1));
            assert!(!acts.contains(&FenceAct::Cancel(parked)), "at {}", rig.now);
        }
        rig.now += 100;
        acts.extend(rig.step());
    }
    while rig.now < 4_100 && !acts.contains(&FenceAct::Cancel(parked)) {
        acts = look(&acts).map_or_else(Vec::new, |call| rig.answer(call, pending(1)));
        if !acts.contains(&FenceAct::Cancel(parked)) {
            rig.now += 100;
            acts.extend(rig.step());
        }
    }
    assert!(acts.contains(&FenceAct::Cancel(parked)) && poll(&acts).is_some());
}

#[test]
fn a_holder_that_cannot_reach_telegram_does_not_poll() {
    // DESIGN 5: if nobody is ready, the smallest alive LeaderKey holds and does not poll
    let mut rig = Rig::new(STRONG);
    rig.title = Some(Title { ready: false, ..title(STRONG) });
    assert_eq!(rig.step(), vec![]);
}
