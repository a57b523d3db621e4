//! Signing and checking `self` records. The cryptography is the shell's; to the core it is a pair of pure functions.

use alloc::string::String;

use constella_shared::ids::Pin;
use constella_shared::wire::records::SignedSelf;

/// This node's key, and the check of anybody's signature. Pure: same arguments, same answer; no effect.
pub trait Keys {
    /// Signs the body with this node's key and puts its certificate beside it.
    fn sign(&self, body: String) -> SignedSelf;

    /// The pin (SHA-256 of the certificate) whose key signed the body; None where certificate or signature do not hold.
    fn signer(&self, signed: &SignedSelf) -> Option<Pin>;
}
