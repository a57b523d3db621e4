//! What every screen is made of. Nothing here knows a feature.

pub mod buttons;
pub mod chart;
pub mod graph;
pub mod language;
pub mod names;
pub mod page;
pub mod press;
pub mod say;
pub mod why;
pub(in crate::bot) mod words;
pub mod world;
