//! The core's border: everything that comes in and everything that goes out.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::agent::{
    AgentError, RebootAnswer, RebootRequest, Series, SeriesKind, SpeedtestRequest, SpeedtestState, Stats,
};
use constella_shared::ids::{Generation, NetworkId, NodeId, Pin};
use constella_shared::link::InviteId;
use constella_shared::secret::Secret;
use constella_shared::state::{CommandsState, InvitesState, NetworkState, VoteState};
use constella_shared::wire::heartbeat::Heartbeat;
use constella_shared::wire::join::JoinAnswer;
use constella_shared::wire::lease::LeaseView;
use constella_shared::wire::records::{Records, VoterRecord};
use constella_shared::wire::rpc::{PeerRow, Request, Response, RpcError};

use crate::bot::screen::Screen;

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
    /// SIGTERM: stop gracefully (L5), then [`Output::Stopped`].
    Stop,
}

/// What a node wants done. Performed in the order given; a `Persist` is on disk before anything after it is begun.
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
        /// Time limit, milliseconds, connecting included.
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
    /// `sendMessage`.
    Send {
        /// To which chat.
        chat: i64,
        /// What.
        screen: Screen,
    },
    /// `editMessageText`.
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
    SetCommands,
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
    /// To `sendMessage`.
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
    /// Whether the chat is a private one.
    pub private: bool,
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
    /// 400 "query is too old".
    QueryTooOld,
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

/// What the operator's CLI asks of a running controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorRequest {
    /// `invite --ttl`.
    Invite {
        /// Seconds.
        ttl_s: u64,
    },
    /// `owner-link`.
    OwnerLink,
    /// `peers`.
    Peers,
    /// `status`.
    Status,
}

/// What the CLI is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorAnswer {
    /// A link (`join://` or `https://t.me/`): a secret, printed once.
    Link(Secret),
    /// Rows.
    Peers(Vec<PeerRow>),
    /// This node.
    Status(NodeStatus),
}

/// `status`.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeStatus {
    /// This node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// The network.
    pub network: NetworkId,
    /// The lease, as seen here.
    pub lease: Option<LeaseView>,
    /// Whether this node polls, watches, or neither.
    pub bot: BotState,
    /// Whether the Bot API answered the last probe.
    pub ready: bool,
    /// Members that this node sees alive, itself included.
    pub alive: usize,
    /// Members that belong.
    pub members: usize,
    /// The voters.
    pub voters: VoterRecord,
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

/// For the log. Each is decided in the core and logged once, by the shell, with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The lease was taken, or its strength changed.
    Lease {
        /// The new view of this node as holder; None when it is no longer.
        view: Option<LeaseView>,
        /// Why.
        why: &'static str,
    },
    /// What this node does at the bot changed.
    Bot {
        /// Now.
        state: BotState,
        /// Why.
        why: &'static str,
    },
    /// A member's status changed.
    Member {
        /// Whose.
        node: NodeId,
        /// Now.
        status: constella_shared::wire::rpc::Status,
    },
    /// A command went a step.
    Command {
        /// Which.
        id: constella_shared::ids::CommandId,
        /// What happened.
        what: &'static str,
    },
    /// A record was refused (R1), or anything else that a person should know.
    Warning {
        /// What.
        what: String,
    },
}
