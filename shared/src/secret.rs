//! Text that must never be printed: the bot token, the network secret, an invitation's token.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

/// A secret text. Its Debug is redacted and it is wiped when dropped; it is written out only into state files and over mutual TLS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself: for a MAC key, a state file, a request to Telegram; never for a log or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn debug_does_not_show_the_text() {
        let secret = Secret::new("123:abc".into());
        assert!(!format!("{secret:?}").contains("123"));
    }
}
