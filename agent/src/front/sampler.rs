//! The sampling of the host (A6): what `/v1/stats` answers, and what the series keeps.

use super::{Front, answer, unix_ms};
use crate::{Host, powers::FRONT, root::frame::Verb, series::Sample};
use constella_shared::agent::{Net, SpeedtestFigures, Stats, Temperature};
use constella_shared::{ids::CommandId, limits::LOOK_EVERY};
use procfs_core::{DiskStats, FromRead, net::InterfaceDeviceStatus};
use std::{fs::read_to_string, mem::replace, mem::take, path::Path, time::Instant};
use sysinfo::{Component, Components, Cpu, MINIMUM_CPU_UPDATE_INTERVAL, System};

/// Interfaces that repeat the traffic of others or carry none, and disks that stand on others or in memory.
const UNREAL: [&str; 14] =
    ["lo", "veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "ifb", "dummy", "ram", "zram", "dm-", "md"];

struct Sampler<'a> {
    host: &'a Host,
    system: System,
    sensors: Components,
    nets: Vec<Net>,
    /// Disks in the form of interfaces: received is what was read.
    disks: Vec<Net>,
    at: Instant,
}

/// Samples for ever, and has the root part look at the disks, and start the speedtests that the operator wants by the clock.
pub(super) fn run(front: &Front, host: &Host) -> anyhow::Result<()> {
    let (system, sensors, at) = (System::new()?, Components::new()?, Instant::now());
    let mut sampler = Sampler { host, system, sensors, nets: Vec::new(), disks: Vec::new(), at };
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
        if front.config.speedtest_every.is_some_and(|every| tested.elapsed() >= every) {
            tested = Instant::now();
            let test = answer::speedtest(front, CommandId::over(&[b"scheduled", &unix_ms().to_le_bytes()]), FRONT.0);
            let _ = test.map_err(|refusal| eprintln!("constella-agent: no speedtest: {}", refusal.message));
        }
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        // What was missed, in a suspended machine say, is not made up for.
        next = (next + front.config.sample_every).max(Instant::now());
        let kept = sampler.take(front).and_then(|sample| Ok(front.known().series.add(unix_ms(), &sample)?));
        kept.unwrap_or_else(|error| eprintln!("constella-agent: no sample is kept: {error:#}"));
    }
}

impl Sampler<'_> {
    /// Looks at the host, and leaves what it sees as the newest stats.
    fn take(&mut self, front: &Front) -> anyhow::Result<Sample> {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let seconds = replace(&mut self.at, Instant::now()).elapsed().as_secs_f64();
        let nets = InterfaceDeviceStatus::from_file(self.host.pid1.join("net/dev"))?.0.into_iter();
        let nets = nets.map(|(name, net)| (name, [net.recv_bytes, net.sent_bytes]));
        self.nets = rates(&self.nets, nets.filter(|(name, _)| is_real(name)), seconds);
        // What is in /sys/block is a disk, and no partition. The kernel counts sectors of 512 bytes, whatever the disk's are.
        let whole = |name: &str| is_real(name) && Path::new("/sys/block").join(name).exists();
        let disks = DiskStats::from_file("/proc/diskstats")?.0.into_iter().filter(|disk| whole(&disk.name));
        let disks = disks.map(|it| (it.name, [it.sectors_read, it.sectors_written].map(|n| n.saturating_mul(512))));
        self.disks = rates(&self.disks, disks, seconds);
        let celsius = |sensor: &Component| sensor.temperature().filter(|celsius| celsius.is_finite());
        let sensor = |it: &Component| Some(Temperature { label: it.label().to_owned(), celsius: celsius(it)? });
        let (boot_id, uptime_s) = (read_to_string(&self.host.boot_id)?, System::uptime()?);
        let (system, load, mut known) = (&self.system, System::load_average()?, front.known());
        known.stats = Stats {
            at_unix_s: unix_ms() / 1000,
            hostname: take(&mut known.stats.hostname),
            boot_id: boot_id.trim().to_owned(),
            uptime_s,
            kernel: System::kernel_version().unwrap_or_default(),
            cpu_percent: system.global_cpu_usage(),
            cores_percent: system.cpus().iter().map(Cpu::usage).collect(),
            load: [load.one as f32, load.five as f32, load.fifteen as f32],
            mem_total: system.total_memory(),
            mem_used: system.total_memory().saturating_sub(system.available_memory()),
            swap_total: system.total_swap(),
            swap_used: system.used_swap(),
            disks: take(&mut known.stats.disks),
            nets: self.nets.clone(),
            temperatures: self.sensors.iter().filter_map(sensor).collect(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let test = known.speedtest.finished.take().unwrap_or_default();
        Ok(figures(&known.stats, &self.disks, test))
    }
}

fn is_real(name: &str) -> bool {
    !UNREAL.iter().any(|kind| name.starts_with(kind))
}

/// What was counted, and its growth a second: nothing for a newcomer, and nothing for a counter that began anew or wrapped.
fn rates(before: &[Net], now: impl Iterator<Item = (String, [u64; 2])>, seconds: f64) -> Vec<Net> {
    let rate = |now: u64, was: u64| (now.saturating_sub(was) as f64 / seconds.max(0.001)) as u64;
    let net = |(name, [rx, tx]): (String, [u64; 2])| {
        let was = before.iter().find(|net| net.name == name);
        let (was_rx, was_tx) = was.map_or((rx, tx), |net| (net.rx_total, net.tx_total));
        Net { name, rx_total: rx, tx_total: tx, rx_rate: rate(rx, was_rx), tx_rate: rate(tx, was_tx) }
    };
    let mut nets: Vec<Net> = now.map(net).collect();
    nets.sort_by(|one, other| one.name.cmp(&other.name));
    nets
}

/// The figures of one sample, in the order of [`Sample`]. NaN is absent.
fn figures(stats: &Stats, disks: &[Net], test: SpeedtestFigures) -> Sample {
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0) as f32 };
    let sum = |[a, b]: [f32; 2], net: &Net| [a + net.rx_rate as f32, b + net.tx_rate as f32];
    let ([rx, tx], [read, written]) = (stats.nets.iter().fold([0.0; 2], sum), disks.iter().fold([0.0; 2], sum));
    let (mem, swap) = (percent(stats.mem_used, stats.mem_total), percent(stats.swap_used, stats.swap_total));
    let fullest = stats.disks.iter().map(|disk| percent(disk.used, disk.total)).fold(0.0, f32::max);
    let hottest = stats.temperatures.iter().map(|sensor| sensor.celsius).fold(f32::NAN, f32::max);
    let [down, up] = [test.download_bps, test.upload_bps].map(|bps| bps.map_or(f32::NAN, |bps| bps as f32));
    let ([load, ..], latency) = (stats.load, test.latency_ms.unwrap_or(f32::NAN));
    [stats.cpu_percent, rx, tx, mem, swap, fullest, read, written, load, hottest, down, up, latency]
}

#[cfg(test)]
mod tests;
