//! S1: the signature over every request between members. Seven headers `X-Constella-*`; the last is an HMAC-SHA256 under the network's secret
//! over the other six, the method, the path, the query and the SHA-256 of the body as received.
//!
//! The bytes under the MAC are a version label and then each part with its length before it, so that no two requests ever give the same bytes.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::ids::{Generation, NodeId};
use crate::secret::Secret;

/// Who sends: the node id whose certificate the connection shows.
pub const SENDER: &str = "x-constella-sender";
/// To whom: the node id that is meant.
pub const RECIPIENT: &str = "x-constella-recipient";
/// For which start of the recipient: decimal boot generation.
pub const RECIPIENT_GENERATION: &str = "x-constella-recipient-generation";
/// Under which secret: decimal generation.
pub const SECRET_GENERATION: &str = "x-constella-secret-generation";
/// When: decimal unix time in milliseconds by the sender's clock.
pub const TIME: &str = "x-constella-time";
/// Which: 32 hex digits that are never used twice.
pub const NONCE: &str = "x-constella-nonce";
/// The MAC: 64 hex digits.
pub const MAC: &str = "x-constella-mac";
/// `POST /join` only: which invitation, see [`crate::link::InviteId`].
pub const INVITE: &str = "x-constella-invite";

/// What is signed of the request itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path, from its first slash.
    pub path: &'a str,
    /// The query without its question mark; empty where there is none.
    pub query: &'a str,
    /// The body as it is sent or was received.
    pub body: &'a [u8],
}

/// What is said about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// [`SENDER`].
    pub sender: NodeId,
    /// [`RECIPIENT`].
    pub recipient: NodeId,
    /// [`RECIPIENT_GENERATION`].
    pub recipient_generation: Generation,
    /// [`SECRET_GENERATION`].
    pub secret_generation: u32,
    /// [`TIME`].
    pub unix_ms: u64,
    /// [`NONCE`].
    pub nonce: [u8; 16],
}

/// An envelope with its MAC, as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// What is said.
    pub envelope: Envelope,
    /// [`MAC`].
    pub mac: [u8; 32],
}

/// A header that is missing or cannot be read. Nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header {0} is missing or cannot be read")]
pub struct HeaderError(pub &'static str);

impl Envelope {
    /// Seals a request under the network's secret.
    #[must_use]
    pub fn seal(self, secret: &Secret, message: &Message<'_>) -> Sealed {
        let mac = self.hmac(secret, message).map_or([0; 32], |mac| mac.finalize().into_bytes().into());
        Sealed { envelope: self, mac }
    }

    fn hmac(&self, secret: &Secret, message: &Message<'_>) -> Option<Hmac<Sha256>> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.expose().as_bytes()).ok()?;
        let body: [u8; 32] = Sha256::digest(message.body).into();
        let parts: [&[u8]; 11] = [
            LABEL,
            &self.sender.0,
            &self.recipient.0,
            &self.recipient_generation.0.to_be_bytes(),
            &self.secret_generation.to_be_bytes(),
            &self.unix_ms.to_be_bytes(),
            &self.nonce,
            message.method.as_bytes(),
            message.path.as_bytes(),
            message.query.as_bytes(),
            &body,
        ];
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Some(mac)
    }
}

impl Sealed {
    /// Checks the MAC in constant time.
    #[must_use]
    pub fn holds(&self, secret: &Secret, message: &Message<'_>) -> bool {
        self.envelope.hmac(secret, message).is_some_and(|mac| mac.verify_slice(&self.mac).is_ok())
    }

    /// The headers, by name.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let said = &self.envelope;
        alloc::vec![
            (SENDER, said.sender.to_string()),
            (RECIPIENT, said.recipient.to_string()),
            (RECIPIENT_GENERATION, said.recipient_generation.to_string()),
            (SECRET_GENERATION, said.secret_generation.to_string()),
            (TIME, said.unix_ms.to_string()),
            (NONCE, hex::encode(said.nonce)),
            (MAC, hex::encode(self.mac)),
        ]
    }

    /// Reads the headers; `value` answers a header's text by its lower-case name, None where it is absent, twice there, or no text.
    ///
    /// # Errors
    /// The first header that is missing or cannot be read.
    pub fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Result<Self, HeaderError> {
        let envelope = Envelope {
            sender: parsed(&value, SENDER)?,
            recipient: parsed(&value, RECIPIENT)?,
            recipient_generation: Generation(number(&value, RECIPIENT_GENERATION)?),
            secret_generation: number(&value, SECRET_GENERATION)?
                .try_into()
                .map_err(|_| HeaderError(SECRET_GENERATION))?,
            unix_ms: number(&value, TIME)?,
            nonce: bytes(&value, NONCE)?,
        };
        Ok(Self { envelope, mac: bytes(&value, MAC)? })
    }
}

/// Reads a header of exactly `N` bytes in hex.
///
/// # Errors
/// The header is missing or is not that.
pub fn bytes<'a, const N: usize>(
    value: &impl Fn(&str) -> Option<&'a str>,
    name: &'static str,
) -> Result<[u8; N], HeaderError> {
    let mut bytes = [0; N];
    let text = value(name).ok_or(HeaderError(name))?;
    hex::decode_to_slice(text, &mut bytes).map_err(|_| HeaderError(name))?;
    Ok(bytes)
}

fn parsed<'a>(value: &impl Fn(&str) -> Option<&'a str>, name: &'static str) -> Result<NodeId, HeaderError> {
    value(name).and_then(|text| text.parse().ok()).ok_or(HeaderError(name))
}

/// Digits alone: `+5` and ` 5` are other texts of one number, and a signature has one.
fn number<'a>(value: &impl Fn(&str) -> Option<&'a str>, name: &'static str) -> Result<u64, HeaderError> {
    let text = value(name).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or(HeaderError(name))
}

/// Begins the bytes under the MAC, so that no other use of the secret can give a request's MAC.
const LABEL: &[u8] = b"constella request 1";

#[cfg(test)]
#[path = "sign/tests.rs"]
mod tests;
