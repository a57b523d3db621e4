//! What the agent's memory does in the long run, with the image's own environment.

#![expect(clippy::unwrap_used, reason = "tests")]

mod rig;

use rig::{FakeHost, possible};

/// The variable that the image sets, from the file that makes it.
fn tunables() -> &'static str {
    let mut lines = include_str!("../../compose/Dockerfile").lines();
    lines.find_map(|line| line.strip_prefix("ENV GLIBC_TUNABLES=")).unwrap()
}

/// What of a process's heap is in memory, in KiB.
fn heap_kib(pid: u32) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let heap = maps.lines().skip_while(|line| !line.ends_with("[heap]"));
    let rss = heap.skip(1).find_map(|line| line.strip_prefix("Rss:")).unwrap();
    rss.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn the_fronts_heap_is_the_same_after_many_requests() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[("GLIBC_TUNABLES", tunables())]);
    let [front] = agent.processes("inner-front")[..] else { panic!("one front") };
    // What a controller asks, and a body that has another size each time: what a thread keeps of freed memory, it keeps by size.
    let ask = |turns: std::ops::Range<usize>| {
        for turn in turns {
            assert_eq!(agent.call("GET", "/v1/stats", "").0, 200);
            assert_eq!(agent.call("GET", "/v1/health", "").0, 200);
            assert_eq!(agent.call("GET", "/v1/series?kind=cpu&hours=1", "").0, 200);
            assert_eq!(agent.call("POST", "/v1/nothing", &"x".repeat(turn * 389 % 1000)).0, 404);
        }
    };
    ask(0..250);
    let before = heap_kib(front);
    ask(250..2000);
    let after = heap_kib(front);
    assert!(after <= before + SLACK_KIB, "the front's heap grew from {before} to {after} KiB in 7,000 requests");
}

/// Samples and looks fall between the requests, and leave gaps of other sizes: 0 to 12 KiB. With a cache for each thread it grew by 140 to 316.
const SLACK_KIB: u64 = 64;
