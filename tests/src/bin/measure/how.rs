//! How a leader ends, and how that is mended.

use std::time::Duration;

use clap::ValueEnum;
use constella_tests::botapi::server::{Fault, Target};
use constella_tests::cluster::{Cut, Network};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use super::Failure;

/// What happens to the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum How {
    /// kill -9, agent too: a power cut
    Kill,
    /// SIGTERM to the controller
    Term,
    /// SIGSTOP for 2 s
    FreezeShort,
    /// SIGSTOP for 20 s
    Freeze,
    /// Cut off from all other nodes for 30 s, silently; all reach the Bot API
    Cut,
    /// The Bot API refuses it
    ApiRefused,
    /// Its packets to the Bot API vanish
    ApiSilent,
    /// kill -9 of all nodes but one that does not lead: 1 of 2, 2 of 3, 4 of 5
    Gone,
}

impl How {
    /// Begins it.
    pub(crate) fn strike(self, network: &Network, leader: &str) -> Result<(), Failure> {
        let node = network.node(leader)?;
        let target = Target::Prefix(leader.to_owned());
        match self {
            Self::Kill => node.kill()?,
            Self::Term => node.signal(Signal::SIGTERM)?,
            Self::Freeze | Self::FreezeShort => node.signal(Signal::SIGSTOP)?,
            Self::Cut => network.wires().isolate(node.index(), network.nodes().len(), Cut::Silent),
            Self::ApiRefused => network.double().fault(target, Fault::Refuse),
            Self::ApiSilent => network.double().fault(target, Fault::Silent),
            Self::Gone => {
                let survivor = network.nodes().iter().map(|node| node.name()).rfind(|name| *name != leader);
                for node in network.nodes().iter().filter(|node| Some(node.name()) != survivor) {
                    node.kill()?;
                }
            }
        }
        Ok(())
    }

    /// Ends it, where it has an end of its own not before that.
    pub(crate) async fn heal(self, network: &Network, leader: &str, struck: Instant) -> Result<(), Failure> {
        let node = network.node(leader)?;
        match self {
            Self::Kill => node.start()?,
            Self::Term => {
                let ended = async {
                    while node.is_running() {
                        sleep(LOOK).await;
                    }
                };
                tokio::time::timeout(STOPPING, ended).await.map_err(|_| "the leader does not stop")?;
                node.start()?;
            }
            Self::FreezeShort | Self::Freeze => {
                let frozen = if self == Self::Freeze { FROZEN } else { FROZEN_SHORT };
                tokio::time::sleep_until(struck + frozen).await;
                node.signal(Signal::SIGCONT)?;
            }
            Self::Cut => {
                tokio::time::sleep_until(struck + CUT).await;
                network.wires().heal();
            }
            Self::ApiRefused | Self::ApiSilent => network.double().heal_all(),
            Self::Gone => {
                for node in network.nodes() {
                    node.start()?;
                }
            }
        }
        Ok(())
    }
}

/// A leader that is told to stop has long done so by then.
const STOPPING: Duration = Duration::from_secs(60);
/// How long a frozen leader is frozen.
const FROZEN: Duration = Duration::from_secs(20);
/// The same, for less than its lease.
const FROZEN_SHORT: Duration = Duration::from_secs(2);
/// How long a cut lasts.
const CUT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
