//! Counters of CPUs, interfaces and disks: how they grow, and which of them count. Text of the kernel, read line by line: a line that cannot be
//! read hides no other.

use crate::look::Kind;
use crate::sys::printable;
use constella_shared::agent::Net;
use std::os::unix::ffi::OsStrExt as _;
use std::{collections::BTreeMap, path::Path, time::Instant};

/// Two counters each: received and sent, read and written, or all time and idle time.
pub(crate) type Counters = BTreeMap<String, [u64; 2]>;

/// Names of interfaces and disks that stand on others, or in memory: what is known of one whose structure cannot be seen.
const LAYERS: &str = "loop bond team br vmbr virbr docker podman veth vnet tap tun fwbr fwpr fwln wg tailscale zt ppp vlan macvlan macvtap \
    ipvlan vxlan geneve gre erspan sit ip6 ipip vti ipsec xfrm cni flannel cali cilium lxc lxd kube ovs ifb dummy ram zram dm- md bcache zd drbd";

/// `  eth0: 1 2 ...` of `/proc/net/dev`: the first column is what was received, the ninth what was sent. Also the names whose line is garbage.
pub(crate) fn nets(table: &[u8]) -> (Counters, Vec<String>) {
    let (mut nets, mut garbage) = (Counters::new(), Vec::new());
    for line in table.split(|byte| *byte == b'\n') {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, columns) = line.split_at(at);
        let (name, columns) = (printable(name.trim_ascii()), String::from_utf8_lossy(columns).into_owned());
        let mut columns = columns.trim_start_matches(':').split_whitespace().map(|column| column.parse().ok());
        match columns.next().flatten().zip(columns.nth(7).flatten()) {
            Some((rx, tx)) => _ = nets.insert(name, [rx, tx]),
            None => garbage.push(name),
        }
    }
    (nets, garbage)
}

/// `8 0 sda ...` of `/proc/diskstats`, bytes: the kernel counts sectors of 512, whatever the disk's are.
pub(crate) fn disks(table: &str) -> Counters {
    let disk = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let bytes = |n: usize| columns.get(n)?.parse::<u64>().ok().map(|sectors| sectors.saturating_mul(512));
        Some(((*columns.get(2)?).to_owned(), [bytes(5)?, bytes(9)?]))
    };
    table.lines().filter_map(disk).collect()
}

/// `cpu0 1 2 3 4 ...` of `/proc/stat`: user, nice, system, idle; waiting for disks, which later kernels have, is idle too. What guests took is
/// in the first two. The name is the number, in its order; that of the line of all CPUs is blank.
pub(crate) fn cpus(table: &str) -> Counters {
    let cpu = |line: &str| {
        let mut columns = line.strip_prefix("cpu")?.split(' ');
        let number = columns.next()?;
        let times: Vec<u64> =
            columns.filter(|word| !word.is_empty()).map_while(|word| word.parse().ok()).take(8).collect();
        let idle = times.get(3)?.saturating_add(*times.get(4).unwrap_or(&0));
        Some((format!("{number:>5}"), [times.iter().fold(0, |sum: u64, time| sum.saturating_add(*time)), idle]))
    };
    table.lines().filter_map(cpu).collect()
}

/// Interfaces or disks between two samples.
#[derive(Debug, Default)]
pub(crate) struct Meter(Option<(Instant, Counters)>);

impl Meter {
    /// The growth a second of those that count; and those of which it is not known, because they are new or their counters began anew or wrapped.
    pub(crate) fn rates(&mut self, (at, now): (Instant, Counters), outer: &[String]) -> (Vec<Net>, Vec<String>) {
        let (mut nets, mut unknown) = (Vec::new(), Vec::new());
        let (since, before) = self.0.take().unwrap_or((at, Counters::new()));
        let seconds = at.duration_since(since).as_secs_f64();
        for (name, [rx, tx]) in now.iter().filter(|(name, _)| outer.contains(name)) {
            let grown = before.get(name).filter(|_| seconds > 0.0);
            let Some((more_rx, more_tx)) = grown.and_then(|was| rx.checked_sub(was[0]).zip(tx.checked_sub(was[1])))
            else {
                unknown.push(name.clone());
                continue;
            };
            let rate = |more: u64| (more as f64 / seconds) as u64;
            let (rx_rate, tx_rate) = (rate(more_rx), rate(more_tx));
            nets.push(Net { name: name.clone(), rx_total: *rx, tx_total: *tx, rx_rate, tx_rate });
        }
        self.0 = Some((at, now));
        (nets, unknown)
    }
}

/// Those whose sum is what came from outside: all of the first of these kinds that there is.
pub(crate) fn outermost(counters: &Counters, kinds: &[Kind], kind: impl Fn(&str) -> Kind) -> Vec<String> {
    let all = counters.keys().filter(|name| *name != "lo").map(|name| (name.clone(), kind(name)));
    let all: Vec<(String, Kind)> = all.collect();
    let wanted = kinds.iter().find(|wanted| all.iter().any(|(_, kind)| kind == *wanted));
    all.into_iter().filter(|(_, kind)| Some(kind) == wanted).map(|(name, _)| name).collect()
}

/// By name alone. A VLAN is called after its base: `eth0.100`.
pub(crate) fn by_name(counters: &Counters, name: &str) -> Kind {
    let vlan = name.rsplit_once('.').is_some_and(|(base, _)| counters.contains_key(base));
    if vlan || LAYERS.split(' ').any(|layer| name.starts_with(layer)) { Kind::Layer } else { Kind::Leaf }
}

/// The kinds of the disks of a table, by `sys` (`/sys`), where both are of one kernel: partitions, disks that stand on others, paths of a
/// multipath disk, hardware.
pub(crate) fn of_blocks(sys: &Path, counters: &Counters) -> BTreeMap<String, Kind> {
    let path = |name: &str| sys.join("class/block").join(name.replace('/', "!"));
    let blocks = std::fs::read_dir(sys.join("block")).into_iter().flatten().flatten();
    let fits = counters.keys().all(|name| path(name).exists())
        || blocks.into_iter().all(|block| counters.contains_key(&printable(block.file_name().as_bytes())));
    let kind = |name: &String| {
        let path = path(name);
        let stands = std::fs::read_dir(path.join("slaves")).is_ok_and(|mut slaves| slaves.next().is_some());
        let hidden = std::fs::read(path.join("hidden")).is_ok_and(|text| text.starts_with(b"1"));
        // A partition is called after its disk: `sda1`, `nvme0n1p1`.
        let disk = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let part = [disk, disk.trim_end_matches('p')].iter().any(|disk| *disk != name && counters.contains_key(*disk));
        let kind = match () {
            () if part || (fits && (stands || hidden || path.join("partition").exists())) => Kind::Layer,
            () if fits && path.join("device").exists() => Kind::Wire,
            () => by_name(counters, name),
        };
        (name.clone(), kind)
    };
    counters.keys().map(kind).collect()
}

#[cfg(test)]
mod tests;
