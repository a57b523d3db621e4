//! The speedtest (A5): in the host's network, without power, and not to be fooled by a server.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod rig;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rig::{FakeHost, possible, status, until};
use serde_json::Value;

/// How a server of the test behaves on `__down` and `__up`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manners {
    Honest,
    Redirects,
    NeverAnswers,
    ClosesEarly,
    SendsForEver,
    PromisesMore,
    SendsLess,
    Trickles,
    TakesNothing,
    TakesAllAndIsSilent,
    IsNoServer,
    ChunksOfJunk,
    LiesShort,
    EndlessHead,
    EndlessPing,
}

/// Runs `serve` on a thread in the host's network, with what `bind` made there.
fn in_host<T: Send + 'static>(
    host: &FakeHost,
    bind: impl FnOnce() -> T + Send + 'static,
    serve: impl FnOnce(T) + Send + 'static,
) {
    let namespace = std::fs::File::open(format!("/proc/{}/ns/net", host.pid1)).unwrap();
    let (ready, wait) = channel();
    std::thread::spawn(move || {
        rustix::thread::move_into_link_name_space(namespace.as_fd(), None).unwrap();
        let bound = bind();
        ready.send(()).unwrap();
        serve(bound);
    });
    wait.recv().unwrap();
}

fn server(host: &FakeHost, manners: Manners) {
    in_host(
        host,
        || TcpListener::bind("127.0.0.1:8080").unwrap(),
        move |listener| {
            for stream in listener.incoming() {
                std::thread::spawn(move || {
                    // A client that hangs up is what some of these deserve.
                    let _ = answer_all(stream.unwrap(), manners);
                });
            }
        },
    );
}

fn answer_all(mut stream: TcpStream, manners: Manners) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let up = first.starts_with("POST /base/__up ");
        let bytes: usize =
            first.split("bytes=").nth(1).map_or(0, |rest| rest.split(' ').next().unwrap().parse().unwrap());
        assert!(up || first.starts_with("GET /base/__down?bytes="), "{first}");
        let rude = bytes > 0 || up;
        if manners == Manners::TakesNothing && up {
            std::thread::sleep(Duration::from_secs(30));
        }
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())?;
        match manners {
            Manners::Redirects => stream
                .write_all(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:22/\r\nContent-Length: 0\r\n\r\n")?,
            Manners::NeverAnswers => std::thread::sleep(Duration::from_secs(30)),
            Manners::EndlessPing => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                loop {
                    stream.write_all(&[0; 0x1000])?;
                }
            }
            Manners::EndlessHead => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                loop {
                    stream.write_all(b"X-Header: and another\r\n")?;
                }
            }
            Manners::ChunksOfJunk if rude => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno chunk\r\n")?;
                return Ok(());
            }
            // A length that is less than what is sent: the rest would be the next answer.
            Manners::LiesShort if rude => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes / 2)?;
                stream.write_all(&vec![0; bytes])?;
            }
            Manners::TakesAllAndIsSilent if up => std::thread::sleep(Duration::from_secs(30)),
            Manners::IsNoServer => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n")?,
            Manners::ClosesEarly if rude => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n")?;
                stream.write_all(&vec![0; bytes / 2])?;
                return Ok(());
            }
            Manners::SendsForEver if rude => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                loop {
                    stream.write_all(b"1000\r\n")?;
                    stream.write_all(&[0; 0x1000])?;
                    stream.write_all(b"\r\n")?;
                }
            }
            Manners::PromisesMore if rude => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes + 1)?;
                stream.write_all(&vec![0; bytes + 1])?;
            }
            Manners::SendsLess if rude => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0")?,
            Manners::Trickles if rude => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n")?;
                loop {
                    stream.write_all(b"0")?;
                    std::thread::sleep(Duration::from_millis(500));
                }
            }
            _ => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n")?;
                stream.write_all(&vec![0; bytes])?;
            }
        }
    }
}

/// A name server that knows every name as 127.0.0.1, and tells what the asker is allowed, as /proc has it when its first datagram comes.
fn name_server(host: &FakeHost) -> Receiver<Vec<String>> {
    let ((tell, told), network) = (channel(), host.namespace("net"));
    in_host(
        host,
        || UdpSocket::bind("127.0.0.1:53").unwrap(),
        move |socket| {
            let mut query = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut query) {
                let child = std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
                    let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
                    let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
                    let here = std::fs::read_link(entry.path().join("ns/net")).ok()?.display().to_string() == network;
                    (here && line.contains("inner-speedtest")).then_some(pid)
                });
                let child = child.unwrap();
                let fields = ["Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb", "NoNewPrivs"];
                let mut seen: Vec<String> =
                    fields.iter().map(|field| format!("{field} {}", status(child, field))).collect();
                seen.push(std::fs::read_link(format!("/proc/{child}/ns/net")).unwrap().display().to_string());
                seen.push(std::fs::read_link(format!("/proc/{child}/root")).unwrap().display().to_string());
                let _ = tell.send(seen);
                // The question back, answered with one A record; there is none of another type.
                let v4 = query[length - 3] == 1;
                let mut answer = query[..length].to_vec();
                answer[2..4].copy_from_slice(&[0x81, 0x80]);
                answer[6..12].copy_from_slice(&[0, u8::from(v4), 0, 0, 0, 0]);
                if v4 {
                    answer.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
                }
                socket.send_to(&answer, peer).unwrap();
            }
        },
    );
    told
}

fn outcome(agent: &rig::Agent) -> Value {
    until("the test ends", || {
        Some(agent.call("GET", "/v1/speedtest", "").1).filter(|state| state["state"] != "running")
    })
}

#[test]
fn an_honest_server_is_measured_by_a_child_without_power() {
    // A5
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let asked = name_server(&host);
    server(&host, Manners::Honest);
    let url = ("SPEEDTEST_URL", "http://speed.test:8080/base/");
    let settings = [url, ("SPEEDTEST_MAX_MB", "40"), ("SAMPLE_EVERY_SEC", "1")];
    let agent = host.agent(&settings);
    assert_eq!(agent.call("GET", "/v1/speedtest", "").1["state"], "idle");
    let (code, state) = agent.speedtest('a');
    assert_eq!((code, &state["state"]), (200, &"running".into()));
    assert_eq!(agent.speedtest('b').0, 409);
    let child = asked.recv_timeout(Duration::from_secs(10)).unwrap();
    let none = "0000000000000000";
    let jail = host.folder.path().join("state/jail").display().to_string();
    assert_eq!(
        child,
        [
            "Uid 65534 65534 65534 65534",
            "Gid 65534 65534 65534 65534",
            "Groups ",
            &format!("CapEff {none}"),
            &format!("CapPrm {none}"),
            &format!("CapInh {none}"),
            &format!("CapBnd {none}"),
            &format!("CapAmb {none}"),
            "NoNewPrivs 1",
            &host.namespace("net"),
            &jail,
        ]
    );
    let state = outcome(&agent);
    assert_eq!(state["state"], "done", "{state}");
    for figure in ["latency_ms", "jitter_ms", "download_bps", "upload_bps"] {
        assert!(state["figures"][figure].as_f64().unwrap() > 0.0, "{state}");
    }
    assert_eq!(agent.speedtest('a').1, state, "the same command is answered, not performed");
    let series = until("the series has it", || {
        Some(agent.call("GET", "/v1/series?kind=speedtest&hours=1", "").1)
            .filter(|s| s["points"].as_array().unwrap().len() == 1)
    });
    assert_eq!(series["channels"], serde_json::json!(["download", "upload", "latency"]));
    until("the audit has both lines", || {
        let audit = std::fs::read_to_string(host.folder.path().join("state/audit.log")).unwrap();
        agent.call("GET", "/v1/health", "");
        (audit.contains("verb=Speedtest") && audit.contains("outcome=Accepted status=0")).then_some(())
    });
    agent.kill();
    assert_eq!(host.agent(&settings).call("GET", "/v1/speedtest", "").1, state, "also after a restart");
}

#[test]
fn a_bad_server_ends_with_a_clear_error_in_time() {
    // A5
    if !possible() {
        return;
    }
    for (manners, says) in [
        (Manners::Redirects, "the server answers 302 instead of 200"),
        (Manners::NeverAnswers, "the server is silent"),
        (Manners::ClosesEarly, "Peer disconnected"),
        (Manners::SendsForEver, "the server sends more than was asked for"),
        (Manners::PromisesMore, "the server sends more than was asked for"),
        (Manners::SendsLess, "the server sends less than was asked for"),
        (Manners::Trickles, "too slow to measure"),
        (Manners::TakesNothing, "too slow to measure"),
        (Manners::TakesAllAndIsSilent, "too slow to measure"),
        (Manners::IsNoServer, "invalid HTTP version"),
        (Manners::ChunksOfJunk, "chunk"),
        (Manners::LiesShort, "the server sends less than was asked for"),
        (Manners::EndlessHead, "head"),
        (Manners::EndlessPing, "the server sends more than was asked for"),
    ] {
        let host = FakeHost::start("exit 0");
        server(&host, manners);
        let agent = host.agent(&[("SPEEDTEST_URL", "http://127.0.0.1:8080/base"), ("SPEEDTEST_MAX_MB", "40")]);
        assert_eq!(agent.speedtest('a').0, 200);
        // In less than a minute, or waiting for it fails.
        let state = outcome(&agent);
        assert_eq!(state["state"], "failed", "{manners:?}: {state}");
        assert!(state["message"].as_str().unwrap().contains(says), "{manners:?}: {state}");
    }
}

#[test]
fn no_server_no_name_and_a_killed_child_are_told() {
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = host.agent(&[("SPEEDTEST_URL", "http://127.0.0.1:8080/base")]);
    agent.speedtest('a');
    let state = outcome(&agent);
    assert!(state["message"].as_str().unwrap().contains("Connection refused"), "{state}");
    agent.kill();
    let agent = host.agent(&[("SPEEDTEST_URL", "http://speed.test:8080/base")]);
    agent.speedtest('b');
    let state = outcome(&agent);
    assert!(state["message"].as_str().unwrap().contains("failed to lookup address"), "{state}");
    agent.kill();
    // TLS is there in the jail, without files: it finds that this server does not speak it.
    let plain = FakeHost::start("exit 0");
    in_host(
        &plain,
        || TcpListener::bind("127.0.0.1:8080").unwrap(),
        |listener| {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
            // Until the client has had enough.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        },
    );
    let agent = plain.agent(&[("SPEEDTEST_URL", "https://127.0.0.1:8080/base")]);
    agent.speedtest('a');
    let state = outcome(&agent);
    assert!(state["message"].as_str().unwrap().contains("corrupt message"), "{state}");
    agent.kill();
    server(&host, Manners::NeverAnswers);
    let agent = host.agent(&[("SPEEDTEST_URL", "http://127.0.0.1:8080/base")]);
    agent.speedtest('c');
    agent.kill();
    let agent = host.agent(&[]);
    // The test ended with the agent; what is told is the newest that came to its end.
    let newest = agent.call("GET", "/v1/speedtest", "").1;
    assert_eq!(newest["command_id"], rig::command('b'), "{newest}");
}

#[test]
fn the_operator_s_own_tests_run_by_the_clock_and_only_where_they_are_wanted() {
    // A5
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    server(&host, Manners::Honest);
    let url = [("SPEEDTEST_URL", "http://127.0.0.1:8080/base"), ("SPEEDTEST_MAX_MB", "1"), ("SAMPLE_EVERY_SEC", "1")];
    let audit = || std::fs::read_to_string(host.folder.path().join("state/audit.log")).unwrap();
    let agent = host.agent(&url);
    let points = |agent: &rig::Agent, kind: &str| {
        agent.call("GET", &format!("/v1/series?kind={kind}&hours=1"), "").1["points"].as_array().unwrap().len()
    };
    until("some samples", || (points(&agent, "cpu") >= 2).then_some(()));
    assert_eq!(audit(), "", "never in the background");
    agent.kill();
    let agent = host.agent(&[&url[..], &[("SPEEDTEST_EVERY_HOURS", "0.001")]].concat());
    until("two tests by the clock", || {
        agent.call("GET", "/v1/health", "");
        (audit().matches("verb=Speedtest").count() >= 4).then_some(())
    });
    assert!(audit().lines().all(|line| line.contains(" uid=10002 ")), "{}", audit());
    until("they are in the series", || (points(&agent, "speedtest") >= 1).then_some(()));
}
