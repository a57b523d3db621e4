//! Alerts: what each node finds about itself, what others find about it, and what is told of it. Pure, and without knowledge of the bot.
//!
//! [`witness`] concludes that a node is down. [`board`] turns what stands into messages: one an incident, edited as it goes on (N3, N4).

pub mod board;
pub mod budget;
pub mod incident;
pub mod witness;

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
