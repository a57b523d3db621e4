//! Telegram's refusals, with its texts. Whoever matches on a text must match on these.

use thiserror::Error;

/// A refusal; its Display is the `description` that Telegram sends.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The token is not this bot's.
    #[error("Unauthorized")]
    Unauthorized,
    /// No such method, or one that the double does not have.
    #[error("Not Found: method not found")]
    MethodNotFound,
    /// Too many messages to one chat.
    #[error("Too Many Requests: retry after {0}")]
    TooManyRequests(u64),
    /// The user stopped the bot.
    #[error("Forbidden: bot was blocked by the user")]
    Blocked,
    /// The body is not what its content type says.
    #[error("Bad Request: can't parse request body: {0}")]
    Body(String),
    /// No `chat_id`.
    #[error("Bad Request: chat_id is empty")]
    ChatIdEmpty,
    /// No user with this id has written to the bot.
    #[error("Bad Request: chat not found")]
    ChatNotFound,
    /// A topic that is not there.
    #[error("Bad Request: message thread not found")]
    ThreadNotFound,
    /// No `message_id`.
    #[error("Bad Request: message identifier is not specified")]
    MessageIdMissing,
    /// The message was deleted, or never was.
    #[error("Bad Request: message to edit not found")]
    MessageToEditNotFound,
    /// The message is not the bot's own.
    #[error("Bad Request: message can't be edited")]
    MessageCantBeEdited,
    /// A photo has a caption, not a text.
    #[error("Bad Request: there is no text in the message to edit")]
    NoTextToEdit,
    /// A text has no caption.
    #[error("Bad Request: there is no caption in the message to edit")]
    NoCaptionToEdit,
    /// The edit would change nothing.
    #[error(
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"
    )]
    NotModified,
    /// Nothing to delete.
    #[error("Bad Request: message to delete not found")]
    MessageToDeleteNotFound,
    /// Older than 48 hours.
    #[error("Bad Request: message can't be deleted for everyone")]
    MessageCantBeDeleted,
    /// `text` is missing.
    #[error("Bad Request: message text is empty")]
    TextEmpty,
    /// `text` has nothing but white space and tags.
    #[error("Bad Request: text must be non-empty")]
    TextBlank,
    /// More than 4,096 characters in a new message.
    #[error("Bad Request: message is too long")]
    MessageTooLong,
    /// More than 4,096 characters in an edit, or 200 in a callback's answer.
    #[error("Bad Request: MESSAGE_TOO_LONG")]
    EditTooLong,
    /// More than 32 KiB before entities are taken out.
    #[error("Bad Request: text is too long")]
    TextTooLong,
    /// More than 1,024 characters.
    #[error("Bad Request: message caption is too long")]
    CaptionTooLong,
    /// A parse mode that the double (or Telegram) does not have; JSON null is one.
    #[error("Bad Request: unsupported parse_mode")]
    ParseMode,
    /// Bad HTML; the text says what and at which byte.
    #[error("Bad Request: can't parse entities: {0}")]
    Entities(String),
    /// An element of `entities` is not one.
    #[error("Bad Request: can't parse MessageEntity: {0}")]
    Entity(String),
    /// `reply_markup` is not JSON.
    #[error("Bad Request: can't parse reply keyboard markup JSON object")]
    MarkupJson,
    /// `reply_markup` is JSON null or another thing that is no object.
    #[error("Bad Request: object expected as reply markup")]
    MarkupObject,
    /// Not an array of arrays.
    #[error("Bad Request: {0}")]
    Markup(&'static str),
    /// A button without a type, with a null, with a wrong type.
    #[error("Bad Request: can't parse inline keyboard button: {0}")]
    Button(String),
    /// Callback data over 64 bytes.
    #[error("Bad Request: BUTTON_DATA_INVALID")]
    ButtonData,
    /// A button's link that is none.
    #[error("Bad Request: inline keyboard button URL '{0}' is invalid: Wrong HTTP URL")]
    ButtonUrl(String),
    /// More than 100 buttons.
    #[error("Bad Request: reply markup is too long")]
    MarkupTooLong,
    /// No photo where one is needed.
    #[error("Bad Request: there is no photo in the request")]
    NoPhoto,
    /// A `file_id` that this bot does not know, or a URL: the double fetches nothing.
    #[error("Bad Request: wrong file identifier/HTTP URL specified")]
    WrongFile,
    /// Over 10 MB.
    #[error("Request Entity Too Large")]
    FileTooBig,
    /// Not an image that can be read to its end.
    #[error("Bad Request: IMAGE_PROCESS_FAILED")]
    ImageProcessFailed,
    /// Width and height over 10,000 together, or a ratio over 20.
    #[error("Bad Request: PHOTO_INVALID_DIMENSIONS")]
    PhotoDimensions,
    /// `media` is missing or not JSON.
    #[error("Bad Request: can't parse InputMedia: {0}")]
    InputMedia(&'static str),
    /// The query was never there, or is over 15 s old.
    #[error("Bad Request: query is too old and response timeout expired or query ID is invalid")]
    QueryTooOld,
    /// A command's name.
    #[error("Bad Request: BOT_COMMAND_INVALID")]
    CommandInvalid,
    /// A command's description.
    #[error("Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")]
    CommandDescription,
    /// `commands` is not what it should be.
    #[error("Bad Request: can't parse BotCommand: {0}")]
    Command(&'static str),
    /// A chat action's name.
    #[error("Bad Request: wrong parameter action in request")]
    ChatAction,
    /// A webhook's address.
    #[error("Bad Request: bad webhook: An HTTPS URL must be provided for webhook")]
    WebhookUrl,
}

impl Refusal {
    /// The HTTP status, which is also `error_code`.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::MethodNotFound => 404,
            Self::TooManyRequests(_) => 429,
            Self::Blocked => 403,
            Self::FileTooBig => 413,
            _ => 400,
        }
    }
}
