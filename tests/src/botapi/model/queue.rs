//! One bot's update queue and its getUpdates, as tdlib/telegram-bot-api serves them (Client.cpp, TQueue.cpp).
//!
//! Sans-IO: the clock is an argument, answers are returned. The simulator uses it in virtual time with its own payload.
//! What is left out: the real server waits up to 2 ms for a second update before it answers a parked poll.

use std::collections::VecDeque;

use super::ledger::{Conflict, ConflictRecord, End, Ledger};
use super::units::{CallId, Ms, UpdateId};

/// The parameters of a getUpdates, as the caller wrote them; the queue clamps them as Telegram does.
#[derive(Clone, Debug, Default)]
pub struct GetUpdates {
    /// First update wanted; every earlier one is confirmed. Negative: keep only the last so many. 0: whatever is there.
    pub offset: i32,
    /// At most so many updates, 1 to 100; `None` is 100.
    pub limit: Option<i64>,
    /// Seconds to wait for an update, 0 to 50.
    pub timeout_s: i64,
    /// Kinds wanted from now on; `None` leaves the bot's list alone, an empty list restores the default.
    pub allowed_updates: Option<Vec<String>>,
}

/// What answers a getUpdates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery<T> {
    /// 200 with these updates, perhaps none.
    Updates(Vec<(UpdateId, T)>),
    /// 409.
    Conflict(Conflict),
}

/// An answer to one call; a call without one is parked, or hangs until its 409.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<T> {
    /// Which call.
    pub call: CallId,
    /// With what.
    pub delivery: Delivery<T>,
}

/// What getWebhookInfo tells, without changing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookInfo {
    /// Empty when none is set.
    pub url: String,
    /// Updates that nobody confirmed, delivered or not.
    pub pending_update_count: usize,
    /// The bot's list where it is not the default.
    pub allowed_updates: Option<Vec<String>>,
}

/// The queue of one bot.
#[derive(Clone, Debug)]
pub struct UpdateQueue<T> {
    events: VecDeque<Event<T>>,
    /// The id of the next update; `None` until the first one came.
    tail: Option<i32>,
    first_id: UpdateId,
    parked: Option<Parked>,
    held: VecDeque<HeldConflict>,
    previous_offset: i32,
    previous_start: Option<Ms>,
    /// Before this moment a 409 is held back for 3 s; `None` until the first.
    next_conflict: Option<Ms>,
    allowed: Option<Vec<String>>,
    webhook: String,
    ledger: Ledger,
}

#[derive(Clone, Debug)]
struct Event<T> {
    id: i32,
    at: Ms,
    payload: T,
}

#[derive(Clone, Debug)]
struct Parked {
    call: CallId,
    from: i64,
    limit: usize,
    deadline: Ms,
}

#[derive(Clone, Debug)]
struct HeldConflict {
    call: CallId,
    cause: Conflict,
    at: Ms,
    due: Ms,
}

impl<T: Clone> UpdateQueue<T> {
    /// An empty queue whose first update will have the id `first_id` (Telegram takes a random one).
    #[must_use]
    pub fn new(first_id: UpdateId) -> Self {
        Self {
            events: VecDeque::new(),
            tail: None,
            first_id,
            parked: None,
            held: VecDeque::new(),
            previous_offset: -1,
            previous_start: None,
            next_conflict: None,
            allowed: None,
            webhook: String::new(),
            ledger: Ledger::default(),
        }
    }

    /// Adds an update, unless the bot does not want its kind; a parked poll is answered with it at once.
    pub fn push(&mut self, now: Ms, kind: &str, payload: T) -> (Option<UpdateId>, Vec<Answered<T>>) {
        if !self.wants(kind) {
            return (None, Vec::new());
        }
        let (id, answers) = self.add(now, kind, payload);
        (Some(id), answers)
    }

    /// Adds an update of a kind that the bot did not ask for, too: it was in the queue before the bot named the kinds that it wants.
    pub fn add(&mut self, now: Ms, kind: &str, payload: T) -> (UpdateId, Vec<Answered<T>>) {
        let id = self.tail.unwrap_or(self.first_id.0);
        self.tail = Some(id.wrapping_add(1));
        self.events.push_back(Event { id, at: now, payload });
        self.ledger.pushed(UpdateId(id), kind, now);
        let answers = match self.parked.take() {
            Some(parked) => vec![self.answer(now, parked.call, parked.from, parked.limit)],
            None => Vec::new(),
        };
        (UpdateId(id), answers)
    }

    /// Serves a getUpdates. Its own answer is missing where it is parked, and an evicted poll's may be there.
    pub fn get_updates(&mut self, now: Ms, call: CallId, ask: &GetUpdates) -> Vec<Answered<T>> {
        if !self.webhook.is_empty() {
            return self.conflict(now, call, Conflict::WebhookActive).into_iter().collect();
        }
        self.remember_allowed(ask.allowed_updates.as_deref());
        let mut limit = ask.limit.unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT).unsigned_abs() as usize;
        let mut timeout_ms = ask.timeout_s.clamp(0, MAX_TIMEOUT_S).unsigned_abs() * 1000;
        if ask.offset == self.previous_offset
            && let Some(start) = self.previous_start
        {
            if now < start.plus(SAME_OFFSET_POLL_MS) {
                timeout_ms = timeout_ms.max(SAME_OFFSET_POLL_MS);
            }
            if now < start.plus(SAME_OFFSET_LIMIT_MS) {
                limit = 1;
            }
        }
        self.previous_offset = ask.offset;
        self.previous_start = Some(now);
        if ask.offset < 0 {
            self.keep_last(now, ask.offset.unsigned_abs() as usize, End::NegativeOffset);
        }
        self.expire(now);
        let from = self.from(ask.offset);
        self.confirm_below(now, from);
        if timeout_ms == 0 || self.events.iter().any(|event| i64::from(event.id) >= from) {
            return vec![self.answer(now, call, from, limit)];
        }
        let evicted = self.parked.take();
        self.parked = Some(Parked { call, from, limit, deadline: now.plus(timeout_ms) });
        evicted.and_then(|old| self.conflict(now, old.call, Conflict::OtherGetUpdates)).into_iter().collect()
    }

    /// Answers what has become due: a poll whose timeout ran out, a 409 that was held back.
    pub fn tick(&mut self, now: Ms) -> Vec<Answered<T>> {
        let mut answers = Vec::new();
        while self.held.front().is_some_and(|held| held.due <= now) {
            if let Some(held) = self.held.pop_front() {
                self.ledger.conflicts.push(ConflictRecord {
                    at: held.at,
                    answered: now,
                    call: held.call,
                    cause: held.cause,
                });
                answers.push(Answered { call: held.call, delivery: Delivery::Conflict(held.cause) });
            }
        }
        if let Some(parked) = self.parked.take_if(|parked| parked.deadline <= now) {
            answers.push(self.answer(now, parked.call, parked.from, parked.limit));
        }
        answers
    }

    /// When `tick` has something to do; `None` while nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Ms> {
        let held = self.held.front().map(|held| held.due);
        let parked = self.parked.as_ref().map(|parked| parked.deadline);
        held.into_iter().chain(parked).min()
    }

    /// getWebhookInfo: changes nothing, evicts nobody, at any rate of asking.
    #[must_use]
    pub fn webhook_info(&self) -> WebhookInfo {
        WebhookInfo {
            url: self.webhook.clone(),
            pending_update_count: self.events.len(),
            allowed_updates: self.allowed.clone(),
        }
    }

    /// setWebhook with an address: ends a parked poll with 409, and every later getUpdates too.
    pub fn set_webhook(
        &mut self,
        now: Ms,
        url: &str,
        drop_pending: bool,
        allowed: Option<&[String]>,
    ) -> Vec<Answered<T>> {
        let evicted = self.parked.take();
        let answers = evicted.and_then(|old| self.conflict(now, old.call, Conflict::SetWebhook)).into_iter().collect();
        if drop_pending {
            self.keep_last(now, 0, End::Dropped);
        }
        url.clone_into(&mut self.webhook);
        self.remember_allowed(allowed);
        answers
    }

    /// deleteWebhook; polls go on undisturbed. `drop_pending` destroys what waits.
    pub fn delete_webhook(&mut self, now: Ms, drop_pending: bool) {
        if drop_pending {
            self.keep_last(now, 0, End::Dropped);
        }
        self.webhook.clear();
    }

    /// The poll that waits now.
    #[must_use]
    pub fn parked(&self) -> Option<CallId> {
        self.parked.as_ref().map(|parked| parked.call)
    }

    /// What became of each update, and the conflicts.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Answers `call` now, or holds the 409 back for 3 s where the last immediate one was less than 3 s ago.
    fn conflict(&mut self, now: Ms, call: CallId, cause: Conflict) -> Option<Answered<T>> {
        if self.next_conflict.is_some_and(|next| now < next) {
            self.held.push_back(HeldConflict { call, cause, at: now, due: now.plus(CONFLICT_HOLD_MS) });
            return None;
        }
        self.next_conflict = Some(now.plus(CONFLICT_HOLD_MS));
        self.ledger.conflicts.push(ConflictRecord { at: now, answered: now, call, cause });
        Some(Answered { call, delivery: Delivery::Conflict(cause) })
    }

    fn answer(&mut self, now: Ms, call: CallId, from: i64, limit: usize) -> Answered<T> {
        // A poll may be parked with an offset ahead of the queue; what came below it is confirmed unseen.
        self.confirm_below(now, from);
        let updates: Vec<_> = self
            .events
            .iter()
            .filter(|event| i64::from(event.id) >= from)
            .take(limit)
            .map(|event| (UpdateId(event.id), event.payload.clone()))
            .collect();
        for (id, _) in &updates {
            self.ledger.delivered(*id, now, call);
        }
        Answered { call, delivery: Delivery::Updates(updates) }
    }

    /// The id to start at. An offset far ahead of or far behind the queue is ignored, so it confirms nothing.
    fn from(&self, offset: i32) -> i64 {
        let tail = self.tail.map_or(0, i64::from);
        let head = self.events.front().map_or(tail, |event| i64::from(event.id));
        let offset = i64::from(offset);
        let sane = offset > 0 && offset <= tail + OFFSET_AHEAD && offset >= head - OFFSET_BEHIND;
        if self.tail.is_some() && !sane { head } else { offset.max(0) }
    }

    fn confirm_below(&mut self, now: Ms, from: i64) {
        while self.events.front().is_some_and(|event| i64::from(event.id) < from) {
            self.pop(now, End::Confirmed);
        }
    }

    fn keep_last(&mut self, now: Ms, keep: usize, how: End) {
        while self.events.len() > keep {
            self.pop(now, how);
        }
    }

    fn expire(&mut self, now: Ms) {
        while self.events.front().is_some_and(|event| now.since(event.at) > UPDATE_TTL_MS) {
            self.pop(now, End::Expired);
        }
    }

    fn pop(&mut self, now: Ms, how: End) {
        if let Some(event) = self.events.pop_front() {
            self.ledger.ended_as(UpdateId(event.id), now, how);
        }
    }

    fn remember_allowed(&mut self, wanted: Option<&[String]>) {
        if let Some(wanted) = wanted {
            let known: Vec<_> = wanted.iter().filter(|kind| ALL_KINDS.contains(&kind.as_str())).cloned().collect();
            self.allowed = (!known.is_empty()).then_some(known);
        }
    }

    fn wants(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(allowed) => allowed.iter().any(|wanted| wanted == kind),
            None => !OPT_IN_KINDS.contains(&kind),
        }
    }
}

/// Client.cpp: `limit` is clamped to 1..=100.
const MAX_LIMIT: i64 = 100;
/// Client.cpp, LONG_POLL_MAX_TIMEOUT.
const MAX_TIMEOUT_S: i64 = 50;
/// The same raw offset within this time makes a short call a poll of this length.
const SAME_OFFSET_POLL_MS: u64 = 3_000;
/// The same raw offset within this time gets one update only.
const SAME_OFFSET_LIMIT_MS: u64 = 500;
/// At most one 409 leaves at once in this time; any other is held back for as long.
const CONFLICT_HOLD_MS: u64 = 3_000;
/// TQueue.cpp: an offset further ahead of the tail than this is "in the future" and ignored.
const OFFSET_AHEAD: i64 = 10;
/// TQueue.cpp, MAX_QUEUE_EVENTS: an offset further behind the head is "in the past"; it confirms nothing either way.
const OFFSET_BEHIND: i64 = 100_000;
/// Bot API, "Getting updates": updates are kept for 24 hours.
const UPDATE_TTL_MS: u64 = 24 * 3_600 * 1_000;
/// Kinds that come only when `allowed_updates` names them.
const OPT_IN_KINDS: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];
/// Kinds that `allowed_updates` may name; unknown ones are ignored, as Telegram does.
const ALL_KINDS: [&str; 23] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
];

#[cfg(test)]
mod chaos;
#[cfg(test)]
mod tests;
