//! A helper that looks at what only the host sees: its name, and how full its file systems are. It enters with power, and drops that
//! before it reads the first byte; so the root part needs no list of mounts, and the front no way into the host's files.

use std::collections::BTreeSet;
use std::io;

use constella_shared::agent::Disk;
use constella_shared::limits::DISKS;
use rustix::fs::statvfs;

use crate::host::Host;
use crate::report::{Report, Reporter};
use crate::root::{HELPER, powers};

/// Reports to the front on standard output.
pub(crate) fn run(host: &Host) -> io::Result<()> {
    let mut entered = std::env::set_current_dir(host.pid1.join("root"));
    if host.powers {
        entered = entered.and(powers::enter(&host.pid1, "uts"));
        // Without capabilities (`REBOOT_METHOD=signal`) there is nothing to enter: mounts are told without sizes, and it stays uid 0.
        powers::drop_all(HELPER, entered.is_err())?;
    }
    let reporter = Reporter::stdout()?;
    for mut disk in disks(&std::fs::read_to_string(host.pid1.join("mounts"))?) {
        // Relative to the host's root, where this process stands. A folder that nobody may enter hides what is mounted in it.
        if let (Ok(()), Ok(stat)) = (&entered, statvfs(format!(".{}", disk.mount))) {
            disk.total = stat.f_blocks.saturating_mul(stat.f_frsize);
            disk.used = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
        }
        reporter.send(&Report::Disk(disk))?;
    }
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    reporter.send(&Report::Looked { hostname })?;
    entered
}

/// The block file systems of a mount table (proc_pid_mounts(5)), each device once, where it is mounted first.
fn disks(mounts: &str) -> Vec<Disk> {
    let mut seen = BTreeSet::new();
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').map(unescape);
        Some(Disk { device: fields.next()?, mount: fields.next()?, fs: fields.next()?, total: 0, used: 0 })
    });
    fields.filter(|disk| is_disk(disk) && seen.insert(disk.device.clone())).take(DISKS).collect()
}

/// A file system that fills up. The root always is one, whatever it is made of.
fn is_disk(disk: &Disk) -> bool {
    let image = matches!(disk.fs.as_str(), "squashfs" | "iso9660" | "erofs" | "devtmpfs");
    disk.mount == "/"
        || disk.fs == "zfs"
        || (disk.device.starts_with("/dev/") && !image && !disk.fs.starts_with("fuse"))
}

/// `\040` and the like, which the kernel writes for blanks and backslashes.
fn unescape(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) => text.extend(std::iter::once(char::from(byte)).chain(part.chars().skip(3))),
            None => text.extend(std::iter::once('\\').chain(part.chars())),
        }
    }
    text
}
