//! Wall clocks that are wrong: each node's can be set by itself, while it runs, and no other clock with it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use constella_shared::state::NetworkState;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};

use super::error::ClusterError;
use super::network::Network;
use super::node::Node;

/// A library that is laid between the C library and a node's programs.
#[derive(Clone, Debug)]
pub(super) struct Clocks(PathBuf);

/// The wall clock of one node.
#[derive(Clone, Debug)]
pub(super) struct WallClock {
    library: PathBuf,
    file: PathBuf,
}

/// Whether this machine has a C compiler, without which clocks cannot be set.
#[must_use]
pub fn clocks_can_be_set() -> bool {
    let asked = Command::new("cc").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

impl Clocks {
    /// Compiles the library into the folder.
    pub(super) fn build(folder: &Path) -> io::Result<Self> {
        let library = folder.join("wall.so");
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O2", "-x", "c", "-", "-o"]).arg(&library).stdin(Stdio::piped());
        let mut compiler = command.spawn()?;
        // Its end of the text is the end of this statement.
        compiler.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?.write_all(SOURCE.as_bytes())?;
        if compiler.wait()?.success() { Ok(Self(library)) } else { Err(io::Error::other("cc failed")) }
    }

    /// A clock that is right so far.
    pub(super) fn clock(&self, folder: &Path) -> io::Result<WallClock> {
        let clock = WallClock { library: self.0.clone(), file: folder.join("wall_clock") };
        std::fs::create_dir_all(folder)?;
        std::fs::write(&clock.file, 0_i64.to_ne_bytes())?;
        Ok(clock)
    }
}

impl WallClock {
    /// For the environment of a program.
    pub(super) fn variables(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("WALL_CLOCK", &self.file)]
    }

    /// In place: the programs have the file in their memory.
    pub(super) fn set(&self, off_s: i64) -> io::Result<()> {
        OpenOptions::new().write(true).open(&self.file)?.write_all_at(&off_s.to_ne_bytes(), 0)
    }
}

impl Node {
    /// Its records, as it stored them last.
    ///
    /// # Errors
    /// The file is being replaced, or not there yet.
    pub fn stored_records(&self) -> io::Result<NetworkState> {
        let plain = std::fs::read(self.state_folder().join("network_state.json"))?;
        // S7: what protocol 1 cannot read stands in the whole document beside it, as long as that belongs to the file.
        let whole = std::fs::read(self.state_folder().join("network_state.json.whole"));
        let whole = whole.ok().and_then(|text| serde_json::from_slice::<Whole>(&text).ok());
        match whole.filter(|whole| whole.of == hex::encode(Sha256::digest(&plain))) {
            Some(whole) => Ok(whole.state),
            None => Ok(serde_json::from_slice(&plain)?),
        }
    }
}

impl Network {
    /// Waits until all running nodes have stored the same records, none of them stamped further ahead than clocks may be apart (R1).
    ///
    /// # Errors
    /// [`ClusterError::Late`].
    pub async fn same_records(&self, within: Duration) -> Result<(), ClusterError> {
        let by = Instant::now() + within;
        loop {
            let running = self.nodes().iter().filter(|node| node.is_running());
            let stored: Result<Vec<_>, _> = running.map(|node| node.stored_records()).collect();
            let seen = match stored {
                // Replaced at this moment, or not there yet.
                Err(error) => error.to_string(),
                Ok(stored) if !stored.windows(2).all(are_the_same) => "they differ".to_owned(),
                Ok(stored) => match stored.iter().map(newest_ms).max().map(|newest| newest.saturating_sub(now_ms())) {
                    None | Some(..=SKEW_MS) => return Ok(()),
                    Some(ahead) => format!("a stamp is {ahead} ms ahead"),
                },
            };
            if Instant::now() >= by {
                return Err(ClusterError::Late {
                    what: "the same records everywhere".to_owned(),
                    waited: within,
                    seen,
                });
            }
            sleep(LOOK).await;
        }
    }
}

/// `network_state.json.whole`.
#[derive(Deserialize)]
struct Whole {
    /// Hex of the SHA-256 of the file that it belongs to.
    of: String,
    state: NetworkState,
}

/// The rest of the file is each node's own.
fn are_the_same(pair: &[NetworkState]) -> bool {
    let [one, other] = pair else { return false };
    (&one.peers, &one.records, &one.voters) == (&other.peers, &other.records, &other.voters)
}

fn newest_ms(state: &NetworkState) -> u64 {
    let owners = state.peers.iter().map(|peer| peer.owner.stamp.unix_ms);
    let selfs = state.peers.iter().filter_map(|peer| {
        let record: serde_json::Value = serde_json::from_str(&peer.own.as_ref()?.body).ok()?;
        record.get("stamp")?.get("unix_ms")?.as_u64()
    });
    owners.chain(selfs).chain(state.records.iter().map(|record| record.stamp.unix_ms)).max().unwrap_or_default()
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

const SOURCE: &str = include_str!("wall.c");
/// `CLOCK_SKEW`, the default.
const SKEW_MS: u64 = 30_000;
/// Between two looks at the nodes' files.
const LOOK: Duration = Duration::from_millis(200);
