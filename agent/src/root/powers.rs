//! Taking up the host's namespaces, and giving power away. Each function runs in a process with one thread, freshly executed.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{Gid, Mode, OFlags, ResolveFlags, Uid, open, openat2};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
    move_into_link_name_space, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

/// The namespaces that `/sbin/reboot` needs to find its init system; the mount namespace last, because the others are opened
/// through this one's `/proc`. PID 1 shares our pid namespace, or its number would not be 1 here.
const HOST: [&str; 4] = ["net", "uts", "ipc", "mnt"];

/// Becomes the host's `/sbin/reboot`, in the host's namespaces. Returns only what prevented it.
pub(crate) fn become_reboot(pid1: &Path) -> io::Error {
    let enter = || -> io::Result<()> {
        let opened: Vec<File> =
            HOST.iter().map(|name| File::open(pid1.join("ns").join(name))).collect::<Result<_, _>>()?;
        for namespace in opened {
            move_into_link_name_space(namespace.as_fd(), None)?;
        }
        std::env::set_current_dir("/")
    };
    match enter() {
        Ok(()) => Command::new("/sbin/reboot").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").exec(),
        Err(error) => error,
    }
}

/// Asks a PID 1 that is systemd to reboot, with the signal that systemd(1) documents for it.
pub(crate) fn signal_reboot(pid1: &Path) -> io::Result<()> {
    if std::fs::read(pid1.join("comm"))? != b"systemd\n" {
        return Err(io::Error::other("PID 1 is not systemd, and only systemd reboots on a signal"));
    }
    crate::rtsignal::tell_systemd_to_reboot()
}

/// Enters one namespace of the host.
pub(crate) fn enter(pid1: &Path, name: &str) -> io::Result<()> {
    Ok(move_into_link_name_space(File::open(pid1.join("ns").join(name))?.as_fd(), None)?)
}

/// Opens a file of the host, symbolic links resolved as the host would.
pub(crate) fn open_host_file(pid1: &Path, name: &str) -> io::Result<File> {
    let root = open(pid1.join("root"), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(openat2(root, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT)?.into())
}

/// Gives everything away for good: every capability set, the groups, the uid; and ends with its parent.
///
/// With `forgiving` (`REBOOT_METHOD=signal` in a container without capabilities) a refusal to change the uid is no error.
pub(crate) fn drop_all((uid, gid): (u32, u32), forgiving: bool) -> io::Result<()> {
    let forgive = |result: rustix::io::Result<()>| match result {
        Err(rustix::io::Errno::PERM) if forgiving => Ok(()),
        other => other,
    };
    for bit in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        // A number that this kernel does not know is an error, and nothing to take away.
        if capability_is_in_bounding_set(capability).unwrap_or(false) {
            forgive(remove_capability_from_bounding_set(capability))?;
        }
    }
    clear_ambient_capability_set()?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    forgive(set_thread_groups(&[]))?;
    forgive(set_thread_res_gid(gid, gid, gid))?;
    forgive(set_thread_res_uid(uid, uid, uid))?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    bind_to_parent()
}

/// No new privileges by any later execution, and no life after the parent's. Comes after a change of uid, which would undo it.
pub(crate) fn bind_to_parent() -> io::Result<()> {
    set_no_new_privs(true)?;
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}
