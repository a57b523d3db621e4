//! The client: every call has one answer in time, and whether its request may have arrived is always told.

use std::time::Duration;

use constella_controller::dial::{Dial, Origin};
use constella_controller::http::Http;
use constella_controller::tls::{Dialler, Expected};
use constella_core::io::{CallError, CallId, Input, PeerRequest, PinnedPeer};
use constella_shared::wire::rpc::{Request, Response, RpcCode};
use tokio::net::TcpListener;

use crate::rig::{LIMIT, NOBODY, Rig, pair};

const ASK: PeerRequest = PeerRequest::Rpc(Request::GetPeers {});

fn not_sent<T: std::fmt::Debug>(result: &Result<T, CallError>, words: &str) {
    let text = match result {
        Err(CallError::NotSent(text) | CallError::PortClosed(text)) => text.as_str(),
        _ => "",
    };
    assert!(text.contains(words), "{result:?}");
}

fn lost<T: std::fmt::Debug>(result: &Result<T, CallError>, words: &str) {
    assert!(matches!(result, Err(CallError::Lost(text)) if text.contains(words)), "{result:?}");
}

/// Beta's certificate at another address.
fn moved(beta: &Rig, addr: Option<String>) -> PinnedPeer {
    PinnedPeer { addr, ..beta.pinned() }
}

#[tokio::test]
async fn nothing_is_sent_to_nobody() {
    let (alpha, beta) = pair().await;
    not_sent(&alpha.peers.call(NOBODY, LIMIT, &ASK).await, "there is no member eeeeeeee");
    alpha.members.set_pins(vec![moved(&beta, None)]);
    not_sent(&alpha.ask(&beta).await, "nobody has told the address");
    alpha.members.set_pins(vec![moved(&beta, Some("no port".into()))]);
    not_sent(&alpha.ask(&beta).await, "is not HOST:PORT");
    alpha.members.set_pins(vec![moved(&beta, Some("no-such-host.invalid:1".into()))]);
    not_sent(&alpha.ask(&beta).await, "cannot be resolved");
}

#[tokio::test]
async fn a_closed_port_is_told_as_such() {
    let (alpha, beta) = pair().await;
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    alpha.members.set_pins(vec![moved(&beta, Some(format!("127.0.0.1:{port}")))]);
    let result = alpha.ask(&beta).await;
    let words = format!("port {port} of 127.0.0.1 is closed from here");
    assert!(matches!(&result, Err(CallError::PortClosed(text)) if text.contains(&words)), "{result:?}");
}

#[tokio::test]
async fn s5_a_peers_loopback_is_not_dialled_by_a_node_that_publishes_another_address() {
    let (alpha, beta) = pair().await;
    let strict = Dial::new(Dialler::new(&alpha.identity).unwrap(), false);
    let refused = strict.connect(&beta.addr.to_string(), Origin::Peer, Expected::Anybody).await;
    assert!(refused.unwrap_err().to_string().contains("loopback"));
    let named = strict.connect(&format!("localhost:{}", beta.addr.port()), Origin::Peer, Expected::Anybody).await;
    assert!(named.unwrap_err().to_string().contains("loopback"));
    assert!(strict.connect(&beta.addr.to_string(), Origin::Operator, Expected::Anybody).await.is_ok());
}

#[tokio::test]
async fn a_listener_that_says_nothing_leaves_the_call_unsent() {
    let (alpha, beta) = pair().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    alpha.members.set_pins(vec![moved(&beta, Some(silent.local_addr().unwrap().to_string()))]);
    let result = alpha.peers.call(beta.identity.node, Duration::from_millis(200), &ASK).await;
    not_sent(&result, "no connection within 200 ms");
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_lost() {
    let (alpha, beta) = pair().await;
    *beta.delay.lock().unwrap() = Duration::from_secs(60);
    let result = alpha.peers.call(beta.identity.node, Duration::from_millis(300), &ASK).await;
    lost(&result, "no answer within 300 ms");
}

#[tokio::test]
async fn a_connection_is_used_again_and_a_dead_one_is_replaced() {
    let (alpha, mut beta) = pair().await;
    assert!(alpha.ask(&beta).await.is_ok());
    assert!(alpha.ask(&beta).await.is_ok());
    // The listener stops, which closes the kept-alive connection, and another starts in its place.
    beta.server.take().unwrap().stop(Duration::from_secs(1)).await;
    let on_join = std::sync::Arc::new(|_: &_| {
        Err(constella_shared::wire::rpc::RpcError { code: RpcCode::BadInvite, message: String::new() })
    });
    let again = Rig::serve(beta.identity.clone(), beta.members.clone(), beta.addr, on_join).await;
    assert!(alpha.ask(&again).await.is_ok());
    assert_eq!((beta.reached(), again.reached()), (2, 1));
}

#[tokio::test]
async fn a_hundred_calls_at_once_are_all_answered() {
    let (alpha, beta) = pair().await;
    let calls: Vec<_> = (0..100).map(|_| alpha.ask(&beta)).collect();
    // At most 64 connections come from one address, so some calls are told that nothing was sent; none is lost.
    let mut answered = 0;
    for result in join_all(calls).await {
        match result {
            Ok(_) => answered += 1,
            Err(error) => assert!(matches!(error, CallError::NotSent(_)), "{error:?}"),
        }
    }
    assert!(answered >= 60, "{answered}");
    assert_eq!(beta.reached(), answered);
}

async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (future, output) in &mut pinned {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    pinned.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn a_dial_back_tells_the_certificate_that_it_met_or_why_none() {
    let (alpha, beta) = pair().await;
    let dial = async |addr: &str| match alpha.dial.dial_back(CallId(1), addr, LIMIT).await {
        Input::DialedBack { call: CallId(1), result } => result,
        other => panic!("{other:?}"),
    };
    assert_eq!(dial(&beta.addr.to_string()).await, Ok(beta.identity.pin));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(
        dial(&closed.to_string()).await,
        Err(format!("port {} of 127.0.0.1 is closed from here", closed.port()))
    );
    assert!(
        dial("169.254.169.254:80").await.unwrap_err().contains("metadata") || dial("169.254.169.254:80").await.is_err()
    );
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = plain.local_addr().unwrap().to_string();
    let answering = async {
        let (mut stream, _) = plain.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let (result, _stream) = tokio::join!(dial(&addr), answering);
    assert_eq!(result, Err(format!("who answers at {addr} is no Constella node")));
}

#[tokio::test]
async fn a_dial_back_to_a_port_that_swallows_packets_is_told_in_time() {
    let (alpha, _) = pair().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = silent.local_addr().unwrap();
    let Input::DialedBack { result, .. } =
        alpha.dial.dial_back(CallId(1), &addr.to_string(), Duration::from_millis(200)).await
    else {
        panic!("another input");
    };
    assert_eq!(result, Err(format!("port {} of 127.0.0.1 is closed from here", addr.port())));
}

#[tokio::test]
async fn an_operator_asks_a_member_by_its_address() {
    let (alpha, beta) = pair().await;
    let ask = async |addr: &str| alpha.peers.call_at(addr, LIMIT, Request::GetPeers {}).await;
    assert_eq!(ask(&beta.addr.to_string()).await, Ok(Response::Peers { peers: Vec::new() }));
    let gamma = Rig::start("gamma").await;
    not_sent(&ask(&gamma.addr.to_string()).await, "is no member");
    assert_eq!(gamma.reached(), 0);
}

#[tokio::test]
async fn two_listeners_on_one_port_are_told_apart() {
    let beta = Rig::start("beta").await;
    let error = constella_controller::server::bind(beta.addr).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {} (LISTEN_ADDR); stop the program", beta.addr)), "{error}");
}

#[tokio::test]
async fn an_ipv6_loopback_works_where_there_is_one() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    drop(listener);
    let alpha = Rig::start("alpha").await;
    let identity = constella_controller::identity::Identity::generate("beta").unwrap();
    let members = constella_controller::members::Members::new(identity.node, identity.pin);
    let on_join = std::sync::Arc::new(|_: &_| {
        Err(constella_shared::wire::rpc::RpcError { code: RpcCode::BadInvite, message: String::new() })
    });
    let beta = Rig::serve(identity, members, "[::1]:0".parse().unwrap(), on_join).await;
    let (stream, pin) = alpha.dial.connect(&beta.addr.to_string(), Origin::Peer, Expected::Anybody).await.unwrap();
    assert_eq!(pin, beta.identity.pin);
    assert!(Http::open(stream).await.is_ok());
}
