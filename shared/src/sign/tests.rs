//! S1 by table: each part of a sealed request, tampered with, breaks the MAC.

use super::*;
use alloc::collections::BTreeMap;

fn secret() -> Secret {
    Secret::new("5e".repeat(32))
}

fn envelope() -> Envelope {
    Envelope {
        sender: NodeId([1; 32]),
        recipient: NodeId([2; 32]),
        recipient_generation: Generation(7),
        secret_generation: 3,
        unix_ms: 1_760_000_000_123,
        nonce: [9; 16],
    }
}

fn message() -> Message<'static> {
    Message { method: "POST", path: "/rpc", query: "a=1", body: b"{}" }
}

#[test]
fn s1_a_sealed_request_holds() {
    assert!(envelope().seal(&secret(), &message()).holds(&secret(), &message()));
}

#[test]
fn s1_each_tampered_part_of_the_envelope_breaks_the_mac() {
    type Tamper = fn(&mut Envelope);
    let tampered: [(&str, Tamper); 6] = [
        ("sender", |e| e.sender = NodeId([8; 32])),
        ("recipient", |e| e.recipient = NodeId([8; 32])),
        ("recipient's generation", |e| e.recipient_generation = Generation(8)),
        ("secret's generation", |e| e.secret_generation = 4),
        ("time", |e| e.unix_ms += 1),
        ("nonce", |e| e.nonce = [8; 16]),
    ];
    for (part, tamper) in tampered {
        let mut sealed = envelope().seal(&secret(), &message());
        tamper(&mut sealed.envelope);
        assert!(!sealed.holds(&secret(), &message()), "{part}");
    }
}

#[test]
fn s1_each_tampered_part_of_the_message_breaks_the_mac() {
    let sealed = envelope().seal(&secret(), &message());
    let tampered = [
        ("method", Message { method: "GET", ..message() }),
        ("path", Message { path: "/announce", ..message() }),
        ("query", Message { query: "a=2", ..message() }),
        ("no query", Message { query: "", ..message() }),
        ("body", Message { body: b"{ }", ..message() }),
        ("a slash between path and query", Message { path: "/rpca", query: "=1", ..message() }),
    ];
    for (part, message) in tampered {
        assert!(!sealed.holds(&secret(), &message), "{part}");
    }
}

#[test]
fn s1_another_secret_or_mac_does_not_hold() {
    let mut sealed = envelope().seal(&secret(), &message());
    assert!(!sealed.holds(&Secret::new("5f".repeat(32)), &message()));
    assert!(!sealed.holds(&Secret::new(String::new()), &message()));
    sealed.mac[31] ^= 1;
    assert!(!sealed.holds(&secret(), &message()));
}

#[test]
fn s1_headers_are_read_back() {
    let sealed = envelope().seal(&secret(), &message());
    let headers: BTreeMap<&str, String> = sealed.headers().into_iter().collect();
    assert_eq!(headers.len(), 7);
    assert_eq!(Sealed::read(|name| headers.get(name).map(String::as_str)), Ok(sealed));
}

#[test]
fn s1_each_missing_or_damaged_header_is_named() {
    let sealed = envelope().seal(&secret(), &message());
    for name in [SENDER, RECIPIENT, RECIPIENT_GENERATION, SECRET_GENERATION, TIME, NONCE, MAC] {
        let mut headers: BTreeMap<&str, String> = sealed.headers().into_iter().collect();
        let good = headers.remove(name).unwrap();
        assert_eq!(Sealed::read(|n| headers.get(n).map(String::as_str)), Err(HeaderError(name)));
        for junk in ["", " ", "-1", "+1", "99999999999999999999999", "zz", &alloc::format!("{good}zz")] {
            headers.insert(name, junk.into());
            assert_eq!(Sealed::read(|n| headers.get(n).map(String::as_str)), Err(HeaderError(name)), "{name}: {junk}");
        }
    }
}

/// The bytes under the MAC are a promise to every later version; this one was computed with another program.
#[test]
fn s1_the_mac_of_a_known_request_is_known() {
    let sealed = envelope().seal(&secret(), &message());
    assert_eq!(hex::encode(sealed.mac), "687881a13bbbb2c8c38a25abc2544ffc8bad3218b5317cd2b49c4b5a36b37f74");
}
