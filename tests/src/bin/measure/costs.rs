//! What a fault costs: conflicts, and what became of the owner's commands.

use std::time::Duration;

use constella_tests::cluster::{ClusterError, Network, denies};

/// What the runs together cost.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    pub(crate) conflicts: usize,
    pub(crate) commands: usize,
    pub(crate) destroyed: usize,
    pub(crate) unanswered: usize,
    pub(crate) reboots: usize,
    pub(crate) recorded: usize,
    pub(crate) told: usize,
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    /// Recorded, although the owner had read that nothing was done.
    pub(crate) denied: usize,
    /// By how much the measuring process, which carries all wires and the Bot API, was late itself at worst.
    pub(crate) late: Duration,
}

impl Costs {
    /// What the Bot API counted in the life of the network.
    pub(crate) fn count(&mut self, network: &Network) {
        let stats = network.double().stats();
        self.conflicts = stats.conflicts_heard();
        self.commands = stats.ledger.updates.len();
        self.destroyed = stats.destroyed;
    }

    /// How a confirmed reboot ended: how often the host recorded it, what the owner could read of it, and what was waited for in vain.
    pub(crate) fn end(&mut self, recorded: usize, read: &[String], missing: Option<ClusterError>) {
        self.reboots += 1;
        self.recorded += usize::from(recorded > 0);
        self.twice += recorded.saturating_sub(1);
        self.told += usize::from(recorded == 0 && !read.is_empty());
        self.lost += usize::from(recorded == 0 && read.is_empty());
        let denied = recorded > 0 && read.iter().any(|text| denies(text));
        self.denied += usize::from(denied);
        if let Some(missing) = missing {
            eprintln!("{missing}");
        }
        if recorded == 0 || denied {
            eprintln!("recorded {recorded}, and the owner read: {read:?}");
        }
    }

    /// For a person.
    pub(crate) fn sentence(&self) -> String {
        format!(
            "409s {}; updates {}, destroyed {}, never confirmed {}; reboots confirmed {}, recorded {}, told not done or unknown {}, lost {}, twice {}, denied {}; itself late by at most {:.2} s",
            self.conflicts,
            self.commands,
            self.destroyed,
            self.unanswered,
            self.reboots,
            self.recorded,
            self.told,
            self.lost,
            self.twice,
            self.denied,
            self.late.as_secs_f64()
        )
    }
}
