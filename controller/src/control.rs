//! The control socket: how the CLI speaks to a running controller. One JSON line in, one out, over a 0600 unix socket of the same user.

mod manage;
mod series;
mod telegram;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use constella_core::io::{CallError, NodeStatus, OperatorAnswer, OperatorRequest, VoterStatus};
use constella_shared::agent::{Series, SeriesKind};
use constella_shared::ids::{NetworkId, NodeId};
use constella_shared::secret::Secret;
use constella_shared::wire::lease::LeaseView;
use constella_shared::wire::records::VoterRecord;
use constella_shared::wire::rpc::{PeerRow, Request, Response, RpcCode, RpcError};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

pub use manage::{Change, InviteDocument};
pub use telegram::BotDocument;

use crate::agent::Agent;
use crate::inbox::Inbox;
use crate::peer::Peers;
use crate::runner::{BotClient, note};
use series::Wanted;

/// What the CLI asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// `invite`.
    Invite {
        /// Seconds.
        ttl_s: u64,
    },
    /// `owner-link`.
    OwnerLink {},
    /// `peers`.
    Peers {},
    /// `status`, `healthcheck`.
    Status {},
    /// `doctor`: how Telegram answers from here, now.
    Bot {},
    /// `rpc`.
    Rpc {
        /// `host:port` of a member.
        addr: String,
        /// What.
        request: Request,
    },
    /// A verb that changes the network.
    Change {
        /// What.
        change: Change,
    },
    /// `series`.
    Series {
        /// A node's name, or the beginning of its id.
        node: String,
        /// Which series.
        kind: SeriesKind,
        /// How far back.
        hours: u32,
        /// Points at most; absent for all that its agent answers with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        points: Option<u32>,
    },
}

/// What it is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Told {
    /// A link: a secret, printed once.
    Link {
        /// The text.
        link: Secret,
    },
    /// Rows.
    Peers {
        /// One a node.
        peers: Vec<PeerRow>,
    },
    /// This node.
    Status(StatusDocument),
    /// Telegram.
    Bot(BotDocument),
    /// What the member said.
    Rpc {
        /// Its answer.
        response: Response,
    },
    /// What became of an edit of a node.
    Edited {
        /// Which node.
        node_id: NodeId,
        /// Its name.
        name: String,
        /// False while the node gives its vote or its lease away before it is out.
        done: bool,
    },
    /// The invitations.
    Invites {
        /// One each.
        invites: Vec<InviteDocument>,
    },
    /// Done, nothing to say.
    Done {},
    /// A node's series.
    Series {
        /// Its name.
        node: String,
        /// What it measured.
        series: Series,
    },
    /// Nothing was done, or a member refused.
    Refused {
        /// Why.
        error: RpcError,
    },
}

/// `status --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusDocument {
    /// This node.
    pub node_id: NodeId,
    /// Its name; with its short id where another's looks alike, as with every name here.
    pub name: String,
    /// The network.
    pub network_id: NetworkId,
    /// The lease, as seen here.
    pub lease: Option<LeaseView>,
    /// The name of the node that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The voters by name.
    #[serde(default)]
    pub electors: Vec<VoterDocument>,
    /// Which voters lack for a majority, in a sentence; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortage: Option<String>,
    /// `idle`, `holding`, `watching` or `polling`.
    pub bot: String,
    /// Whether the Bot API answered the last probe.
    pub ready: bool,
    /// The others take this node for a stranger: the owner put it out.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub removed: bool,
    /// What members were refused since the start of the process, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
    /// Why this node stores nothing that is new, in words; absent where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
    /// Members that are alive, this node included.
    pub alive: usize,
    /// Members.
    pub members: usize,
    /// The voters.
    pub voters: VoterRecord,
    /// Version of the controller.
    pub version: String,
}

/// A voter, as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoterDocument {
    /// Which node.
    pub node_id: NodeId,
    /// Its name.
    pub name: String,
    /// It did not grant this holder its vote, or this node, which does not hold, sees it not alive.
    pub missing: bool,
}

/// Why the CLI got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error("no controller runs here (nobody answers at {}); start it first, or set CONTROL_SOCKET as it is set there", .0.display())]
    NotRunning(PathBuf),
    /// The socket is another user's.
    #[error("{} may not be opened by this user; ask as the controller's user or as root", .0.display())]
    NotOurs(PathBuf),
    /// The socket cannot be made. The operator's to mend: the folder is missing or belongs to somebody else.
    #[error("the control socket {} cannot be made (CONTROL_SOCKET)", path.display())]
    Listen {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke or the answer took too long.
    #[error("the controller did not answer at {}; see its log, and start it again if it says nothing", path.display())]
    Broken {
        /// Where it was asked.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What answers the questions.
#[derive(Debug)]
pub struct Behind<B> {
    /// The core.
    pub inbox: Inbox,
    /// Calls to members.
    pub peers: Arc<Peers>,
    /// Telegram.
    pub bot: Arc<B>,
    /// This host's agent.
    pub agent: Agent,
}

/// Listens until it is dropped, then removes the socket.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Control {
    /// Makes the socket, 0600 before anybody can connect: it is bound under another name and moved.
    ///
    /// # Errors
    /// [`ControlError::Listen`].
    pub fn start<B: BotClient>(path: &Path, behind: Behind<B>) -> Result<Self, ControlError> {
        let failed = |source| ControlError::Listen { path: path.to_owned(), source };
        let hidden = path.with_extension("new");
        for stale in [path, &hidden] {
            match fs::remove_file(stale) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                Ok(()) | Err(_) => {}
            }
        }
        let listener = UnixListener::bind(&hidden).map_err(failed)?;
        fs::set_permissions(&hidden, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        fs::rename(&hidden, path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), task: tokio::spawn(accept(listener, behind)) })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        // A stale socket is removed at the next start too.
        let _ = fs::remove_file(&self.path);
    }
}

async fn accept<B: BotClient>(listener: UnixListener, behind: Behind<B>) {
    let (own, behind) = (nix::unistd::geteuid().as_raw(), Arc::new(behind));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // The mode already keeps others out; root may always.
        if stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0) {
            let behind = Arc::clone(&behind);
            tokio::spawn(async move {
                // Who does not read the answer misses it.
                let _ = timeout(TIME, serve(stream, &behind)).await;
            });
        }
    }
}

async fn serve<B: BotClient>(stream: UnixStream, behind: &Behind<B>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    BufReader::new(read.take(MAX_QUESTION)).read_until(b'\n', &mut line).await?;
    let told = match serde_json::from_slice(&line) {
        Ok(question) => answer(question, behind).await.unwrap_or_else(|error| Told::Refused { error }),
        Err(error) => Told::Refused { error: RpcError { code: RpcCode::BadRequest, message: error.to_string() } },
    };
    let mut text = serde_json::to_vec(&told).map_err(io::Error::other)?;
    text.push(b'\n');
    write.write_all(&text).await?;
    write.shutdown().await
}

async fn answer<B: BotClient>(question: Question, behind: &Behind<B>) -> Result<Told, RpcError> {
    let request = match question {
        Question::Invite { ttl_s } => OperatorRequest::Invite { ttl_s },
        Question::OwnerLink {} => OperatorRequest::OwnerLink,
        Question::Peers {} => OperatorRequest::Peers,
        Question::Status {} => OperatorRequest::Status,
        Question::Bot {} => return Ok(Told::Bot(telegram::look(behind.bot.as_ref()).await)),
        Question::Rpc { addr, request } => {
            let response = behind.peers.call_at(&addr, RPC_TIME, request).await.map_err(refusal)?;
            return Ok(Told::Rpc { response });
        }
        Question::Change { change } => return manage::answer(change, &behind.inbox).await,
        Question::Series { node, kind, hours, points } => {
            return series::series(Wanted { node, kind, hours, points }, behind).await;
        }
    };
    Ok(plain(behind.inbox.operator(request).await?))
}

fn plain(answer: OperatorAnswer) -> Told {
    match answer {
        OperatorAnswer::Link(link) => Told::Link { link },
        OperatorAnswer::Peers(peers) => Told::Peers { peers },
        OperatorAnswer::Status(status) => Told::Status(document(status)),
        OperatorAnswer::Invites(rows) => Told::Invites { invites: rows.into_iter().map(manage::document).collect() },
        OperatorAnswer::Edited(_) => Told::Done {},
    }
}

fn document(status: NodeStatus) -> StatusDocument {
    StatusDocument {
        node_id: status.node,
        name: status.name,
        network_id: status.network,
        lease: status.lease,
        holder: status.holder,
        electors: status.electors.into_iter().map(voter).collect(),
        shortage: status.shortage,
        bot: note::bot(status.bot).to_owned(),
        ready: status.ready,
        removed: status.removed,
        refused: status.refused.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect(),
        disk: status.disk.map(|why| why.words().to_owned()),
        alive: status.alive,
        members: status.members,
        voters: status.voters,
        version: crate::VERSION.to_owned(),
    }
}

fn voter(VoterStatus { node, name, missing }: VoterStatus) -> VoterDocument {
    VoterDocument { node_id: node, name, missing }
}

fn refusal(error: CallError) -> RpcError {
    match error {
        CallError::Refused(error) => error,
        CallError::NotSent(message) | CallError::PortClosed(message) => {
            RpcError { code: RpcCode::Unreachable, message }
        }
        CallError::Lost(why) => {
            let message = format!("{why}; it is not known whether the request was carried out");
            RpcError { code: RpcCode::TimedOut, message }
        }
    }
}

/// Asks the controller that runs here.
///
/// # Errors
/// [`ControlError::NotRunning`], [`ControlError::NotOurs`] or [`ControlError::Broken`]; each names the socket.
pub async fn ask(path: &Path, question: &Question) -> Result<Told, ControlError> {
    let stream = UnixStream::connect(path).await.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => ControlError::NotOurs(path.to_owned()),
        _ => ControlError::NotRunning(path.to_owned()),
    })?;
    let exchange = async {
        let (read, mut write) = stream.into_split();
        let mut text = serde_json::to_vec(question)?;
        text.push(b'\n');
        write.write_all(&text).await?;
        let mut line = Vec::new();
        BufReader::new(read).read_until(b'\n', &mut line).await?;
        Ok(serde_json::from_slice(&line)?)
    };
    let broken = |source| ControlError::Broken { path: path.to_owned(), source };
    timeout(TIME, exchange).await.unwrap_or_else(|late| Err(late.into())).map_err(broken)
}

/// For one question, whatever it takes behind the socket.
const TIME: Duration = Duration::from_secs(15);

/// For an `rpc` by hand, connecting included.
const RPC_TIME: Duration = Duration::from_secs(10);

/// The largest question: an `rpc` with records in it.
const MAX_QUESTION: u64 = 4 * 1024 * 1024;
