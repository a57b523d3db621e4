//! The whole run: one loop, one clock, one seed.

mod acts;
mod calls;
mod disk;
pub(super) mod end;
mod joins;
mod obeys;
pub(super) mod operator;
mod perform;

use std::collections::{BTreeMap, VecDeque};

use constella_core::io::{Input, Output};
use constella_shared::ids::NodeId;

use super::act::Act;
use super::dice::Dice;
use super::event::{Agenda, Event};
use super::figures::Figures;
use super::host::Host;
use super::lines::Lines;
use super::network::Network;
use super::rules::{Broken, Rules};
use super::setup::Setup;
use super::telegram::Telegram;

/// Servers, the network between them, Telegram, and the owner.
pub struct World {
    t: u64,
    dice: Dice,
    agenda: Agenda,
    hosts: Vec<Host>,
    by_id: BTreeMap<NodeId, usize>,
    network: Network,
    telegram: Telegram,
    telegram_armed: Option<u64>,
    lines: Lines,
    flights: BTreeMap<u64, Flight>,
    next_flight: u64,
    acts: Vec<Act>,
    joining: joins::Joining,
    operators: operator::Operators,
    rules: Rules,
    figures: Figures,
    freezes: u64,
    reaches: Vec<u64>,
    /// The CPU time of each step, where somebody wants to know.
    step_ns: Option<Vec<u64>>,
    /// Lines of the log, where somebody wants them.
    log: Option<Vec<String>>,
}

/// A request on its way between two nodes.
struct Flight {
    from: usize,
    from_life: u64,
    to: usize,
    call: constella_core::io::CallId,
    /// When it was put on a connection, and to which life of the other process that goes.
    sent: Option<(u64, u64)>,
    arrived: bool,
    /// Its time limit is not over.
    waited_for: bool,
    /// Its answer tells how long the way is.
    measures: bool,
    /// While it waits for a connection.
    request: Option<Box<constella_core::io::PeerRequest>>,
}

impl World {
    /// At true time 0, with every host about to start.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let mut dice = Dice::new(setup.seed);
        let network = Network::new(dice.fork(1), setup.far, setup.wire);
        let hosts = setup.hosts(&mut dice);
        let by_id = hosts.iter().enumerate().map(|(at, host)| (host.id, at)).collect();
        let mut world = Self {
            t: 0,
            agenda: Agenda::default(),
            rules: Rules::new(hosts.len()),
            reaches: vec![0; hosts.len()],
            figures: Figures::default(),
            by_id,
            network,
            telegram: Telegram::new(),
            telegram_armed: None,
            lines: Lines::default(),
            flights: BTreeMap::new(),
            next_flight: 0,
            acts: Vec::new(),
            joining: joins::Joining::default(),
            operators: operator::Operators::default(),
            freezes: 0,
            step_ns: None,
            log: None,
            hosts,
            dice,
        };
        for host in 0..world.hosts.len() {
            if let Some(disk) = world.hosts.get(host).and_then(|host| host.disk.as_ref()) {
                world.telegram.named(&disk.network);
            }
            let at = world.dice.below(2_000);
            world.agenda.add(at, Event::Start { host, life: 0 });
        }
        world
    }

    /// Keeps a log from now on.
    pub fn keep_log(&mut self) {
        self.log = Some(Vec::new());
    }

    /// Takes the CPU time of each step from now on, nanoseconds.
    pub fn keep_time(&mut self) {
        self.step_ns = Some(Vec::new());
    }

    /// What was kept.
    #[must_use]
    pub fn take_time(&mut self) -> Vec<u64> {
        self.step_ns.take().unwrap_or_default()
    }

    /// The log so far.
    #[must_use]
    pub fn take_log(&mut self) -> Vec<String> {
        self.log.take().unwrap_or_default()
    }

    /// True time, milliseconds since the beginning.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.t
    }

    /// This will happen then.
    pub fn plan(&mut self, at_ms: u64, act: Act) {
        self.acts.push(act);
        self.agenda.add(at_ms.max(self.t), Event::Act(self.acts.len() - 1));
    }

    /// Runs until this instant, or until a rule is broken.
    pub fn run_until(&mut self, until: u64) {
        while self.rules.broken().is_none() {
            let Some((at, event)) = self.agenda.next(until) else {
                self.t = self.t.max(until);
                return;
            };
            self.t = self.t.max(at);
            self.happen(event);
        }
    }

    /// The first rule that was broken.
    #[must_use]
    pub const fn broken(&self) -> Option<&Broken> {
        self.rules.broken()
    }

    /// What was counted.
    #[must_use]
    pub const fn figures(&self) -> &Figures {
        &self.figures
    }

    fn happen(&mut self, event: Event) {
        if let Some(host) = self.concerns(&event)
            && let Some(frozen) = self.hosts.get_mut(host).and_then(|host| host.frozen.as_mut())
        {
            // What arrives from outside at a machine that stands still is mostly lost; the kernel of a frozen process keeps it.
            let from_outside = matches!(event, Event::Request { .. });
            if !(frozen.stopped && from_outside && self.dice.one_in(2)) {
                frozen.waiting.push(event);
            }
            return;
        }
        match event {
            Event::Wake { host } => self.wake(host),
            Event::Connected { host, life, to, took } => self.connected((host, life), to, took),
            Event::Forget { flight } => drop(self.flights.remove(&flight)),
            Event::Request { flight, from, to, to_life, sent_unix_ms, first, request } => {
                self.request_arrives(flight, (from, to, to_life), sent_unix_ms, first, *request);
            }
            Event::Answer { flight, result } => self.answer_arrives(flight, *result),
            Event::Expire { flight } => self.call_expires(flight),
            Event::AtTelegram { number, host, request } => self.at_telegram(number, host, &request),
            Event::FromTelegram { number, result } => self.telegram_answered(number, *result),
            Event::BotExpire { number } => self.bot_expires(number),
            Event::Agent { host, life, call, result } => self.input(host, life, Input::Agent { call, result: *result }),
            Event::Owed { host, life, input } => self.input(host, life, *input),
            Event::JoinTry { host, number } => self.join_try(host, number),
            Event::JoinArrives { host, number, seed, join } => self.join_arrives(host, number, seed, *join),
            Event::JoinAnswer { host, number, result } => self.join_answered(host, number, *result),
            Event::AskAgain(asked) => self.ask_again(*asked),
            Event::Telegram => self.telegram_due(),
            Event::Stranger => self.stranger_due(),
            Event::Start { host, life } => self.start(host, life),
            Event::GoDown { host, boots } => self.goes_down(host, boots),
            Event::PowerOn { host } => self.power_on(host),
            Event::Resume { host, number } => self.resume(host, number),
            Event::EndRule(number) => self.network.end(self.t, number),
            Event::EndReach { host, number } => self.reach_ends(host, number),
            Event::AgentBack { host } => self.with_host(host, |host| host.agent.gone = false),
            Event::DiskEmpties { host, number } => self.disk_empties(host, number),
            Event::EndWebhook => {
                let replies = self.telegram.webhook(self.t, false);
                self.send_replies(replies);
            }
            Event::EndStranger => self.telegram.stranger(false),
            Event::Act(at) => {
                if let Some(act) = self.acts.get(at).cloned() {
                    self.act(&act);
                }
            }
        }
    }

    /// Whose process an event is for.
    fn concerns(&self, event: &Event) -> Option<usize> {
        match event {
            Event::Wake { host }
            | Event::Agent { host, .. }
            | Event::Owed { host, .. }
            | Event::Connected { host, .. } => Some(*host),
            Event::Request { to, .. } => Some(*to),
            Event::JoinArrives { seed, .. } => Some(*seed),
            Event::Answer { flight, .. } | Event::Expire { flight } => {
                self.flights.get(flight).map(|flight| flight.from)
            }
            Event::FromTelegram { number, .. } | Event::BotExpire { number } => {
                self.telegram.waiting(*number).map(|open| open.host)
            }
            Event::AtTelegram { .. }
            | Event::Forget { .. }
            | Event::JoinTry { .. }
            | Event::JoinAnswer { .. }
            | Event::AskAgain(_)
            | Event::Telegram
            | Event::Stranger
            | Event::Start { .. }
            | Event::GoDown { .. }
            | Event::PowerOn { .. }
            | Event::Resume { .. }
            | Event::EndRule(_)
            | Event::EndReach { .. }
            | Event::AgentBack { .. }
            | Event::DiskEmpties { .. }
            | Event::EndWebhook
            | Event::EndStranger
            | Event::Act(_) => None,
        }
    }

    fn wake(&mut self, at: usize) {
        let Some(host) = self.hosts.get_mut(at) else { return };
        let Some(process) = host.process.as_mut().filter(|process| process.armed == Some(self.t)) else { return };
        process.armed = None;
        self.rules.ticked(self.t, at, &host.name);
        let life = host.life;
        self.input(at, life, Input::Tick);
    }

    /// One step of a core, and everything that it wants done.
    fn input(&mut self, at: usize, life: u64, input: Input) {
        let Some(host) = self.hosts.get_mut(at).filter(|host| host.life == life) else { return };
        let now = host.read_clocks(self.t);
        let Some(process) = host.process.as_mut() else { return };
        let began = self.step_ns.as_ref().map(|_| super::scale::thread_ns());
        let outputs = process.node.handle(now, input);
        if let (Some(took), Some(began)) = (self.step_ns.as_mut(), began) {
            took.push(super::scale::thread_ns().saturating_sub(began));
        }
        self.figures.steps += 1;
        self.after(at, outputs);
    }

    fn after(&mut self, at: usize, outputs: Vec<Output>) {
        self.rules.begins(self.t, self.hosts.get(at), &outputs);
        let mut outputs = VecDeque::from(self.cut_short(at, outputs));
        while let Some(output) = outputs.pop_front() {
            match self.refused(at, &output) {
                Some(document) => outputs = self.unwritten(at, document, outputs.into()).into(),
                None => self.perform(at, output),
            }
        }
        let (t, Some(host)) = (self.t, self.hosts.get_mut(at)) else { return };
        let now = host.clock.now(t);
        let torn = host.torn_now.then_some(host.torn_back_ms);
        let Some(process) = host.process.as_mut() else { return };
        let inspection = process.node.inspect(now);
        process.granted_in_this_life |= inspection.grant.is_some();
        let due = host.clock.true_at(process.node.deadline()).max(t + 1);
        if process.armed != Some(due) {
            process.armed = Some(due);
            self.agenda.add(due, Event::Wake { host: at });
        }
        self.rules.stepped(t, &self.hosts, at, &inspection);
        if let Some(back_ms) = torn {
            self.crash(at);
            if let Some(back_ms) = back_ms {
                self.agenda.add(t + back_ms, Event::PowerOn { host: at });
            }
        }
    }

    fn with_host(&mut self, at: usize, change: impl FnOnce(&mut Host)) {
        if let Some(host) = self.hosts.get_mut(at) {
            change(host);
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = self.log.as_mut() {
            log.push(format!("{:>9.3} {}", seconds(self.t), line()));
        }
    }

    fn name(&self, at: usize) -> &str {
        self.hosts.get(at).map_or("?", |host| &host.name)
    }
}

/// Milliseconds as seconds, for people.
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
