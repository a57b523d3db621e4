//! Sending, editing and deleting messages.

use std::sync::Arc;

use serde_json::Value;

use super::chat::{Content, Message, Photo};
use super::keyboard::Keyboard;
use super::photo::check_png;
use super::refusal::Refusal;
use super::text::Formatted;
use super::units::{ChatId, MessageId, Ms};
use super::{Args, Model};

type Outcome = Result<Value, Refusal>;

impl Model {
    pub(super) fn send_message(&mut self, now: Ms, args: &Args) -> Outcome {
        let chat = self.chat_of(args)?.id();
        let text = Formatted::message(args, Refusal::MessageTooLong)?;
        let keyboard = Keyboard::parse(args.text("reply_markup"))?;
        let thread = self.thread_of(args)?;
        self.may_write(now, chat)?;
        let id = self.add_message(now, chat, true, Content::Text(text), keyboard);
        self.put_into(chat, id, thread, args.flag("disable_notification"));
        self.shown(chat, id)
    }

    pub(super) fn send_photo(&mut self, now: Ms, args: &Args) -> Outcome {
        let chat = self.chat_of(args)?.id();
        let caption = Formatted::caption(args.text("caption"), args.text("parse_mode"), args.text("caption_entities"))?;
        let keyboard = Keyboard::parse(args.text("reply_markup"))?;
        let photo = self.photo_of(args, "photo", args.text("photo"))?;
        let thread = self.thread_of(args)?;
        self.may_write(now, chat)?;
        let id = self.add_message(now, chat, true, Content::Photo(photo, caption), keyboard);
        self.put_into(chat, id, thread, args.flag("disable_notification"));
        self.shown(chat, id)
    }

    /// An edit without `reply_markup` takes the buttons away; that is Telegram's way, not an oversight.
    pub(super) fn edit_text(&mut self, now: Ms, args: &Args) -> Outcome {
        let text = Formatted::message(args, Refusal::EditTooLong)?;
        let keyboard = Keyboard::parse(args.text("reply_markup"))?;
        let (chat, message) = self.own_message(args)?;
        if !matches!(message.content, Content::Text(_)) {
            return Err(Refusal::NoTextToEdit);
        }
        let id = message.id;
        self.edit(now, chat, id, Content::Text(text), keyboard)
    }

    pub(super) fn edit_caption(&mut self, now: Ms, args: &Args) -> Outcome {
        let caption = Formatted::caption(args.text("caption"), args.text("parse_mode"), args.text("caption_entities"))?;
        let keyboard = Keyboard::parse(args.text("reply_markup"))?;
        let (chat, message) = self.own_message(args)?;
        let Content::Photo(photo, _) = &message.content else {
            return Err(Refusal::NoCaptionToEdit);
        };
        let (id, content) = (message.id, Content::Photo(photo.clone(), caption));
        self.edit(now, chat, id, content, keyboard)
    }

    /// Also turns a text into a photo ("or to add media to text messages", Bot API); there is no way back.
    pub(super) fn edit_media(&mut self, now: Ms, args: &Args) -> Outcome {
        let keyboard = Keyboard::parse(args.text("reply_markup"))?;
        let (chat, message) = self.own_message(args)?;
        let id = message.id;
        let media: Value =
            serde_json::from_str(args.text("media")).map_err(|_| Refusal::InputMedia("can't parse JSON object"))?;
        let field = |name: &str| media.get(name).map(as_text).transpose();
        if field("type")?.as_deref() != Some("photo") {
            return Err(Refusal::InputMedia("type must be \"photo\" in the double"));
        }
        let caption = Formatted::caption(
            &field("caption")?.unwrap_or_default(),
            &field("parse_mode")?.unwrap_or_default(),
            &media.get("caption_entities").map(Value::to_string).unwrap_or_default(),
        )?;
        let file = field("media")?.filter(|file| !file.is_empty()).ok_or(Refusal::InputMedia("media not found"))?;
        let photo = self.photo_of(args, "media", &file)?;
        self.edit(now, chat, id, Content::Photo(photo, caption), keyboard)
    }

    pub(super) fn edit_reply_markup(&mut self, now: Ms, args: &Args) -> Outcome {
        let keyboard = Keyboard::parse(args.text("reply_markup"))?;
        let (chat, message) = self.own_message(args)?;
        let (id, content) = (message.id, message.content.clone());
        self.edit(now, chat, id, content, keyboard)
    }

    pub(super) fn delete_message(&mut self, now: Ms, args: &Args) -> Outcome {
        let chat = self.chat_of(args)?;
        let id = message_id(args)?;
        let message = chat.messages.get(&id).ok_or(Refusal::MessageToDeleteNotFound)?;
        if now.since(message.sent) > DELETABLE_MS {
            return Err(Refusal::MessageCantBeDeleted);
        }
        let chat = chat.id();
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.messages.remove(&id);
        }
        self.changed();
        Ok(true.into())
    }

    /// The message that an edit names, if it is the bot's.
    fn own_message(&self, args: &Args) -> Result<(ChatId, &Message), Refusal> {
        let chat = self.chat_of(args)?;
        let message = chat.messages.get(&message_id(args)?).ok_or(Refusal::MessageToEditNotFound)?;
        if message.from_bot { Ok((chat.id(), message)) } else { Err(Refusal::MessageCantBeEdited) }
    }

    fn edit(&mut self, now: Ms, chat: ChatId, id: MessageId, content: Content, keyboard: Option<Keyboard>) -> Outcome {
        self.may_write(now, chat)?;
        let found = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id));
        let message = found.ok_or(Refusal::MessageToEditNotFound)?;
        if same_content(&message.content, &content) && message.keyboard == keyboard {
            return Err(Refusal::NotModified);
        }
        message.content = content;
        message.keyboard = keyboard;
        message.edited = Some(now);
        self.changed();
        self.shown(chat, id)
    }

    /// The topic that a new message names; one that nobody wrote in is not there.
    fn thread_of(&self, args: &Args) -> Result<Option<i64>, Refusal> {
        let Some(thread) = args.given("message_thread_id") else { return Ok(None) };
        let thread = thread.parse().map_err(|_| Refusal::ThreadNotFound)?;
        if self.chat_of(args)?.topics.contains(&thread) { Ok(Some(thread)) } else { Err(Refusal::ThreadNotFound) }
    }

    fn put_into(&mut self, chat: ChatId, id: MessageId, thread: Option<i64>, silent: bool) {
        if let Some(message) = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id)) {
            (message.thread, message.silent) = (thread, silent);
        }
    }

    /// Blocked users and the rate limit; edits count like messages.
    fn may_write(&mut self, now: Ms, chat: ChatId) -> Result<(), Refusal> {
        let rate = self.config.rate;
        let chat = self.chats.get_mut(&chat).ok_or(Refusal::ChatNotFound)?;
        if chat.blocked {
            return Err(Refusal::Blocked);
        }
        chat.budget.take(rate, now).map_err(Refusal::TooManyRequests)
    }

    /// The picture that `value` means: an upload of this call, or one that the bot knows.
    fn photo_of(&mut self, args: &Args, field: &str, value: &str) -> Result<Photo, Refusal> {
        let Some(bytes) = args.file(field, value) else {
            return match value {
                "" => Err(Refusal::NoPhoto),
                value if value.starts_with("attach://") => Err(Refusal::NoPhoto),
                value => self.photos.get(value).cloned().ok_or(Refusal::WrongFile),
            };
        };
        let size = check_png(bytes)?;
        let photo = Photo { file_id: format!("AgACDouble{:06}", self.photos.len() + 1), bytes: Arc::from(bytes), size };
        self.photos.insert(photo.file_id.clone(), photo.clone());
        Ok(photo)
    }

    fn shown(&self, chat: ChatId, id: MessageId) -> Outcome {
        let chat = self.chats.get(&chat).ok_or(Refusal::ChatNotFound)?;
        let message = chat.messages.get(&id).ok_or(Refusal::MessageToEditNotFound)?;
        Ok(self.message_json(chat, message))
    }
}

/// The same bytes uploaded again are the same picture, whatever their `file_id`.
fn same_content(old: &Content, new: &Content) -> bool {
    match (old, new) {
        (Content::Text(old), Content::Text(new)) => old == new,
        (Content::Photo(old, old_caption), Content::Photo(new, new_caption)) => {
            old.bytes == new.bytes && old_caption == new_caption
        }
        (Content::Text(_), Content::Photo(..)) | (Content::Photo(..), Content::Text(_)) => false,
    }
}

fn message_id(args: &Args) -> Result<MessageId, Refusal> {
    match args.number::<i32>("message_id") {
        Some(id) if id > 0 => Ok(MessageId(id)),
        _ => Err(Refusal::MessageIdMissing),
    }
}

fn as_text(value: &Value) -> Result<String, Refusal> {
    value.as_str().map(str::to_owned).ok_or(Refusal::InputMedia("field must be of type String"))
}

/// Bot API, deleteMessage: within 48 hours.
const DELETABLE_MS: u64 = 48 * 3_600 * 1_000;
