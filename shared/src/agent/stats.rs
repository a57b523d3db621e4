//! `GET /v1/stats` of the agent: the figures of one host, each a value or absent with its reason.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The host now. Bytes are bytes, rates are bytes a second, percentages 0 to 100. A figure that the agent does not have is absent, or its list lacks
/// it, and [`Stats::missing`] says why; it is never told as 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Unix time of the sample, seconds.
    pub at_unix_s: u64,
    /// Seconds since that sample, where that is more than two samples take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    /// Host name as the kernel has it; empty where it is missing.
    pub hostname: String,
    /// `/proc/sys/kernel/random/boot_id`: changes with every boot of the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// When PID 1 began, in clock ticks of the kernel, on a host that is a container with the boot id of the machine below: that one's boots are
    /// told apart by it. Absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid1_start: Option<u64>,
    /// Seconds since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_s: Option<u64>,
    /// Kernel release, e.g. `6.1.0-18-amd64`.
    pub kernel: String,
    /// Whole CPU, percent over the last sample period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f32>,
    /// Each core, percent.
    pub cores_percent: Vec<f32>,
    /// Load averages over 1, 5 and 15 minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<[f32; 3]>,
    /// Memory of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_total: Option<u64>,
    /// Memory in use (total less available).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_used: Option<u64>,
    /// Swap of the host; 0 where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_total: Option<u64>,
    /// Swap in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_used: Option<u64>,
    /// Bytes a second read from swap, and written to it, over the last sample period. Absent where the kernel counts for others too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_rates: Option<[u64; 2]>,
    /// File systems that fill up, the fullest first; a device or a pool is told once.
    pub disks: Vec<Disk>,
    /// Interfaces whose sum is the host's traffic: what passes a bond, VLAN, bridge, tunnel or virtual machine passes one of these too. One
    /// that is new, or whose counters began anew, comes with the next sample.
    pub nets: Vec<Net>,
    /// Sensors, where the host has them.
    pub temperatures: Vec<Temperature>,
    /// The agent's version.
    pub agent_version: String,
    /// What is absent, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

/// A figure that the agent does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// `hostname`, `boot_id`, `uptime`, `cpu`, `load`, `memory`, `swap`, `swap_rates`, `net`, `disks`, `disk_rates` or `temperatures`; later agents may add others.
    pub figure: String,
    /// One sentence for a person. Of a list that has other members it begins with the one that is missing.
    pub why: String,
}

impl Stats {
    /// Why a figure is absent, where it is: the first reason of those that are given.
    #[must_use]
    pub fn why(&self, figure: &str) -> Option<&str> {
        self.missing.iter().find(|missing| missing.figure == figure).map(|missing| missing.why.as_str())
    }

    /// What tells this boot from another: the boot id, and PID 1's start where that is needed. Compared by [`is_same_boot`].
    #[must_use]
    pub fn boot(&self) -> Option<String> {
        let boot_id = self.boot_id.clone().filter(|id| !id.is_empty())?;
        Some(self.pid1_start.map_or(boot_id.clone(), |start| format!("{boot_id}/{start}")))
    }

    /// Percent of memory in use.
    #[must_use]
    pub fn mem_percent(&self) -> Option<f32> {
        self.mem_total.zip(self.mem_used).and_then(|(total, used)| percent(used, total))
    }

    /// Percent of swap in use: 0 of a host that has none.
    #[must_use]
    pub fn swap_percent(&self) -> Option<f32> {
        self.swap_total.zip(self.swap_used).map(|(total, used)| percent(used, total).unwrap_or(0.0))
    }

    /// Bytes a second received and sent by all interfaces; absent where one's part is not known.
    #[must_use]
    pub fn net_rates(&self) -> Option<(u64, u64)> {
        let sum = |rate: fn(&Net) -> u64| self.nets.iter().map(rate).fold(0, u64::saturating_add);
        self.why("net").is_none().then(|| (sum(|net| net.rx_rate), sum(|net| net.tx_rate)))
    }

    /// These figures as a reader of protocol 1 understands them: absent ones as 0, new fields left out. It cannot tell 0 from absent.
    #[must_use]
    pub fn for_protocol_1(self) -> Self {
        Self {
            boot_id: Some(self.boot_id.unwrap_or_default()),
            pid1_start: None,
            age_s: None,
            uptime_s: Some(self.uptime_s.unwrap_or_default()),
            cpu_percent: Some(self.cpu_percent.unwrap_or_default()),
            load: Some(self.load.unwrap_or_default()),
            mem_total: Some(self.mem_total.unwrap_or_default()),
            mem_used: Some(self.mem_used.unwrap_or_default()),
            swap_total: Some(self.swap_total.unwrap_or_default()),
            swap_used: Some(self.swap_used.unwrap_or_default()),
            swap_rates: None,
            disks: self.disks.into_iter().map(Disk::for_protocol_1).collect(),
            temperatures: self.temperatures.into_iter().map(|it| Temperature { critical: None, ..it }).collect(),
            missing: Vec::new(),
            ..self
        }
    }
}

/// Whether two words of [`Stats::boot`] may mean one boot. One that comes from a version before PID 1's start was told has the boot id alone.
#[must_use]
pub fn is_same_boot(one: &str, other: &str) -> bool {
    let [(one_id, one_start), (other_id, other_start)] =
        [one, other].map(|boot| boot.split_once('/').map_or((boot, None), |(id, start)| (id, Some(start))));
    one_id == other_id && one_start.zip(other_start).is_none_or(|(one, other)| one == other)
}

/// One mounted file system of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Mount point on the host; of a pool, that of its fullest file system.
    pub mount: String,
    /// Device or source; of a pool, its name.
    pub device: String,
    /// File system type.
    pub fs: String,
    /// Size in bytes.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
    /// Bytes that others than root can still use: less than the rest where blocks are reserved. Agents of protocol 1 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// Inodes; absent where the file system makes them as it needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inodes_total: Option<u64>,
    /// Inodes in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inodes_used: Option<u64>,
}

impl Disk {
    /// Percent of the inodes in use.
    #[must_use]
    pub fn inodes_percent(&self) -> Option<f32> {
        self.inodes_total.zip(self.inodes_used).and_then(|(total, used)| percent(used, total))
    }

    fn for_protocol_1(self) -> Self {
        Self { available: None, inodes_total: None, inodes_used: None, ..self }
    }

    /// How full it is, as `df` says it: in use, of what is in use and available.
    #[must_use]
    pub fn percent(&self) -> Option<f32> {
        let available = self.available.unwrap_or(self.total.saturating_sub(self.used));
        percent(self.used, self.used.saturating_add(available))
    }
}

/// One network interface of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    /// Interface, e.g. `eth0`; bytes that are no UTF-8 are escaped.
    pub name: String,
    /// Bytes received since boot.
    pub rx_total: u64,
    /// Bytes sent since boot.
    pub tx_total: u64,
    /// Bytes a second received over the last sample period.
    pub rx_rate: u64,
    /// Bytes a second sent over the last sample period.
    pub tx_rate: u64,
}

/// One sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// Sensor label.
    pub label: String,
    /// Degrees Celsius.
    pub celsius: f32,
    /// The sensor's own critical mark, degrees Celsius, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<f32>,
}

/// A part of a whole; none of nothing.
fn percent(part: u64, whole: u64) -> Option<f32> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 100.0) as f32)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn a_boot_is_another_only_where_both_words_say_so() {
        for (one, other, same) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a/1", "a/1", true),
            ("a/1", "a/2", false),
            ("a/1", "b/1", false),
            ("a", "a/2", true),
            ("a/1", "a", true),
            ("a", "b/1", false),
        ] {
            assert_eq!((is_same_boot(one, other), is_same_boot(other, one)), (same, same), "{one} {other}");
        }
        let stats = Stats { boot_id: Some("a".into()), pid1_start: Some(7), ..Stats::default() };
        assert_eq!(stats.boot().as_deref(), Some("a/7"));
        assert_eq!(Stats { pid1_start: Some(7), ..Stats::default() }.boot(), None);
        assert_eq!(Stats { boot_id: Some(String::new()), ..Stats::default() }.boot(), None);
    }

    #[test]
    fn a_disk_is_as_full_as_df_says() {
        let disk = |used, total, available| Disk { used, total, available, ..Disk::default() };
        assert_eq!(disk(95, 100, Some(0)).percent(), Some(100.0), "5 % are kept for root");
        assert_eq!(disk(50, 100, None).percent(), Some(50.0), "an agent of protocol 1");
        assert_eq!(disk(0, 0, None).percent(), None);
    }

    #[test]
    fn a_rate_that_lacks_a_part_is_absent() {
        let net = |name: &str| Net { name: name.into(), rx_total: 9, tx_total: 9, rx_rate: 3, tx_rate: u64::MAX };
        let mut stats = Stats { nets: vec![net("a"), net("b")], ..Stats::default() };
        assert_eq!(stats.net_rates(), Some((6, u64::MAX)));
        stats.missing.push(Missing { figure: "net".into(), why: "c is new".into() });
        assert_eq!((stats.net_rates(), stats.why("net"), stats.why("cpu")), (None, Some("c is new"), None));
    }

    #[test]
    fn a_reader_of_protocol_1_gets_every_field_and_no_new_one() {
        let disks = vec![Disk { available: Some(1), inodes_total: Some(2), inodes_used: Some(1), ..Disk::default() }];
        let temperatures = vec![Temperature { label: "cpu".into(), celsius: 40.5, critical: Some(100.0) }];
        let missing = vec![Missing { figure: "load".into(), why: "x".into() }];
        let stats = Stats {
            mem_used: Some(3),
            pid1_start: Some(1),
            swap_rates: Some([1, 2]),
            disks,
            temperatures,
            missing,
            ..Stats::default()
        };
        let told = serde_json::to_value(stats.for_protocol_1()).unwrap();
        for field in ["boot_id", "uptime_s", "cpu_percent", "load", "mem_total", "swap_total", "swap_used"] {
            assert!(told.get(field).is_some(), "{field}");
        }
        assert_eq!((&told["mem_used"], &told["boot_id"]), (&3.into(), &"".into()));
        assert!(told.get("missing").is_none() && told.get("pid1_start").is_none());
        assert!(told.get("swap_rates").is_none() && told["temperatures"][0].get("critical").is_none());
        for field in ["available", "inodes_total", "inodes_used"] {
            assert!(told["disks"][0].get(field).is_none(), "{field}");
        }
    }
}
