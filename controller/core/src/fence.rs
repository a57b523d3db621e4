//! The fence (F1 to F5): who calls getUpdates, and when not.
//!
//! The fence owns every call to `getUpdates` and `getWebhookInfo`. It is told the node's title before each step and acts only under a title
//! that has not run out (L7).

mod poll;
mod stranger;
mod watch;

use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::lease::Strength;

use crate::calls::Calls;
use crate::clock::Now;
use crate::commands::Owed;
use crate::io::{BotCall, BotError, BotReply, BotState, CallId, Update};
use crate::update_ids;
use poll::Poll;
use stranger::{STRANGER_GONE_MS, TRIAL_MS};
use watch::{Pace, Watch};

/// What the node holds at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Title {
    /// Strong or weak.
    pub strength: Strength,
    /// False for a node that is only getting ready to hold: the holder does not answer it, and it looks already whether somebody serves the
    /// owner, but it polls only under a lease.
    pub may_poll: bool,
    /// L5: the last holder itself said that it stops, so a weak one need not watch first.
    pub told: bool,
    /// Whether this node's last look at the Bot API succeeded, or none was made yet.
    pub ready: bool,
    /// Whether every member is visible: then fewer conflicts prove a stranger (F1).
    pub all_visible: bool,
    /// F3: members out of reach that would watch on their side of a cut and have the better LeaderKey; none where only one is out of reach.
    pub rivals: usize,
    /// F3: the port of the holder that this node knew of refuses connections: its process is dead, most likely.
    pub refused: bool,
    /// F6: whether commands are open here that Telegram counts no more: who took them may be dead, and an empty queue does not tell.
    pub owed: Owed,
}

/// What the fence wants, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum FenceAct {
    /// Ask Telegram.
    Call {
        /// Names the answer.
        call: CallId,
        /// Time limit.
        timeout_ms: u64,
        /// What.
        request: BotCall,
    },
    /// Drop a call.
    Cancel(CallId),
    /// Updates to show, and then to confirm with [`Fence::skip`], or to store, copy and confirm with [`Fence::confirm`]. Until then nothing is
    /// polled.
    Updates(Vec<Update>),
    /// Telegram knows that everything below this offset is taken.
    Confirmed(i64),
    /// F1: looks have failed for 3 s: hand over, while another node is ready.
    ApiLost,
    /// F1: whether another program has the token; told when that changes.
    Stranger(bool),
    /// Whether a webhook stands in the way of getUpdates; told when that changes.
    Webhook(bool),
    /// A look or a poll told whether the Bot API answers.
    Reached(bool),
}

/// The state of the fence.
#[derive(Debug)]
pub struct Fence {
    mode: Mode,
    /// F3: how long the same head must stand, grown by each conflict.
    patience_ms: u64,
    /// Peeks made: each uses an offset of its own.
    peeks: u64,
    peek_base: i64,
    /// F1: after a stranger, a strong holder resumes only by watching.
    stranger: bool,
    /// Without a word of the owner's the stranger's end would never be found out: then it polls all the same, after so long, and at that time.
    trial_ms: u64,
    trial_at: u64,
    /// What the last answer said of a webhook.
    webhook: bool,
    /// A 409 under this title told that somebody serves: what is open here is theirs to finish.
    refuted: bool,
    /// F6: what is owed is finished beside the watching.
    finishes: bool,
    /// F1: the lease was weak, so others may poll as watchers until they hear of a strong one: until then it only watches.
    settles: Settles,
    /// News of this node's lease take so long to everybody over the wires, milliseconds, beyond [`SETTLE_MS`].
    pub heard_after_ms: u64,
    /// L5: the last holder's word, which lets a weak holder poll at once, has served. It says nothing about a majority lost since then (F2).
    heeded: bool,
    conflicts: Vec<u64>,
    /// The offset that the next poll starts from; survives a change of mode, so that nothing is taken twice.
    offset: Option<i64>,
}

/// Whether a strong holder lets others hear of it before it polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settles {
    /// Its lease was not weak, or is strong for long enough.
    Not,
    /// Its lease is weak.
    Once,
    /// Its lease has become strong: until then.
    Until(u64),
}

#[derive(Debug)]
enum Mode {
    Off,
    Poll(Poll),
    Watch(Watch),
}

impl Fence {
    /// A fence that does nothing until it has a title.
    #[must_use]
    pub fn new(me: NodeId) -> Self {
        let hash = me.0.iter().fold(0_i64, |sum, byte| (sum * 31 + i64::from(*byte)) % PEEK_BASES);
        Self {
            mode: Mode::Off,
            patience_ms: HEAD_MS,
            peeks: 0,
            peek_base: 1 + hash * PEEKS_EACH,
            stranger: false,
            trial_ms: TRIAL_MS,
            trial_at: 0,
            webhook: false,
            refuted: false,
            finishes: false,
            settles: Settles::Not,
            heard_after_ms: 0,
            heeded: false,
            conflicts: Vec::new(),
            offset: None,
        }
    }

    /// What this node does at the bot.
    #[must_use]
    pub const fn state(&self) -> BotState {
        match self.mode {
            Mode::Off => BotState::Idle,
            Mode::Poll(_) => BotState::Polling,
            Mode::Watch(_) => BotState::Watching,
        }
    }

    /// F6: whether this watcher finishes what is owed. That needs no poll, so it disturbs nobody where the one that took it lives (F4).
    #[must_use]
    pub const fn finishes(&self) -> bool {
        self.finishes
    }

    /// When the fence wants to be stepped next.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        match &self.mode {
            Mode::Off => None,
            Mode::Poll(poll) => poll.deadline(),
            Mode::Watch(watch) => match self.settles {
                Settles::Until(at) => watch.deadline().map(|look| look.min(at)).or(Some(at)),
                Settles::Not | Settles::Once => watch.deadline(),
            },
        }
    }

    /// Follows the title, then does what is due. Without a title every call is dropped (L7).
    pub fn step(&mut self, now: Now, title: Option<Title>, calls: &mut Calls) -> Vec<FenceAct> {
        let mut acts = Vec::new();
        self.follow(now, title, &mut acts);
        match (&mut self.mode, title) {
            (Mode::Poll(poll), Some(_)) => {
                if self.stranger && poll.age_ms(now) >= STRANGER_GONE_MS {
                    (self.stranger, self.trial_ms) = (false, TRIAL_MS);
                    acts.push(FenceAct::Stranger(false));
                }
                poll.step(now, &mut self.offset, calls, &mut acts);
            }
            (Mode::Watch(watch), Some(title)) => {
                let (base, peeks) = (self.peek_base, &mut self.peeks);
                let mut peek_offset = || {
                    *peeks = peeks.wrapping_add(1);
                    base.saturating_add(i64::try_from(*peeks % PEEKS_EACH.unsigned_abs()).unwrap_or(0))
                };
                let slots = u64::try_from(title.rivals.min(MOST_SLOTS)).unwrap_or(0);
                // A conflict told that somebody serves, whatever the port says.
                let dead = title.refused && self.patience_ms == HEAD_MS;
                let pace = if dead { Pace::DEAD } else { Pace::usual(self.patience_ms + slots * SLOT_MS) };
                let unserved = watch.step(now, pace, &mut peek_offset, calls, &mut acts);
                let owed = match title.owed {
                    Owed::Nothing => false,
                    Owed::Shared => self.finishes || watch.looked_ms(now) >= CUT_MS,
                    Owed::Orphaned => self.finishes || watch.looked_ms(now) >= HEAD_MS,
                };
                // A strong holder met a stranger: no member serves beside it.
                let anothers = self.refuted && title.strength == Strength::Weak;
                self.finishes = owed && title.may_poll && !anothers;
                let trial = self.stranger && title.strength == Strength::Strong && now.boot_ms >= self.trial_at;
                if (unserved || trial) && title.may_poll {
                    self.leave(&mut acts);
                    self.start_poll(now, true);
                    if let Mode::Poll(poll) = &mut self.mode {
                        poll.step(now, &mut self.offset, calls, &mut acts);
                    }
                }
            }
            (Mode::Off, _) | (_, None) => {}
        }
        acts
    }

    /// Takes an answer in. Answers to calls of an earlier mode are ignored.
    pub fn answered(
        &mut self,
        now: Now,
        title: Option<Title>,
        call: CallId,
        result: Result<BotReply, BotError>,
    ) -> Vec<FenceAct> {
        let mut acts = Vec::new();
        match &mut self.mode {
            Mode::Off => {}
            Mode::Watch(watch) => watch.answered(now, call, result, &mut acts),
            Mode::Poll(poll) => {
                if poll.answered(now, call, result, &mut self.offset, &mut acts) {
                    self.conflict(now, title, &mut acts);
                }
            }
        }
        self.heed_webhook(&mut acts);
        acts
    }

    /// Everything below the offset is on disk and copied: tell Telegram, while the lease is held (F5, F6).
    pub fn confirm(&mut self, offset: i64) {
        self.offset = Some(update_ids::later(self.offset, offset));
        if let Mode::Poll(poll) = &mut self.mode {
            poll.confirm(offset);
        }
    }

    /// Nothing of the last updates needs to be confirmed before it is acted on: the next poll confirms it; where none follows (L5), a call for it.
    pub fn skip(&mut self, offset: i64) {
        self.offset = Some(update_ids::later(self.offset, offset));
        if let Mode::Poll(poll) = &mut self.mode {
            poll.resume(offset);
        }
    }

    /// Whether updates are being stored or confirmed: a graceful stop finishes them first (L5).
    #[must_use]
    pub const fn busy(&self) -> bool {
        match &self.mode {
            Mode::Poll(poll) => poll.in_hand(),
            Mode::Off | Mode::Watch(_) => false,
        }
    }

    /// L5: takes no more updates, but finishes those in hand.
    pub fn drain(&mut self) -> Vec<FenceAct> {
        let mut acts = Vec::new();
        if let Mode::Poll(poll) = &mut self.mode {
            poll.drain(&mut acts);
        }
        acts
    }

    fn follow(&mut self, now: Now, title: Option<Title>, acts: &mut Vec<FenceAct>) {
        let strength = title.map(|title| title.strength);
        let settling = self.settle(now, title);
        match (&self.mode, strength) {
            (Mode::Off, None) => {}
            (_, None) => {
                self.leave(acts);
                self.patience_ms = HEAD_MS;
                (self.stranger, self.trial_ms) = (false, TRIAL_MS);
                self.webhook = false;
                self.refuted = false;
                self.heeded = false;
            }
            // Who cannot reach the Bot API holds without polling.
            (Mode::Off, Some(_)) if title.is_some_and(|title| !title.ready) => {}
            // F1: after a stranger a strong holder comes back only by F3.
            (Mode::Off | Mode::Watch(_), Some(Strength::Strong)) if !self.stranger && !settling => {
                self.leave(acts);
                self.patience_ms = HEAD_MS;
                self.start_poll(now, false);
            }
            // L5: also where it looks already, because it saw the holder leave before it was told; not again after a 409.
            (Mode::Off | Mode::Watch(_), Some(Strength::Weak))
                if !self.refuted && !self.heeded && title.is_some_and(|title| title.told && title.may_poll) =>
            {
                self.leave(acts);
                self.heeded = true;
                self.start_poll(now, true);
            }
            (Mode::Off, Some(_)) => self.mode = Mode::Watch(Watch::new(now)),
            // L7: who only looks ahead holds nothing, and had its lease taken or gave it back.
            (Mode::Poll(_), Some(_)) if title.is_some_and(|title| !title.may_poll) => {
                self.leave(acts);
                self.mode = Mode::Watch(Watch::new(now));
            }
            // F2: who began to poll as a strong holder stops with its majority; who began as a watcher goes on until a 409.
            (Mode::Poll(poll), Some(Strength::Weak)) if !poll.as_watcher() => {
                self.leave(acts);
                self.mode = Mode::Watch(Watch::new(now));
            }
            (Mode::Poll(_) | Mode::Watch(_), Some(_)) => {}
        }
        if let (Mode::Poll(poll), Some(Strength::Strong)) = (&mut self.mode, strength)
            && !self.stranger
        {
            poll.promote();
        }
        self.heeded |= strength == Some(Strength::Strong);
    }

    /// F1: whether a lease that was weak has become strong so lately that not everybody has heard of it.
    fn settle(&mut self, now: Now, title: Option<Title>) -> bool {
        self.settles = match (self.settles, title) {
            (_, None) => Settles::Not,
            (_, Some(Title { strength: Strength::Weak, may_poll: true, refused: false, .. })) => Settles::Once,
            (Settles::Once, Some(Title { strength: Strength::Strong, .. })) => {
                Settles::Until(now.boot_ms.saturating_add(SETTLE_MS).saturating_add(self.heard_after_ms))
            }
            (Settles::Until(at), Some(_)) if now.boot_ms >= at => Settles::Not,
            (settles, Some(_)) => settles,
        };
        matches!(self.settles, Settles::Until(_))
    }

    fn start_poll(&mut self, now: Now, as_watcher: bool) {
        self.mode = Mode::Poll(Poll::new(now, as_watcher));
    }

    /// Drops every call. Updates that were not confirmed come again.
    pub fn leave(&mut self, acts: &mut Vec<FenceAct>) {
        self.finishes = false;
        match &mut self.mode {
            Mode::Off => {}
            Mode::Poll(poll) => {
                if poll.in_hand() {
                    // What is in hand may not be confirmed by us any more: it comes again, to whoever polls next (F6).
                    self.offset = None;
                }
                poll.cancel_all(acts);
            }
            Mode::Watch(watch) => watch.cancel_all(acts),
        }
        self.mode = Mode::Off;
    }
}

/// F3: the same head for so long means that nobody serves the owner. F6: Telegram was in reach for so long, so what is owed can be finished.
const HEAD_MS: u64 = 1_500;

/// F3: a watcher waits so much longer for each better one that may watch elsewhere. Looks are half a second apart and a call takes some of a
/// tenth, so the first of two has taken the head before the second would poll ...
const SLOT_MS: u64 = 600;
/// ... and so long at most: those that are out of reach may as well be dead.
const MOST_SLOTS: usize = 3;

/// F1: the news of a strong lease reach everybody in reach within this and a round trip; then a watcher's poll is gone.
const SETTLE_MS: u64 = 700;

/// F3: the wait is doubled by each conflict up to this.
const MOST_PATIENCE_MS: u64 = 60_000;

/// F6: who lost its majority with commands in hand was cut off, or all others died, and cannot tell which. In a cut somebody who has the copy
/// and a majority finishes them, so it leaves them for this long, which most cuts do not last. Where the others died, a word of the owner ends
/// the wait (F3).
const CUT_MS: u64 = 60_000;

/// F3: a peek's offset is small, positive, and never the one of the peek before, by anyone, nor of a poll: an equal one within 3 s would
/// become a poll of 3 s that evicts. Update ids of a bot in use are far above.
const PEEK_BASES: i64 = 997;
const PEEKS_EACH: i64 = 1_000;

#[cfg(test)]
mod tests;
