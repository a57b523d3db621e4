//! What the tests, the demo and the simulator share.

pub mod botapi;
pub mod demo;
