//! The one task that owns the core: it hands in what happens with the time right before, and performs what comes out, in the order given.

pub(crate) mod note;

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use constella_core::clock::Now;
use constella_core::io::{
    BotCall, BotError, BotReply, CallId, Document, InboundId, Input, OperatorAnswer, Output, PeerResponse, Trouble,
};
use constella_core::node::Node;
use constella_shared::secret::Secret;
use constella_shared::wire::join::JoinAnswer;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::agent::Agent;
use crate::clock;
use crate::dial::Dial;
use crate::inbox::{Event, Inbox, Reply};
use crate::members::Members;
use crate::peer::Peers;
use crate::routes::Context;
use crate::state::{State, StateError, room};

/// The brain, as the runner sees it.
pub trait Core: Send {
    /// The first outputs.
    fn start(&mut self, now: Now) -> Vec<Output>;
    /// What follows from an input.
    fn handle(&mut self, now: Now, input: Input) -> Vec<Output>;
    /// CLOCK_BOOTTIME in milliseconds of the next [`Input::Tick`].
    fn deadline(&self) -> u64;
}

/// Telegram, as the runner sees it. Dropping a call's future cancels it.
pub trait BotClient: Send + Sync + 'static {
    /// One call, answered within the time limit.
    fn call(&self, call: BotCall, limit: Duration) -> impl Future<Output = Result<BotReply, BotError>> + Send;
    /// The token to use from now on.
    fn set_token(&self, token: Secret);
}

impl Core for Node {
    fn start(&mut self, now: Now) -> Vec<Output> {
        Self::start(self, now)
    }

    fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        Self::handle(self, now, input)
    }

    fn deadline(&self) -> u64 {
        Self::deadline(self)
    }
}

/// Why the runner ended other than by a graceful stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The writer of a state file ended without an answer. Nothing that depends on it was done, so the node stops rather than break a promise. A
    /// disk that is full or fails is no reason to stop: the core goes on without it.
    #[error("it is not known whether the state was written; the node stops before it does anything that rests on it")]
    State(#[from] StateError),
    /// The graceful stop took too long; leases run out by themselves.
    #[error("the stop took over {STOP_MS} ms; the process ends now")]
    SlowStop,
}

/// Everything that outputs are performed with.
#[derive(Debug)]
pub struct Shell<B> {
    /// The state folder.
    pub state: Arc<State>,
    /// The picture that outputs change.
    pub members: Members,
    /// The listener's, whose verifier forgets strangers.
    pub context: Arc<Context>,
    /// Calls to members.
    pub peers: Arc<Peers>,
    /// Dial-backs.
    pub dial: Dial,
    /// This host's agent.
    pub agent: Agent,
    /// Telegram.
    pub bot: Arc<B>,
    /// Where answers come back.
    pub inbox: Inbox,
}

/// Owns the core.
#[derive(Debug)]
pub struct Runner<C, B> {
    core: C,
    shell: Shell<B>,
    events: mpsc::Receiver<Event>,
    waiting: Waiting,
    /// Calls to members on their way.
    calls: JoinSet<()>,
    /// Inputs that the runner itself owes the core.
    owed: VecDeque<Input>,
    stop_by_ms: Option<u64>,
    stopped: bool,
}

/// Whoever waits for an answer of the core, and the calls to Telegram that can be dropped.
#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    peers: HashMap<InboundId, Reply<PeerResponse>>,
    joins: HashMap<InboundId, Reply<JoinAnswer>>,
    operators: HashMap<InboundId, Reply<OperatorAnswer>>,
    bots: HashMap<CallId, AbortHandle>,
    swept_ms: u64,
}

impl<C: Core, B: BotClient> Runner<C, B> {
    /// Over a core that has not started.
    #[must_use]
    pub fn new(core: C, shell: Shell<B>, events: mpsc::Receiver<Event>) -> Self {
        let (waiting, calls, owed) = (Waiting::default(), JoinSet::new(), VecDeque::new());
        Self { core, shell, events, waiting, calls, owed, stop_by_ms: None, stopped: false }
    }

    /// Runs until the core has stopped gracefully.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn run(mut self) -> Result<(), RunError> {
        let outputs = self.core.start(clock::now());
        self.perform(outputs).await?;
        let mut ticked = false;
        while !self.stopped {
            let now = clock::now();
            if self.stop_by_ms.is_some_and(|by| now.boot_ms >= by) {
                return Err(RunError::SlowStop);
            }
            self.waiting.sweep(now, &self.shell.peers);
            if let Some(input) = self.owed.pop_front() {
                self.handle(input).await?;
            } else if now.boot_ms >= self.core.deadline() && !ticked {
                self.handle(Input::Tick).await?;
                ticked = true;
            } else {
                // One tick, then at least one look at the events: neither starves the other.
                ticked = false;
                let wait = self.core.deadline().saturating_sub(now.boot_ms).clamp(1, LONGEST_SLEEP_MS);
                let event = tokio::select! {
                    event = self.events.recv() => event,
                    () = sleep(Duration::from_millis(wait)) => None,
                };
                if let Some(input) = event.and_then(|event| self.waiting.admit(event)) {
                    self.handle(input).await?;
                }
            }
        }
        self.say_goodbye().await;
        Ok(())
    }

    /// The core's last words are on their way: without them the others learn of the stop by silence only.
    async fn say_goodbye(mut self) {
        // Nobody takes their answers any more.
        drop(self.events);
        let said = async { while self.calls.join_next().await.is_some() {} };
        // Who does not answer in this time sees that this node is gone.
        let _ = timeout(GOODBYE, said).await;
    }

    async fn handle(&mut self, input: Input) -> Result<(), StateError> {
        let now = clock::now();
        if matches!(input, Input::Stop) && self.stop_by_ms.is_none() {
            tracing::info!("stopping");
            self.stop_by_ms = Some(now.boot_ms.saturating_add(STOP_MS));
        }
        let outputs = self.core.handle(now, input);
        self.perform(outputs).await
    }

    async fn perform(&mut self, outputs: Vec<Output>) -> Result<(), StateError> {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Persist(document) => {
                    let name = document.name();
                    if let Some(why) = self.shell.persist(document).await? {
                        let rest = Vec::from(outputs);
                        outputs = self.core.handle(clock::now(), Input::Unwritten { document: name, why, rest }).into();
                    }
                }
                Output::Call { call, to, timeout_ms, request } => {
                    let (peers, inbox) = (Arc::clone(&self.shell.peers), self.shell.inbox.clone());
                    while self.calls.try_join_next().is_some() {}
                    self.calls.spawn(async move {
                        let result = peers.call(to, Duration::from_millis(timeout_ms), &request).await;
                        inbox.input(Input::Answered { call, result }).await;
                    });
                }
                Output::Reply { inbound, result } => answer(self.waiting.peers.remove(&inbound), result),
                Output::DialBack { call, addr, timeout_ms } => {
                    let (dial, inbox) = (self.shell.dial.clone(), self.shell.inbox.clone());
                    tokio::spawn(async move {
                        inbox.input(dial.dial_back(call, &addr, Duration::from_millis(timeout_ms)).await).await;
                    });
                }
                Output::JoinReply { inbound, result } => answer(self.waiting.joins.remove(&inbound), result),
                Output::Bot { call, timeout_ms, request } => self.ask_telegram(call, timeout_ms, request),
                Output::CancelBot(call) => {
                    // Not in the map: its answer is in the core already.
                    if let Some(task) = self.waiting.bots.remove(&call) {
                        task.abort();
                        self.owed.push_back(Input::Bot { call, result: Err(BotError::Cancelled) });
                    }
                }
                Output::Agent { call, request } => {
                    let (agent, inbox) = (self.shell.agent.clone(), self.shell.inbox.clone());
                    tokio::spawn(async move {
                        let result = agent.call(&request).await;
                        inbox.input(Input::Agent { call, result }).await;
                    });
                }
                Output::OperatorReply { inbound, result } => answer(self.waiting.operators.remove(&inbound), result),
                Output::Pins(pins) => {
                    self.shell.members.set_pins(pins);
                    self.shell.context.verifier.forget_strangers();
                }
                Output::Generation { node, generation } => self.shell.members.hear_generation(node, generation),
                Output::Token(token) => self.shell.bot.set_token(token),
                Output::Note(note) => note::log(&note),
                Output::Stopped => self.stopped = true,
            }
        }
        Ok(())
    }

    fn ask_telegram(&mut self, call: CallId, timeout_ms: u64, request: BotCall) {
        let (bot, inbox) = (Arc::clone(&self.shell.bot), self.shell.inbox.clone());
        let limit = Duration::from_millis(timeout_ms);
        let task = tokio::spawn(async move {
            let late = |_| Err(BotError::Unreachable(format!("no answer within {timeout_ms} ms")));
            let result = timeout(limit, bot.call(request, limit)).await.unwrap_or_else(late);
            inbox.input(Input::Bot { call, result }).await;
        });
        self.waiting.bots.insert(call, task.abort_handle());
    }
}

impl<B> Shell<B> {
    /// On disk when this returns None, or not, and why. Other tasks go on meanwhile; the core waits.
    async fn persist(&self, document: Document) -> Result<Option<Trouble>, StateError> {
        if let Document::Network(network) = &document {
            // Requests are signed as the roster in memory has it: a disk that takes nothing does not shut this node out of its network.
            self.members.set_network(network);
        }
        let state = Arc::clone(&self.state);
        match tokio::task::spawn_blocking(move || state.persist(&document)).await {
            Ok(Ok(())) => Ok(None),
            Ok(Err(error)) => {
                tracing::debug!(error = %error, source = ?std::error::Error::source(&error), "state not written");
                room::trouble(&error).map(Some).ok_or(error)
            }
            // The writer panicked or the runtime is going down: nothing may rest on a file that was perhaps not written.
            Err(error) => {
                let path = self.state.folder().to_owned();
                Err(StateError::Write { path, source: std::io::Error::other(error) })
            }
        }
    }
}

impl Waiting {
    /// The event as the core's input; None where it answers a call that was cancelled meanwhile.
    fn admit(&mut self, event: Event) -> Option<Input> {
        self.last = self.last.saturating_add(1);
        let inbound = InboundId(self.last);
        match event {
            Event::Peer(from, request, reply) => {
                self.peers.insert(inbound, reply);
                Some(Input::Peer { inbound, from, request })
            }
            Event::Join(join, reply) => {
                self.joins.insert(inbound, reply);
                Some(Input::Join { inbound, join })
            }
            Event::Operator(request, reply) => {
                self.operators.insert(inbound, reply);
                Some(Input::Operator { inbound, request })
            }
            Event::Input(Input::Bot { call, result }) => self.bots.remove(&call).map(|_| Input::Bot { call, result }),
            Event::Input(input) => Some(input),
        }
    }

    /// Once a second: whoever gave up waiting is forgotten, so that no one fills the maps.
    fn sweep(&mut self, now: Now, peers: &Peers) {
        if now.since(self.swept_ms) < SWEEP_MS {
            return;
        }
        self.swept_ms = now.boot_ms;
        self.peers.retain(|_, reply| !reply.is_closed());
        self.joins.retain(|_, reply| !reply.is_closed());
        self.operators.retain(|_, reply| !reply.is_closed());
        peers.sweep();
    }
}

/// Whoever asked may have gone away meanwhile; then nobody misses the answer.
fn answer<T>(reply: Option<Reply<T>>, result: Result<T, constella_shared::wire::rpc::RpcError>) {
    if let Some(reply) = reply {
        let _ = reply.send(result);
    }
}

/// The runtime's timers stand still while the machine sleeps, CLOCK_BOOTTIME goes on: no sleep is longer, so a wake-up is noticed soon (L7).
const LONGEST_SLEEP_MS: u64 = 250;

/// For the graceful stop (L5): Docker kills after 10 s.
const STOP_MS: u64 = 8_000;

/// For the last words to members.
const GOODBYE: Duration = Duration::from_millis(500);

/// Between two looks for those who gave up.
const SWEEP_MS: u64 = 1_000;
