//! The root part: the one process that keeps power. It reads frames of fixed size from the front and starts helpers. It parses no text,
//! has one thread, and allocates nothing that depends on input. Here is the start; `serve.rs` has all that power is used for.

pub(crate) mod frame;
mod serve;
use crate::{Host, config::Config, inner_process, powers::FRONT};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::{fd::OwnedFd, unix::net::UnixDatagram, unix::net::UnixStream};
use std::{fs, io::Read, io::Write, path::Path};
use zerocopy::{IntoBytes, TryFromBytes};

/// Prepares the folders, starts the front, and serves it until it ends, which ends the agent.
pub(crate) fn run(host: &Host, config: &Config) -> Result<()> {
    ensure!(!host.powers || std::process::id() != 1, "this process is PID 1 itself; the container needs `pid: host`");
    for folder in [config.socket.parent().unwrap_or(Path::new("/")), &config.state_dir.join("series")] {
        fs::create_dir_all(folder).with_context(|| format!("cannot prepare {}", folder.display()))?;
        if host.powers {
            // A folder's owner needs no capability to give it to a group of its own: compose starts the agent as 0:10001.
            chown(folder, None, Some(FRONT.1))?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o770))?;
        }
    }
    let audit = fs::File::options().create(true).append(true).mode(0o640).open(config.state_dir.join("audit.log"))?;
    let (mut options, path) = (fs::File::options(), config.state_dir.join("commands"));
    let ledger = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // A full disk prevents none of the next hundred reboots. Where there is no such room, one is refused when the time comes.
    let room = ledger.metadata()?.len() + 100 * size_of::<frame::Record>() as u64;
    let _ = rustix::fs::fallocate(&ledger, rustix::fs::FallocateFlags::KEEP_SIZE, 0, room);
    let (mut front, front_end) = UnixStream::pair()?;
    let (reports, reports_end) = UnixDatagram::pair()?;
    let mut child =
        inner_process("front", "").stdin(OwnedFd::from(front_end)).stdout(OwnedFd::from(reports_end)).spawn()?;
    let mut root = serve::Root { host, config, ledger, audit, reports, jobs: Vec::new() };
    let mut frame = [0; size_of::<frame::Ask>()];
    while front.read_exact(&mut frame).is_ok() {
        // A front that sends anything else is not ours any more.
        let ask = frame::Ask::try_read_from_bytes(&frame).map_err(|_| anyhow!("the front sent junk"))?;
        front.write_all(root.perform(ask)?.as_bytes())?;
    }
    // One that only closed its end must not live on without this process.
    child.kill()?;
    bail!("the front ended: {}", child.wait()?)
}
