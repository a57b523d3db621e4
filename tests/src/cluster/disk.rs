//! A node whose state is on a small file system of its own.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::ClusterError;
use super::node::Node;

impl Node {
    pub(super) async fn mount_a_small_disk(&self, kilobytes: u32) -> Result<(), ClusterError> {
        let mount =
            format!("mkdir -m 700 state && mount -t tmpfs -o mode=700,size={kilobytes}k,nr_inodes=64 tmpfs state");
        self.shell(&mount).await.map(drop)
    }

    /// Fills its state's file system to the last byte.
    ///
    /// # Errors
    /// It is not full afterwards.
    pub async fn fill_the_disk(&self) -> Result<(), ClusterError> {
        let fill = "dd if=/dev/zero of=state/filler bs=4k; dd if=/dev/zero of=state/filler2 bs=1; test $(df --output=avail state | tail -1) = 0";
        self.shell(fill).await.map(drop)
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// The filler cannot be removed.
    pub async fn empty_the_disk(&self) -> Result<(), ClusterError> {
        self.shell("rm state/filler state/filler2").await.map(drop)
    }

    /// Runs a text of the shell in the node's folder, where its file systems are seen; its standard output.
    ///
    /// # Errors
    /// It failed; its standard error is in the error.
    pub async fn shell(&self, script: &str) -> Result<String, ClusterError> {
        let failed = || ClusterError::system(format!("running `{script}` on {}", self.name()));
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).current_dir(self.folder());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = self.nursery().spawn(command).map_err(failed())?;
        let output = process.output_within(SHELL).await.map_err(failed())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ClusterError::Cli { node: self.name().to_owned(), verb: script.to_owned(), stderr })
    }
}

const SHELL: Duration = Duration::from_secs(20);
