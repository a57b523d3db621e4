//! The host's own tables, as text of the kernel: network counters and disk counters. (What a container sees as its own is not the host's.)

/// Interfaces that only repeat the traffic of others, or carry none: they would be counted twice.
const VIRTUAL: [&str; 11] = ["lo", "veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "ifb", "dummy", "tap"];

/// Bytes received and sent, each since boot, by interface, from `/proc/<pid>/net/dev` (proc_pid_net(5)).
pub(super) fn nets(table: &str) -> Vec<(String, [u64; 2])> {
    let line = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let mut counters = counters.split_whitespace();
        let received = counters.next()?.parse().ok()?;
        let sent = counters.nth(7)?.parse().ok()?;
        Some((name.trim().to_owned(), [received, sent]))
    };
    table.lines().filter_map(line).filter(|(name, _)| !VIRTUAL.iter().any(|v| name.starts_with(v))).collect()
}

/// Bytes read and written since boot, by device, from `/proc/diskstats` (proc_diskstats(5)); `whole` tells disks from their partitions.
pub(super) fn disks(table: &str, whole: impl Fn(&str) -> bool) -> Vec<(String, [u64; 2])> {
    // The kernel counts in sectors of 512 bytes, whatever the disk's are.
    let line = |line: &str| {
        let mut fields = line.split_whitespace().skip(2);
        let name = fields.next()?;
        let read = fields.nth(2)?.parse::<u64>().ok()?;
        let written = fields.nth(3)?.parse::<u64>().ok()?;
        Some((name.to_owned(), [read.checked_mul(512)?, written.checked_mul(512)?]))
    };
    // What stands on other disks counts there.
    let stacked = |name: &str| ["loop", "ram", "zram", "dm-", "md"].iter().any(|kind| name.starts_with(kind));
    table.lines().filter_map(line).filter(|(name, _)| !stacked(name) && whole(name)).collect()
}

/// Growth a second of two counters since `before`: nothing for a newcomer, and nothing for one that began anew or wrapped.
pub(super) fn rates(before: &[(String, [u64; 2])], name: &str, now: [u64; 2], seconds: f64) -> [u64; 2] {
    let Some((_, then)) = before.iter().find(|(known, _)| known == name) else {
        return [0; 2];
    };
    let [a, b] =
        [0, 1].map(|i| now.get(i).zip(then.get(i)).and_then(|(now, then)| now.checked_sub(*then)).unwrap_or(0));
    [a, b].map(|bytes| if seconds > 0.0 { (bytes as f64 / seconds) as u64 } else { 0 })
}
