//! The Bot API double as a program: for demos, containers, and a look with curl.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use constella_tests::botapi::model::Config;
use constella_tests::botapi::server::{BotApi, ServerConfig};

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

fn run(options: Options) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let epoch_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let bot = Config { token: options.token, username: options.username, epoch_s, ..Config::default() };
        let latency = Duration::from_millis(options.latency_ms);
        let config = ServerConfig { listen: options.listen, control: options.control, bot, latency };
        let double = BotApi::start(config).await?;
        println!("bots: {}", double.url(""));
        println!("control: http://{}/control/stats", double.control_addr());
        tokio::signal::ctrl_c().await
    })
}
