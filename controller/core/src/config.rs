//! What the shell has read from the environment and from disk before the core starts.

use alloc::string::String;

use constella_shared::ids::{NodeId, Pin};
use constella_shared::state::{CommandsState, InvitesState, NetworkState, VoteState};

/// Settings of this node (DESIGN 11), in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `HEARTBEAT_INTERVAL`: the probe period.
    pub heartbeat_ms: u64,
    /// `DOWN_AFTER_MISSES`: times the period is the suspicion time.
    pub down_after_misses: u32,
    /// `DOWN_AFTER`: a node that gave no answer for so long is down (N1).
    pub down_after_ms: u64,
    /// `HEARTBEAT_TIMEOUT`: after it a direct probe has failed.
    pub heartbeat_timeout_ms: u64,
    /// `RPC_TIMEOUT`.
    pub rpc_timeout_ms: u64,
    /// `CLOCK_SKEW`.
    pub clock_skew_ms: u64,
    /// `BOT_LEASE_TTL`.
    pub lease_ttl_ms: u64,
    /// `LANG_DEFAULT`: `ru` or `en`.
    pub language: String,
    /// Version of the controller, for records and screens.
    pub version: String,
    /// Whether this network shares the bot token by its roster.
    pub share_token: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat_ms: 2_000,
            down_after_misses: 3,
            down_after_ms: 30_000,
            heartbeat_timeout_ms: 1_000,
            rpc_timeout_ms: 3_000,
            clock_skew_ms: 30_000,
            lease_ttl_ms: 4_000,
            language: String::from("ru"),
            version: String::from("0.0.0"),
            share_token: true,
        }
    }
}

/// Everything that a node starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// This node.
    pub node: NodeId,
    /// SHA-256 of this node's certificate.
    pub pin: Pin,
    /// Where this node is reached, `host:port`.
    pub addr: String,
    /// Its settings.
    pub settings: Settings,
    /// `network_state.json`.
    pub network: NetworkState,
    /// `invites.json`.
    pub invites: InvitesState,
    /// `vote.json`, with the generation already raised and stored for this start.
    pub vote: VoteState,
    /// `commands.json`.
    pub commands: CommandsState,
    /// L1: the earlier process of this very folder is dead and nothing else can have run on it since: the shell holds the folder's lock, and
    /// the folder is where that process left it, on the same boot of the same kernel. False for a copy or a restored backup.
    pub in_place: bool,
    /// 32 bytes from the kernel: the only randomness that the core ever has.
    pub seed: [u8; 32],
}
