//! The sampling of the host (A6): what `/v1/stats` answers, and what the series keeps.

use std::path::{Path, PathBuf};
use std::{collections::BTreeMap, rc::Rc, time::Duration};

use constella_shared::agent::{Net, SpeedtestFigures, Stats, Temperature};
use procfs_core::{DiskStats, FromRead, net::InterfaceDeviceStatus};
use sysinfo::{Component, Components, Cpu, MINIMUM_CPU_UPDATE_INTERVAL, System};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Front, unix_ms};
use crate::{Failure, root::frame::Verb, series::Sample};

/// Mounts fill slowly, and a look is a process: this often is enough.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Interfaces that repeat the traffic of others, or carry none.
const VIRTUAL: [&str; 10] = ["lo", "veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "ifb", "dummy"];
/// Disks that stand on others, or in memory.
const STACKED: [&str; 5] = ["loop", "ram", "zram", "dm-", "md"];

/// Two counters each of interfaces or disks, by name.
type Counters = BTreeMap<String, [u64; 2]>;

struct Sampler {
    pid1: PathBuf,
    boot_id: PathBuf,
    system: System,
    sensors: Components,
    nets: Counters,
    disks: Counters,
    at: Instant,
}

/// Samples for ever, unless there is no `/proc`.
pub(super) async fn run(front: Rc<Front>, pid1: PathBuf, boot_id: PathBuf) {
    if let Err(error) = sample(&front, pid1, boot_id).await {
        eprintln!("constella-agent: no sampling: {error}");
    }
}

async fn sample(front: &Front, pid1: PathBuf, boot_id: PathBuf) -> Result<(), Failure> {
    let (system, sensors, at) = (System::new()?, Components::new()?, Instant::now());
    let mut sampler = Sampler { pid1, boot_id, system, sensors, nets: BTreeMap::new(), disks: BTreeMap::new(), at };
    // Rates and percentages are differences: the first sample has none and is not kept.
    *front.stats.borrow_mut() = sampler.take(front)?.0;
    let (mut looked_at, mut ticks) = (None, interval_at(at + MINIMUM_CPU_UPDATE_INTERVAL, front.config.sample_every));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        if looked_at.is_none_or(|at: Instant| at.elapsed() >= LOOK_EVERY) {
            looked_at = Some(Instant::now());
            sampler.sensors.refresh(true);
            front.ask(Verb::Look, [0; 32], 0, 0).await;
        }
        ticks.tick().await;
        let (stats, sample) = sampler.take(front)?;
        front.series.borrow_mut().add(unix_ms(), &sample);
        *front.stats.borrow_mut() = stats;
    }
}

impl Sampler {
    fn take(&mut self, front: &Front) -> Result<(Stats, Sample), Failure> {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let seconds = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        let nets = InterfaceDeviceStatus::from_file(self.pid1.join("net/dev"))?.0.into_iter();
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
        let [read, written] = io.fold([0; 2], |[a, b], [read, written]| [a + read, b + written]);
        let sensor = |sensor: &Component| {
            Some(Temperature {
                label: sensor.label().to_owned(),
                celsius: sensor.temperature().filter(|c| c.is_finite())?,
            })
        };
        let (load, system, looked) = (System::load_average()?, &self.system, front.looked.borrow());
        let stats = Stats {
            at_unix_s: unix_ms() / 1000,
            hostname: looked.0.clone(),
            boot_id: std::fs::read_to_string(&self.boot_id)?.trim().to_owned(),
            uptime_s: System::uptime()?,
            kernel: System::kernel_version().unwrap_or_default(),
            cpu_percent: system.global_cpu_usage(),
            cores_percent: system.cpus().iter().map(Cpu::usage).collect(),
            load: [load.one as f32, load.five as f32, load.fifteen as f32],
            mem_total: system.total_memory(),
            mem_used: system.total_memory().saturating_sub(system.available_memory()),
            swap_total: system.total_swap(),
            swap_used: system.used_swap(),
            disks: looked.1.clone(),
            nets: nets.iter().map(net).collect(),
            temperatures: self.sensors.iter().filter_map(sensor).collect(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        (self.nets, self.disks) = (nets, disks);
        let sample = figures(
            &stats,
            read as f32,
            written as f32,
            front.speedtest.borrow_mut().finished.take().unwrap_or_default(),
        );
        Ok((stats, sample))
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
fn figures(stats: &Stats, read: f32, written: f32, test: SpeedtestFigures) -> Sample {
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0) as f32 };
    let [rx, tx] = stats.nets.iter().fold([0; 2], |[rx, tx], net| [rx + net.rx_rate, tx + net.tx_rate]);
    let (mem, swap) = (percent(stats.mem_used, stats.mem_total), percent(stats.swap_used, stats.swap_total));
    let fullest = stats.disks.iter().map(|disk| percent(disk.used, disk.total)).fold(0.0, f32::max);
    let hottest = stats.temperatures.iter().map(|sensor| sensor.celsius).fold(f32::NAN, f32::max);
    let bps = |figure: Option<u64>| figure.map_or(f32::NAN, |bps| bps as f32);
    let (down, up) = (bps(test.download_bps), bps(test.upload_bps));
    let ([load, ..], latency) = (stats.load, test.latency_ms.unwrap_or(f32::NAN));
    [stats.cpu_percent, rx as f32, tx as f32, mem, swap, fullest, read, written, load, hottest, down, up, latency]
}

#[cfg(test)]
mod tests;
