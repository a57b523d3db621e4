//! A6: counters and figures.

use super::*;

/// The rates of an interface that counted this before, and that now.
fn eth0(before: [u64; 2], now: [u64; 2], seconds: f64) -> [u64; 2] {
    let before = rates(&[], [("eth0".to_owned(), before)].into_iter(), 1.0);
    let now = rates(&before, [("eth0".to_owned(), now), ("eth1".to_owned(), [7_000_000, 1])].into_iter(), seconds);
    assert_eq!((now[1].rx_total, now[1].rx_rate, now[1].tx_rate), (7_000_000, 0, 0), "a newcomer");
    [now[0].rx_rate, now[0].tx_rate]
}

#[test]
fn newcomers_resets_and_wraps_have_no_rate() {
    assert_eq!(eth0([1000, 5000], [2000, 5000], 2.0), [500, 0]);
    assert_eq!(eth0([1000, 5000], [10, 20], 2.0), [0, 0], "began anew");
    assert_eq!(eth0([u64::MAX - 5, u64::from(u32::MAX)], [5, 7], 1.0), [0, 0], "wrapped, at 64 and at 32 bits");
    assert_eq!(eth0([1000, 5000], [2000, 5000], 0.0), [1_000_000, 0], "no time has passed");
    assert_eq!(eth0([0, 0], [u64::MAX, u64::MAX], 0.0), [u64::MAX; 2], "no more than a number holds");
}

#[test]
fn what_repeats_the_traffic_of_others_is_left_out() {
    assert!(["eth0", "ens3", "wg0", "wlan0", "bond0", "sda", "nvme0n1", "vda", "mmcblk0"].into_iter().all(is_real));
    assert!(!["lo", "veth12ab", "docker0", "br-0a1b", "virbr0", "loop0", "dm-0", "md127"].into_iter().any(is_real));
}

#[test]
fn a_host_without_swap_disks_and_sensors_has_zeros_and_absences() {
    let sample = figures(&Stats::default(), &[], SpeedtestFigures::default());
    let absent: Vec<usize> =
        (0..sample.len()).filter(|i| sample.get(*i).is_some_and(|figure| figure.is_nan())).collect();
    assert_eq!(absent, [9, 10, 11, 12], "sensors and speedtest");
}
