//! Constella's controller: the shell around the core (HTTPS, Telegram, disk, clock), and the operator's CLI.

#![forbid(unsafe_code)]

pub mod address;
pub mod admission;
pub mod agent;
pub mod answer;
pub mod clock;
pub mod dial;
pub mod http;
pub mod identity;
pub mod inbox;
pub mod members;
pub mod parse;
pub mod peer;
pub mod routes;
pub mod runner;
pub mod server;
pub mod state;
pub mod tls;
pub mod verify;
