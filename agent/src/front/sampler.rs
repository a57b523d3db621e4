//! The sampling of the host (A6): what `/v1/stats` answers, and what the series keeps.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use constella_shared::agent::{Net, SpeedtestFigures, Stats, Temperature};
use sysinfo::{Components, MINIMUM_CPU_UPDATE_INTERVAL, System};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{Front, procfs, unix_ms};
use crate::log::{Level, say};
use crate::root::frame::{Ask, Verb};
use crate::series::Sample;

/// Mounts fill slowly, and a look is a process: this often is enough.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Two counters of each interface or disk.
type Counters = Vec<(String, [u64; 2])>;

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
pub(super) async fn run(front: Rc<Front>, pid1: PathBuf, boot_id: PathBuf) -> Result<(), sysinfo::Error> {
    let (system, sensors, nets, disks) = (System::new()?, Components::new()?, Vec::new(), Vec::new());
    let mut sampler = Sampler { pid1, boot_id, system, sensors, nets, disks, at: Instant::now() };
    // Rates and percentages are differences: the first sample has none, and waits for no second.
    *front.stats.borrow_mut() = sampler.sample(&front)?.0;
    let mut looked_at: Option<Instant> = None;
    let mut ticks = interval_at(Instant::now() + MINIMUM_CPU_UPDATE_INTERVAL, front.config.sample_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        if looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            looked_at = Some(Instant::now());
            sampler.sensors.refresh(true);
            let ask = Ask { verb: Verb::Look, id: [0; 32], not_after_ms: 0, uid: 0 };
            if let Err(error) = front.channel.send(&ask).await {
                say(Level::Error, "the root part takes no request", error);
            }
        }
        ticks.tick().await;
        let (stats, sample) = sampler.sample(&front)?;
        front.series.borrow_mut().add(unix_ms(), &sample);
        *front.stats.borrow_mut() = stats;
    }
}

impl Sampler {
    fn sample(&mut self, front: &Front) -> Result<(Stats, Sample), sysinfo::Error> {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let seconds = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        let nets = procfs::nets(&text(&self.pid1.join("net/dev")));
        let whole = |name: &str| Path::new("/sys/block").join(name).exists();
        let disks = procfs::disks(&text(Path::new("/proc/diskstats")), whole);
        let net = |(name, [rx_total, tx_total]): &(String, [u64; 2])| {
            let [rx_rate, tx_rate] = procfs::rates(&self.nets, name, [*rx_total, *tx_total], seconds);
            Net { name: name.clone(), rx_total: *rx_total, tx_total: *tx_total, rx_rate, tx_rate }
        };
        let io = disks.iter().map(|(name, now)| procfs::rates(&self.disks, name, *now, seconds));
        let [read, written] = io.fold([0; 2], |[r, w], [read, written]| [r + read, w + written]);
        let (hostname, mounts, _) = &*front.looked.borrow();
        let load = System::load_average()?;
        let stats = Stats {
            at_unix_s: unix_ms() / 1000,
            hostname: hostname.clone(),
            boot_id: text(&self.boot_id).trim().to_owned(),
            uptime_s: System::uptime()?,
            kernel: System::kernel_version().unwrap_or_default(),
            cpu_percent: self.system.global_cpu_usage(),
            cores_percent: self.system.cpus().iter().map(sysinfo::Cpu::usage).collect(),
            load: [load.one as f32, load.five as f32, load.fifteen as f32],
            mem_total: self.system.total_memory(),
            mem_used: self.system.total_memory().saturating_sub(self.system.available_memory()),
            swap_total: self.system.total_swap(),
            swap_used: self.system.used_swap(),
            disks: mounts.clone(),
            nets: nets.iter().map(net).collect(),
            temperatures: self.temperatures(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        (self.nets, self.disks) = (nets, disks);
        let finished = front.speedtest.borrow_mut().finished.take();
        let sample = sample_of(&stats, [read, written], finished);
        Ok((stats, sample))
    }

    fn temperatures(&self) -> Vec<Temperature> {
        let sensor = |sensor: &sysinfo::Component| {
            Some(Temperature {
                label: sensor.label().to_owned(),
                celsius: sensor.temperature().filter(|c| c.is_finite())?,
            })
        };
        self.sensors.iter().filter_map(sensor).collect()
    }
}

/// The figures of one sample, in the order that `series::channels` names them.
fn sample_of(stats: &Stats, [read, written]: [u64; 2], speedtest: Option<SpeedtestFigures>) -> Sample {
    let [rx, tx] = stats.nets.iter().fold([0, 0], |[rx, tx], net| [rx + net.rx_rate, tx + net.tx_rate]);
    let fullest = stats.disks.iter().map(|disk| percent(disk.used, disk.total)).fold(0.0, f32::max);
    let hottest = stats.temperatures.iter().map(|sensor| sensor.celsius).fold(f32::NAN, f32::max);
    let speedtest = speedtest.unwrap_or_default();
    let bps = |figure: Option<u64>| figure.map_or(f32::NAN, |bps| bps as f32);
    let [load, ..] = stats.load;
    [
        stats.cpu_percent,
        rx as f32,
        tx as f32,
        percent(stats.mem_used, stats.mem_total),
        percent(stats.swap_used, stats.swap_total),
        fullest,
        read as f32,
        written as f32,
        load,
        hottest,
        bps(speedtest.download_bps),
        bps(speedtest.upload_bps),
        speedtest.latency_ms.unwrap_or(f32::NAN),
    ]
}

fn percent(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 100.0) as f32 }
}

/// A file of the kernel; one that cannot be read is empty, and its figures are absent.
fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
