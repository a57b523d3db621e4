//! A hash in the place of a signature. Refuses what the real ones refuse: another key's words, and a changed body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use constella_core::keys::Keys;
use constella_shared::ids::Pin;
use constella_shared::wire::records::SignedSelf;
use sha2::{Digest as _, Sha256};

/// One node's key and certificate.
#[derive(Debug, Clone)]
pub(super) struct SimKeys {
    der: Vec<u8>,
}

impl SimKeys {
    pub(super) fn new(name: &str) -> Self {
        Self { der: format!("certificate of {name}").into_bytes() }
    }

    /// SHA-256 of the certificate.
    pub(super) fn pin(&self) -> Pin {
        Pin(Sha256::digest(&self.der).into())
    }

    /// Base64 of the certificate.
    pub(super) fn cert(&self) -> String {
        STANDARD.encode(&self.der)
    }
}

impl Keys for SimKeys {
    fn sign(&self, body: String) -> SignedSelf {
        SignedSelf { signature: signature(&self.pin(), &body), cert: self.cert(), body }
    }

    fn signer(&self, signed: &SignedSelf) -> Option<Pin> {
        let pin = Pin(Sha256::digest(STANDARD.decode(&signed.cert).ok()?).into());
        (signature(&pin, &signed.body) == signed.signature).then_some(pin)
    }
}

fn signature(pin: &Pin, body: &str) -> String {
    hex::encode(Pin::over(&[b"signature", &pin.0, body.as_bytes()]).0)
}
