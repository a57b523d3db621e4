//! The shell over real TLS, real sockets and real files, with the core played by the test: what comes through, what is refused, and what is bounded.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: what helps them stands outside of them")]

mod bounds;
mod calls;
mod durable;
mod growth;
mod joins;
mod logs;
mod operator;
mod refusals;
mod rig;
mod running;
mod strangers;
mod verbs;
mod wires;
