//! The root part: the one process that keeps power. It reads rows of fixed size from the front and starts helpers; it parses no text, has
//! one thread, and allocates nothing that depends on input. Here: the start. What it does then is in `serve.rs`.

pub(crate) mod frame;
mod ledger;
pub(crate) mod powers;
mod serve;

use std::fs::{OpenOptions, Permissions, create_dir_all, set_permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::config::Config;
use crate::host::{Host, Inner};

/// The uid of the front, and the group that front and controller share.
pub(crate) const FRONT: (u32, u32) = (10002, 10001);
/// The uid and group of the helpers that look and measure: nobody's.
pub(crate) const HELPER: (u32, u32) = (65534, 65534);

/// Prepares the folders, starts the front, and serves it. Returns what ended the agent.
pub(crate) fn run(host: &Host, config: &Config) -> io::Result<std::convert::Infallible> {
    if host.powers && std::process::id() == 1 {
        return Err(io::Error::other("this process is PID 1 itself; the container needs `pid: host`"));
    }
    create_dir_all(&config.state_dir)?;
    prepare(config.socket.parent().unwrap_or(Path::new("/")), host)?;
    prepare(&config.state_dir.join("series"), host)?;
    let mut audit = OpenOptions::new();
    let audit = audit.create(true).append(true).mode(0o640).open(config.state_dir.join("audit.log"))?;
    let ledger = ledger::Ledger::open(&config.state_dir)?;
    let (front, front_end) = UnixDatagram::pair()?;
    let (reports, reports_end) = UnixDatagram::pair()?;
    front.set_nonblocking(true)?;
    let mut process = Inner::Front.command();
    process.stdin(OwnedFd::from(front_end)).stdout(OwnedFd::from(reports_end));
    let process = process.spawn()?;
    serve::Root { host, config, ledger, audit, front, reports, jobs: Vec::new() }.serve(process)
}

/// Makes a folder that only root and the shared group can enter. Its owner may do so without CAP_CHOWN, being in the group.
fn prepare(folder: &Path, host: &Host) -> io::Result<()> {
    create_dir_all(folder)?;
    if host.powers {
        chown(folder, None, Some(FRONT.1))?;
        set_permissions(folder, Permissions::from_mode(0o770))?;
    }
    Ok(())
}
