//! What the owner was told of alerts: the messages, whose raise each is, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use constella_core::alerts::incident::Incident;
use constella_core::bot::kit::page::Screen;
use constella_core::bot::kit::say::Key;
use constella_shared::wire::alert::Subject;
use constella_shared::wire::incident::AlertRecord;

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
    /// Calls with a sound for an incident that was told, as their senders knew when they called.
    too_loud: BTreeSet<u64>,
    /// A rule that was broken.
    wrong: Option<String>,
}

/// A host, and the life of its process; None where it was gone when its call arrived.
pub(in super::super) type Writer = Option<(usize, u64)>;

/// A message that tells of something as standing.
#[derive(Debug)]
pub(in super::super) struct Unended {
    /// Telegram's id of it.
    pub(in super::super) message: i64,
    /// Which process wrote what it shows.
    pub(in super::super) by: Writer,
    /// It showed once that everything in it is over.
    pub(in super::super) ended: bool,
    /// What it shows as standing.
    pub(in super::super) subjects: Vec<Subject>,
    /// Which incident it tells, and of what kinds, for the log.
    pub(in super::super) what: String,
}

#[derive(Debug)]
struct Message {
    incident: Incident,
    /// Which process wrote what it shows.
    by: Writer,
    /// It showed once that everything in it is over.
    ended: bool,
    /// The call that sent it, and whether its sender was told so and lived.
    call: u64,
    known: bool,
    /// It says that it goes on in another message.
    moved: bool,
}

impl Told {
    /// A message is sent.
    pub(super) fn sent(&mut self, (call, by): (u64, Writer), id: i64, screen: &Screen, silent: bool) {
        match screen {
            Screen::Alert { incident, .. } => {
                let before = self.messages.values().filter(|message| message.incident.id == incident.id);
                let is_told = before.count() > 0;
                self.repeats += u64::from(is_told);
                if is_told && self.too_loud.contains(&call) {
                    self.wrong = Some(format!("{:?} is told again with a sound", incident.id));
                }
                self.raises += 1;
                self.sounds += u64::from(!silent);
                let incident = (**incident).clone();
                self.messages.insert(id, Message { incident, by, ended: false, call, known: false, moved: false });
            }
            Screen::Note { say, .. } if is_a_note(say.key) => {
                self.notes += 1;
                self.sounds += u64::from(!silent);
            }
            Screen::Note { .. } | Screen::Words { .. } | Screen::Message(_) | Screen::Invite { .. } => {}
        }
    }

    /// Whether a message is one of alerts; then it shows this now.
    pub(super) fn edited(&mut self, by: Writer, id: i64, screen: &Screen) -> bool {
        let Some(message) = self.messages.get_mut(&id) else { return false };
        message.by = by;
        match screen {
            Screen::Alert { incident, .. } => {
                message.incident = (**incident).clone();
                message.ended |= standing(incident).next().is_none();
            }
            Screen::Note { .. } | Screen::Words { .. } | Screen::Message(_) | Screen::Invite { .. } => {
                message.moved = true;
            }
        }
        true
    }

    /// A call with a sound, of whoever knows that the incident was told, or that another one was about to tell it. Two sides of a partition, which know nothing
    /// of each other, may both have a sound (F7).
    pub(in super::super) fn is_too_loud(&mut self, call: u64) {
        self.too_loud.insert(call);
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
    pub(in super::super) fn unended(&self) -> Vec<Unended> {
        let stands = |(_, message): &(&i64, &Message)| {
            message.known && !message.moved && standing(&message.incident).next().is_some()
        };
        let what = |incident: &Incident| {
            let kinds: Vec<String> = incident.alerts.iter().map(|alert| format!("{:?}", alert.subject.kind)).collect();
            format!("{:?} {kinds:?}", incident.id)
        };
        let unended = |(id, message): (&i64, &Message)| Unended {
            message: *id,
            by: message.by,
            ended: message.ended,
            subjects: standing(&message.incident).cloned().collect(),
            what: what(&message.incident),
        };
        self.messages.iter().filter(stands).map(unended).collect()
    }
}

/// What a reader sees as something that is not over.
fn standing(incident: &Incident) -> impl Iterator<Item = &Subject> {
    let stands = |alert: &&AlertRecord| alert.cleared_unix_ms.is_none() && alert.subject.kind.has_state();
    incident.alerts.iter().filter(stands).map(|alert| &alert.subject)
}

/// The notes on the ends of incidents.
pub(super) fn is_a_note(key: Key) -> bool {
    matches!(key, Key::NoteUp | Key::NoteManyUp | Key::NoteTogether | Key::NoteOver | Key::NoteManyOver)
}

/// A message that no command asked for: what keeps the bot from its updates.
pub(super) fn is_about_the_bot(key: Key) -> bool {
    matches!(key, Key::TokenElsewhere | Key::TokenOursAgain | Key::WebhookSet | Key::WebhookGone) || is_a_note(key)
}
