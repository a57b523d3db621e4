//! The Bot API as the core sees it: what is asked, what is answered, and what this node does there.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::Key;

/// A call to the Bot API.
#[derive(Debug, Clone, PartialEq)]
pub enum BotCall {
    /// `getMe`.
    GetMe,
    /// `getWebhookInfo`.
    GetWebhookInfo,
    /// `getUpdates`.
    GetUpdates {
        /// Confirms everything below it; absent on a first call. Positive always.
        offset: Option<i64>,
        /// Long-poll time, seconds; 0 is a look.
        timeout_s: u32,
        /// At most so many.
        limit: u8,
        /// Whether to name the kinds of updates that we want; a peek does not.
        name_kinds: bool,
    },
    /// `sendMessage`; `sendPhoto` for a screen with a chart.
    Send {
        /// To which chat.
        chat: i64,
        /// In which topic of it.
        thread: Option<i64>,
        /// What.
        screen: Screen,
        /// Without a sound on the reader's phone.
        silent: bool,
    },
    /// `deleteMessage`: of this bot, and at most 48 hours old.
    Delete {
        /// In which chat.
        chat: i64,
        /// Which message.
        message: i64,
    },
    /// `editMessageReplyMarkup` without buttons.
    TakeButtons {
        /// In which chat.
        chat: i64,
        /// Which message.
        message: i64,
    },
    /// `editMessageText`; `editMessageMedia` for a screen with a chart, which takes the place of a text too.
    Edit {
        /// In which chat.
        chat: i64,
        /// Which message.
        message: i64,
        /// What.
        screen: Screen,
    },
    /// `answerCallbackQuery`.
    AnswerCallback {
        /// Which.
        callback_id: String,
        /// A toast, where there is something to say.
        toast: Option<Screen>,
    },
    /// `setMyCommands`, in every language.
    SetCommands {
        /// Each as `/help`, and what the menu says of it.
        commands: Vec<(&'static str, Key)>,
        /// A chat, and the language that its owner chose: there the menu does not go by the language of their Telegram.
        chosen: Option<(i64, Language)>,
    },
}

/// A good answer of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BotReply {
    /// To `getMe`.
    Me {
        /// Numeric id.
        id: i64,
        /// User name.
        username: String,
    },
    /// To `getWebhookInfo`.
    Webhook {
        /// Updates that nobody confirmed.
        pending: u32,
        /// Whether somebody set a webhook.
        set: bool,
    },
    /// To `getUpdates`, oldest first.
    Updates(Vec<Update>),
    /// To `sendMessage` and `sendPhoto`.
    Sent {
        /// The new message.
        message: i64,
    },
    /// To everything else; also "message is not modified".
    Done,
}

/// One update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Telegram's id.
    pub id: i64,
    /// What; None for a kind that we do not serve.
    pub event: Option<UpdateEvent>,
}

/// What somebody sent or pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateEvent {
    /// Telegram user id.
    pub user: i64,
    /// Telegram user name, without `@`.
    pub username: Option<String>,
    /// Telegram's language of the user.
    pub language: Option<String>,
    /// The chat.
    pub chat: i64,
    /// Whether the chat is a private one; else it is a group.
    pub private: bool,
    /// The topic of the chat that it came from, where the chat has topics: what is sent in answer goes there too.
    pub thread: Option<i64>,
    /// Whether it was forwarded: then its words are somebody else's.
    pub forwarded: bool,
    /// What.
    pub content: constella_shared::wire::command::CommandContent,
}

/// Why the Bot API has no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BotError {
    /// 409: another getUpdates took over.
    Conflict,
    /// 409: a webhook is set.
    WebhookSet,
    /// 401 or 404: the token is not valid.
    Unauthorized,
    /// 429.
    RetryAfter {
        /// Milliseconds.
        ms: u64,
    },
    /// 400 "message to edit not found", and its like: the message is gone.
    MessageGone,
    /// 400 "there is no text in the message to edit": it is a picture, and no edit makes a text of it.
    IsPicture,
    /// 400 "query is too old".
    QueryTooOld,
    /// 400 "message thread not found": the topic is gone, the chat is not.
    TopicGone,
    /// 403, or 400 "chat not found": nobody can be told there.
    ChatGone,
    /// Any other refusal, with its description.
    Refused(String),
    /// 5xx.
    Server,
    /// No connection, a broken one, or a time-out; the text has no URL.
    Unreachable(String),
    /// By [`Output::CancelBot`].
    Cancelled,
    /// This node has no token.
    NoToken,
}

impl BotError {
    /// After how many milliseconds the same call may be made again; 0 where Telegram did not say. None where it would be refused again: its message, its
    /// chat or its query is gone, or Telegram does not take what it says.
    #[must_use]
    pub const fn again_ms(&self) -> Option<u64> {
        match self {
            Self::RetryAfter { ms } => Some(*ms),
            Self::Conflict
            | Self::WebhookSet
            | Self::Unauthorized
            | Self::Server
            | Self::Unreachable(_)
            | Self::Cancelled
            | Self::NoToken => Some(0),
            Self::MessageGone
            | Self::IsPicture
            | Self::QueryTooOld
            | Self::TopicGone
            | Self::ChatGone
            | Self::Refused(_) => None,
        }
    }
}

/// What a node does at the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotState {
    /// Holds no lease.
    Idle,
    /// Holds, but cannot or must not poll.
    Holding,
    /// F3: looks whether somebody serves the owner.
    Watching,
    /// Serves the owner.
    Polling,
}
