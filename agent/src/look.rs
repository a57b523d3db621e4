//! A helper that looks at what only the host sees: its name, and how full its file systems are. It enters with power, and drops that
//! before it reads the first byte; so the root part needs no list of mounts, and the front no way into the host's files.

use crate::powers::{NOBODY, drop_all, enter};
use anyhow::{Context, Result};
use constella_shared::{agent::Disk, limits::DISKS};
use procfs_core::{FromRead, MountEntry};
use std::{io, os::fd::AsFd, os::unix::net::UnixDatagram};

/// Tells the front what a helper found: one JSON document in a datagram. A helper's standard output is the way.
pub(crate) fn report(document: &impl serde::Serialize) -> Result<()> {
    let front = UnixDatagram::from(io::stdout().as_fd().try_clone_to_owned()?);
    front.send(&serde_json::to_vec(document)?)?;
    Ok(())
}

pub(crate) fn run(host: &crate::Host) -> Result<()> {
    let opened = std::env::set_current_dir(host.pid1.join("root")).context("cannot open the host's files");
    let entered = opened.and_then(|()| enter(host, &["uts"]));
    drop_all(host, NOBODY)?;
    // A name that is no UTF-8 must not hide the other mounts.
    let mounts = String::from_utf8_lossy(&std::fs::read(host.pid1.join("mounts"))?).into_owned();
    let mut disks = disks(Vec::from_read(mounts.as_bytes())?);
    // Without capabilities (`REBOOT_METHOD=signal`) nothing could be entered: mounts are told without their sizes.
    for disk in disks.iter_mut().filter(|_| entered.is_ok()) {
        // From the host's root, where this process stands. A folder that nobody may enter hides what is mounted in it.
        if let Ok(stat) = rustix::fs::statvfs(format!(".{}", disk.mount)) {
            disk.total = stat.f_blocks.saturating_mul(stat.f_frsize);
            disk.used = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
        }
    }
    report(&(rustix::system::uname().nodename().to_string_lossy(), disks))?;
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
    let mut seen = std::collections::BTreeSet::new();
    let new = |disk: &Disk| fills(disk) && seen.insert(disk.device.clone());
    mounts.into_iter().map(disk).filter(new).take(DISKS).collect()
}

#[cfg(test)]
mod tests;
