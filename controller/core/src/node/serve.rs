//! Serving the owner: the fence's acts, updates on their way to becoming commands, and the copies of these (F6).

use alloc::vec::Vec;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::{Stage, StoredCommand};
use constella_shared::wire::lease::Strength;
use constella_shared::wire::more::More;
use constella_shared::wire::records::NetValue;
use constella_shared::wire::rpc::Status;

use super::Node;
use super::handover::api_lost;
use super::hindrance::Hindrance;
use super::lease::ALL_CLAIM;
use super::pending::Pending;
use super::requests::ProofPart;
use crate::bot::desk::act::Admission;
use crate::clock::Now;
use crate::fence::{FenceAct, Title};
use crate::io::{BotCall, BotError, BotReply, BotState, CallId, Note, Output, Update};
use crate::probe::PROBE_LIMIT_MS;

/// What this node does for the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serving {
    /// Nothing.
    Nothing,
    /// F6: it finishes what another took, and does not poll: somebody else may serve.
    Owed,
    /// It polls.
    Everything,
}

impl Node {
    /// Whether commands are carried out here.
    pub(super) fn serves(&self) -> bool {
        self.serving != Serving::Nothing
    }

    /// Whether this node can serve the owner with everything: it reaches the Bot API, and stores what it takes.
    pub(super) fn is_ready(&self) -> bool {
        self.probe.ready() && self.disk.trouble().is_none()
    }

    /// Steps the fence until it wants nothing more at this moment.
    pub(super) fn fence_due(&mut self, now: Now) {
        let title = self.title(now);
        let acts = self.fence.step(now, title, &mut self.calls);
        self.fence_acts(now, acts);
        self.follow_serving(now);
    }

    /// Sends a call to Telegram.
    pub(super) fn ask_bot(&mut self, timeout_ms: u64, request: BotCall, why: Pending) {
        let call = self.calls.next();
        self.pending.insert(call, why);
        self.out.push(Output::Bot { call, timeout_ms, request });
    }

    /// Telegram answered.
    pub(super) fn bot_answered(&mut self, now: Now, call: CallId, result: Result<BotReply, BotError>) {
        let Some(why) = self.pending.remove(&call) else { return };
        self.watch.asked_telegram(now, &result);
        match why {
            Pending::Fence => {
                let title = self.title(now);
                let acts = self.fence.answered(now, title, call, result);
                self.fence_acts(now, acts);
            }
            Pending::Probe => {
                self.probe.answered(now, call, reached(&result));
                self.met_the_bot(now, result);
            }
            Pending::ProofBot => {
                self.probe.learned(now, reached(&result));
                self.proof_part(ProofPart::Bot(reached(&result)));
                self.met_the_bot(now, result);
            }
            Pending::Farewell => self.farewell_answered(now, &result),
            Pending::Alert { incident, call, chat } => self.alert_told(now, incident, call, chat, &result),
            Pending::Hindrance { which, there } => self.hindrance_told(now, which, there, &result),
            Pending::DialogueBot { ask } => self.answers.push_back((ask, crate::bot::desk::act::Answer::Bot(result))),
            _ => {}
        }
    }

    /// The probe for readiness, where one is due.
    pub(super) fn probe_due(&mut self, now: Now) {
        if self.probe.deadline().is_none_or(|at| now.boot_ms < at) {
            return;
        }
        let probes = self.roster.len() <= ALL_CLAIM || self.is_voter() || !self.a_voter_is_ready(now);
        if let Some(call) = self.probe.due(now, probes, &mut self.calls) {
            self.pending.insert(call, Pending::Probe);
            self.out.push(Output::Bot { call, timeout_ms: PROBE_LIMIT_MS, request: BotCall::GetMe });
        }
    }

    /// What this node does at the bot.
    pub(super) fn bot_state(&self) -> BotState {
        match (self.held, self.fence.state()) {
            (Some(_), BotState::Idle) => BotState::Holding,
            (_, state) => state,
        }
    }

    /// A strong holder writes the bot's id and name down: the id enters every command id, the name every link.
    pub(super) fn keep_the_bots_name(&mut self, now: Now) {
        let Some((id, username)) = self.bot.clone() else { return };
        let known = self.roster.bot().is_some_and(|bot| bot.id == id && bot.username == username);
        if !known && self.held == Some(Strength::Strong) {
            self.hear_clocks(now);
            let records = self.roster.write_net(now, self.claim.term(), NetValue::Bot { id, username });
            self.announce(now, &records);
        }
    }

    /// Begins every command whose time has come (F6), while this node serves: what was stored, copied and confirmed, and what is shown first.
    pub(super) fn carry_out(&mut self, now: Now) {
        while self.serves() && self.title(now).is_some_and(|title| title.may_poll) {
            let next = self.commands.start_next().or_else(|| self.next_to_show());
            let Some(command) = next else { return };
            self.out.push(Output::Note(Note::Command { id: command.id, what: "begun" }));
            let world = self.world(now);
            let acts = self.dialogue.command(&world, &command);
            self.acts.extend(acts);
            self.perform_acts(now);
        }
    }

    /// L7: what this node may do at the bot at this moment; looked up before every act.
    pub(super) fn title(&self, now: Now) -> Option<Title> {
        let ready = self.probe.ready() || self.probe.succeeded_at().is_none() && self.token.is_some();
        let all_visible = self.membership.alive() >= self.roster.len();
        let owed = self.commands.owed();
        let rivals = if self.held == Some(Strength::Weak) { self.rivals() } else { 0 };
        let (told, refused) = (self.told, self.refusing_holder(now).is_some());
        let title = |strength, may_poll| Title { strength, may_poll, told, ready, all_visible, rivals, refused, owed };
        match self.held {
            Some(Strength::Strong) => {
                self.strong_until().filter(|until| *until > now.boot_ms).map(|_| title(Strength::Strong, true))
            }
            Some(Strength::Weak) => Some(title(Strength::Weak, true)),
            None if self.suspects_the_holder(now) => Some(Title { told: false, ..title(Strength::Weak, false) }),
            None => None,
        }
    }

    /// The holder does not answer this node, which would be the next: it looks already (F3) whether somebody serves the owner.
    fn suspects_the_holder(&self, now: Now) -> bool {
        let Some(holder) = self.seen.holder().filter(|holder| *holder != self.id) else { return false };
        let lately = now.boot_ms < self.seen.until().saturating_add(self.settings.lease_ttl_ms);
        let willing = lately && !self.retired && self.probe.ready();
        willing && self.peers.failing(&holder).is_some() && self.is_next() && !self.is_disowned()
    }

    /// F3: better ones that may hold on other sides of a cut. A single node that is out of reach has no majority to lack: it is strong or dead.
    fn rivals(&self) -> usize {
        let (key, reachable) = (self.key(), self.reachable());
        let away = |id: &NodeId| *id != self.id && !reachable.contains(id) && !self.peers.refuses(id);
        let away = self.roster.members().map(|member| member.id).filter(away);
        let keys: Vec<_> = away.filter_map(|node| self.roster.leader_key(&node)).collect();
        if keys.len() < 2 { 0 } else { keys.iter().filter(|other| **other < key).count() }
    }

    fn is_next(&self) -> bool {
        let key = self.key();
        let holder = self.seen.holder();
        let others = self.reachable().into_iter().filter(|node| Some(*node) != holder);
        others.filter_map(|node| self.roster.leader_key(&node)).all(|other| key < other)
    }

    pub(super) fn fence_acts(&mut self, now: Now, acts: Vec<FenceAct>) {
        for act in acts {
            match act {
                FenceAct::Call { call, timeout_ms, request } => {
                    self.pending.insert(call, Pending::Fence);
                    self.out.push(Output::Bot { call, timeout_ms, request });
                }
                FenceAct::Cancel(call) => {
                    self.pending.remove(&call);
                    self.out.push(Output::CancelBot(call));
                }
                FenceAct::Updates(updates) => self.take_updates(now, &updates),
                FenceAct::Confirmed(upto) => {
                    self.commands.confirmed(upto);
                    self.follow_serving(now);
                    self.carry_out(now);
                }
                FenceAct::ApiLost => api_lost(self, now),
                FenceAct::Stranger(there) => self.hindered(now, Hindrance::Stranger, there),
                FenceAct::Webhook(there) => self.hindered(now, Hindrance::Webhook, there),
                FenceAct::Reached(reached) => self.api_reached(now, reached),
            }
        }
    }

    fn api_reached(&mut self, now: Now, reached: bool) {
        self.probe.learned(now, reached);
        let another = self.held == Some(Strength::Weak) && !reached && self.another_is_ready(now);
        if another {
            // F3: where its looks fail, another node of its side watches instead.
            self.leave_it_to_another(now, API_LOSS_BAR_MS);
        }
    }

    /// A weak holder that cannot serve everything gives way to one of its side that can, and does not come back before this time.
    pub(super) fn leave_it_to_another(&mut self, now: Now, bar_ms: u64) {
        let releases = self.let_go(false);
        self.send_releases(releases);
        self.barred_until = now.boot_ms.saturating_add(bar_ms);
    }

    /// Updates become commands where the dialogue admits them; nothing else of them is kept.
    fn take_updates(&mut self, now: Now, updates: &[Update]) {
        let Some(upto) = updates.iter().map(|update| update.id).max().map(|id| id.saturating_add(1)) else { return };
        let world = self.world(now);
        let mut commands = Vec::new();
        for update in updates {
            match self.dialogue.admit(&world, update) {
                Admission::Command => commands.extend(self.command_of(now, update)),
                Admission::Refuse(acts) => self.acts.extend(acts),
                Admission::Ignore => {}
            }
        }
        self.take_commands(now, upto, commands);
    }

    fn command_of(&self, now: Now, update: &Update) -> Option<StoredCommand> {
        let event = update.event.as_ref()?;
        let bot = self.roster.bot().map(|bot| bot.id).or_else(|| self.bot.as_ref().map(|(id, _)| *id)).unwrap_or(0);
        Some(StoredCommand {
            id: CommandId::over(&[&bot.to_be_bytes(), &update.id.to_be_bytes(), &0_u32.to_be_bytes()]),
            update_id: update.id,
            user: event.user,
            username: event.username.clone(),
            language: event.language.clone(),
            chat: event.chat,
            content: self.dialogue.own_words(event),
            stage: Stage::Taken,
            taken_by: self.id,
            taken_unix_ms: now.unix_ms,
            more: More::none(),
        })
    }

    /// Begins or ends to serve, as the fence does.
    pub(super) fn follow_serving(&mut self, now: Now) {
        let serves = match self.fence.state() {
            BotState::Polling => Serving::Everything,
            BotState::Watching if self.fence.finishes() => Serving::Owed,
            BotState::Watching | BotState::Holding | BotState::Idle => Serving::Nothing,
        };
        if serves == self.serving {
            return;
        }
        let before = core::mem::replace(&mut self.serving, serves);
        // Who only finished what was owed goes on with that, and what it has just told the owner stays before the owner's eyes.
        if (before, serves) != (Serving::Owed, Serving::Everything) {
            self.put_down(before);
        }
        if serves == Serving::Everything {
            self.keep_the_bots_name(now);
            let world = self.world(now);
            let acts = self.dialogue.elected(&world, self.commands.last());
            self.acts.extend(acts);
            self.perform_acts(now);
        }
        self.carry_out(now);
    }

    /// What is in hand is dropped, for whoever serves next: what was only begun is begun anew there.
    fn put_down(&mut self, before: Serving) {
        self.acts.clear();
        self.answers.clear();
        self.staging = false;
        self.copies.put_down();
        self.batch = None;
        if before != Serving::Nothing {
            self.dialogue.deposed();
            self.commands.put_down();
        }
    }

    fn met_the_bot(&mut self, now: Now, result: Result<BotReply, BotError>) {
        if let Ok(BotReply::Me { id, username }) = result {
            self.bot = Some((id, username));
            self.keep_the_bots_name(now);
        }
    }

    pub(super) fn is_voter(&self) -> bool {
        let record = self.roster.voters();
        record.old.contains(&self.id) || record.new.contains(&self.id)
    }

    fn a_voter_is_ready(&self, now: Now) -> bool {
        let voters = crate::voters::everyone(self.roster.voters());
        voters.iter().any(|voter| self.peers.ready(now, voter, READY_AGE_MS) == Some(true))
    }

    /// Whether a node that answers said lately that it could serve.
    pub(super) fn another_is_ready(&self, now: Now) -> bool {
        self.reachable().iter().any(|node| {
            self.membership.status(node) == Status::Alive && self.peers.ready(now, node, READY_AGE_MS) == Some(true)
        })
    }
}

/// Whether the Bot API answered, whatever it said of us: a token that it refuses does not make a node ready.
fn reached(result: &Result<BotReply, BotError>) -> bool {
    match result {
        Ok(_) | Err(BotError::RetryAfter { .. }) => true,
        Err(_) => false,
    }
}

/// A node's word on its readiness counts for so long.
const READY_AGE_MS: u64 = 30_000;

/// L6: a hand-over for the loss of the Bot API bars the releaser for 15 s.
pub(super) const API_LOSS_BAR_MS: u64 = 15_000;
