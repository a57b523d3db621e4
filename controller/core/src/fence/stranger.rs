//! F1: conflicts of our polls, and what they prove: another program has the token. A webhook is told the same way, when it comes and when it goes.

use alloc::vec::Vec;

use constella_shared::wire::lease::Strength;

use super::watch::Watch;
use super::{Fence, FenceAct, MOST_PATIENCE_MS, Mode, Title};
use crate::clock::Now;

impl Fence {
    /// A 409 on our poll: somebody else called getUpdates.
    pub(super) fn conflict(&mut self, now: Now, title: Option<Title>, acts: &mut Vec<FenceAct>) {
        self.conflicts.retain(|at| now.since(*at) < STRANGER_WINDOW_MS);
        self.conflicts.push(now.boot_ms);
        let Some(title) = title else { return };
        let weak = title.strength == Strength::Weak;
        let enough = if title.all_visible { STRANGER_ALL_VISIBLE } else { STRANGER_OTHERWISE };
        let stranger = !weak && self.conflicts.len() >= enough;
        if weak || stranger || self.stranger {
            self.refuted = true;
            self.patience_ms = self.patience_ms.saturating_mul(2).min(MOST_PATIENCE_MS);
            self.leave(acts);
            self.mode = Mode::Watch(Watch::new(now));
        }
        if stranger && !self.stranger {
            self.stranger = true;
            self.conflicts.clear();
            acts.push(FenceAct::Stranger(true));
        }
        if self.stranger {
            self.trial_at = now.boot_ms.saturating_add(self.trial_ms);
            self.trial_ms = self.trial_ms.saturating_mul(2).min(MOST_TRIAL_MS);
        }
    }

    /// Of what answers say of a webhook, only what is new.
    pub(super) fn heed_webhook(&mut self, acts: &mut Vec<FenceAct>) {
        acts.retain(|act| {
            let FenceAct::Webhook(set) = act else { return true };
            core::mem::replace(&mut self.webhook, *set) != *set
        });
    }
}

/// F1: a poller that no other program ends for so long is alone: libraries poll again within seconds.
pub(super) const STRANGER_GONE_MS: u64 = 30_000;

/// F1: while another program has the token, it is tried after a minute whether it still has, then less and less often ...
pub(super) const TRIAL_MS: u64 = 60_000;

/// ... down to this: each trial ends a poll of that program.
const MOST_TRIAL_MS: u64 = 600_000;

/// F1: conflicts are counted over a minute ...
const STRANGER_WINDOW_MS: u64 = 60_000;

/// ... the third proves a stranger while every member is visible ...
const STRANGER_ALL_VISIBLE: usize = 3;

/// ... and the eighth otherwise.
const STRANGER_OTHERWISE: usize = 8;
