//! The bot in three storeys. `kit` is what every screen is made of, `desk` brings screens to the owner and knows rooms by a trait only, and each
//! feature is a room of its own.

#[cfg(test)]
#[path = "bot/tests/bench.rs"]
mod bench;
pub mod desk;
pub mod kit;
pub mod rooms;
