//! What a node knows of the machine that it runs on.

use alloc::string::String;

use constella_shared::agent::Stats;
use constella_shared::wire::heartbeat::Glance;

use super::slept::Slept;

/// Told by the agent, and by the clocks.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// CPU and memory; None while the agent does not answer, or does not have one of them.
    pub(super) glance: Option<Glance>,
    /// What tells the present boot from others ([`Stats::boot`]); None until the agent's first word on it.
    pub(super) boot_id: Option<String>,
    /// When the machine stood still.
    pub(super) slept: Slept,
}

impl Host {
    /// Keeps what the figures say of the present boot. It lasts longer than this process, so figures that do not say it change nothing.
    pub(super) fn booted(&mut self, stats: &Stats) {
        self.boot_id = stats.boot().or_else(|| self.boot_id.take());
    }
}
