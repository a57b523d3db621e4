//! Telegram's updates as the core's.

use constella_core::io::{Update, UpdateEvent};
use constella_shared::wire::command::CommandContent;
use teloxide::types::{CallbackQuery, Message, MessageKind, Update as Incoming, UpdateKind, User};

/// One update. A kind that the bot does not serve, or that this version cannot read, has an id and no event: it is confirmed and passed over.
pub(super) fn to_core(update: Incoming) -> Update {
    let event = match update.kind {
        UpdateKind::Message(message) => of_message(&message),
        UpdateKind::CallbackQuery(query) => of_press(query),
        _ => None,
    };
    Update { id: i64::from(update.id.0), event }
}

/// Anything that a person sent; a picture counts by its caption, so that the sender reads an answer.
fn of_message(message: &Message) -> Option<UpdateEvent> {
    let MessageKind::Common(_) = message.kind else { return None };
    let text = message.text().or_else(|| message.caption()).unwrap_or_default().to_owned();
    event(message.from.as_ref()?, message.chat.id.0, message.chat.is_private(), CommandContent::Text { text })
}

fn of_press(query: CallbackQuery) -> Option<UpdateEvent> {
    let carrier = query.message.as_ref()?;
    let (chat, message) = (carrier.chat(), carrier.id());
    let content = CommandContent::Button {
        callback_id: query.id.0.clone(),
        data: query.data.clone().unwrap_or_default(),
        message: i64::from(message.0),
    };
    event(&query.from, chat.id.0, chat.is_private(), content)
}

fn event(from: &User, chat: i64, private: bool, content: CommandContent) -> Option<UpdateEvent> {
    Some(UpdateEvent {
        user: i64::try_from(from.id.0).ok()?,
        username: from.username.clone(),
        language: from.language_code.clone(),
        chat,
        private: private && !from.is_bot,
        content,
    })
}
