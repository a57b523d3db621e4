//! Samples: what is known of a host now.

use std::collections::BTreeMap;
use std::fs;
use std::mem::replace;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use constella_shared::agent::{Missing, Net, SpeedtestFigures, Stats};
use constella_shared::limits::LOOK_STALE;

use crate::count::{self, Counters, Meter, by_name, of_blocks, outermost};
use crate::look::{Kind, Seen, View};
use crate::text::{self, or_why};

/// Figures of one sample, in the order of [`SeriesKind::ALL`](constella_shared::agent::SeriesKind::ALL) and its channels; absent ones are NaN.
pub type Sample = [f32; 13];

/// The findings of the newest looks, and when they came.
#[derive(Debug, Clone, Default)]
pub struct Known {
    view: Option<(Instant, View)>,
    seen: Option<(Instant, Seen)>,
}

impl Known {
    /// Takes in the host's own files.
    pub fn viewed(&mut self, view: View) {
        self.view = Some((Instant::now(), view));
    }

    /// Takes in everything else.
    pub fn saw(&mut self, seen: Seen) {
        self.seen = Some((Instant::now(), seen));
    }

    /// Whether it is known whose `/proc` this is.
    #[must_use]
    pub const fn is_viewed(&self) -> bool {
        self.view.is_some()
    }

    /// Whether the host has files of its own, which a look has to read for every sample.
    #[must_use]
    pub fn has_own(&self) -> bool {
        self.view.as_ref().is_some_and(|(_, view)| !view.0.is_empty())
    }

    /// One of the host's own files, where there is such a one.
    fn own(&self, name: &str) -> Option<(Instant, &Result<String, String>)> {
        let (at, view) = self.view.as_ref()?;
        view.0.iter().find(|(other, _)| other == name).map(|(_, text)| (*at, text))
    }
}

/// Counters of the last sample.
#[derive(Debug, Default)]
pub struct Sampler {
    cpus: Counters,
    nets: Meter,
    disks: Meter,
    swap: Meter,
}

/// Where one sample reads.
struct Source<'a> {
    pid1: &'a Path,
    boot_id: &'a Path,
    known: &'a Known,
    every: Duration,
}

impl Source<'_> {
    /// The content of a file, and when it was read.
    fn text(&self, name: &str) -> Result<(Instant, String)> {
        ensure!(self.known.is_viewed(), "whose /proc this is, is not known yet");
        let Some((at, text)) = self.known.own(name) else {
            let path = if name == BOOT_ID { self.boot_id } else { &Path::new("/proc").join(name) };
            let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            return Ok((Instant::now(), String::from_utf8_lossy(&bytes).into_owned()));
        };
        let old = at.elapsed();
        ensure!(old < self.every * 2 + LATE, "the host's own /proc/{name} was read {} s ago", old.as_secs());
        Ok((at, text.clone().map_err(|why| anyhow!(why))?))
    }
}

impl Sampler {
    /// Samples the host: its stats, and those that a series keeps. `pid1` and `boot_id` are as in the agent's `Host`; samples are `every` so long.
    pub fn take(&mut self, (pid1, boot_id): (&Path, &Path), every: Duration, known: &Known) -> (Stats, Sample) {
        let source = Source { pid1, boot_id, known, every };
        let mut stats = Stats { kernel: text::kernel(), ..Stats::default() };
        let (mut missing, structure) = seen(known, &mut stats);
        let cpu = source.text("stat").and_then(|(_, text)| self.cpu(&text));
        let (percent, cores) = or_why(&mut missing, "cpu", cpu).unzip();
        (stats.cpu_percent, stats.cores_percent) = (percent, cores.unwrap_or_default());
        let load = source.text("loadavg").and_then(|(_, text)| text::load(&text));
        stats.load = or_why(&mut missing, "load", load);
        text::memory(&mut stats, &mut missing, source.text("meminfo").map(|(_, text)| text));
        let swap = source.text("vmstat").and_then(|(at, text)| {
            // lxcfs has none: this one counts for the whole machine.
            ensure!(!known.has_own(), "/proc/vmstat is not the host's own");
            self.swapped(at, &text)
        });
        stats.swap_rates = or_why(&mut missing, "swap_rates", swap);
        source.boot(&mut stats, &mut missing);
        let nets = self.nets(pid1, &mut missing, &structure);
        stats.nets = or_why(&mut missing, "net", nets).unwrap_or_default();
        let disks = source.text("diskstats").and_then(|(at, text)| self.disks(at, &text));
        let disks = or_why(&mut missing, "disk_rates", disks);
        stats.missing = missing;
        let sample = sample(&stats, disks);
        (stats, sample)
    }

    /// Percent of the time since the last sample that was not idle: all CPUs, and each.
    fn cpu(&mut self, text: &str) -> Result<(f32, Vec<f32>)> {
        let before = replace(&mut self.cpus, count::cpus(text));
        let busy = |(name, [all, idle]): (&String, &[u64; 2])| {
            let [was_all, was_idle] = before.get(name)?;
            let all = all.checked_sub(*was_all).filter(|all| *all > 0)?;
            Some((1.0 - idle.saturating_sub(*was_idle).min(all) as f32 / all as f32) * 100.0)
        };
        let (whole, cores): (Vec<_>, Vec<_>) = self.cpus.iter().partition(|(name, _)| name.trim().is_empty());
        let whole = whole.first().context("/proc/stat has no line of all CPUs with four numbers")?;
        let percent = busy(*whole).context("/proc/stat counted no time since the last sample")?;
        Ok((percent, cores.into_iter().filter_map(busy).collect()))
    }

    /// The interfaces whose sum is the host's traffic. A structure is of these interfaces, or of another network namespace's.
    fn nets(
        &mut self,
        pid1: &Path,
        missing: &mut Vec<Missing>,
        structure: &BTreeMap<String, Kind>,
    ) -> Result<Vec<Net>> {
        let folder = pid1.join("net");
        let table = fs::read(folder.join("dev")).with_context(|| format!("cannot read {}/dev", folder.display()))?;
        let ((counters, garbage), at) = (count::nets(&table), Instant::now());
        ensure!(!counters.is_empty(), "{}/dev names no interface", folder.display());
        let unread = |name| Missing { figure: format!("net {name}"), why: "its line cannot be read".to_owned() };
        missing.extend(garbage.into_iter().map(unread));
        let fits = structure.keys().all(|name| counters.contains_key(name))
            || counters.keys().all(|name| structure.contains_key(name));
        let stands = |name: &str| ["bonding", "vlan"].iter().any(|kind| folder.join(kind).join(name).exists());
        let kind = |name: &str| match structure.get(name).filter(|_| fits) {
            Some(kind @ (Kind::Wire | Kind::Layer)) => *kind,
            _ if stands(name) => Kind::Layer,
            // A container's end of a pair of virtual interfaces is built like the uplink of a host that is one.
            _ => by_name(&counters, name),
        };
        let outer = outermost(&counters, &[Kind::Wire, Kind::Leaf, Kind::Layer], kind);
        let (nets, unknown) = self.nets.rates((at, counters), &outer);
        let _ = or_why(missing, "net", text::all_known(&unknown));
        Ok(nets)
    }

    /// Bytes a second read from and written to swap.
    fn swapped(&mut self, at: Instant, text: &str) -> Result<[u64; 2]> {
        let counters = Counters::from([("swap".to_owned(), text::swapped(text)?)]);
        let (rates, unknown) = self.swap.rates((at, counters), &["swap".to_owned()]);
        text::all_known(&unknown)?;
        Ok(rates.first().map(|swap| [swap.rx_rate, swap.tx_rate]).unwrap_or_default())
    }

    /// Bytes a second read from and written to the host's disks.
    fn disks(&mut self, at: Instant, text: &str) -> Result<(u64, u64)> {
        let counters = count::disks(text);
        let kinds = of_blocks(Path::new("/sys"), &counters);
        let outer =
            outermost(&counters, &[Kind::Wire, Kind::Leaf], |name| kinds.get(name).copied().unwrap_or(Kind::Leaf));
        ensure!(!outer.is_empty(), "/proc/diskstats names no disk");
        let (disks, unknown) = self.disks.rates((at, counters), &outer);
        text::all_known(&unknown)?;
        let sum = |rate: fn(&Net) -> u64| disks.iter().map(rate).fold(0, u64::saturating_add);
        Ok((sum(|disk| disk.rx_rate), sum(|disk| disk.tx_rate)))
    }
}

impl Source<'_> {
    /// The identity of this boot of the host, and its uptime.
    fn boot(&self, stats: &mut Stats, missing: &mut Vec<Missing>) {
        let boot_id = self.text(BOOT_ID).and_then(|(_, text)| {
            let boot_id = text.trim().to_owned();
            ensure!(!boot_id.is_empty(), "the boot id is empty");
            Ok(boot_id)
        });
        stats.boot_id = or_why(missing, "boot_id", boot_id);
        // Where the second process is the kernel's own, PID 1 is the machine's and begins with its boot.
        let machine = || fs::read("/proc/2/comm").is_ok_and(|name| name == b"kthreadd\n");
        if self.known.own(BOOT_ID).is_none() && self.pid1.ends_with("1") && !machine() {
            stats.pid1_start = fs::read(self.pid1.join("stat")).ok().and_then(|stat| text::start(&stat));
        }
        let uptime = self.text("uptime").and_then(|(_, text)| text::uptime(&text));
        // The kernel's clock says the same, where the host has no time of its own.
        let clock = || rustix::time::clock_gettime(rustix::time::ClockId::Boottime).tv_sec.unsigned_abs();
        let uptime = uptime.or_else(|why| if self.known.own("uptime").is_some() { Err(why) } else { Ok(clock()) });
        stats.uptime_s = or_why(missing, "uptime", uptime);
    }
}

/// Takes over what the newest look saw. What is missing of it, and how the interfaces stand on each other.
fn seen(known: &Known, stats: &mut Stats) -> (Vec<Missing>, BTreeMap<String, Kind>) {
    let why = match &known.seen {
        None => "the host's files are not looked at yet".to_owned(),
        Some((at, _)) if at.elapsed() > LOOK_STALE => format!("the last look is {} s old", at.elapsed().as_secs()),
        Some((_, seen)) => {
            stats.hostname.clone_from(&seen.hostname);
            stats.disks.clone_from(&seen.disks);
            stats.temperatures.clone_from(&seen.temperatures);
            return (seen.missing.clone(), seen.nets.iter().cloned().collect());
        }
    };
    let lacks = |figure: &str| Missing { figure: figure.to_owned(), why: why.clone() };
    (["hostname", "disks", "temperatures"].map(lacks).into(), BTreeMap::new())
}

/// The channels of a series. Those of a speedtest have no figure but when one has ended.
fn sample(stats: &Stats, disks: Option<(u64, u64)>) -> Sample {
    let rates = |rates: Option<(u64, u64)>| rates.map(|(one, other)| (one as f32, other as f32)).unzip();
    let ((rx, tx), (read, written)) = (rates(stats.net_rates()), rates(disks));
    let fullest = stats.disks.iter().filter_map(constella_shared::agent::Disk::percent).reduce(f32::max);
    let hottest = stats.temperatures.iter().map(|sensor| sensor.celsius).reduce(f32::max);
    let (mem, swap, load) = (stats.mem_percent(), stats.swap_percent(), stats.load.map(|[one, ..]| one));
    let host = [stats.cpu_percent, rx, tx, mem, swap, fullest, read, written, load, hottest, None, None, None];
    host.map(|figure| figure.unwrap_or(f32::NAN))
}

/// Puts a finished speedtest into a sample.
pub fn with_speedtest(sample: &mut Sample, test: SpeedtestFigures) {
    let figures = [test.download_bps.map(|bps| bps as f32), test.upload_bps.map(|bps| bps as f32), test.latency_ms];
    sample.iter_mut().rev().zip(figures.into_iter().rev()).for_each(|(place, it)| *place = it.unwrap_or(f32::NAN));
}

const BOOT_ID: &str = "sys/kernel/random/boot_id";

/// A look is started by another process, which may be busy.
const LATE: Duration = Duration::from_secs(3);
