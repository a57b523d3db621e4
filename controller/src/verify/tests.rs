//! S1: the table of refusals, and the window in which a nonce is remembered.

use std::collections::BTreeMap;

use constella_core::io::PinnedPeer;
use constella_shared::ids::{Generation, NetworkId};
use constella_shared::secret::Secret;
use constella_shared::sign::Envelope;
use constella_shared::state::{NetworkState, STATE_FORMAT};
use constella_shared::wire::records::VoterRecord;

use super::*;

const ME: NodeId = NodeId([1; 32]);
const PEER: NodeId = NodeId([2; 32]);
const SKEW_MS: u64 = 30_000;

fn secret() -> Secret {
    Secret::new("5e".repeat(32))
}

fn verifier() -> Verifier {
    let members = Members::new(ME, Pin([1; 32]));
    members.set_generation(Generation(7));
    members.set_network(&NetworkState {
        format: STATE_FORMAT,
        network_id: NetworkId([1; 32]),
        owner_username: "owner".into(),
        network_secret: secret(),
        secret_generation: 3,
        own_token: None,
        peers: Vec::new(),
        records: Vec::new(),
        voters: VoterRecord::default(),
        more: constella_shared::wire::more::More::none(),
    });
    members.set_pins(vec![PinnedPeer { node: PEER, pin: Pin([2; 32]), addr: None, generation: None }]);
    Verifier::new(members, SKEW_MS)
}

fn now() -> Now {
    Now { boot_ms: 1_000_000, unix_ms: 1_760_000_000_000 }
}

fn envelope(nonce: u8) -> Envelope {
    Envelope {
        sender: PEER,
        recipient: ME,
        recipient_generation: Generation(7),
        secret_generation: 3,
        unix_ms: now().unix_ms,
        nonce: [nonce; 16],
    }
}

const MESSAGE: Message<'static> = Message { method: "POST", path: "/rpc", query: "", body: b"{}" };

fn check_at(verifier: &Verifier, at: Now, sealed: &Sealed, clock: ClockCheck) -> Option<RpcCode> {
    let headers: BTreeMap<&str, String> = sealed.headers().into_iter().collect();
    let header = |name: &str| headers.get(name).map(String::as_str);
    verifier.check(at, PEER, clock, &MESSAGE, header).err().map(|refusal| refusal.error.code)
}

fn check(verifier: &Verifier, sealed: &Sealed) -> Option<RpcCode> {
    check_at(verifier, now(), sealed, ClockCheck::Strict)
}

#[test]
fn s1_each_refusal_has_its_name() {
    // S1
    type Change = fn(&mut Envelope);
    let cases: [(&str, Change, Option<RpcCode>); 8] = [
        ("as it should be", |_| {}, None),
        ("another sender", |e| e.sender = NodeId([3; 32]), Some(RpcCode::BadHeaders)),
        ("another recipient", |e| e.recipient = NodeId([3; 32]), Some(RpcCode::WrongRecipient)),
        ("an earlier boot", |e| e.recipient_generation = Generation(6), Some(RpcCode::EarlierBoot)),
        ("a later boot", |e| e.recipient_generation = Generation(8), Some(RpcCode::EarlierBoot)),
        ("another secret", |e| e.secret_generation = 2, Some(RpcCode::OtherSecret)),
        ("a clock behind", |e| e.unix_ms -= SKEW_MS + 1, Some(RpcCode::ClockSkew)),
        ("a clock ahead", |e| e.unix_ms += SKEW_MS + 1, Some(RpcCode::ClockSkew)),
    ];
    for (what, change, wanted) in cases {
        let mut said = envelope(1);
        change(&mut said);
        assert_eq!(check(&verifier(), &said.seal(&secret(), &MESSAGE)), wanted, "{what}");
    }
    let wrong = envelope(1).seal(&Secret::new("00".repeat(32)), &MESSAGE);
    assert_eq!(check(&verifier(), &wrong), Some(RpcCode::BadMac));
}

#[test]
fn s1_a_nonce_is_good_once() {
    // S1
    let verifier = verifier();
    let sealed = envelope(1).seal(&secret(), &MESSAGE);
    assert_eq!(check(&verifier, &sealed), None);
    assert_eq!(check(&verifier, &sealed), Some(RpcCode::Replayed));
    assert_eq!(check(&verifier, &envelope(2).seal(&secret(), &MESSAGE)), None);
}

#[test]
fn s1_a_refused_request_does_not_use_its_nonce_up() {
    // S1
    let verifier = verifier();
    let forged = envelope(1).seal(&Secret::new("00".repeat(32)), &MESSAGE);
    assert_eq!(check(&verifier, &forged), Some(RpcCode::BadMac));
    assert_eq!(check(&verifier, &envelope(1).seal(&secret(), &MESSAGE)), None);
}

/// A request from the far end of the window, replayed at every later second: refused for its nonce, and then for its clock, with no gap between.
#[test]
fn s1_a_replay_is_refused_at_every_later_moment() {
    // S1
    let verifier = verifier();
    let ahead = Envelope { unix_ms: now().unix_ms + SKEW_MS, ..envelope(1) };
    let sealed = ahead.seal(&secret(), &MESSAGE);
    assert_eq!(check(&verifier, &sealed), None);
    let mut skewed = false;
    for later_ms in (0..200_000).step_by(500) {
        let at = Now { boot_ms: now().boot_ms + later_ms, unix_ms: now().unix_ms + later_ms };
        // Others' requests make it forget what is over.
        assert_eq!(check_at(&verifier, at, &other(later_ms).seal(&secret(), &MESSAGE), ClockCheck::Exempt), None);
        match check_at(&verifier, at, &sealed, ClockCheck::Strict) {
            Some(RpcCode::Replayed) => assert!(!skewed, "{later_ms}"),
            outcome => {
                assert_eq!(outcome, Some(RpcCode::ClockSkew), "after {later_ms} ms");
                skewed = true;
            }
        }
    }
    assert!(skewed);
}

fn other(n: u64) -> Envelope {
    let mut nonce = [0xff; 16];
    nonce.iter_mut().zip(n.to_be_bytes()).for_each(|(to, from)| *to = from);
    Envelope { nonce, ..envelope(0) }
}

#[test]
fn s1_a_heartbeat_is_exempt_from_the_clock_and_from_nothing_else() {
    // S1
    let exempt = |said: Envelope| check_at(&verifier(), now(), &said.seal(&secret(), &MESSAGE), ClockCheck::Exempt);
    assert_eq!(exempt(Envelope { unix_ms: 0, ..envelope(1) }), None);
    assert_eq!(exempt(Envelope { unix_ms: u64::MAX, ..envelope(1) }), None);
    let earlier = Envelope { unix_ms: 0, recipient_generation: Generation(6), ..envelope(1) };
    assert_eq!(exempt(earlier), Some(RpcCode::EarlierBoot));
}

#[test]
fn s1_the_refusal_tells_the_skew_and_the_generation() {
    // S1
    let verifier = verifier();
    let told = |said: Envelope| {
        let sealed = said.seal(&secret(), &MESSAGE);
        let headers: BTreeMap<&str, String> = sealed.headers().into_iter().collect();
        let header = |name: &str| headers.get(name).map(String::as_str);
        verifier.check(now(), PEER, ClockCheck::Strict, &MESSAGE, header).unwrap_err()
    };
    let behind = told(Envelope { unix_ms: now().unix_ms - 61_500, ..envelope(1) });
    assert!(behind.error.message.contains("61.5 s behind"), "{}", behind.error.message);
    let ahead = told(Envelope { unix_ms: now().unix_ms + 90_000, ..envelope(1) });
    assert!(ahead.error.message.contains("90.0 s ahead of"), "{}", ahead.error.message);
    let earlier = told(Envelope { recipient_generation: Generation(1), ..envelope(1) });
    assert_eq!(earlier.generation, Some(Generation(7)));
}

#[test]
fn nonces_take_a_fixed_space_and_are_not_forgotten_early() {
    // S1
    let mut nonces = Nonces::default();
    let nonce = |n: usize| (n as u128).to_be_bytes();
    for n in 0..NONCES {
        assert_eq!(nonces.take(0, 100, nonce(n)), Taken::New);
    }
    assert_eq!(nonces.take(99, 200, nonce(NONCES)), Taken::Full);
    assert_eq!(nonces.take(99, 200, nonce(0)), Taken::SeenBefore);
    assert_eq!(nonces.take(100, 200, nonce(NONCES)), Taken::New);
    assert_eq!(nonces.seen.len(), 1);
}

#[test]
fn s1_who_asks_too_often_reads_what_is_allowed_and_holds_nobody_else_up() {
    // S1
    let verifier = verifier();
    for n in 0..NONCES {
        verifier.use_nonce(now(), PEER, (n as u128).to_be_bytes()).unwrap();
    }
    let refusal = verifier.use_nonce(now(), PEER, [0xff; 16]).unwrap_err().error;
    assert_eq!(refusal.code, RpcCode::TooMany);
    assert!(refusal.message.contains("65536 requests of one member within 61 s"), "{}", refusal.message);
    assert!(verifier.use_nonce(now(), ME, [0xff; 16]).is_ok());
}

#[test]
fn a_removed_member_is_forgotten() {
    // S1
    let verifier = verifier();
    assert_eq!(check(&verifier, &envelope(1).seal(&secret(), &MESSAGE)), None);
    verifier.members.set_pins(Vec::new());
    verifier.forget_strangers();
    assert!(verifier.nonces.lock().unwrap().is_empty());
}
