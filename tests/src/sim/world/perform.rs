//! The shell's part: what a core wants done.

use constella_core::bot::kit::page::Screen;
use constella_core::clock::Now;
use constella_core::io::{AgentCall, BotCall, BotError, BotReply, CallId, Document, Input, Note, Output};
use constella_shared::wire::alert::{Kind, Transition};
use constella_shared::wire::records::{NetRecord, NetValue};

use super::super::act::Reach;
use super::super::event::Event;
use super::super::host::Host;
use super::super::telegram::{Open, Reply};
use super::World;

impl World {
    /// A torn step: a part of the outputs, of those that write at least the first.
    pub(super) fn cut_short(&mut self, at: usize, mut outputs: Vec<Output>) -> Vec<Output> {
        let Some(host) = self.hosts.get_mut(at) else { return outputs };
        host.torn_now = host.torn && matches!(outputs.first(), Some(Output::Persist(_)));
        if host.torn_now {
            let keep = if host.torn_lost { 0 } else { self.dice.below(outputs.len() as u64) };
            outputs.truncate(usize::try_from(keep).unwrap_or(0));
        }
        outputs
    }

    /// Performs one output.
    pub(super) fn perform(&mut self, at: usize, output: Output) {
        let t = self.t;
        if let Output::Persist(document) = &output {
            self.figures.writes += 1;
            self.rules.persists(t, &self.hosts, at, document);
            self.note_alerts(at, document);
        }
        let Some(host) = self.hosts.get_mut(at) else { return };
        match output {
            Output::Persist(document) => {
                if let Some(disk) = host.disk.as_mut() {
                    match &document {
                        Document::Commands(commands) => self.telegram.stored(t, at, commands),
                        Document::Network(network) => self.telegram.named(network),
                        Document::Vote(_) | Document::Invites(_) => {}
                    }
                    disk.write(document);
                }
            }
            Output::Call { call, to, timeout_ms, request } => self.call(at, call, to, timeout_ms, request),
            Output::Reply { inbound, result } => self.reply(inbound, result),
            Output::Bot { call, timeout_ms, request } => self.ask_telegram(at, call, timeout_ms, request),
            Output::CancelBot(call) => self.cancel(at, call),
            Output::Agent { call, request } => self.ask_agent(at, call, &request),
            Output::DialBack { call, addr, timeout_ms } => self.dial_back(at, call, &addr, timeout_ms),
            Output::JoinReply { inbound, result } => self.join_reply(inbound, result),
            Output::OperatorReply { inbound, result } => self.operator_reply(at, inbound, result),
            Output::Pins(pins) => {
                if let Some(process) = host.process.as_mut() {
                    process.set_pins(pins);
                }
            }
            // The simulator's wire needs no address by generation: it knows the lives of its processes (S1 is the shell's).
            Output::Generation { .. } => {}
            Output::Token(_) => {
                if let Some(process) = host.process.as_mut() {
                    process.has_token = true;
                }
            }
            Output::Note(note) => self.noted(at, &note),
            Output::Stopped => {
                self.note(|| String::from("stopped"));
                self.crash(at);
                if self.hosts.get(at).is_some_and(|host| !host.keep_down && host.back_at <= self.t) {
                    self.power_on(at);
                }
            }
        }
    }

    /// The log has every alert's record that a node has anew.
    fn note_alerts(&mut self, at: usize, document: &Document) {
        let (true, Document::Network(new)) = (self.log.is_some(), document) else { return };
        let Some(host) = self.hosts.get(at) else { return };
        let (name, had) = (host.name.clone(), host.disk.as_ref().map(|disk| disk.network.records.clone()));
        for record in new.records.iter().filter(|record| !had.as_ref().is_some_and(|had| had.contains(record))) {
            if let NetValue::Alert(alert) = &record.value {
                self.note(|| format!("{name} has of {:?}: {alert:?}", record.stamp));
            }
        }
    }

    fn noted(&mut self, at: usize, note: &Note) {
        if let Note::Judged(Transition { subject, .. }) = note
            && subject.kind == Kind::TwoBoots
        {
            let what = format!("{} sees two processes of one node, which never run here", self.name(at));
            self.rules.fail(self.t, "N2", what);
        }
        if let Note::Command { id, what: "begun" } = note {
            let unix_s = self.hosts.get(at).map_or(0, |host| host.clock.now(self.t).unix_ms / 1_000);
            self.telegram.begun(self.t, *id, at, unix_s);
        }
        if let Note::Command { id, what: "done" } = note {
            // What was served from memory has no write that says so.
            let stored = |host: &Host| {
                host.disk.as_ref().is_some_and(|disk| disk.commands.open.iter().any(|open| open.id == *id))
            };
            if !self.hosts.get(at).is_some_and(stored) {
                self.telegram.ended(self.t, at, &[*id]);
            }
        }
        if self.log.is_some() {
            let name = self.name(at).to_owned();
            self.note(|| format!("{name}: {note:?}"));
        }
    }

    fn ask_telegram(&mut self, at: usize, call: CallId, timeout_ms: u64, request: BotCall) {
        let t = self.t;
        let Some(host) = self.hosts.get(at) else { return };
        let (life, reach) = (host.life, host.reach);
        let has_token = host.process.as_ref().is_some_and(|process| process.has_token);
        self.check_poll(at, &request);
        self.check_confirmation(at, &request);
        self.figures.bot_calls += 1;
        let number = self.telegram.begin(Open { host: at, life, call, half_open: false });
        if let BotCall::Send { screen: Screen::Alert { incident, .. }, silent: false, .. } = &request
            && self.hosts.get(at).is_some_and(|host| self.rules.must_be_silent(host, incident.id))
        {
            self.telegram.told.is_too_loud(number);
        }
        let mut way = self.way_to_telegram(at, reach);
        if reach == Reach::Late && matches!(request, BotCall::GetUpdates { .. }) {
            way += self.dice.below(LATE_MS);
        }
        if self.log.is_some() && !matches!(request, BotCall::GetWebhookInfo | BotCall::GetMe) {
            let name = self.name(at).to_owned();
            let text: String = format!("{request:?}").chars().take(120).collect();
            self.note(|| format!("{name} -> Telegram !{number}: {text}"));
        }
        let answer = |world: &mut Self, after: u64, error: BotError| {
            world.agenda.add(t + after, Event::FromTelegram { number, result: Box::new(Err(error)) });
        };
        self.agenda.add(t + timeout_ms, Event::BotExpire { number });
        match reach {
            Reach::NoToken => answer(self, 1, BotError::NoToken),
            _ if !has_token => answer(self, 1, BotError::NoToken),
            Reach::Refused => answer(self, way, BotError::Unreachable("connection refused".to_owned())),
            Reach::Broken => answer(self, 2 * way, BotError::Server),
            Reach::Busy => answer(self, 2 * way, BotError::RetryAfter { ms: 5_000 }),
            Reach::Silent => {}
            Reach::Mute if speaks(&request) => answer(self, 2 * way, BotError::Server),
            Reach::Mute | Reach::Well | Reach::Slow | Reach::Late => {
                let event = Event::AtTelegram { number, host: at, request: Box::new(request) };
                self.agenda.add(t + way, event);
            }
        }
    }

    /// L7: nobody polls without a title that holds now.
    fn check_poll(&mut self, at: usize, request: &BotCall) {
        if !matches!(request, BotCall::GetUpdates { timeout_s: 1.., .. }) {
            return;
        }
        let t = self.t;
        let Some(host) = self.hosts.get(at) else { return };
        let now: Now = host.clock.now(t);
        let lease = host.process.as_ref().and_then(|process| process.node.inspect(now).lease);
        self.figures.polls += 1;
        self.figures.pollers.insert(host.name.clone());
        if lease.is_none() {
            let what = format!("{} polls without a lease that holds", host.name);
            self.rules.fail(t, "L7", what);
        }
    }

    fn is_on_a_disk(&self, id: constella_shared::ids::CommandId) -> bool {
        let disks = self.hosts.iter().filter_map(|host| host.disk.as_ref());
        disks
            .map(|disk| &disk.commands)
            .any(|commands| commands.done.contains(&id) || commands.open.iter().any(|open| open.id == id))
    }

    /// F6: what is confirmed to Telegram was shown to the owner, or is on a disk: of the one that confirms, or of one that took it over.
    fn check_confirmation(&mut self, at: usize, request: &BotCall) {
        let BotCall::GetUpdates { offset: Some(offset), .. } = request else { return };
        for id in self.telegram.confirms(*offset) {
            if self.is_on_a_disk(id) {
                continue;
            }
            if !self.telegram.was_shown(id, |later| self.is_on_a_disk(later)) {
                let what = format!("{} confirms a command that was not shown and is on no disk", self.name(at));
                self.rules.fail(self.t, "F6", what);
            }
            let chosen = |record: &NetRecord| matches!(record.value, NetValue::Language { .. });
            let written = |host: &Host| {
                // A node whose disk was full may have refused it in words.
                host.was_full || host.disk.as_ref().is_some_and(|disk| disk.network.records.iter().any(chosen))
            };
            if self.telegram.edits(id) && !self.hosts.get(at).is_some_and(written) {
                let what = format!("{} confirms an edit whose record is not on its disk", self.name(at));
                self.rules.fail(self.t, "F6", what);
            }
        }
    }

    /// One way to Telegram, milliseconds.
    fn way_to_telegram(&mut self, at: usize, reach: Reach) -> u64 {
        let base = 15 + (at as u64 * 37) % 60 + self.dice.around(6);
        if reach == Reach::Slow { base + self.dice.below(3_000) } else { base }
    }

    fn cancel(&mut self, at: usize, call: CallId) {
        let Some(life) = self.hosts.get(at).map(|host| host.life) else { return };
        if let Some(number) = self.telegram.number(at, life, call) {
            self.telegram.end(number);
            let input = Input::Bot { call, result: Err(BotError::Cancelled) };
            self.agenda.add(self.t, Event::Owed { host: at, life, input: Box::new(input) });
        }
    }

    pub(super) fn at_telegram(&mut self, number: u64, host: usize, request: &BotCall) {
        let replies = self.telegram.arrived(self.t, number, host, request);
        self.judge_words();
        if let Some(what) = self.telegram.told.take_wrong() {
            self.rules.fail(self.t, "N3", what);
        }
        self.send_replies(replies);
    }

    /// F6: what the owner was told of an order is true.
    fn judge_words(&mut self) {
        if let Some(lie) = self.telegram.take_lie() {
            self.rules.fail(self.t, "F6", lie);
        }
    }

    pub(super) fn telegram_due(&mut self) {
        self.telegram_armed = None;
        let replies = self.telegram.tick(self.t);
        self.send_replies(replies);
    }

    /// Telegram's answers on their way back, where there is one.
    pub(super) fn send_replies(&mut self, replies: Vec<Reply>) {
        for (number, result) in replies {
            let Some(open) = self.telegram.waiting(number).filter(|open| !open.half_open) else { continue };
            let at = open.host;
            let reach = self.hosts.get(at).map_or(Reach::Silent, |host| host.reach);
            if matches!(reach, Reach::Silent | Reach::Refused) {
                continue;
            }
            let way = self.way_to_telegram(at, reach);
            self.agenda.add(self.t + way, Event::FromTelegram { number, result: Box::new(result) });
        }
        if let Some(at) = self.telegram.deadline()
            && self.telegram_armed.is_none_or(|armed| armed > at)
        {
            self.telegram_armed = Some(at);
            self.agenda.add(at.max(self.t), Event::Telegram);
        }
    }

    pub(super) fn telegram_answered(&mut self, number: u64, result: Result<BotReply, BotError>) {
        if let Some(open) = self.telegram.end(number) {
            if result.is_ok() && self.hosts.get(open.host).is_some_and(|host| host.runs() && host.life == open.life) {
                self.telegram.told.known(number);
            }
            let plain = matches!(result, Ok(BotReply::Webhook { .. } | BotReply::Me { .. } | BotReply::Done));
            if self.log.is_some() && !plain {
                let text: String = format!("{result:?}").chars().take(120).collect();
                self.note(|| format!("!{number} answered: {text}"));
            }
            if matches!(result, Err(BotError::Conflict)) {
                self.figures.conflict();
                let name = self.name(open.host).to_owned();
                if let Some(host) = self.hosts.get(open.host) {
                    self.rules.conflicted(self.t, host.clock.now(self.t).boot_ms, open.host, &name);
                }
                self.note(|| format!("{name}: 409"));
            }
            self.input(open.host, open.life, Input::Bot { call: open.call, result });
        }
    }

    pub(super) fn bot_expires(&mut self, number: u64) {
        if let Some(open) = self.telegram.end(number) {
            let result = Err(BotError::Unreachable("no answer in time".to_owned()));
            self.input(open.host, open.life, Input::Bot { call: open.call, result });
        }
    }

    pub(super) fn stranger_due(&mut self) {
        if self.telegram.has_stranger() {
            let replies = self.telegram.stranger_polls(self.t);
            self.send_replies(replies);
            self.agenda.add(self.t + STRANGER_EVERY_MS, Event::Stranger);
        }
    }

    fn ask_agent(&mut self, at: usize, call: CallId, request: &AgentCall) {
        let t = self.t;
        if let AgentCall::Reboot(reboot) = request {
            let id = reboot.command_id;
            let duty = self.telegram.duties.iter().find(|duty| duty.id == id);
            let data = duty.and_then(|duty| duty.pressed.as_ref()).map(|(_, data)| data.clone());
            let shown = data.and_then(|data| self.telegram.confirmations.get(&data).copied());
            let name = self.name(at).to_owned();
            // Where its disk forgot the id, the agent knows it, and answers without doing it again.
            let again = self.hosts.get(at).is_some_and(|host| host.was_hard && host.agent.has_taken(id));
            if !again {
                self.rules.reboots(t, at, &name, id, shown);
            }
            let stored = |host: &Host| {
                host.disk.as_ref().is_some_and(|disk| {
                    disk.commands.done.contains(&id) || disk.commands.open.iter().any(|open| open.id == id)
                })
            };
            if !self.hosts.iter().any(stored) {
                self.rules.fail(t, "F6", format!("{name} carries out an order that is on no disk"));
            }
            self.figures.reboots += 1;
            self.note(|| format!("{name}: the agent is asked to reboot"));
        }
        let after = self.dice.range(1, 5);
        let Some(host) = self.hosts.get_mut(at) else { return };
        let (result, goes_down) = host.agent.call(&host.clock, t, request);
        let (life, boots) = (host.life, host.agent.boots);
        if let (AgentCall::Reboot(reboot), true) = (request, goes_down) {
            self.telegram.carried_out(t, reboot.command_id);
            self.judge_words();
        }
        self.agenda.add(t + after, Event::Agent { host: at, life, call, result: Box::new(result) });
        if goes_down {
            // Some services take long to stop, and the controller's container may be among the last.
            let after = if self.dice.one_in(3) { self.dice.range(3_000, 25_000) } else { self.dice.range(200, 3_000) };
            self.agenda.add(t + after, Event::GoDown { host: at, boots });
        }
    }
}

/// A call for updates that comes late takes up to so much longer.
const LATE_MS: u64 = 10_000;

/// A call that puts something before the owner.
const fn speaks(request: &BotCall) -> bool {
    matches!(
        request,
        BotCall::Send { .. } | BotCall::Edit { .. } | BotCall::TakeButtons { .. } | BotCall::Delete { .. }
    )
}

/// Another program's poll loop comes back about so often after a 409.
const STRANGER_EVERY_MS: u64 = 3_000;
