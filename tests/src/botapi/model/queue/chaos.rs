//! FACTS, "Telegram's server", under random rivals: what must hold whatever they do.

use std::collections::BTreeMap;

use super::*;

/// A generator good enough to mix calls (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What one run did, for the checks at its end.
#[derive(Default)]
struct Run {
    asked: Vec<(Ms, GetUpdates)>,
    answers: BTreeMap<CallId, (Ms, Delivery<u64>)>,
}

impl Run {
    fn note(&mut self, now: Ms, answered: Vec<Answered<u64>>) {
        for Answered { call, delivery } in answered {
            assert!(self.answers.insert(call, (now, delivery)).is_none(), "{call:?} was answered twice");
        }
    }
}

/// Pollers that come, wait, confirm what they got or not, and never a negative offset.
fn run(seed: u64) -> (UpdateQueue<u64>, Run) {
    let (mut dice, mut run, mut now, mut pushed) = (Dice(seed), Run::default(), Ms(0), 0);
    let mut queue = UpdateQueue::new(UpdateId(1_000));
    let mut offsets = [0; 3];
    for _ in 0..400 {
        now = now.plus([0, 1, 200, 600, 1_500, 3_000, 9_000][dice.roll(7) as usize]);
        let due = queue.tick(now);
        run.note(now, due);
        if dice.roll(3) == 0 {
            pushed += 1;
            let (id, answers) = queue.push(now, "message", pushed);
            assert_eq!(id, Some(UpdateId(999 + pushed as i32)));
            run.note(now, answers);
            continue;
        }
        let who = dice.roll(3) as usize;
        let ask = GetUpdates {
            offset: offsets[who],
            limit: (dice.roll(4) == 0).then_some(1),
            timeout_s: [0, 1, 10, 50][dice.roll(4) as usize],
            allowed_updates: None,
        };
        let call = CallId(run.asked.len() as u64);
        run.asked.push((now, ask.clone()));
        let answers = queue.get_updates(now, call, &ask);
        run.note(now, answers);
        if let Some((_, Delivery::Updates(updates))) = run.answers.get(&call)
            && let Some((last, _)) = updates.last()
            && dice.roll(2) == 0
        {
            offsets[who] = last.0 + 1;
        }
    }
    while let Some(deadline) = queue.deadline() {
        now = deadline;
        let due = queue.tick(now);
        run.note(now, due);
    }
    (queue, run)
}

#[test]
fn every_call_is_answered_once_and_no_update_is_lost_whatever_rivals_do() {
    for seed in 0..400 {
        let (queue, run) = run(seed);
        assert_eq!(run.answers.len(), run.asked.len(), "seed {seed}: a call was never answered");
        let ledger = queue.ledger();
        assert_eq!(ledger.destroyed(), 0, "seed {seed}: {ledger:?}");
        assert_eq!(ledger.confirmed() + queue.webhook_info().pending_update_count, ledger.updates.len(), "seed {seed}");
    }
}

#[test]
fn every_conflict_is_immediate_after_3_s_of_peace_or_3_s_late() {
    for seed in 0..400 {
        let (queue, _) = run(seed);
        let mut immediate: Option<Ms> = None;
        let mut conflicts = queue.ledger().conflicts.clone();
        conflicts.sort_by_key(|conflict| conflict.at);
        for conflict in conflicts {
            let peace = immediate.is_none_or(|last| conflict.at.since(last) >= 3_000);
            let late = conflict.answered.since(conflict.at);
            // Time moves in steps here, so a 409 that is due within a step leaves at its end.
            assert!(if peace { late == 0 } else { late >= 3_000 }, "seed {seed}: {conflict:?}");
            immediate = if peace { Some(conflict.at) } else { immediate };
        }
    }
}

#[test]
fn a_conflict_never_reaches_who_came_last() {
    for seed in 0..400 {
        let (queue, run) = run(seed);
        for conflict in &queue.ledger().conflicts {
            let newcomer = run
                .asked
                .iter()
                .enumerate()
                .find(|(index, (at, _))| *index as u64 > conflict.call.0 && *at == conflict.at);
            assert!(newcomer.is_some(), "seed {seed}: {conflict:?} without a newcomer");
        }
    }
}
