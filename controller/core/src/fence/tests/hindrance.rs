//! F1: a webhook and another program are told when they begin and when they are over, and what is done then.

use super::*;

fn hook(set: bool) -> Result<BotReply, BotError> {
    Ok(BotReply::Webhook { pending: 0, set })
}

fn said(acts: &[FenceAct]) -> Vec<FenceAct> {
    acts.iter().filter(|act| matches!(act, FenceAct::Webhook(_) | FenceAct::Stranger(_))).cloned().collect()
}

#[test]
fn a_webhook_is_told_once_and_polled_past_as_soon_as_it_is_gone() {
    let mut rig = Rig::new(STRONG);
    let parked = poll(&rig.step()).unwrap();
    let acts = rig.answer(parked, Err(BotError::WebhookSet));
    assert_eq!(said(&acts), [FenceAct::Webhook(true)]);
    assert_eq!(poll(&acts), None);
    for second in 1..5 {
        rig.now = second * 2_000;
        let call = look(&rig.step()).unwrap();
        assert_eq!(said(&rig.answer(call, hook(true))), []);
    }
    rig.now = 10_000;
    let acts = rig.step();
    let check = look(&acts).unwrap();
    let acts = rig.answer(poll(&acts).unwrap(), Err(BotError::WebhookSet));
    assert_eq!(said(&acts), [], "it is tried now and then, and told once");
    assert_eq!(said(&rig.answer(check, hook(true))), []);
    rig.now = 12_000;
    let call = look(&rig.step()).unwrap();
    let acts = rig.answer(call, hook(false));
    assert_eq!(said(&acts), [FenceAct::Webhook(false)]);
    assert!(poll(&acts).is_some(), "at once");
}

#[test]
fn a_webhook_is_seen_by_a_check_before_a_poll_meets_it_and_by_a_watcher() {
    let mut rig = Rig::new(STRONG);
    let _parked = rig.step();
    rig.now = 2_000;
    let call = look(&rig.step()).unwrap();
    assert_eq!(said(&rig.answer(call, hook(true))), [FenceAct::Webhook(true)]);
    let mut rig = Rig::new(WEAK);
    let call = look(&rig.step()).unwrap();
    assert_eq!(said(&rig.answer(call, hook(true))), [FenceAct::Webhook(true)]);
    rig.now = 500;
    let call = look(&rig.step()).unwrap();
    assert_eq!(said(&rig.answer(call, hook(false))), [FenceAct::Webhook(false)]);
}

#[test]
fn who_loses_its_title_leaves_the_news_to_the_next() {
    let mut rig = Rig::new(STRONG);
    let parked = poll(&rig.step()).unwrap();
    rig.answer(parked, Err(BotError::WebhookSet));
    rig.title = None;
    assert_eq!(said(&rig.step()), []);
    rig.title = Some(title(STRONG));
    let parked = poll(&rig.step()).unwrap();
    assert_eq!(said(&rig.answer(parked, Err(BotError::WebhookSet))), [FenceAct::Webhook(true)]);
}

/// A fence that another program has just driven away.
fn driven_away() -> (Rig, Vec<FenceAct>) {
    let mut rig = Rig::new(STRONG);
    let mut acts = rig.step();
    for _ in 0..3 {
        rig.now += 4_000;
        let call = poll(&acts).unwrap();
        acts = rig.answer(call, Err(BotError::Conflict));
    }
    assert_eq!(said(&acts), [FenceAct::Stranger(true)]);
    (rig, acts)
}

/// Lets so much time pass, a check answered every half second and nothing waiting; when it polled.
fn quiet(rig: &mut Rig, mut acts: Vec<FenceAct>, for_ms: u64) -> (Option<u64>, Vec<FenceAct>) {
    let end = rig.now + for_ms;
    let mut told = said(&acts);
    while rig.now < end {
        if poll(&acts).is_some() {
            return (Some(rig.now), told);
        }
        rig.now += 250;
        acts = match look(&acts) {
            Some(call) => rig.answer(call, hook(false)),
            None => rig.step(),
        };
        told.extend(said(&acts));
    }
    (None, told)
}

#[test]
fn another_program_is_over_when_a_poll_stands_for_thirty_seconds() {
    let (mut rig, acts) = driven_away();
    // Nobody writes: it is tried after a minute.
    let (polled, _) = quiet(&mut rig, acts, 90_000);
    let polled = polled.unwrap();
    assert!((71_000..=74_000).contains(&polled), "{polled}");
    rig.now += 29_000;
    assert_eq!(said(&rig.step()), []);
    rig.now += 1_000;
    assert_eq!(said(&rig.step()), [FenceAct::Stranger(false)]);
    rig.now += 1_000;
    assert_eq!((said(&rig.step()), rig.fence.state()), (vec![], BotState::Polling));
}

#[test]
fn another_program_is_disturbed_less_and_less_often_and_told_once() {
    let (mut rig, mut acts) = driven_away();
    let mut waits = Vec::new();
    for _ in 0..6 {
        let begun = rig.now;
        let (polled, told) = quiet(&mut rig, acts, 700_000);
        assert_eq!(told.iter().filter(|act| **act != FenceAct::Stranger(true)).count(), 0);
        waits.push((polled.unwrap() - begun) / 1_000);
        rig.now += 1_000;
        let parked = CallId(rig.calls.next().0 - 1);
        acts = rig.answer(parked, Err(BotError::Conflict));
        assert_eq!(said(&acts), []);
    }
    assert!(waits.windows(2).all(|pair| pair[1] >= pair[0]) && waits[0] <= 61 && waits[5] >= 590, "{waits:?}");
}

#[test]
fn a_long_pause_is_cut_to_a_minute_and_the_bot_is_handed_over() {
    // F1: after `retry_after: 3600` the bot was silent for an hour
    let mut rig = Rig::new(STRONG);
    let parked = poll(&rig.step()).unwrap();
    let acts = rig.answer(parked, Err(BotError::RetryAfter { ms: 3_600_000 }));
    assert!(acts.contains(&FenceAct::ApiLost));
    rig.now = 59_000;
    assert_eq!(poll(&rig.step()), None);
    rig.now = 60_000;
    let parked = poll(&rig.step()).unwrap();
    let acts = rig.answer(parked, Err(BotError::RetryAfter { ms: 5_000 }));
    assert!(!acts.contains(&FenceAct::ApiLost), "a short one is waited for");
}
