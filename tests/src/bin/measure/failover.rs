//! The leader's end, in each of its kinds: how long until another node answers a command that the owner sent after it; what it cost.

use std::time::Duration;

use clap::{Args, ValueEnum};
use constella_tests::botapi::model::Ms;
use constella_tests::botapi::server::{Fault, Target};
use constella_tests::cluster::{Cut, Fate, Network, Plan};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use super::Failure;
use super::figures::Times;

/// What is measured.
#[derive(Args)]
pub(crate) struct Failover {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=10))]
    nodes: u16,
    /// How many times
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// What happens to the leader
    #[arg(long, value_enum, default_value_t = How::Kill)]
    how: How,
    /// Print what the Bot API heard in each run, and what the nodes logged
    #[arg(long)]
    trace: bool,
}

/// What happens to the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum How {
    /// kill -9, agent too: a power cut
    Kill,
    /// SIGTERM to the controller
    Term,
    /// SIGSTOP for 20 s
    Freeze,
    /// Cut off from all other nodes for 30 s, silently; all reach the Bot API
    Cut,
    /// The Bot API refuses it
    ApiRefused,
    /// Its packets to the Bot API vanish
    ApiSilent,
}

/// What the runs together cost.
#[derive(Debug, Default)]
struct Costs {
    conflicts: usize,
    commands: usize,
    destroyed: usize,
    unanswered: usize,
    reboots: usize,
    recorded: usize,
    told: usize,
    lost: usize,
    twice: usize,
}

impl Failover {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let network = Network::start(Plan::of(&std::env::current_exe()?, usize::from(self.nodes))).await?;
        network.claim().await?;
        let (mut times, mut costs) = (Times::default(), Costs::default());
        for run in 1..=self.runs {
            // Telegram's allowance for a chat is full again: a bot that moved twice within seconds would be measured by its 429.
            sleep(REST).await;
            let begun = network.double().now();
            let took = self.once(&network, &mut costs).await.inspect_err(|_| self.show(&network, begun, begun))?;
            eprintln!("run {run} of {}: {:.2} s", self.runs, took.as_secs_f64());
            times.add(took);
        }
        let stats = network.double().stats();
        costs.conflicts = stats.conflicts_heard();
        costs.commands = stats.ledger.updates.len();
        costs.destroyed = stats.destroyed;
        println!("{:?}, {} nodes: until another node answers: {}", self.how, self.nodes, times.sentence());
        println!(
            "409s {}; updates {}, destroyed {}, never confirmed {}; reboots confirmed {}, recorded {}, told not done or unknown {}, lost {}, twice {}",
            costs.conflicts,
            costs.commands,
            costs.destroyed,
            costs.unanswered,
            costs.reboots,
            costs.recorded,
            costs.told,
            costs.lost,
            costs.twice
        );
        Ok(())
    }

    /// One run, from a settled network to a settled network.
    async fn once(&self, network: &Network, costs: &mut Costs) -> Result<Duration, Failure> {
        let first = network.settled(SETTLING).await?;
        let target = confirmation(network, &first).await?;
        let before = network.node(&target)?.reboots().len();
        let since = network.double().now();
        // The last thing that the leader hears of: a command in its hands when it goes.
        network.owner().press("Yes").await?;
        let fault = network.double().now();
        self.strike(network, &first)?;
        let struck = Instant::now();
        let took = until_another_answers(network, &first, fault).await?;
        self.heal(network, &first, struck).await?;
        costs.reboots += 1;
        match network.fate(&target, before, since, SETTLING).await {
            Ok(Fate::Recorded(times)) => {
                costs.recorded += 1;
                costs.twice += times - 1;
            }
            Ok(Fate::Told) => costs.told += 1,
            Err(error) => {
                eprintln!("{error}");
                costs.lost += 1;
            }
        }
        network.settled(SETTLING).await?;
        self.show(network, since, fault);
        costs.unanswered += unconfirmed(network).await;
        let again = network.node(&target)?.reboots().len() - before;
        costs.twice += again.saturating_sub(1);
        Ok(took)
    }

    /// With `--trace`: what the Bot API heard since then, in milliseconds from the fault, and the ends of the logs.
    fn show(&self, network: &Network, since: Ms, fault: Ms) {
        if !self.trace {
            return;
        }
        let from_fault = |at: Ms| i128::from(at.0) - i128::from(fault.0);
        for call in network.double().stats().calls.iter().filter(|call| call.answered.is_none_or(|at| at >= since)) {
            let status = call.status.map_or_else(|| "waits".to_owned(), |status| status.to_string());
            let answered = call.answered.map_or_else(String::new, |at| from_fault(at).to_string());
            let (at, prefix, method) = (from_fault(call.at), &call.source.prefix, &call.method);
            let unheard = if call.unheard { ", unheard" } else { "" };
            eprintln!("{at:>7} {answered:>7} {status} {prefix} {method}{unheard}");
        }
        for node in network.nodes() {
            eprintln!("{}", node.log_tail());
        }
    }

    fn strike(&self, network: &Network, leader: &str) -> Result<(), Failure> {
        let node = network.node(leader)?;
        let target = Target::Prefix(leader.to_owned());
        match self.how {
            How::Kill => node.kill()?,
            How::Term => node.signal(Signal::SIGTERM)?,
            How::Freeze => node.signal(Signal::SIGSTOP)?,
            How::Cut => network.wires().isolate(node.index(), network.nodes().len(), Cut::Silent),
            How::ApiRefused => network.double().fault(target, Fault::Refuse),
            How::ApiSilent => network.double().fault(target, Fault::Silent),
        }
        Ok(())
    }

    /// Ends the fault, where it has an end of its own not before that.
    async fn heal(&self, network: &Network, leader: &str, struck: Instant) -> Result<(), Failure> {
        let node = network.node(leader)?;
        match self.how {
            How::Kill => node.start()?,
            How::Term => {
                let ended = async {
                    while node.is_running() {
                        sleep(LOOK).await;
                    }
                };
                tokio::time::timeout(SETTLING, ended).await.map_err(|_| "the leader does not stop")?;
                node.start()?;
            }
            How::Freeze => {
                tokio::time::sleep_until(struck + FROZEN).await;
                node.signal(Signal::SIGCONT)?;
            }
            How::Cut => {
                tokio::time::sleep_until(struck + CUT).await;
                network.wires().heal();
            }
            How::ApiRefused | How::ApiSilent => network.double().heal_all(),
        }
        Ok(())
    }
}

/// Opens the confirmation of a reboot of some node that does not lead; returns its name.
async fn confirmation(network: &Network, leader: &str) -> Result<String, Failure> {
    let target = network.nodes().iter().map(|node| node.name()).rfind(|name| *name != leader);
    let target = target.ok_or("there is no follower")?.to_owned();
    let owner = network.owner();
    owner.ask("/nodes", SETTLING).await?;
    for (label, next) in [(target.as_str(), "Reboot"), ("Reboot", "Yes")] {
        owner.sees(label, SETTLING, |message| message.labels().iter().any(|shown| shown.contains(label))).await?;
        owner.press(label).await?;
        owner.sees(next, SETTLING, |message| message.labels().iter().any(|shown| shown.contains(next))).await?;
    }
    // The leader asks the node for its boot id while the owner reads.
    sleep(READING).await;
    Ok(target)
}

/// The owner keeps writing until another node sends an answer; by the double's clock, from the fault to that answer.
async fn until_another_answers(network: &Network, leader: &str, fault: Ms) -> Result<Duration, Failure> {
    let by = Instant::now() + SETTLING;
    let mut write_at = Instant::now();
    while Instant::now() < by {
        if Instant::now() >= write_at {
            network.owner().write("/nodes").await?;
            write_at = Instant::now() + WRITING;
        }
        let stats = network.double().stats();
        // Each /nodes is answered by a message of its own, so an edit is not taken for an answer.
        let is_answer = |call: &&constella_tests::botapi::model::CallRecord| {
            call.at >= fault
                && call.source.prefix != leader
                && call.status == Some(200)
                && call.method.eq_ignore_ascii_case("sendMessage")
        };
        let first = stats.calls.iter().filter(is_answer).filter_map(|call| call.answered).min();
        if let Some(answered) = first {
            return Ok(Duration::from_millis(answered.0.saturating_sub(fault.0)));
        }
        sleep(LOOK).await;
    }
    Err(format!("nobody but {leader} answered within {SETTLING:?}").into())
}

/// Updates that nobody has confirmed, some time after the network settled.
async fn unconfirmed(network: &Network) -> usize {
    let by = Instant::now() + CONFIRMING;
    loop {
        let pending = network.double().summary().pending;
        if pending == 0 || Instant::now() >= by {
            return pending;
        }
        sleep(LOOK).await;
    }
}

/// For a network to settle: a killed leader that comes back waits longer each time before it leads again (L6).
const SETTLING: Duration = Duration::from_secs(180);
/// Between two runs.
const REST: Duration = Duration::from_secs(12);
/// How long a frozen leader is frozen.
const FROZEN: Duration = Duration::from_secs(20);
/// How long a cut lasts.
const CUT: Duration = Duration::from_secs(30);
/// An owner who reads what will happen.
const READING: Duration = Duration::from_millis(500);
/// An impatient owner.
const WRITING: Duration = Duration::from_secs(1);
/// For the last update to be confirmed: a poll that waits is the confirmation.
const CONFIRMING: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(20);
