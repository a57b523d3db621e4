//! The speedtest (A5), in a process of its own: it enters the host's network, locks itself into an empty folder, drops everything, and
//! only then opens a socket. Bounded in time and bytes; whatever the server says is doubted.

use std::io::{Read, copy, sink};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use constella_shared::agent::{SpeedtestFigures, SpeedtestPhase as Phase, SpeedtestState};
use constella_shared::ids::CommandId;
use constella_shared::limits::{
    SPEEDTEST_IDLE_MS, SPEEDTEST_MS, SPEEDTEST_PHASE_MS, SPEEDTEST_PINGS, SPEEDTEST_STREAMS,
};
use ureq::Agent;

use crate::look::{Report, report};
use crate::{Host, config::Config, front::unix_ms, powers};

const IDLE: Duration = Duration::from_millis(SPEEDTEST_IDLE_MS);
const PHASE: Duration = Duration::from_millis(SPEEDTEST_PHASE_MS);
/// The first exchange of a stream; each that took under half a second is followed by one twice as large, up to the largest: what is
/// under way at the end does not count.
const FIRST: u64 = 64 * 1024;
const LARGEST: u64 = 16 * 1024 * 1024;

pub(crate) fn run(host: &Host, config: &Config, command_id: &str) -> Result<()> {
    let command_id = command_id.parse()?;
    let result = powers::enter_network(host, &config.state_dir.join("jail")).and_then(|()| {
        let test = Test::new(command_id, &config.speedtest_url);
        let ((tell, told), bytes) = (channel(), config.speedtest_max_mb * 1_000_000);
        thread::spawn(move || tell.send(test.measure(bytes)));
        told.recv_timeout(Duration::from_millis(SPEEDTEST_MS)).context("the test lasts too long")?
    });
    let at_unix_s = unix_ms() / 1000;
    report(&Report::Speedtest(match &result {
        Ok(figures) => SpeedtestState::Done { command_id, at_unix_s, figures: *figures },
        Err(error) => SpeedtestState::Failed { command_id, at_unix_s, message: format!("{error:#}") },
    }))?;
    result.map(|_| ())
}

struct Test {
    command_id: CommandId,
    agent: Agent,
    url: String,
    figures: SpeedtestFigures,
    /// What is sent, by all streams; memory that is only read costs none.
    zeros: Vec<u8>,
}

impl Test {
    fn new(command_id: CommandId, url: &str) -> Self {
        // Redirects are answers like any other, and no proxy is taken from the environment.
        let config = Agent::config_builder().max_redirects(0).http_status_as_error(false).proxy(None);
        let config = config.timeout_per_read(Some(IDLE)).max_idle_connections_per_host(SPEEDTEST_STREAMS).build();
        let url = url.trim_end_matches('/').to_owned();
        let (figures, zeros) = (SpeedtestFigures::default(), vec![0; LARGEST as usize]);
        Self { command_id, agent: config.new_agent(), url, figures, zeros }
    }

    fn measure(mut self, bytes: u64) -> Result<SpeedtestFigures> {
        self.progress(Phase::Latency, 0)?;
        let mut times = Vec::new();
        for _ in 0..=SPEEDTEST_PINGS {
            let begun = Instant::now();
            ensure!(self.exchange(Phase::Latency, 0, IDLE)?, "the server is silent");
            times.push(begun.elapsed().as_secs_f32() * 1000.0);
        }
        // The first one also connected.
        times.remove(0);
        let jitter: f32 = times.windows(2).map(|pair| if let [a, b] = pair { (a - b).abs() } else { 0.0 }).sum();
        self.figures.jitter_ms = Some(jitter / (times.len() - 1) as f32);
        times.sort_by(f32::total_cmp);
        self.figures.latency_ms = times.get(times.len() / 2).copied();
        self.figures.download_bps = Some(self.streams(Phase::Download, 10, bytes / 2)?);
        self.figures.upload_bps = Some(self.streams(Phase::Upload, 55, bytes / 2)?);
        Ok(self.figures)
    }

    /// All streams at once, until time or bytes are used up. Bits a second.
    fn streams(&self, phase: Phase, percent: u64, bytes: u64) -> Result<u64> {
        let budget = AtomicU64::new(bytes);
        let bytes_a_second: Result<f64> = thread::scope(|scope| {
            let begin = |_| scope.spawn(|| self.stream(phase, percent, bytes, &budget));
            let streams: Vec<_> = (0..SPEEDTEST_STREAMS).map(begin).collect();
            streams.into_iter().map(|stream| stream.join().map_err(|_| anyhow!("a stream ended"))?).sum()
        });
        Ok((bytes_a_second? * 8.0) as u64)
    }

    /// One stream of ever larger exchanges. Bytes a second, of those that were completed: the rest may still be in a buffer here.
    fn stream(&self, phase: Phase, percent: u64, all: u64, budget: &AtomicU64) -> Result<f64> {
        let begun = Instant::now();
        let (mut moved, mut size, mut last) = (0, FIRST, begun);
        while last < begun + PHASE {
            let left = budget.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(size))).unwrap_or(0);
            let done = (begun.elapsed().as_millis() as u64 * 45 / SPEEDTEST_PHASE_MS).max((all - left) * 45 / all);
            self.progress(phase, percent + done.min(45))?;
            if left == 0 || !self.exchange(phase, size.min(left), PHASE.saturating_sub(begun.elapsed()))? {
                break;
            }
            moved += size.min(left);
            size = if last.elapsed() < Duration::from_millis(500) { LARGEST.min(size * 2) } else { size };
            last = Instant::now();
        }
        ensure!(last.elapsed() <= IDLE, "the server is silent, or the line too slow to measure");
        Ok(moved as f64 / (last - begun).as_secs_f64().max(0.001))
    }

    /// Asks for so many bytes, or sends them, and accepts neither more nor less. False where the time was up before.
    fn exchange(&self, phase: Phase, bytes: u64, time: Duration) -> Result<bool> {
        let most = if phase == Phase::Upload { FIRST } else { bytes };
        match self.request(phase, bytes, most, time) {
            Err(ureq::Error::Timeout(_)) => Ok(false),
            Err(error) => Err(error.into_io().into()),
            Ok((status, _)) if status != 200 => bail!("the server answers {status} instead of 200"),
            Ok((_, received)) if received > most => bail!("the server sends more than was asked for"),
            Ok((_, received)) if phase == Phase::Download && received < bytes => {
                bail!("the server sends less than was asked for")
            }
            Ok(_) => Ok(true),
        }
    }

    /// The status of the answer, and how long its body is: at most a byte more than may come is read.
    fn request(&self, phase: Phase, bytes: u64, most: u64, time: Duration) -> Result<(u16, u64), ureq::Error> {
        let (url, zeros) = (&self.url, self.zeros.get(..bytes as usize).unwrap_or_default());
        let get = || self.agent.get(format!("{url}/__down?bytes={bytes}")).config().timeout_global(Some(time)).build();
        let post = || self.agent.post(format!("{url}/__up")).config().timeout_global(Some(time)).build();
        let mut response = if phase == Phase::Upload { post().send(zeros) } else { get().call() }?;
        let received = copy(&mut response.body_mut().as_reader().take(most + 1), &mut sink())?;
        Ok((response.status().as_u16(), received))
    }

    fn progress(&self, phase: Phase, percent: u64) -> Result<()> {
        let (command_id, so_far) = (self.command_id, self.figures);
        report(&Report::Speedtest(SpeedtestState::Running { command_id, phase, percent: percent as u8, so_far }))
    }
}
