//! S1 over the wire: every refusal by name, and none of them reaches the core.

use constella_controller::http::Http;
use constella_core::io::{CallError, PeerRequest, PeerResponse};
use constella_shared::ids::Generation;
use constella_shared::secret::Secret;
use constella_shared::sign::{self, Envelope};
use constella_shared::wire::records::Records;
use constella_shared::wire::rpc::{Request, Response, RpcCode};

use crate::rig::{LIMIT, NOBODY, Raw, Rig, SKEW_MS, code, heartbeat, pair, refusal, secret};

const RPC: &[u8] = br#"{"method":"GetPeers","params":{}}"#;

/// Sends a request that is right but for one change.
async fn changed(change: impl FnOnce(&mut Envelope)) -> (RpcCode, usize) {
    let (alpha, beta) = pair().await;
    let mut envelope = alpha.envelope(&beta);
    change(&mut envelope);
    let answer = Raw::sealed("/rpc", envelope, &secret(), RPC).send(alpha.tls(&beta).await).await;
    (code(&answer), beta.reached())
}

#[tokio::test]
async fn s1_each_wrong_part_of_the_envelope_is_refused_by_name() {
    // S1
    let none = 0;
    assert_eq!(changed(|e| e.recipient = NOBODY).await, (RpcCode::WrongRecipient, none));
    assert_eq!(changed(|e| e.sender = NOBODY).await, (RpcCode::BadHeaders, none));
    assert_eq!(changed(|e| e.secret_generation = 2).await, (RpcCode::OtherSecret, none));
    assert_eq!(changed(|e| e.recipient_generation = Generation(6)).await, (RpcCode::EarlierBoot, none));
    assert_eq!(changed(|e| e.unix_ms -= SKEW_MS + 5_000).await, (RpcCode::ClockSkew, none));
    assert_eq!(changed(|e| e.unix_ms += SKEW_MS + 5_000).await, (RpcCode::ClockSkew, none));
}

#[tokio::test]
async fn s1_a_request_as_it_should_be_reaches_the_core() {
    // S1
    let (alpha, beta) = pair().await;
    let answer = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), RPC).send(alpha.tls(&beta).await).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, r#"{"ok":true,"is":"peers","peers":[]}"#);
    assert_eq!(beta.reached(), 1);
}

#[tokio::test]
async fn s1_each_tampered_part_of_the_message_is_refused() {
    // S1
    type Tamper = fn(&mut Raw);
    let tampers: [(&str, Tamper); 5] = [
        ("body", |raw| raw.body = br#"{"method":"GetStats","params":{}}"#.to_vec()),
        ("no body", |raw| raw.body.clear()),
        ("path", |raw| raw.target = "/announce".into()),
        ("query", |raw| raw.target = "/rpc?a=1".into()),
        ("mac", |raw| {
            raw.headers.insert(sign::MAC.into(), "00".repeat(32));
        }),
    ];
    let (alpha, beta) = pair().await;
    for (what, tamper) in tampers {
        let mut raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), RPC);
        tamper(&mut raw);
        assert_eq!(code(&raw.send(alpha.tls(&beta).await).await), RpcCode::BadMac, "{what}");
    }
    let other = Raw::sealed("/rpc", alpha.envelope(&beta), &Secret::new("00".repeat(32)), RPC);
    assert_eq!(code(&other.send(alpha.tls(&beta).await).await), RpcCode::BadMac);
    assert_eq!(beta.reached(), 0);
}

#[tokio::test]
async fn s1_each_missing_header_is_named() {
    // S1
    let (alpha, beta) = pair().await;
    let names = [
        sign::SENDER,
        sign::RECIPIENT,
        sign::RECIPIENT_GENERATION,
        sign::SECRET_GENERATION,
        sign::TIME,
        sign::NONCE,
        sign::MAC,
    ];
    for name in names {
        let mut raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), RPC);
        raw.headers.remove(name);
        let refusal = refusal(&raw.send(alpha.tls(&beta).await).await);
        assert_eq!(refusal.error.code, RpcCode::BadHeaders);
        assert!(refusal.error.message.contains(name), "{}", refusal.error.message);
    }
    assert_eq!(beta.reached(), 0);
}

#[tokio::test]
async fn s1_a_replay_is_refused_on_the_same_and_on_another_connection() {
    // S1
    let (alpha, beta) = pair().await;
    let raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), RPC);
    let mut http = Http::open(alpha.tls(&beta).await).await.unwrap();
    assert_eq!(raw.send_on(&mut http).await.status, 200);
    assert_eq!(code(&raw.send_on(&mut http).await), RpcCode::Replayed);
    assert_eq!(code(&raw.send(alpha.tls(&beta).await).await), RpcCode::Replayed);
    assert_eq!(beta.reached(), 1);
}

#[tokio::test]
async fn s1_a_request_recorded_for_one_node_is_worth_nothing_at_another() {
    // S1
    let (alpha, beta) = pair().await;
    let gamma = Rig::start("gamma").await;
    gamma.members.set_pins(vec![alpha.pinned()]);
    let raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), RPC);
    assert_eq!(code(&raw.send(alpha.tls(&gamma).await).await), RpcCode::WrongRecipient);
    assert_eq!(gamma.reached(), 0);
}

#[tokio::test]
async fn s1_a_member_cannot_speak_for_another() {
    // S1
    let (alpha, beta) = pair().await;
    let gamma = Rig::start("gamma").await;
    beta.members.set_pins(vec![alpha.pinned(), gamma.pinned()]);
    let raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), RPC);
    assert_eq!(code(&raw.send(gamma.tls(&beta).await).await), RpcCode::BadHeaders);
    assert_eq!(beta.reached(), 0);
}

#[tokio::test]
async fn s1_a_heartbeat_with_a_wrong_clock_is_answered() {
    // S1
    let (alpha, beta) = pair().await;
    let body = serde_json::to_vec(&heartbeat()).unwrap();
    let envelope = Envelope { unix_ms: 1_000, ..alpha.envelope(&beta) };
    let answer = Raw::sealed("/health", envelope, &secret(), &body).send(alpha.tls(&beta).await).await;
    assert_eq!(answer.status, 200);
    let announce = Raw::sealed("/announce", Envelope { nonce: [1; 16], ..envelope }, &secret(), b"{}");
    assert_eq!(code(&announce.send(alpha.tls(&beta).await).await), RpcCode::ClockSkew);
    assert_eq!(beta.reached(), 1);
}

#[tokio::test]
async fn s1_the_refusals_tell_the_skew_and_the_generation() {
    // S1
    let (alpha, beta) = pair().await;
    let behind = Envelope { unix_ms: alpha.envelope(&beta).unix_ms - 90_000, ..alpha.envelope(&beta) };
    let told = refusal(&Raw::sealed("/rpc", behind, &secret(), RPC).send(alpha.tls(&beta).await).await);
    assert!(told.error.message.contains("90.") && told.error.message.contains("behind"), "{}", told.error.message);
    let earlier = Envelope { recipient_generation: Generation(1), ..alpha.envelope(&beta) };
    let told = refusal(&Raw::sealed("/rpc", earlier, &secret(), RPC).send(alpha.tls(&beta).await).await);
    assert_eq!(told.generation, Some(Generation(7)));
}

#[tokio::test]
async fn s1_a_client_learns_a_new_start_and_asks_once_more() {
    // S1
    let (alpha, beta) = pair().await;
    assert!(alpha.ask(&beta).await.is_ok());
    beta.members.set_generation(Generation(8));
    assert!(alpha.ask(&beta).await.is_ok());
    assert_eq!(alpha.members.row(&beta.identity.node).unwrap().generation, Generation(8));
    assert_eq!(beta.reached(), 2);
}

#[tokio::test]
async fn every_kind_of_request_goes_through_the_products_client() {
    // S1
    let (alpha, beta) = pair().await;
    let call = async |request| alpha.peers.call(beta.identity.node, LIMIT, &request).await;
    let beat = call(PeerRequest::Heartbeat(heartbeat())).await;
    assert_eq!(beat, Ok(PeerResponse::Heartbeat(heartbeat())));
    assert_eq!(call(PeerRequest::Announce(Records::default())).await, Ok(PeerResponse::Announced));
    let done = call(PeerRequest::Rpc(Request::GetSpeedtest {})).await;
    assert_eq!(done, Ok(PeerResponse::Rpc(Response::Done)));
}

#[tokio::test]
async fn a_removed_pin_is_removed_from_a_live_connection_too() {
    // S1
    let (alpha, beta) = pair().await;
    let mut http = Http::open(alpha.tls(&beta).await).await.unwrap();
    let raw = |rig: &Rig| Raw::sealed("/rpc", rig.envelope(&beta), &secret(), RPC);
    assert_eq!(raw(&alpha).send_on(&mut http).await.status, 200);
    beta.members.set_pins(Vec::new());
    assert_eq!(code(&raw(&alpha).send_on(&mut http).await), RpcCode::NotAMember);
    assert_eq!(beta.reached(), 1);
    let refused = alpha.ask(&beta).await;
    assert!(matches!(&refused, Err(CallError::Refused(error)) if error.code == RpcCode::NotAMember), "{refused:?}");
}
