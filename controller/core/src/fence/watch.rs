//! Watching (F3): look whether updates wait, peek at the head of the queue, and poll only when nobody serves the owner.

use alloc::vec::Vec;

use super::FenceAct;
use super::poll::pause_ms;
use crate::calls::Calls;
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply, CallId};

/// The state of watching.
#[derive(Debug)]
pub(super) struct Watch {
    look_at: u64,
    /// Telegram wants no call before.
    not_before: u64,
    /// The call under way, and when it was begun.
    asking: Option<(CallId, u64)>,
    counts_in_a_row: u32,
    head: Option<Head>,
    /// Since when every look was answered.
    answered_since: Option<u64>,
}

/// The head of the queue, and between which questions it stayed there.
#[derive(Debug, Clone, Copy)]
struct Head {
    update: i64,
    first_asked: u64,
    last_asked: u64,
}

impl Watch {
    pub(super) const fn new(now: Now) -> Self {
        Self { look_at: now.boot_ms, not_before: 0, asking: None, counts_in_a_row: 0, head: None, answered_since: None }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.asking.is_none().then_some(if self.look_at > self.not_before { self.look_at } else { self.not_before })
    }

    pub(super) fn cancel_all(&mut self, acts: &mut Vec<FenceAct>) {
        acts.extend(self.asking.take().map(|(call, _)| FenceAct::Cancel(call)));
    }

    /// Looks or peeks when that is due. True when nobody serves the owner.
    pub(super) fn step(
        &mut self,
        now: Now,
        pace: Pace,
        peek_offset: &mut impl FnMut() -> i64,
        calls: &mut Calls,
        acts: &mut Vec<FenceAct>,
    ) -> bool {
        self.look_at = self.look_at.min(now.boot_ms.saturating_add(pace.every_ms));
        if self.asking.is_none() && now.boot_ms >= self.look_at.max(self.not_before) {
            let call = calls.next();
            self.asking = Some((call, now.boot_ms));
            self.look_at = now.boot_ms.saturating_add(pace.every_ms);
            let request = if self.counts_in_a_row >= pace.counts {
                BotCall::GetUpdates { offset: Some(peek_offset()), timeout_s: 0, limit: 1, name_kinds: false }
            } else {
                BotCall::GetWebhookInfo
            };
            acts.push(FenceAct::Call { call, timeout_ms: LOOK_LIMIT_MS, request });
        }
        self.head.is_some_and(|head| head.last_asked.saturating_sub(head.first_asked) >= pace.patience_ms)
    }

    pub(super) fn answered(
        &mut self,
        now: Now,
        call: CallId,
        result: Result<BotReply, BotError>,
        acts: &mut Vec<FenceAct>,
    ) {
        let Some((_, asked_at)) = self.asking.filter(|(asking, _)| *asking == call) else { return };
        self.asking = None;
        if result.is_ok() {
            self.answered_since.get_or_insert(now.boot_ms);
        }
        match result {
            Ok(BotReply::Webhook { pending: 0, set }) => {
                self.forget();
                acts.extend([FenceAct::Reached(true), FenceAct::Webhook(set)]);
            }
            Ok(BotReply::Webhook { set, .. }) => {
                self.counts_in_a_row = self.counts_in_a_row.saturating_add(1);
                acts.extend([FenceAct::Reached(true), FenceAct::Webhook(set)]);
            }
            Ok(BotReply::Updates(updates)) => {
                acts.push(FenceAct::Reached(true));
                match updates.first() {
                    None => self.forget(),
                    Some(update) => self.peeked(asked_at, update.id),
                }
            }
            Err(BotError::RetryAfter { ms }) => self.not_before = now.boot_ms.saturating_add(pause_ms(ms)),
            Err(BotError::WebhookSet) => acts.push(FenceAct::Webhook(true)),
            Err(BotError::Cancelled) => {}
            Ok(_) | Err(_) => {
                self.forget();
                self.answered_since = None;
                acts.push(FenceAct::Reached(false));
            }
        }
    }

    /// How long every look has been answered.
    pub(super) fn looked_ms(&self, now: Now) -> u64 {
        self.answered_since.map_or(0, |since| now.since(since))
    }

    /// The same head each time means that nobody takes it. Its age goes by when it was asked for: answers come unevenly, and one that came a
    /// little sooner than the first would cost another look.
    fn peeked(&mut self, asked_at: u64, update: i64) {
        let fresh = Head { update, first_asked: asked_at, last_asked: asked_at };
        let known = self.head.filter(|head| head.update == update);
        self.head = Some(known.map_or(fresh, |head| Head { last_asked: asked_at, ..head }));
    }

    const fn forget(&mut self) {
        self.counts_in_a_row = 0;
        self.head = None;
    }
}

/// A look that takes longer tells nothing in time.
const LOOK_LIMIT_MS: u64 = 2_000;

/// How patient a watcher is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The same first pending update for so long means that nobody serves the owner.
    patience_ms: u64,
    /// From one check to the next.
    every_ms: u64,
    /// Counts above zero before the first read.
    counts: u32,
}

impl Pace {
    /// F3: where the holder's process is dead, most likely. Longer in all than an engine takes to start it again (0.5 s), so that a leader that
    /// is back takes its lease up again first.
    pub(super) const DEAD: Self = Self { patience_ms: 700, every_ms: 200, counts: 1 };

    /// F3: a check every half second, two counts above zero in a row.
    pub(super) const fn usual(patience_ms: u64) -> Self {
        Self { patience_ms, every_ms: 500, counts: 2 }
    }
}
