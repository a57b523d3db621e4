//! Taking up the host's namespaces, and giving power away: what helpers do before anything else. Each is freshly executed and has one
//! thread, without which the kernel lets nobody enter a mount namespace.

use std::fs::{File, create_dir_all};
use std::io::{self, Read};
use std::os::unix::{fs::chroot, process::CommandExt};
use std::{os::fd::AsFd, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use rustix::fs::{Gid, Mode, OFlags, ResolveFlags, Uid, open, openat2};
use rustix::io::Errno;
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{self, CapabilitySet, CapabilitySets};

use crate::Host;

/// Uid and gid of the front; the group is the controller's too.
pub(crate) const FRONT: (u32, u32) = (10002, 10001);
/// Uid and gid of the helpers that look and measure: nobody's.
pub(crate) const NOBODY: (u32, u32) = (65534, 65534);

/// Reboots the host. With `nsenter` this process becomes the host's `/sbin/reboot`, and returns only what prevented that.
pub(crate) fn reboot(pid1: &Path, method: &str) -> Result<()> {
    if method == "signal" {
        let systemd = std::fs::read(pid1.join("comm"))? == b"systemd\n";
        ensure!(systemd, "PID 1 is not systemd, which alone takes a signal for a reboot");
        return Ok(crate::rtsignal::tell_systemd_to_reboot()?);
    }
    // The mount namespace is the last, because this process loses its `/proc` with it. The pid namespace is PID 1's already, or its
    // number would not be 1 here.
    enter(pid1, &["net", "uts", "ipc", "mnt"])?;
    std::env::set_current_dir("/")?;
    let error = Command::new("/sbin/reboot").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").exec();
    Err(error).context("cannot execute the host's /sbin/reboot")
}

/// Enters namespaces of the host: all are opened before any is entered.
pub(crate) fn enter(pid1: &Path, names: &[&str]) -> Result<()> {
    let files: io::Result<Vec<File>> = names.iter().map(|name| File::open(pid1.join("ns").join(name))).collect();
    for namespace in files.context("cannot open the host's namespaces")? {
        let entered = thread::move_into_link_name_space(namespace.as_fd(), None);
        entered.context("cannot enter the host's namespaces")?;
    }
    Ok(())
}

/// Enters the host's network, locks itself into a folder with nothing but the host's resolv.conf, and drops everything.
pub(crate) fn enter_network(host: &Host, jail: &Path) -> Result<()> {
    if !host.powers {
        return bind_to_parent();
    }
    // Which name servers the host asks: copied with power, read without. Symbolic links are followed as the host would.
    let root = open(host.pid1.join("root"), OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let (root, file) = (root.context("cannot open the host's files")?, "etc/resolv.conf");
    let from = openat2(root, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT)?;
    create_dir_all(jail.join("etc"))?;
    io::copy(&mut File::from(from).take(64 * 1024), &mut File::create(jail.join(file))?)?;
    enter(&host.pid1, &["net"])?;
    chroot(jail).context("cannot lock itself into its folder")?;
    std::env::set_current_dir("/")?;
    drop_all(NOBODY, false)
}

/// Gives everything away for good: each capability set, the groups, the uid; allows no new privileges; and ends with its parent.
/// `forgiving` is for a container without capabilities (`REBOOT_METHOD=signal`): there the uid stays, and that is no error.
pub(crate) fn drop_all((uid, gid): (u32, u32), forgiving: bool) -> Result<()> {
    let forgive = |result| if forgiving && result == Err(Errno::PERM) { Ok(()) } else { result };
    for capability in (0..64).map(|bit| CapabilitySet::from_bits_retain(1 << bit)) {
        // A number that this kernel does not know is an error, and nothing to take away.
        if thread::capability_is_in_bounding_set(capability).unwrap_or(false) {
            let dropped = forgive(thread::remove_capability_from_bounding_set(capability));
            dropped.context("cannot empty the bounding set")?;
        }
    }
    thread::clear_ambient_capability_set()?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    forgive(thread::set_thread_groups(&[])).context("cannot leave the groups")?;
    forgive(thread::set_thread_res_gid(gid, gid, gid)).context("cannot change the gid")?;
    forgive(thread::set_thread_res_uid(uid, uid, uid)).context("cannot change the uid")?;
    let none = CapabilitySet::empty();
    thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    bind_to_parent()
}

/// No new privileges, and no life after the parent's. Comes after a change of uid, which would undo it.
pub(crate) fn bind_to_parent() -> Result<()> {
    thread::set_no_new_privs(true)?;
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}
