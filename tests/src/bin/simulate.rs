//! Simulates networks in virtual time and tells whether a rule was broken: `simulate --nodes 5 --hours 50 --seed 1`.

#![forbid(unsafe_code)]

#[path = "simulate/play.rs"]
mod play;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use constella_tests::sim::{
    BLOWS, Beat, Blow, Calm, Ending, Fault, Figures, Plan, Scenario, Struck, Wire, calm, measure, strike_over,
};

/// Simulates networks in virtual time.
#[derive(Debug, Parser)]
struct Options {
    /// Nodes of the network; several numbers with commas between take turns from seed to seed.
    #[arg(long, default_value = "5", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1_000))]
    nodes: Vec<u16>,
    /// Node-hours in all, over all seeds.
    #[arg(long, default_value_t = 50.0)]
    hours: f64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seeds from..to (the last one left out); each runs its share of the hours, or the scenario in place of the file's own seed.
    #[arg(long)]
    seeds: Option<String>,
    /// Minutes of one run, where no seeds are named.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Which faults: all, none, or words with commas between, each with its own rate if wanted (cut=60: about once in 60 s).
    #[arg(long, default_value = "all")]
    faults: String,
    /// Plays this file instead.
    #[arg(long)]
    scenario: Option<PathBuf>,
    /// Strikes the leader in each way, over so many seeds, and prints how long the owner waited.
    #[arg(long)]
    strikes: Option<u64>,
    /// With `--strikes`: another `HEARTBEAT_INTERVAL`, milliseconds.
    #[arg(long, default_value_t = Beat::default().heartbeat_ms)]
    heartbeat_ms: u64,
    /// With `--strikes`: another `BOT_LEASE_TTL`, milliseconds.
    #[arg(long, default_value_t = Beat::default().lease_ttl_ms)]
    lease_ttl_ms: u64,
    /// Leaves a network alone for the hours, seed by seed, and counts what happens all the same.
    #[arg(long)]
    calm: bool,
    /// With `--strikes` and `--calm`: the ways between the nodes are so much longer, there and back, milliseconds.
    #[arg(long, default_value_t = 0)]
    round_trip_ms: u64,
    /// With `--strikes` and `--calm`: of a hundred packets so many are lost, and sent again.
    #[arg(long, default_value_t = 0)]
    loss: u64,
    /// Measures calm networks of these sizes, with commas between.
    #[arg(long)]
    sizes: Option<String>,
    /// Prints everything that happens.
    #[arg(long)]
    log: bool,
    /// Do not look for a shorter trace of a failure.
    #[arg(long)]
    no_shrink: bool,
}

/// What all runs came to.
#[derive(Debug, Default)]
struct Total {
    figures: Figures,
    node_ms: u64,
    commands: usize,
    begun_twice: usize,
    whole_ms: Vec<u64>,
    answers: Vec<u64>,
    failed: Vec<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    if let Some(path) = &options.scenario {
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let scenario = Scenario::read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        return match options.seeds {
            Some(_) => play_seeds(&scenario, seeds(options)?),
            None => Ok(play::play(&scenario, options.log)),
        };
    }
    if let Some(seeds) = options.strikes {
        return Ok(strikes(options, seeds));
    }
    if options.calm {
        return left_alone(options);
    }
    if let Some(sizes) = &options.sizes {
        return sized(sizes, options.seed);
    }
    let faults = Fault::read(&options.faults)?;
    let (from, to) = seeds(options)?;
    let total = Mutex::new(Total::default());
    let began = Instant::now();
    each((from, to), |seed| {
        let nodes = options.nodes_of(seed);
        let plan = Plan { seed, nodes, for_ms: for_ms(options, nodes, to - from), faults: faults.clone() };
        one(&plan, options, &total);
    });
    let total = total.into_inner().map_err(|_| "a run panicked".to_owned())?;
    report(&total, from, to, options, began.elapsed().as_secs_f64());
    Ok(total.failed.is_empty())
}

impl Options {
    fn wire(&self) -> Wire {
        Wire { round_trip_ms: self.round_trip_ms, loss: self.loss.saturating_mul(10_000) }
    }

    fn nodes_of(&self, seed: u64) -> usize {
        let turn = usize::try_from(seed).unwrap_or(0) % self.nodes.len().max(1);
        self.nodes.get(turn).copied().map_or(5, usize::from)
    }
}

/// The seeds: as they are named, or as many as it takes to fill the hours with runs of some minutes.
fn seeds(options: &Options) -> Result<(u64, u64), String> {
    if let Some(range) = &options.seeds {
        let (from, to) = range.split_once("..").ok_or("seeds are from..to")?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is no seed"));
        let (from, to) = (number(from)?, number(to)?);
        return if from < to { Ok((from, to)) } else { Err(format!("there is no seed in {range}")) };
    }
    let (mut to, mut hours) = (options.seed, 0.0);
    while hours < options.hours {
        hours += options.minutes.max(1.0) / 60.0 * f64::from(u32::try_from(options.nodes_of(to)).unwrap_or(1));
        to += 1;
    }
    Ok((options.seed, to.max(options.seed + 1)))
}

/// How long one run of so many nodes lasts, where so many seeds share the hours.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "hours of a run"
)]
fn for_ms(options: &Options, nodes: usize, seeds: u64) -> u64 {
    let share_ms = options.hours * 3_600_000.0 / nodes.max(1) as f64;
    let ms =
        if options.seeds.is_some() { share_ms / seeds.max(1) as f64 } else { share_ms.min(options.minutes * 60_000.0) };
    ms as u64
}

fn one(plan: &Plan, options: &Options, total: &Mutex<Total>) {
    let scenario = Scenario::random(plan);
    let outcome = scenario.run(options.log);
    if options.log {
        println!("{}", outcome.log.join("\n"));
    }
    let failure = outcome.end.as_ref().err().map(|broken| {
        let short = if options.no_shrink { scenario.clone() } else { scenario.shrink(broken) };
        let again = short.run(false).end.err();
        let what = again.as_ref().unwrap_or(broken);
        let trace = if options.no_shrink { String::new() } else { short.write() };
        // A comment before the scenario: what is printed is the file that replays it.
        format!("# seed {}: rule {} broken at {} ms: {}\n{trace}", plan.seed, what.rule, what.at_ms, what.what)
    });
    let Ok(mut total) = total.lock() else { return };
    total.node_ms += outcome.took_ms * plan.nodes as u64;
    total.figures.add(&outcome.figures);
    total.answers.extend(outcome.answers.iter().flatten());
    match outcome.end {
        Ok(ending) => total.ended(&ending),
        Err(_) => total.failed.push(plan.seed),
    }
    if let Some(failure) = failure {
        println!("{failure}");
    }
}

impl Total {
    fn ended(&mut self, ending: &Ending) {
        self.commands += ending.commands;
        self.begun_twice += ending.begun_twice;
        self.whole_ms.push(ending.whole_after_ms);
    }
}

/// Every seed once, on all cores.
fn each((from, to): (u64, u64), run: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(from);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        break;
                    }
                    run(seed);
                }
            });
        }
    });
}

/// The same with other chances: each seed's longest wait of the owner, its conflicts, and what broke.
fn play_seeds(scenario: &Scenario, (from, to): (u64, u64)) -> Result<bool, String> {
    let runs = Mutex::new(BTreeMap::new());
    each((from, to), |seed| {
        let outcome = Scenario { seed, ..scenario.clone() }.run(false);
        if let Ok(mut runs) = runs.lock() {
            runs.insert(seed, outcome);
        }
    });
    let runs = runs.into_inner().map_err(|_| "a run panicked".to_owned())?;
    println!("{}", scenario.about);
    for (seed, outcome) in &runs {
        let conflicts = outcome.figures.all_conflicts();
        let longest = Duration::from_millis(outcome.answers.iter().flatten().copied().max().unwrap_or_default());
        let verdict = outcome.end.as_ref().err().map_or_else(
            || "no rule broken".to_owned(),
            |broken| format!("rule {} broken at {} ms: {}", broken.rule, broken.at_ms, broken.what),
        );
        println!("seed {seed}: longest wait {:.2} s, {conflicts} conflicts: {verdict}", longest.as_secs_f64());
    }
    let failed: Vec<u64> = runs.iter().filter(|(_, outcome)| outcome.end.is_err()).map(|(seed, _)| *seed).collect();
    let clean = runs.values().filter(|outcome| outcome.figures.all_conflicts() == 0).count();
    let verdict =
        if failed.is_empty() { "no rule broken".to_owned() } else { format!("RULES BROKEN by seeds {failed:?}") };
    println!("played with seeds {from}..{to}, {clean} of {} without a conflict: {verdict}", runs.len());
    Ok(failed.is_empty())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(total: &Total, from: u64, to: u64, options: &Options, took_s: f64) {
    let hours = total.node_ms as f64 / 3_600_000.0;
    let figures = &total.figures;
    println!("done to the network: {:?}", figures.acts);
    println!("conflicts, by the last fault before: {:?}", figures.conflicts);
    println!("whole again after {}", spread(total.whole_ms.clone()));
    println!("commands answered after {}", spread(total.answers.clone()));
    println!("views shown after {}", spread(figures.views.clone()));
    println!(
        "{} commands ({} begun by more than one node), {} reboots, {} crashes, {} long polls",
        total.commands, total.begun_twice, figures.reboots, figures.crashes, figures.polls
    );
    let [raises, sounds, notes, repeats, downs] = figures.told;
    println!(
        "alerts: {downs} nodes said to be down, {raises} messages ({repeats} a second time), {notes} notes, {sounds} sounds"
    );
    println!(
        "per node and second: {:.1} steps, {:.1} requests, {:.3} writes; {:.3} s of CPU per node-hour",
        figures.steps as f64 / (hours * 3_600.0),
        figures.messages as f64 / (hours * 3_600.0),
        figures.writes as f64 / (hours * 3_600.0),
        took_s * std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64) / hours.max(1e-9)
    );
    let verdict = if total.failed.is_empty() {
        "no rule broken".to_owned()
    } else {
        format!("RULES BROKEN by seeds {:?}", total.failed)
    };
    let nodes: Vec<String> = options.nodes.iter().map(u16::to_string).collect();
    let (nodes, faults) = (nodes.join(", "), &options.faults);
    println!(
        "simulated {hours:.1} node-hours of {nodes} nodes, faults {faults}, seeds {from}..{to}, in {took_s:.1} s: {verdict}"
    );
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn spread(mut ms: Vec<u64>) -> String {
    ms.sort_unstable();
    let at = |share: usize| {
        let index = (ms.len() * share / 1_000).min(ms.len().saturating_sub(1));
        ms.get(index).map_or(0.0, |value| *value as f64 / 1_000.0)
    };
    format!("{:.2} s median, {:.2} s p99, {:.2} s worst of {}", at(500), at(990), at(1_000), ms.len())
}

/// One row for each blow; false where a rule was broken.
fn strikes(options: &Options, seeds: u64) -> bool {
    let mut good = true;
    let beat = Beat { heartbeat_ms: options.heartbeat_ms, lease_ttl_ms: options.lease_ttl_ms };
    for blow in BLOWS {
        let results: Mutex<Vec<Struck>> = Mutex::new(Vec::new());
        each((options.seed, options.seed + seeds), |seed| {
            let struck = strike_over(options.wire(), seed, options.nodes_of(0), blow, beat);
            if let Some(broken) = &struck.broken {
                println!("{blow:?} seed {seed}: rule {} broken at {} ms: {}", broken.rule, broken.at_ms, broken.what);
            }
            if let Ok(mut results) = results.lock() {
                results.push(struck);
            }
        });
        let results = results.into_inner().unwrap_or_default();
        good &= results.iter().all(|struck| struck.broken.is_none());
        row(blow, options.nodes_of(0), &results);
    }
    good
}

/// False where a rule was broken.
fn left_alone(options: &Options) -> Result<bool, String> {
    let (from, to) = seeds(options)?;
    let results: Mutex<Vec<Calm>> = Mutex::new(Vec::new());
    each((from, to), |seed| {
        let minutes = for_ms(options, options.nodes_of(seed), to - from) / 60_000;
        let calm = calm(seed, options.nodes_of(seed), options.wire(), minutes);
        if let Some(broken) = &calm.broken {
            println!("seed {seed}: rule {} broken at {} ms: {}", broken.rule, broken.at_ms, broken.what);
        }
        if let Ok(mut results) = results.lock() {
            results.push(calm);
        }
    });
    let results = results.into_inner().unwrap_or_default();
    let sum = |of: fn(&Calm) -> u64| results.iter().map(of).sum::<u64>();
    let (changes, down, conflicts) = (sum(|calm| calm.failovers), sum(|calm| calm.down), sum(|calm| calm.conflicts));
    let alerts = sum(|calm| calm.alerts);
    let (ms, loss, hours) = (options.round_trip_ms, options.loss, options.hours);
    println!(
        "{ms} ms there and back, {loss} % lost, {hours:.0} node-hours: {changes} changes of leader, {down} s in which somebody was down to another, {alerts} false alerts, {conflicts} conflicts"
    );
    Ok(results.iter().all(|calm| calm.broken.is_none()))
}

fn row(blow: Blow, nodes: usize, results: &[Struck]) {
    let answered: Vec<u64> = results.iter().filter_map(|struck| struck.answered_ms).collect();
    let (all, missing) = (results.len(), results.len() - answered.len());
    let another = results.iter().filter(|struck| struck.by_another).count();
    let conflicts: u64 = results.iter().map(|struck| struck.conflicts).sum();
    let met = results.iter().filter(|struck| struck.conflicts > 0).count();
    println!(
        "{nodes} nodes, leader {:<9} answered after {}; {missing} not within 40 s; by another {another} of {all}; {conflicts} conflicts in {met} runs",
        format!("{blow:?}"),
        spread(answered)
    );
}

fn sized(sizes: &str, seed: u64) -> Result<bool, String> {
    for size in sizes.split(',') {
        let nodes = size.parse().map_err(|_| format!("{size} is no number of nodes"))?;
        let size = measure(nodes, seed);
        println!(
            "{nodes} nodes: {:.2} requests, {:.0} bytes, {:.1} steps and {:.1} us of CPU per node and second; all met after {} s; a new node is known everywhere after {} s, a death after {} s; roster {} bytes, memory of a core {} KiB; {} conflicts",
            size.requests,
            size.bytes,
            size.steps,
            size.cpu_us,
            known(size.met_s),
            known(size.joined_s),
            known(size.detection_s),
            size.roster_bytes,
            size.core_bytes / 1_024,
            size.conflicts
        );
    }
    Ok(true)
}

fn known(after_s: Option<f64>) -> String {
    after_s.map_or_else(|| "more than 120".to_owned(), |seconds| format!("{seconds:.2}"))
}
