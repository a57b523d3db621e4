//! `./install.sh demo`: three nodes on this machine, a local Bot API, and the owner's phone as a page in the browser. With `--script`
//! the story is played without a browser. Nothing of this leaves the loopback, and nothing is ever really rebooted.

#![forbid(unsafe_code)]

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use constella_tests::botapi::model::User;
use constella_tests::cluster::{Network, Plan, Reboots, take_part};
use constella_tests::demo::nodes::NetworkNodes;
use constella_tests::demo::page::{Page, PageConfig};
use constella_tests::demo::story;
use tokio::signal::unix::{SignalKind, signal};

/// Three nodes on this machine, and the owner's phone as a page in the browser.
#[derive(Parser)]
#[command(name = "demo")]
struct Options {
    /// Play the story without a browser, print what the owner sees, and end.
    #[arg(long)]
    script: bool,
    /// The page's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=10))]
    nodes: u16,
    /// The language of the owner's phone: en or ru. The script is played in English.
    #[arg(long, default_value = "en", value_parser = ["en", "ru"])]
    lang: String,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    if let Some(code) = take_part() {
        return code;
    }
    let options = Options::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(until_interrupted(options)) {
        Ok(code) => code,
        Err(error) => failed(error.as_ref()),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    say(&format!("demo: {error}"));
    ExitCode::FAILURE
}

/// Whatever ends it, the network goes with the future that owns it.
async fn until_interrupted(options: Options) -> Result<ExitCode, Failure> {
    let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let script = options.script;
    let interrupted = if script { ExitCode::from(130) } else { ExitCode::SUCCESS };
    tokio::select! {
        done = run(options) => done.map(|()| ExitCode::SUCCESS),
        _ = int.recv() => Ok(interrupted),
        _ = term.recv() => Ok(interrupted),
    }
}

async fn run(options: Options) -> Result<(), Failure> {
    let language = if options.script { "en" } else { options.lang.as_str() };
    let mut plan = Plan::of(&std::env::current_exe()?, usize::from(options.nodes));
    plan.owner = User::new(77, "anna", language);
    plan.reboots = Reboots::Away(AWAY);
    plan.settings.push(("DOWN_AFTER".to_owned(), ALERT_S.to_string()));
    say(&format!(
        "starting {} nodes: real controllers and agents on loopback addresses, and a local Bot API",
        options.nodes
    ));
    let network = Arc::new(Network::prepare(plan).await?);
    network.found().await?;
    say("alpha founded the network and leads");
    for index in 1..network.nodes().len() {
        network.join(index).await?;
        say(&format!("{} joined with a link", network.at(index)?.name()));
    }
    let leader = network.settled(SETTLING).await?;
    say(&format!("all nodes see each other; {leader} runs the bot"));
    if options.script {
        let outcome = story::play(&network, &mut |line| say(line)).await?;
        let (first, next) = outcome.leaders;
        say(&format!("\n{first} died, {next} answered the owner {:.1} s later", outcome.failover.as_secs_f64()));
        return Ok(());
    }
    show(network, options.port).await
}

/// Serves the page until the process is interrupted.
async fn show(network: Arc<Network>, port: u16) -> Result<(), Failure> {
    let page = Page::start(PageConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        double: Arc::clone(network.double()),
        user: network.owner().user().clone(),
        start: network.code(),
        nodes: Arc::new(NetworkNodes::watch(Arc::clone(&network))),
    })
    .await?;
    say(
        "Press START on the page, as the owner would on a phone. Reboots are recorded, never performed. Ctrl-C ends and cleans up.",
    );
    say(page.url());
    std::future::pending().await
}

/// A line for the person who waits. Whoever closed the pipe does not miss it.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// How long a host is away when it "reboots".
const AWAY: Duration = Duration::from_secs(3);
/// A node that was killed is told to the phone after so many seconds: whoever watches the page has not the patience of an owner.
const ALERT_S: u64 = 10;
/// For all nodes to see each other, on a slow machine.
const SETTLING: Duration = Duration::from_secs(60);
