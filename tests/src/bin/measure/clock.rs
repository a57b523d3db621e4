//! A wall clock that is an hour off: an alert and not a death while it lasts (S1), and no trace in the records afterwards (R1).

use std::sync::Arc;
use std::time::Duration;

use constella_shared::wire::rpc::Status;
use constella_tests::cluster::{Network, Node};
use tokio::time::{Instant, sleep};

use super::Failure;

/// Whose clock is wrong, and by how much.
#[derive(Clone, Copy)]
pub(crate) struct WrongClock {
    /// The leader's; else that of the last node that does not lead.
    pub(crate) leaders: bool,
    /// Seconds ahead.
    pub(crate) off_s: i64,
}

impl WrongClock {
    /// Sets it, while the node runs.
    pub(crate) fn begin(self, network: &Network, leader: &str) -> Result<(), Failure> {
        Ok(self.node(network, leader)?.set_wall_clock(self.off_s)?)
    }

    /// Looks on for as long as it lasts, and then whether everybody was told; sets it right.
    pub(crate) async fn end(self, network: &Network, leader: &str, begun: Instant) -> Result<(), Failure> {
        let wrong = self.node(network, leader)?;
        while Instant::now() < begun + LASTS {
            for node in network.nodes() {
                let peers = node.peers().await?;
                if let Some(dead) = peers.iter().find(|row| matches!(row.status, Status::Down | Status::Left)) {
                    return Err(format!("{} takes {} for {:?}", node.name(), dead.name, dead.status).into());
                }
            }
            sleep(LOOK).await;
        }
        self.is_told(network, wrong).await?;
        wrong.set_wall_clock(0)?;
        Ok(network.same_records(AGREEING).await?)
    }

    /// Each node shows how far off the other clocks are; the wrong one is told by `doctor` to set its own, and by whom it was refused.
    async fn is_told(self, network: &Network, wrong: &Node) -> Result<(), Failure> {
        for node in network.nodes() {
            for row in node.peers().await?.iter().filter(|row| row.name != node.name()) {
                let off_s = if row.name == wrong.name() {
                    self.off_s
                } else if node.name() == wrong.name() {
                    -self.off_s
                } else {
                    0
                };
                let told_s = row.skew_ms.map(|ms| ms / 1_000);
                if told_s.is_none_or(|told_s| told_s.abs_diff(off_s) > BLURRED_S) {
                    let text = format!("{} says that {}'s clock is {told_s:?} s ahead", node.name(), row.name);
                    return Err(text.into());
                }
            }
        }
        let output = wrong.cli_output(&["doctor"], None).await?;
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let missing = TOLD.iter().find(|words| !found.contains(**words));
        missing.map_or(Ok(()), |words| Err(format!("`doctor` does not say: {words}\n{found}").into()))
    }

    fn node<'a>(self, network: &'a Network, leader: &str) -> Result<&'a Arc<Node>, Failure> {
        Ok(if self.leaders { network.node(leader)? } else { last_but(network, leader)? })
    }
}

/// The last node that does not lead.
pub(crate) fn last_but<'a>(network: &'a Network, leader: &str) -> Result<&'a Arc<Node>, Failure> {
    Ok(network.nodes().iter().rfind(|node| node.name() != leader).ok_or("there is no follower")?)
}

/// An hour.
pub(crate) const HOUR_S: i64 = 3_600;
/// Long enough for the voters' leases, a takeover, and a reboot's 60 s to be hit in the middle.
const LASTS: Duration = Duration::from_secs(30);
/// The way there counts into a told clock.
const BLURRED_S: u64 = 5;
/// What `doctor` says on a node whose clock is wrong: what to do, and that its requests are refused for it.
const TOLD: [&str; 2] = ["FAIL  clock: most members' clocks differ from this one", "are allowed; set the clocks (NTP)"];
/// For the records to be exchanged, and what was stamped ahead to be written anew.
const AGREEING: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
