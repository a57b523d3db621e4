//! Whatever comes in whatever order: every command ends once, a reboot is asked again by the same terms only, and the dialogue comes to rest.

use crate::bot::bench::*;
use constella_shared::agent::{RebootAnswer, RebootOutcome, SpeedtestFigures, SpeedtestPhase};
use constella_shared::wire::rpc::Request;

use crate::bot::desk::room::Kind;
use crate::joins::InviteError;

/// A small generator of our own: the same seed is the same story.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize].clone()
    }
}

struct Story {
    bench: Bench,
    dice: Dice,
    given: Vec<StoredCommand>,
    /// Data of buttons that were on some screen.
    buttons: Vec<String>,
}

impl Story {
    fn step(&mut self) {
        match self.dice.roll(10) {
            0 => self.speak(),
            1 | 2 => self.press(),
            3 | 4 => (0..4).for_each(|_| self.answer_telegram()),
            5..=7 => (0..3).for_each(|_| self.answer_node()),
            8 => {
                let ms = self.dice.one(&[10, 700, 2_000, 2_000, 5_000, 50_000]);
                self.bench.pass(ms);
            }
            _ => self.rare(),
        }
        let fresh = self.bench.calls.iter().filter_map(|(_, call)| screen(call));
        let fresh: Vec<String> = fresh
            .flat_map(|screen| screen.buttons.iter().flatten().map(|button| button.press.data().to_string()))
            .collect();
        self.buttons.extend(fresh);
        let surplus = self.buttons.len().saturating_sub(20);
        self.buttons.drain(..surplus);
    }

    fn give(&mut self, content: CommandContent) {
        let command = self.bench.stored(content);
        self.bench.give(&command);
        self.given.push(command);
    }

    fn speak(&mut self) {
        let text = self.dice.one(&["/start", "/nodes", "/invite 5m", "/invite x", "/help", "/lang en", "hello", ""]);
        self.give(CommandContent::Text { text: text.to_string() });
    }

    fn press(&mut self) {
        let mut known = self.buttons.clone();
        known.extend(["junk".into(), "ls:99".into(), ways::speedtest(node("gone")).data().to_string()]);
        // Half of the presses go towards a reboot, or it would hardly ever come to one.
        let towards = |verb| self.buttons.iter().rev().take(8).find(move |data| data.starts_with(verb)).cloned();
        let reboot = towards("rb:").or_else(|| towards("rq:"));
        let data = match reboot.filter(|_| self.dice.roll(2) == 0) {
            Some(data) => data,
            None => self.dice.one(&known),
        };
        // A used one puts no new one on the screen; now and then it is pressed again.
        if data.starts_with("rb:") && self.dice.roll(4) != 0 {
            self.buttons.retain(|known| *known != data);
        }
        let current = self.bench.world.message.map_or(1, |(_, id)| id);
        let message = self.dice.one(&[current, current, current, 1]);
        self.give(CommandContent::Button { callback_id: "cb".into(), data, message });
    }

    fn answer_telegram(&mut self) {
        if self.bench.calls.is_empty() {
            return;
        }
        let at = self.dice.roll(self.bench.calls.len() as u64) as usize;
        let (ask, call) = self.bench.calls.remove(at);
        let result = match self.dice.roll(12) {
            0 => Err(BotError::RetryAfter { ms: 4_000 }),
            1 => Err(BotError::MessageGone),
            2 => Err(BotError::Unreachable("broken".into())),
            3 => Err(BotError::Server),
            4 => Err(BotError::Refused("no".into())),
            5 => {
                Err(self.dice.one(&[BotError::ChatGone, BotError::Cancelled, BotError::NoToken, BotError::QueryTooOld]))
            }
            _ => Ok(self.bench.good(&call)),
        };
        self.bench.answer(ask, Answer::Bot(result));
    }

    fn answer_node(&mut self) {
        if let Some((ask, ..)) = self.bench.edits.pop() {
            self.bench.answer(ask, Answer::Edited(Ok(crate::io::Progress::Done)));
        }
        if let Some((ask, _)) = self.bench.invites.pop() {
            let link = self.dice.one(&[Ok(crate::bot::rooms::invite::tests::link(ask.0)), Err(InviteError::TooMany)]);
            return self.bench.answer(ask, Answer::Link(link));
        }
        if self.bench.asks.is_empty() {
            return;
        }
        let at = self.dice.roll(self.bench.asks.len() as u64) as usize;
        let (ask, _, request) = self.bench.asks.remove(at);
        let result = self.node_says(&request);
        self.bench.answer(ask, Answer::Peer(result));
    }

    fn node_says(&mut self, request: &Request) -> Result<Response, CallError> {
        match self.dice.roll(10) {
            0 => return lost(),
            1 => return not_sent(),
            2 => return refused(self.dice.one(&[RpcCode::Busy, RpcCode::AgentUnreachable, RpcCode::OldTerm])),
            3 => return Ok(Response::Done),
            _ => {}
        }
        let boot = self.dice.one(&["boot-1", "boot-1", "boot-2", ""]);
        match request {
            Request::Reboot { command_id, .. } => {
                let failed = RebootOutcome::Failed { status: Some(1), stderr: "no".into() };
                let outcome = self.dice.one(&[RebootOutcome::Accepted, RebootOutcome::Started, failed]);
                let boot_id = self.dice.one(&[None, Some(boot.to_string())]);
                Ok(Response::Reboot { answer: RebootAnswer { command_id: *command_id, outcome }, boot_id })
            }
            Request::RunSpeedtest { .. } | Request::GetSpeedtest {} => {
                let ids: Vec<CommandId> = self.given.iter().rev().take(4).map(|command| command.id).collect();
                let command_id = if ids.is_empty() { CommandId([0; 32]) } else { self.dice.one(&ids) };
                test_state(self.dice.one(&[
                    SpeedtestState::Idle,
                    SpeedtestState::Running {
                        command_id,
                        phase: SpeedtestPhase::Download,
                        percent: 40,
                        so_far: SpeedtestFigures::default(),
                    },
                    SpeedtestState::Done { command_id, at_unix_s: 1, figures: SpeedtestFigures::default() },
                    SpeedtestState::Failed { command_id, at_unix_s: 1, message: "no".into() },
                ]))
            }
            Request::GetTs { kind, .. } => {
                Ok(Response::Series { series: Series { kind: *kind, step_s: 60, channels: vec![], points: vec![] } })
            }
            _ => {
                let uptime = self.dice.one(&[1, 100_000]);
                stats(boot, uptime)
            }
        }
    }

    /// The leader changes, a member leaves the list, the message is lost.
    fn rare(&mut self) {
        match self.dice.roll(4) {
            0 => self.succeed(),
            1 => self.bench.world.message = None,
            2 => {
                let status = self.dice.one(&[Status::Alive, Status::Down, Status::Suspect]);
                self.bench.world.nodes[1].status = status;
            }
            _ => self.bench.tick(),
        }
    }

    /// Another leader takes over: it has what is stored, and nothing else. Late answers still come.
    fn succeed(&mut self) {
        self.bench.dialogue.deposed();
        assert_eq!(self.bench.dialogue.deadline(), None);
        self.bench.world.term = self.bench.world.term.next();
        let acts = self.bench.dialogue.elected(&self.bench.world, None);
        self.bench.perform(acts);
        for command in self.given.clone() {
            let stage =
                self.bench.stages.iter().rev().find(|(id, _)| *id == command.id).map(|(_, stage)| stage.clone());
            match stage {
                Some(Stage::Done) => {}
                Some(stage) => {
                    self.bench.give(&StoredCommand { stage, ..command });
                }
                None => {
                    self.bench.give(&command);
                }
            }
        }
    }

    /// Everything answers from now on.
    fn heal(&mut self) {
        // The longest is an invitation that nobody uses.
        for _ in 0..2_000 {
            while self.bench.waits() {
                self.bench.telegram();
                for (ask, _, request) in core::mem::take(&mut self.bench.asks) {
                    let result = self.node_says(&request);
                    self.bench.answer(ask, Answer::Peer(result));
                }
                for (ask, ..) in core::mem::take(&mut self.bench.edits) {
                    self.bench.answer(ask, Answer::Edited(Ok(crate::io::Progress::Done)));
                }
                for (ask, _) in core::mem::take(&mut self.bench.invites) {
                    self.bench.answer(ask, Answer::Link(Ok(crate::bot::rooms::invite::tests::link(ask.0))));
                }
            }
            if self.bench.dialogue.deadline().is_none() {
                return;
            }
            self.bench.pass(1_000);
        }
        panic!("no rest: {:?}", self.bench.dialogue);
    }
}

/// F6: every command ends with exactly one Done, and nothing follows it; whatever leaders ask a reboot again do so with its one deadline by
/// the target's clock, or as one whose time is over, and nobody does without.
#[test]
fn every_command_ends_once_and_a_reboot_is_asked_again_by_its_first_deadline_only() {
    let (mut asked_reboots, mut asked_again) = (0, 0);
    for seed in 0..450 {
        let mut story = Story { bench: Bench::new(), dice: Dice(seed), given: vec![], buttons: vec![] };
        let acts = story.bench.dialogue.elected(&story.bench.world, None);
        story.bench.perform(acts);
        let clock = (seed % 4 != 0).then_some(500_000);
        story.bench.world.nodes.iter_mut().for_each(|row| row.boot_ms = clock);
        let mut reboots: BTreeMap<CommandId, Vec<Option<u64>>> = BTreeMap::new();
        let mut seen = 0;
        for _ in 0..250 {
            story.step();
            // Every ask gets a number of its own, so that the newest are the ones not counted yet.
            for (_, _, request) in story.bench.asks.iter().filter(|(ask, ..)| ask.0 > seen) {
                if let Request::Reboot { command_id, not_after_boot_ms, boot_id, .. } = request {
                    let deadlines = reboots.entry(*command_id).or_default();
                    assert!(deadlines.is_empty() || boot_id.is_some(), "seed {seed}");
                    deadlines.push(*not_after_boot_ms);
                }
            }
            seen = story.bench.asks.iter().map(|(ask, ..)| ask.0).max().unwrap_or(0).max(seen);
        }
        story.heal();
        for command in &story.given {
            assert_eq!(story.bench.done(command.id), 1, "seed {seed}: {command:?}");
            let last = story.bench.stages.iter().rev().find(|(id, _)| *id == command.id).unwrap();
            assert_eq!(last.1, Stage::Done, "seed {seed}");
            // What is not stored before it is shown gives no order.
            let orders = story.bench.stages.iter().any(|(id, stage)| *id == command.id && *stage != Stage::Done);
            assert!(!orders || story.bench.dialogue.kind(&command.content) == Kind::Order, "seed {seed}: {command:?}");
        }
        for deadlines in reboots.values() {
            assert!(deadlines.len() == 1 || deadlines[0].is_some(), "seed {seed}: {reboots:?}");
            let is_first_or_over = |deadline: &Option<u64>| *deadline == deadlines[0] || *deadline == Some(0);
            assert!(deadlines.iter().all(is_first_or_over), "seed {seed}: {reboots:?}");
        }
        asked_reboots += reboots.len();
        asked_again += reboots.values().filter(|deadlines| deadlines.len() > 1).count();
    }
    // The stories do reach what they are about.
    assert!(asked_reboots > 100 && asked_again > 4, "{asked_reboots}, {asked_again}");
}
