//! Reboot: once for each id, as the operator allows, in the host and nowhere else.

mod rig;

use rig::{FakeHost, boottime_ms, command, possible, until};

#[test]
fn the_host_s_own_command_runs_in_its_namespaces_once() {
    // A4
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[("REBOOT_MIN_INTERVAL_SEC", "0")]);
    let (code, answer) = agent.reboot('a');
    assert_eq!((code, &answer["outcome"]["outcome"]), (200, &"accepted".into()));
    let [line] = &host.rebooted()[..] else { panic!("{:?}", host.rebooted()) };
    assert_eq!(*line, format!("fakehost {} {} /", host.namespace("net"), host.namespace("mnt")));
    // The same id again, at once and after the agent was killed: answered, not performed.
    assert_eq!(agent.reboot('a').1, answer);
    agent.kill();
    let agent = host.agent(&[("REBOOT_MIN_INTERVAL_SEC", "0")]);
    assert_eq!(agent.reboot_until('a', 1).1, answer);
    assert_eq!(agent.call("GET", "/v1/health", "").1["last_reboot"], answer);
    assert_eq!(host.rebooted().len(), 1);
    agent.reboot('b');
    assert_eq!(host.rebooted().len(), 2);
    let audit = std::fs::read_to_string(host.folder.path().join("state/audit.log")).unwrap();
    let lines: Vec<&str> = audit.lines().filter(|line| line.contains(&command('a'))).collect();
    assert_eq!(lines.len(), 2, "{audit}");
    assert!(lines[0].contains("uid=0 outcome=Started") && lines[1].contains("outcome=Accepted status=0"), "{audit}");
}

#[test]
fn exit_status_and_the_end_of_stderr_come_back() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("yes long | head -c 4000 >&2; echo 'Failed to talk to init' >&2; exit 3");
    let agent = host.agent(&[]);
    let outcome = agent.reboot('a').1["outcome"].clone();
    assert_eq!((&outcome["outcome"], &outcome["status"]), (&"failed".into(), &3.into()));
    let stderr = outcome["stderr"].as_str().unwrap();
    assert!(stderr.ends_with("Failed to talk to init") && stderr.len() <= 512, "{stderr}");
}

#[test]
fn a_command_that_does_not_return_is_answered_and_followed() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("sleep 3; kill -9 $$");
    let agent = host.agent(&[("REBOOT_MIN_INTERVAL_SEC", "0")]);
    assert_eq!(agent.reboot('a').1["outcome"]["outcome"], "started");
    let (code, refusal) = agent.reboot('b');
    assert_eq!((code, &refusal["code"]), (409, &"busy".into()));
    let last = until("its end is known", || {
        let last = agent.call("GET", "/v1/health", "").1["last_reboot"]["outcome"].clone();
        (last["outcome"] == "failed").then_some(last)
    });
    assert_eq!(last["status"], serde_json::Value::Null, "a signal ended it");
    assert_eq!(host.rebooted().len(), 1);
}

#[test]
fn the_operator_s_no_the_interval_and_the_deadline_hold() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[("ALLOW_REBOOT", "false"), ("ALLOW_SPEEDTEST", "false")]);
    let code =
        |(status, document): (u16, serde_json::Value)| (status, document["code"].as_str().unwrap_or("ok").to_owned());
    assert_eq!(code(agent.reboot('a')), (403, "disabled".into()));
    assert_eq!(code(agent.speedtest('a')), (403, "disabled".into()));
    assert_eq!(agent.call("GET", "/v1/speedtest", "").1["state"], "idle");
    agent.kill();
    let agent = host.agent(&[("REBOOT_MIN_INTERVAL_SEC", "3600")]);
    assert_eq!(code(agent.reboot_until('a', boottime_ms())), (410, "too_late".into()));
    assert_eq!(code(agent.reboot('a')), (200, "ok".into()), "a refusal takes no id");
    assert_eq!(code(agent.reboot('b')), (429, "too_soon".into()));
    agent.kill();
    let agent = host.agent(&[("REBOOT_MIN_INTERVAL_SEC", "3600")]);
    assert_eq!(code(agent.reboot('b')), (429, "too_soon".into()), "also after a restart");
    assert_eq!(host.rebooted().len(), 1);
}

#[test]
fn a_full_disk_prevents_no_reboot_and_no_answer() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let state = host.folder.path().join("tiny/state");
    let tiny = format!("/proc/{}/root{}", host.pid1, host.folder.path().join("tiny").display());
    let agent = host.agent_in(&state, &[], &[("SAMPLE_EVERY_SEC", "1")]);
    until("the series is there", || std::fs::metadata(format!("{tiny}/state/series/quarters")).ok());
    let filler = std::process::Command::new("dd")
        .args(["if=/dev/zero", &format!("of={tiny}/filler"), "bs=64k"])
        .output()
        .unwrap();
    assert!(!filler.status.success(), "the disk is full now");
    assert_eq!(agent.reboot('a').1["outcome"]["outcome"], "accepted");
    assert_eq!(agent.reboot('a').1["outcome"]["outcome"], "accepted");
    assert_eq!(host.rebooted().len(), 1);
    assert_eq!(agent.call("GET", "/v1/series?kind=cpu&hours=1", "").0, 200);
}

#[test]
fn an_audit_file_that_was_filled_stops_speedtests_and_no_reboot() {
    // A8: a compromised controller must not fill the host's disk with two lines for each test
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[]);
    let path = host.folder.path().join("state/audit.log");
    let audit = std::fs::File::options().append(true).open(&path).unwrap();
    audit.set_len(constella_shared::limits::AUDIT_BYTES + 1).unwrap();
    let (status, refusal) = agent.speedtest('a');
    assert_eq!((status, refusal["code"].as_str()), (500, Some("failed")), "{refusal}");
    assert!(refusal["message"].as_str().unwrap().contains("no room to write it down"), "{refusal}");
    assert_eq!(audit.metadata().unwrap().len(), constella_shared::limits::AUDIT_BYTES + 1, "it leaves no line");
    assert_eq!(agent.reboot('a').1["outcome"]["outcome"], "accepted");
    // The operator moves it away; the agent holds the old file until it is started anew.
    agent.kill();
    std::fs::rename(&path, path.with_extension("old")).unwrap();
    let agent = host.agent(&[]);
    assert_eq!(agent.speedtest('b').0, 200);
}

#[test]
fn a_signal_goes_to_a_pid_1_that_is_systemd_only() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[("REBOOT_METHOD", "signal")]);
    let outcome = agent.reboot('a').1["outcome"].clone();
    assert_eq!(outcome["outcome"], "failed");
    assert!(outcome["stderr"].as_str().unwrap().contains("PID 1 is not systemd"), "{outcome}");
    assert_eq!(host.rebooted(), Vec::<String>::new());
}

#[test]
fn a_pid_1_that_is_systemd_is_told_by_its_own_signal() {
    // A4. This PID 1 has systemd's name, and writes down that SIGRTMIN+5 came; it needs a handler, or the kernel keeps the signal away.
    if !possible() {
        return;
    }
    let bash = std::fs::read("/bin/bash").unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let systemd = folder.path().join("systemd");
    std::fs::write(&systemd, bash).unwrap();
    std::fs::set_permissions(&systemd, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let script = "trap 'echo told >> $FOLDER/rebooted' RTMIN+5; touch $FOLDER/trapped; while :; do sleep 0.1; done";
    std::fs::write(folder.path().join("script"), script).unwrap();
    let pid1 = format!("{0}/systemd {0}/script", folder.path().display());
    let host = FakeHost::start_with_pid1(&pid1, "exit 0");
    until("PID 1 listens", || host.folder.path().join("trapped").exists().then_some(()));
    let agent = host.agent(&[("REBOOT_METHOD", "signal"), ("REBOOT_MIN_INTERVAL_SEC", "0")]);
    assert_eq!(agent.reboot('a').1["outcome"]["outcome"], "accepted");
    until("the signal came", || (host.rebooted() == ["told"]).then_some(()));
    agent.reboot('a');
    agent.reboot('b');
    until("once for each id", || (host.rebooted() == ["told", "told"]).then_some(()));
}
