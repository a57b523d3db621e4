//! What the people on the other side do: write, tap a button, stop the bot.

use serde_json::{Value, json};
use thiserror::Error;

use super::chat::{Budget, Chat, Content, Message, User};
use super::keyboard::Action;
use super::text::{Entity, Formatted};
use super::units::{ChatId, MessageId, Ms};
use super::{Answer, Model};

/// Which button of a message is tapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tap {
    /// The one with this callback data.
    Data(String),
    /// The first whose label contains this.
    Label(String),
}

/// Why a tap is impossible: the phone does not show such a button.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TapError {
    /// The chat or the message is not there.
    #[error("message {0} is not in the chat")]
    NoMessage(MessageId),
    /// The message has no such button now.
    #[error("message {0} has no such button; it has: {1}")]
    NoButton(MessageId, String),
    /// The button opens a link.
    #[error("the button opens {0} and sends the bot nothing")]
    IsLink(String),
}

impl Model {
    /// A user writes to the bot; the first text opens the chat.
    pub fn write(&mut self, now: Ms, user: &User, text: &str) -> (MessageId, Vec<Answer>) {
        let rate = self.config.rate;
        let budget = Budget::full(rate, now);
        let chat = self.chats.entry(user.chat()).or_insert_with(|| Chat::new(user.clone(), None, budget));
        chat.user = user.clone();
        chat.blocked = false;
        let content = Content::Text(Formatted { text: text.to_owned(), entities: command_entity(text) });
        let id = self.add_message(now, user.chat(), false, content, None);
        let update = self.update_with("message", user.chat(), id);
        let answers = self.push(now, "message", update);
        (id, answers)
    }

    /// A user taps a button that the message has now.
    ///
    /// # Errors
    /// The phone shows no such button; nothing changed.
    pub fn tap(
        &mut self,
        now: Ms,
        chat_id: ChatId,
        message_id: MessageId,
        tap: &Tap,
    ) -> Result<(String, Vec<Answer>), TapError> {
        let gone = TapError::NoMessage(message_id);
        let chat = self.chats.get(&chat_id).ok_or_else(|| gone.clone())?;
        let message = chat.messages.get(&message_id).ok_or(gone)?;
        let data = tapped_data(message, tap)?;
        let mut query = json!({
            "from": chat.user.json(),
            "message": self.message_json(chat, message),
            "chat_instance": format!("{}", chat_id.0.wrapping_mul(-7_919)),
            "data": data,
        });
        let id = self.callbacks.tapped(now, chat_id, message_id);
        super::chat::put(&mut query, "id", Some(id.clone().into()));
        self.changed();
        let answers = self.push(now, "callback_query", json!({"callback_query": query}));
        Ok((id, answers))
    }

    /// A user stops the bot: what the bot sends is refused until the user writes again.
    pub fn block(&mut self, chat: ChatId) {
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.blocked = true;
        }
    }

    /// An update of any kind and content, unless the bot does not want its kind.
    pub fn update(&mut self, now: Ms, kind: &str, content: &Value) -> Vec<Answer> {
        self.push(now, kind, json!({ kind: content }))
    }

    /// An update as it is written here, whatever it is, in any shape: forwards, groups, topics, kinds of tomorrow. Its `update_id` is the queue's
    /// own. The chat that its message names is there from now on, and its topic; the query that it is can be answered.
    pub fn raw(&mut self, now: Ms, update: Value) -> Vec<Answer> {
        let message = update.get("message").or_else(|| update.pointer("/callback_query/message"));
        if let Some(message) = message {
            let from = message.get("from").filter(|_| update.get("message").is_some());
            let from = from.or_else(|| update.pointer("/callback_query/from"));
            self.open_chat(now, &message.clone(), from.cloned().as_ref());
        }
        if let Some(query) = update.get("callback_query") {
            let chat = query.pointer("/from/id").and_then(Value::as_i64).unwrap_or_default();
            let id = query.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
            id.into_iter().for_each(|id| self.callbacks.raw(now, ChatId(chat), id));
        }
        let names = update.as_object().into_iter().flatten().map(|(name, _)| name);
        let kind = names.into_iter().find(|name| *name != "update_id").cloned().unwrap_or_default();
        let mut answers = self.tick(now);
        let (_, answered) = self.queue.add(now, &kind, update);
        answers.extend(self.answered(now, answered));
        answers
    }

    /// Telegram refuses everything that changes this chat for so many seconds (429); answers to taps pass.
    pub fn limit(&mut self, now: Ms, chat: ChatId, seconds: u64) {
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.budget.close(now, seconds);
        }
    }

    fn open_chat(&mut self, now: Ms, message: &Value, from: Option<&Value>) {
        let Some(id) = message.pointer("/chat/id").and_then(Value::as_i64) else { return };
        let Some(user) = from.and_then(|from| serde_json::from_value::<User>(from.clone()).ok()) else { return };
        let group = message.get("chat").filter(|chat| chat.get("type") != Some(&"private".into()) && id < 0).cloned();
        let budget = Budget::full(self.config.rate, now);
        let chat = self.chats.entry(ChatId(id)).or_insert_with(|| Chat::new(user, group, budget));
        chat.topics.extend(message.get("message_thread_id").and_then(Value::as_i64));
    }

    pub(super) fn add_message(
        &mut self,
        now: Ms,
        chat: ChatId,
        from_bot: bool,
        content: Content,
        keyboard: Option<super::Keyboard>,
    ) -> MessageId {
        let id = MessageId(self.next_message);
        self.next_message += 1;
        self.changed();
        if let Some(chat) = self.chats.get_mut(&chat) {
            let message =
                Message { id, from_bot, sent: now, edited: None, content, keyboard, thread: None, silent: false };
            chat.messages.insert(id, message);
        }
        id
    }

    /// `{name: Message}`.
    fn update_with(&self, name: &str, chat: ChatId, message: MessageId) -> Value {
        let found = self.chats.get(&chat).and_then(|chat| Some((chat, chat.messages.get(&message)?)));
        found.map_or(Value::Null, |(chat, message)| json!({name: self.message_json(chat, message)}))
    }

    fn push(&mut self, now: Ms, kind: &str, update: Value) -> Vec<Answer> {
        let mut answers = self.tick(now);
        let (_, answered) = self.queue.push(now, kind, update);
        answers.extend(self.answered(now, answered));
        answers
    }
}

fn tapped_data(message: &Message, tap: &Tap) -> Result<String, TapError> {
    let buttons = || message.keyboard.iter().flat_map(super::Keyboard::buttons);
    let found = buttons().find(|button| match tap {
        Tap::Data(data) => button.action == Action::CallbackData(data.clone()),
        Tap::Label(label) => button.text.contains(label.as_str()),
    });
    match found.map(|button| &button.action) {
        Some(Action::CallbackData(data)) => Ok(data.clone()),
        Some(Action::Url(url)) => Err(TapError::IsLink(url.clone())),
        None => {
            let labels: Vec<_> = buttons().map(|button| button.text.as_str()).collect();
            Err(TapError::NoButton(message.id, labels.join(" | ")))
        }
    }
}

/// Telegram marks a command at the start of a text.
fn command_entity(text: &str) -> Vec<Entity> {
    let word = text.split_whitespace().next().unwrap_or("");
    let is_command = text.starts_with('/') && word.len() > 1;
    let entity = Entity {
        kind: "bot_command".to_owned(),
        offset: 0,
        length: word.encode_utf16().count(),
        url: None,
        language: None,
    };
    if is_command { vec![entity] } else { Vec::new() }
}
