//! A few nodes, a network that delivers everything after 5 ms, a Telegram with one queue.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::agent::{RebootAnswer, RebootOutcome, RebootRequest, Stats};
use constella_shared::ids::{Generation, NodeId, Seq, Term};
use constella_shared::state::{CommandsState, InvitesState, NetworkState, Peer, VoteState};
use constella_shared::wire::alert::Transition;
use constella_shared::wire::command::CommandContent;
use constella_shared::wire::records::{NetRecord, NetValue, OwnerRecord, Stamp};
use constella_shared::wire::rpc::{Request, RpcCode, RpcError};

use crate::bot::desk::act::Act;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::Key;
use crate::config::{Boot, Settings};
use crate::io::{
    AgentCall, AgentFailure, AgentReply, BotCall, BotError, BotReply, BotState, CallError, CallId, Document,
    DocumentName, InboundId, Input, Note, OperatorAnswer, OperatorRequest, Output, PeerRequest, PeerResponse, Trouble,
    Update, UpdateEvent,
};
use crate::node::Node;
use crate::roster::fake::{founding, keys, node, pin};
use crate::roster::{Edit, found};

pub(super) struct Bench {
    pub(super) now: u64,
    /// Wall clocks that are ahead by so much.
    pub(super) walls: BTreeMap<u64, i64>,
    nodes: BTreeMap<u64, Node>,
    pub(super) disks: BTreeMap<u64, Disk>,
    queue: BTreeMap<(u64, u64), Event>,
    next: u64,
    inbound: BTreeMap<(u64, InboundId), (u64, CallId)>,
    pub(super) no_telegram: BTreeSet<u64>,
    /// Telegram takes no message of these nodes, and answers everything else.
    pub(super) mute: BTreeSet<u64>,
    /// Documents that these nodes cannot write.
    pub(super) unwritable: BTreeMap<(u64, DocumentName), Trouble>,
    /// Screens that these nodes showed.
    pub(super) shown: Vec<(u64, Screen)>,
    /// Calls of alerts that arrived at Telegram: when, by whom, which.
    pub(super) alerts: Vec<(u64, u64, BotCall)>,
    /// Nodes whose calls arrive at Telegram, and whose answers are lost.
    pub(super) deaf: BTreeSet<u64>,
    messages: i64,
    /// Questions to witnesses.
    pub(super) questions: usize,
    /// The last words of a process that stops are waited for.
    pub(super) goodbye: bool,
    pub(super) stopped: BTreeSet<u64>,
    /// Their hosts answer every connection with a reset; they call out as ever.
    pub(super) refuses: BTreeSet<u64>,
    /// Whoever starts from now on does so from a copy of its folder.
    pub(super) moved: bool,
    pub(super) told: Vec<Result<OperatorAnswer, RpcError>>,
    /// What agents answer; None for one that does not.
    pub(super) figures: BTreeMap<u64, Option<Stats>>,
    /// What nodes judged of themselves.
    pub(super) judged: Vec<(u64, Transition)>,
    /// Nodes whose agents were told to reboot.
    pub(super) rebooted: Vec<u64>,
    pub(super) conflicts: usize,
    updates: Vec<Update>,
    confirmed: i64,
    parked: Option<(u64, CallId, i64)>,
    answers: BTreeMap<u64, usize>,
    pins: BTreeMap<u64, BTreeSet<NodeId>>,
}

#[derive(Clone)]
pub(super) struct Disk {
    pub(super) network: NetworkState,
    pub(super) invites: InvitesState,
    pub(super) vote: VoteState,
    pub(super) commands: CommandsState,
}

enum Event {
    Input(u64, Input),
    Call { from: u64, call: CallId, to: NodeId, request: PeerRequest },
}

const OWNER: i64 = 7;

impl Bench {
    /// So many nodes that know each other; number 1 has the best LeaderKey and is the only voter.
    pub(super) fn of(count: u64) -> Self {
        let mut bench = Self {
            now: 1_000_000,
            nodes: BTreeMap::new(),
            disks: BTreeMap::new(),
            queue: BTreeMap::new(),
            next: 0,
            inbound: BTreeMap::new(),
            no_telegram: BTreeSet::new(),
            mute: BTreeSet::new(),
            unwritable: BTreeMap::new(),
            shown: Vec::new(),
            alerts: Vec::new(),
            deaf: BTreeSet::new(),
            messages: 49,
            questions: 0,
            goodbye: false,
            stopped: BTreeSet::new(),
            refuses: BTreeSet::new(),
            moved: false,
            told: Vec::new(),
            figures: BTreeMap::new(),
            judged: Vec::new(),
            rebooted: Vec::new(),
            conflicts: 0,
            walls: BTreeMap::new(),
            updates: Vec::new(),
            confirmed: 0,
            parked: None,
            answers: BTreeMap::new(),
            pins: BTreeMap::new(),
        };
        let network = bench.network(count);
        for number in 1..=count {
            let vote = VoteState {
                format: 1,
                generation: Generation(0),
                term: Term(0),
                seq_reserved: Seq(0),
                starts: Vec::new(),
                granted: None,
                more: constella_shared::wire::more::More::none(),
            };
            let commands = CommandsState::empty();
            let invites =
                InvitesState { format: 1, invites: Vec::new(), more: constella_shared::wire::more::More::none() };
            bench.disks.insert(number, Disk { network: network.clone(), invites, vote, commands });
            bench.restart(number);
        }
        bench
    }

    pub(super) fn node(&self, number: u64) -> &Node {
        &self.nodes[&number]
    }

    pub(super) fn node_mut(&mut self, number: u64) -> &mut Node {
        self.nodes.get_mut(&number).unwrap()
    }

    /// Hands a node an input now, and answers what it wants without doing it.
    pub(super) fn tell(&mut self, number: u64, input: Input) -> Vec<Output> {
        let at = self.clock(number);
        self.node_mut(number).handle(at, input)
    }

    pub(super) fn nodes(&self) -> Vec<&Node> {
        self.nodes.values().collect()
    }

    pub(super) fn pollers(&self) -> Vec<u64> {
        self.nodes.iter().filter(|(_, node)| node.bot_state() == BotState::Polling).map(|(number, _)| *number).collect()
    }

    /// Strong holders.
    pub(super) fn strong(&self) -> Vec<u64> {
        self.nodes.iter().filter(|(_, node)| node.strong_until().is_some()).map(|(number, _)| *number).collect()
    }

    pub(super) fn answers_of(&self, number: u64) -> usize {
        self.answers.get(&number).copied().unwrap_or(0)
    }

    pub(super) fn unconfirmed(&self) -> usize {
        self.updates.iter().filter(|update| update.id >= self.confirmed).count()
    }

    pub(super) fn kill(&mut self, number: u64) {
        self.nodes.remove(&number);
        self.parked = self.parked.filter(|(owner, _, _)| *owner != number);
        self.answers.remove(&number);
    }

    pub(super) fn restart(&mut self, number: u64) {
        self.stopped.remove(&number);
        let started_s = self.clock(number).unix_ms / 1_000;
        let disk = self.disks.get_mut(&number).unwrap();
        disk.vote.generation = disk.vote.generation.next();
        disk.vote.starts.insert(0, started_s);
        let Disk { network, invites, vote, commands } = disk.clone();
        let seed = [u8::try_from(number).unwrap(); 32];
        let settings = Settings::default();
        let addr = alloc::format!("203.0.113.{number}:4747");
        let in_place = vote.generation > Generation(1) && !self.moved;
        let (node, pin) = (node(number), pin(number));
        let boot = Boot { node, pin, addr, settings, network, invites, vote, commands, in_place, seed };
        let now = self.clock(number);
        let mut fresh = Node::new(boot, Box::new(keys(number)), now).unwrap();
        let outputs = fresh.start(now);
        self.nodes.insert(number, fresh);
        self.perform(number, outputs);
    }

    pub(super) fn owner_says(&mut self, text: &str) {
        self.owner_does(CommandContent::Text { text: text.to_string() });
    }

    pub(super) fn owner_presses(&mut self, data: &str) {
        self.owner_does(CommandContent::Button { callback_id: "press".into(), data: data.to_string(), message: 50 });
    }

    fn owner_does(&mut self, content: CommandContent) {
        let id = 900_000 + i64::try_from(self.updates.len()).unwrap();
        let event = UpdateEvent {
            user: OWNER,
            username: Some("owner".into()),
            language: None,
            chat: OWNER,
            private: true,
            thread: None,
            forwarded: false,
            content,
        };
        self.updates.push(Update { id, event: Some(event) });
        if let Some((number, call, offset)) = self.parked.take() {
            let updates = self.waiting(offset);
            self.after(30, Event::Input(number, Input::Bot { call, result: Ok(BotReply::Updates(updates)) }));
        }
    }

    /// The operator edits a node at another; what the other said.
    pub(super) fn edit(&mut self, at: u64, of: u64, edit: Edit) -> Result<OperatorAnswer, RpcError> {
        self.input(
            at,
            Input::Operator { inbound: InboundId(0), request: OperatorRequest::Edit { node: node(of), edit } },
        );
        self.told.pop().unwrap()
    }

    /// A member's request; the answer where it comes at once, and whether the agent was told to reboot.
    pub(super) fn ask(&mut self, at: u64, from: u64, request: Request) -> (Option<RpcCode>, bool) {
        let now = self.clock(at);
        let input = Input::Peer { inbound: InboundId(0), from: node(from), request: PeerRequest::Rpc(request) };
        let outputs = self.nodes.get_mut(&at).unwrap().handle(now, input);
        let code = outputs.iter().find_map(|output| match output {
            Output::Reply { inbound: InboundId(0), result } => result.as_ref().err().map(|error| error.code),
            _ => None,
        });
        let told = |output: &Output| matches!(output, Output::Agent { request: AgentCall::Reboot(_), .. });
        let told = outputs.iter().any(told);
        self.perform(at, outputs);
        (code, told)
    }

    pub(super) fn input(&mut self, number: u64, input: Input) {
        let now = self.clock(number);
        let Some(node) = self.nodes.get_mut(&number) else { return };
        let outputs = node.handle(now, input);
        self.perform(number, outputs);
    }

    /// A look or a grip into a node, and the calls that it makes for it.
    pub(super) fn inside(
        &mut self,
        number: u64,
        grip: impl FnOnce(&mut Node, crate::clock::Now),
    ) -> Vec<(u64, Request)> {
        let now = self.clock(number);
        let node = self.nodes.get_mut(&number).unwrap();
        grip(node, now);
        let out = core::mem::take(&mut node.out);
        let calls = out.into_iter().filter_map(|output| match output {
            Output::Call { to, request: PeerRequest::Rpc(request), .. } => Some((to, request)),
            _ => None,
        });
        calls.map(|(to, request)| (self.number(to), request)).collect()
    }

    /// A node's dialogue wants this done.
    pub(super) fn act(&mut self, number: u64, act: Act) {
        let now = self.clock(number);
        let node = self.nodes.get_mut(&number).unwrap();
        node.acts.push_back(act);
        node.perform_acts(now);
        let out = core::mem::take(&mut node.out);
        self.perform(number, out);
    }

    /// What a node may do at the bot in a step that comes so much later, before it has done anything in it.
    pub(super) fn title_after(&mut self, number: u64, ms: u64) -> Option<crate::fence::Title> {
        self.now += ms;
        let now = self.clock(number);
        let node = self.nodes.get_mut(&number)?;
        node.watch_the_clock(now);
        node.title(now)
    }

    pub(super) fn run_ms(&mut self, ms: u64) {
        self.run_until(ms, |_| false);
    }

    /// Runs until it holds, at most so long.
    pub(super) fn run_until(&mut self, ms: u64, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + ms;
        while self.now <= end {
            if holds(self) {
                return true;
            }
            let event = self.queue.keys().next().map_or(u64::MAX, |(at, _)| *at);
            let tick =
                self.nodes.iter().map(|(number, node)| (node.deadline(), *number)).min().unwrap_or((u64::MAX, 0));
            if tick.0 < event {
                self.now = self.now.max(tick.0);
                assert!(self.now < end + 1_000_000);
                self.input(tick.1, Input::Tick);
                let again = self.nodes.get(&tick.1).map_or(u64::MAX, Node::deadline);
                if again <= self.now {
                    self.now += 1;
                }
            } else {
                let ((at, _), event) = self.queue.pop_first().unwrap();
                self.now = self.now.max(at);
                self.deliver(event);
            }
        }
        false
    }

    fn clock(&self, number: u64) -> crate::clock::Now {
        let ahead = self.walls.get(&number).copied().unwrap_or(0);
        crate::clock::Now { boot_ms: self.now, unix_ms: (1_700_000_000_000 + self.now).strict_add_signed(ahead) }
    }

    fn network(&self, count: u64) -> NetworkState {
        let mut state = found(self.clock(1), founding(), &keys(1)).unwrap();
        for number in 2..=count {
            let stamp = Stamp { unix_ms: 1_700_000_000_000, count: u32::try_from(number).unwrap(), node: node(1) };
            let name = alloc::format!("node{number}");
            let owner = OwnerRecord {
                node: node(number),
                stamp,
                term: Term(0),
                name,
                priority: 100,
                pin: pin(number),
                admitted_by: node(1),
                removed: false,
                more: constella_shared::wire::more::More::none(),
            };
            state.peers.push(Peer { owner, own: None });
        }
        let stamp = Stamp { unix_ms: 1_700_000_000_001, count: 0, node: node(1) };
        let value = NetValue::Owner { username: "owner".into(), telegram_id: Some(OWNER), claim: None };
        state.records.retain(|record| !matches!(record.value, NetValue::Owner { .. }));
        state.records.push(NetRecord::new(stamp, Term(0), value));
        state
    }

    fn number(&self, id: NodeId) -> u64 {
        (1..=99).find(|number| node(*number) == id).unwrap_or(0)
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.next += 1;
        self.queue.insert((self.now + ms, self.next), event);
    }

    fn deliver(&mut self, event: Event) {
        match event {
            Event::Input(number, input) => self.input(number, input),
            Event::Call { from, call, to, request } => {
                let target = self.number(to);
                if self.stopped.contains(&from) && !self.goodbye {
                    // The process ended before its last words were on the wire.
                    return;
                }
                if self.stopped.contains(&target) {
                    // Its listener outlives its core by a moment.
                    let error = RpcError { code: RpcCode::Stopping, message: String::new() };
                    let result = Err(CallError::Refused(error));
                    return self.after(5, Event::Input(from, Input::Answered { call, result }));
                }
                if !self.nodes.contains_key(&target) || self.refuses.contains(&target) {
                    let result = Err(CallError::PortClosed(String::from("refused")));
                    return self.after(1, Event::Input(from, Input::Answered { call, result }));
                }
                if self.pins.get(&target).is_some_and(|pins| !pins.contains(&node(from))) {
                    let error = RpcError { code: RpcCode::NotAMember, message: String::new() };
                    let result = Err(CallError::Refused(error));
                    return self.after(5, Event::Input(from, Input::Answered { call, result }));
                }
                let apart_ms = self.clock(from).unix_ms.abs_diff(self.clock(target).unix_ms);
                if apart_ms > 30_000 && !matches!(request, PeerRequest::Heartbeat(_)) {
                    let error = RpcError { code: RpcCode::ClockSkew, message: String::new() };
                    let result = Err(CallError::Refused(error));
                    return self.after(5, Event::Input(from, Input::Answered { call, result }));
                }
                self.next += 1;
                let inbound = InboundId(self.next);
                self.inbound.insert((target, inbound), (from, call));
                self.input(target, Input::Peer { inbound, from: node(from), request });
            }
        }
    }

    fn perform(&mut self, number: u64, outputs: Vec<Output>) {
        let mut outputs = VecDeque::from(outputs);
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Persist(document) => match self.unwritable.get(&(number, document.name())) {
                    Some(why) => {
                        let (document, why, rest) = (document.name(), *why, outputs.into());
                        let now = self.clock(number);
                        let node = self.nodes.get_mut(&number).unwrap();
                        outputs = node.handle(now, Input::Unwritten { document, why, rest }).into();
                    }
                    None => self.persist(number, document),
                },
                Output::Call { call, to, request, .. } => {
                    let asks = matches!(request, PeerRequest::Rpc(Request::AlertsWitness { .. }));
                    self.questions += usize::from(asks);
                    self.after(5, Event::Call { from: number, call, to, request })
                }
                Output::Reply { inbound, result } => self.reply(number, inbound, result.map_err(CallError::Refused)),
                Output::Bot { call, request, .. } => self.telegram(number, call, &request),
                Output::CancelBot(call) => {
                    self.parked = self.parked.filter(|parked| parked.1 != call);
                    self.after(0, Event::Input(number, Input::Bot { call, result: Err(BotError::Cancelled) }));
                }
                Output::Agent { call, request } => {
                    let result = match request {
                        AgentCall::Stats => {
                            let boot_id = Some(alloc::string::String::from("boot"));
                            let plain = || Some(Stats { boot_id, ..Stats::default() });
                            let stats = self.figures.get(&number).cloned().unwrap_or_else(plain);
                            let stats = stats.map(|stats| AgentReply::Stats(Box::new(stats)));
                            stats.ok_or_else(|| AgentFailure::Unreachable("no socket".into()))
                        }
                        AgentCall::Reboot(RebootRequest { command_id, .. }) => {
                            self.rebooted.push(number);
                            Ok(AgentReply::Reboot(RebootAnswer { command_id, outcome: RebootOutcome::Started }))
                        }
                        _ => Err(AgentFailure::Unreachable("not here".into())),
                    };
                    self.after(1, Event::Input(number, Input::Agent { call, result }));
                }
                Output::Stopped => {
                    self.stopped.insert(number);
                    self.kill(number);
                }
                Output::OperatorReply { result, .. } => self.told.push(result),
                Output::Pins(pins) => {
                    self.pins.insert(number, pins.into_iter().map(|peer| peer.node).collect());
                }
                Output::Note(Note::Judged(change)) => self.judged.push((number, change)),
                Output::DialBack { .. }
                | Output::JoinReply { .. }
                | Output::Generation { .. }
                | Output::Token(_)
                | Output::Note(_) => {}
            }
        }
    }

    fn persist(&mut self, number: u64, document: Document) {
        let disk = self.disks.get_mut(&number).unwrap();
        match document {
            Document::Network(network) => disk.network = network,
            Document::Invites(invites) => disk.invites = invites,
            Document::Vote(vote) => disk.vote = vote,
            Document::Commands(commands) => disk.commands = commands,
        }
    }

    fn reply(&mut self, number: u64, inbound: InboundId, result: Result<PeerResponse, CallError>) {
        if let Some((to, call)) = self.inbound.remove(&(number, inbound)) {
            self.after(5, Event::Input(to, Input::Answered { call, result }));
        }
    }

    fn waiting(&self, offset: i64) -> Vec<Update> {
        self.updates.iter().filter(|update| update.id >= offset.max(self.confirmed)).cloned().collect()
    }

    fn telegram(&mut self, number: u64, call: CallId, request: &BotCall) {
        let result = if self.no_telegram.contains(&number) {
            Err(BotError::Unreachable(String::from("refused")))
        } else {
            match request {
                BotCall::GetMe => Ok(BotReply::Me { id: 42, username: "bot".into() }),
                BotCall::GetWebhookInfo => {
                    Ok(BotReply::Webhook { pending: u32::try_from(self.unconfirmed()).unwrap(), set: false })
                }
                BotCall::GetUpdates { offset, timeout_s, .. } => {
                    let offset = offset.unwrap_or(0);
                    self.confirmed = if offset > 800_000 { offset.max(self.confirmed) } else { self.confirmed };
                    let updates = self.waiting(offset);
                    if updates.is_empty() && *timeout_s > 0 {
                        if let Some((old, parked, _)) = self.parked.replace((number, call, offset)) {
                            self.conflicts += 1;
                            let result = Err(BotError::Conflict);
                            self.after(30, Event::Input(old, Input::Bot { call: parked, result }));
                        }
                        return;
                    }
                    Ok(BotReply::Updates(updates))
                }
                BotCall::Send { .. } | BotCall::Edit { .. } if self.mute.contains(&number) => Err(BotError::Server),
                BotCall::Send { screen, .. } | BotCall::Edit { screen, .. } => {
                    self.shown.push((number, screen.clone()));
                    *self.answers.entry(number).or_default() += 1;
                    let sent = matches!(request, BotCall::Send { .. });
                    let of_nodes = |key| {
                        matches!(
                            key,
                            Key::NoteUp | Key::NoteManyUp | Key::NoteTogether | Key::NoteOver | Key::NoteManyOver
                        )
                    };
                    match screen {
                        Screen::Alert { .. } => self.alerts.push((self.now, number, request.clone())),
                        Screen::Note { say, .. } if of_nodes(say.key) => {
                            self.alerts.push((self.now, number, request.clone()));
                        }
                        _ => {}
                    }
                    if self.deaf.contains(&number) {
                        return;
                    }
                    self.messages += i64::from(sent);
                    Ok(if sent { BotReply::Sent { message: self.messages } } else { BotReply::Done })
                }
                BotCall::AnswerCallback { .. }
                | BotCall::Delete { .. }
                | BotCall::TakeButtons { .. }
                | BotCall::SetCommands { .. } => Ok(BotReply::Done),
            }
        };
        self.after(30, Event::Input(number, Input::Bot { call, result }));
    }
}
