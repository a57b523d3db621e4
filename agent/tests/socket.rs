//! The socket: who may connect, what is refused, and what the processes behind it may do.

mod rig;

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rig::{FakeHost, possible, read_answer, status, until};

#[test]
fn health_stats_and_series_are_the_hosts() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[("SAMPLE_EVERY_SEC", "1")]);
    let (code, health) = agent.call("GET", "/v1/health", "");
    assert_eq!((code, &health["ok"], &health["protocol"]), (200, &true.into(), &1.into()));
    assert_eq!(health["last_reboot"], serde_json::Value::Null);
    let stats = until("the host was looked at", || {
        Some(agent.call("GET", "/v1/stats", "").1).filter(|stats| stats["hostname"] == "fakehost")
    });
    let root = stats["disks"].as_array().unwrap().iter().find(|disk| disk["mount"] == "/").unwrap();
    assert!(root["total"].as_u64().unwrap() > root["used"].as_u64().unwrap());
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total: u64 = meminfo.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert_eq!(stats["mem_total"], total * 1024);
    assert_eq!(stats["boot_id"], std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim());
    for kind in ["cpu", "net", "mem", "disk", "load"] {
        let path = format!("/v1/series?kind={kind}&hours=1");
        let series = until("a point", || {
            Some(agent.call("GET", &path, "").1).filter(|series| !series["points"].as_array().unwrap().is_empty())
        });
        assert_eq!(series["points"][0]["v"].as_array().unwrap().len(), series["channels"].as_array().unwrap().len());
    }
}

#[test]
fn the_front_has_no_power_and_the_socket_only_its_group() {
    // A2
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[]);
    let [front] = agent.processes("inner-front")[..] else { panic!("one front") };
    assert_eq!(status(front, "Uid"), "10002 10002 10002 10002");
    assert_eq!(status(front, "Gid"), "10001 10001 10001 10001");
    assert_eq!(status(front, "Groups"), "");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(front, set), "0000000000000000", "{set}");
    }
    assert_eq!(status(front, "NoNewPrivs"), "1");
    let socket = agent.socket.metadata().unwrap();
    assert_eq!((socket.permissions().mode() & 0o777, socket.gid()), (0o660, 10001));
    let folder = agent.socket.parent().unwrap().metadata().unwrap();
    assert_eq!((folder.permissions().mode() & 0o777, folder.uid(), folder.gid()), (0o770, 0, 10001));
    let listening = std::fs::read_to_string(format!("/proc/{front}/net/tcp")).unwrap();
    assert_eq!(listening.lines().count(), 1, "no TCP socket");
}

#[test]
fn a_uid_that_is_not_allowed_gets_no_word() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    // The check starts the agent by asking it, so this test may ask too; a second agent lets only the controller in.
    let agent = host.agent(&[("AGENT_ALLOWED_UIDS", "0")]);
    let (code, _) = agent.call("GET", "/v1/health", "");
    assert_eq!(code, 200);
    let refused = std::process::Command::new("setpriv")
        .args(["--reuid=10001", "--regid=10001", "--clear-groups", "curl", "-s", "-m", "5", "--unix-socket"])
        .arg(&agent.socket)
        .arg("http://agent/v1/health")
        .output()
        .unwrap();
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    until("the refusal is logged", || agent.log().contains("AGENT_ALLOWED_UIDS: 10001").then_some(()));
}

#[test]
fn what_is_no_request_is_refused_and_changes_nothing() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[]);
    let code = |method: &str, path: &str, body: &str| {
        let (status, document) = agent.call(method, path, body);
        (status, document["code"].as_str().unwrap_or_default().to_owned())
    };
    let id = rig::command('a');
    assert_eq!(code("GET", "/", ""), (404, "unknown_path".into()));
    assert_eq!(code("GET", "/v1/reboot", ""), (404, "unknown_path".into()));
    assert_eq!(code("DELETE", "/v1/health", ""), (404, "unknown_path".into()));
    assert_eq!(code("POST", "/v1/reboot", ""), (400, "bad_request".into()));
    assert_eq!(code("POST", "/v1/reboot", "{]"), (400, "bad_request".into()));
    assert_eq!(code("POST", "/v1/reboot", &format!(r#"{{"command_id":"{id}"}}"#)), (400, "bad_request".into()));
    let extra = format!(r#"{{"command_id":"{id}","not_after_boottime_ms":9e9,"method":"signal"}}"#);
    assert_eq!(code("POST", "/v1/reboot", &extra), (400, "bad_request".into()));
    assert_eq!(code("POST", "/v1/reboot", &" ".repeat(5000)), (413, "too_large".into()));
    for query in
        ["", "?kind=cpu", "?kind=cpu&hours=0", "?kind=cpu&hours=2161", "?kind=gpu&hours=1", "?kind=cpu&hours=-1"]
    {
        assert_eq!(code("GET", &format!("/v1/series{query}"), ""), (400, "bad_request".into()), "{query}");
    }
    // The refusal comes before the request has been taken whole; the reset that follows may overtake it.
    match agent.raw(format!("GET /v1/health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)).as_bytes()) {
        Ok((status, refusal)) => assert_eq!((status, &refusal["code"]), (413, &"too_large".into())),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    assert_eq!(host.rebooted(), Vec::<String>::new());
}

#[test]
fn slow_senders_and_too_many_lose_their_places() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[]);
    let begun = Instant::now();
    let mut places: Vec<UnixStream> = (0..16).map(|_| UnixStream::connect(&agent.socket).unwrap()).collect();
    for stream in &mut places {
        stream.write_all(b"GET /v1/health HT").unwrap();
    }
    until("the seventeenth is refused", || agent.try_call("GET", "/v1/health", "").is_err().then_some(()));
    let mut slow = places.pop().unwrap();
    slow.write_all(b"TP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345").unwrap();
    let (code, _) = read_answer(&mut slow).unwrap();
    assert_eq!(code, 200, "a body that nobody asked for is not waited for");
    until("the slow ones are gone", || agent.try_call("GET", "/v1/health", "").ok());
    let mut body = UnixStream::connect(&agent.socket).unwrap();
    body.write_all(b"POST /v1/reboot HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345").unwrap();
    assert_eq!(read_answer(&mut body).unwrap().0, 400);
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
}

#[test]
fn a_wrong_setting_stops_the_agent_with_one_sentence() {
    for (name, value, says) in [
        ("ALLOW_REBOOT", "maybe", "ALLOW_REBOOT=maybe is not true or false"),
        ("REBOOT_METHOD", "ssh", "REBOOT_METHOD=ssh is not nsenter or signal"),
        ("SAMPLE_EVERY_SEC", "0", "SAMPLE_EVERY_SEC=0 is not a number of seconds from 1 to 60"),
        ("AGENT_SOCKET", "agent.sock", "AGENT_SOCKET=agent.sock is not an absolute path"),
        ("AGENT_ALLOWED_UID", "0", "AGENT_ALLOWED_UID is no setting of the agent"),
        ("SPEEDTEST_URL", "ftp://a", "SPEEDTEST_URL=ftp://a is not http:// or https://"),
        ("SPEEDTEST_EVERY_HOURS", "1e30", "SPEEDTEST_EVERY_HOURS=1e30 is not a number of hours"),
    ] {
        // `healthcheck` reads the same settings and has no power to lose.
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_constella-agent"));
        let output = command.arg("healthcheck").env_clear().env(name, value).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(says) && stderr.lines().count() == 1, "{stderr}");
    }
}
