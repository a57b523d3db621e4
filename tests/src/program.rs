//! How the programs begin and end that print figures: their networks' processes are this program again in other parts.

use std::process::ExitCode;

use clap::Parser;

use crate::cluster::take_part;

/// Why there are no figures.
pub type Failure = Box<dyn std::error::Error>;

/// All of `main`: plays the part that this process was started for, or does what the command line asks.
pub fn main<O: Parser>(run: impl AsyncFnOnce(O) -> Result<(), Failure>) -> ExitCode {
    if let Some(code) = take_part() {
        return code;
    }
    // Nothing else in this process installs one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = O::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(run(options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", O::command().get_name());
            ExitCode::FAILURE
        }
    }
}
