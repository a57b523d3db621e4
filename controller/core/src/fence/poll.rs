//! Polling: one parked getUpdates, a look beside it, and the confirmation between taking updates and acting on them.

use alloc::vec::Vec;

use super::FenceAct;
use crate::calls::Calls;
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply, CallId};

/// The state of polling.
#[derive(Debug)]
pub(super) struct Poll {
    began: u64,
    as_watcher: bool,
    draining: bool,
    poll_at: u64,
    parked: Option<(CallId, u64)>,
    in_hand: bool,
    /// When what is in hand came.
    came_at: u64,
    confirm: Option<i64>,
    confirming: Option<(CallId, i64)>,
    confirm_at: u64,
    /// The last confirmation was not answered: a look tells whether Telegram heard it.
    in_doubt: bool,
    look_at: u64,
    looking: Option<(CallId, u64)>,
    /// When the first look or poll of the present row of failures was begun.
    failing_since: Option<u64>,
    told_lost: bool,
    /// When the first of a row of polls and confirmations that failed was begun, though looks may be answered.
    deaf_since: Option<u64>,
    /// Since when updates wait over our own parked poll.
    waiting_since: Option<u64>,
    /// The last poll was refused because of a webhook.
    hooked: bool,
}

impl Poll {
    pub(super) const fn new(now: Now, as_watcher: bool) -> Self {
        Self {
            began: now.boot_ms,
            as_watcher,
            draining: false,
            poll_at: now.boot_ms,
            parked: None,
            in_hand: false,
            came_at: now.boot_ms,
            confirm: None,
            confirming: None,
            confirm_at: now.boot_ms,
            in_doubt: false,
            look_at: now.boot_ms.saturating_add(LOOK_EVERY_MS),
            looking: None,
            failing_since: None,
            told_lost: false,
            deaf_since: None,
            waiting_since: None,
            hooked: false,
        }
    }

    pub(super) const fn as_watcher(&self) -> bool {
        self.as_watcher
    }

    /// How long this poller has gone without a conflict: a conflict ends or renews it.
    pub(super) const fn age_ms(&self, now: Now) -> u64 {
        now.since(self.began)
    }

    pub(super) const fn promote(&mut self) {
        self.as_watcher = false;
    }

    pub(super) const fn in_hand(&self) -> bool {
        self.in_hand
    }

    pub(super) const fn confirm(&mut self, offset: i64) {
        self.confirm = Some(offset);
    }

    pub(super) const fn resume(&mut self, offset: i64) {
        if self.draining {
            self.confirm = Some(offset);
        } else {
            self.in_hand = false;
        }
    }

    pub(super) fn drain(&mut self, acts: &mut Vec<FenceAct>) {
        self.draining = true;
        if let Some((call, _)) = self.parked.take() {
            acts.push(FenceAct::Cancel(call));
        }
    }

    pub(super) fn cancel_all(&mut self, acts: &mut Vec<FenceAct>) {
        let parked = self.parked.take().map(|(call, _)| call);
        let confirming = self.confirming.take().map(|(call, _)| call);
        let looking = self.looking.take().map(|(call, _)| call);
        acts.extend([parked, confirming, looking].into_iter().flatten().map(FenceAct::Cancel));
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        let poll = (self.parked.is_none() && !self.in_hand && !self.draining).then_some(self.poll_at);
        let confirm =
            (self.confirm.is_some() && self.confirming.is_none() && !self.in_doubt).then_some(self.confirm_at);
        let look = self.looking.is_none().then_some(self.look_at);
        let lost = self.failing_since.filter(|_| !self.told_lost).map(|since| since.saturating_add(LOST_MS));
        let deaf = self.deaf_since.map(|since| since.saturating_add(DEAF_MS));
        [poll, confirm, look, lost, deaf].into_iter().flatten().min()
    }

    pub(super) fn step(&mut self, now: Now, offset: &mut Option<i64>, calls: &mut Calls, acts: &mut Vec<FenceAct>) {
        if self.looking.is_none() && now.boot_ms >= self.look_at {
            let call = calls.next();
            self.looking = Some((call, now.boot_ms));
            acts.push(FenceAct::Call { call, timeout_ms: LOOK_LIMIT_MS, request: BotCall::GetWebhookInfo });
        }
        if self.failing_since.is_some_and(|since| now.since(since) >= LOST_MS) && !self.told_lost {
            self.told_lost = true;
            acts.push(FenceAct::ApiLost);
        }
        if self.deaf_since.is_some_and(|since| now.since(since) >= DEAF_MS) {
            self.deaf_since = Some(now.boot_ms);
            acts.push(FenceAct::ApiLost);
        }
        if let (Some(offset), None, false) = (self.confirm, self.confirming, self.in_doubt)
            && now.boot_ms >= self.confirm_at
        {
            let call = calls.next();
            self.confirming = Some((call, offset));
            let request = BotCall::GetUpdates { offset: Some(offset), timeout_s: 0, limit: 1, name_kinds: true };
            acts.push(FenceAct::Call { call, timeout_ms: CONFIRM_LIMIT_MS, request });
        }
        if self.parked.is_none() && !self.in_hand && !self.draining && now.boot_ms >= self.poll_at {
            let call = calls.next();
            self.parked = Some((call, now.boot_ms));
            self.waiting_since = None;
            let request = BotCall::GetUpdates { offset: *offset, timeout_s: POLL_S, limit: 100, name_kinds: true };
            let timeout_ms = u64::from(POLL_S).saturating_mul(1_000).saturating_add(POLL_SLACK_MS);
            acts.push(FenceAct::Call { call, timeout_ms, request });
        }
    }

    /// True for a 409 on the poll, or on a confirmation, which becomes a poll where somebody else just confirmed with the same offset.
    pub(super) fn answered(
        &mut self,
        now: Now,
        call: CallId,
        result: Result<BotReply, BotError>,
        offset: &mut Option<i64>,
        acts: &mut Vec<FenceAct>,
    ) -> bool {
        if self.parked.is_some_and(|(parked, _)| parked == call) {
            return self.polled(now, result, acts);
        }
        if let Some((confirming, upto)) = self.confirming
            && confirming == call
        {
            self.confirming = None;
            return self.confirmation_answered(now, upto, result, offset, acts);
        } else if let Some((looking, since)) = self.looking
            && looking == call
        {
            self.looking = None;
            self.looked(now, since, result, offset, acts);
        }
        false
    }

    fn polled(&mut self, now: Now, result: Result<BotReply, BotError>, acts: &mut Vec<FenceAct>) -> bool {
        let since = self.parked.take().map_or(now.boot_ms, |(_, since)| since);
        if matches!(result, Err(BotError::Conflict | BotError::WebhookSet | BotError::RetryAfter { .. })) {
            // Telegram heard the poll, and has its own reason.
            self.deaf_since = None;
        }
        match result {
            Ok(BotReply::Updates(updates)) => {
                self.reached(acts);
                self.deaf_since = None;
                acts.push(FenceAct::Webhook(false));
                if !updates.is_empty() {
                    self.in_hand = true;
                    self.came_at = now.boot_ms;
                    acts.push(FenceAct::Updates(updates));
                }
            }
            Err(BotError::Conflict) => {
                self.poll_at = now.boot_ms;
                return true;
            }
            Err(BotError::WebhookSet) => {
                self.poll_at = now.boot_ms.saturating_add(WEBHOOK_RETRY_MS);
                self.hooked = true;
                acts.push(FenceAct::Webhook(true));
            }
            Err(BotError::RetryAfter { ms }) => {
                self.poll_at = now.boot_ms.saturating_add(pause_ms(ms).max(RETRY_MS));
                if ms >= LONG_PAUSE_MS {
                    acts.push(FenceAct::ApiLost);
                }
            }
            Err(BotError::Cancelled) => self.poll_at = now.boot_ms,
            Err(BotError::Unreachable(_) | BotError::Server | BotError::Unauthorized | BotError::NoToken) => {
                self.poll_at = now.boot_ms.saturating_add(RETRY_MS);
                // A poll that was parked for long says nothing about when the way broke: the look beside it does.
                if now.since(since) < LOOK_LIMIT_MS {
                    self.deaf_since.get_or_insert(since);
                    self.failed(since, acts);
                }
            }
            Ok(_) | Err(_) => self.poll_at = now.boot_ms.saturating_add(RETRY_MS),
        }
        false
    }

    fn confirmation_answered(
        &mut self,
        now: Now,
        upto: i64,
        result: Result<BotReply, BotError>,
        offset: &mut Option<i64>,
        acts: &mut Vec<FenceAct>,
    ) -> bool {
        match &result {
            // Updates that came along are not confirmed by this call: the next poll brings them again at once.
            Ok(BotReply::Updates(_)) => {
                self.reached(acts);
                self.confirmed(upto, offset, acts);
            }
            Err(BotError::RetryAfter { ms }) => {
                self.confirm_at = now.boot_ms.saturating_add(pause_ms(*ms).max(RETRY_MS))
            }
            // Telegram may have heard it. To send it again while nothing waits would be a poll of 3 s, and so would each further one.
            Ok(_) | Err(_) => {
                if result != Err(BotError::Conflict) {
                    self.deaf_since.get_or_insert(now.boot_ms);
                }
                self.in_doubt = true;
                self.look_at = now.boot_ms;
                return result == Err(BotError::Conflict);
            }
        }
        false
    }

    fn confirmed(&mut self, upto: i64, offset: &mut Option<i64>, acts: &mut Vec<FenceAct>) {
        self.confirm = None;
        self.in_hand = false;
        self.in_doubt = false;
        self.deaf_since = None;
        *offset = Some(upto);
        acts.push(FenceAct::Confirmed(upto));
    }

    fn looked(
        &mut self,
        now: Now,
        since: u64,
        result: Result<BotReply, BotError>,
        offset: &mut Option<i64>,
        acts: &mut Vec<FenceAct>,
    ) {
        self.look_at = since.saturating_add(LOOK_EVERY_MS).max(now.boot_ms);
        match result {
            Ok(BotReply::Webhook { pending, set }) => {
                self.reached(acts);
                acts.push(FenceAct::Webhook(set));
                if core::mem::take(&mut self.hooked) && !set {
                    self.poll_at = now.boot_ms;
                }
                self.hooked |= set;
                // A poll that was parked all the while is one that Telegram has.
                if pending == 0 && self.parked.is_some_and(|(_, parked)| parked <= since) {
                    self.deaf_since = None;
                }
                self.settle_doubt(now, since, pending, offset, acts);
                self.judge_pending(now, pending, acts);
            }
            Err(BotError::RetryAfter { ms }) => self.look_at = now.boot_ms.saturating_add(pause_ms(ms)),
            Ok(_) | Err(BotError::Cancelled) => {}
            Err(_) => {
                self.failed(since, acts);
                self.try_again(now);
            }
        }
    }

    /// F6: the count has everything that was delivered and not confirmed, so a count of zero that was begun after the updates came confirms them.
    fn settle_doubt(&mut self, now: Now, since: u64, pending: u32, offset: &mut Option<i64>, acts: &mut Vec<FenceAct>) {
        let Some(upto) = self.confirm.filter(|_| self.in_doubt) else { return };
        if since < self.came_at {
            self.look_at = now.boot_ms;
        } else if pending == 0 {
            self.confirmed(upto, offset, acts);
        } else {
            self.in_doubt = false;
            self.confirm_at = now.boot_ms;
        }
    }

    /// Nobody can tell whether the confirmation was heard: it is sent again.
    fn try_again(&mut self, now: Now) {
        if core::mem::take(&mut self.in_doubt) {
            self.confirm_at = now.boot_ms.saturating_add(RETRY_MS);
        }
    }

    /// F1: a count above zero for 1.5 s over our own parked poll means that the poll is dead.
    fn judge_pending(&mut self, now: Now, pending: u32, acts: &mut Vec<FenceAct>) {
        let Some((parked, _)) = self.parked.filter(|_| pending > 0) else {
            self.waiting_since = None;
            return;
        };
        let since = *self.waiting_since.get_or_insert(now.boot_ms);
        if now.since(since) >= DEAD_POLL_MS {
            self.waiting_since = None;
            self.deaf_since.get_or_insert(since);
            self.parked = None;
            self.poll_at = now.boot_ms;
            acts.push(FenceAct::Cancel(parked));
        } else {
            self.look_at = now.boot_ms.saturating_add(LOOK_AGAIN_MS);
        }
    }

    fn reached(&mut self, acts: &mut Vec<FenceAct>) {
        self.failing_since = None;
        self.told_lost = false;
        acts.push(FenceAct::Reached(true));
    }

    fn failed(&mut self, since: u64, acts: &mut Vec<FenceAct>) {
        self.failing_since.get_or_insert(since);
        acts.push(FenceAct::Reached(false));
    }
}

/// A long poll's time: short enough that a dead one is noticed by its own limit too.
const POLL_S: u32 = 25;

/// The network's share of a long poll.
const POLL_SLACK_MS: u64 = 5_000;

/// F1: a look every 2 s, with a limit of 2 s.
const LOOK_EVERY_MS: u64 = 2_000;
const LOOK_LIMIT_MS: u64 = 2_000;

/// While updates seem to wait over our poll, look more often, or 1.5 s could not be told from 4 s.
const LOOK_AGAIN_MS: u64 = 500;

/// F1: hand over so long after the first failed call was begun.
const LOST_MS: u64 = 3_000;

/// F1: the same where only polls fail. A single one fails now and then; a look tells within this that the next one is parked.
const DEAF_MS: u64 = 5_000;

/// F1.
const DEAD_POLL_MS: u64 = 1_500;

/// A confirmation is one short call.
const CONFIRM_LIMIT_MS: u64 = 2_000;

/// Between tries of a failed call.
const RETRY_MS: u64 = 500;

/// A webhook is somebody's wish: the owner is told, and now and then it is tried whether it is gone.
const WEBHOOK_RETRY_MS: u64 = 10_000;

/// A pause that Telegram asks for, as far as it is kept: the owner's bot asks again within a minute, whatever number came.
pub(super) const fn pause_ms(asked_ms: u64) -> u64 {
    if asked_ms > LONGEST_PAUSE_MS { LONGEST_PAUSE_MS } else { asked_ms }
}

/// One call a minute offends no limit of Telegram's.
const LONGEST_PAUSE_MS: u64 = 60_000;

/// A pause that the owner would notice: another node may be asked for none.
const LONG_PAUSE_MS: u64 = 10_000;
