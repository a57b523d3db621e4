//! `constella-agent`: health, stats, series, speedtest and reboot of one host, over one unix socket. The audit map, to check X, read Y:
//!
//! - what holds power all the time: `root/mod.rs` starts the front, `root/serve.rs` performs, `root/frame.rs` is all that it reads
//! - what enters the host, what ends a process's power, and the one unsafe block: `powers.rs`
//! - that a reboot happens once, on time, as the operator allows, and is written down: `root/serve.rs`
//! - which processes there are: `lib.rs` (`inner`); what the operator can set: `config.rs`
//! - who may connect, how long and how much: `front/server.rs`; what can be asked: `front/answer.rs`
//! - what is read of the host, without power: `front/sampler.rs`, `look.rs`; what is kept: `series.rs`
//! - what ever opens a network socket, as nobody, in a jail: `speedtest.rs`
//!
//! Why each capability, what a compromised part could still do, how to rebuild the image: `AUDIT.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let host = constella_agent::Host::real();
    match std::env::args().nth(1).as_deref() {
        None | Some("run") => constella_agent::run(&host),
        Some(_) => constella_agent::inner(&host).unwrap_or_else(|| {
            eprintln!("constella-agent: run (default), healthcheck, version; settings come from the environment");
            ExitCode::from(2)
        }),
    }
}
