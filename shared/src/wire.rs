//! Documents between controllers. `POST /health` carries a [`heartbeat::Heartbeat`], `POST /announce` [`records::Records`], `POST /rpc` a
//! [`rpc::Request`], `POST /join` a [`join::JoinRequest`].

pub mod command;
pub mod heartbeat;
pub mod join;
pub mod lease;
pub mod more;
pub mod records;
pub mod rekey;
pub mod rpc;

/// The controllers' protocol. A controller speaks its own and the one before.
pub const PROTOCOL: u32 = 1;
