//! What helpers tell the front: one JSON document a datagram, written by processes without power and believed only as far as figures go.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

use constella_shared::agent::{Disk, SpeedtestFigures, SpeedtestPhase};
use serde::{Deserialize, Serialize};

/// One report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Report {
    /// One file system of the host; [`Report::Looked`] ends the list.
    Disk(Disk),
    Looked {
        hostname: String,
    },
    Progress {
        phase: SpeedtestPhase,
        percent: u8,
        so_far: SpeedtestFigures,
    },
    Measured(SpeedtestFigures),
}

/// The helper's end of the way to the front: its standard output.
pub(crate) struct Reporter(UnixDatagram);

impl Reporter {
    pub(crate) fn stdout() -> io::Result<Self> {
        Ok(Self(io::stdout().as_fd().try_clone_to_owned()?.into()))
    }

    pub(crate) fn send(&self, report: &Report) -> io::Result<()> {
        self.0.send(&serde_json::to_vec(report)?).map(|_| ())
    }
}
