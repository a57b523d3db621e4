//! What the tests, the demo and the simulator share.

#![forbid(unsafe_code)]

pub mod botapi;
pub mod cluster;
pub mod demo;
pub mod program;
pub mod sim;
