//! The bot: screens as data, and the dialogue that makes them.

pub mod act;
pub mod screen;
pub mod world;
