//! The shell over real TLS, real sockets and real files, with the core played by the test: what comes through, what is refused, and what is bounded.

mod bounds;
mod calls;
mod joins;
mod logs;
mod operator;
mod refusals;
mod rig;
mod running;
mod strangers;
