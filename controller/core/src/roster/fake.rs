//! Keys for tests: a hash in the place of a signature. Refuses what the real ones refuse: another key's words, and a changed body.

use alloc::string::String;

use constella_shared::ids::{NodeId, Pin};
use constella_shared::secret::Secret;
use constella_shared::wire::records::SignedSelf;

use super::{Founding, Roster, found};
use crate::clock::Now;
use crate::keys::Keys;

/// One node's key.
pub(crate) struct FakeKeys(pub(crate) Pin);

impl FakeKeys {
    fn signature(pin: &Pin, body: &str) -> String {
        hex::encode(Pin::over(&[b"signature", &pin.0, body.as_bytes()]).0)
    }

    /// The certificate (base64) whose SHA-256 is the pin of the node with this number.
    pub(crate) fn cert(number: u64) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(number.to_be_bytes())
    }
}

impl Keys for FakeKeys {
    fn sign(&self, body: String) -> SignedSelf {
        SignedSelf { signature: Self::signature(&self.0, &body), cert: hex::encode(self.0.0), body }
    }

    fn signer(&self, signed: &SignedSelf) -> Option<Pin> {
        let pin: Pin = signed.cert.parse().ok()?;
        (Self::signature(&pin, &signed.body) == signed.signature).then_some(pin)
    }
}

/// The node with this number; ids grow with the numbers.
pub(crate) fn node(number: u64) -> NodeId {
    let mut id = [0; 32];
    id.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    NodeId(id)
}

/// Its pin: SHA-256 of [`FakeKeys::cert`].
pub(crate) fn pin(number: u64) -> Pin {
    use sha2::Digest as _;
    Pin(sha2::Sha256::digest(number.to_be_bytes()).into())
}

/// Its key.
pub(crate) fn keys(number: u64) -> FakeKeys {
    FakeKeys(pin(number))
}

/// Both clocks, so many milliseconds after an arbitrary start.
pub(crate) fn at(ms: u64) -> Now {
    Now { boot_ms: 50_000 + ms, unix_ms: 1_700_000_000_000 + ms }
}

/// What node 1 founds its network with.
pub(crate) fn founding() -> Founding {
    Founding {
        network_id: constella_shared::ids::NetworkId([9; 32]),
        secret: Secret::new("5e".repeat(32)),
        node: node(1),
        name: String::from("alpha"),
        priority: 100,
        pin: pin(1),
        addr: String::from("203.0.113.1:4747"),
        version: String::from("0.1.0"),
        owner_username: String::from("owner"),
        claim: None,
        token: Some(Secret::new(String::from("123:token"))),
        share_token: true,
    }
}

/// The roster of node 1, alone in its network.
pub(crate) fn alone() -> Roster {
    let state = found(at(0), founding(), &keys(1)).unwrap();
    open(1, state)
}

/// A state as the node with this number reads it.
pub(crate) fn open(number: u64, state: constella_shared::state::NetworkState) -> Roster {
    let invites = constella_shared::state::InvitesState {
        format: 1,
        invites: alloc::vec![],
        more: constella_shared::wire::more::More::none(),
    };
    let (roster, refused) = Roster::open(node(number), pin(number), state, invites, 30_000, &keys(number)).unwrap();
    assert_eq!(refused, []);
    roster
}
