//! Data of buttons: what a press means, in at most 64 bytes. Nodes are named by the first 16 hex digits of their id, never by name: one
//! over-long button makes Telegram refuse the whole message.

use alloc::format;
use alloc::string::{String, ToString};

use constella_shared::ids::NodeId;

use super::language::Language;
use super::world::World;

/// What a button asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// A page of the list, from 0.
    List {
        /// Which page.
        page: usize,
    },
    /// A node's card; also refreshes it.
    Card(NodeTag),
    /// Start a speedtest.
    Speedtest(NodeTag),
    /// Show the confirmation of a reboot.
    AskReboot(NodeTag),
    /// The confirmation's one-time button.
    Reboot {
        /// Which node.
        node: NodeTag,
        /// Known to the leader that showed the confirmation, and to nobody else.
        nonce: String,
    },
    /// The help.
    Help,
    /// A choice of language.
    Language(Language),
    /// Nothing: a label that looks like a button.
    Nothing,
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

    fn parse(text: &str) -> Option<Self> {
        is_hex(text, TAG_DIGITS).then(|| Self(text.to_string()))
    }
}

impl Press {
    /// Whether it changes nothing but the screen.
    #[must_use]
    pub const fn only_looks(&self) -> bool {
        match self {
            Self::List { .. } | Self::Card(_) | Self::AskReboot(_) | Self::Help | Self::Nothing => true,
            Self::Speedtest(_) | Self::Reboot { .. } | Self::Language(_) => false,
        }
    }

    /// What the data of a button means; None for data that this version did not make.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        let (verb, rest) = data.split_once(':').unwrap_or((data, ""));
        match verb {
            "ls" => rest.parse().ok().map(|page| Self::List { page }),
            "cd" => NodeTag::parse(rest).map(Self::Card),
            "st" => NodeTag::parse(rest).map(Self::Speedtest),
            "rq" => NodeTag::parse(rest).map(Self::AskReboot),
            "rb" => {
                let (node, nonce) = rest.split_once(':')?;
                let node = NodeTag::parse(node)?;
                is_hex(nonce, NONCE_DIGITS).then(|| Self::Reboot { node, nonce: nonce.to_string() })
            }
            "hp" if rest.is_empty() => Some(Self::Help),
            "lg" => Language::of_tag(rest).map(Self::Language),
            "no" if rest.is_empty() => Some(Self::Nothing),
            _ => None,
        }
    }

    /// The node that it is about.
    #[must_use]
    pub const fn node(&self) -> Option<&NodeTag> {
        match self {
            Self::Card(node) | Self::Speedtest(node) | Self::AskReboot(node) | Self::Reboot { node, .. } => Some(node),
            Self::List { .. } | Self::Help | Self::Language(_) | Self::Nothing => None,
        }
    }

    /// The data of a button.
    #[must_use]
    pub fn data(&self) -> String {
        match self {
            Self::List { page } => format!("ls:{page}"),
            Self::Card(node) => format!("cd:{}", node.0),
            Self::Speedtest(node) => format!("st:{}", node.0),
            Self::AskReboot(node) => format!("rq:{}", node.0),
            Self::Reboot { node, nonce } => format!("rb:{}:{nonce}", node.0),
            Self::Help => "hp".to_string(),
            Self::Language(language) => format!("lg:{}", language.code()),
            Self::Nothing => "no".to_string(),
        }
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Hex digits of a node's tag: no two of a thousand nodes share 64 bits.
const TAG_DIGITS: usize = 16;

/// Hex digits of a nonce: 64 bits for 45 seconds, and only the owner can press at all.
pub const NONCE_DIGITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_button_is_read_back_and_fits_64_bytes() {
        let tag = || NodeTag::of(&NodeId([0xab; 32]));
        let presses = vec![
            Press::List { page: 0 },
            Press::List { page: usize::MAX },
            Press::Card(tag()),
            Press::Speedtest(tag()),
            Press::AskReboot(tag()),
            Press::Reboot { node: tag(), nonce: "0123456789abcdef".into() },
            Press::Help,
            Press::Language(Language::Ru),
            Press::Language(Language::En),
            Press::Nothing,
        ];
        for press in presses {
            let data = press.data();
            assert!((1..=64).contains(&data.len()), "{data}");
            assert_eq!(Press::parse(&data), Some(press));
        }
    }

    #[test]
    fn junk_means_nothing() {
        let junk = [
            "",
            "ls",
            "ls:-1",
            "ls:x",
            "cd:",
            "cd:abc",
            "cd:ABABABABABABABAB",
            "rb:abababababababab",
            "hp:1",
            "lg:de",
            "rb:abababababababab:",
            "rb:abababababababab:0123456789abcdeg",
            "rb:abababababababab:0123456789abcdef0",
            "zz:1",
        ];
        for data in junk {
            assert_eq!(Press::parse(data), None, "{data}");
        }
    }
}
