//! A6: counters and figures.

use super::*;

fn counters(of: &[(&str, [u64; 2])]) -> Counters {
    of.iter().map(|(name, both)| ((*name).to_owned(), *both)).collect()
}

#[test]
fn newcomers_resets_and_wraps_have_no_rate() {
    let before = counters(&[("eth0", [1000, 5000])]);
    assert_eq!(rates(&before, "eth0", [2000, 5000], 2.0), [500, 0]);
    assert_eq!(rates(&before, "eth0", [10, 20], 2.0), [0, 0], "began anew");
    assert_eq!(rates(&before, "eth1", [7_000_000, 1], 2.0), [0, 0], "a newcomer");
    assert_eq!(rates(&counters(&[("eth0", [u64::MAX - 5, 0])]), "eth0", [5, 0], 1.0), [0, 0], "wrapped");
    assert_eq!(rates(&before, "eth0", [2000, 5000], 0.0), [1_000_000, 0], "no time has passed");
}

#[test]
fn what_repeats_the_traffic_of_others_is_left_out() {
    let real = |name: &str| is_none_of(&VIRTUAL)(&(name.to_owned(), [0; 2]));
    assert!(["eth0", "ens3", "wg0", "wlan0", "bond0"].into_iter().all(real));
    assert!(!["lo", "veth12ab", "docker0", "br-0a1b", "virbr0"].into_iter().any(real));
    let disk = |name: &str| is_none_of(&STACKED)(&(name.to_owned(), [0; 2]));
    assert!(disk("sda") && disk("nvme0n1") && !disk("loop0") && !disk("dm-0") && !disk("md127"));
}

#[test]
fn a_host_without_swap_disks_and_sensors_has_zeros_and_absences() {
    let sample = figures(&Stats::default(), [0; 2], SpeedtestFigures::default());
    let absent: Vec<usize> =
        (0..sample.len()).filter(|i| sample.get(*i).is_some_and(|figure| figure.is_nan())).collect();
    assert_eq!(absent, [9, 10, 11, 12], "sensors and speedtest");
}
