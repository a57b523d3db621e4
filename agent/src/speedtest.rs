//! The speedtest (A5), in a process of its own: it enters the host's network, locks itself into an empty folder, drops everything, and
//! only then opens a socket. Bounded in time and bytes; whatever the server says is doubted.

use crate::{Host, config::Config, front::unix_ms, look::report, powers};
use anyhow::{Result, anyhow, bail, ensure};
use constella_shared::agent::{SpeedtestFigures, SpeedtestPhase as Phase, SpeedtestState as State};
use constella_shared::limits::{SPEEDTEST_LARGEST_BYTES as LARGEST, SPEEDTEST_PHASE as PHASE};
use constella_shared::limits::{SPEEDTEST_PINGS as PINGS, SPEEDTEST_STREAMS as STREAMS};
use constella_shared::{ids::CommandId, limits::SPEEDTEST_FIRST_BYTES as FIRST, limits::SPEEDTEST_IDLE as IDLE};
use std::{io, io::Read, time::Duration, time::Instant};

pub(crate) fn run(host: &Host, config: &Config, command_id: &str) -> Result<()> {
    // Redirects are answers like any other, and no proxy is taken from the environment.
    let http = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).proxy(None);
    let http = http.timeout_per_read(Some(IDLE)).timeout_global(Some(PHASE)).max_idle_connections_per_host(STREAMS);
    let (command_id, url) = (command_id.parse()?, config.speedtest_url.trim_end_matches('/').to_owned());
    // Half of what may be moved is for each direction, in equal parts for its streams.
    let bytes = config.speedtest_max_mb * 1_000_000 / 2 / STREAMS as u64;
    let mut test = Test { command_id, http: http.build().into(), url, bytes, figures: SpeedtestFigures::default() };
    let measured = powers::enter_network(host, &config.state_dir.join("jail")).and_then(|()| test.measure());
    let (at_unix_s, figures) = (unix_ms() / 1000, test.figures);
    report(&match &measured {
        Ok(()) => State::Done { command_id, at_unix_s, figures },
        Err(error) => State::Failed { command_id, at_unix_s, message: format!("{error:#}") },
    })?;
    measured
}

struct Test {
    command_id: CommandId,
    http: ureq::Agent,
    url: String,
    bytes: u64,
    figures: SpeedtestFigures,
}

impl Test {
    fn measure(&mut self) -> Result<()> {
        let mut times = [0.0; PINGS];
        // The first exchange also connects, and is not counted.
        for (ping, time) in std::iter::once(&mut 0.0).chain(&mut times).enumerate() {
            let asked = Instant::now();
            ensure!(self.exchange(Phase::Latency, 0, ping as f32)? && asked.elapsed() < IDLE, "the server is silent");
            *time = asked.elapsed().as_secs_f32() * 1000.0;
        }
        let jitter: f32 = times.iter().zip(times.iter().skip(1)).map(|(one, next)| (one - next).abs()).sum();
        self.figures.jitter_ms = Some(jitter / (PINGS - 1) as f32);
        times.sort_by(f32::total_cmp);
        self.figures.latency_ms = times.get(PINGS / 2).copied();
        self.figures.download_bps = Some(self.streams(Phase::Download, 10.0)?);
        self.figures.upload_bps = Some(self.streams(Phase::Upload, 55.0)?);
        Ok(())
    }

    /// All streams at once. Bits a second.
    fn streams(&self, phase: Phase, percent: f32) -> Result<u64> {
        let rate: Result<f64> = std::thread::scope(|scope| {
            let streams = [(); STREAMS].map(|()| scope.spawn(|| self.stream(phase, percent)));
            streams.into_iter().map(|stream| stream.join().map_err(|_| anyhow!("a stream ended"))?).sum()
        });
        Ok((rate? * 8.0) as u64)
    }

    /// One stream of ever larger exchanges. Bytes a second, of those that were completed: the rest may still be in a buffer here.
    fn stream(&self, phase: Phase, percent: f32) -> Result<f64> {
        let begun = Instant::now();
        let (mut left, mut size, mut last) = (self.bytes, FIRST, begun);
        while left > 0 && last < begun + PHASE {
            let part = begun.elapsed().div_duration_f32(PHASE).max((self.bytes - left) as f32 / self.bytes as f32);
            if !self.exchange(phase, size.min(left), percent + part * 45.0)? {
                break;
            }
            left -= size.min(left);
            size = if last.elapsed() < Duration::from_millis(500) { LARGEST.min(size * 2) } else { size };
            last = Instant::now();
        }
        ensure!(last.elapsed() <= IDLE, "the server is silent, or the line too slow to measure");
        Ok((self.bytes - left) as f64 / (last - begun).as_secs_f64().max(0.001))
    }

    /// Asks for so many bytes, or sends them, and accepts neither more nor less. False where the time was up before.
    fn exchange(&self, phase: Phase, bytes: u64, percent: f32) -> Result<bool> {
        let (command_id, so_far) = (self.command_id, self.figures);
        report(&State::Running { command_id, phase, percent: percent as u8, so_far })?;
        let (url, upload) = (&self.url, phase == Phase::Upload);
        let most = if upload { FIRST } else { bytes };
        let answer = || {
            let mut answer = match upload {
                true => self.http.post(format!("{url}/__up")).send(&vec![0; bytes as usize]),
                false => self.http.get(format!("{url}/__down?bytes={bytes}")).call(),
            }?;
            // At most a byte more than may come is read.
            let received = io::copy(&mut answer.body_mut().as_reader().take(most + 1), &mut io::sink())?;
            Ok((answer.status().as_u16(), received))
        };
        match answer() {
            Err(ureq::Error::Timeout(_)) => Ok(false),
            Err(error) => Err(error.into_io().into()),
            Ok((status, _)) if status != 200 => bail!("the server answers {status} instead of 200"),
            Ok((_, received)) if received > most => bail!("the server sends more than was asked for"),
            Ok((_, received)) if !upload && received < bytes => bail!("the server sends less than was asked for"),
            Ok(_) => Ok(true),
        }
    }
}
