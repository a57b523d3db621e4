//! DESIGN 7 from both sides: the joiner's client against a real listener, and what a listener passes to its core.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use constella_controller::dial::Dial;
use constella_controller::identity::Identity;
use constella_controller::joining::{JoinError, Joiner, TryError, with_own_token};
use constella_controller::members::Members;
use constella_controller::tls::Dialler;
use constella_core::io::JoinAttempt;
use constella_core::keys::Keys;
use constella_shared::ids::{NetworkId, Pin, Term};
use constella_shared::limits::JOINS_PER_MINUTE;
use constella_shared::link::{InviteId, InviteLink, Seed, join_mac_holds, token_hash};
use constella_shared::secret::Secret;
use constella_shared::wire::join::{JoinAnswer, JoinRequest};
use constella_shared::wire::records::{NetRecord, NetValue, OwnerRecord, Records, SelfRecord, Stamp, VoterRecord};
use constella_shared::wire::rpc::{RpcCode, RpcError};

use crate::rig::{OnJoin, Raw, Rig, code, secret};

fn token() -> Secret {
    Secret::new("ab".repeat(32))
}

fn link(seed: &Rig) -> InviteLink {
    let seed = Seed { addr: seed.addr.to_string(), pin: seed.identity.pin };
    InviteLink { seeds: vec![seed], network: NetworkId([4; 32]), token: token(), ttl_s: 60 }
}

fn joiner(link: InviteLink) -> Joiner {
    let identity = Identity::generate("gamma").unwrap();
    let dial = Dial::new(Dialler::new(&identity).unwrap(), false);
    Joiner {
        identity,
        name: "gamma".into(),
        addr: Some("127.0.0.1:5999".into()),
        port: 5999,
        priority: 70,
        link,
        more_seeds: Vec::new(),
        dial,
    }
}

fn refusal(code: RpcCode, message: &str) -> RpcError {
    RpcError { code, message: message.into() }
}

/// Checks a join as the core does and lets it in.
fn admit(attempt: &JoinAttempt) -> Result<JoinAnswer, RpcError> {
    let hash = token_hash(&token());
    if attempt.invite != InviteId::of(&hash) || !join_mac_holds(&hash, &attempt.pin, &attempt.body, &attempt.mac) {
        return Err(refusal(RpcCode::BadInvite, "unknown, expired or used"));
    }
    let request: JoinRequest = serde_json::from_slice(&attempt.body).unwrap();
    let seed = Identity::generate("seed").unwrap();
    let stamp = Stamp { unix_ms: 5, count: 0, node: seed.node };
    let owner = |node, name: &str, pin| OwnerRecord {
        node,
        stamp,
        term: Term(1),
        name: name.into(),
        priority: 70,
        pin,
        admitted_by: seed.node,
        removed: false,
        more: constella_shared::wire::more::More::none(),
    };
    let words = SelfRecord { node: seed.node, stamp, addr: "127.0.0.1:1".into(), version: "1".into(), protocol: 1 };
    Ok(JoinAnswer {
        network_id: NetworkId([4; 32]),
        owner_username: "owner".into(),
        network_secret: secret(),
        secret_generation: 3,
        addr: request.addr.unwrap(),
        records: Records {
            selfs: vec![seed.sign(serde_json::to_string(&words).unwrap())],
            owners: vec![owner(seed.node, "seed", seed.pin), owner(request.node_id, &request.name, attempt.pin)],
            net: vec![NetRecord::new(stamp, Term(1), NetValue::Token { token: Secret::new("1:abcdefgh".into()) })],
            invites: Vec::new(),
            voters: Some(VoterRecord { new: vec![seed.node], ..VoterRecord::default() }),
        },
    })
}

#[tokio::test]
async fn a_joiner_gets_in_and_has_a_state_to_start_from() {
    let seed = Rig::start_with("seed", Arc::new(admit)).await;
    let joiner = joiner(link(&seed));
    let (network, invites) = joiner.join().await.unwrap();
    assert_eq!((network.secret_generation, network.peers.len(), invites.invites.len()), (3, 2, 0));
    let own = network.peers.iter().find(|peer| peer.owner.node == joiner.identity.node).unwrap();
    let words: SelfRecord = serde_json::from_str(&own.own.as_ref().unwrap().body).unwrap();
    assert_eq!(words.addr, "127.0.0.1:5999");
    assert_eq!(joiner.identity.signer(own.own.as_ref().unwrap()), Some(joiner.identity.pin));
    assert!(network.peers.iter().all(|peer| peer.own.is_some()));
    let attempts = seed.attempts.lock().unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].pin, attempts[0].source.as_str()), (joiner.identity.pin, "127.0.0.1"));
    assert_eq!(attempts[0].cert, joiner.identity.cert_base64());
    // A token that the network shares is never kept as one's own.
    assert_eq!(with_own_token(network, Some(Secret::new("2:abcdefgh".into()))).own_token, None);
}

#[tokio::test]
async fn nothing_is_sent_to_a_seed_with_another_certificate() {
    let seed = Rig::start_with("seed", Arc::new(admit)).await;
    let mut wrong = link(&seed);
    wrong.seeds[0].pin = Pin([9; 32]);
    wrong.ttl_s = 0;
    let error = joiner(wrong).join().await.unwrap_err();
    assert!(matches!(&error, JoinError::Expired(why) if why.contains("another certificate")), "{error}");
    assert!(seed.attempts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_certificate() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    // The first answer is lost on the way: the seed lets the node in and then says that it is stopping.
    let on_join: OnJoin = Arc::new(move |attempt| {
        let answer = admit(attempt);
        if counted.fetch_add(1, Ordering::SeqCst) == 0 { Err(refusal(RpcCode::Stopping, "stopping")) } else { answer }
    });
    let seed = Rig::start_with("seed", on_join).await;
    assert!(joiner(link(&seed)).join().await.is_ok());
    let attempts = seed.attempts.lock().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].pin, attempts[1].pin);
}

#[tokio::test]
async fn a_dead_seed_is_passed_over() {
    let seed = Rig::start_with("seed", Arc::new(admit)).await;
    let mut two = link(&seed);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    two.seeds.insert(0, Seed { addr: format!("127.0.0.1:{port}"), pin: Pin([9; 32]) });
    assert!(joiner(two).join().await.is_ok());
    let mut more = joiner(link(&seed));
    more.more_seeds =
        std::mem::replace(&mut more.link.seeds, vec![Seed { addr: format!("127.0.0.1:{port}"), pin: Pin([9; 32]) }]);
    assert!(more.join().await.is_ok());
}

#[tokio::test]
async fn final_refusals_end_the_tries_with_the_seeds_words() {
    let cases = [
        (RpcCode::NameTaken, "the name gamma is taken, gamma-2 is free", 1),
        (RpcCode::BadInvite, "the invitation was used", 3),
        (RpcCode::Protocol, "too old", 1),
    ];
    for (code, words, tries) in cases {
        let seed = Rig::start_with("seed", Arc::new(move |_| Err(refusal(code, words)))).await;
        let error = joiner(link(&seed)).join().await.unwrap_err();
        assert!(
            matches!(&error, JoinError::Refused { reason: TryError::Refused(told), .. } if told.code == code),
            "{error}"
        );
        assert_eq!(error.to_string(), format!("{}: {words}", seed.addr));
        assert_eq!(seed.attempts.lock().unwrap().len(), tries, "{code:?}");
    }
}

#[tokio::test]
async fn a_closed_port_at_the_dial_back_is_told_and_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let on_join: OnJoin = Arc::new(move |attempt| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Err(refusal(RpcCode::Unreachable, "port 5999 of 127.0.0.1 is closed from here")),
        _ => admit(attempt),
    });
    let seed = Rig::start_with("seed", on_join).await;
    assert!(joiner(link(&seed)).join().await.is_ok());
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_seed_of_another_network_is_told_nothing() {
    let seed = Rig::start_with("seed", Arc::new(admit)).await;
    let other = InviteLink { network: NetworkId([5; 32]), ..link(&seed) };
    let error = joiner(other).join().await.unwrap_err().to_string();
    assert!(error.contains("another network"), "{error}");
    assert!(seed.attempts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_expired_invitation_ends_with_the_last_reason() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let seeds = vec![Seed { addr: format!("127.0.0.1:{port}"), pin: Pin([9; 32]) }];
    let link = InviteLink { seeds, network: NetworkId([4; 32]), token: token(), ttl_s: 1 };
    let error = joiner(link).join().await.unwrap_err().to_string();
    assert!(
        error.contains("expired") && error.contains(&format!("port {port} of 127.0.0.1 is closed from here")),
        "{error}"
    );
}

#[tokio::test]
async fn a_listener_without_a_network_lets_nobody_join() {
    let identity = Identity::generate("new").unwrap();
    let members = Members::new(identity.node, identity.pin);
    let new = Rig::serve(identity, members, "127.0.0.1:0".parse().unwrap(), Arc::new(admit)).await;
    let gamma = Rig::start("gamma").await;
    assert_eq!(code(&Raw::bare("POST", "/join", b"{}").send(gamma.tls(&new).await).await), RpcCode::Starting);
    assert_eq!(Raw::bare("GET", "/health", b"").send(gamma.tls(&new).await).await.body, r#"{"ok":true}"#);
    assert!(new.attempts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn guessing_tokens_is_limited_by_source() {
    let seed = Rig::start("seed").await;
    let gamma = Rig::start("gamma").await;
    let mut guess = Raw::bare("POST", "/join", b"{}");
    guess.headers.insert("x-constella-invite".into(), "00".repeat(16));
    guess.headers.insert("x-constella-mac".into(), "00".repeat(32));
    for _ in 0..JOINS_PER_MINUTE {
        assert_eq!(code(&guess.send(gamma.tls(&seed).await).await), RpcCode::BadInvite);
    }
    assert_eq!(code(&guess.send(gamma.tls(&seed).await).await), RpcCode::TooMany);
    assert_eq!(seed.attempts.lock().unwrap().len(), JOINS_PER_MINUTE);
}

#[tokio::test]
async fn a_join_without_its_headers_is_refused_by_name() {
    let seed = Rig::start("seed").await;
    let gamma = Rig::start("gamma").await;
    for missing in ["x-constella-invite", "x-constella-mac"] {
        let mut join = Raw::bare("POST", "/join", b"{}");
        join.headers.insert("x-constella-invite".into(), "00".repeat(16));
        join.headers.insert("x-constella-mac".into(), "00".repeat(32));
        join.headers.remove(missing);
        let told = crate::rig::refusal(&join.send(gamma.tls(&seed).await).await);
        assert!(told.error.code == RpcCode::BadHeaders && told.error.message.contains(missing), "{told:?}");
    }
    assert!(seed.attempts.lock().unwrap().is_empty());
}
