//! From what is well again to a recovery.

use alloc::vec::Vec;

use constella_shared::wire::incident::{AlertRecord, AlertStage};

use super::super::incident::is_live;
use super::raise::flaps;
use super::{Act, Alert, Board};
use crate::clock::Now;

impl Board {
    /// Ends what has been well for long enough. An event ends by being told.
    pub(super) fn clear(&mut self, now: Now, acts: &mut Vec<Act>) {
        let ended = |alert: &Alert| {
            let (record, _) = alert.record.as_ref()?;
            let since = alert.well_since?;
            let wait_ms = if flaps(now, record) { FLAPPING_WELL_MS } else { WELL_MS };
            let stands = is_live(record) && record.cleared_unix_ms.is_none();
            let over = stands && now.since(since) >= wait_ms;
            over.then(|| (record.clone(), now.unix_ms.saturating_sub(now.since(since))))
        };
        let ended: Vec<(AlertRecord, u64)> = self.alerts.values().filter_map(ended).collect();
        for (mut record, at_unix_ms) in ended {
            record.cleared_unix_ms = Some(at_unix_ms.max(record.raised_unix_ms));
            record.ack = None;
            // Whoever wanted to hear nothing until it is well reads the end, and hears no note of it.
            record.noted |= record.mute.as_ref().is_some_and(|mute| mute.until_unix_ms.is_none());
            record.mute = record.mute.filter(|mute| mute.until_unix_ms.is_some());
            record.stage = match record.stage {
                // Its message was not sent: it will tell the raise and the recovery at once.
                stage @ (AlertStage::Sending | AlertStage::Waiting) => stage,
                AlertStage::Open | AlertStage::Clearing => AlertStage::Clearing,
                stage @ (AlertStage::Closed | AlertStage::Other) => stage,
            };
            self.write(now, record, acts);
        }
    }
}

/// What is well for so long is over.
const WELL_MS: u64 = 3_000;

/// N4: what comes and goes is over when it has been well for so long.
const FLAPPING_WELL_MS: u64 = 600_000;
