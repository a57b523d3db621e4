//! A helper that looks at what only the host sees: its name, how full its disks are, its interfaces and sensors, its own `/proc`. It enters with
//! power, and drops that before it reads the first byte; so the root part needs no list of mounts, and the front no way into the host's files.

use crate::powers::{NOBODY, drop_all, enter};
use anyhow::{Context, Result};
use constella_figures::{Look, Seen, View};
use std::{io, os::fd::AsFd, os::unix::net::UnixDatagram};

/// What a look tells, as it comes to know it.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) enum Report {
    View(View),
    Seen(Seen),
}

/// Tells the front what a helper found: one JSON document in a datagram. A helper's standard output is the way.
pub(crate) fn report(document: &impl serde::Serialize) -> Result<()> {
    let front = UnixDatagram::from(io::stdout().as_fd().try_clone_to_owned()?);
    Ok(front.send(&serde_json::to_vec(document)?).map(drop)?)
}

/// Without capabilities (`REBOOT_METHOD=signal`) nothing can be entered, and the look tells what that leaves.
pub(crate) fn run(host: &crate::Host) -> Result<()> {
    let entered = std::env::set_current_dir(host.pid1.join("root")).context("cannot open the host's files");
    let named = enter(host, &["uts"]);
    drop_all(host, NOBODY)?;
    let name = named.map(|()| rustix::system::uname().nodename().to_string_lossy().into_owned());
    let outside = entered.err().map(|error| format!("{error:#}"));
    let look = Look::begin(&host.pid1, outside, name.map_err(|error| format!("{error:#}")));
    // The demo's host has a boot id of its own, and no view.
    report(&Report::View(if host.powers { look.view() } else { View::default() }))?;
    report(&Report::Seen(look.seen()))
}
