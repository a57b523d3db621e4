//! A bench for the dialogue: a world of three nodes, questions that wait for the test's answers, and what the owner sees.

pub(crate) use alloc::collections::BTreeMap;
pub(crate) use alloc::string::{String, ToString};
pub(crate) use alloc::vec;
pub(crate) use alloc::vec::Vec;

pub(crate) use constella_shared::agent::{Series, SpeedtestState, Stats};
pub(crate) use constella_shared::ids::{CommandId, NodeId, Term};
pub(crate) use constella_shared::link::token_hash;
pub(crate) use constella_shared::secret::Secret;
pub(crate) use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
pub(crate) use constella_shared::wire::heartbeat::Glance;
pub(crate) use constella_shared::wire::records::NetValue;
pub(crate) use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError, Status};

pub(crate) use super::desk::dialogue::{Dialogue, Settings};
use crate::alerts::choice::{Choice, Quiet};
pub(crate) use crate::bot::desk::act::{Act, Admission, Answer, AskId};
pub(crate) use crate::bot::kit::language::Language;
pub(crate) use crate::bot::kit::page::{Body, Message, Screen};
pub(crate) use crate::bot::kit::press::Press;
pub(crate) use crate::bot::kit::say::{Key, Say, Value};
pub(crate) use crate::bot::kit::world::{NodeRow, Owner, Voter, World};
pub(crate) use crate::bot::rooms::{reboot, settings, ways};
pub(crate) use crate::clock::Now;
pub(crate) use crate::io::{BotCall, BotError, BotReply, CallError, Update, UpdateEvent};

/// Answers a question, or leaves it open.
pub(crate) type Picker<'a> = &'a mut dyn FnMut(&NodeId, &Request) -> Option<Result<Response, CallError>>;

pub(crate) const OWNER: i64 = 100;
pub(crate) const MESSAGE: i64 = 50;

pub(crate) fn node(name: &str) -> NodeId {
    NodeId::over(&[name.as_bytes()])
}

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) dialogue: Dialogue,
    /// Questions to nodes that wait for an answer.
    pub(crate) asks: Vec<(AskId, NodeId, Request)>,
    /// Calls to Telegram that wait for an answer.
    pub(crate) calls: Vec<(AskId, BotCall)>,
    pub(crate) invites: Vec<(AskId, u64)>,
    pub(crate) edits: Vec<(AskId, NodeId, crate::roster::Edit)>,
    /// Presses under incidents that were written down.
    pub(crate) pressed: Vec<crate::alerts::board::Press>,
    pub(crate) stages: Vec<(CommandId, Stage)>,
    pub(crate) records: Vec<NetValue>,
    /// Everything that went out, in order, in short.
    pub(crate) order: Vec<&'static str>,
    next_update: i64,
    pub(crate) next_message: i64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let names = ["alpha", "beta", "gamma"];
        let nodes = names.iter().map(|name| row(name)).collect();
        let world = World {
            now: Now { boot_ms: 1_000_000, unix_ms: 1_800_000_000_000 },
            me: node("alpha"),
            term: Term(7),
            strong: true,
            polls: true,
            strayed: Vec::new(),
            unsettled: Vec::new(),
            lease_left_ms: Some(9_000),
            voters: names.map(|name| Voter { node: node(name), there: true }).to_vec(),
            shortage: None,
            has_heir: true,
            nodes,
            owner: Owner { username: "olga".into(), telegram_id: Some(OWNER), claim: None },
            language: Some("en".into()),
            message: Some((OWNER, MESSAGE)),
            bot_username: Some("our_bot".into()),
            invites: Vec::new(),
            choices: BTreeMap::new(),
            quiet: None,
            alerts: Vec::new(),
        };
        Self {
            world,
            dialogue: super::rooms::dialogue(Settings { language: Language::Ru, seed: [3; 32] }),
            asks: Vec::new(),
            calls: Vec::new(),
            invites: Vec::new(),
            edits: Vec::new(),
            pressed: Vec::new(),
            stages: Vec::new(),
            records: Vec::new(),
            order: Vec::new(),
            next_update: 1,
            next_message: 900,
        }
    }

    pub(crate) fn perform(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Ask { ask, to, request, .. } => {
                    self.order.push("ask");
                    self.asks.push((ask, to, request));
                }
                Act::Bot { ask, call } => {
                    self.order.push(call_name(&call));
                    assert_whole(&call);
                    self.calls.push((ask, call));
                }
                Act::Stage { command, stage } => {
                    self.order.push(if stage == Stage::Done { "done" } else { "stage" });
                    self.stages.push((command, stage));
                }
                Act::Record(value) => {
                    self.order.push("record");
                    match &value {
                        NetValue::Message { chat, message } => self.world.message = Some((*chat, *message)),
                        NetValue::Language { code } => self.world.language = Some(code.clone()),
                        NetValue::Owner { username, telegram_id, claim } => {
                            self.world.owner =
                                Owner { username: username.clone(), telegram_id: *telegram_id, claim: *claim };
                        }
                        NetValue::QuietHours { on, from_min, until_min, zone } => {
                            let (on, from_min, until_min, zone) = (*on, *from_min, *until_min, zone.clone());
                            self.world.quiet = Some(Quiet { on, from_min, until_min, zone });
                        }
                        NetValue::Token { .. }
                        | NetValue::Bot { .. }
                        | NetValue::Alert(_)
                        | NetValue::AlertRule { .. }
                        | NetValue::Leaving {}
                        | NetValue::Other(_) => {
                            panic!("not the dialogue's to write")
                        }
                    }
                    self.records.push(value);
                }
                Act::RecordOf { which, value } => {
                    let NetValue::AlertRule { on, threshold } = value else { panic!("there is one of it") };
                    self.order.push("record");
                    match on {
                        Some(on) => _ = self.world.choices.insert(which, Choice { on, threshold }),
                        None => _ = self.world.choices.remove(&which),
                    }
                }
                Act::Edit { ask, node, edit } => {
                    self.order.push("edit");
                    self.edits.push((ask, node, edit));
                }
                Act::Alert(press) => {
                    self.order.push("alert");
                    self.pressed.push(press);
                }
                Act::Invite { ask, ttl_s } => {
                    self.order.push("invite");
                    self.invites.push((ask, ttl_s));
                }
            }
        }
    }

    /// Whether anything waits for an answer.
    pub(crate) fn waits(&self) -> bool {
        let Self { calls, asks, invites, edits, .. } = self;
        !calls.is_empty() || !asks.is_empty() || !invites.is_empty() || !edits.is_empty()
    }

    pub(crate) fn stored(&mut self, content: CommandContent) -> StoredCommand {
        self.next_update += 1;
        StoredCommand {
            id: CommandId::over(&[&self.next_update.to_be_bytes()]),
            update_id: self.next_update,
            user: OWNER,
            username: Some("Olga".into()),
            language: Some("en".into()),
            chat: OWNER,
            content,
            stage: Stage::Taken,
            taken_by: self.world.me,
            taken_unix_ms: self.world.now.unix_ms,
            more: constella_shared::wire::more::More::none(),
        }
    }

    pub(crate) fn give(&mut self, command: &StoredCommand) -> CommandId {
        let acts = self.dialogue.command(&self.world, command);
        self.perform(acts);
        command.id
    }

    pub(crate) fn text(&mut self, text: &str) -> CommandId {
        let command = self.stored(CommandContent::Text { text: text.to_string() });
        self.give(&command)
    }

    pub(crate) fn press(&mut self, press: &Press) -> CommandId {
        let message = self.world.message.map_or(MESSAGE, |(_, id)| id);
        self.press_on(message, press.data())
    }

    pub(crate) fn press_on(&mut self, message: i64, data: &str) -> CommandId {
        let content = CommandContent::Button { callback_id: "cb".into(), data: data.to_string(), message };
        let command = self.stored(content);
        self.give(&command)
    }

    pub(crate) fn answer(&mut self, ask: AskId, answer: Answer) {
        let acts = self.dialogue.answer(&self.world, ask, answer);
        self.perform(acts);
    }

    pub(crate) fn tick(&mut self) {
        let acts = self.dialogue.tick(&self.world);
        self.perform(acts);
    }

    /// A record of an invitation changed.
    pub(crate) fn invitations_changed(&mut self) {
        let acts = self.dialogue.event(&self.world, &crate::bot::desk::room::Event::Invitations);
        self.perform(acts);
    }

    /// Lets time pass, with a tick at each deadline on the way.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.world.now.boot_ms + ms;
        while let Some(at) = self.dialogue.deadline().filter(|at| *at <= end) {
            self.set_boot(at.max(self.world.now.boot_ms));
            let before = self.order.len();
            self.tick();
            if self.order.len() == before && self.dialogue.deadline().is_some_and(|next| next <= at) {
                panic!("a deadline that is not met by a tick: {:?}", self.dialogue);
            }
        }
        self.set_boot(end);
    }

    fn set_boot(&mut self, boot_ms: u64) {
        let by = boot_ms - self.world.now.boot_ms;
        self.world.now = Now { boot_ms, unix_ms: self.world.now.unix_ms + by };
        for row in &mut self.world.nodes {
            row.unix_ms = row.unix_ms.map(|ms| ms + by);
            row.up_ms = row.up_ms.map(|ms| ms + by);
        }
    }

    /// Telegram's good answer to this call.
    pub(crate) fn good(&mut self, call: &BotCall) -> BotReply {
        match call {
            BotCall::Send { .. } => {
                self.next_message += 1;
                BotReply::Sent { message: self.next_message }
            }
            BotCall::GetMe => BotReply::Me { id: 1, username: "our_bot".into() },
            BotCall::GetWebhookInfo => BotReply::Webhook { pending: 0, set: false },
            BotCall::GetUpdates { .. } => BotReply::Updates(vec![]),
            BotCall::Edit { .. }
            | BotCall::Delete { .. }
            | BotCall::TakeButtons { .. }
            | BotCall::AnswerCallback { .. }
            | BotCall::SetCommands { .. } => BotReply::Done,
        }
    }

    /// Answers all that wait for Telegram well, and tells what they were.
    pub(crate) fn telegram(&mut self) -> Vec<BotCall> {
        let mut seen = Vec::new();
        while !self.calls.is_empty() {
            let (ask, call) = self.calls.remove(0);
            let reply = self.good(&call);
            seen.push(call);
            self.answer(ask, Answer::Bot(Ok(reply)));
        }
        seen
    }

    /// Answers the newest screen's call with an error.
    pub(crate) fn telegram_fails(&mut self, error: BotError) {
        let at = self.calls.iter().position(|(_, call)| screen(call).is_some()).expect("no screen on its way");
        let (ask, _) = self.calls.remove(at);
        self.answer(ask, Answer::Bot(Err(error)));
    }

    /// Answers the questions that `pick` answers.
    pub(crate) fn nodes(&mut self, pick: Picker<'_>) {
        let mut at = 0;
        while let Some((ask, to, request)) = self.asks.get(at).cloned() {
            match pick(&to, &request) {
                Some(result) => {
                    self.asks.remove(at);
                    self.answer(ask, Answer::Peer(result));
                }
                None => at += 1,
            }
        }
    }

    /// Every question of this kind gets this answer.
    pub(crate) fn reply(&mut self, kind: &str, result: &Result<Response, CallError>) -> usize {
        let mut count = 0;
        self.nodes(&mut |_, request| {
            (request_name(request) == kind).then(|| {
                count += 1;
                result.clone()
            })
        });
        count
    }

    pub(crate) fn done(&self, id: CommandId) -> usize {
        self.stages.iter().filter(|(of, stage)| *of == id && *stage == Stage::Done).count()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.order.iter().filter(|known| **known == name).count()
    }
}

pub(crate) fn row(name: &str) -> NodeRow {
    NodeRow {
        node: node(name),
        name: name.to_string(),
        priority: 100,
        status: Status::Alive,
        leader: name == "alpha",
        version: "0.1.0".into(),
        rtt_ms: Some(21),
        boot_ms: None,
        unix_ms: Some(1_800_000_000_000),
        up_ms: Some(500),
        last_seen_unix_ms: 1_800_000_000_000,
        disk: None,
        reaches_bot: Some(true),
        glance: Some(Glance { cpu: 12, mem: 43 }),
    }
}

pub(crate) fn screen(call: &BotCall) -> Option<&Message> {
    match call {
        BotCall::Send { screen: Screen::Message(message), .. }
        | BotCall::Edit { screen: Screen::Message(message), .. } => Some(message),
        _ => None,
    }
}

/// The last screen of these calls.
pub(crate) fn last_screen(calls: &[BotCall]) -> Message {
    calls.iter().rev().find_map(screen).expect("no screen").clone()
}

pub(crate) fn toast(calls: &[BotCall]) -> Option<Key> {
    calls.iter().find_map(|call| match call {
        BotCall::AnswerCallback { toast: Some(Screen::Note { say, .. }), .. } => Some(say.key),
        _ => None,
    })
}

/// All keys that a screen says, notices first.
pub(crate) fn keys(message: &Message) -> Vec<Key> {
    let body: Vec<Key> = match &message.body {
        Body::Says(says) => says.iter().map(|say| say.key).collect(),
        Body::Speedtest(test) => vec![test.say.key],
        Body::List(_) | Body::Card(_) | Body::Chart(_) => vec![],
    };
    let all: Vec<Key> = message.notices.iter().map(|say| say.key).chain(body).collect();
    // What the help says of each command is not the matter of any test.
    let end = all.iter().position(|key| *key == Key::HelpText).map_or(all.len(), |at| at + 1);
    all[..end].to_vec()
}

/// The sentence with this key.
pub(crate) fn said(message: &Message, key: Key) -> Say {
    let body: Vec<Say> = match &message.body {
        Body::Says(says) => says.clone(),
        Body::Speedtest(test) => vec![test.say.clone()],
        Body::List(_) | Body::Card(_) | Body::Chart(_) => vec![],
    };
    message.notices.iter().cloned().chain(body).find(|say| say.key == key).expect("not said")
}

fn assert_whole(call: &BotCall) {
    let screen = match call {
        BotCall::Send { screen, .. } | BotCall::Edit { screen, .. } => Some(screen),
        BotCall::AnswerCallback { toast, .. } => toast.as_ref(),
        _ => None,
    };
    match screen {
        Some(Screen::Message(message)) => {
            message.notices.iter().for_each(|say| assert!(say.is_whole(), "{say:?}"));
            match &message.body {
                Body::Says(says) => {
                    assert!(!says.is_empty());
                    says.iter().for_each(|say| assert!(say.is_whole(), "{say:?}"));
                }
                Body::Speedtest(test) => assert!(test.say.is_whole(), "{:?}", test.say),
                Body::Card(card) => assert!(card.figures.as_ref().err().is_none_or(Say::is_whole)),
                Body::List(_) | Body::Chart(_) => {}
            }
            for button in message.buttons.iter().flatten() {
                assert!(button.press.data().len() <= 64);
            }
        }
        Some(Screen::Note { say, .. }) => assert!(say.is_whole(), "{say:?}"),
        Some(Screen::Words { .. } | Screen::Invite { .. } | Screen::Alert { .. }) | None => {}
    }
}

fn call_name(call: &BotCall) -> &'static str {
    match call {
        BotCall::Send { .. } => "send",
        BotCall::Edit { .. } => "edit",
        BotCall::TakeButtons { .. } => "buttons",
        BotCall::Delete { .. } => "delete",
        BotCall::AnswerCallback { .. } => "callback",
        BotCall::SetCommands { .. } => "menu",
        BotCall::GetMe | BotCall::GetWebhookInfo | BotCall::GetUpdates { .. } => "poll",
    }
}

pub(crate) fn request_name(request: &Request) -> &'static str {
    match request {
        Request::GetStats {} => "stats",
        Request::GetTs { .. } => "series",
        Request::GetSpeedtest {} => "test",
        Request::RunSpeedtest { .. } => "run",
        Request::Reboot { .. } => "reboot",
        _ => "other",
    }
}

pub(crate) fn stats(boot_id: &str, uptime_s: u64) -> Result<Response, CallError> {
    let stats = Stats { boot_id: Some(boot_id.into()), uptime_s: Some(uptime_s), ..Stats::default() };
    Ok(Response::Stats { stats, controller_version: "0.1.0".into() })
}

pub(crate) fn test_state(test: SpeedtestState) -> Result<Response, CallError> {
    Ok(Response::Speedtest { test })
}

pub(crate) fn refused(code: RpcCode) -> Result<Response, CallError> {
    Err(CallError::Refused(RpcError { code, message: "because".into() }))
}

pub(crate) fn lost() -> Result<Response, CallError> {
    Err(CallError::Lost("no answer in time".into()))
}

pub(crate) fn not_sent() -> Result<Response, CallError> {
    Err(CallError::NotSent("no connection".into()))
}
