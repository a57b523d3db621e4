//! The leader's end, in each of its kinds: how long until another node answers a command that the owner sent after it; what it cost.

use std::time::Duration;

use clap::Args;
use constella_tests::botapi::model::Ms;
use constella_tests::cluster::{Network, Plan, Pulse};
use tokio::time::{Instant, sleep};

use super::Failure;
use super::clock::last_but;
use super::costs::Costs;
use super::figures::Times;
use super::how::How;

/// What is measured.
#[derive(Args, Clone, Copy)]
pub(crate) struct Failover {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=10))]
    pub(crate) nodes: u16,
    /// How many times
    #[arg(long, default_value_t = 10)]
    pub(crate) runs: usize,
    /// What happens to the leader
    #[arg(long, value_enum, default_value_t = How::Kill)]
    pub(crate) how: How,
    /// Print what the Bot API heard in each run, and what the nodes logged
    #[arg(long)]
    pub(crate) trace: bool,
}

impl Failover {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (times, costs) = self.measure().await?;
        println!("{:?}, {} nodes: until another node answers: {}", self.how, self.nodes, times.sentence());
        println!("{}", costs.sentence());
        Ok(())
    }

    /// All runs, on one network.
    pub(crate) async fn measure(self) -> Result<(Times, Costs), Failure> {
        let mut plan = Plan::of(&std::env::current_exe()?, usize::from(self.nodes));
        plan.clocks = self.how.sets_clocks();
        let network = Network::start(plan).await?;
        network.claim().await?;
        let (mut times, mut costs) = (Times::default(), Costs::default());
        let pulse = Pulse::start();
        for run in 1..=self.runs {
            let begun = network.double().now();
            let took = self.once(&network, run, &mut costs).await.inspect_err(|_| self.show(&network, begun, begun))?;
            let late = pulse.worst();
            costs.late = costs.late.max(late);
            eprintln!(
                "run {run} of {}: {:.2} s; itself late by {:.2} s",
                self.runs,
                took.as_secs_f64(),
                late.as_secs_f64()
            );
            times.add(took);
        }
        costs.count(&network);
        Ok((times, costs))
    }

    /// One run, from a settled network to a settled network.
    async fn once(&self, network: &Network, run: usize, costs: &mut Costs) -> Result<Duration, Failure> {
        let first = network.settled(SETTLING).await?;
        let target = confirmation(network, &first).await?;
        let before = network.node(&target)?.reboots().len();
        let since = network.double().now();
        // The last thing that the leader hears of: a command in its hands when it goes, further on its way in each run.
        network.owner().press("Yes").await?;
        sleep(STEP * u32::try_from((run - 1) % STEPS).unwrap_or(0)).await;
        let fault = network.double().now();
        self.how.strike(network, &first)?;
        let struck = Instant::now();
        let took = if self.how.leader_stays(network.nodes().len()) {
            let heal = self.how.heal(network, &first, struck);
            tokio::try_join!(until_answered(network, None, fault), heal)?.0
        } else {
            let took = until_answered(network, Some(&first), fault).await?;
            self.how.heal(network, &first, struck).await?;
            took
        };
        let fate = network.fate(&target, before, since, SETTLING).await;
        network.settled(SETTLING).await?;
        // Telegram's allowance for a chat is full again: a bot that moved twice within seconds would be measured by its 429. And what was told
        // as not known may be done all the same, as soon as its node answers.
        sleep(REST).await;
        self.show(network, since, fault);
        let recorded = network.node(&target)?.reboots().len() - before;
        let read = network.read_of(&target, since).await?;
        costs.end(recorded, &read, fate.err());
        costs.unanswered += unconfirmed(network).await;
        Ok(took)
    }

    /// With `--trace`: what the Bot API heard and showed since then, in milliseconds from the fault, and the ends of the logs.
    fn show(&self, network: &Network, since: Ms, fault: Ms) {
        if !self.trace {
            return;
        }
        let from_fault = |at: Ms| i128::from(at.0) - i128::from(fault.0);
        let stats = network.double().stats();
        for call in stats.calls.iter().filter(|call| call.answered.is_none_or(|at| at >= since)) {
            let status = call.status.map_or_else(|| "waits".to_owned(), |status| status.to_string());
            let answered = call.answered.map_or_else(String::new, |at| from_fault(at).to_string());
            let (at, prefix, method) = (from_fault(call.at), &call.source.prefix, &call.method);
            let unheard = if call.unheard { ", unheard" } else { "" };
            let text = stats.shown.iter().find(|shown| shown.call == call.id);
            let text = text.map_or_else(String::new, |shown| format!(": {}", shown.text.replace('\n', " / ")));
            eprintln!("{at:>7} {answered:>7} {status} {prefix} {method}{unheard}{text}");
        }
        for node in network.nodes() {
            eprintln!("{}", node.log_tail());
        }
    }
}

/// Opens the confirmation of a reboot of some node that does not lead; returns its name.
pub(crate) async fn confirmation(network: &Network, leader: &str) -> Result<String, Failure> {
    let target = last_but(network, leader)?.name().to_owned();
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

/// The owner keeps writing until a node (another one than `but`) sends an answer; by the double's clock, from the fault to that answer.
pub(crate) async fn until_answered(network: &Network, but: Option<&str>, fault: Ms) -> Result<Duration, Failure> {
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
                && but.is_none_or(|leader| call.source.prefix != leader)
                && call.status == Some(200)
                && call.method.eq_ignore_ascii_case("sendMessage")
        };
        let first = stats.calls.iter().filter(is_answer).filter_map(|call| call.answered).min();
        if let Some(answered) = first {
            return Ok(Duration::from_millis(answered.0.saturating_sub(fault.0)));
        }
        sleep(LOOK).await;
    }
    Err(format!("nobody but {but:?} answered within {SETTLING:?}").into())
}

/// Updates that nobody has confirmed, some time after the network settled.
pub(crate) async fn unconfirmed(network: &Network) -> usize {
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
/// After each run.
const REST: Duration = Duration::from_secs(12);
/// From the press on the confirmation to the fault: none in the first run, then so much more in each, from the beginning after so many.
const STEP: Duration = Duration::from_millis(15);
const STEPS: usize = 5;
/// An owner who reads what will happen.
const READING: Duration = Duration::from_millis(500);
/// An impatient owner.
const WRITING: Duration = Duration::from_secs(1);
/// For the last update to be confirmed: a poll that waits is the confirmation.
const CONFIRMING: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(20);
