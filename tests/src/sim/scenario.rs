//! A run as a file that an operator can read, write and replay.

use serde::{Deserialize, Serialize};

use super::act::{Timed, ms};
use super::plan::Plan;
use super::rules::Broken;
use super::setup::Setup;
use super::world::World;
use super::world::end::Ending;

/// A scenario file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is about, one sentence.
    pub about: String,
    /// All chance comes from it.
    #[serde(default)]
    pub seed: u64,
    /// Nodes of each network: alpha, beta, gamma ...
    pub nodes: usize,
    /// Networks that share the bot's token: those of the second are alpha2, beta2 ...
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub networks: usize,
    /// False where boot clocks run exact; else up to 1 % apart from true time.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub drift: bool,
    /// Terms that the network has counted already; who joins has seen none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub terms: u64,
    /// The faults end after so many seconds, and the network must become whole.
    pub heal_s: f64,
    /// False where the network cannot become whole by itself: then only the rules of every step are demanded.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub heals: bool,
    /// What must come out.
    #[serde(default, skip_serializing_if = "Expect::is_empty")]
    pub expect: Expect,
    /// What happens.
    #[serde(default)]
    pub at: Vec<Timed>,
}

/// What must come out of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Every command of the owner is answered within so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_s: Option<f64>,
    /// At most so many 409s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<u64>,
    /// At least so many hosts are told to reboot; that each is by one confirmation and once is a rule anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reboots: Option<u64>,
    /// At least so many nodes poll, one after the other: another takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pollers: Option<usize>,
}

/// What came out of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended, or which rule was broken.
    pub end: Result<Ending, Broken>,
    /// The owner's commands and how they fared.
    pub commands: Vec<String>,
    /// Seconds until each command was first answered.
    pub answers: Vec<Option<u64>>,
    /// What was counted.
    pub figures: super::figures::Figures,
    /// True time at the end, milliseconds.
    pub took_ms: u64,
    /// The log, where it was wanted.
    pub log: Vec<String>,
}

impl Expect {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Scenario {
    /// A random run.
    #[must_use]
    pub fn random(plan: &Plan) -> Self {
        Self {
            about: format!("random faults of seed {}", plan.seed),
            seed: plan.seed,
            nodes: plan.nodes,
            networks: 1,
            drift: plan.drifts(),
            // Every fourth, at each of the numbers of nodes that the seeds take turns with.
            terms: if (plan.seed + plan.seed / 4) % 4 == 3 { OLD_NETWORK } else { 0 },
            heal_s: super::world::seconds(plan.for_ms),
            heals: true,
            expect: Expect::default(),
            at: plan.acts(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// One sentence that says what cannot be read.
    pub fn read(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The file.
    #[must_use]
    pub fn write(&self) -> String {
        let acts: Vec<String> = self.at.iter().map(line).collect();
        let head = Self { at: Vec::new(), ..self.clone() };
        let head = toml::to_string(&head).unwrap_or_default().replace("at = []\n", "");
        // The list first: what follows a table in TOML belongs to it.
        let (plain, tables) = head.split_at(head.find('[').unwrap_or(head.len()));
        format!("{plain}at = [\n{}]\n{tables}", acts.concat())
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self, with_log: bool) -> Outcome {
        let setup = Setup {
            networks: self.networks,
            drift: self.drift,
            terms: self.terms,
            ..Setup::new(self.seed, self.nodes)
        };
        let mut world = World::new(&setup);
        if with_log {
            world.keep_log();
        }
        for Timed { s, act } in &self.at {
            world.plan(ms(*s), act.clone());
        }
        world.run_until(ms(self.heal_s));
        let end = match world.broken().cloned() {
            Some(broken) => Err(broken),
            None => {
                world.heal();
                if self.heals { world.finish() } else { Ok(world.ending_now()) }
            }
        };
        let end = end.and_then(|ending| self.judge(&world, ending));
        Outcome {
            end,
            commands: world.commands(),
            answers: world.answers(),
            figures: super::figures::Figures { views: world.views(), told: world.told(), ..world.figures().clone() },
            took_ms: world.now_ms(),
            log: world.take_log(),
        }
    }

    fn judge(&self, world: &World, ending: Ending) -> Result<Ending, Broken> {
        let at_ms = world.now_ms();
        if let Some(most) = self.expect.conflicts
            && world.figures().all_conflicts() > most
        {
            let what = format!("{} conflicts, at most {most} expected", world.figures().all_conflicts());
            return Err(Broken { at_ms, rule: "expect", what });
        }
        if let Some(least) = self.expect.reboots.filter(|least| world.figures().reboots < *least) {
            let what = format!("{} reboots, at least {least} expected", world.figures().reboots);
            return Err(Broken { at_ms, rule: "expect", what });
        }
        let pollers = &world.figures().pollers;
        if let Some(least) = self.expect.pollers.filter(|least| pollers.len() < *least) {
            let what = format!("only {pollers:?} polled, at least {least} nodes expected");
            return Err(Broken { at_ms, rule: "expect", what });
        }
        if let Some(most_s) = self.expect.answer_s {
            let late = |answer: &Option<u64>| answer.is_none_or(|answer| answer > ms(most_s));
            if let Some(which) = world.answers().iter().position(late) {
                let what = world.commands().get(which).cloned().unwrap_or_default();
                return Err(Broken { at_ms, rule: "expect", what: format!("not within {most_s} s:{what}") });
            }
        }
        Ok(ending)
    }

    /// A shorter scenario that breaks the same rule: acts are left out, many at first, then single ones.
    #[must_use]
    pub fn shrink(&self, broken: &Broken) -> Self {
        let mut best = self.clone();
        best.at.retain(|timed| ms(timed.s) <= broken.at_ms);
        if let Some(shorter) = best.fails_like(broken) {
            best = shorter;
        } else {
            best = self.clone();
        }
        let mut tries = 0;
        let mut chunk = best.at.len().div_ceil(2);
        while chunk > 0 && tries < MOST_TRIES {
            let mut from = 0;
            while from < best.at.len() && tries < MOST_TRIES {
                tries += 1;
                let mut shorter = best.clone();
                shorter.at.drain(from..(from + chunk).min(best.at.len()));
                match shorter.fails_like(broken) {
                    Some(shorter) => best = shorter,
                    None => from += chunk,
                }
            }
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
        best
    }

    /// Itself, ended as early as possible, where it still breaks that rule.
    fn fails_like(&self, broken: &Broken) -> Option<Self> {
        let last = self.at.last().map_or(0.0, |timed| timed.s);
        let mut tried = self.clone();
        tried.heal_s = self.heal_s.min(last + TAIL_S);
        for each in [&tried, self] {
            if each.run(false).end.is_err_and(|found| found.rule == broken.rule) {
                return Some(each.clone());
            }
        }
        None
    }
}

fn line(timed: &Timed) -> String {
    let value = toml::Value::try_from(timed);
    let Ok(toml::Value::Table(table)) = value else { return String::new() };
    let key = |name: &&str| table.contains_key(*name);
    let first = ["s", "do", "node", "from", "to"];
    let rest = table.keys().map(String::as_str).filter(|name| !first.contains(name));
    let named = |name: &str| table.get(name).map(|value| format!("{name} = {value}")).unwrap_or_default();
    let parts: Vec<String> = first.iter().copied().filter(|name| key(name)).chain(rest).map(named).collect();
    format!("  {{ {} }},\n", parts.join(", "))
}

const fn one() -> usize {
    1
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_one(value: &usize) -> bool {
    *value == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_yes(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Terms of a network that is some years old: further than a voter accepts a leap.
const OLD_NETWORK: u64 = 5_000;

/// After the last act the run goes on for so long before everything heals.
const TAIL_S: f64 = 30.0;

/// A shrinking that takes longer is not worth it.
const MOST_TRIES: u32 = 400;
