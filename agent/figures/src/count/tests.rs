//! A6: counters, and which of them count.

use std::time::Duration;

use super::*;

/// The rates of an interface that counted this before, and that now.
fn eth0(before: [u64; 2], now: [u64; 2], ms: u64) -> Option<[u64; 2]> {
    let (at, mut meter) = (Instant::now(), Meter::default());
    let (outer, name) = (["eth0".to_owned(), "eth1".to_owned()], || "eth0".to_owned());
    assert_eq!(meter.rates((at, [(name(), before)].into()), &outer).1, ["eth0"], "nothing is known of the first");
    let now = [(name(), now), ("eth1".to_owned(), [7, 1])].into();
    let (nets, unknown) = meter.rates((at + Duration::from_millis(ms), now), &outer);
    assert_eq!(nets.is_empty(), unknown == ["eth0", "eth1"], "a newcomer has no rate");
    nets.first().map(|net| [net.rx_rate, net.tx_rate])
}

#[test]
fn newcomers_resets_and_wraps_have_no_rate() {
    assert_eq!(eth0([1000, 5000], [2000, 5000], 2000), Some([500, 0]));
    assert_eq!(eth0([1000, 5000], [10, 6000], 2000), None, "began anew");
    assert_eq!(eth0([u64::MAX - 5, 0], [5, 7], 1000), None, "wrapped at 64 bits");
    assert_eq!(eth0([u64::from(u32::MAX), 0], [5, 7], 1000), None, "wrapped at 32 bits");
    assert_eq!(eth0([1000, 5000], [2000, 5000], 0), None, "no time has passed");
    assert_eq!(eth0([0, 0], [u64::MAX, u64::MAX], 1000), Some([u64::MAX; 2]));
}

#[test]
fn a_line_that_is_garbage_hides_no_other() {
    let table = b"Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n\
        eth0: 1 0 0 0 0 0 0 0 2 0\n\xff\xfewan:3 0 0 0 0 0 0 0 4 0\neth1: junk\n:\nshort: 1 2 3\n\x00\xff\n  eth2:5 0 0 0 0 0 0 0 18446744073709551616\n";
    let (counters, garbage) = nets(table);
    assert_eq!(counters, [("eth0".into(), [1, 2]), (r"\xff\xfewan".into(), [3, 4])].into());
    assert_eq!(garbage, ["eth1", "", "short", "eth2"]);
    let table = "8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n8 1 sda1 1 2 3 4\njunk\n\n8 16 sdb x y z\n";
    assert_eq!(disks(table), [("sda".into(), [5120, 10240])].into());
}

#[test]
fn a_cpu_line_needs_four_numbers() {
    let table =
        "cpu  10 0 10 100 5 0 0 0 3 0\ncpu0 10 0 10 100\ncpu1 1 2 3\ncpu10 1 1 1 1 1 1 1 1 1 1\nintr 5\nbtime 1\n";
    let cpus: Vec<([u64; 2], String)> = cpus(table).into_iter().map(|(name, times)| (times, name)).collect();
    let name = |number: &str| format!("{number:>5}");
    assert_eq!(cpus, [([125, 105], name("")), ([120, 100], name("0")), ([8, 2], name("10"))]);
}

/// The interfaces of a table that count, by name alone.
fn counted(names: &str) -> Vec<String> {
    let counters: Counters = names.split(' ').map(|name| (name.to_owned(), [0, 0])).collect();
    outermost(&counters, &[Kind::Wire, Kind::Leaf, Kind::Layer], |name| by_name(&counters, name))
}

#[test]
fn what_repeats_the_traffic_of_others_does_not_count() {
    for (names, count) in [
        ("lo eno1 eno2 bond0 bond0.100 vmbr0 tailscale0 wg0 tap100i0 fwbr100i0", "eno1 eno2"),
        ("lo eth0 docker0 br-0a1b2c3d veth12ab eth0.7", "eth0"),
        ("lo ens3 wlan0 wwan0 ib0 ppp0 macvlan0 ip6tnl0 sit0 virbr0 vnet3", "ens3 ib0 wlan0 wwan0"),
        ("lo venet0 docker0", "venet0"),
        // Where there is nothing else they do.
        ("lo wg0", "wg0"),
        ("lo", ""),
    ] {
        assert_eq!(counted(names).join(" "), count, "{names}");
    }
}

#[test]
fn disks_count_by_structure_and_else_by_name() {
    let sys = tempfile::TempDir::new().unwrap();
    let block = |name: &str, parts: &[&str]| {
        for folder in ["block", "class/block"] {
            if folder == "class/block" || !parts.contains(&"partition") {
                std::fs::create_dir_all(sys.path().join(folder).join(name)).unwrap();
            }
        }
        parts
            .iter()
            .for_each(|part| std::fs::create_dir_all(sys.path().join("class/block").join(name).join(part)).unwrap());
    };
    block("sda", &["device"]);
    block("sda1", &["partition"]);
    block("nvme0n1", &["device"]);
    block("mpath", &["device", "slaves/sda"]);
    block("cache", &["slaves/sda"]);
    block("loop0", &[]);
    block("nvme0c0n1", &["device"]);
    std::fs::write(sys.path().join("class/block/nvme0c0n1/hidden"), "1\n").unwrap();
    let count = |names: &str| {
        let counters: Counters = names.split(' ').map(|name| (name.to_owned(), [0, 0])).collect();
        let kinds = of_blocks(sys.path(), &counters);
        outermost(&counters, &[Kind::Wire, Kind::Leaf], |name| kinds[name]).join(" ")
    };
    assert_eq!(count("sda sda1 nvme0n1 mpath cache loop0 nvme0c0n1"), "nvme0n1 sda");
    // A table of other disks than these is judged by names.
    assert_eq!(count("vda vda1 nvme1n1 nvme1n1p2 sda dm-0 md127 bcache0 zram0 loop7 zd16"), "nvme1n1 sda vda");
    assert_eq!(count("zram0"), "");
}
