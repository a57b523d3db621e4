//! The bot: screens as data, and the dialogue that makes them.

pub mod act;
pub mod dialogue;
pub mod graph;
pub mod language;
pub mod names;
pub mod press;
pub mod screen;
pub mod text;
pub mod world;
