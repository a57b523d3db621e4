//! Bot-readiness (DESIGN 5): has the token, and the last look at the Bot API succeeded.

use crate::calls::Calls;
use crate::clock::Now;
use crate::io::CallId;

/// Probes the Bot API with `getMe`, unless the fence's own calls tell already.
#[derive(Debug)]
pub struct Probe {
    ready: bool,
    next_at: u64,
    asking: Option<CallId>,
    succeeded_at: Option<u64>,
}

impl Probe {
    /// Not ready until the first probe, which is due at once.
    #[must_use]
    pub const fn new(now: Now) -> Self {
        Self { ready: false, next_at: now.boot_ms, asking: None, succeeded_at: None }
    }

    /// Whether this node could serve the owner.
    #[must_use]
    pub const fn ready(&self) -> bool {
        self.ready
    }

    /// CLOCK_BOOTTIME of the last success.
    #[must_use]
    pub const fn succeeded_at(&self) -> Option<u64> {
        self.succeeded_at
    }

    /// When the next probe is due.
    #[must_use]
    pub const fn deadline(&self) -> Option<u64> {
        if self.asking.is_none() { Some(self.next_at) } else { None }
    }

    /// The probe to make now, where one is due and this node is one of those that probe.
    pub fn due(&mut self, now: Now, probes: bool, calls: &mut Calls) -> Option<CallId> {
        if self.asking.is_some() || now.boot_ms < self.next_at {
            return None;
        }
        if !probes {
            self.next_at = now.boot_ms.saturating_add(EVERY_MS);
            return None;
        }
        let call = calls.next();
        self.asking = Some(call);
        Some(call)
    }

    /// Takes an answer to a probe in; false where the call was none.
    pub fn answered(&mut self, now: Now, call: CallId, reached: bool) -> bool {
        if self.asking != Some(call) {
            return false;
        }
        self.asking = None;
        self.learned(now, reached);
        true
    }

    /// Somebody's call to the Bot API succeeded or failed: as good as a probe.
    pub fn learned(&mut self, now: Now, reached: bool) {
        self.ready = reached;
        if reached {
            self.succeeded_at = Some(now.boot_ms);
        }
        self.next_at = now.boot_ms.saturating_add(if reached { EVERY_MS } else { FAILING_EVERY_MS });
    }

    /// A probe is wanted now: the token came or changed.
    pub const fn hurry(&mut self, now: Now) {
        self.next_at = now.boot_ms;
    }
}

/// Time limit of one probe.
pub const PROBE_LIMIT_MS: u64 = 3_000;

/// DESIGN 5: every 10 s, every 3 s while failing.
const EVERY_MS: u64 = 10_000;
const FAILING_EVERY_MS: u64 = 3_000;
