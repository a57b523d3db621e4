//! What the owner sees, as data. The shell renders it as Telegram's text and buttons.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use constella_shared::agent::{SpeedtestFigures, SpeedtestPhase};
use constella_shared::ids::NodeId;
use constella_shared::secret::Secret;
use constella_shared::wire::heartbeat::Glance;
use constella_shared::wire::rpc::Status;

use super::chart::Chart;
use super::graph::Graph;
use super::language::Language;
use super::names;
use super::press::Press;
use super::say::{Key, Say};
use super::world::{NodeRow, World};
use crate::alerts::incident::Incident;
use crate::io::Trouble;

/// One state of the bot's message, a message of its own, or a toast.
#[derive(Debug, Clone, PartialEq)]
pub enum Screen {
    /// Plain words.
    Words {
        /// Two letters.
        language: String,
        /// The text.
        text: String,
    },
    /// The bot's one message.
    Message(Box<Message>),
    /// A toast, or a message of one text without buttons.
    Note {
        /// In which language.
        language: Language,
        /// The text.
        say: Say,
    },
    /// A message of its own: an incident, edited as it goes on.
    Alert {
        /// In which language.
        language: Language,
        /// The incident, as data.
        incident: Box<Incident>,
        /// What is to be read, line by line.
        says: Vec<Say>,
        /// Rows of buttons.
        buttons: Vec<Vec<Button>>,
    },
    /// A message of its own: a fresh invitation.
    Invite {
        /// In which language.
        language: Language,
        /// The `join://` link.
        link: Secret,
        /// How long it holds, seconds.
        ttl_s: u64,
    },
}

/// The bot's one message: notices, a body, buttons.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// In which language.
    pub language: Language,
    /// Results of earlier commands, above the body.
    pub notices: Vec<Say>,
    /// What the owner looks at.
    pub body: Body,
    /// When it was made, unix seconds: tells how fresh the figures are, and shows that Refresh did something.
    pub at_unix_s: u64,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
}

impl Message {
    /// Whether it is shown as a picture with a caption, and not as a text.
    #[must_use]
    pub const fn is_picture(&self) -> bool {
        match self.body {
            Body::Chart(_) => true,
            Body::List(_) | Body::Card(_) | Body::Speedtest(_) | Body::Says(_) => false,
        }
    }
}

/// A button.
#[derive(Debug, Clone, PartialEq)]
pub struct Button {
    /// What it shows.
    pub label: Label,
    /// What it does.
    pub press: Press,
}

/// What a button shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// A text.
    Text(Key),
    /// A text with slots.
    Say(Say),
    /// A node.
    Node {
        /// Its name, shortened by the shell where it is long.
        name: String,
        /// Its id, where another node's name looks alike.
        id: Option<NodeId>,
        /// Its status.
        status: Status,
    },
    /// To the page before.
    Earlier,
    /// To the page after.
    Later,
    /// Which page this is, from 1.
    Page {
        /// This one.
        page: usize,
        /// Of so many.
        pages: usize,
    },
    /// One of several, marked where it is the present one.
    Choice {
        /// Its text.
        say: Say,
        /// Whether it is.
        chosen: bool,
    },
    /// A language, by its own name.
    Language(Language),
}

/// What the owner looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// The nodes.
    List(List),
    /// One node.
    Card(Box<Card>),
    /// A speedtest on its way, or its result.
    Speedtest(Speedtest),
    /// A chart: a picture, with a line or two as its caption.
    Chart(Arc<Chart>),
    /// Sentences.
    Says(Vec<Say>),
}

/// The nodes, one page.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// The rows of this page, by name.
    pub rows: Vec<Row>,
    /// Nodes that are alive.
    pub alive: usize,
    /// Nodes in all.
    pub total: usize,
    /// What a weak leader lacks for a majority.
    pub voters_missing: Option<VotersMissing>,
}

/// The voters that a weak leader lacks for a majority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VotersMissing {
    /// Voters that are missing; the rows show who is down.
    pub missing: usize,
    /// Voters in all.
    pub total: usize,
    /// Voters that are needed.
    pub needed: usize,
}

/// A node in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id.
    pub node: NodeId,
    /// The owner's name for it.
    pub name: String,
    /// Whether another node's name looks alike, so that its id tells them apart.
    pub is_alike: bool,
    /// Its status.
    pub status: Status,
    /// Whether it leads (Host, «Хост»).
    pub leader: bool,
    /// Round trip of the last heartbeat.
    pub rtt_ms: Option<u32>,
    /// CPU and memory, where it told.
    pub glance: Option<Glance>,
    /// Milliseconds since its last sign of life; None for never. Zero for this node and whoever is alive.
    pub silent_ms: Option<u64>,
    /// For how long it would have been heard here, had it lived: as long as this leader runs.
    pub listened_ms: u64,
    /// Why it stores nothing that is new; None where it does.
    pub disk: Option<Trouble>,
}

impl Row {
    /// A node in short, as this world shows it.
    #[must_use]
    pub fn of(world: &World, node: &NodeRow) -> Self {
        let silent_ms = if node.status == Status::Alive {
            Some(0)
        } else {
            (node.last_seen_unix_ms > 0).then(|| world.now.unix_ms.saturating_sub(node.last_seen_unix_ms))
        };
        Self {
            node: node.node,
            name: node.name.clone(),
            is_alike: names::is_alike(world.names(), node.node, &node.name),
            status: node.status,
            leader: node.leader,
            rtt_ms: node.rtt_ms.filter(|_| node.node != world.me),
            glance: node.glance,
            silent_ms,
            listened_ms: world.row(world.me).and_then(|row| row.up_ms).unwrap_or_default(),
            disk: node.disk,
        }
    }
}

/// One node at length.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The node in short.
    pub row: Row,
    /// Its figures, or one sentence why there are none.
    pub figures: Result<Figures, Say>,
    /// CPU over the last hours, percent.
    pub cpu: Option<Graph>,
    /// Bytes a second received over the last hours.
    pub received: Option<Graph>,
    /// Bytes a second sent over the last hours.
    pub sent: Option<Graph>,
    /// Hours that the graphs reach back.
    pub hours: u32,
    /// The newest speedtest; None while it is not known.
    pub speedtest: Option<LastSpeedtest>,
}

/// A figure, or why the host does not have it, in its agent's words.
pub type Figure<T> = Result<T, String>;

/// A host's figures on its card. Bytes are bytes, rates are bytes a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Percent, and the number of cores.
    pub cpu: Figure<(f32, usize)>,
    /// Over 1, 5 and 15 minutes.
    pub load: Figure<[f32; 3]>,
    /// Memory in use and in all.
    pub mem: Figure<(u64, u64)>,
    /// Swap in use and in all.
    pub swap: Figure<(u64, u64)>,
    /// Fullest file systems.
    pub disks: Vec<Disk>,
    /// Why a file system is not among them.
    pub disks_missing: Option<String>,
    /// Received and sent now.
    pub net: Figure<(u64, u64)>,
    /// Seconds since boot.
    pub uptime_s: Figure<u64>,
    /// How old all this is, where that is more than two samples.
    pub age_s: Option<u64>,
    /// Version of the controller.
    pub controller: String,
    /// Version of the agent.
    pub agent: String,
}

/// A file system on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Mount point.
    pub mount: String,
    /// Bytes in use.
    pub used: u64,
    /// Bytes in all.
    pub total: u64,
    /// How full it is as `df` says it: of what others than root may use, rounded up.
    pub percent: u8,
}

/// The newest speedtest on a card.
#[derive(Debug, Clone, PartialEq)]
pub enum LastSpeedtest {
    /// None yet.
    Never,
    /// On its way.
    Running,
    /// Ended well.
    Done {
        /// Milliseconds ago.
        ago_ms: u64,
        /// What it found.
        figures: SpeedtestFigures,
    },
    /// Ended with an error.
    Failed {
        /// One sentence of the agent.
        message: String,
    },
}

/// A speedtest on its way, or its result.
#[derive(Debug, Clone, PartialEq)]
pub struct Speedtest {
    /// The title, or what became of it.
    pub say: Say,
    /// What is being measured and percent of the whole; None before it began and after it ended.
    pub progress: Option<(SpeedtestPhase, u8)>,
    /// What is known so far.
    pub figures: SpeedtestFigures,
}
