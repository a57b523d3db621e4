//! Probes over long wires: foca is told of its timers later where the way to whom they are about was measured to be long. It reads no clock, so
//! a timer that comes later is a longer period to it, and its own configuration, which cannot change while it runs, is that of a short wire.

use constella_shared::ids::NodeId;
use foca::Timer;

use super::{MemberTimer, Membership};

impl Membership {
    /// Nearly every request to this member is answered within so many milliseconds.
    pub fn away(&mut self, node: NodeId, timeout_ms: u64) {
        if timeout_ms < NEAR_MS {
            self.away.remove(&node);
        } else if self.view.contains(&node) {
            self.away.insert(node, timeout_ms);
        }
    }

    /// A probe waits for an answer that is late by one lost packet before it has failed, and a suspicion for a refutation that is.
    pub(super) fn follow_wires(&self, timers: &mut [(u64, MemberTimer)]) {
        if self.away.is_empty() {
            return;
        }
        let probed = timers.iter().find_map(|(_, timer)| match timer {
            MemberTimer::Swim(Timer::SendIndirectProbe { probed_id, .. }) => self.away.get(&probed_id.node()).copied(),
            MemberTimer::Swim(_) | MemberTimer::Approach | MemberTimer::Doubt { .. } => None,
        });
        let suspected = |node: NodeId| self.away.get(&node).map_or(0, |away| away.saturating_mul(REFUTED_WITHIN));
        for (after_ms, timer) in timers {
            let later = match timer {
                MemberTimer::Swim(Timer::SendIndirectProbe { .. }) => probed.unwrap_or(0).max(*after_ms),
                MemberTimer::Swim(Timer::ProbeRandomMember(_)) => {
                    probed.map_or(0, |away| away.saturating_mul(2).saturating_add(*after_ms / 4)).max(*after_ms)
                }
                MemberTimer::Swim(Timer::ChangeSuspectToDown { member_id, .. }) => {
                    after_ms.saturating_add(suspected(member_id.node()))
                }
                MemberTimer::Doubt { id, .. } => after_ms.saturating_add(suspected(id.node())),
                MemberTimer::Swim(_) | MemberTimer::Approach => *after_ms,
            };
            *after_ms = later;
        }
    }
}

/// A probe's own limits bear such a wire, and a busy machine.
const NEAR_MS: u64 = 300;

/// Round trips for a suspicion to reach the suspect and its refutation to come back, one of them late by a lost packet.
const REFUTED_WITHIN: u64 = 4;
