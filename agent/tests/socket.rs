//! The socket: who may connect, what is refused, and what the processes behind it may do.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod rig;

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;

use rig::{Agent, FakeHost, possible, read_answer, status, until};

#[test]
fn health_stats_and_series_are_the_hosts() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[("SAMPLE_EVERY_SEC", "1")]);
    let (code, health) = agent.call("GET", "/v1/health", "");
    assert_eq!((code, &health["ok"], &health["protocol"]), (200, &true.into(), &2.into()));
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
    assert_eq!(code("POST", "/v1/reboot", &" ".repeat(20_000)), (413, "too_large".into()));
    for query in
        ["", "?kind=cpu", "?kind=cpu&hours=0", "?kind=cpu&hours=2161", "?kind=gpu&hours=1", "?kind=cpu&hours=-1"]
    {
        assert_eq!(code("GET", &format!("/v1/series{query}"), ""), (400, "bad_request".into()), "{query}");
    }
    let large = format!("GET /v1/health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(raw(&agent, large.as_bytes()), (413, "too_large".into()));
    assert_eq!(host.rebooted(), Vec::<String>::new());
}

/// Status and code of a refusal.
fn raw(agent: &Agent, request: &[u8]) -> (u16, String) {
    let (status, document) = agent.raw(request).unwrap();
    (status, document["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn http_that_lies_is_refused_and_one_request_is_answered() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[]);
    let refused = |status: u16, code: &str| (status, code.to_owned());
    let ok = || (200, String::new());
    let get = "GET /v1/health HTTP/1.1\r\n";
    let post = "POST /v1/reboot HTTP/1.1\r\n";
    let many = format!("{get}{}\r\n", "A: b\r\n".repeat(40));
    let deep = "[".repeat(10_000);
    let nested = format!("{post}Content-Length: {}\r\n\r\n{deep}", deep.len());
    let reboot = |tail: &str| format!("{{\"command_id\":\"{}\",\"not_after_boottime_ms\":{tail}", rig::command('a'));
    let body = |text: String| format!("{post}Content-Length: {}\r\n\r\n{text}", text.len());
    for (request, answer) in [
        // Two requests at once: one is answered, and the connection ends.
        (format!("{get}\r\n{get}\r\n"), ok()),
        (many, refused(400, "bad_request")),
        (format!("{post}Content-Length: 18446744073709551615\r\n\r\n"), refused(413, "too_large")),
        (format!("{post}Content-Length: 99999999999999999999\r\n\r\n"), refused(400, "bad_request")),
        (format!("{post}Content-Length: -1\r\n\r\n"), refused(400, "bad_request")),
        // A length that is too short cuts the document, and what follows is no second request.
        (format!("{post}Content-Length: 5\r\n\r\n{}", reboot("1}")), refused(400, "bad_request")),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), refused(400, "bad_request")),
        (nested, refused(400, "bad_request")),
        (body(reboot("1,\"x\":1}")), refused(400, "bad_request")),
        (body(reboot("18446744073709551616}")), refused(400, "bad_request")),
        (body(reboot("-1}")), refused(400, "bad_request")),
        (body(reboot("1e3}")), refused(400, "bad_request")),
        (body(reboot("0}")), refused(410, "too_late")),
        ("\u{16}\u{3}\u{1}".to_owned(), refused(400, "bad_request")),
        ("GET /v1/health\r\n\r\n".to_owned(), refused(400, "bad_request")),
        ("GET http://agent/v1/health HTTP/1.1\r\n\r\n".to_owned(), refused(404, "unknown_path")),
        ("GET /v1/../v1/health HTTP/1.1\r\n\r\n".to_owned(), refused(404, "unknown_path")),
    ] {
        assert_eq!(raw(&agent, request.as_bytes()), answer, "{request:.200}");
    }
    assert_eq!(host.rebooted(), Vec::<String>::new());
    assert_eq!(agent.call("GET", "/v1/health", "").0, 200);
}

#[test]
fn slow_senders_lose_their_places_and_others_wait_for_one() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[]);
    let mut places: Vec<UnixStream> = (0..16).map(|_| UnixStream::connect(&agent.socket).unwrap()).collect();
    for stream in &mut places {
        stream.write_all(b"GET /v1/health HT").unwrap();
    }
    // The seventeenth is answered when they have lost their places, not before.
    assert_eq!(agent.call("GET", "/v1/health", "").0, 200);
    for stream in &mut places {
        assert_eq!(read_answer(stream).unwrap().0, 400);
    }
    let mut slow = UnixStream::connect(&agent.socket).unwrap();
    slow.write_all(b"GET /v1/health HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345").unwrap();
    assert_eq!(read_answer(&mut slow).unwrap().0, 200, "a body that nobody asked for is not waited for");
    let mut body = UnixStream::connect(&agent.socket).unwrap();
    body.write_all(b"POST /v1/reboot HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345").unwrap();
    assert_eq!(read_answer(&mut body).unwrap().0, 400);
}

#[test]
fn a_thousand_connections_at_once_are_all_answered() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[]);
    let [front] = agent.processes("inner-front")[..] else { panic!("one front") };
    let request = b"GET /v1/stats HTTP/1.1\r\n\r\n";
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_eq!(agent.raw(request).unwrap().0, 200);
                }
            });
        }
    });
    assert_eq!(agent.processes("inner-front"), [front], "the same process");
    let threads: usize = status(front, "Threads").parse().unwrap();
    assert!(threads <= 18, "{threads} threads");
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
        ("SPEEDTEST_EVERY_HOURS", "-1", "SPEEDTEST_EVERY_HOURS=-1 is not a number of hours"),
        ("SPEEDTEST_EVERY_HOURS", "NaN", "SPEEDTEST_EVERY_HOURS=NaN is not a number of hours"),
        ("SAMPLE_EVERY_SEC", "0.99", "SAMPLE_EVERY_SEC=0.99 is not a number of seconds from 1 to 60"),
        ("SAMPLE_EVERY_SEC", "60.5", "SAMPLE_EVERY_SEC=60.5 is not a number of seconds from 1 to 60"),
        ("SAMPLE_EVERY_SEC", "inf", "SAMPLE_EVERY_SEC=inf is not a number of seconds from 1 to 60"),
        ("SPEEDTEST_MAX_MB", "0", "SPEEDTEST_MAX_MB=0 is not a number from 1 to 100000"),
        ("REBOOT_MIN_INTERVAL_SEC", "soon", "REBOOT_MIN_INTERVAL_SEC=soon is not a number of seconds"),
        ("AGENT_ALLOWED_UIDS", "0,x", "AGENT_ALLOWED_UIDS=0,x is not uids with commas between"),
        ("AGENT_ALLOWED_UIDS", "4294967296", "AGENT_ALLOWED_UIDS=4294967296 is not uids"),
        ("ALLOW_SPEEDTEST", "yes", "ALLOW_SPEEDTEST=yes is not true or false"),
    ] {
        // `healthcheck` reads the same settings and has no power to lose.
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_constella-agent"));
        let output = command.arg("healthcheck").env_clear().env(name, value).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(says) && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn help_starts_nothing_and_what_is_not_known_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let socket = folder.path().join("run/agent.sock");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_constella-agent"));
        command
            .args(arguments)
            .env_clear()
            .env("AGENT_SOCKET", &socket)
            .env("AGENT_STATE_DIR", folder.path().join("state"));
        let output = command.output().unwrap();
        assert!(!folder.path().join("state").exists() && !socket.exists(), "{arguments:?} started something");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let verbs =
        ["run", "healthcheck", "version", "inner-front", "inner-look", "inner-reboot", "inner-speedtest", "nonsense"];
    let asked = verbs.iter().flat_map(|verb| [vec![*verb, "--help"], vec![*verb, "-h"], vec!["--help", verb]]);
    for arguments in asked.chain([vec!["--help"], vec!["help"], vec!["-h"]]) {
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments:?}");
        for setting in constella_shared::settings::AGENT {
            let line = format!("{}={}\n", setting.name, setting.default);
            assert!(stdout.contains(&line) && stdout.contains(setting.meaning), "{arguments:?}: {line}");
        }
    }
    for arguments in [
        &["nonsense"][..],
        &["--run"],
        &["run", "now"],
        &["healthcheck", "--verbose"],
        &["version", "-v"],
        &["inner-front"],
        &["inner-reboot"],
        &["inner-nonsense", "x"],
        &[""],
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(stderr.contains("unknown arguments") && stderr.contains("ALLOW_REBOOT=true"), "{stderr}");
    }
    let (code, _, stderr) = run(&["healthcheck"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&format!("no agent answers at {} (AGENT_SOCKET)", socket.display())), "{stderr}");
    assert_eq!(run(&["version"]).0, Some(0));
}

#[test]
fn every_variable_that_is_read_is_in_the_table_and_each_in_the_table_is_read() {
    for name in constella_shared::settings::AGENT.iter().map(|setting| setting.name) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_constella-agent"));
        let output = command.arg("healthcheck").env_clear().env(name, "\u{1}").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(&format!("{name}=\u{1} is not ")), "{name}: {stderr}");
    }
}
