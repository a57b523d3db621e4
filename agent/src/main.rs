//! `constella-agent`: health, stats, series, speedtest and reboot of one host, over one unix socket. The audit map, to check X, read Y:
//!
//! - what holds power all the time: `root/` (300 lines): `mod.rs` starts the front, `serve.rs` performs, `frame.rs` is all that it reads
//! - what ends a process's power, and what enters the host: `powers.rs`; the one unsafe block: `rtsignal.rs`
//! - that a reboot happens once, on time, as the operator allows, and is written down: `root/serve.rs`, `rows.rs`
//! - which processes there are: `lib.rs` (`inner`); what the operator can set: `config.rs`
//! - who may connect, how long and how much: `front/server.rs`; what can be asked: `front/answer.rs`
//! - what is read of the host, without power: `front/sampler.rs`, `look.rs`; what is kept: `series.rs`, `rows.rs`
//! - what ever opens a network socket, as nobody, in a jail: `speedtest.rs`
//!
//! Why each capability, what a compromised part could still do, how to rebuild the image: `AUDIT.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let host = constella_agent::Host::real();
    if let Some(code) = constella_agent::inner(&host) {
        return code;
    }
    match std::env::args().nth(1).as_deref() {
        None | Some("run") => constella_agent::run(&host),
        Some("healthcheck") => constella_agent::healthcheck(),
        Some("version") => {
            println!("constella-agent {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(_) => {
            eprintln!("constella-agent: run (default), healthcheck, version; settings come from the environment");
            ExitCode::from(2)
        }
    }
}
