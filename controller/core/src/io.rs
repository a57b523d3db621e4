//! The core's border: everything that comes in and everything that goes out.

mod bot;
mod disk;
mod note;
mod operator;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::agent::{
    AgentError, RebootAnswer, RebootRequest, Series, SeriesKind, SpeedtestRequest, SpeedtestState, Stats,
};
use constella_shared::ids::{Generation, NodeId, Pin};
use constella_shared::link::InviteId;
use constella_shared::secret::Secret;
use constella_shared::state::{CommandsState, InvitesState, NetworkState, VoteState};
use constella_shared::wire::heartbeat::Heartbeat;
use constella_shared::wire::join::JoinAnswer;
use constella_shared::wire::records::Records;
use constella_shared::wire::rpc::{Request, Response, RpcError};

pub use bot::{BotCall, BotError, BotReply, BotState, Update, UpdateEvent};
pub use disk::{DocumentName, Trouble};
pub use note::Note;
pub use operator::{InviteRow, NodeStatus, OperatorAnswer, OperatorRequest, Progress, VoterStatus};

/// A request of this node that waits for its answer. Each gets exactly one answer, a time-out included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A request of somebody else that waits for this node's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboundId(pub u64);

/// What happens to a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The deadline that the core named has come (early ticks do no harm).
    Tick,
    /// A member's request: pinned certificate, MAC, nonce, recipient and clock are checked.
    Peer {
        /// Answered by [`Output::Reply`].
        inbound: InboundId,
        /// Who.
        from: NodeId,
        /// What.
        request: PeerRequest,
    },
    /// The answer to an [`Output::Call`].
    Answered {
        /// Which call.
        call: CallId,
        /// The answer, or why there is none.
        result: Result<PeerResponse, CallError>,
    },
    /// The shell measured how long the way to a member is, there and back: from a request that was put on an open connection to its answer, also
    /// one that came after the call's time limit.
    RoundTrip {
        /// Which member.
        with: NodeId,
        /// Milliseconds.
        ms: u64,
        /// Half of what TCP and TLS took to connect, with a name's resolution and a lost SYN in it: good for as long as nothing better is known.
        dialled: bool,
    },
    /// A stranger's `POST /join`. MAC and body are not checked yet: the core knows the invitations.
    Join {
        /// Answered by [`Output::JoinReply`].
        inbound: InboundId,
        /// As received.
        join: JoinAttempt,
    },
    /// The answer to an [`Output::DialBack`].
    DialedBack {
        /// Which.
        call: CallId,
        /// The pin met there, or one sentence why none was.
        result: Result<Pin, String>,
    },
    /// The answer to an [`Output::Bot`].
    Bot {
        /// Which.
        call: CallId,
        /// What Telegram said.
        result: Result<BotReply, BotError>,
    },
    /// The answer to an [`Output::Agent`].
    Agent {
        /// Which.
        call: CallId,
        /// What the agent said.
        result: Result<AgentReply, AgentFailure>,
    },
    /// The operator's CLI, over the control socket.
    Operator {
        /// Answered by [`Output::OperatorReply`].
        inbound: InboundId,
        /// What.
        request: OperatorRequest,
    },
    /// An [`Output::Persist`] failed; the file is what it was before. Handed in before any other input: a document that no such input follows is
    /// on disk.
    Unwritten {
        /// Which document.
        document: DocumentName,
        /// Why.
        why: Trouble,
        /// The outputs of the same step that come after it. The core gives back those that may leave without it.
        rest: Vec<Output>,
    },
    /// The shell looked at the state folder: why it cannot be relied on for new state, None where it can. Told when it changes.
    Room(Option<Trouble>),
    /// SIGTERM: stop gracefully (L5), then [`Output::Stopped`].
    Stop,
}

/// What a node wants done. Performed in the order given; a `Persist` is on disk before anything after it is begun. Where it fails, nothing
/// after it is begun, and the core decides with [`Input::Unwritten`].
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Replace a state file.
    Persist(Document),
    /// Send a request to a member; its answer comes as [`Input::Answered`] within the time limit.
    Call {
        /// Names the answer.
        call: CallId,
        /// To whom.
        to: NodeId,
        /// Time limit, milliseconds. A dial that it has to wait for goes on after it.
        timeout_ms: u64,
        /// What.
        request: PeerRequest,
    },
    /// Answer a member.
    Reply {
        /// Whom.
        inbound: InboundId,
        /// What.
        result: Result<PeerResponse, RpcError>,
    },
    /// Connect to an address (S5 applies) and tell which certificate answers there.
    DialBack {
        /// Names the answer.
        call: CallId,
        /// `host:port`.
        addr: String,
        /// Time limit, milliseconds.
        timeout_ms: u64,
    },
    /// Answer a joiner.
    JoinReply {
        /// Whom.
        inbound: InboundId,
        /// What.
        result: Result<JoinAnswer, RpcError>,
    },
    /// Ask Telegram.
    Bot {
        /// Names the answer.
        call: CallId,
        /// Time limit, milliseconds.
        timeout_ms: u64,
        /// What.
        request: BotCall,
    },
    /// Drop a call to Telegram that is on its way. It is answered with [`BotError::Cancelled`].
    CancelBot(CallId),
    /// Ask the agent of this host.
    Agent {
        /// Names the answer.
        call: CallId,
        /// What.
        request: AgentCall,
    },
    /// Answer the CLI.
    OperatorReply {
        /// Whom.
        inbound: InboundId,
        /// What.
        result: Result<OperatorAnswer, RpcError>,
    },
    /// The members as TLS must know them, from now on: whoever is not in it is a stranger.
    Pins(Vec<PinnedPeer>),
    /// The boot generation to address a member by from now on (S1): it started again, or was never heard before.
    Generation {
        /// Whose.
        node: NodeId,
        /// As it said itself.
        generation: Generation,
    },
    /// The bot token to use from now on.
    Token(Secret),
    /// For the log: something that a person may want to read.
    Note(Note),
    /// The graceful stop is complete: the process may exit.
    Stopped,
}

/// One member for TLS and dialling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedPeer {
    /// Who.
    pub node: NodeId,
    /// Its certificate.
    pub pin: Pin,
    /// Where; absent until its own words are known.
    pub addr: Option<String>,
    /// Its boot generation, where one was heard.
    pub generation: Option<Generation>,
}

/// A request between members, by its path.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerRequest {
    /// `POST /health`.
    Heartbeat(Heartbeat),
    /// `POST /announce`.
    Announce(Records),
    /// `POST /rpc`.
    Rpc(Request),
}

/// An answer between members.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerResponse {
    /// To a heartbeat.
    Heartbeat(Heartbeat),
    /// To an announcement: taken.
    Announced,
    /// To an rpc.
    Rpc(Response),
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// Nothing was sent: no connection, wrong certificate, unknown address.
    NotSent(String),
    /// Nothing was sent: no process has the port. The host, or what stands before it, refused or reset the connection before TLS began.
    PortClosed(String),
    /// The request may have arrived: time-out, or the connection broke.
    Lost(String),
    /// The other side refused.
    Refused(RpcError),
}

/// `POST /join` as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinAttempt {
    /// The connection's certificate.
    pub pin: Pin,
    /// That certificate, base64 of DER.
    pub cert: String,
    /// Where it came from, without a port.
    pub source: String,
    /// `X-Constella-Invite`: which invitation, see [`constella_shared::link::InviteId`].
    pub invite: InviteId,
    /// `X-Constella-Mac`: HMAC-SHA256 under the invitation's key, checked in constant time before the body is parsed.
    pub mac: [u8; 32],
    /// The body as received; JSON of a [`constella_shared::wire::join::JoinRequest`].
    pub body: Vec<u8>,
}

/// A state file's new content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// `network_state.json`.
    Network(NetworkState),
    /// `invites.json`.
    Invites(InvitesState),
    /// `vote.json`.
    Vote(VoteState),
    /// `commands.json`.
    Commands(CommandsState),
}

/// A call to this host's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentCall {
    /// `GET /v1/stats`.
    Stats,
    /// `GET /v1/series`.
    Series {
        /// Which.
        kind: SeriesKind,
        /// How far back.
        hours: u32,
    },
    /// `POST /v1/speedtest`.
    RunSpeedtest(SpeedtestRequest),
    /// `GET /v1/speedtest`.
    GetSpeedtest,
    /// `POST /v1/reboot`.
    Reboot(RebootRequest),
}

/// A good answer of the agent.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentReply {
    /// To `Stats`.
    Stats(Box<Stats>),
    /// To `Series`.
    Series(Series),
    /// To the speedtest's calls.
    Speedtest(SpeedtestState),
    /// To `Reboot`.
    Reboot(RebootAnswer),
}

/// Why the agent has no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentFailure {
    /// No connection, or none in time.
    Unreachable(String),
    /// It refused.
    Refused(AgentError),
}
