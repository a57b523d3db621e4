//! A command of the owner, as it is stored before it is confirmed to Telegram (F6).

use alloc::string::String;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::more::More;
use crate::ids::{CommandId, NodeId};
use crate::limits::STAGE_BYTES;

/// One update of the owner with everything that is needed to carry it out elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoredCommand {
    /// SHA-256 over bot id, update id, index.
    pub id: CommandId,
    /// Telegram's update id.
    pub update_id: i64,
    /// Telegram user id of the sender.
    pub user: i64,
    /// Telegram user name of the sender, without `@`, where there is one.
    pub username: Option<String>,
    /// Telegram's language of the sender, e.g. `ru`.
    pub language: Option<String>,
    /// The chat it came from.
    pub chat: i64,
    /// What was sent or pressed.
    pub content: CommandContent,
    /// How far it was carried out.
    pub stage: Stage,
    /// Who took it from Telegram.
    pub taken_by: NodeId,
    /// Unix milliseconds when it was taken, by the taker's clock.
    pub taken_unix_ms: u64,
    /// Of a newer version; kept for a successor that knows it (S7).
    #[serde(flatten)]
    pub more: More,
}

impl StoredCommand {
    /// Whether what a newer version added is as small as what members may make each other keep.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        let content = !matches!(&self.content, CommandContent::Other(more) if !more.is_bounded());
        let stage = match &self.stage {
            Stage::Running { room, data } => room.len() + data.len() <= STAGE_BYTES,
            Stage::Other(more) => more.is_bounded(),
            Stage::Taken | Stage::Rebooting { .. } | Stage::Testing { .. } | Stage::Done => true,
        };
        content && stage && self.more.is_bounded()
    }
}

/// What the owner sent or pressed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", remote = "Self")]
pub enum CommandContent {
    /// A text message.
    Text {
        /// Its text, at most 4,096 characters.
        text: String,
    },
    /// A pressed button.
    Button {
        /// For `answerCallbackQuery`.
        callback_id: String,
        /// The button's data, at most 64 bytes.
        data: String,
        /// The message that carries the button.
        message: i64,
    },
    /// S7: what a newer version took. This version keeps it and passes it on; where it has to serve it, it says that it does not know it.
    #[serde(untagged)]
    Other(More),
}

/// How far a command was carried out. A successor goes on from here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case", remote = "Self")]
pub enum Stage {
    /// Stored; nothing was done yet.
    Taken,
    /// A confirmed reboot, checked against its confirmation, about to be asked of its target.
    Rebooting {
        /// Which node.
        target: NodeId,
        /// The target's boot id before, where it was known.
        boot_id: Option<String>,
        /// Refused after this, unix milliseconds of the node that showed the confirmation.
        not_after_unix_ms: u64,
        /// The same as an instant of the target's own CLOCK_BOOTTIME during that boot, where it was known: a successor asks again under it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_after_boot_ms: Option<u64>,
        /// When it was asked, unix milliseconds; absent until it was.
        asked_unix_ms: Option<u64>,
    },
    /// A speedtest that was asked of its target and is being followed.
    Testing {
        /// Which node.
        target: NodeId,
        /// When it was asked, unix milliseconds.
        asked_unix_ms: u64,
    },
    /// A command that a room of the bot goes on with. A feature adds a room and leaves this document as it is.
    Running {
        /// The room's name.
        room: String,
        /// What the room goes on from; it alone reads this. At most [`STAGE_BYTES`].
        data: String,
    },
    /// Nothing is left to do.
    Done,
    /// S7: how far a newer version came. This version keeps it and passes it on; where it has to finish it, it does nothing and says that the outcome
    /// is not known.
    #[serde(untagged)]
    Other(More),
}

/// S7: of another kind, or damaged where the kind is a known one.
impl<'de> Deserialize<'de> for CommandContent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Self::deserialize(from)? {
            Self::Other(more) => more.of_another("kind", &["text", "button"]).map(Self::Other),
            known @ (Self::Text { .. } | Self::Button { .. }) => Ok(known),
        }
    }
}

impl Serialize for CommandContent {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, to)
    }
}

/// S7: as for [`CommandContent`].
impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Self::deserialize(from)? {
            Self::Other(more) => {
                more.of_another("stage", &["taken", "rebooting", "testing", "running", "done"]).map(Self::Other)
            }
            known @ (Self::Taken
            | Self::Rebooting { .. }
            | Self::Testing { .. }
            | Self::Running { .. }
            | Self::Done) => Ok(known),
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, to)
    }
}
