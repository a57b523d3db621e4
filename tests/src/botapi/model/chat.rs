//! Chats, messages and who sees them: the state that methods and the owner's phone change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::keyboard::Keyboard;
use super::photo::Size;
use super::text::Formatted;
use super::units::{ChatId, MessageId, Ms};

/// A person who uses Telegram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Telegram's numeric id; also the id of the private chat with the bot.
    pub id: i64,
    /// The name shown.
    pub first_name: String,
    /// Without the `@`; people may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Of the user's app: `ru`, `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_code: Option<String>,
}

impl User {
    /// Somebody with a username, named after it.
    #[must_use]
    pub fn new(id: i64, username: &str, language_code: &str) -> Self {
        Self {
            id,
            first_name: username.to_owned(),
            username: Some(username.to_owned()),
            language_code: Some(language_code.to_owned()),
        }
    }

    /// The private chat with this user.
    #[must_use]
    pub fn chat(&self) -> ChatId {
        ChatId(self.id)
    }

    pub(super) fn json(&self) -> Value {
        let mut value = json!({"id": self.id, "is_bot": false, "first_name": self.first_name});
        put(&mut value, "username", self.username.clone().map(Value::from));
        put(&mut value, "language_code", self.language_code.clone().map(Value::from));
        value
    }

    pub(super) fn chat_json(&self) -> Value {
        let mut value = json!({"id": self.id, "type": "private", "first_name": self.first_name});
        put(&mut value, "username", self.username.clone().map(Value::from));
        value
    }
}

/// A picture that was uploaded once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// For `file_id`; also the key of [`super::Model::photo`].
    pub file_id: String,
    /// The uploaded bytes: the same bytes are the same picture.
    pub bytes: Arc<[u8]>,
    /// In pixels.
    pub size: Size,
}

/// What a message shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(Formatted),
    /// A picture with a caption.
    Photo(Photo, Formatted),
}

/// One message of a chat.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Whether the bot wrote it (else the user did).
    pub from_bot: bool,
    /// When it was sent.
    pub sent: Ms,
    /// When it was last edited.
    pub edited: Option<Ms>,
    /// What it shows.
    pub content: Content,
    /// Its buttons.
    pub keyboard: Option<Keyboard>,
    /// The topic that it stands in.
    pub thread: Option<i64>,
    /// Whether the phone made no sound for it.
    pub silent: bool,
}

impl Message {
    /// The text or caption.
    #[must_use]
    pub fn text(&self) -> &Formatted {
        match &self.content {
            Content::Text(text) => text,
            Content::Photo(_, caption) => caption,
        }
    }
}

/// A private chat of one user with the bot, or a group that somebody wrote from.
#[derive(Clone, Debug)]
pub struct Chat {
    /// Whose; of a group, who wrote last.
    pub user: User,
    /// The Chat object of a group; None for a private chat.
    pub group: Option<Value>,
    /// Topics that a message was written in.
    pub topics: BTreeSet<i64>,
    /// By id.
    pub messages: BTreeMap<MessageId, Message>,
    /// Whether the user stopped the bot.
    pub blocked: bool,
    pub(super) budget: Budget,
}

impl Chat {
    pub(super) fn new(user: User, group: Option<Value>, budget: Budget) -> Self {
        let (messages, topics) = (BTreeMap::new(), BTreeSet::new());
        Self { user, group, topics, messages, blocked: false, budget }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ChatId {
        let group = self.group.as_ref().and_then(|group| group.get("id")?.as_i64());
        group.map_or_else(|| self.user.chat(), ChatId)
    }

    /// Its Chat object.
    pub(super) fn json(&self) -> Value {
        self.group.clone().unwrap_or_else(|| self.user.chat_json())
    }
}

/// How many messages the bot may still send to one chat: a bucket that refills, and a penalty when it was emptied.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// Thousandths of a message.
    left: u64,
    at: Ms,
    closed_until: Ms,
}

/// Telegram publishes no exact limits; these are about what bots observe in a private chat.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    /// Messages and edits that may go at once.
    pub burst: u64,
    /// Then one each so many milliseconds ("one per second", Bot API FAQ).
    pub every_ms: u64,
    /// Whoever exceeds it is refused for so many seconds: `retry_after`.
    pub penalty_s: u64,
}

impl Budget {
    /// Refuses everything for so many seconds.
    pub(super) fn close(&mut self, now: Ms, seconds: u64) {
        self.closed_until = now.plus(seconds * 1_000);
    }

    pub(super) fn full(limit: RateLimit, now: Ms) -> Self {
        Self { left: limit.burst * 1000, at: now, closed_until: Ms::default() }
    }

    /// Takes one message's worth.
    ///
    /// # Errors
    /// The seconds to wait.
    pub(super) fn take(&mut self, limit: RateLimit, now: Ms) -> Result<(), u64> {
        if now < self.closed_until {
            return Err(self.closed_until.since(now).div_ceil(1000));
        }
        let gained = now.since(self.at) * 1000 / limit.every_ms.max(1);
        self.left = (self.left + gained).min(limit.burst * 1000);
        self.at = now;
        if self.left < 1000 {
            self.closed_until = now.plus(limit.penalty_s.max(1) * 1000);
            return Err(limit.penalty_s.max(1));
        }
        self.left -= 1000;
        Ok(())
    }
}

/// Sets a field, if there is a value.
pub(super) fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Value::Object(fields), Some(value)) = (object, value) {
        fields.insert(name.to_owned(), value);
    }
}
