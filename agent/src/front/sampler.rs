//! The sampling of the host (A6): what `/v1/stats` answers, and what the series keeps.

use super::{Front, answer, unix_ms};
use crate::{Host, powers::FRONT, root::frame::Verb};
use constella_figures::Sampler;
use constella_shared::{ids::CommandId, limits::LOOK_EVERY, limits::LOOK_JOB};
use std::{thread::sleep, time::Duration, time::Instant};

/// Between the first two samples, of which the second has rates: the kernel counts CPU time in hundredths of a second.
const FIRST: Duration = Duration::from_millis(200);

/// Samples for ever, and has the root part look at the host's files, and start the speedtests that the operator wants by the clock.
pub(super) fn run(front: &Front, host: &Host) -> anyhow::Result<()> {
    let (mut sampler, mut looked, mut tested) = (Sampler::default(), Instant::now(), Instant::now());
    // Without a look what it tells grows old; without the root part this process is about to end too.
    let look = || front.ask(Verb::Look, CommandId([0; 32]), 0, 0);
    let _ = look();
    // Whose `/proc` this is, the first look tells; one that hangs is not waited for.
    while !front.known().looks.is_viewed() && looked.elapsed() < LOOK_JOB * 2 {
        sleep(Duration::from_millis(10));
    }
    // Rates and percentages are differences: the first sample has none and is not kept.
    take(&mut sampler, front, host);
    let mut next = Instant::now() + FIRST;
    loop {
        let every = if front.known().looks.has_own() { front.config.sample_every } else { LOOK_EVERY };
        if looked.elapsed() >= every {
            looked = Instant::now();
            let _ = look();
        }
        if front.config.speedtest_every.is_some_and(|every| tested.elapsed() >= every) {
            tested = Instant::now();
            let test = answer::speedtest(front, CommandId::over(&[b"scheduled", &unix_ms().to_le_bytes()]), FRONT.0);
            let _ = test.map_err(|refusal| eprintln!("constella-agent: no speedtest: {}", refusal.message));
        }
        sleep(next.saturating_duration_since(Instant::now()));
        // What was missed, in a suspended machine say, is not made up for.
        next = (next + front.config.sample_every).max(Instant::now());
        let sample = take(&mut sampler, front, host);
        let kept = front.known().series.add(unix_ms(), &sample);
        kept.unwrap_or_else(|error| eprintln!("constella-agent: no sample is kept: {error}"));
    }
}

/// Samples the host, and leaves what is seen as the newest stats.
fn take(sampler: &mut Sampler, front: &Front, host: &Host) -> constella_figures::Sample {
    let looks = front.known().looks.clone();
    let (mut stats, mut sample) = sampler.take((&host.pid1, &host.boot_id), front.config.sample_every, &looks);
    (stats.at_unix_s, stats.agent_version) = (unix_ms() / 1000, env!("CARGO_PKG_VERSION").to_owned());
    let mut known = front.known();
    if let Some(test) = known.speedtest.finished.take() {
        constella_figures::with_speedtest(&mut sample, test);
    }
    (known.stats, known.sampled) = (stats, Instant::now());
    sample
}
