//! Constella's controller: the shell around the core (HTTPS, Telegram, disk, clock), and the operator's CLI.

#![forbid(unsafe_code)]

pub mod admission;
pub mod answer;
pub mod clock;
pub mod identity;
pub mod inbox;
pub mod members;
pub mod parse;
pub mod routes;
pub mod server;
pub mod state;
pub mod tls;
pub mod verify;
