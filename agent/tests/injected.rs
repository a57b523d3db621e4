//! The whole agent in a program of another crate, with a host of its own: as the demo runs it, without any power. The reboot is a
//! recording that gives the host a new boot id. Also shows what a compromised front gets: nothing.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod rig;

use constella_agent::{Host, RebootMethod, inner, run};

/// Helpers have no environment and want neither file; the agent itself takes them from its own.
fn host() -> Host {
    let folder = PathBuf::from(std::env::var_os("TEST_FOLDER").unwrap_or_default());
    let reboot = |_: RebootMethod| {
        let mut command = Command::new("/proc/self/exe");
        command.arg("recorded-reboot").env_clear().env("TEST_FOLDER", std::env::var_os("TEST_FOLDER").unwrap());
        command
    };
    Host { pid1: "/proc/self".into(), boot_id: folder.join("boot_id"), powers: false, reboot }
}

fn new_boot_id(folder: &Path) {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    std::fs::write(folder.join("boot_id"), id).unwrap();
}

fn main() -> ExitCode {
    if let Some(code) = inner(&host()) {
        return code;
    }
    match std::env::args().nth(1).as_deref() {
        Some("agent") => return run(&host()),
        Some("recorded-reboot") => {
            new_boot_id(Path::new(&std::env::var_os("TEST_FOLDER").unwrap()));
            return ExitCode::SUCCESS;
        }
        // Asked by cargo nextest and `cargo test -- --list`.
        Some("--list") => {
            println!("a_host_is_an_argument: test");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    a_host_is_an_argument();
    println!("test a_host_is_an_argument ... ok");
    ExitCode::SUCCESS
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
