//! A node's card: four questions at once, shown as soon as the figures are there or a moment has passed, and again when all is there.

mod words;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::agent::{SeriesKind, SpeedtestState, Stats};
use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::{Request, Response};

use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet, Source};
use crate::bot::desk::job::Job;
use crate::bot::desk::room::{Kind, Room, Task, Then, ToCome, Visit, Wish, node_of};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::graph::{COLUMNS, Graph, Scale};
use crate::bot::kit::page::{Body, Button, Card, Disk, Figures, LastSpeedtest, Row};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::why::{why, why_unexpected};
use crate::bot::kit::world::World;
use crate::io::CallError;

/// Cards.
#[derive(Debug)]
pub(super) struct CardRoom;

impl Room for CardRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::CARD]
    }

    fn kind(&self, _wish: &Wish) -> Kind {
        Kind::View
    }

    fn in_short(&self, world: &World, press: &Press) -> String {
        node_of(world, press.rest()).map_or_else(|_| "…".to_string(), |node| world.name_of(node))
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let Wish::Pressed(press) = visit.wish else { return Then::Go(ways::list(0)) };
        match node_of(step.world, press.rest()) {
            Ok(node) => {
                let mut gather = Gather::new(node, visit.bring);
                gather.ask(desk, step, visit.job);
                Then::Work(Box::new(gather))
            }
            Err(why) => {
                step.toast(why);
                Then::Go(ways::list(0))
            }
        }
    }

    /// A card could not be shown for long: its figures are asked for anew as soon as Telegram takes a message, which says so until then.
    fn redraw(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, source: &Source) {
        let mut gather = match (node_of(step.world, source.press.rest()), source.by) {
            (Ok(node), Some(by)) if desk.has(by) => Gather::new(node, false),
            // It was shown before, and only a notice was added since.
            (Ok(_) | Err(_), _) => {
                desk.draw_again(step, sheet);
                return;
            }
        };
        let Some(by) = source.by else { return };
        let version = desk.draw(step, sheet, gather.drawing(step.world).watched(by).anew(NAME, source.press.clone()));
        gather.waits_for = Some(version);
        desk.work_again(NAME, by, Box::new(gather));
    }
}

/// What is known for a card.
#[derive(Debug)]
struct Gather {
    node: NodeId,
    bring: bool,
    /// The screen after which the figures are asked for; None where they are asked for already.
    waits_for: Option<Version>,
    /// Questions without an answer.
    open: u8,
    /// When what is there is shown, whatever is missing; None once it was.
    early_at: Option<u64>,
    /// The screen that showed what was there.
    first: Option<Version>,
    figures: Option<Result<Figures, Say>>,
    cpu: Option<Graph>,
    received: Option<Graph>,
    sent: Option<Graph>,
    speedtest: Option<LastSpeedtest>,
}

/// A figure of a card: what is asked for, under its place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    /// `GetStats`.
    Stats,
    /// `GetTS cpu`.
    Cpu,
    /// `GetTS net`.
    Net,
    /// `GetSpeedtest`.
    Test,
}

impl Figure {
    const ALL: [Self; 4] = [Self::Stats, Self::Cpu, Self::Net, Self::Test];

    const fn request(self) -> Request {
        match self {
            Self::Stats => Request::GetStats {},
            Self::Cpu => Request::GetTs { kind: SeriesKind::Cpu, hours: HOURS, points: Some(POINTS) },
            Self::Net => Request::GetTs { kind: SeriesKind::Net, hours: HOURS, points: Some(POINTS) },
            Self::Test => Request::GetSpeedtest {},
        }
    }
}

impl Task for Gather {
    /// Shows what is there, where it is time.
    fn due(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) -> Option<Then> {
        if !desk.is_watched(job.command.id) {
            // The owner looks at something else by now.
            return Some(Then::shown(desk.latest()));
        }
        if self.waits_for.is_some_and(|version| desk.is_settled(version)) {
            self.waits_for = None;
            self.ask(desk, step, job);
        }
        if self.early_at.is_some_and(|at| at <= step.world.now.boot_ms) {
            self.early_at = None;
            self.first = Some(self.draw(desk, step, job));
        }
        None
    }

    fn answered(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, tag: u64, answer: Answer) -> Option<Then> {
        let now_unix_s = step.world.now.unix_ms / 1_000;
        self.open = self.open.saturating_sub(1);
        let figure = usize::try_from(tag).ok().and_then(|at| Figure::ALL.get(at).copied());
        if let Some(figure) = figure {
            self.take(figure, answer.peer(), now_unix_s);
        }
        if !desk.is_watched(job.command.id) {
            // The owner looks at something else by now.
            return Some(Then::shown(desk.latest()));
        }
        if self.open > 0 {
            return None;
        }
        let version = self.draw(desk, step, job);
        desk.unwatch();
        Some(Then::shown(version))
    }

    fn deadline(&self) -> Option<u64> {
        self.early_at
    }

    fn showed(&self) -> Option<Version> {
        self.first
    }

    /// Its first screen may be a new message.
    fn to_come(&self) -> ToCome {
        if self.bring && self.early_at.is_some() { ToCome::Screen } else { ToCome::Nothing }
    }

    fn may_be_late(&self) -> bool {
        true
    }
}

impl Gather {
    /// Nothing is known yet, and nothing was asked.
    const fn new(node: NodeId, bring: bool) -> Self {
        let (figures, cpu, received, sent, speedtest) = (None, None, None, None, None);
        Self {
            node,
            bring,
            waits_for: None,
            open: 0,
            early_at: None,
            first: None,
            figures,
            cpu,
            received,
            sent,
            speedtest,
        }
    }

    /// Asks for all that a card shows.
    fn ask(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) {
        self.open = 0;
        self.early_at = Some(step.world.now.boot_ms + EARLY_MS);
        for (tag, figure) in (0..).zip(Figure::ALL) {
            self.open += 1;
            desk.ask_for_task(step, (job.command.id, tag), self.node, figure.request(), TIMEOUT);
        }
        desk.watch(job.command.id);
    }

    fn draw(&mut self, desk: &mut Desk, step: &Step<'_>, job: &Job) -> Version {
        let bring = core::mem::take(&mut self.bring);
        let sheet = desk.sheet(step, &job.command, bring);
        let drawing = self.drawing(step.world).watched(job.command.id).anew(NAME, ways::card(self.node));
        desk.draw(step, sheet, drawing)
    }

    fn drawing(&self, world: &World) -> Drawing {
        Drawing::new(self.body(world), card_buttons(self.node, world.is_down(self.node)))
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
        let Some(node) = world.row(self.node) else {
            return Body::Says(vec![Say::new(Key::NodeGone)]);
        };
        Body::Card(Box::new(Card {
            row: Row::of(world, node),
            figures: self.figures.clone().unwrap_or_else(|| Err(Say::new(Key::Loading))),
            cpu: self.cpu.clone(),
            received: self.received.clone(),
            sent: self.sent.clone(),
            hours: HOURS,
            speedtest: self.speedtest.clone(),
        }))
    }
}

fn card_buttons(node: NodeId, is_down: bool) -> Vec<Vec<Button>> {
    let refresh = button(Key::Refresh, ways::card(node));
    let manage = button(Key::Manage, ways::manage(node));
    if is_down {
        return vec![vec![refresh], vec![manage, ways::to_list()]];
    }
    vec![
        vec![refresh, button(Key::Charts, ways::chart(node))],
        vec![button(Key::Speedtest, ways::speedtest(node)), button(Key::Thresholds, ways::thresholds(Some(node)))],
        vec![button(Key::Reboot, ways::ask_reboot(node)), manage],
        vec![ways::to_list()],
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

/// Its name.
const NAME: &str = "card";

/// The hours that a card's graphs reach back.
const HOURS: u32 = 6;

/// Points of a card's graphs: some for each of their columns, so that a column's mean and peak are those of its own time.
const POINTS: u32 = 4 * COLUMNS as u32;

/// What is there after this is shown: a tap that shows nothing for longer feels lost.
const EARLY_MS: u64 = 700;

/// A node that has not answered by then is shown without figures.
const TIMEOUT: Duration = Duration::from_secs(3);

/// File systems on a card.
const DISKS: usize = 4;
