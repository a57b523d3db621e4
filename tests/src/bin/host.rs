//! The parts of a network of processes that tests start: the agent of a recorded host, and what binds a process to the test's life.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    constella_tests::cluster::take_part().unwrap_or_else(|| {
        eprintln!("host: tests start this with arguments of their own; there is nothing here for a person");
        ExitCode::from(2)
    })
}
