//! The Bot API double as a program: for demos, containers, and a look with curl.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use constella_tests::botapi::model::{Config, User};
use constella_tests::botapi::server::{BotApi, ServerConfig};
use constella_tests::demo::page::{NodeView, Nodes, Page, PageConfig};

/// A Bot API of one's own on this machine: TELEGRAM_API_URL=http://127.0.0.1:8081
#[derive(Parser)]
#[command(name = "botapi")]
struct Options {
    /// Where bots connect; a path prefix before /bot<token> names the caller
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// Where the test's conductor connects; it has no password
    #[arg(long, default_value = "127.0.0.1:8082")]
    control: SocketAddr,
    /// The bot's token
    #[arg(long, default_value_t = Config::default().token)]
    token: String,
    /// The bot's username, without @
    #[arg(long, default_value_t = Config::default().username)]
    username: String,
    /// Each request arrives so many milliseconds late
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Also show the chat as a page on this loopback address
    #[arg(long)]
    page: Option<SocketAddr>,
    /// Whose phone the page is: a username, without @
    #[arg(long, default_value = "owner")]
    owner: String,
}

/// The program has a Bot API and no nodes.
struct NoNodes;

impl Nodes for NoNodes {
    fn list(&self) -> Vec<NodeView> {
        Vec::new()
    }

    fn kill(&self, name: &str) -> Result<(), String> {
        Err(format!("there is no node {name}"))
    }

    fn start(&self, name: &str) -> Result<(), String> {
        Err(format!("there is no node {name}"))
    }
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("botapi: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let epoch_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let bot = Config { token: options.token, username: options.username, epoch_s, ..Config::default() };
        let latency = Duration::from_millis(options.latency_ms);
        let config = ServerConfig { listen: options.listen, control: options.control, bot, latency };
        let double = Arc::new(BotApi::start(config).await?);
        println!("bots: {}", double.url(""));
        println!("control: http://{}/control/stats", double.control_addr());
        let _page = match options.page {
            Some(listen) => {
                let (user, nodes) = (User::new(OWNER_ID, &options.owner, "en"), Arc::new(NoNodes));
                let page = Page::start(PageConfig { listen, double: Arc::clone(&double), user, start: None, nodes });
                let page = page.await?;
                println!("page: {}", page.url());
                Some(page)
            }
            None => None,
        };
        tokio::signal::ctrl_c().await?;
        Ok(())
    })
}

/// Any number that looks like one of Telegram's.
const OWNER_ID: i64 = 77_000_001;
