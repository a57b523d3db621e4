//! What foca is set to, and what it asks for in return.

use alloc::string::String;
use alloc::vec::Vec;
use core::num::{NonZeroU8, NonZeroUsize};
use core::time::Duration;

use constella_shared::ids::NodeId;
use constella_shared::limits::GOSSIP_PACKET_BYTES;
use foca::{Notification, PeriodicParams, Runtime, Timer};

use super::identity::SwimId;
use super::{FAN, MemberTimer, frame};
use crate::config::Settings;

/// What one call made foca want.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) sends: Vec<(NodeId, String)>,
    pub(super) timers: Vec<(u64, MemberTimer)>,
    pub(super) touched: Vec<NodeId>,
    pub(super) given_up: Vec<NodeId>,
    pub(super) renewed: bool,
}

impl Runtime<SwimId> for Collected {
    fn notify(&mut self, notification: Notification<'_, SwimId>) {
        match notification {
            Notification::MemberUp(id) | Notification::MemberDown(id) | Notification::Rename(_, id) => {
                self.touched.push(id.node());
            }
            Notification::Rejoin(_) => self.renewed = true,
            Notification::Active | Notification::Idle | Notification::Defunct => {}
        }
    }

    fn send_to(&mut self, to: SwimId, data: &[u8]) {
        self.sends.push((to.node(), frame::encode(data)));
    }

    fn submit_after(&mut self, event: Timer<SwimId>, after: Duration) {
        // A probe that failed makes its target suspect without a notification; this is its trace.
        if let Timer::ChangeSuspectToDown { member_id, .. } = &event {
            self.touched.push(member_id.node());
        }
        self.timers.push((u64::try_from(after.as_millis()).unwrap_or(u64::MAX), MemberTimer::Swim(event)));
    }
}

pub(super) fn config(settings: &Settings, suspicion_ms: u64) -> foca::Config {
    let period_ms = settings.heartbeat_ms.max(2);
    let rtt_ms = settings.heartbeat_timeout_ms.clamp(1, period_ms / 2);
    let fan = NonZeroUsize::MIN.saturating_add(FAN - 1);
    foca::Config {
        probe_period: Duration::from_millis(period_ms),
        // The indirect probe needs the other half of the period.
        probe_rtt: Duration::from_millis(rtt_ms),
        num_indirect_probes: fan,
        max_transmissions: NonZeroU8::MIN.saturating_add(TRANSMISSIONS - 1),
        suspect_to_down_after: Duration::from_millis(suspicion_ms),
        // The roster bounds how many there are, and a dead identity never comes back.
        remove_down_after: None,
        max_packet_size: NonZeroUsize::MIN.saturating_add(GOSSIP_PACKET_BYTES - 1),
        notify_down_members: true,
        // The roster names every member; `approach_some` works also while this node is alone, which foca's announcements do not.
        periodic_announce: None,
        periodic_announce_to_down_members: None,
        periodic_gossip: Some(PeriodicParams {
            frequency: Duration::from_millis((period_ms / 4).max(1)),
            num_members: fan,
        }),
    }
}

/// foca refuses damaged frames, timers of an earlier connection and messages for an earlier life: each time what was sound in it has been
/// taken, and nothing is left to do.
pub(super) fn note(result: Result<(), foca::Error>) {
    // See above.
    let _ = result;
}

/// How often one piece of gossip is passed on: with [`FAN`] it reaches 1,000 nodes with a wide margin.
const TRANSMISSIONS: u8 = 10;
