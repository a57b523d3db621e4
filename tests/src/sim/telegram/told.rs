//! What the owner was told of alerts: the messages, whose raise each is, and how it ended.

use std::collections::BTreeMap;

use constella_core::alerts::incident::Incident;
use constella_core::bot::kit::page::Screen;
use constella_core::bot::kit::say::Key;
use constella_shared::wire::incident::IncidentId;

/// Messages of alerts in the owner's chat, and what was counted.
#[derive(Debug, Default)]
pub(in super::super) struct Told {
    messages: BTreeMap<i64, Message>,
    /// Messages that told of something raised.
    pub(in super::super) raises: u64,
    /// With sound, notes on ends included.
    pub(in super::super) sounds: u64,
    /// Notes on ends.
    pub(in super::super) notes: u64,
    /// An incident that had a message got another one: its first holder did not say that it was sent.
    pub(in super::super) repeats: u64,
    /// A rule that was broken.
    wrong: Option<String>,
}

#[derive(Debug)]
struct Message {
    incident: Incident,
    /// The call that sent it, and whether its sender was told so and lived.
    call: u64,
    known: bool,
    silent: bool,
    /// It says that it goes on in another message.
    moved: bool,
}

impl Told {
    /// A message is sent.
    pub(super) fn sent(&mut self, call: u64, id: i64, screen: &Screen, silent: bool) {
        match screen {
            Screen::Alert { incident, .. } => {
                let before = self.messages.values().filter(|message| message.incident.id == incident.id);
                let before: Vec<(bool, bool)> = before.map(|message| (message.known, message.silent)).collect();
                if !before.is_empty() {
                    self.repeats += 1;
                }
                if before.iter().any(|(known, _)| *known) && !silent {
                    self.wrong = Some(format!("{:?} is told again with a sound", incident.id));
                }
                self.raises += 1;
                self.sounds += u64::from(!silent);
                let incident = (**incident).clone();
                self.messages.insert(id, Message { incident, call, known: false, silent, moved: false });
            }
            Screen::Note { say, .. } if is_a_note(say.key) => {
                self.notes += 1;
                self.sounds += u64::from(!silent);
            }
            Screen::Note { .. } | Screen::Words { .. } | Screen::Message(_) | Screen::Invite { .. } => {}
        }
    }

    /// Whether a message is one of alerts; then it shows this now.
    pub(super) fn edited(&mut self, id: i64, screen: &Screen) -> bool {
        let Some(message) = self.messages.get_mut(&id) else { return false };
        match screen {
            Screen::Alert { incident, .. } => message.incident = (**incident).clone(),
            Screen::Note { .. } | Screen::Words { .. } | Screen::Message(_) | Screen::Invite { .. } => {
                message.moved = true;
            }
        }
        true
    }

    /// The sender of a message knows that it was sent.
    pub(in super::super) fn known(&mut self, call: u64) {
        self.messages.values_mut().filter(|message| message.call == call).for_each(|message| message.known = true);
    }

    /// What is wrong.
    pub(in super::super) fn take_wrong(&mut self) -> Option<String> {
        self.wrong.take()
    }

    /// The incidents that the owner still reads as standing, though everything is well. One whose sender never learned that it was sent, or that
    /// was told by a second message, cannot be ended in its first one.
    pub(in super::super) fn unended(&self) -> Vec<(IncidentId, Vec<String>)> {
        let stands = |message: &&Message| {
            let stands = |alert: &constella_shared::wire::incident::AlertRecord| {
                alert.cleared_unix_ms.is_none() && alert.subject.kind.has_state()
            };
            message.known && !message.moved && message.incident.alerts.iter().any(stands)
        };
        let of = |message: &Message| {
            message.incident.alerts.iter().map(|alert| format!("{:?}", alert.subject.kind)).collect()
        };
        self.messages.values().filter(stands).map(|message| (message.incident.id, of(message))).collect()
    }
}

/// The notes on the ends of incidents.
pub(super) fn is_a_note(key: Key) -> bool {
    matches!(key, Key::NoteUp | Key::NoteManyUp | Key::NoteTogether | Key::NoteOver | Key::NoteManyOver)
}

/// A message that no command asked for: what keeps the bot from its updates.
pub(super) fn is_about_the_bot(key: Key) -> bool {
    matches!(key, Key::TokenElsewhere | Key::TokenOursAgain | Key::WebhookSet | Key::WebhookGone) || is_a_note(key)
}
