//! The sampling of the host (A6): what `/v1/stats` answers, and what the series keeps.

use std::collections::BTreeMap;
use std::mem::take;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use constella_shared::agent::{Net, SpeedtestFigures, Stats, Temperature};
use constella_shared::ids::CommandId;
use procfs_core::{DiskStats, FromRead, net::InterfaceDeviceStatus};
use sysinfo::{Component, Components, Cpu, MINIMUM_CPU_UPDATE_INTERVAL, System};

use super::{Front, speedtest, unix_ms};
use crate::{Host, powers::FRONT, root::frame::Verb, series::Sample};

/// Mounts fill slowly, and a look is a process: this often is enough.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Interfaces that repeat the traffic of others, or carry none.
const VIRTUAL: [&str; 10] = ["lo", "veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "ifb", "dummy"];
/// Disks that stand on others, or in memory.
const STACKED: [&str; 5] = ["loop", "ram", "zram", "dm-", "md"];

/// Two counters each of interfaces or disks, by name.
type Counters = BTreeMap<String, [u64; 2]>;

struct Sampler<'a> {
    host: &'a Host,
    system: System,
    sensors: Components,
    nets: Counters,
    disks: Counters,
    at: Instant,
}

/// Samples for ever, and has the root part look at the disks, and start the speedtests that the operator wants by the clock.
pub(super) fn run(front: &Front, host: &Host) -> Result<()> {
    let (system, sensors, at) = (System::new()?, Components::new()?, Instant::now());
    let mut sampler = Sampler { host, system, sensors, nets: BTreeMap::new(), disks: BTreeMap::new(), at };
    // Rates and percentages are differences: the first sample has none and is not kept.
    let _ = sampler.take(front);
    let (mut next, mut looked, mut tested) = (at + MINIMUM_CPU_UPDATE_INTERVAL, None, at);
    loop {
        if looked.is_none_or(|at: Instant| at.elapsed() >= LOOK_EVERY) {
            looked = Some(Instant::now());
            sampler.sensors.refresh(true);
            // Without a look the disks are as they were; without the root part this process is about to end too.
            let _ = front.ask(Verb::Look, CommandId([0; 32]), 0, 0);
        }
        let every = front.config.speedtest_every;
        if !every.is_zero() && tested.elapsed() >= every {
            tested = Instant::now();
            let id = CommandId::over(&[b"scheduled", &unix_ms().to_le_bytes()]);
            if let Err(error) = speedtest::start(front, id, FRONT.0) {
                front.warn("no scheduled speedtest", error.message);
            }
        }
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        // What was missed, in a suspended machine say, is not made up for.
        next = (next + front.config.sample_every).max(Instant::now());
        match sampler.take(front) {
            Ok(sample) => {
                let kept = front.known().series.add(unix_ms(), &sample);
                kept.unwrap_or_else(|error| front.warn("the series suffers from the disk", error));
            }
            Err(error) => front.warn("no sample", error),
        }
    }
}

impl Sampler<'_> {
    /// Looks at the host, and leaves what it sees as the newest stats.
    fn take(&mut self, front: &Front) -> Result<Sample> {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let seconds = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        let nets = InterfaceDeviceStatus::from_file(self.host.pid1.join("net/dev"))?.0.into_iter();
        let nets: Counters =
            nets.map(|(name, net)| (name, [net.recv_bytes, net.sent_bytes])).filter(is_none_of(&VIRTUAL)).collect();
        // The kernel counts sectors of 512 bytes, whatever the disk's are. What is in /sys/block is a disk, and no partition.
        let bytes = |sectors: u64| sectors.saturating_mul(512);
        let disks = DiskStats::from_file("/proc/diskstats")?.0.into_iter();
        let disks = disks.map(|disk| (disk.name, [bytes(disk.sectors_read), bytes(disk.sectors_written)]));
        let whole = |(name, _): &(String, _)| Path::new("/sys/block").join(name).exists();
        let disks: Counters = disks.filter(is_none_of(&STACKED)).filter(whole).collect();
        let net = |(name, now): (&String, &[u64; 2])| {
            let ([rx_total, tx_total], [rx_rate, tx_rate]) = (*now, rates(&self.nets, name, *now, seconds));
            Net { name: name.clone(), rx_total, tx_total, rx_rate, tx_rate }
        };
        let io = disks.iter().map(|(name, now)| rates(&self.disks, name, *now, seconds));
        let io = io.fold([0; 2], |[a, b], [read, written]| [a + read, b + written]);
        let sensor = |sensor: &Component| {
            let celsius = sensor.temperature().filter(|celsius| celsius.is_finite())?;
            Some(Temperature { label: sensor.label().to_owned(), celsius })
        };
        let boot_id = std::fs::read_to_string(&self.host.boot_id)?.trim().to_owned();
        let (load, system, mut known) = (System::load_average()?, &self.system, front.known());
        known.stats = Stats {
            at_unix_s: unix_ms() / 1000,
            hostname: take(&mut known.stats.hostname),
            boot_id,
            uptime_s: System::uptime()?,
            kernel: System::kernel_version().unwrap_or_default(),
            cpu_percent: system.global_cpu_usage(),
            cores_percent: system.cpus().iter().map(Cpu::usage).collect(),
            load: [load.one as f32, load.five as f32, load.fifteen as f32],
            mem_total: system.total_memory(),
            mem_used: system.total_memory().saturating_sub(system.available_memory()),
            swap_total: system.total_swap(),
            swap_used: system.used_swap(),
            disks: take(&mut known.stats.disks),
            nets: nets.iter().map(net).collect(),
            temperatures: self.sensors.iter().filter_map(sensor).collect(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        (self.nets, self.disks) = (nets, disks);
        let test = known.speedtest.finished.take().unwrap_or_default();
        Ok(figures(&known.stats, io, test))
    }
}

fn is_none_of(kinds: &[&str]) -> impl Fn(&(String, [u64; 2])) -> bool {
    |(name, _)| !kinds.iter().any(|kind| name.starts_with(kind))
}

/// Growth a second: nothing for a newcomer, and nothing for a counter that began anew or wrapped.
fn rates(before: &Counters, name: &str, [a, b]: [u64; 2], seconds: f64) -> [u64; 2] {
    let [was_a, was_b] = before.get(name).copied().unwrap_or([u64::MAX; 2]);
    [(a, was_a), (b, was_b)].map(|(now, was)| (now.saturating_sub(was) as f64 / seconds.max(0.001)) as u64)
}

/// The figures of one sample, in the order of [`Sample`]. NaN is absent.
fn figures(stats: &Stats, [read, written]: [u64; 2], test: SpeedtestFigures) -> Sample {
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0) as f32 };
    let [rx, tx] = stats.nets.iter().fold([0; 2], |[rx, tx], net| [rx + net.rx_rate, tx + net.tx_rate]);
    let (mem, swap) = (percent(stats.mem_used, stats.mem_total), percent(stats.swap_used, stats.swap_total));
    let fullest = stats.disks.iter().map(|disk| percent(disk.used, disk.total)).fold(0.0, f32::max);
    let hottest = stats.temperatures.iter().map(|sensor| sensor.celsius).fold(f32::NAN, f32::max);
    let [rx, tx, read, written] = [rx, tx, read, written].map(|rate| rate as f32);
    let [down, up] = [test.download_bps, test.upload_bps].map(|bps| bps.map_or(f32::NAN, |bps| bps as f32));
    let ([load, ..], latency) = (stats.load, test.latency_ms.unwrap_or(f32::NAN));
    [stats.cpu_percent, rx, tx, mem, swap, fullest, read, written, load, hottest, down, up, latency]
}

#[cfg(test)]
mod tests;
