//! Telegram's updates as the core's: a message is heard by what is needed of it, whatever else is in it.
//!
//! teloxide's types know closed lists of kinds and fail a whole message for one unknown entity, so nothing of them is used here.

#[cfg(test)]
mod tests;

use constella_core::io::{Update, UpdateEvent};
use constella_shared::limits::USERNAME_BYTES;
use constella_shared::wire::command::CommandContent;

use super::fields::Fields;
use super::unknown::Unknown;

/// One element of a `getUpdates` result. None where it has no id that an offset could confirm. A kind that the bot does not serve has an id
/// and no event: it is confirmed and passed over.
pub(super) fn read(json: &str, unknown: &Unknown) -> Option<Update> {
    let update = Fields::of(json);
    let id = update.as_ref().and_then(|update| update.whole("update_id")).filter(|id| UPDATE_IDS.contains(id));
    let (Some(update), Some(id)) = (update, id) else {
        unknown.met("update.without_id");
        return None;
    };
    Some(Update { id, event: event(&update, unknown) })
}

fn event(update: &Fields<'_>, unknown: &Unknown) -> Option<UpdateEvent> {
    let read = |name: &str| {
        let object = update.object(name);
        if object.is_none() {
            unknown.met(&format!("{name}.no_object"));
        }
        object
    };
    if update.has("message") {
        of_message(&read("message")?, unknown)
    } else if update.has("callback_query") {
        of_press(&read("callback_query")?, unknown)
    } else {
        unknown.met(update.names().find(|name| *name != "update_id").unwrap_or("update.empty"));
        None
    }
}

/// Anything that a person sent; a picture counts by its caption, and what has no text by its being there, so that the sender reads an answer.
fn of_message(message: &Fields<'_>, unknown: &Unknown) -> Option<UpdateEvent> {
    if SERVICE.iter().any(|name| message.has(name)) {
        return None;
    }
    let Some((from, place)) = person(message).and_then(|from| place(message, &from).map(|place| (from, place))) else {
        unknown.met("message.without_sender_or_chat");
        return None;
    };
    let text = message.text("text", TEXT_CHARS).or_else(|| message.text("caption", TEXT_CHARS));
    if text.is_none()
        && let Some(kind) = message.names().find(|name| !is_envelope(name) && !CONTENT.contains(name))
    {
        unknown.met(&format!("message.{kind}"));
    }
    let forwarded = message.names().any(|name| name.starts_with("forward_")) || message.flag("is_automatic_forward");
    let content = CommandContent::Text { text: text.unwrap_or_default() };
    place.hears(&from, forwarded, content)
}

/// A press is heard where the message of its button is out of reach, too: it has come by a button of this bot, and a private chat has the id of
/// its user.
fn of_press(query: &Fields<'_>, unknown: &Unknown) -> Option<UpdateEvent> {
    let Some((from, callback_id)) = person(query).zip(query.id("id", QUERY_CHARS)) else {
        unknown.met("callback_query.without_sender_or_id");
        return None;
    };
    let carrier = query.object("message");
    let message = carrier.as_ref().and_then(|carrier| carrier.whole("message_id")).unwrap_or(0);
    let alone = Place { chat: from.id, private: true, thread: None };
    let place = carrier.as_ref().and_then(|carrier| place(carrier, &from)).unwrap_or(alone);
    // Longer data than Telegram has would be no button of ours, and must not become one by being cut.
    let data = query.text("data", DATA_CHARS + 1).unwrap_or_default();
    place.hears(&from, false, CommandContent::Button { callback_id, data, message })
}

/// Who sent or pressed.
struct Person {
    id: i64,
    bot: bool,
    username: Option<String>,
    language: Option<String>,
}

fn person(object: &Fields<'_>) -> Option<Person> {
    let from = object.object("from")?;
    Some(Person {
        id: from.whole("id").filter(|id| *id > 0)?,
        bot: from.flag("is_bot"),
        username: from.text("username", USERNAME_BYTES),
        language: from.text("language_code", LANGUAGE_CHARS),
    })
}

/// Where it was sent.
struct Place {
    chat: i64,
    private: bool,
    thread: Option<i64>,
}

/// None for a channel, and for what an account hands on whose business the bot does: nobody there speaks to the bot. A chat of a kind that
/// is not known is private where it has the id of the sender, as private chats do.
fn place(message: &Fields<'_>, from: &Person) -> Option<Place> {
    let chat = message.object("chat")?;
    let id = chat.whole("id").filter(|id| *id != 0)?;
    let private = match chat.text("type", KIND_CHARS).as_deref() {
        Some("private") => true,
        Some("group" | "supergroup") => false,
        Some("channel") => return None,
        _ => from.id == id,
    };
    let thread = message.whole("message_thread_id").filter(|thread| *thread > 0);
    (!message.has("business_connection_id")).then_some(Place { chat: id, private, thread })
}

impl Place {
    /// Nothing of another bot in a private chat: two bots that answer each other never end.
    fn hears(self, from: &Person, forwarded: bool, content: CommandContent) -> Option<UpdateEvent> {
        let Self { chat, private, thread } = self;
        (!private || !from.bot).then(|| UpdateEvent {
            user: from.id,
            username: from.username.clone(),
            language: from.language.clone(),
            chat,
            private,
            thread,
            forwarded,
            content,
        })
    }
}

/// A field of a message that says nothing about what it shows.
fn is_envelope(name: &str) -> bool {
    ENVELOPE.contains(&name)
        || ["forward_", "reply_", "sender_", "is_", "has_"].iter().any(|prefix| name.starts_with(prefix))
}

/// Ids that an offset of Telegram's 32 bits can confirm.
const UPDATE_IDS: std::ops::Range<i64> = 1..i32::MAX as i64;

/// Bot API, Message: 4,096 characters; a server of one's own may let more pass.
const TEXT_CHARS: usize = 4_096;

/// Bot API, InlineKeyboardButton: 64 bytes of data.
const DATA_CHARS: usize = 64;

/// A query's id has 19 digits today.
const QUERY_CHARS: usize = 128;

/// An IETF tag.
const LANGUAGE_CHARS: usize = 35;

/// Of a chat's kind.
const KIND_CHARS: usize = 32;

/// Bot API 10, Message: what Telegram itself writes into a chat, that something happened there. Nobody asked for anything by it.
const SERVICE: [&str; 36] = [
    "new_chat_members",
    "left_chat_member",
    "chat_owner_left",
    "chat_owner_changed",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "pinned_message",
    "successful_payment",
    "refunded_payment",
    "users_shared",
    "chat_shared",
    "connected_website",
    "write_access_allowed",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_created",
    "giveaway_completed",
    "gift",
    "unique_gift",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
];

/// Bot API 10, Message: what a person can send. It is answered as a sticker is, and no news.
const CONTENT: [&str; 18] = [
    "animation",
    "audio",
    "checklist",
    "contact",
    "dice",
    "document",
    "game",
    "invoice",
    "location",
    "paid_media",
    "photo",
    "poll",
    "sticker",
    "story",
    "venue",
    "video",
    "video_note",
    "voice",
];

/// Bot API 10, Message: what surrounds the content.
const ENVELOPE: [&str; 22] = [
    "message_id",
    "message_thread_id",
    "direct_messages_topic",
    "from",
    "date",
    "chat",
    "business_connection_id",
    "external_reply",
    "quote",
    "via_bot",
    "edit_date",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "entities",
    "caption_entities",
    "link_preview_options",
    "suggested_post_info",
    "effect_id",
    "show_caption_above_media",
    "web_app_data",
    "passport_data",
];
