//! Taking up the host's namespaces, and giving power away: what helpers do before anything else. Each is freshly executed and has one
//! thread, without which the kernel lets nobody enter a mount namespace. Here is also the one unsafe block.

use crate::Host;
use anyhow::{Context, Result, ensure};
use rustix::fs::{Gid, Mode, OFlags, ResolveFlags, Uid, open, openat2};
use rustix::thread::{self, CapabilitySet, CapabilitySets};
use std::os::unix::{fs::chroot, process::CommandExt};
use std::{env::set_current_dir, fs::File, io, io::Read, os::fd::AsFd, path::Path};

/// Uid and gid of the front, whose group is the controller's too, and of the helpers that look and measure.
pub(crate) const FRONT: (u32, u32) = (10002, 10001);
pub(crate) const NOBODY: (u32, u32) = (65534, 65534);

/// Reboots the host. With `nsenter` this process becomes the host's `/sbin/reboot`, and returns only what prevented that.
pub(crate) fn reboot(host: &Host, method: &str) -> Result<()> {
    if method == "signal" {
        let systemd = std::fs::read(host.pid1.join("comm"))? == b"systemd\n";
        ensure!(systemd, "PID 1 is not systemd, which alone takes a signal for a reboot");
        // JUSTIFICATION: kill(2) has no safe wrapper that takes a real-time signal; systemd(1) takes SIGRTMIN+5 as "reboot".
        // SAFETY: kill takes two numbers, touches no memory of ours, and reports every error in its result.
        #[expect(unsafe_code, reason = "see JUSTIFICATION above")]
        let told = unsafe { libc::kill(1, libc::SIGRTMIN() + 5) };
        return if told == 0 { Ok(()) } else { Err(io::Error::last_os_error().into()) };
    }
    ensure!(method == "nsenter", "there is no such way to reboot");
    // The mount namespace is the last: this process loses its `/proc` with it. The pid namespace is PID 1's already, as its number is 1.
    enter(host, &["net", "uts", "ipc", "mnt"])?;
    set_current_dir("/")?;
    let error = (host.reboot)().env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").exec();
    Err(error).context("cannot execute the host's reboot command")
}

/// Enters namespaces of the host: all are opened before any is entered.
pub(crate) fn enter(host: &Host, names: &[&str]) -> Result<()> {
    let open = |name| File::open(host.pid1.join("ns").join(name)).context("cannot open the host's namespaces");
    let namespaces: Result<Vec<File>> = names.iter().filter(|_| host.powers).map(open).collect();
    let enter = |namespace: &File| thread::move_into_link_name_space(namespace.as_fd(), None);
    namespaces?.iter().try_for_each(enter).context("cannot enter the host's namespaces")
}

/// Enters the host's network, locks itself into a folder with nothing but the host's resolv.conf, and drops everything.
pub(crate) fn enter_network(host: &Host, jail: &Path) -> Result<()> {
    if host.powers {
        // Which name servers the host asks: copied with power, read without. Symbolic links are followed as the host would.
        let root = open(host.pid1.join("root"), OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let (root, file) = (root.context("cannot open the host's files")?, "etc/resolv.conf");
        let from = openat2(root, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT)?;
        std::fs::create_dir_all(jail.join("etc"))?;
        io::copy(&mut File::from(from).take(64 * 1024), &mut File::create(jail.join(file))?)?;
        enter(host, &["net"])?;
        chroot(jail).context("cannot lock itself into its folder")?;
        set_current_dir("/")?;
    }
    drop_all(host, NOBODY)
}

/// Gives everything away for good: each capability set, the groups, the uid; allows no new privileges; and ends with its parent. Who was
/// started without any capability (`REBOOT_METHOD=signal`) has none to give away, and cannot change its uid.
pub(crate) fn drop_all(host: &Host, (uid, gid): (u32, u32)) -> Result<()> {
    if host.powers && !thread::capabilities(None)?.permitted.is_empty() {
        for capability in (0..64).map(|bit| CapabilitySet::from_bits_retain(1 << bit)) {
            // A number that this kernel does not know is an error, and nothing to take away.
            if thread::capability_is_in_bounding_set(capability).unwrap_or(false) {
                let dropped = thread::remove_capability_from_bounding_set(capability);
                dropped.context("cannot empty the bounding set")?;
            }
        }
        thread::clear_ambient_capability_set()?;
        let (uid, gid, none) = (Uid::from_raw(uid), Gid::from_raw(gid), CapabilitySet::empty());
        thread::set_thread_groups(&[]).context("cannot leave the groups")?;
        thread::set_thread_res_gid(gid, gid, gid).context("cannot change the gid")?;
        thread::set_thread_res_uid(uid, uid, uid).context("cannot change the uid")?;
        thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    }
    thread::set_no_new_privs(true)?;
    // Comes after the change of uid, which would undo it.
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
}
