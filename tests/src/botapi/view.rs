//! What a phone shows and what a test asks about, as documents: the control port speaks them, in both directions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{
    CallId, CallRecord, ChatId, Content, Entity, Keyboard, Ledger, Message, MessageId, Model, Ms, Shown, Toast,
};

/// A chat as its user sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChatView {
    /// Which.
    pub chat: ChatId,
    /// The model's version: it grows with every visible change.
    pub version: u64,
    /// The double's clock when this was looked at.
    pub at: Ms,
    /// Oldest first.
    pub messages: Vec<MessageView>,
    /// The last 50 taps and their answers, oldest first.
    pub toasts: Vec<Toast>,
    /// The command menu as this user sees it, `[{command, description}]`.
    pub commands: Value,
}

/// One message as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Whether the bot wrote it.
    pub from_bot: bool,
    /// When it was sent.
    pub sent: Ms,
    /// When it was last edited.
    pub edited: Option<Ms>,
    /// The text, or a photo's caption.
    pub text: String,
    /// Its formatting, in UTF-16 code units.
    pub entities: Vec<Entity>,
    /// The picture.
    pub photo: Option<PhotoView>,
    /// The buttons.
    pub keyboard: Option<Keyboard>,
    /// The topic that it stands in.
    #[serde(default)]
    pub thread: Option<i64>,
    /// Whether the phone made no sound for it.
    #[serde(default)]
    pub silent: bool,
}

/// A picture in a message; its bytes are at `/control/photo?file_id=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoView {
    /// Telegram's id of the file.
    pub file_id: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Everything that was counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stats {
    /// The double's clock.
    pub at: Ms,
    /// Updates that nobody confirmed.
    pub pending: usize,
    /// Updates that were confirmed.
    pub confirmed: usize,
    /// Updates that were destroyed.
    pub destroyed: usize,
    /// The poll that waits now.
    pub parked: Option<CallId>,
    /// Each update and each 409.
    pub ledger: Ledger,
    /// Each request.
    pub calls: Vec<CallRecord>,
    /// Each text that a user could read.
    pub shown: Vec<Shown>,
}

/// The figures alone, for a page that asks often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The prefix of the client whose poll waits now, "" for one without.
    pub poller: Option<String>,
    /// 409s so far that somebody read.
    pub conflicts: usize,
    /// Updates that were confirmed.
    pub confirmed: usize,
    /// Updates that were destroyed.
    pub destroyed: usize,
    /// Updates that nobody confirmed.
    pub pending: usize,
}

impl Summary {
    /// Takes them from the model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let poller = model.parked().and_then(|call| model.calls().get(usize::try_from(call.0).ok()?));
        Self {
            poller: poller.map(|call| call.source.prefix.clone()),
            conflicts: conflicts_heard(model.ledger(), model.calls()),
            confirmed: model.ledger().confirmed(),
            destroyed: model.ledger().destroyed(),
            pending: model.pending(),
        }
    }
}

impl ChatView {
    /// Looks at one chat; empty where the user has not written.
    #[must_use]
    pub fn of(model: &Model, chat: ChatId, at: Ms) -> Self {
        let language = model.chat(chat).and_then(|chat| chat.user.language_code.as_deref()).unwrap_or_default();
        let commands = model.commands(chat, language).cloned();
        let messages = model.chat(chat).into_iter().flat_map(|chat| chat.messages.values());
        let toasts = model.toasts(chat);
        let older = toasts.len().saturating_sub(SHOWN_TOASTS);
        let toasts = toasts.into_iter();
        Self {
            chat,
            version: model.version(),
            at,
            messages: messages.map(MessageView::of).collect(),
            toasts: toasts.skip(older).cloned().collect(),
            commands: commands.unwrap_or_else(|| Value::Array(Vec::new())),
        }
    }

    /// The bot's last message.
    #[must_use]
    pub fn last_from_bot(&self) -> Option<&MessageView> {
        self.messages.iter().rev().find(|message| message.from_bot)
    }
}

impl MessageView {
    fn of(message: &Message) -> Self {
        let photo = match &message.content {
            Content::Text(_) => None,
            Content::Photo(photo, _) => {
                Some(PhotoView { file_id: photo.file_id.clone(), width: photo.size.width, height: photo.size.height })
            }
        };
        Self {
            id: message.id,
            from_bot: message.from_bot,
            sent: message.sent,
            edited: message.edited,
            text: message.text().text.clone(),
            entities: message.text().entities.clone(),
            photo,
            keyboard: message.keyboard.clone(),
            thread: message.thread,
            silent: message.silent,
        }
    }

    /// When it last changed.
    #[must_use]
    pub fn changed(&self) -> Ms {
        self.edited.unwrap_or(self.sent)
    }

    /// The labels of its buttons, in reading order.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        self.keyboard.iter().flat_map(Keyboard::buttons).map(|button| button.text.as_str()).collect()
    }

    /// The message as lines of text, buttons in brackets: for reports and for the demo's script.
    #[must_use]
    pub fn screen(&self) -> String {
        let mut screen = String::new();
        if let Some(photo) = &self.photo {
            screen.push_str(&format!("[picture {}x{}]\n", photo.width, photo.height));
        }
        screen.push_str(&self.text);
        for row in self.keyboard.iter().flat_map(|keyboard| &keyboard.rows) {
            let labels: Vec<_> = row.iter().map(|button| format!("[{}]", button.text)).collect();
            screen.push('\n');
            screen.push_str(&labels.join(" "));
        }
        screen
    }
}

impl Stats {
    /// Takes everything that the model counted.
    #[must_use]
    pub fn of(model: &Model, at: Ms) -> Self {
        Self {
            at,
            pending: model.pending(),
            confirmed: model.ledger().confirmed(),
            destroyed: model.ledger().destroyed(),
            parked: model.parked(),
            ledger: model.ledger().clone(),
            calls: model.calls().to_vec(),
            shown: model.texts().to_vec(),
        }
    }

    /// Calls of one node, told apart by its path prefix.
    pub fn calls_by(&self, prefix: &str) -> impl Iterator<Item = &CallRecord> {
        self.calls.iter().filter(move |call| call.source.prefix == prefix)
    }

    /// 409s that left at or after `since`.
    #[must_use]
    pub fn conflicts_since(&self, since: Ms) -> usize {
        self.ledger.conflicts.iter().filter(|conflict| conflict.answered >= since).count()
    }

    /// 409s that somebody read.
    #[must_use]
    pub fn conflicts_heard(&self) -> usize {
        conflicts_heard(&self.ledger, &self.calls)
    }
}

/// The poll of a client that died or hung up stays parked, and its 409 to the next poller disturbs nobody: it is not counted.
fn conflicts_heard(ledger: &Ledger, calls: &[CallRecord]) -> usize {
    let heard = |call: CallId| {
        let record = usize::try_from(call.0).ok().and_then(|at| calls.get(at));
        record.is_some_and(|record| !record.unheard)
    };
    ledger.conflicts.iter().filter(|conflict| heard(conflict.call)).count()
}

/// A toast is on the screen for seconds; a long demo must not send all of them for ever.
const SHOWN_TOASTS: usize = 50;
