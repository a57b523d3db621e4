//! Data of buttons, in at most 64 bytes: a verb that one room owns, and after a colon what that room wrote for itself. Nodes are named by the
//! first 16 hex digits of their id, never by name: one over-long button makes Telegram refuse the whole message.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use constella_shared::ids::NodeId;

use super::world::World;

/// What a button sends when it is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Press(String);

impl Press {
    /// A verb alone.
    #[must_use]
    pub fn new(verb: &'static str) -> Self {
        Self(verb.to_string())
    }

    /// A verb, and what its room reads again in [`Self::rest`].
    #[must_use]
    pub fn with(verb: &'static str, rest: impl fmt::Display) -> Self {
        Self(format!("{verb}:{rest}"))
    }

    /// A label that looks like a button and does nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new(NOTHING)
    }

    /// The data of a button, as it came back; None for a length that no button has.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        (1..=DATA_BYTES).contains(&data.len()).then(|| Self(data.to_string()))
    }

    /// The data of the button.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.0
    }

    /// Names the room.
    #[must_use]
    pub fn verb(&self) -> &str {
        self.0.split_once(':').map_or(self.0.as_str(), |(verb, _)| verb)
    }

    /// Everything after the verb; empty where there is nothing.
    #[must_use]
    pub fn rest(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, rest)| rest)
    }

    /// Whether it is [`Self::nothing`].
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0 == NOTHING
    }
}

/// The first 16 hex digits of a node's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTag(String);

impl NodeTag {
    /// The tag of a node.
    #[must_use]
    pub fn of(node: &NodeId) -> Self {
        Self(node.to_string().chars().take(TAG_DIGITS).collect())
    }

    /// The node that belongs to the network and has this tag.
    #[must_use]
    pub fn find(&self, world: &World) -> Option<NodeId> {
        world.nodes.iter().map(|row| row.node).find(|node| Self::of(node) == *self)
    }

    /// The tag that a button carries; None for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_hex(text, TAG_DIGITS).then(|| Self(text.to_string()))
    }
}

impl fmt::Display for NodeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is so many lower-case hex digits.
pub(in crate::bot) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The verb of a label.
const NOTHING: &str = "no";

/// Telegram's limit of callback data.
const DATA_BYTES: usize = 64;

/// Hex digits of a node's tag: no two of a thousand nodes share 64 bits.
const TAG_DIGITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_its_verb_and_the_rest() {
        let press = Press::with("rb", "0123:4567");
        assert_eq!((press.data(), press.verb(), press.rest()), ("rb:0123:4567", "rb", "0123:4567"));
        assert_eq!((Press::new("hp").verb(), Press::new("hp").rest()), ("hp", ""));
        assert_eq!(Press::parse("").or_else(|| Press::parse(&"x".repeat(65))), None);
        assert!(Press::nothing().is_nothing() && !Press::parse("no:1").unwrap().is_nothing());
    }

    #[test]
    fn a_tag_is_sixteen_digits_in_lower_case() {
        let tag = NodeTag::of(&NodeId([0xab; 32]));
        assert_eq!(NodeTag::parse("abababababababab"), Some(tag));
        for junk in ["", "abc", "ABABABABABABABAB", "ababababababababa", "abababababababag"] {
            assert_eq!(NodeTag::parse(junk), None, "{junk}");
        }
    }
}
