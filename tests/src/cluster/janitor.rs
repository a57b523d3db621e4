//! Clears up after a network, whatever becomes of the program that started it.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::programs::Programs;

/// A process that removes the network's folder when this program is gone, however it went.
#[derive(Debug)]
pub(super) struct Janitor {
    pub(super) folder: PathBuf,
    process: Child,
}

impl Janitor {
    pub(super) fn start(programs: &Programs) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("constella-").tempdir()?.keep();
        let mut command = programs.janitor(&folder);
        let process = command.process_group(0).stdin(Stdio::piped()).spawn()?;
        Ok(Self { folder, process })
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself; at worst a folder is left under the temporary folder.
        let _ = self.process.wait();
    }
}
