//! The shell over real TLS, real sockets and real files, with the core played by the test: what comes through, what is refused, and what is bounded.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod bounds;
mod calls;
mod joins;
mod logs;
mod operator;
mod refusals;
mod rig;
mod running;
mod strangers;
