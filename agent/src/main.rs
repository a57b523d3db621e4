//! `constella-agent`: health, stats, series, speedtest and reboot of one host, over one unix socket.
fn main() -> std::process::ExitCode {
    let host = constella_agent::Host::real();
    if let Some(code) = constella_agent::inner(&host) {
        return code;
    }
    match std::env::args().nth(1).as_deref() {
        None | Some("run") => constella_agent::run(&host),
        Some("healthcheck") => constella_agent::healthcheck(),
        Some("version") => {
            println!("constella-agent {}", env!("CARGO_PKG_VERSION"));
            std::process::ExitCode::SUCCESS
        }
        Some(_) => {
            eprintln!("constella-agent: run (default), healthcheck, version; settings come from the environment");
            std::process::ExitCode::from(2)
        }
    }
}
