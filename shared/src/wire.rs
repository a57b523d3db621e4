//! Documents between controllers. `POST /health` carries a [`heartbeat::Heartbeat`], `POST /announce` [`records::Records`], `POST /rpc` a
//! [`rpc::Request`], `POST /join` a [`join::JoinRequest`].

pub mod alert;
pub mod command;
pub mod heartbeat;
pub mod incident;
pub mod join;
pub mod lease;
pub mod more;
pub mod records;
pub mod rekey;
pub mod rpc;
pub mod speaks;

/// The controllers' protocol. A controller speaks its own and the one before: [`speaks::Speaks`].
pub const PROTOCOL: u32 = 2;

/// The header in which every request and every answer between members, and a joiner's request, announces its sender's [`PROTOCOL`]. Protocol 1 does
/// not announce itself. It is no part of the signature: who says less of itself than is true is told less.
pub const PROTOCOL_HEADER: &str = "x-constella-protocol";
