//! Constella's controller: the shell around the core (HTTPS, Telegram, disk, clock), and the operator's CLI.

#![forbid(unsafe_code)]

pub mod address;
pub mod admission;
pub mod agent;
pub mod answer;
pub mod bodies;
pub mod chart;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod dial;
pub mod doctor;
pub mod founding;
pub mod http;
pub mod identity;
pub mod inbox;
pub mod joining;
pub mod members;
pub mod parse;
pub mod peer;
pub mod routes;
pub mod runner;
pub mod server;
pub mod service;
pub mod state;
pub mod telegram;
pub mod tls;
pub mod verify;

/// This controller's version, for records, screens and `version`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
