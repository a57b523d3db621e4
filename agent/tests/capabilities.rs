//! A3: the agent works with its six capabilities and no other, and without each of them in turn it fails as AUDIT.md says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod rig;

use rig::{Agent, FakeHost, possible, until};

const SIX: [&str; 6] = ["sys_admin", "sys_ptrace", "sys_chroot", "setuid", "setgid", "setpcap"];

/// What became of the agent's work: the reboot, the speedtest (which has no server and should get as far as trying), and the look.
#[derive(Debug, Default)]
struct Work {
    reboot: String,
    speedtest: String,
    size: u64,
    log: String,
}

/// Runs the agent as compose does, as 0:10001 with the capabilities and no new privileges.
fn work(capabilities: &[&str], settings: &[(&str, &str)]) -> Work {
    let host = FakeHost::start("exit 0");
    // As the image has them: the agent cannot give folders away that it does not own.
    let bounding = capabilities.iter().fold("-all".to_owned(), |set, name| format!("{set},+{name}"));
    let before = [
        "setpriv",
        "--bounding-set",
        &bounding,
        "--inh-caps=-all",
        "--no-new-privs",
        "--regid=10001",
        "--clear-groups",
    ];
    let settings = [settings, &[("SPEEDTEST_URL", "http://127.0.0.1:8080/"), ("SAMPLE_EVERY_SEC", "1")]].concat();
    let Some(agent) = host.try_agent_in(&host.folder.path().join("state"), &before, &settings) else {
        return Work { log: host.log(), ..Work::default() };
    };
    let reboot = agent.reboot('a').1["outcome"].clone();
    let code = agent.speedtest('b').0;
    assert_eq!(code, 200);
    let speedtest = until("the speedtest ends", || {
        Some(agent.call("GET", "/v1/speedtest", "").1).filter(|state| state["state"] != "running")
    });
    let size = |agent: &Agent| {
        let stats = agent.call("GET", "/v1/stats", "").1;
        let lacks = stats["missing"].as_array().is_some_and(|missing| missing.iter().any(|it| it["figure"] == "disks"));
        let looked = stats["at_unix_s"] != 0 && !stats["missing"].to_string().contains("not looked at yet");
        stats["disks"][0]["total"].as_u64().or_else(|| (looked && lacks).then_some(0))
    };
    let size = until("a look at the disks", || size(&agent));
    let reboot = format!("{} {}", reboot["outcome"].as_str().unwrap(), reboot["stderr"].as_str().unwrap_or_default());
    Work { reboot, speedtest: speedtest["message"].as_str().unwrap().to_owned(), size, log: agent.log() }
}

#[test]
fn six_capabilities_are_enough_and_each_is_needed() {
    // A3
    if !possible() {
        return;
    }
    let all = work(&SIX, &[]);
    assert!(
        all.reboot.starts_with("accepted") && all.speedtest.contains("Connection refused") && all.size > 0,
        "{all:?}"
    );
    // The table of AUDIT.md. Without the last three nothing starts; the first three cost what needs them, and say so.
    let enter = "cannot enter the host's namespaces: Operation not permitted";
    let open = "cannot open the host's namespaces: Permission denied";
    for (missing, reboot, speedtest, sizes) in [
        ("sys_admin", enter, enter, true),
        ("sys_ptrace", open, "cannot open the host's files: Permission denied", false),
        ("sys_chroot", enter, "cannot lock itself into its folder: Operation not permitted", true),
    ] {
        let work = without(missing);
        assert!(work.reboot.starts_with("failed ") && work.reboot.contains(reboot), "{missing}: {work:?}");
        assert!(work.speedtest.contains(speedtest), "{missing}: {work:?}");
        assert_eq!(work.size > 0, sizes, "{missing}: {work:?}");
    }
    for (missing, says) in [
        ("setuid", "cannot change the uid: Operation not permitted"),
        ("setgid", "cannot leave the groups: Operation not permitted"),
        ("setpcap", "cannot empty the bounding set: Operation not permitted"),
    ] {
        let work = without(missing);
        assert!(work.reboot.is_empty() && work.log.contains(says), "{missing}: {work:?}");
    }
}

#[test]
fn the_signal_needs_none() {
    // A4
    if !possible() {
        return;
    }
    let work = work(&[], &[("REBOOT_METHOD", "signal")]);
    assert!(work.reboot.contains("PID 1 is not systemd"), "{work:?}");
    assert!(work.speedtest.contains("cannot open the host's files"), "{work:?}");
    assert_eq!(work.size, 0, "no disk is told, and why is");
}

fn without(missing: &str) -> Work {
    work(&SIX.into_iter().filter(|name| *name != missing).collect::<Vec<_>>(), &[])
}
