//! The model's state as the Bot API's JSON objects.

use serde_json::{Value, json};

use super::Model;
use super::chat::{Chat, Content, Message, Photo, put};
use super::text::Formatted;
use super::units::Ms;

impl Model {
    /// The bot as a User object.
    pub(super) fn bot_json(&self) -> Value {
        json!({"id": self.bot_id(), "is_bot": true, "first_name": self.config.username, "username": self.config.username})
    }

    /// The number before the token's colon.
    pub(super) fn bot_id(&self) -> i64 {
        self.config.token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default()
    }

    /// Unix seconds.
    pub(super) fn date(&self, at: Ms) -> u64 {
        self.config.epoch_s + at.0 / 1000
    }

    /// A Message object.
    pub(super) fn message_json(&self, chat: &Chat, message: &Message) -> Value {
        let mut value = json!({
            "message_id": message.id,
            "from": if message.from_bot { self.bot_json() } else { chat.user.json() },
            "chat": chat.json(),
            "date": self.date(message.sent),
        });
        put(&mut value, "message_thread_id", message.thread.map(Value::from));
        put(&mut value, "edit_date", message.edited.map(|at| self.date(at).into()));
        match &message.content {
            Content::Text(text) => put_text(&mut value, "text", "entities", text),
            Content::Photo(photo, caption) => {
                put(&mut value, "photo", Some(json!([photo_json(photo)])));
                put_text(&mut value, "caption", "caption_entities", caption);
            }
        }
        let keyboard = message.keyboard.as_ref().map(|keyboard| json!({"inline_keyboard": keyboard}));
        put(&mut value, "reply_markup", keyboard);
        value
    }
}

fn put_text(value: &mut Value, name: &str, entities_name: &str, text: &Formatted) {
    if !text.text.is_empty() {
        put(value, name, Some(text.text.clone().into()));
    }
    if !text.entities.is_empty() {
        put(value, entities_name, Some(json!(text.entities)));
    }
}

fn photo_json(photo: &Photo) -> Value {
    json!({
        "file_id": photo.file_id,
        "file_unique_id": format!("u{}", photo.file_id),
        "width": photo.size.width,
        "height": photo.size.height,
        "file_size": photo.bytes.len(),
    })
}
