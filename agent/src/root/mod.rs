//! The root part: the one process that keeps power. It reads frames of fixed size from the front and starts helpers. It parses no text,
//! has one thread, and allocates nothing that depends on input. Here is the start; `serve.rs` has all that power is used for.

pub(crate) mod frame;
mod serve;

use std::fs::{OpenOptions, Permissions, create_dir_all, set_permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::{os::fd::OwnedFd, path::Path};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::fs::FallocateFlags;
use zerocopy::{IntoBytes, TryFromBytes};

use crate::{Host, config::Config, inner_process, powers::FRONT, rows::Rows};
use {frame::Ask, serve::Root};

/// Prepares the folders, starts the front, and serves it until it ends, which ends the agent.
pub(crate) fn run(host: &Host, config: &Config) -> Result<()> {
    ensure!(!host.powers || std::process::id() != 1, "this process is PID 1 itself; the container needs `pid: host`");
    let (run, state) = (config.socket.parent().unwrap_or(Path::new("/")), &config.state_dir);
    for folder in [run, &state.join("series")] {
        create_dir_all(folder).with_context(|| format!("cannot prepare {}", folder.display()))?;
        if host.powers {
            // A folder's owner needs no capability to give it to a group of its own: compose starts the agent as 0:10001.
            chown(folder, None, Some(FRONT.1))?;
            set_permissions(folder, Permissions::from_mode(0o770))?;
        }
    }
    let audit = OpenOptions::new().create(true).append(true).mode(0o640).open(state.join("audit.log"))?;
    let (mut front, front_end) = UnixStream::pair()?;
    let (reports, reports_end) = UnixDatagram::pair()?;
    let mut command = inner_process("front", "");
    command.stdin(OwnedFd::from(front_end)).stdout(OwnedFd::from(reports_end));
    let mut child = command.spawn()?;
    drop(command); // And with it this process's copies of the front's ends, or the front's end would not be seen.
    let ledger = Rows::open(&state.join("commands"))?;
    // A full disk prevents none of the next hundred reboots. Where there is no such room, one is refused when the time comes.
    let _ = ledger.reserve(FallocateFlags::KEEP_SIZE, ledger.count()? + 100);
    let mut root = Root { host, config, ledger, audit, reports, jobs: Vec::new() };
    let mut frame = [0; size_of::<Ask>()];
    while front.read_exact(&mut frame).is_ok() {
        // A front that sends anything else is not ours any more.
        let ask = Ask::try_read_from_bytes(&frame).map_err(|_| anyhow!("the front sent junk"))?;
        front.write_all(root.perform(ask)?.as_bytes())?;
    }
    bail!("the front ended: {}", child.wait()?)
}
