//! The whole agent in a program of another crate, with a host of its own: as the demo runs it, without any power. The reboot is a
//! recording that gives the host a new boot id. Also what a front gets from the root part that an attacker has taken over.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod rig;

use constella_agent::{Host, inner, run};

/// The reboot gets no environment, so the folder is its argument.
fn host() -> Host {
    let folder = PathBuf::from(std::env::var_os("TEST_FOLDER").unwrap_or_default());
    let reboot = || {
        let mut command = Command::new("/proc/self/exe");
        command.arg("recorded-reboot").arg(std::env::var_os("TEST_FOLDER").unwrap_or_default());
        command
    };
    Host { pid1: "/proc/self".into(), boot_id: folder.join("boot_id"), powers: false, reboot }
}

fn new_boot_id(folder: &Path) {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    std::fs::write(folder.join("boot_id"), id).unwrap();
}

const TESTS: [(&str, fn()); 4] = [
    ("a_host_is_an_argument", a_host_is_an_argument),
    (
        "a_front_that_sends_junk_ends_the_agent_and_nothing_else",
        a_front_that_sends_junk_ends_the_agent_and_nothing_else,
    ),
    ("any_valid_frame_is_answered_by_a_record", any_valid_frame_is_answered_by_a_record),
    ("whatever_the_front_asks_one_reboot_is_all", whatever_the_front_asks_one_reboot_is_all),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let first = args.get(1).map(String::as_str);
    if let (Some("inner-front"), Ok(manners)) = (first, std::env::var("TEST_FRONT")) {
        hostile_front(&manners);
        return ExitCode::SUCCESS;
    }
    match first {
        Some("agent") => return run(&host()),
        Some("recorded-reboot") => {
            new_boot_id(Path::new(&args[2]));
            let path = Path::new(&args[2]).join("rebooted");
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(b"once\n").unwrap();
            return ExitCode::SUCCESS;
        }
        // Asked by cargo nextest and `cargo test -- --list`.
        Some("--list") => {
            TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if let Some(code) = inner(&host()) {
        return code;
    }
    for (name, test) in TESTS.iter().filter(|(name, _)| first.is_none_or(|wanted| name.contains(wanted))) {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

/// A frame has a deadline, a uid, a verb and an id; an answer repeats it, and has its state behind a moment and a boot id.
const FRAME: usize = 48;
const ANSWER: usize = 616;
const STATE: usize = FRAME + 8 + 36;

/// xorshift: the same bytes for the same seed.
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// All bytes random, but for a verb that is none or one of the four.
fn frame(seed: &mut u64, verb: Option<u32>) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    frame.fill_with(|| random(seed) as u8);
    if let Some(verb) = verb {
        frame[12..16].copy_from_slice(&verb.to_le_bytes());
    }
    frame
}

/// What a front may do that an attacker has taken over: it has the socket to the root part, and nothing else.
fn hostile_front(manners: &str) {
    let mut root = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let (what, seed) = manners.split_once(' ').unwrap();
    let mut seed: u64 = seed.parse().unwrap();
    let mut answer = [0; ANSWER];
    match what {
        "short" => root.write_all(&frame(&mut seed, Some(2))[..FRAME - 1]).unwrap(),
        "long" => {
            root.write_all(&[&frame(&mut seed, Some(2))[..], &[7]].concat()).unwrap();
            root.read_exact(&mut answer).unwrap();
        }
        "verb" => root.write_all(&frame(&mut { 9 }, Some(seed as u32))).unwrap(),
        "random" => root.write_all(&frame(&mut seed, None)).unwrap(),
        _ => {
            for _ in 0..300 {
                let verb = if what == "reboots" { 4 } else { 1 + random(&mut seed) as u32 % 4 };
                let frame = frame(&mut seed, Some(verb));
                root.write_all(&frame).unwrap();
                root.read_exact(&mut answer).unwrap();
                // The newest reboot is another command's; all else is answered for what was asked.
                assert!(verb == 2 || answer[..FRAME] == frame, "seed {manners}");
                assert!(answer[STATE] <= 8 && answer[STATE + 1..STATE + 4] == [0; 3], "seed {manners}");
            }
            std::fs::write(host().boot_id.with_file_name("all"), "").unwrap();
        }
    }
    // Until the root part has had enough, or for as long as it likes to wait for more.
    root.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = root.read_to_end(&mut Vec::new());
}

/// Runs the agent with such a front to its end: what it said, and its folder.
fn with_front(manners: &str, allow_reboot: &str) -> (String, tempfile::TempDir) {
    let folder = tempfile::TempDir::new().unwrap();
    new_boot_id(folder.path());
    let mut command = Command::new("/proc/self/exe");
    command.arg("agent").env_clear().env("TEST_FOLDER", folder.path()).env("TEST_FRONT", manners);
    command.env("AGENT_STATE_DIR", folder.path().join("state")).env("AGENT_SOCKET", folder.path().join("agent.sock"));
    command.env("ALLOW_REBOOT", allow_reboot).env("ALLOW_SPEEDTEST", "false").env("REBOOT_MIN_INTERVAL_SEC", "1e9");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{manners}: {output:?}");
    (String::from_utf8_lossy(&output.stderr).into_owned(), folder)
}

fn a_front_that_sends_junk_ends_the_agent_and_nothing_else() {
    // A2
    for (manners, says) in [
        ("short 1", "the front ended"),
        ("long 1", "the front ended"),
        ("verb 0", "the front sent junk"),
        ("verb 5", "the front sent junk"),
        ("verb 67108864", "the front sent junk"),
        ("verb 4294967295", "the front sent junk"),
    ] {
        let (said, folder) = with_front(manners, "true");
        assert!(said.contains(says) && said.lines().count() == 1, "{manners}: {said}");
        assert!(!folder.path().join("rebooted").exists(), "{manners}");
    }
    for seed in 1..=20 {
        let (said, folder) = with_front(&format!("random {seed}"), "true");
        assert!(said.contains("the front sent junk") && said.lines().count() == 1, "{seed}: {said}");
        assert!(!folder.path().join("rebooted").exists(), "{seed}");
    }
}

fn any_valid_frame_is_answered_by_a_record() {
    // A2
    for seed in 1..=3 {
        let (said, folder) = with_front(&format!("frames {seed}"), "false");
        assert!(folder.path().join("all").exists() && !folder.path().join("rebooted").exists(), "{seed}: {said}");
        let audit = std::fs::read_to_string(folder.path().join("state/audit.log")).unwrap();
        assert_eq!(audit, "", "{seed}: nothing was begun that is written down");
    }
}

fn whatever_the_front_asks_one_reboot_is_all() {
    // A4: ids, deadlines and uids are the front's to invent; the interval is not.
    for seed in 4..=6 {
        let (said, folder) = with_front(&format!("reboots {seed}"), "true");
        assert!(folder.path().join("all").exists(), "{seed}: {said}");
        assert_eq!(std::fs::read_to_string(folder.path().join("rebooted")).unwrap(), "once\n", "{seed}");
        let audit = std::fs::read_to_string(folder.path().join("state/audit.log")).unwrap();
        assert_eq!(audit.lines().count(), 2, "{seed}: {audit}");
    }
}

fn a_host_is_an_argument() {
    let folder = tempfile::TempDir::new().unwrap();
    new_boot_id(folder.path());
    let mut command = Command::new("/proc/self/exe");
    command
        .arg("agent")
        .env_clear()
        .env("TEST_FOLDER", folder.path())
        .env("AGENT_STATE_DIR", folder.path().join("state"));
    command.env("AGENT_SOCKET", folder.path().join("agent.sock")).env("SAMPLE_EVERY_SEC", "1");
    command.env("AGENT_ALLOWED_UIDS", rustix::process::getuid().as_raw().to_string());
    let agent = rig::Agent::of(command.spawn().unwrap(), folder.path().join("agent.sock"));
    let before = rig::until("stats", || {
        let stats = agent.try_call("GET", "/v1/stats", "").ok()?.1;
        Some(stats).filter(|stats| !stats["disks"].as_array().unwrap().is_empty())
    });
    assert!(before["disks"][0]["total"].as_u64().unwrap() > 0);
    let (code, answer) = agent.reboot('a');
    assert_eq!((code, &answer["outcome"]["outcome"]), (200, &"accepted".into()));
    rig::until("a new boot id", || {
        (agent.call("GET", "/v1/stats", "").1["boot_id"] != before["boot_id"]).then_some(())
    });
}
