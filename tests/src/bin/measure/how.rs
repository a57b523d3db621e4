//! How a leader ends, and how that is mended.

use std::time::Duration;

use clap::ValueEnum;
use constella_tests::botapi::server::{Fault, Target};
use constella_tests::cluster::{Cut, Network};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use super::Failure;
use super::clock::{HOUR_S, WrongClock, last_but};

/// What happens to the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum How {
    /// kill -9, agent too: a power cut
    Kill,
    /// kill -9 of the controller alone, which is started again 0.5 s later: the time counts from the kill
    RestartInPlace,
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
    /// The leader's wall clock is set an hour ahead, for 30 s
    ClockAhead,
    /// The same, an hour behind
    ClockBehind,
    /// The wall clock of the node whose reboot is in the leader's hands is set an hour ahead, for 30 s
    OtherClockAhead,
    /// The same, an hour behind
    OtherClockBehind,
}

impl How {
    /// Whether the leader goes on, or comes back before another node would answer.
    pub(crate) fn leader_stays(self, nodes: usize) -> bool {
        match self {
            // Of two nodes the one with the only vote goes on.
            Self::Cut | Self::ClockAhead | Self::ClockBehind => nodes == 2,
            Self::RestartInPlace | Self::FreezeShort | Self::OtherClockAhead | Self::OtherClockBehind => true,
            Self::Kill | Self::Term | Self::Freeze | Self::ApiRefused | Self::ApiSilent | Self::Gone => false,
        }
    }

    /// Whether the network's clocks must be such that can be set.
    pub(crate) fn sets_clocks(self) -> bool {
        self.wrong_clock().is_some()
    }

    /// For the clocks' variants.
    fn wrong_clock(self) -> Option<WrongClock> {
        let (leaders, off_s) = match self {
            Self::ClockAhead => (true, HOUR_S),
            Self::ClockBehind => (true, -HOUR_S),
            Self::OtherClockAhead => (false, HOUR_S),
            Self::OtherClockBehind => (false, -HOUR_S),
            Self::Kill
            | Self::RestartInPlace
            | Self::Term
            | Self::FreezeShort
            | Self::Freeze
            | Self::Cut
            | Self::ApiRefused
            | Self::ApiSilent
            | Self::Gone => return None,
        };
        Some(WrongClock { leaders, off_s })
    }

    /// Begins it.
    pub(crate) fn strike(self, network: &Network, leader: &str) -> Result<(), Failure> {
        let node = network.node(leader)?;
        let target = Target::Prefix(leader.to_owned());
        match self {
            Self::Kill => node.kill()?,
            Self::RestartInPlace => node.signal(Signal::SIGKILL)?,
            Self::Term => node.signal(Signal::SIGTERM)?,
            Self::Freeze | Self::FreezeShort => node.signal(Signal::SIGSTOP)?,
            Self::Cut => network.wires().isolate(node.index(), network.nodes().len(), Cut::Silent),
            Self::ApiRefused => network.double().fault(target, Fault::Refuse),
            Self::ApiSilent => network.double().fault(target, Fault::Silent),
            Self::Gone => {
                let survivor = last_but(network, leader)?.name();
                for node in network.nodes().iter().filter(|node| node.name() != survivor) {
                    node.kill()?;
                }
            }
            Self::ClockAhead | Self::ClockBehind | Self::OtherClockAhead | Self::OtherClockBehind => {
                self.wrong_clock().map_or(Ok(()), |clock| clock.begin(network, leader))?;
            }
        }
        Ok(())
    }

    /// Ends it, where it has an end of its own not before that.
    pub(crate) async fn heal(self, network: &Network, leader: &str, struck: Instant) -> Result<(), Failure> {
        let node = network.node(leader)?;
        match self {
            Self::Kill => node.start()?,
            Self::RestartInPlace => {
                tokio::time::sleep_until(struck + RESTARTED).await;
                node.start_controller()?;
            }
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
            Self::ClockAhead | Self::ClockBehind | Self::OtherClockAhead | Self::OtherClockBehind => {
                if let Some(clock) = self.wrong_clock() {
                    clock.end(network, leader, struck).await?;
                }
            }
        }
        Ok(())
    }
}

/// A leader that is told to stop has long done so by then.
const STOPPING: Duration = Duration::from_secs(60);
/// An engine starts what died again after so long.
const RESTARTED: Duration = Duration::from_millis(500);
/// How long a frozen leader is frozen.
const FROZEN: Duration = Duration::from_secs(20);
/// The same, for less than its lease.
const FROZEN_SHORT: Duration = Duration::from_secs(2);
/// How long a cut lasts.
const CUT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
