//! The figures of a host, from its `/proc` and `/sys`: what the agent's processes without power run. It reads, and does nothing else: no socket,
//! no file written, no process started.
//!
//! A [`Look`] is what only the host's own files tell, every 30 s by a process that entered the host and dropped its power; a [`Sampler`] makes
//! [`Stats`](constella_shared::agent::Stats) of it and of `/proc`, every few seconds. Each source stands alone: what one does not tell is absent
//! with its reason, and costs no other.

#![forbid(unsafe_code)]

mod count;
mod look;
mod mounts;
mod sampler;
mod sys;
mod text;

pub use look::{Look, Seen, View};
pub use sampler::{Known, Sample, Sampler, with_speedtest};
