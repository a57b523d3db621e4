//! The owner acknowledges an incident, or mutes it for a while (N5).
//!
//! Each is an idempotent write: a press that is delivered twice, or to two holders, leaves the same record.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::limits::ALERT_BY_BYTES;
use constella_shared::wire::incident::{Ack, AlertRecord, IncidentId, Mute};

use super::super::incident::is_live;
use super::{Act, Board};
use crate::clock::Now;

/// A press under an incident's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press {
    /// The incident that the message tells.
    pub incident: IncidentId,
    /// Telegram's name of the person, or the number.
    pub by: String,
    /// The time of the press, unix milliseconds: a relative time is reckoned from it.
    pub at_unix_ms: u64,
    /// The button.
    pub wish: Wish,
}

/// The wish of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To show the others that somebody has seen it.
    Acknowledge,
    /// To hear nothing more of it for so many milliseconds.
    MuteFor(u64),
    /// To hear nothing more of it until it is well.
    MuteUntilWell,
    /// To hear of it again.
    Unmute,
}

impl Board {
    /// Writes a press down. Empty where nothing of the incident is left to be acknowledged or muted.
    pub fn press(&mut self, now: Now, press: &Press) -> Vec<Act> {
        let by: String = press.by.chars().take(ALERT_BY_BYTES / 4).collect();
        let concerned = |record: &&AlertRecord| {
            let over = !is_live(record) || record.cleared_unix_ms.is_some();
            record.incident == press.incident && (!over || matches!(press.wish, Wish::Unmute | Wish::MuteFor(_)))
        };
        let concerned: Vec<AlertRecord> = self.records().filter(concerned).cloned().collect();
        let mut acts = Vec::new();
        for before in concerned {
            let mut record = before.clone();
            let at_unix_ms = press.at_unix_ms;
            match press.wish {
                Wish::Acknowledge if record.ack.is_none() => record.ack = Some(Ack { by: by.clone(), at_unix_ms }),
                Wish::Acknowledge => {}
                Wish::MuteFor(ms) => {
                    record.mute = Some(Mute { by: by.clone(), until_unix_ms: Some(at_unix_ms.saturating_add(ms)) });
                }
                Wish::MuteUntilWell => record.mute = Some(Mute { by: by.clone(), until_unix_ms: None }),
                Wish::Unmute => record.mute = None,
            }
            if record != before {
                self.write(now, record, &mut acts);
            }
        }
        acts
    }
}
