//! Constella's brain: membership, roster, election, lease, fence, invitations, commands, and the bot's screens as data.
//!
//! [`node::Node`] takes an [`io::Input`] and the time and answers [`io::Output`]s, which the shell performs in the order given. No clock, no
//! socket, no file, no randomness but from the seed that it is given: one process can simulate a thousand nodes in virtual time.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod alerts;
pub mod bot;
pub mod calls;
pub mod clock;
pub mod commands;
pub mod config;
pub mod disk;
pub mod election;
pub mod fence;
pub mod handover;
pub mod io;
pub mod joins;
pub mod keys;
pub mod lease;
pub mod membership;
pub mod node;
pub mod peers;
pub mod probe;
pub mod repair;
pub mod roster;
pub mod round_trip;
pub mod update_ids;
pub mod voters;
