//! S7: nodes of different versions on one network, over real TLS.

use constella_shared::wire::PROTOCOL;
use constella_shared::wire::rpc::RpcCode;
use constella_shared::wire::speaks::Speaks;
use serde_json::json;

use crate::rig::{Raw, code, heartbeat, pair, secret};

#[tokio::test]
async fn each_message_tells_what_its_sender_understands() {
    let (alpha, beta) = pair().await;
    let known = || (alpha.members.speaks(&beta.identity.node), beta.members.speaks(&alpha.identity.node));
    assert_eq!(known(), (Speaks::First, Speaks::First), "nothing was heard yet");
    assert!(alpha.ask(&beta).await.is_ok());
    assert_eq!(known(), (Speaks::Second, Speaks::Second), "by the request and by its answer");
    // Alpha was downgraded to a version that announces nothing.
    let raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), br#"{"method":"GetPeers","params":{}}"#);
    let answer = raw.send(alpha.tls(&beta).await).await;
    assert_eq!((answer.status.as_u16(), answer.protocol), (200, Some(PROTOCOL)));
    assert_eq!(known().1, Speaks::First);
}

#[tokio::test]
async fn a_refusal_for_an_earlier_start_tells_it_too_and_a_stranger_is_told_nothing() {
    // S7: whoever speaks to a later start knows before what that one understands. S2
    let (alpha, beta) = pair().await;
    let mut earlier = alpha.envelope(&beta);
    earlier.recipient_generation.0 -= 1;
    let raw = Raw::sealed("/rpc", earlier, &secret(), br#"{"method":"GetPeers","params":{}}"#);
    let answer = raw.send(alpha.tls(&beta).await).await;
    assert_eq!((code(&answer), answer.protocol), (RpcCode::EarlierBoot, Some(PROTOCOL)));
    beta.members.set_pins(Vec::new());
    let raw = Raw::sealed("/rpc", alpha.envelope(&beta), &secret(), b"{}");
    let answer = raw.send(alpha.tls(&beta).await).await;
    assert_eq!((code(&answer), answer.protocol), (RpcCode::NotAMember, None));
}

#[tokio::test]
async fn a_newer_members_documents_are_taken_and_its_unknown_method_is_refused_by_name() {
    let (alpha, beta) = pair().await;
    let mut newer = serde_json::to_value(heartbeat()).unwrap();
    newer["facts"]["load"] = json!([1, 2]);
    newer["clock"] = json!({ "source": "ntp" });
    let sent = async |path: &str, body: &serde_json::Value| {
        Raw::sealed(path, alpha.envelope(&beta), &secret(), body.to_string().as_bytes())
            .send(alpha.tls(&beta).await)
            .await
    };
    let taken = [
        ("/health", newer),
        ("/announce", json!({ "devices": [1], "net": [] })),
        ("/rpc", json!({ "method": "GetStats", "params": { "brief": true }, "trace": "x" })),
    ];
    for (path, body) in taken {
        assert_eq!(sent(path, &body).await.status.as_u16(), 200, "{path} {body}");
    }
    let unknown = sent("/rpc", &json!({ "method": "Upgrade.Begin", "params": { "to": "0.9" } })).await;
    assert_eq!(code(&unknown), RpcCode::UnknownMethod);
    assert_eq!(beta.reached(), 3);
}
