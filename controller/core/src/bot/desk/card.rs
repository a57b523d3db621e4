//! A node's card: four questions at once, shown as soon as the figures are there or a moment has passed, and again when all is there.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::agent::{SeriesKind, SpeedtestState, Stats};
use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::rpc::{Request, Response, Status};

use super::job::{Figure, Job, Purpose, Work};
use super::list::{button, row};
use super::pace::Urgency;
use super::scene::{Drawing, Source};
use super::{Dialogue, Step};
use crate::bot::kit::graph::{Graph, Scale};
use crate::bot::kit::page::{Body, Button, Card, Disk, Figures, LastSpeedtest};
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::why::{why, why_unexpected};
use crate::bot::kit::world::World;
use crate::io::CallError;

/// What is known for a card.
#[derive(Debug)]
pub(super) struct Gather {
    node: NodeId,
    bring: bool,
    /// Questions without an answer.
    open: u8,
    /// When what is there is shown, whatever is missing; None once it was.
    early_at: Option<u64>,
    figures: Option<Result<Figures, Say>>,
    cpu: Option<Graph>,
    received: Option<Graph>,
    sent: Option<Graph>,
    speedtest: Option<LastSpeedtest>,
}

impl Gather {
    /// When it wants to be shown.
    pub(super) const fn deadline(&self) -> Option<u64> {
        self.early_at
    }
}

impl Dialogue {
    /// A card is asked for.
    pub(super) fn card(&mut self, step: &mut Step<'_>, job: Job, node: NodeId, bring: bool) {
        let id = job.command.id;
        let gather = Gather::new(node, bring);
        self.keep(job, Work::Card(gather));
        self.ask_figures(step, id);
    }

    /// Asks for all that a card shows.
    fn ask_figures(&mut self, step: &mut Step<'_>, id: CommandId) {
        let Some(Job { work: Work::Card(gather), .. }) = self.jobs.get_mut(&id) else { return };
        let questions = [
            (Figure::Stats, Request::GetStats {}),
            (Figure::Cpu, Request::GetTs { kind: SeriesKind::Cpu, hours: HOURS }),
            (Figure::Net, Request::GetTs { kind: SeriesKind::Net, hours: HOURS }),
            (Figure::Test, Request::GetSpeedtest {}),
        ];
        gather.open = questions.len() as u8;
        gather.early_at = Some(step.world.now.boot_ms + EARLY_MS);
        let node = gather.node;
        for (figure, request) in questions {
            self.ask_node(step, node, request, TIMEOUT, Purpose::Card(id, figure));
        }
        self.scene.watched = Some(id);
    }

    /// A card could not be shown for long: its figures are asked for anew as soon as Telegram takes a message, which says so until then.
    pub(super) fn wait_for_figures(&mut self, step: &mut Step<'_>, id: CommandId, sheet: super::scene::Sheet) {
        let node = match self.scene.body() {
            Some(Body::Card(card)) => card.row.node,
            Some(Body::List(_) | Body::Speedtest(_) | Body::Says(_)) | None => return,
        };
        match self.jobs.get_mut(&id) {
            Some(job) if matches!(job.work, Work::Show { .. } | Work::Card(_)) => {
                let gather = Gather::new(node, false);
                let body = gather.body(step.world);
                job.work = Work::Card(gather);
                let buttons = card_buttons(node, is_down(step.world, node));
                let drawing = Drawing { body, buttons, watched: Some(id), urgency: Urgency::Owner };
                self.draw(step, sheet, drawing);
                (self.scene.source, self.scene.awaits_figures) = (Source::Card(id), Some(id));
            }
            // It was shown before, and only a notice was added since.
            Some(_) | None => {
                self.draw_again(step, sheet);
            }
        }
    }

    /// Telegram took a message: the figures of a card that waits for that are asked for; one that the owner left ends.
    pub(super) fn figures_due(&mut self, step: &mut Step<'_>) {
        let Some(id) = self.scene.awaits_figures.take() else { return };
        if self.is_watched(id) {
            self.ask_figures(step, id);
        } else if let Some(job) = self.jobs.remove(&id) {
            let version = self.canvas.latest();
            self.show(job, version);
        }
    }

    /// A figure of a card has come, or has not.
    pub(super) fn figure(
        &mut self,
        step: &mut Step<'_>,
        id: CommandId,
        figure: Figure,
        answer: Result<Response, CallError>,
    ) {
        let now_unix_s = step.world.now.unix_ms / 1_000;
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Card(gather) = &mut job.work else { return self.put(job) };
        gather.open = gather.open.saturating_sub(1);
        gather.take(figure, answer, now_unix_s);
        if !self.is_watched(id) {
            // The owner looks at something else by now.
            let version = self.canvas.latest();
            return self.show(job, version);
        }
        if gather.open > 0 {
            return self.put(job);
        }
        let version = self.draw_card(step, &mut job);
        self.scene.watched = None;
        self.show(job, version);
    }

    /// Shows what is there, where it is time.
    pub(super) fn card_due(&mut self, step: &mut Step<'_>, id: CommandId) {
        let now = step.world.now.boot_ms;
        let watched = self.is_watched(id);
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Card(gather) = &mut job.work else { return self.put(job) };
        if gather.early_at.is_some_and(|at| at <= now) {
            gather.early_at = None;
            if watched {
                self.draw_card(step, &mut job);
            }
        }
        self.put(job);
    }

    fn draw_card(&mut self, step: &Step<'_>, job: &mut Job) -> super::canvas::Version {
        let sheet = self.sheet(step, &job.command, false);
        let Work::Card(gather) = &mut job.work else { return self.canvas.latest() };
        let bring = core::mem::take(&mut gather.bring);
        let body = gather.body(step.world);
        let buttons = card_buttons(gather.node, is_down(step.world, gather.node));
        let drawing = Drawing { body, buttons, watched: Some(job.command.id), urgency: Urgency::Owner };
        let version = self.draw(step, super::scene::Sheet { bring, ..sheet }, drawing);
        self.scene.source = Source::Card(job.command.id);
        version
    }
}

impl Gather {
    /// Nothing is known yet, and nothing was asked.
    const fn new(node: NodeId, bring: bool) -> Self {
        let (figures, cpu, received, sent, speedtest) = (None, None, None, None, None);
        Self { node, bring, open: 0, early_at: None, figures, cpu, received, sent, speedtest }
    }

    /// Whether its first screen is still to come, as a new message.
    pub(super) const fn is_to_come(&self) -> bool {
        self.bring && self.early_at.is_some()
    }

    fn take(&mut self, figure: Figure, answer: Result<Response, CallError>, now_unix_s: u64) {
        match (figure, answer) {
            (Figure::Stats, Ok(Response::Stats { stats, controller_version })) => {
                self.figures = Some(Ok(figures(stats, controller_version)));
            }
            (Figure::Stats, Ok(_)) => self.figures = Some(Err(why_unexpected())),
            (Figure::Stats, Err(error)) => self.figures = Some(Err(why(&error))),
            (Figure::Cpu, Ok(Response::Series { series })) => {
                self.cpu = Graph::of(&series, 0, HOURS, now_unix_s, Scale::To(100.0));
            }
            (Figure::Net, Ok(Response::Series { series })) => {
                self.received = Graph::of(&series, 0, HOURS, now_unix_s, Scale::Own);
                self.sent = Graph::of(&series, 1, HOURS, now_unix_s, Scale::Own);
            }
            (Figure::Test, Ok(Response::Speedtest { test })) => self.speedtest = Some(last_test(test, now_unix_s)),
            // A card is readable without them; why the node does not answer, its figures say.
            (Figure::Cpu | Figure::Net | Figure::Test, _) => {}
        }
    }

    fn body(&self, world: &World) -> Body {
        let Some(node) = world.nodes.iter().find(|row| row.node == self.node) else {
            return Body::Says(vec![Say::new(Key::NodeGone)]);
        };
        Body::Card(Box::new(Card {
            row: row(world, node),
            figures: self.figures.clone().unwrap_or_else(|| Err(Say::new(Key::Loading))),
            cpu: self.cpu.clone(),
            received: self.received.clone(),
            sent: self.sent.clone(),
            hours: HOURS,
            speedtest: self.speedtest.clone(),
        }))
    }
}

/// Whether nothing can be asked of a node now, as far as this one sees.
pub(super) fn is_down(world: &World, node: NodeId) -> bool {
    let status = world.nodes.iter().find(|row| row.node == node).map(|row| row.status);
    matches!(status, Some(Status::Down | Status::Left))
}

fn card_buttons(node: NodeId, is_down: bool) -> Vec<Vec<Button>> {
    let tag = || NodeTag::of(&node);
    if is_down {
        return vec![vec![button(Key::Refresh, Press::Card(tag())), button(Key::ToList, Press::List { page: 0 })]];
    }
    vec![
        vec![button(Key::Refresh, Press::Card(tag())), button(Key::Speedtest, Press::Speedtest(tag()))],
        vec![button(Key::Reboot, Press::AskReboot(tag())), button(Key::ToList, Press::List { page: 0 })],
    ]
}

fn figures(stats: Stats, controller: String) -> Figures {
    let why = |figure: &str| stats.why(figure).or_else(|| stats.why("all")).unwrap_or_default().to_string();
    Figures {
        cpu: stats.cpu_percent.map(|percent| (percent, stats.cores_percent.len())).ok_or_else(|| why("cpu")),
        load: stats.load.ok_or_else(|| why("load")),
        mem: stats.mem_used.zip(stats.mem_total).ok_or_else(|| why("memory")),
        swap: stats.swap_used.zip(stats.swap_total).ok_or_else(|| why("swap")),
        net: stats.net_rates().ok_or_else(|| why("net")),
        disks_missing: stats.why("disks").map(Into::into),
        uptime_s: stats.uptime_s.ok_or_else(|| why("uptime")),
        age_s: stats.age_s,
        disks: fullest(stats.disks),
        controller,
        agent: stats.agent_version,
    }
}

/// The root, then the fullest others. An agent of protocol 1 tells them in another order, and a device that is mounted twice twice.
fn fullest(mut disks: Vec<constella_shared::agent::Disk>) -> Vec<Disk> {
    disks.retain(|disk| disk.percent().is_some());
    disks.sort_by_key(|disk| disk.mount.len());
    let mut known = BTreeSet::new();
    disks.retain(|disk| known.insert(disk.device.clone()));
    let percent = |disk: &constella_shared::agent::Disk| disk.percent().unwrap_or(0.0);
    disks.sort_by(|a, b| {
        (b.mount == "/")
            .cmp(&(a.mount == "/"))
            .then(percent(b).total_cmp(&percent(a)))
            .then_with(|| a.mount.cmp(&b.mount))
    });
    disks.truncate(DISKS);
    let row = |disk: constella_shared::agent::Disk| Disk {
        percent: rounded_up(percent(&disk)),
        mount: disk.mount,
        used: disk.used,
        total: disk.total,
    };
    disks.into_iter().map(row).collect()
}

/// As `df` does. The core has no `ceil`; the value is a percentage, which fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100 before")]
fn rounded_up(percent: f32) -> u8 {
    let whole = percent.clamp(0.0, 100.0) as u8;
    whole + u8::from(f32::from(whole) < percent.min(100.0))
}

fn last_test(test: SpeedtestState, now_unix_s: u64) -> LastSpeedtest {
    match test {
        SpeedtestState::Idle => LastSpeedtest::Never,
        SpeedtestState::Running { .. } => LastSpeedtest::Running,
        SpeedtestState::Done { at_unix_s, figures, .. } => {
            LastSpeedtest::Done { ago_ms: now_unix_s.saturating_sub(at_unix_s).saturating_mul(1_000), figures }
        }
        SpeedtestState::Failed { message, .. } => LastSpeedtest::Failed { message },
    }
}

/// The hours that a card's graphs reach back.
const HOURS: u32 = 6;

/// What is there after this is shown: a tap that shows nothing for longer feels lost.
const EARLY_MS: u64 = 700;

/// A node that has not answered by then is shown without figures.
const TIMEOUT: Duration = Duration::from_secs(3);

/// File systems on a card.
const DISKS: usize = 4;
