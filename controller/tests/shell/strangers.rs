//! S2: what a stranger learns, which is next to nothing, and what a member learns.

use std::sync::Arc;

use constella_controller::dial::{DialError, Origin};
use constella_controller::identity::Identity;
use constella_controller::members::Members;
use constella_controller::tls::{Dialler, Expected};
use constella_shared::ids::Pin;
use constella_shared::wire::join::JoinHandshake;
use constella_shared::wire::rpc::RpcCode;
use rustls::ClientConfig;
use rustls::client::Resumption;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rig::{OnJoin, Raw, Rig, code, pair};

/// A connection without a client certificate: the product's own verifier, but nobody to sign.
async fn nameless(to: &Rig) -> TlsStream<TcpStream> {
    let own = Dialler::new(&Identity::generate("x").unwrap()).unwrap();
    let mut config = ClientConfig::clone(&own.config(Expected::Anybody));
    config.client_auth_cert_resolver = Arc::new(Nobody);
    let stream = TcpStream::connect(to.addr).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("node").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

#[derive(Debug)]
struct Nobody;

impl rustls::client::ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn s2_a_stranger_learns_that_something_is_alive_and_nothing_else() {
    // S2
    let (alpha, beta) = pair().await;
    let gamma = Rig::start("gamma").await;
    let health = Raw::bare("GET", "/health", b"");
    assert_eq!(health.send(nameless(&beta).await).await.body, r#"{"ok":true}"#);
    assert_eq!(health.send(gamma.tls(&beta).await).await.body, r#"{"ok":true}"#);
    let member = health.send(alpha.tls(&beta).await).await;
    let wanted =
        format!(r#"{{"ok":true,"name":"beta","node_id":"{}","version":"9.9.9","protocol":2}}"#, beta.identity.node);
    assert_eq!(member.body, wanted.as_str());
}

#[tokio::test]
async fn s2_the_join_handshake_tells_protocols_time_and_whether_the_network_matches() {
    // S2
    let (_, beta) = pair().await;
    let ask = async |query: &str| {
        let answer = Raw::bare("GET", &format!("/join_handshake{query}"), b"").send(nameless(&beta).await).await;
        assert_eq!(answer.status, 200);
        let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 4, "{value}");
        serde_json::from_value::<JoinHandshake>(value).unwrap()
    };
    let right = ask(&format!("?net={}", "04".repeat(32))).await;
    assert!(right.net_matches && right.unix_s > 1_750_000_000);
    assert_eq!((right.protocol_min, right.protocol_max), (1, 2));
    for query in ["", "?", "?net=", "?net=zz", &format!("?net={}", "05".repeat(32)), "?network=04", "?&&=&%00"] {
        assert!(!ask(query).await.net_matches, "{query}");
    }
}

#[tokio::test]
async fn s2_rekey_needs_a_pinned_certificate_and_nothing_else() {
    // S2
    let (alpha, beta) = pair().await;
    let gamma = Rig::start("gamma").await;
    let rekey = Raw::bare("POST", "/rekey", b"");
    assert_eq!(code(&rekey.send(nameless(&beta).await).await), RpcCode::NotAMember);
    assert_eq!(code(&rekey.send(gamma.tls(&beta).await).await), RpcCode::NotAMember);
    let answer = rekey.send(alpha.tls(&beta).await).await;
    assert_eq!(answer.body, format!(r#"{{"network_secret":"{}","secret_generation":1}}"#, "5e".repeat(32)).as_str());
}

#[tokio::test]
async fn who_is_starting_takes_no_member_for_a_stranger() {
    // A refusal as a stranger would make a holder give its lease back (R2).
    let (alpha, _) = pair().await;
    let identity = Identity::generate("gamma").unwrap();
    let members = Members::new(identity.node, identity.pin);
    let on_join: OnJoin = Arc::new(|_| panic!("nobody joins"));
    let gamma = Rig::serve(identity, members, "127.0.0.1:0".parse().unwrap(), on_join).await;
    for path in ["/health", "/announce", "/rpc", "/rekey"] {
        let raw = Raw::bare("POST", path, b"{}");
        assert_eq!(code(&raw.send(alpha.tls(&gamma).await).await), RpcCode::Starting, "{path}");
    }
    let handshake = Raw::bare("GET", "/join_handshake", b"").send(nameless(&gamma).await).await;
    assert_eq!(code(&handshake), RpcCode::Starting);
    assert_eq!(Raw::bare("GET", "/health", b"").send(nameless(&gamma).await).await.body, r#"{"ok":true}"#);
}

#[tokio::test]
async fn strangers_reach_no_verb() {
    // S2
    let (_, beta) = pair().await;
    let gamma = Rig::start("gamma").await;
    for path in ["/health", "/announce", "/rpc"] {
        let raw = Raw::bare("POST", path, b"{}");
        assert_eq!(code(&raw.send(nameless(&beta).await).await), RpcCode::NotAMember, "{path}");
        assert_eq!(code(&raw.send(gamma.tls(&beta).await).await), RpcCode::NotAMember, "{path}");
    }
    assert_eq!(code(&Raw::bare("POST", "/join", b"{}").send(nameless(&beta).await).await), RpcCode::BadHeaders);
    assert_eq!(beta.reached(), 0);
}

#[tokio::test]
async fn a_stranger_gets_one_request_a_connection() {
    // S2
    let (_, beta) = pair().await;
    let mut http = constella_controller::http::Http::open(nameless(&beta).await).await.unwrap();
    assert_eq!(Raw::bare("GET", "/health", b"").send_on(&mut http).await.status, 200);
    crate::rig::until("the connection is closed", || !http.is_open()).await;
}

#[tokio::test]
async fn a_client_sends_nothing_to_another_certificate() {
    // S2
    let (alpha, beta) = pair().await;
    let wrong = alpha.dial.connect(&beta.addr.to_string(), Origin::Peer, Expected::Pin(Pin([9; 32]))).await;
    assert!(matches!(wrong, Err(DialError::WrongPin(_))), "{wrong:?}");
    let mut elsewhere = beta.pinned();
    elsewhere.pin = Pin([9; 32]);
    alpha.members.set_pins(vec![elsewhere]);
    let refused = alpha.ask(&beta).await;
    assert!(matches!(&refused, Err(constella_core::io::CallError::NotSent(_))), "{refused:?}");
    assert_eq!(beta.reached(), 0);
}

#[tokio::test]
async fn sessions_are_never_resumed() {
    // S2
    let (alpha, beta) = pair().await;
    let own = Dialler::new(&alpha.identity).unwrap();
    let mut config = ClientConfig::clone(&own.config(Expected::Pin(beta.identity.pin)));
    config.resumption = Resumption::in_memory_sessions(8);
    let config = Arc::new(config);
    for _ in 0..2 {
        let stream = TcpStream::connect(beta.addr).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from("node").unwrap();
        let stream = TlsConnector::from(Arc::clone(&config)).connect(name, stream).await.unwrap();
        let mut http = constella_controller::http::Http::open(stream).await.unwrap();
        assert_eq!(Raw::bare("GET", "/health", b"").send_on(&mut http).await.status, 200);
    }
    let stream = TcpStream::connect(beta.addr).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("node").unwrap();
    let stream = TlsConnector::from(config).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Full));
}

#[tokio::test]
async fn older_tls_is_not_spoken() {
    // S2
    let (_, beta) = pair().await;
    let provider = constella_controller::tls::provider();
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let stream = TcpStream::connect(beta.addr).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("node").unwrap();
    let error = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}
