//! Trouble that is not a leader's end alone: how long the owner waits at most while it lasts, and what it costs.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use constella_tests::botapi::model::{Args as BotArgs, Ms, User};
use constella_tests::cluster::{Cut, Network, Plan, Pulse};
use tokio::time::{Instant, sleep};

use super::Failure;
use super::costs::Costs;
use super::figures::Times;

/// What is measured.
#[derive(Args, Clone, Copy)]
pub(crate) struct Trouble {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=10))]
    pub(crate) nodes: u16,
    /// How many times
    #[arg(long, default_value_t = 10)]
    pub(crate) runs: usize,
    /// What happens
    #[arg(long, value_enum)]
    pub(crate) what: What,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Two sides of equal size cannot hear each other for 30 s; all reach the Bot API
    EqualSides,
    /// kill -9 of all nodes, which start again at once
    AllRestart,
    /// The leader is killed and started every 15 s, four times
    Restarts,
    /// Only the founder, the last by LeaderKey, has the token; it is killed and started
    OneToken,
    /// Another network is founded with the same token, and is gone after 60 s
    TwoNetworks,
    /// Somebody sets a webhook, and deletes it after 30 s
    Webhook,
}

impl Trouble {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (times, costs) = self.measure().await?;
        println!("{:?}, {} nodes: the owner's longest wait: {}", self.what, self.nodes, times.sentence());
        println!("{}", costs.sentence());
        Ok(())
    }

    /// All runs, on one network.
    pub(crate) async fn measure(self) -> Result<(Times, Costs), Failure> {
        let network = Network::start(self.plan()?).await?;
        network.claim().await?;
        let (mut times, mut costs) = (Times::default(), Costs::default());
        let pulse = Pulse::start();
        for run in 1..=self.runs {
            sleep(REST).await;
            network.settled(SETTLING).await?;
            let (begun, over) = (network.double().now(), Cell::new(false));
            let play = async {
                let played = self.play(&network).await;
                over.set(true);
                played
            };
            let (written, ()) = tokio::try_join!(write(&network, &over), play)?;
            let took = longest_wait(&network, &written).await?;
            eprintln!("run {run} of {}: {:.2} s", self.runs, took.as_secs_f64());
            times.add(took);
            network.settled(SETTLING).await?;
            let unconfirmed = |update: &&constella_tests::botapi::model::UpdateRecord| update.end.is_none();
            costs.unanswered += network.double().stats().ledger.updates.iter().filter(unconfirmed).count();
            eprintln!("conflicts in this run: {}", network.double().stats().conflicts_since(begun));
        }
        costs.count(&network);
        costs.late = pulse.worst();
        Ok((times, costs))
    }

    fn plan(self) -> Result<Plan, Failure> {
        let mut plan = Plan::of(&std::env::current_exe()?, usize::from(self.nodes));
        if self.what == What::OneToken {
            plan.init = ["--no-share-token", "--priority", "1000"].map(ToOwned::to_owned).into();
        }
        Ok(plan)
    }

    /// From its beginning to its end.
    async fn play(self, network: &Network) -> Result<(), Failure> {
        let nodes = network.nodes();
        let leader = network.view().await.holder().map(ToOwned::to_owned).ok_or("nobody holds")?;
        match self.what {
            What::EqualSides => {
                let (one, other) = (0..nodes.len()).partition::<Vec<_>, _>(|index| index % 2 == 0);
                for (from, to) in one.iter().flat_map(|from| other.iter().map(move |to| (*from, *to))) {
                    network.wires().cut(from, to, Cut::Silent);
                    network.wires().cut(to, from, Cut::Silent);
                }
                sleep(CUT).await;
                network.wires().heal();
            }
            What::AllRestart => {
                nodes.iter().try_for_each(|node| node.kill())?;
                nodes.iter().try_for_each(|node| node.start())?;
            }
            What::Restarts => {
                for _ in 0..RESTARTS {
                    network.node(&leader)?.kill()?;
                    network.node(&leader)?.start()?;
                    sleep(EVERY).await;
                }
            }
            What::OneToken => {
                network.node(&leader)?.kill()?;
                network.node(&leader)?.start()?;
            }
            What::TwoNetworks => {
                let mut plan = Plan::of(&std::env::current_exe()?, 1);
                plan.names = vec!["omega".to_owned()];
                plan.owner = User::new(78, "boris", "en");
                plan.double = Some(Arc::clone(network.double()));
                let other = Network::prepare(plan).await?;
                // It may never have the bot for itself, and so never settle.
                let _ = tokio::time::timeout(SHARED, other.found()).await;
                sleep(SHARED).await;
            }
            What::Webhook => {
                let args = BotArgs::default().with("url", "https://example.com/hook");
                network.double().call("setWebhook", args).await.ok_or("no answer to setWebhook")?;
                sleep(CUT).await;
                network.double().call("deleteWebhook", BotArgs::default()).await.ok_or("no answer to deleteWebhook")?;
            }
        }
        Ok(())
    }
}

/// The owner writes until it is over; when each word was written.
async fn write(network: &Network, over: &Cell<bool>) -> Result<Vec<Ms>, Failure> {
    let mut written = Vec::new();
    loop {
        written.push(network.double().now());
        network.owner().write("/nodes").await?;
        sleep(WRITING).await;
        if over.get() {
            return Ok(written);
        }
    }
}

/// Until there was an answer later than each word; each /nodes is answered by a message of its own.
async fn longest_wait(network: &Network, written: &[Ms]) -> Result<Duration, Failure> {
    let by = Instant::now() + SETTLING;
    let mut write_at = Instant::now() + PATIENCE;
    loop {
        // What another network or program took is not answered: a person writes again.
        if Instant::now() >= write_at {
            network.owner().write("/nodes").await?;
            write_at += PATIENCE;
        }
        let stats = network.double().stats();
        let answers = stats.calls.iter().filter(|call| {
            call.status == Some(200)
                && call.method.eq_ignore_ascii_case("sendMessage")
                && network.node(&call.source.prefix).is_ok()
        });
        let answers: Vec<_> = answers.map(|call| (call.at, call.answered.unwrap_or(call.at))).collect();
        let wait = |word: &Ms| {
            let answer = answers.iter().filter(|(at, _)| at >= word).map(|(_, answered)| answered.0).min();
            answer.map(|answered| Duration::from_millis(answered - word.0))
        };
        if let Some(waits) = written.iter().map(wait).collect::<Option<Vec<_>>>() {
            return Ok(waits.into_iter().max().unwrap_or_default());
        }
        if Instant::now() >= by {
            return Err(format!("the owner was not answered within {SETTLING:?}").into());
        }
        sleep(LOOK).await;
    }
}

/// For a network to settle, with waits that were doubled (L6, F3).
const SETTLING: Duration = Duration::from_secs(240);
/// Between two runs.
const REST: Duration = Duration::from_secs(12);
/// A cut, and a webhook, last so long.
const CUT: Duration = Duration::from_secs(30);
/// How often a leader is restarted.
const RESTARTS: usize = 4;
/// Between two of them.
const EVERY: Duration = Duration::from_secs(15);
/// Two networks share one token for so long, after the second one's founding.
const SHARED: Duration = Duration::from_secs(30);
/// An owner who stays within Telegram's allowance for a chat.
const WRITING: Duration = Duration::from_secs(3);
/// An owner who hears nothing writes again.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);
