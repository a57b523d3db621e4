//! Mounts that fill up: which they are, how full each is, and in which order they are told.

use constella_shared::{agent::Disk, limits::DISKS, limits::NAME_SHOWN};
use rustix::fs::statvfs;
use std::collections::{BTreeMap, BTreeSet};
use std::{cmp::Reverse, ffi::OsString, io, os::unix::ffi::OsStringExt, path::Path, path::PathBuf};

/// One line of a table of mounts.
#[derive(Debug, Clone)]
pub(crate) struct Mount {
    pub(crate) path: PathBuf,
    device: String,
    fs: String,
    read_only: bool,
}

/// A table as `/proc/1/mounts` has it: any bytes but blanks, which are escaped. A line that is none hides no other.
pub(crate) fn table(bytes: &[u8]) -> Vec<Mount> {
    let text = |word: Vec<u8>| String::from_utf8_lossy(&word).into_owned();
    let mount = |line: &[u8]| {
        let mut words = line.split(|byte| *byte == b' ').map(unescape);
        let (device, path, fs) = (text(words.next()?), PathBuf::from(OsString::from_vec(words.next()?)), words.next()?);
        let read_only = text(words.next()?).split(',').any(|option| option == "ro");
        Some(Mount { path, device, fs: text(fs), read_only })
    };
    bytes.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

/// `\040` is a blank, and so on: three octal digits (proc_pid_mounts(5), getmntent(3)).
fn unescape(mut word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some((first, rest)) = word.split_first() {
        let digits = rest.get(..3).filter(|_| *first == b'\\').and_then(|digits| str::from_utf8(digits).ok());
        let octal = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        word = if octal.is_some() { rest.get(3..).unwrap_or_default() } else { rest };
    }
    bytes
}

impl Mount {
    pub(crate) fn is_at(&self, path: &str) -> bool {
        self.path == Path::new(path)
    }

    /// The root is a disk, whatever it is made of. What another host keeps, an image, a snapshot, memory do not fill up here.
    fn fills(&self) -> bool {
        let image = matches!(self.fs.as_str(), "squashfs" | "iso9660" | "erofs" | "udf" | "cramfs" | "romfs")
            || (self.read_only && self.device.starts_with("/dev/loop"));
        let remote = self.fs == "fuse" || self.fs.starts_with("fuse.");
        let zfs = self.fs == "zfs" && !self.device.contains('@');
        self.is_at("/") || zfs || (self.device.starts_with("/dev/") && !image && !remote)
    }

    /// The id of the file system, and its size, asked from the host's root, where this process stands.
    pub(crate) fn size(&self) -> io::Result<(u64, Disk)> {
        let stat = statvfs(Path::new(".").join(self.path.strip_prefix("/").unwrap_or(&self.path)))?;
        let [total, free, available] =
            [stat.f_blocks, stat.f_bfree, stat.f_bavail].map(|blocks| blocks.saturating_mul(stat.f_frsize));
        let (used, mount) =
            (total.saturating_sub(free), self.path.to_string_lossy().chars().take(NAME_SHOWN).collect());
        let (device, fs, available) = (self.device.clone(), self.fs.clone(), Some(available));
        let inodes = (stat.f_files > 0).then(|| (stat.f_files, stat.f_files.saturating_sub(stat.f_ffree)));
        let (inodes_total, inodes_used) = inodes.unzip();
        let disk = Disk { mount, device, fs, total, used, available, inodes_total, inodes_used };
        (total > 0).then_some((stat.f_fsid, disk)).ok_or_else(|| io::Error::other("it has no size"))
    }
}

/// The file systems that fill up: of a device that is mounted twice (bind mounts, subvolumes) the shortest path, each dataset of a pool.
pub(crate) fn disks(table: Vec<Mount>) -> Vec<Mount> {
    // A later mount at a place hides the one before.
    let places: BTreeMap<PathBuf, Mount> = table.into_iter().map(|mount| (mount.path.clone(), mount)).collect();
    let mut disks: Vec<Mount> = places.into_values().filter(Mount::fills).collect();
    disks.sort_by_key(|mount| mount.path.as_os_str().len());
    let mut seen = BTreeSet::new();
    disks.retain(|mount| seen.insert(mount.device.clone()));
    disks
}

/// The root, then the fullest others, as many as are told. A pool counts once: the space of its datasets is one, so it is as full as all of them
/// together, or as one that has a quota and is fuller. A file system under two names of its device is one.
pub(crate) fn ranked(sizes: Vec<(u64, Disk)>) -> Vec<Disk> {
    let (mut seen, mut pools) = (BTreeSet::new(), BTreeMap::<String, Vec<Disk>>::new());
    for (id, mut disk) in sizes {
        if disk.fs == "zfs" {
            disk.device = disk.device.split('/').next().unwrap_or_default().to_owned();
        }
        if id == 0 || seen.insert((id, disk.total)) {
            pools.entry(disk.device.clone()).or_default().push(disk);
        }
    }
    let permille = |disk: &Disk| disk.percent().map_or(0, |percent| (percent * 10.0) as u32);
    let whole = |disks: Vec<Disk>| {
        let (used, available) =
            (disks.iter().map(|disk| disk.used).sum(), disks.iter().filter_map(|it| it.available).max());
        let fullest = disks.into_iter().max_by_key(permille)?;
        let pool = Disk { total: used + available.unwrap_or(0), used, available, ..fullest.clone() };
        Some(if fullest.fs == "zfs" && permille(&pool) > permille(&fullest) { pool } else { fullest })
    };
    let mut disks: Vec<Disk> = pools.into_values().filter_map(whole).collect();
    disks.sort_by_key(|disk| (disk.mount != "/", Reverse(permille(disk)), disk.mount.clone()));
    disks.truncate(DISKS);
    disks
}

#[cfg(test)]
mod tests;
