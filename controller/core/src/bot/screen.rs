//! What the owner sees, as data. The shell renders it as Telegram's text and buttons.

use alloc::string::String;

/// One state of the bot's message, or a toast.
#[derive(Debug, Clone, PartialEq)]
pub enum Screen {
    /// Plain words.
    Words {
        /// Two letters.
        language: String,
        /// The text.
        text: String,
    },
}
