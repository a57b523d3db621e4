//! The simulator: many cores in one process, in virtual time, under one seed (DESIGN 14.2).
//!
//! Entry points: [`World`] is one run; [`Plan`] writes a run of random faults; [`Scenario`] reads one from a file.

mod act;
mod clock;
pub(crate) mod dice;
mod event;
mod fault;
mod figures;
mod host;
mod keys;
mod lines;
mod measure;
mod network;
mod plan;
mod rules;
mod scale;
mod scenario;
mod setup;
mod telegram;
mod world;

pub use act::{Act, Button, Reach, Timed};
pub use fault::{Fault, Rate};
pub use figures::Figures;
pub use measure::{BLOWS, Blow, Calm, Struck, calm, strike, strike_over};
pub use network::Wire;
pub use plan::Plan;
pub use rules::Broken;
pub use scale::{Size, measure, steps};
pub use scenario::{Expect, Outcome, Scenario};
pub use setup::{Beat, Setup};
pub use world::World;
pub use world::end::{COMMANDS_MS, Ending, WHOLE_MS};
