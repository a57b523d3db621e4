//! Bounds on time, size and number, and junk at every endpoint: typed refusals, never a 500, never the core.
//!
//! Time is virtual from the moment that a connection is up: `tokio::time::pause` and `advance` stand for the waiting.

use std::time::Duration;

use constella_shared::limits::{
    JOIN_BODY_BYTES, PEER_BODY_BYTES, PEER_CONNECTIONS, PEER_CONNECTIONS_PER_ADDRESS, PEER_HEAD_MS, PEER_IDLE_MS,
    PEER_REQUEST_MS,
};
use constella_shared::wire::rpc::RpcCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::{Raw, Rig, code, pair, secret};

/// Everything that comes until the other side closes.
async fn rest(mut stream: impl AsyncRead + Unpin) -> String {
    let mut all = Vec::new();
    // An unclean end is an end too.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// Lets everything that is ready happen, then moves the clock.
async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(30)).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(ms)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_connection_that_never_speaks_tls_is_closed() {
    let (_, beta) = pair().await;
    let stream = TcpStream::connect(beta.addr).await.unwrap();
    pass(PEER_HEAD_MS + 1).await;
    assert_eq!(rest(stream).await, "");
}

#[tokio::test]
async fn a_slow_head_is_closed() {
    let (alpha, beta) = pair().await;
    let mut stream = alpha.tls(&beta).await;
    stream.write_all(b"POST /rpc HTTP/1.1\r\nhost: no").await.unwrap();
    stream.flush().await.unwrap();
    pass(PEER_IDLE_MS + 1).await;
    assert_eq!(rest(stream).await, "");
}

#[tokio::test]
async fn a_slow_head_on_a_kept_alive_connection_is_closed() {
    let (alpha, beta) = pair().await;
    let mut stream = alpha.tls(&beta).await;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: node\r\n\r\nGET /hea").await.unwrap();
    pass(PEER_IDLE_MS + 1).await;
    let all = rest(stream).await;
    assert_eq!(all.matches("HTTP/1.1 200").count(), 1, "{all}");
}

#[tokio::test]
async fn a_slow_body_is_refused() {
    let (alpha, beta) = pair().await;
    let mut stream = alpha.tls(&beta).await;
    stream.write_all(b"POST /rpc HTTP/1.1\r\nhost: node\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    pass(PEER_REQUEST_MS + 1).await;
    let all = rest(stream).await;
    assert!(all.starts_with("HTTP/1.1 408") && all.contains("timed_out"), "{all}");
    assert_eq!(beta.reached(), 0);
}

#[tokio::test]
async fn a_core_that_does_not_answer_is_not_waited_for() {
    let (alpha, beta) = pair().await;
    *beta.delay.lock().unwrap() = Duration::from_secs(3_600);
    let raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), br#"{"method":"GetPeers","params":{}}"#);
    let mut stream = alpha.tls(&beta).await;
    stream.write_all(&raw.bytes()).await.unwrap();
    pass(PEER_REQUEST_MS + 1).await;
    let all = rest(stream).await;
    assert!(all.starts_with("HTTP/1.1 408"), "{all}");
}

#[tokio::test]
async fn an_oversized_body_is_refused_with_and_without_a_length() {
    let (alpha, beta) = pair().await;
    let body = vec![b' '; usize::try_from(PEER_BODY_BYTES).unwrap() + 1];
    let raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), &body);
    assert_eq!(code(&raw.send(alpha.tls(&beta).await).await), RpcCode::TooLarge);
    let mut stream = alpha.tls(&beta).await;
    stream.write_all(b"POST /rpc HTTP/1.1\r\nhost: node\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x1_0000], b"\r\n"].concat();
    let (read, mut write) = tokio::io::split(stream);
    // The server stops reading at its limit, so writing on may fail: that is the point.
    let writing = async {
        for _ in 0..80 {
            if write.write_all(&chunk).await.is_err() {
                break;
            }
        }
    };
    let (all, ()) = tokio::join!(rest(read), writing);
    assert!(all.starts_with("HTTP/1.1 413") && all.contains("too_large"), "{all}");
    let join = Raw::bare("POST", "/join", &vec![b' '; usize::try_from(JOIN_BODY_BYTES).unwrap() + 1]);
    let mut join = join;
    join.headers.insert("x-constella-invite".into(), "00".repeat(16));
    join.headers.insert("x-constella-mac".into(), "00".repeat(32));
    assert_eq!(code(&join.send(alpha.tls(&beta).await).await), RpcCode::TooLarge);
    assert_eq!(beta.reached(), 0);
    assert!(beta.attempts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_member_holds_two_large_bodies_at_once_and_no_more() {
    // S6: sixty connections with bodies of 4 MB took 252 MB
    let (alpha, beta) = pair().await;
    let head = format!("POST /rpc HTTP/1.1\r\nhost: node\r\ncontent-length: {PEER_BODY_BYTES}\r\n\r\n");
    let begun = [head.as_bytes(), &vec![b' '; 100 * 1024]].concat();
    let mut held = Vec::new();
    for _ in 0..constella_shared::limits::LARGE_BODIES_OF_ONE {
        let mut stream = alpha.tls(&beta).await;
        stream.write_all(&begun).await.unwrap();
        stream.flush().await.unwrap();
        held.push(stream);
    }
    let one_more = async || {
        let mut stream = alpha.tls(&beta).await;
        // The server answers before it has read everything.
        let _ = stream.write_all(&begun).await;
        let mut head = [0; 12];
        tokio::time::timeout(Duration::from_millis(500), stream.read_exact(&mut head)).await.map(|_| head)
    };
    let by = std::time::Instant::now() + Duration::from_secs(20);
    // Until the first ones have arrived, this one is taken in their place, and says nothing.
    while one_more().await.is_err() {
        assert!(std::time::Instant::now() < by, "a third one is held too");
    }
    assert_eq!(&one_more().await.unwrap(), b"HTTP/1.1 429");
    assert!(alpha.ask(&beta).await.is_ok(), "small ones go on");
}

#[tokio::test]
async fn an_oversized_head_is_refused() {
    let (alpha, beta) = pair().await;
    let mut stream = alpha.tls(&beta).await;
    let head = format!("GET /health HTTP/1.1\r\nhost: node\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    stream.write_all(head.as_bytes()).await.unwrap();
    let all = rest(stream).await;
    assert!(all.starts_with("HTTP/1.1 431"), "{all}");
}

#[tokio::test]
async fn one_address_gets_so_many_connections_and_the_rest_are_closed_at_once() {
    let beta = Rig::start("beta").await;
    let mut open = Vec::new();
    for _ in 0..PEER_CONNECTIONS_PER_ADDRESS {
        open.push(TcpStream::connect(beta.addr).await.unwrap());
    }
    let refused = TcpStream::connect(beta.addr).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(2), rest(refused)).await;
    assert_eq!(ended.as_deref(), Ok(""));
    drop(open);
    let gamma = Rig::start("gamma").await;
    // A place is free again once the listener has seen a connection end.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let expected = constella_controller::tls::Expected::Pin(beta.identity.pin);
    let origin = constella_controller::dial::Origin::Peer;
    while gamma.dial.connect(&beta.addr.to_string(), origin, expected).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "no place came free");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn strangers_in_every_place_keep_no_member_out() {
    let (alpha, beta) = pair().await;
    let mut idle = Vec::new();
    for place in 0..PEER_CONNECTIONS + 8 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        let source = std::net::Ipv4Addr::new(127, 0, 1, u8::try_from(place % 250).unwrap() + 1);
        socket.bind((source, 0).into()).unwrap();
        idle.push(socket.connect(beta.addr).await.unwrap());
    }
    for _ in 0..8 {
        // Each on a connection of its own.
        let answer = Raw::bare("GET", "/health", b"").send(alpha.tls(&beta).await).await;
        assert!(String::from_utf8_lossy(&answer.body).contains("node_id"), "{answer:?}");
    }
}

#[tokio::test]
async fn junk_at_every_endpoint_gets_a_typed_refusal() {
    let (alpha, beta) = pair().await;
    let junk: [&[u8]; 9] = [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        b"{\"method\":\"GetStats\"",
        br#"{"method":"Exec","params":{"command":"id"}}"#,
        br#"{"swim":[1],"roster":"x"}"#,
        br#"{"selfs":[{"body":1}]}"#,
    ];
    for body in junk {
        for path in ["/health", "/announce", "/rpc"] {
            // S7: unknown fields are none, so these announce nothing.
            let of_another = body.starts_with(b"{\"swim\"") || body.ends_with(b"}}");
            let empty_announcement = path == "/announce" && (body == b"{}" || of_another);
            let answer = Raw::sealed(path, alpha.envelope(&beta), &secret(), body).send(alpha.tls(&beta).await).await;
            if empty_announcement {
                assert_eq!(answer.status, 200);
                continue;
            }
            assert!(
                matches!(code(&answer), RpcCode::BadRequest | RpcCode::UnknownMethod),
                "{path} {body:?} {answer:?}"
            );
        }
        for path in ["/join", "/rekey", "/nothing", "/"] {
            let answer = Raw::bare("POST", path, body).send(alpha.tls(&beta).await).await;
            assert!(!answer.status.is_server_error(), "{path} {body:?} {answer:?}");
        }
    }
    assert_eq!(beta.reached(), 3, "the empty announcements");
    assert!(beta.attempts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_by_name() {
    let (alpha, beta) = pair().await;
    for (method, path) in [
        ("GET", "/rpc"),
        ("PUT", "/health"),
        ("DELETE", "/join"),
        ("POST", "/"),
        ("GET", "/health/x"),
        ("GET", "/%2e%2e"),
    ] {
        let answer = Raw::bare(method, path, b"").send(alpha.tls(&beta).await).await;
        assert_eq!(code(&answer), RpcCode::UnknownMethod, "{method} {path}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_http_end_the_connection_and_nothing_else() {
    let (alpha, beta) = pair().await;
    for junk in
        [b"\x00\x01\x02\x03\r\n\r\n".as_slice(), b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[0xff; 64]]
    {
        let mut stream = alpha.tls(&beta).await;
        stream.write_all(junk).await.unwrap();
        let all = tokio::time::timeout(Duration::from_secs(5), async {
            stream.shutdown().await.ok();
            rest(stream).await
        })
        .await
        .unwrap();
        assert!(all.is_empty() || all.starts_with("HTTP/1.1 400"), "{junk:?}: {all}");
    }
    assert!(alpha.ask(&beta).await.is_ok());
}
