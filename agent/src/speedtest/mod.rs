//! The speedtest (A5), in a process of its own: it enters the host's network, drops everything, is executed anew, and only then opens a
//! socket. Bounded in time and bytes; everything that the server says is doubted.

mod dns;
mod server;
mod stream;

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use constella_shared::agent::{SpeedtestFigures, SpeedtestPhase};
use constella_shared::limits::{SPEEDTEST_MS, SPEEDTEST_PHASE_MS, SPEEDTEST_PINGS, SPEEDTEST_STREAMS};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::host::{Host, Inner};
use crate::report::{Report, Reporter};
use crate::root::{HELPER, powers};
use server::Server;

/// Why a test ended without a result. The server's or the line's fault, unless it says otherwise; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("SPEEDTEST_URL has no host that can be asked")]
    Address,
    #[error("no name server knows {0}")]
    Unknown(String),
    #[error("cannot connect to {0}: {1}")]
    Connect(String, io::Error),
    #[error("the server breaks HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("the server answers {0} instead of 200")]
    Status(u16),
    #[error("the server sends more than was asked for")]
    TooMuch,
    #[error("the server sends less than was asked for")]
    TooLittle,
    #[error("the server is silent for {} s", constella_shared::limits::SPEEDTEST_IDLE_MS / 1000)]
    Silent,
    #[error("the test took too long")]
    TooLong,
    #[error("the agent cannot measure: {0}")]
    Own(#[from] io::Error),
}

/// Enters the network, drops everything, and becomes [`run`]. Returns only what prevented it.
pub(crate) fn enter(host: &Host, url: &str, megabytes: &str) -> io::Error {
    let become_child = || -> io::Result<std::process::Command> {
        // Opened with power and read without: which name servers the host asks.
        let resolv_conf = powers::open_host_file(&host.pid1, "etc/resolv.conf");
        if host.powers {
            powers::enter(&host.pid1, "net")?;
            powers::drop_all(HELPER, false)?;
        } else {
            powers::bind_to_parent()?;
        }
        let mut child = Inner::Speedtest.command();
        child.args([url, megabytes]);
        if let Ok(file) = resolv_conf {
            child.stdin(file);
        }
        Ok(child)
    };
    match become_child() {
        Ok(mut child) => child.exec(),
        Err(error) => error,
    }
}

/// Measures, and reports to the front on standard output.
pub(crate) fn run(url: &str, megabytes: &str) -> Result<(), Failure> {
    let megabytes: u64 = megabytes.parse().map_err(|_| Failure::Address)?;
    let mut resolv_conf = String::new();
    // A file that is none leaves no name servers, which is said when a name is to be resolved.
    let _ = io::stdin().take(RESOLV_CONF_BYTES).read_to_string(&mut resolv_conf);
    let reporter = Reporter::stdout()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let test = async {
        let server = Arc::new(Server::find(url, &resolv_conf).await?);
        Test { server, reporter, figures: SpeedtestFigures::default() }.measure(megabytes * 1_000_000).await
    };
    runtime
        .block_on(async { timeout(Duration::from_millis(SPEEDTEST_MS), test).await.unwrap_or(Err(Failure::TooLong)) })
}

/// More than any resolv.conf that works.
const RESOLV_CONF_BYTES: u64 = 16 * 1024;
/// How often progress is told: the bot shows it every second or two.
const PROGRESS: Duration = Duration::from_millis(500);

struct Test {
    server: Arc<Server>,
    reporter: Reporter,
    figures: SpeedtestFigures,
}

impl Test {
    async fn measure(mut self, bytes: u64) -> Result<(), Failure> {
        self.progress(SpeedtestPhase::Latency, 0)?;
        let times = stream::pings(&self.server, SPEEDTEST_PINGS).await?;
        let jitter: f32 = times.windows(2).map(|pair| if let [a, b] = pair { (a - b).abs() } else { 0.0 }).sum();
        self.figures.jitter_ms = Some(jitter / (times.len() - 1) as f32);
        let mut sorted = times;
        sorted.sort_by(f32::total_cmp);
        self.figures.latency_ms = sorted.get(sorted.len() / 2).copied();
        self.figures.download_bps = Some(self.phase(SpeedtestPhase::Download, 10, bytes / 2).await?);
        self.figures.upload_bps = Some(self.phase(SpeedtestPhase::Upload, 55, bytes / 2).await?);
        Ok(self.reporter.send(&Report::Measured(self.figures))?)
    }

    /// All streams at once, until time or bytes are used up. Bits a second.
    async fn phase(&self, phase: SpeedtestPhase, percent: u8, bytes: u64) -> Result<u64, Failure> {
        let (begun, budget) = (Instant::now(), Arc::new(AtomicU64::new(bytes)));
        let mut streams = JoinSet::new();
        for _ in 0..SPEEDTEST_STREAMS {
            let (server, budget) = (self.server.clone(), budget.clone());
            streams.spawn(async move {
                match phase {
                    SpeedtestPhase::Upload => stream::upload(&server, &budget).await,
                    SpeedtestPhase::Latency | SpeedtestPhase::Download => stream::download(&server, &budget).await,
                }
            });
        }
        let (mut bytes_a_second, mut ticks) = (0.0, interval(PROGRESS));
        loop {
            tokio::select! {
                ended = streams.join_next() => match ended {
                    Some(rate) => bytes_a_second += rate.map_err(io::Error::from)??,
                    None => return Ok((bytes_a_second * 8.0) as u64),
                },
                _ = ticks.tick() => {
                    let time = begun.elapsed().as_millis() as u64 * 45 / SPEEDTEST_PHASE_MS;
                    let volume = (bytes - budget.load(Relaxed)) * 45 / bytes.max(1);
                    self.progress(phase, percent + time.max(volume).min(45) as u8)?;
                }
            }
        }
    }

    fn progress(&self, phase: SpeedtestPhase, percent: u8) -> io::Result<()> {
        self.reporter.send(&Report::Progress { phase, percent, so_far: self.figures })
    }
}
