//! The speedtest (A5), in a process of its own: it enters the host's network, locks itself into an empty folder, drops everything, and
//! only then opens a socket. Bounded in time and bytes; whatever the server says is doubted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::{error::Error, io, sync::Arc, time::Duration};

use bytes::Bytes;
use constella_shared::agent::{SpeedtestFigures, SpeedtestPhase as Phase};
use constella_shared::limits::{
    SPEEDTEST_IDLE_MS, SPEEDTEST_MS, SPEEDTEST_PHASE_MS, SPEEDTEST_PINGS, SPEEDTEST_STREAMS,
};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::look::{Progress, Report, report};
use crate::{Failure, config::Config, host::Host, powers};

const IDLE: Duration = Duration::from_millis(SPEEDTEST_IDLE_MS);
const PHASE: Duration = Duration::from_millis(SPEEDTEST_PHASE_MS);
/// The first exchange of a stream; each that took under half a second is followed by one twice as large, up to the largest: what is
/// under way at the end does not count.
const FIRST: u64 = 64 * 1024;
const LARGEST: u64 = 16 * 1024 * 1024;

pub(crate) fn run(host: &Host, config: &Config) -> Result<(), Failure> {
    let result = powers::enter_network(host, &config.state_dir.join("jail")).map_err(Into::into);
    let result = result.and_then(|()| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let limit = Duration::from_millis(SPEEDTEST_MS);
        runtime.block_on(async {
            timeout(limit, Test::new(&config.speedtest_url).measure(config.speedtest_max_mb * 1_000_000)).await
        })?
    });
    let last = match &result {
        Ok(figures) => Progress::Measured(*figures),
        Err(error) => Progress::Failed(chain(error.as_ref())),
    };
    report(&Report::Speedtest(last))?;
    result.map(|_| ())
}

/// An error and its causes in one sentence.
fn chain(error: &dyn Error) -> String {
    error.source().map_or(error.to_string(), |source| format!("{error}: {}", chain(source)))
}

#[derive(Clone)]
struct Test {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    /// What is sent, shared by all streams; memory that is only read costs none.
    zeros: Bytes,
    figures: SpeedtestFigures,
}

impl Test {
    fn new(url: &str) -> Self {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let zeros = Bytes::from(vec![0; LARGEST as usize]);
        Self { client, url: url.trim_end_matches('/').to_owned(), zeros, figures: SpeedtestFigures::default() }
    }

    async fn measure(mut self, bytes: u64) -> Result<SpeedtestFigures, Failure> {
        self.progress(Phase::Latency, 0)?;
        let mut times = Vec::new();
        for _ in 0..=SPEEDTEST_PINGS {
            let begun = Instant::now();
            timeout(IDLE, self.exchange(Phase::Latency, 0)).await.map_err(|_| "the server is silent")??;
            times.push(begun.elapsed().as_secs_f32() * 1000.0);
        }
        // The first one also connected.
        times.remove(0);
        let jitter: f32 = times.windows(2).map(|pair| if let [a, b] = pair { (a - b).abs() } else { 0.0 }).sum();
        self.figures.jitter_ms = Some(jitter / (times.len() - 1) as f32);
        times.sort_by(f32::total_cmp);
        self.figures.latency_ms = times.get(times.len() / 2).copied();
        self.figures.download_bps = Some(self.streams(Phase::Download, 10, bytes / 2).await?);
        self.figures.upload_bps = Some(self.streams(Phase::Upload, 55, bytes / 2).await?);
        Ok(self.figures)
    }

    /// All streams at once, until time or bytes are used up. Bits a second.
    async fn streams(&self, phase: Phase, percent: u64, bytes: u64) -> Result<u64, Failure> {
        let (budget, mut streams, mut bytes_a_second) = (Arc::new(AtomicU64::new(bytes)), JoinSet::new(), 0.0);
        for _ in 0..SPEEDTEST_STREAMS {
            streams.spawn(self.clone().stream(phase, percent, bytes, budget.clone()));
        }
        while let Some(rate) = streams.join_next().await {
            bytes_a_second += rate??;
        }
        Ok((bytes_a_second * 8.0) as u64)
    }

    /// One stream of ever larger exchanges. Bytes a second, of those that were completed: the rest may still be in a buffer here.
    async fn stream(self, phase: Phase, percent: u64, all: u64, budget: Arc<AtomicU64>) -> Result<f64, Failure> {
        let begun = Instant::now();
        let (mut moved, mut size, mut last) = (0, FIRST, begun);
        while last < begun + PHASE {
            let left = budget.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(size))).unwrap_or(0);
            let done = (begun.elapsed().as_millis() as u64 * 45 / SPEEDTEST_PHASE_MS).max((all - left) * 45 / all);
            self.progress(phase, percent + done.min(45))?;
            if left == 0 {
                break;
            }
            let Ok(exchanged) = timeout_at(begun + PHASE, self.exchange(phase, size.min(left))).await else { break };
            moved += exchanged?;
            size = if last.elapsed() < Duration::from_millis(500) { LARGEST.min(size * 2) } else { size };
            last = Instant::now();
        }
        if last + IDLE < Instant::now() {
            return Err("the server is silent, or the line too slow to measure".into());
        }
        Ok(moved as f64 / (last - begun).as_secs_f64().max(0.001))
    }

    /// Asks for so many bytes, or sends them, and accepts neither more nor less.
    async fn exchange(&self, phase: Phase, bytes: u64) -> Result<u64, Failure> {
        let (url, mut zeros) = (&self.url, self.zeros.clone());
        zeros.truncate(if phase == Phase::Upload { bytes as usize } else { 0 });
        let request = match phase {
            Phase::Upload => Request::post(format!("{url}/__up")),
            Phase::Latency | Phase::Download => Request::get(format!("{url}/__down?bytes={bytes}")),
        };
        let request = request.body(Full::new(zeros));
        let response = self.client.request(request?).await?;
        if response.status() != 200 {
            return Err(format!("the server answers {} instead of 200", response.status().as_u16()).into());
        }
        let (mut body, mut received) = (response.into_body(), 0);
        let most = if phase == Phase::Upload { FIRST } else { bytes };
        while let Some(frame) = timeout(IDLE, body.frame()).await.map_err(|_| "the server is silent")? {
            received += frame?.data_ref().map_or(0, Bytes::len) as u64;
            if received > most {
                return Err("the server sends more than was asked for".into());
            }
        }
        if phase == Phase::Download && received < bytes {
            return Err("the server sends less than was asked for".into());
        }
        Ok(bytes)
    }

    fn progress(&self, phase: Phase, percent: u64) -> io::Result<()> {
        report(&Report::Speedtest(Progress::Now { phase, percent: percent as u8, so_far: self.figures }))
    }
}
