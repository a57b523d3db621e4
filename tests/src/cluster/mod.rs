//! A network of real processes on loopback: the built controller, the real agent over its socket, the Bot API double. Only the reboot is
//! injected, and what the kernel would do to packets is done by a wire in front of each node.

mod clocks;
mod disk;
mod error;
mod fate;
mod host;
mod janitor;
mod measured;
mod network;
mod node;
mod nursery;
mod programs;
mod pulse;
mod settled;
mod speedserver;
mod wires;

pub use clocks::clocks_can_be_set;
pub use error::ClusterError;
pub use fate::{Fate, denies};
pub use host::Recorded;
pub use measured::Usage;
pub use network::{Network, Plan, Reboots};
pub use node::Node;
pub use nursery::Nursery;
pub use programs::{Programs, take_part};
pub use pulse::Pulse;
pub use settled::View;
pub use wires::{Cut, Link, Wires};
