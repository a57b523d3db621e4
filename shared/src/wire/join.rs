//! Joining: what a new node and a seed say to each other (DESIGN 7).

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::records::Records;
use crate::ids::{NetworkId, NodeId, Pin, TokenHash};
use crate::secret::Secret;

/// Body of `POST /join`. The certificate is the connection's own, never a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The joiner's name.
    pub name: String,
    /// The network of the link.
    pub network_id: NetworkId,
    /// Where it says it can be reached, `host:port`; absent: where it came from, with [`JoinRequest::port`].
    pub addr: Option<String>,
    /// The port it listens on.
    pub port: u16,
    /// Its id.
    pub node_id: NodeId,
    /// Smaller leads.
    pub priority: u32,
    /// Its controller's version.
    pub version: String,
    /// Its protocol.
    pub protocol: u32,
    /// Its first `self` record without an address is signed later; this is the certificate, base64 of DER, and must be the connection's.
    pub cert: String,
}

/// A checked join that a seed passes to the holder, which spends the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinForward {
    /// Which invitation.
    pub token: TokenHash,
    /// The joiner's certificate as the seed met it, twice.
    pub pin: Pin,
    /// Where the seed reached it.
    pub addr: String,
    /// What the joiner said.
    pub request: JoinRequest,
}

/// Answer to a join: everything that a member knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinAnswer {
    /// The network.
    pub network_id: NetworkId,
    /// The owner's Telegram name.
    pub owner_username: String,
    /// Hex of 32 bytes.
    pub network_secret: Secret,
    /// The secret's generation.
    pub secret_generation: u32,
    /// Where the joiner is reached, for its own `self` record.
    pub addr: String,
    /// The roster (with the bot token, unless the network does not share it).
    pub records: Records,
}

/// Answer to `GET /join_handshake?net=..`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinHandshake {
    /// Oldest protocol spoken.
    pub protocol_min: u32,
    /// Newest protocol spoken.
    pub protocol_max: u32,
    /// Server time, unix seconds.
    pub unix_s: u64,
    /// Whether `net` is this network.
    pub net_matches: bool,
}
