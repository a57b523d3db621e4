//! `constella-agent`: health, stats, series, speedtest and reboot of one host, over one unix socket. The audit map, to check X, read Y:
//!
//! - what holds power all the time: `root/mod.rs` starts the front, `root/serve.rs` performs, `root/frame.rs` is all that it reads
//! - what enters the host, what ends a process's power, and the one unsafe block: `powers.rs`
//! - that a reboot happens once, on time, as the operator allows, and is written down: `root/serve.rs`
//! - which processes there are: `lib.rs` (`inner`); what the operator can set: `config.rs`
//! - who may connect, how long and how much: `front/server.rs`; what can be asked: `front/answer.rs`
//! - what is read of the host, without power: `figures/`, begun by `front/sampler.rs` and `look.rs`; what is kept: `series.rs`
//! - what ever opens a network socket, as nobody, in a jail: `speedtest.rs`
//!
//! Why each capability, what a compromised part could still do, how to rebuild the image: `AUDIT.md`.

use std::process::ExitCode;

/// Help comes before anything else, and what is not known starts nothing.
fn main() -> ExitCode {
    let (host, args) = (constella_agent::Host::real(), std::env::args_os().skip(1));
    let words: Vec<String> = args.map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let inner = match words[..] {
        _ if words.iter().any(|word| ["-h", "--help", "help"].contains(word)) => {
            // Whoever closed it wants no help.
            let _ = std::io::Write::write_all(&mut std::io::stdout(), constella_agent::help().as_bytes());
            return ExitCode::SUCCESS;
        }
        [] | ["run"] => return constella_agent::run(&host),
        ["healthcheck" | "version"] => constella_agent::inner(&host),
        // One of the agent's processes, which it starts itself.
        [name, _] if name.starts_with("inner-") => constella_agent::inner(&host),
        _ => None,
    };
    inner.unwrap_or_else(|| {
        eprint!("constella-agent: unknown arguments: {}\n\n{}", words.join(" "), constella_agent::help());
        ExitCode::from(2)
    })
}
