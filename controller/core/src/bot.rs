//! The bot: screens as data, and the dialogue that makes them.

pub mod desk;
pub mod kit;
