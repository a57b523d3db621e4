//! What a node knows of the machine that it runs on.

use alloc::string::String;

use constella_shared::wire::heartbeat::Glance;

use super::slept::Slept;

/// Told by the agent, and by the clocks.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// CPU and memory; None while the agent does not answer.
    pub(super) glance: Option<Glance>,
    /// The agent's word on the present boot; None until its first.
    pub(super) boot_id: Option<String>,
    /// When the machine stood still.
    pub(super) slept: Slept,
}
