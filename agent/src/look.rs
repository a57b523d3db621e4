//! A helper that looks at what only the host sees: its name, and how full its file systems are. It enters with power, and drops that
//! before it reads the first byte; so the root part needs no list of mounts, and the front no way into the host's files.

use std::{collections::BTreeSet, io, os::fd::AsFd, os::unix::net::UnixDatagram};

use anyhow::{Context, Result};
use constella_shared::agent::{Disk, SpeedtestState};
use constella_shared::limits::DISKS;
use procfs_core::{FromRead, MountEntry};
use rustix::fs::statvfs;
use serde::{Deserialize, Serialize};

use crate::Host;
use crate::powers::{self, NOBODY};

/// What helpers tell the front: one JSON document in a datagram, from processes without power, believed only as far as figures go.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    Looked { hostname: String, disks: Vec<Disk> },
    Speedtest(SpeedtestState),
}

/// Sends a report; a helper's standard output is the way to the front.
pub(crate) fn report(report: &Report) -> Result<()> {
    let front = UnixDatagram::from(io::stdout().as_fd().try_clone_to_owned()?);
    front.send(&serde_json::to_vec(report)?)?;
    Ok(())
}

pub(crate) fn run(host: &Host) -> Result<()> {
    let mut entered = std::env::set_current_dir(host.pid1.join("root")).context("cannot open the host's files");
    if host.powers {
        entered = entered.and_then(|()| powers::enter(&host.pid1, &["uts"]));
        // Without capabilities (`REBOOT_METHOD=signal`) there is nothing to enter: mounts are told without their sizes.
        powers::drop_all(NOBODY, entered.is_err())?;
    }
    let mut disks = disks(Vec::from_file(host.pid1.join("mounts"))?);
    for disk in disks.iter_mut().filter(|_| entered.is_ok()) {
        // From the host's root, where this process stands. A folder that nobody may enter hides what is mounted in it.
        if let Ok(stat) = statvfs(format!(".{}", disk.mount)) {
            disk.total = stat.f_blocks.saturating_mul(stat.f_frsize);
            disk.used = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
        }
    }
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    report(&Report::Looked { hostname, disks })?;
    entered
}

/// The file systems that fill up, each device once. The root is one, whatever it is made of.
fn disks(mounts: Vec<MountEntry>) -> Vec<Disk> {
    // The kernel writes blanks as \040, which procfs-core 0.18 leaves.
    let path = |m: &MountEntry| m.fs_file.replace("\\040", " ");
    let disk = |m: MountEntry| Disk { mount: path(&m), device: m.fs_spec, fs: m.fs_vfstype, total: 0, used: 0 };
    let fills = |disk: &Disk| {
        let image = matches!(disk.fs.as_str(), "squashfs" | "iso9660" | "erofs") || disk.fs.starts_with("fuse");
        disk.mount == "/" || disk.fs == "zfs" || (disk.device.starts_with("/dev/") && !image)
    };
    let mut seen = BTreeSet::new();
    let new = |disk: &Disk| fills(disk) && seen.insert(disk.device.clone());
    mounts.into_iter().map(disk).filter(new).take(DISKS).collect()
}

#[cfg(test)]
mod tests;
