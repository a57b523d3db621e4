//! Every limit, with its reason. Sizes are bytes, counts are counts, times are milliseconds where the name ends in `_MS`.

/// Bytes of standard error that are kept of the host's reboot command: enough for a sentence of systemd, never a log.
pub const REBOOT_STDERR_BYTES: usize = 512;

/// Body of a request to the agent: its largest document is a reboot request of under 200 bytes.
pub const AGENT_BODY_BYTES: u64 = 4 * 1024;

/// Head of a request to the agent.
pub const AGENT_HEAD_BYTES: usize = 16 * 1024;

/// Time for one request to the agent, from its first byte to its answer.
pub const AGENT_REQUEST_MS: u64 = 5_000;

/// Connections to the agent at once: the controller keeps a few, the operator's curl is one more.
pub const AGENT_CONNECTIONS: usize = 16;

/// Points of a series in one answer: a phone's screen is not wider.
pub const SERIES_POINTS: usize = 600;
