//! A7 through the real process: what the series survives.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod rig;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use rig::{Agent, FakeHost, possible, until};
use serde_json::Value;

const EVERY_SECOND: [(&str, &str); 1] = [("SAMPLE_EVERY_SEC", "1")];
/// A row: a moment, thirteen channels of four figures, a CRC.
const ROW: usize = 8 + 13 * 16 + 8;
/// Rows of a day's samples, of a week's minutes, of ninety days' quarters of an hour.
const ROWS: [(&str, usize); 3] = [("samples", 86_400), ("minutes", 10_080), ("quarters", 8_640)];

fn file(host: &FakeHost, name: &str) -> PathBuf {
    host.folder.path().join("state/series").join(name)
}

/// The moments of the last hour's points.
fn moments(agent: &Agent) -> Vec<u64> {
    let series = agent.call("GET", "/v1/series?kind=cpu&hours=1", "").1;
    series["points"].as_array().unwrap().iter().map(|point| point["t"].as_u64().unwrap()).collect()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A row as the agent writes it, with a one for each figure.
fn row(at_s: u64) -> Vec<u8> {
    let mut bytes = (at_s * 1000).to_le_bytes().to_vec();
    bytes.extend(std::iter::repeat_n(1.0_f32.to_le_bytes(), 13 * 4).flatten());
    let crc = crc32fast::hash(&bytes[8..]);
    bytes.extend(u64::from(crc).to_le_bytes());
    bytes
}

/// Puts a row at its place in the samples of an agent that is not running.
fn put(host: &FakeHost, at_s: u64) {
    let path = file(host, "samples");
    let mut bytes = std::fs::read(&path).unwrap();
    let place = at_s as usize % ROWS[0].1 * ROW;
    bytes[place..place + ROW].copy_from_slice(&row(at_s));
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_written_survives_kill_9_in_a_fixed_space() {
    // A7
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&EVERY_SECOND);
    // The first sample is written at once, the later ones with the minute.
    let first = until("three samples", || Some(moments(&agent)).filter(|moments| moments.len() >= 3))[0];
    agent.kill();
    for (name, rows) in ROWS {
        assert_eq!(file(&host, name).metadata().unwrap().len() as usize, rows * ROW, "{name}");
    }
    let agent = host.agent(&EVERY_SECOND);
    let after = until("samples of both runs", || Some(moments(&agent)).filter(|moments| moments.len() >= 3));
    assert_eq!(after[0], first, "{after:?}");
    for (name, rows) in ROWS {
        assert_eq!(file(&host, name).metadata().unwrap().len() as usize, rows * ROW, "{name}");
    }
}

#[test]
fn damage_costs_what_it_covers_and_what_lies_ahead_of_the_clock_is_not_told() {
    // A7
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&EVERY_SECOND);
    until("a sample", || moments(&agent).first().copied());
    agent.kill();
    // As after a clock that was an hour ahead and was set back; and two rows of before, one of them damaged.
    let at = now();
    for moment in [at + 3600, at - 600, at - 1200] {
        put(&host, moment);
    }
    let path = file(&host, "samples");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(at - 600) as usize % ROWS[0].1 * ROW + 20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    // Another file is cut off, a third is something else.
    std::fs::write(file(&host, "minutes"), b"junk").unwrap();
    std::fs::write(file(&host, "quarters"), vec![7; ROWS[2].1 * ROW]).unwrap();
    let agent = host.agent(&EVERY_SECOND);
    let told = until("new samples", || Some(moments(&agent)).filter(|told| told.last() > Some(&at)));
    assert!(told.iter().any(|t| (at - 1210..=at - 1200).contains(t)), "{told:?}");
    assert!(!told.iter().any(|t| (at - 610..=at - 600).contains(t)), "{told:?}");
    assert!(told.iter().all(|t| *t <= now()) && told.is_sorted(), "{told:?}");
    let minutes = agent.call("GET", "/v1/series?kind=cpu&hours=24", "").1;
    assert!(!minutes["points"].as_array().unwrap().is_empty(), "{minutes}");
    let quarters = agent.call("GET", "/v1/series?kind=cpu&hours=2160", "").1;
    assert_eq!(quarters["points"].as_array().unwrap().len(), 1, "{quarters}");
    assert_eq!(std::fs::read(file(&host, "minutes.damaged")).unwrap(), b"junk");
    assert!(!file(&host, "quarters.damaged").exists());
}

#[test]
fn a_disk_that_is_full_from_the_start_costs_the_history_only() {
    // A7
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let tiny = host.folder.path().join("tiny");
    host.run(&format!("mkdir {0}/state; dd if=/dev/zero of={0}/filler bs=64k 2>&- || true", tiny.display()));
    let agent = host.agent_in(&tiny.join("state"), &[], &EVERY_SECOND);
    until("samples in memory", || (moments(&agent).len() >= 3).then_some(()));
    assert_eq!(agent.call("GET", "/v1/stats", "").0, 200);
    assert!(agent.log().contains("no sample is kept: No space left on device"), "{}", agent.log());
    // A reboot's id cannot be stored, so it is refused.
    let (code, refusal) = agent.reboot('a');
    assert_eq!((code, &refusal["code"]), (500, &"failed".into()), "{refusal}");
    assert_eq!(host.rebooted(), Vec::<String>::new());
}

#[test]
fn a_file_system_without_fallocate_has_the_whole_series_or_no_part_of_it() {
    // A7
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let state = host.folder.path().join("tiny/state");
    host.run(&format!("cd {}; mount -t ramfs none tiny; mkdir tiny/state", host.folder.path().display()));
    host.run(&format!("if fallocate -l 1 {}/probe; then exit 1; fi", state.display()));
    let size = |name: &str| {
        let path = format!("/proc/{}/root{}/series/{name}", host.pid1, state.display());
        std::fs::metadata(path).map(|file| file.len() as usize).ok()
    };
    let agent = host.agent_in(&state, &[], &EVERY_SECOND);
    let first = until("three samples", || Some(moments(&agent)).filter(|moments| moments.len() >= 3))[0];
    agent.kill();
    for (name, rows) in ROWS {
        assert_eq!(size(name), Some(rows * ROW), "{name}: {}", host.log());
    }
    let agent = host.agent_in(&state, &[], &EVERY_SECOND);
    let after = until("samples of both runs", || Some(moments(&agent)).filter(|moments| moments.len() >= 3));
    assert_eq!(after[0], first, "{after:?}");
    agent.kill();
    // Room for the two small files alone: what does not fit leaves nothing behind, and costs the others nothing.
    host.run(&format!("rm -r {}/series", state.display()));
    let limited = ["sh", "-c", "trap '' XFSZ; exec prlimit --fsize=3000000 \"$@\"", "sh"];
    let agent = host.agent_in(&state, &limited, &EVERY_SECOND);
    until("samples in memory", || (moments(&agent).len() >= 3).then_some(()));
    assert!(agent.log().contains("no sample is kept: File too large"), "{}", agent.log());
    assert_eq!([size("samples"), size("samples.damaged")], [Some(0), None]);
    assert_eq!([size("minutes"), size("quarters")], [ROWS[1].1 * ROW, ROWS[2].1 * ROW].map(Some));
}

#[test]
fn interfaces_and_disks_come_and_go_and_counters_begin_anew() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    // A file system with a device's name is a disk; a pair of interfaces talks to itself over IPv6 as soon as it is up.
    host.run("mkdir -p /mnt/extra; mount -t tmpfs -o size=1m /dev/extra /mnt/extra");
    // A name that is no UTF-8 hides no other.
    host.run(r"other=$(printf '/mnt/\377'); mkdir $other; mount -t tmpfs -o size=1m /dev/other $other");
    let pair = "ip link add eth7 type veth peer name eth8; ip link set eth7 up; ip link set eth8 up";
    host.run(pair);
    let agent = host.agent(&EVERY_SECOND);
    let stats = || agent.call("GET", "/v1/stats", "").1;
    let of = |stats: &Value, list: &str, key: &str, name: &str| -> Option<Value> {
        stats[list].as_array().unwrap().iter().find(|it| it[key] == name).cloned()
    };
    let net = |stats: &Value| of(stats, "nets", "name", "eth7");
    let disk = until("the disk is seen", || of(&stats(), "disks", "mount", "/mnt/extra"));
    assert_eq!(disk["total"], 1024 * 1024);
    let sent = |net: &Value| net["tx_total"].as_u64().unwrap();
    // More than it will send by itself until it is seen again.
    let send = "head -c 1000 /dev/zero > /dev/udp/10.9.9.2/9";
    host.run(&format!(
        "ip addr add 10.9.9.1/24 dev eth7; ip neigh add 10.9.9.2 lladdr 02:00:00:00:00:02 dev eth7
         bash -c '{send}; {send}; {send}; {send}'"
    ));
    let before = until("the interface has sent", || net(&stats()).filter(|net| sent(net) > 4000));
    host.run("umount /mnt/extra");
    host.run("ip link del eth7");
    until("the interface is gone", || net(&stats()).is_none().then_some(()));
    host.run(pair);
    let after = until("the interface is back", || net(&stats()));
    assert!(sent(&after) < sent(&before), "{before} {after}");
    for net in stats()["nets"].as_array().unwrap() {
        assert!(net["rx_rate"].as_u64().unwrap() < 1_000_000_000, "no rate of a counter that began anew: {net}");
    }
    let series = agent.call("GET", "/v1/series?kind=net&hours=1", "").1;
    for point in series["points"].as_array().unwrap() {
        assert!(point["v"][0][2].as_f64().unwrap() < 1e9, "{point}");
    }
    until("the disk is gone", || of(&stats(), "disks", "mount", "/mnt/extra").is_none().then_some(()));
}
