//! Alerts: what each node finds about itself, and what is told of it. Pure, and without knowledge of the bot.

pub mod boots;
pub mod choice;
pub mod judge;
pub mod preset;
pub mod quiet;
pub mod readings;
pub mod rule;
pub mod trend;
pub mod twins;

pub use constella_shared::wire::alert::{Change, Kind, Part, Severity, Standing, Subject, Transition, Unit, Value};
