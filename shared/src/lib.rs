//! What two processes must agree on: identifiers, wire documents, the signature over them, limits, and the state files.
//!
//! No clock, no socket, no file: every type here is data. The agent and the controller share [`agent`], [`limits`] and [`settings`]; controllers share the rest.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod agent;
pub mod ids;
pub mod limits;
pub mod link;
pub mod secret;
pub mod settings;
pub mod sign;
pub mod state;
pub mod wire;
