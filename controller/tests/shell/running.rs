//! The runner with a scripted core: order, exactly one answer, ticks, stopping.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use constella_controller::agent::Agent;
use constella_controller::clock;
use constella_controller::inbox::Inbox;
use constella_controller::peer::Peers;
use constella_controller::runner::{BotClient, Core, RunError, Runner, Shell};
use constella_controller::state::State;
use constella_core::clock::Now;
use constella_core::io::{
    AgentCall, BotCall, BotError, BotReply, CallId, Document, DocumentName, Input, OperatorAnswer, OperatorRequest,
    Output, PeerRequest, Trouble,
};
use constella_shared::secret::Secret;
use constella_shared::state::{InvitesState, STATE_FORMAT};
use constella_shared::wire::rpc::{Request, RpcCode};

use crate::rig::{NOBODY, Rig, network, until};

type Seen = Arc<Mutex<Vec<Input>>>;
type Script = Box<dyn FnMut(&Input) -> Vec<Output> + Send>;

/// Answers each input by a script and writes down what it saw.
struct Scripted {
    first: Vec<Output>,
    script: Script,
    seen: Seen,
    deadlines: VecDeque<u64>,
    tick_ms: Option<u64>,
}

impl Core for Scripted {
    fn start(&mut self, now: Now) -> Vec<Output> {
        self.deadlines.extend(self.tick_ms.map(|ms| now.boot_ms + ms));
        std::mem::take(&mut self.first)
    }

    fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        if input == Input::Tick {
            assert!(now.boot_ms >= self.deadline(), "an early tick");
            self.deadlines.pop_front();
            self.deadlines.extend(self.tick_ms.map(|ms| now.boot_ms + ms));
        }
        let outputs = (self.script)(&input);
        self.seen.lock().unwrap().push(input);
        outputs
    }

    fn deadline(&self) -> u64 {
        self.deadlines.front().copied().unwrap_or(u64::MAX)
    }
}

/// A Telegram that waits, and counts.
#[derive(Debug, Default)]
struct Waiting {
    calls: AtomicUsize,
    token: Mutex<Option<Secret>>,
}

impl BotClient for Waiting {
    async fn call(&self, call: BotCall, _: Duration) -> Result<BotReply, BotError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match call {
            BotCall::GetMe => Ok(BotReply::Me { id: 1, username: "bot".into() }),
            _ => std::future::pending().await,
        }
    }

    fn set_token(&self, token: Secret) {
        *self.token.lock().unwrap() = Some(token);
    }
}

struct Running {
    inbox: Inbox,
    seen: Seen,
    bot: Arc<Waiting>,
    ended: tokio::task::JoinHandle<Result<(), RunError>>,
    folder: tempfile::TempDir,
    _rig: Rig,
}

async fn start(
    first: Vec<Output>,
    tick_ms: Option<u64>,
    script: impl FnMut(&Input) -> Vec<Output> + Send + 'static,
) -> Running {
    let rig = Rig::start("alpha").await;
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).unwrap();
    let invites =
        InvitesState { format: STATE_FORMAT, invites: Vec::new(), more: constella_shared::wire::more::More::none() };
    state.initialise(&network(&rig.identity, "alpha"), &invites).unwrap();
    let (inbox, events) = Inbox::new();
    let context = Arc::new(constella_controller::routes::Context {
        members: rig.members.clone(),
        verifier: constella_controller::verify::Verifier::new(rig.members.clone(), 1_000),
        inbox: inbox.clone(),
        bodies: constella_controller::bodies::Bodies::default(),
        joins: constella_controller::admission::Joins::default(),
        version: "1".into(),
    });
    let bot = Arc::new(Waiting::default());
    let shell = Shell {
        state: Arc::new(state),
        members: rig.members.clone(),
        context,
        peers: Arc::new(Peers::new(rig.members.clone(), rig.dial.clone())),
        dial: rig.dial.clone(),
        agent: Agent::new(folder.path().join("no-agent.sock")),
        bot: Arc::clone(&bot),
        inbox: inbox.clone(),
    };
    let seen = Seen::default();
    let core =
        Scripted { first, script: Box::new(script), seen: Arc::clone(&seen), deadlines: VecDeque::new(), tick_ms };
    let ended = tokio::spawn(Runner::new(core, shell, events).run());
    Running { inbox, seen, bot, ended, folder, _rig: rig }
}

fn bot_answers(seen: &Seen) -> Vec<(CallId, Result<BotReply, BotError>)> {
    let seen = seen.lock().unwrap();
    seen.iter()
        .filter_map(|input| if let Input::Bot { call, result } = input { Some((*call, result.clone())) } else { None })
        .collect()
}

fn poll(call: u64, timeout_ms: u64) -> Output {
    let request = BotCall::GetUpdates { offset: None, timeout_s: 50, limit: 100, name_kinds: true };
    Output::Bot { call: CallId(call), timeout_ms, request }
}

#[tokio::test]
async fn every_call_that_cannot_be_made_is_answered() {
    let first = vec![
        Output::Call { call: CallId(1), to: NOBODY, timeout_ms: 500, request: PeerRequest::Rpc(Request::GetPeers {}) },
        Output::DialBack { call: CallId(2), addr: "169.254.169.254:80".into(), timeout_ms: 500 },
        Output::Agent { call: CallId(3), request: AgentCall::Stats },
        Output::Bot { call: CallId(4), timeout_ms: 500, request: BotCall::GetMe },
        poll(5, 50),
    ];
    let running = start(first, None, |_| Vec::new()).await;
    until("five answers", || running.seen.lock().unwrap().len() == 5).await;
    let answers = bot_answers(&running.seen);
    assert!(answers.contains(&(CallId(4), Ok(BotReply::Me { id: 1, username: "bot".into() }))));
    assert!(answers.contains(&(CallId(5), Err(BotError::Unreachable("no answer within 50 ms".into())))));
}

#[tokio::test]
async fn a_cancelled_poll_is_answered_once() {
    let first = vec![
        poll(1, 60_000),
        poll(2, 60_000),
        Output::CancelBot(CallId(1)),
        Output::CancelBot(CallId(1)),
        Output::CancelBot(CallId(9)),
    ];
    let running = start(first, Some(5), |_| Vec::new()).await;
    until("the answer and some ticks", || running.seen.lock().unwrap().len() > 10).await;
    assert_eq!(bot_answers(&running.seen), vec![(CallId(1), Err(BotError::Cancelled))]);
}

/// Whether the answer or the cancellation comes first, the core hears of a call once.
#[tokio::test]
async fn a_call_that_is_cancelled_as_it_ends_is_answered_once() {
    let calls = 200;
    let first = (0..calls)
        .flat_map(|n| {
            [
                Output::Bot { call: CallId(n), timeout_ms: 1_000, request: BotCall::GetMe },
                Output::CancelBot(CallId(n + 1_000)),
            ]
        })
        .collect();
    let cancel = |input: &Input| match input {
        Input::Bot { call, .. } => vec![Output::CancelBot(CallId(call.0 ^ 1))],
        _ => Vec::new(),
    };
    let running = start(first, Some(5), cancel).await;
    until("every answer", || bot_answers(&running.seen).len() == usize::try_from(calls).unwrap()).await;
    let ticks = running.seen.lock().unwrap().len();
    until("some more ticks", || running.seen.lock().unwrap().len() > ticks + 3).await;
    let mut answered: Vec<_> = bot_answers(&running.seen).into_iter().map(|(call, _)| call.0).collect();
    answered.sort_unstable();
    assert_eq!(answered, (0..calls).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_persisted_is_on_disk_before_what_follows() {
    let mut network = network(&constella_controller::identity::Identity::generate("x").unwrap(), "x");
    network.owner_username = "second".into();
    let first = vec![
        Output::Persist(Document::Network(network)),
        Output::Token(Secret::new("1:abcdefgh".into())),
        Output::Pins(Vec::new()),
    ];
    let running = start(first, None, |_| Vec::new()).await;
    until("the token", || running.bot.token.lock().unwrap().is_some()).await;
    let text = std::fs::read_to_string(running.folder.path().join("network_state.json")).unwrap();
    assert!(text.contains("second"));
}

#[tokio::test]
async fn what_rests_on_a_state_that_cannot_be_written_waits_for_the_core() {
    // S4, F6: a full disk ends no process
    let network = network(&constella_controller::identity::Identity::generate("x").unwrap(), "x");
    let answered = |inbound| Output::OperatorReply {
        inbound,
        result: Ok(OperatorAnswer::Edited(constella_core::io::Progress::Done)),
    };
    let token = || Output::Token(Secret::new("1:abcdefgh".into()));
    let persist = move |input: &Input| match input {
        Input::Operator { inbound, .. } => {
            vec![Output::Persist(Document::Network(network.clone())), token(), answered(*inbound)]
        }
        // The core gives back what may leave.
        Input::Unwritten { rest, .. } => {
            rest.iter().filter(|output| matches!(output, Output::OperatorReply { .. })).cloned().collect()
        }
        _ => Vec::new(),
    };
    let running = start(Vec::new(), None, persist).await;
    // A folder in the place of the spare copy can neither be written to nor removed as a file.
    let spare = running.folder.path().join("network_state.json.new");
    std::fs::remove_file(&spare).unwrap();
    std::fs::create_dir(spare).unwrap();
    assert_eq!(
        running.inbox.operator(OperatorRequest::Status).await.unwrap(),
        OperatorAnswer::Edited(constella_core::io::Progress::Done)
    );
    let seen = running.seen.lock().unwrap().clone();
    let [.., Input::Unwritten { document: DocumentName::Network, why: Trouble::Failing, rest }] = &seen[..] else {
        unreachable!("{seen:?}")
    };
    assert_eq!((&rest[0], rest.len()), (&token(), 2));
    assert_eq!(*running.bot.token.lock().unwrap(), None);
    assert!(!running.ended.is_finished());
}

#[tokio::test]
async fn ticks_come_at_the_deadline_also_under_a_flood_of_requests() {
    let answer = |input: &Input| match input {
        Input::Operator { inbound, .. } => {
            vec![Output::OperatorReply { inbound: *inbound, result: Ok(OperatorAnswer::Link(Secret::new("x".into()))) }]
        }
        _ => Vec::new(),
    };
    let running = start(Vec::new(), Some(10), answer).await;
    let begun = clock::now();
    let mut answered = 0;
    while clock::now().since(begun.boot_ms) < 300 {
        assert!(running.inbox.operator(OperatorRequest::Status).await.is_ok());
        answered += 1;
    }
    let ticks = running.seen.lock().unwrap().iter().filter(|input| **input == Input::Tick).count();
    assert!(ticks >= 5 && answered >= 20, "{ticks} ticks, {answered} answers");
}

/// A core that names a moment in the past does not make the runner spin.
#[tokio::test]
async fn a_deadline_in_the_past_costs_one_tick_a_millisecond_at_most() {
    let running = start(Vec::new(), Some(0), |_| Vec::new()).await;
    let begun = clock::now();
    until("a hundred ticks", || running.seen.lock().unwrap().len() >= 100).await;
    let took = clock::now().since(begun.boot_ms);
    assert!(took >= 90, "100 ticks in {took} ms");
}

#[tokio::test]
async fn a_graceful_stop_ends_the_run_when_the_core_says_so() {
    let stop = |input: &Input| match input {
        Input::Stop => vec![Output::Bot { call: CallId(1), timeout_ms: 1_000, request: BotCall::GetMe }],
        Input::Bot { .. } => vec![Output::Stopped],
        _ => Vec::new(),
    };
    let running = start(Vec::new(), None, stop).await;
    running.inbox.input(Input::Stop).await;
    assert!(running.ended.await.unwrap().is_ok());
    assert_eq!(running.inbox.operator(OperatorRequest::Status).await.unwrap_err().code, RpcCode::Stopping);
}

#[tokio::test]
async fn a_stop_that_never_ends_is_cut_off() {
    let running = start(Vec::new(), None, |_| Vec::new()).await;
    let begun = clock::now();
    running.inbox.input(Input::Stop).await;
    assert!(matches!(running.ended.await.unwrap(), Err(RunError::SlowStop)));
    assert!(clock::now().since(begun.boot_ms) >= 8_000);
}
