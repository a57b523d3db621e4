//! `run`: everything that a controller is made of, put together, and taken apart again at its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use constella_core::config::Boot;
use constella_core::io::Input;
use constella_core::node::Node;
use constella_core::roster::OpenError;
use constella_shared::ids::NodeId;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::address::HostPort;
use crate::admission::Joins;
use crate::agent::Agent;
use crate::bodies::Bodies;
use crate::clock;
use crate::config::differences::differing;
use crate::config::{Config, ConfigError};
use crate::control::{Behind, Control, ControlError};
use crate::dial::Dial;
use crate::founding::{NoRandomness, shares_token, stored_addr};
use crate::identity::Identity;
use crate::inbox::Inbox;
use crate::joining::{JoinError, Joiner, with_own_token};
use crate::members::Members;
use crate::peer::Peers;
use crate::routes::Context;
use crate::runner::{BotClient, RunError, Runner, Shell};
use crate::server::{ListenError, Server, bind};
use crate::state::{Loaded, State, StateError, room};
use crate::tls::{Dialler, server_config};
use crate::verify::Verifier;

/// Why a controller did not start, or ended other than gracefully.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// See there.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// See there.
    #[error(transparent)]
    State(#[from] StateError),
    /// See there.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// See there.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// See there.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// See there.
    #[error(transparent)]
    Run(#[from] RunError),
    /// See there.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The state is empty and nothing says which network to join. A missing mount must never found a second network.
    #[error(
        "{} has no network; found one with `init`, join one with `join` or JOIN_URL, or mount the right folder", .0.display()
    )]
    Empty(PathBuf),
    /// Nobody could reach this node.
    #[error("the stored state has no address of this node; set PUBLIC_ADDR=HOST:PORT")]
    NoAddress,
    /// rustls refuses the identity.
    #[error("TLS cannot be set up with this node's identity")]
    Tls(#[from] rustls::Error),
    /// The core does not take the stored state.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The kernel refuses signal handlers.
    #[error("signals cannot be received")]
    Signals(#[source] std::io::Error),
    /// SIGTERM while joining, or a second one while stopping.
    #[error("interrupted")]
    Interrupted,
}

/// Runs a node until it is told to stop.
///
/// # Errors
/// [`ServiceError`].
pub async fn run<B: BotClient>(config: Config, bot: B) -> Result<(), ServiceError> {
    let mut stop = Stop::new()?;
    let state = State::open(&config.state_dir)?;
    let mut node = Listening::start(&config, state).await?;
    if node.state.is_empty() {
        if config.seed.join.is_none() {
            return Err(ServiceError::Empty(config.state_dir));
        }
        tokio::select! {
            joined = join(&node, &config) => drop(joined?),
            () = stop.wait() => return Err(ServiceError::Interrupted),
        }
    }
    let loaded = node.state.load(clock::now().unix_ms / 1_000)?;
    warn_of_settings(&config, node.identity.node, &loaded);
    let addr = config.public_addr.as_ref().map(ToString::to_string);
    let addr = addr.or_else(|| stored_addr(&loaded.network, node.identity.node)).ok_or(ServiceError::NoAddress)?;
    node.members.set_generation(loaded.vote.generation);
    node.members.set_network(&loaded.network);
    let dial = dial(&node.identity, &addr)?;
    let peers = Arc::new(Peers::measuring(node.members.clone(), dial.clone(), node.inbox.clone()));
    let bot = Arc::new(bot);
    let agent = Agent::new(config.agent_socket.clone());
    let behind =
        Behind { inbox: node.inbox.clone(), peers: Arc::clone(&peers), bot: Arc::clone(&bot), agent: agent.clone() };
    let control = Control::start(&config.control_socket, behind)?;
    let boot = boot(&node.identity, &config, addr, loaded)?;
    let core = Node::new(boot, Box::new(node.identity.clone()), clock::now())?;
    let shell = Shell {
        state: Arc::clone(&node.state),
        members: node.members.clone(),
        context: Arc::clone(&node.context),
        peers,
        dial,
        agent,
        bot,
        inbox: node.inbox.clone(),
    };
    let Some(events) = node.events.take() else { return Err(ServiceError::Interrupted) };
    let inbox = node.inbox.clone();
    let watching = tokio::spawn(room::watch(config.state_dir.clone(), inbox.clone()));
    let mut running = std::pin::pin!(Runner::new(core, shell, events).run());
    tracing::info!(node = node.identity.node.short(), version = crate::VERSION, "running");
    let ended = tokio::select! {
        ended = &mut running => ended.map_err(ServiceError::from),
        () = async { stop.wait().await; inbox.input(Input::Stop).await; stop.wait().await } => Err(ServiceError::Interrupted),
    };
    watching.abort();
    drop(control);
    node.server.stop(GRACE).await;
    ended
}

/// Joins a network and stores its state, and tells the node's name there; for `join` on the command line.
///
/// # Errors
/// [`ServiceError`], [`StateError::NotEmpty`] where the folder has a network.
pub async fn join_only(config: &Config) -> Result<String, ServiceError> {
    let mut stop = Stop::new()?;
    let state = State::open(&config.state_dir)?;
    state.must_be_empty()?;
    let node = Listening::start(config, state).await?;
    let name = tokio::select! {
        joined = join(&node, config) => joined?,
        () = stop.wait() => return Err(ServiceError::Interrupted),
    };
    node.server.stop(GRACE).await;
    Ok(name)
}

/// A node that answers, but has no core yet: enough to be met by a dial-back.
struct Listening {
    state: Arc<State>,
    identity: Identity,
    members: Members,
    context: Arc<Context>,
    inbox: Inbox,
    events: Option<tokio::sync::mpsc::Receiver<crate::inbox::Event>>,
    server: Server,
}

impl Listening {
    async fn start(config: &Config, state: State) -> Result<Self, ServiceError> {
        if state.is_empty() && config.seed.join.is_none() {
            return Err(ServiceError::Empty(config.state_dir.clone()));
        }
        let identity = if state.is_empty() { state.identity(&config.name()?)? } else { state.identity("")? };
        let listener = bind(config.listen).await?;
        let members = Members::new(identity.node, identity.pin);
        let (inbox, events) = Inbox::new();
        let context = Arc::new(Context {
            members: members.clone(),
            verifier: Verifier::new(members.clone(), config.timing.clock_skew_ms),
            inbox: inbox.clone(),
            bodies: Bodies::default(),
            joins: Joins::default(),
            version: crate::VERSION.to_owned(),
        });
        let server = Server::start(listener, server_config(&identity)?, Arc::clone(&context));
        Ok(Self { state: Arc::new(state), identity, members, context, inbox, events: Some(events), server })
    }
}

/// Lets the node join; tells the name that it got.
async fn join(node: &Listening, config: &Config) -> Result<String, ServiceError> {
    let Some(link) = config.seed.join.clone() else { return Err(ServiceError::Empty(config.state_dir.clone())) };
    let addr = config.public_addr.as_ref().map(ToString::to_string);
    // A joiner dials only what its operator's link says, where S5 does not apply.
    let dial = Dial::new(Dialler::new(&node.identity)?, false);
    let joiner = Joiner {
        identity: node.identity.clone(),
        name: config.name()?,
        addr,
        port: config.public_addr.as_ref().map_or(config.listen.port(), |addr| addr.port),
        priority: config.priority(),
        link,
        more_seeds: config.seed.peers.clone(),
        dial,
    };
    tracing::info!(seeds = joiner.link.seeds.len(), "joining");
    let (network, invites) = joiner.join().await?;
    let own = network.peers.iter().find(|peer| peer.owner.node == node.identity.node);
    let name = own.map(|peer| peer.owner.name.clone()).unwrap_or_default();
    let token = config.seed.bot_token.as_ref().map(crate::config::TokenSource::read).transpose()?;
    node.state.initialise(&with_own_token(network, token), &invites)?;
    tracing::info!(node = node.identity.node.short(), "joined");
    Ok(name)
}

fn dial(identity: &Identity, own_addr: &str) -> Result<Dial, ServiceError> {
    let loopback = own_addr.parse::<HostPort>().is_ok_and(|addr| addr.is_loopback());
    Ok(Dial::new(Dialler::new(identity)?, loopback))
}

fn boot(identity: &Identity, config: &Config, addr: String, loaded: Loaded) -> Result<Boot, NoRandomness> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| NoRandomness)?;
    Ok(Boot {
        node: identity.node,
        pin: identity.pin,
        addr,
        settings: config.settings(shares_token(&loaded.network)),
        network: loaded.network,
        invites: loaded.invites,
        vote: loaded.vote,
        commands: loaded.commands,
        in_place: loaded.in_place,
        seed,
    })
}

/// After the first start the state wins; where the environment says otherwise, somebody should know.
fn warn_of_settings(config: &Config, node: NodeId, loaded: &Loaded) {
    for setting in differing(config, node, &loaded.network) {
        tracing::warn!(setting, "setting differs from the stored state, which wins");
    }
    for warning in &config.warnings {
        tracing::warn!(warning, "a variable of the environment is not read");
    }
}

/// SIGTERM and SIGINT.
struct Stop {
    term: Signal,
    int: Signal,
}

impl Stop {
    fn new() -> Result<Self, ServiceError> {
        let on = |kind| signal(kind).map_err(ServiceError::Signals);
        Ok(Self { term: on(SignalKind::terminate())?, int: on(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// For answers that are on their way when the node stops.
const GRACE: Duration = Duration::from_millis(500);
