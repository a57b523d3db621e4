//! What can happen to a network, in words that an operator reads in a scenario file.

use serde::{Deserialize, Serialize};

/// One thing that happens. Nodes are named; `leader` is whoever serves the owner at that moment, `heir` the best of the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Act {
    /// The controller's process is gone at once, and comes back with what is on its disk. Without `back_s` it stays away until the end.
    Crash {
        /// Which.
        node: String,
        /// Seconds until it starts again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back_s: Option<f64>,
        /// In the middle of its next step that writes to disk: a part of that step's outputs was performed.
        #[serde(default, skip_serializing_if = "is_false")]
        torn: bool,
        /// With `torn`: not even the first write of that step is on the disk.
        #[serde(default, skip_serializing_if = "is_false")]
        lost: bool,
    },
    /// The controller's process is killed, and its engine starts it again on the same host so much later.
    RestartInPlace {
        /// Which.
        node: String,
        /// Seconds from its end to its start.
        after_s: f64,
    },
    /// The whole host loses power: nobody even refuses a connection.
    PowerOff {
        /// Which.
        node: String,
        /// Seconds until it is back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back_s: Option<f64>,
    },
    /// SIGTERM.
    Stop {
        /// Which.
        node: String,
        /// Seconds until it starts again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back_s: Option<f64>,
    },
    /// It starts, where it does not run.
    Start {
        /// Which.
        node: String,
    },
    /// Every process is killed and starts again.
    RestartAll {
        /// Seconds until they start again.
        back_s: f64,
    },
    /// The process stands still, its clocks go on.
    Freeze {
        /// Which.
        node: String,
        /// Seconds.
        for_s: f64,
    },
    /// The virtual machine stands still with its boot clock; its wall clock is right when it goes on.
    Suspend {
        /// Which.
        node: String,
        /// Seconds.
        for_s: f64,
    },
    /// The network falls apart: who is in different sides does not hear each other. Who is in none hears all.
    Cut {
        /// The sides.
        sides: Vec<Vec<String>>,
        /// Seconds; without them until `heal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
    },
    /// Nothing gets from one node to another; the other way is open.
    OneWay {
        /// From.
        from: String,
        /// To.
        to: String,
        /// Seconds; without them until `heal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
    },
    /// The link between two nodes comes and goes.
    Flap {
        /// One end.
        from: String,
        /// The other.
        to: String,
        /// Seconds that it is down, and then up.
        period_s: f64,
        /// Seconds in all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
    },
    /// All cuts are over.
    Heal,
    /// Messages between nodes are lost, late, or arrive twice.
    Trouble {
        /// Of a hundred messages so many are lost.
        #[serde(default, skip_serializing_if = "is_zero")]
        drop: f64,
        /// So many are late ...
        #[serde(default, skip_serializing_if = "is_zero")]
        late: f64,
        /// ... by up to so many seconds.
        #[serde(default, skip_serializing_if = "is_zero")]
        by_s: f64,
        /// So many arrive twice.
        #[serde(default, skip_serializing_if = "is_zero")]
        twice: f64,
        /// Seconds.
        for_s: f64,
    },
    /// The ways between nodes are long: a dial takes two round trips, and a lost packet is late.
    Far {
        /// To and from which node; all ways without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// There and back.
        round_trip_s: f64,
        /// Of a hundred packets so many are lost, and sent again.
        #[serde(default, skip_serializing_if = "is_zero")]
        loss: f64,
        /// Seconds; without them until `heal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
    },
    /// Telegram as one node, or every node, sees it.
    Telegram {
        /// Which node; all without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// How it is.
        is: Reach,
        /// Seconds; without them until `heal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
    },
    /// What a node waits for at Telegram never comes, and neither of the two knows; a new call is answered.
    HalfOpen {
        /// Which.
        node: String,
    },
    /// The wall clock of a node is off by so many seconds.
    Wall {
        /// Which.
        node: String,
        /// Seconds; 0 is right again.
        off_s: f64,
    },
    /// The agent of a node does not answer.
    AgentGone {
        /// Which.
        node: String,
        /// Seconds.
        for_s: f64,
    },
    /// The disk of a node takes nothing that needs room.
    DiskFull {
        /// Which.
        node: String,
        /// Seconds.
        for_s: f64,
        /// Every write fails. Otherwise those that need no room go well: the vote, and by chance others.
        #[serde(default, skip_serializing_if = "is_false")]
        hard: bool,
    },
    /// Another program polls with the same token, and takes what it gets.
    Stranger {
        /// Seconds.
        for_s: f64,
    },
    /// Somebody sets a webhook.
    Webhook {
        /// Seconds until somebody deletes it.
        for_s: f64,
    },
    /// The owner deletes the bot's message.
    DeleteMessage,
    /// The owner writes.
    Say {
        /// What.
        text: String,
    },
    /// The owner presses a button of the newest message; where it has none of this kind, the owner writes `/nodes`.
    Press {
        /// Which kind.
        button: Button,
        /// The one of this node, where that matters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
    },
    /// A new server joins with an invitation of the operator at `seed`.
    Join {
        /// The new node's name.
        name: String,
        /// Which node invites.
        seed: String,
    },
    /// The owner removes a node, through whoever leads. Its process runs on until somebody stops it.
    Remove {
        /// Which.
        node: String,
    },
    /// The owner gives a node another name.
    Rename {
        /// Which; in the scenario it keeps its first name.
        node: String,
        /// The new name.
        to: String,
    },
    /// The owner gives a node another priority; the smallest leads.
    Priority {
        /// Which.
        node: String,
        /// The new priority; 100 at first.
        to: u32,
    },
}

/// How Telegram is from somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// It answers.
    Well,
    /// Connections are refused.
    Refused,
    /// Packets vanish: every call times out.
    Silent,
    /// Each way takes up to 3 s.
    Slow,
    /// Calls for updates, and so confirmations, take up to 10 s longer; everything else is quick.
    Late,
    /// It answers 502.
    Broken,
    /// It answers 429 with 5 s.
    Busy,
    /// It answers 502 to every message and edit, and everything else is well: polls, and answers to presses.
    Mute,
    /// The node has no token (`--no-share-token`).
    NoToken,
}

/// A kind of button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// The list.
    List,
    /// A node's card.
    Card,
    /// "Reboot" on a card.
    Reboot,
    /// The one-time button of its confirmation.
    Confirm,
    /// "Speedtest" on a card.
    Speedtest,
    /// Help.
    Help,
    /// Whatever is there.
    Any,
}

impl Act {
    /// Its word in a scenario file.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::RestartInPlace { .. } => "restart_in_place",
            Self::PowerOff { .. } => "power_off",
            Self::Stop { .. } => "stop",
            Self::Start { .. } => "start",
            Self::RestartAll { .. } => "restart_all",
            Self::Freeze { .. } => "freeze",
            Self::Suspend { .. } => "suspend",
            Self::Cut { .. } => "cut",
            Self::OneWay { .. } => "one_way",
            Self::Flap { .. } => "flap",
            Self::Heal => "heal",
            Self::Trouble { .. } => "trouble",
            Self::Far { .. } => "far",
            Self::Telegram { .. } => "telegram",
            Self::HalfOpen { .. } => "half_open",
            Self::Wall { .. } => "wall",
            Self::AgentGone { .. } => "agent_gone",
            Self::DiskFull { .. } => "disk_full",
            Self::Stranger { .. } => "stranger",
            Self::Webhook { .. } => "webhook",
            Self::DeleteMessage => "delete_message",
            Self::Say { .. } => "say",
            Self::Press { .. } => "press",
            Self::Join { .. } => "join",
            Self::Remove { .. } => "remove",
            Self::Rename { .. } => "rename",
            Self::Priority { .. } => "priority",
        }
    }

    /// Strikes this node, where it strikes one.
    pub(super) fn aim(&mut self, at: &str) {
        match self {
            Self::Crash { node, .. }
            | Self::RestartInPlace { node, .. }
            | Self::PowerOff { node, .. }
            | Self::Stop { node, .. }
            | Self::Freeze { node, .. }
            | Self::DiskFull { node, .. }
            | Self::Suspend { node, .. }
            | Self::OneWay { from: node, .. }
            | Self::Flap { from: node, .. }
            | Self::Far { node: Some(node), .. }
            | Self::Telegram { node: Some(node), .. } => at.clone_into(node),
            _ => {}
        }
    }

    /// Whether it is the owner's doing and no fault.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Press { .. } | Self::DeleteMessage)
    }
}

/// An act and its moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// Seconds since the beginning.
    pub s: f64,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Seconds of a file as milliseconds.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to years")]
pub(super) fn ms(seconds: f64) -> u64 {
    (seconds * 1_000.0).round().clamp(0.0, 1e12) as u64
}
