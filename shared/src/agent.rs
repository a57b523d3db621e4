//! Documents of the agent's unix socket: five verbs, HTTP and JSON, paths under `/v1`.
//!
//! `GET /v1/health` answers [`Health`]; `GET /v1/stats` [`Stats`]; `GET /v1/series?kind=cpu&hours=6` [`Series`];
//! `POST /v1/speedtest` takes [`SpeedtestRequest`], answers [`SpeedtestState`]; `GET /v1/speedtest` the same;
//! `POST /v1/reboot` takes [`RebootRequest`], answers [`RebootAnswer`]. Every refusal is an [`AgentError`] with a fitting HTTP status.

mod series;
mod stats;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::CommandId;

pub use series::{MinAvgMax, Point, Series, SeriesKind, SeriesQuery};
pub use stats::{Disk, Missing, Net, Stats, Temperature, is_same_boot};

/// The agent's protocol, raised when a document changes its meaning. 2: an absent figure is left out ([`Stats`], [`Point`]), `nets` are the
/// interfaces whose sum is the host's traffic. A controller of protocol 1 reads what has no absence, and refuses the rest instead of showing zeros;
/// one of protocol 2 reads both.
pub const AGENT_PROTOCOL: u32 = 2;

/// `GET /v1/health`: alive, and what the host's operator allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Always true: an agent that is not well does not answer.
    pub ok: bool,
    /// The agent's own version, e.g. `0.1.0`.
    pub version: String,
    /// [`AGENT_PROTOCOL`] of the answering agent.
    pub protocol: u32,
    /// `ALLOW_REBOOT` of the host's operator.
    pub reboot_allowed: bool,
    /// `ALLOW_SPEEDTEST` of the host's operator.
    pub speedtest_allowed: bool,
    /// The newest reboot command that this agent took, also before its last start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reboot: Option<RebootAnswer>,
    /// Figures that the newest [`Stats`] does not have, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

/// `POST /v1/speedtest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedtestRequest {
    /// The command; a repeated id answers the state of the same test and starts none.
    pub command_id: CommandId,
}

/// `GET /v1/speedtest`: what the newest test is doing or found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum SpeedtestState {
    /// No test was run since the agent's state is there.
    Idle,
    /// A test is on its way.
    Running {
        /// Which command.
        command_id: CommandId,
        /// What it measures now.
        phase: SpeedtestPhase,
        /// 0 to 100 over the whole test.
        percent: u8,
        /// What is known so far; absent figures are not measured yet.
        so_far: SpeedtestFigures,
    },
    /// A test ended well.
    Done {
        /// Which command.
        command_id: CommandId,
        /// Unix time of its end, seconds.
        at_unix_s: u64,
        /// What it found.
        figures: SpeedtestFigures,
    },
    /// A test ended with an error.
    Failed {
        /// Which command.
        command_id: CommandId,
        /// Unix time of its end, seconds.
        at_unix_s: u64,
        /// One sentence for the owner.
        message: String,
    },
}

impl SpeedtestState {
    /// Which command the test is of; none where there was no test.
    #[must_use]
    pub const fn command_id(&self) -> Option<CommandId> {
        match self {
            Self::Idle => None,
            Self::Running { command_id, .. } | Self::Done { command_id, .. } | Self::Failed { command_id, .. } => {
                Some(*command_id)
            }
        }
    }
}

/// What a speedtest measures at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpeedtestPhase {
    /// Round trips.
    Latency,
    /// Downloading.
    Download,
    /// Uploading.
    Upload,
}

/// Figures of a speedtest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SpeedtestFigures {
    /// Median round trip, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f32>,
    /// Mean difference between neighbouring round trips, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<f32>,
    /// Download, bits a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_bps: Option<u64>,
    /// Upload, bits a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_bps: Option<u64>,
}

/// `POST /v1/reboot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RebootRequest {
    /// The command; an id that was taken once is answered, never performed again, also after a restart of the agent.
    pub command_id: CommandId,
    /// Milliseconds on CLOCK_BOOTTIME (one clock for agent and controller of a host) after which the reboot is refused.
    pub not_after_boottime_ms: u64,
}

/// Answer to `POST /v1/reboot`, and [`Health::last_reboot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebootAnswer {
    /// Which command.
    pub command_id: CommandId,
    /// How far it came.
    pub outcome: RebootOutcome,
}

/// How far a reboot came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RebootOutcome {
    /// The id is on disk and the host's command was started; it has not returned (most often the host is going down).
    Started,
    /// The host's command returned 0: the host is going down.
    Accepted,
    /// The host's command failed; the host stays up.
    Failed {
        /// Its exit status; absent when a signal ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<i32>,
        /// The end of its standard error, at most [`crate::limits::REBOOT_STDERR_BYTES`] bytes.
        stderr: String,
    },
}

/// Every refusal of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentError {
    /// What kind of refusal.
    pub code: AgentErrorCode,
    /// One sentence for a person.
    pub message: String,
}

impl AgentError {
    /// A refusal in a sentence.
    pub fn new(code: AgentErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A request for what there is not.
    #[must_use]
    pub fn unknown_path() -> Self {
        let paths = "there are GET /v1/health, /v1/stats, /v1/series, /v1/speedtest, POST /v1/speedtest, /v1/reboot";
        Self::new(AgentErrorCode::UnknownPath, paths)
    }

    /// A request over [`crate::limits::AGENT_REQUEST_BYTES`].
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(AgentErrorCode::TooLarge, "the request is too large")
    }

    /// A request that cannot be read, in the reader's words.
    pub fn bad_request(why: impl fmt::Display) -> Self {
        Self::new(AgentErrorCode::BadRequest, alloc::format!("{why}"))
    }

    /// A request that could not be carried out.
    pub fn failed(why: impl fmt::Display) -> Self {
        Self::new(AgentErrorCode::Failed, alloc::format!("{why}"))
    }
}

/// Kinds of refusal of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentErrorCode {
    /// The host's operator switched the verb off. HTTP 403.
    Disabled,
    /// The document or query cannot be read. HTTP 400.
    BadRequest,
    /// No such path. HTTP 404.
    UnknownPath,
    /// The request is over its limit. HTTP 413.
    TooLarge,
    /// Another command of this kind is on its way. HTTP 409.
    Busy,
    /// The reboot's deadline is past. HTTP 410.
    TooLate,
    /// The last reboot is less than the operator's minimum interval ago. HTTP 429.
    TooSoon,
    /// The agent could not do it; the audit file has more. HTTP 500.
    Failed,
}

impl AgentErrorCode {
    /// The HTTP status that each kind is answered with.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Disabled => 403,
            Self::BadRequest => 400,
            Self::UnknownPath => 404,
            Self::TooLarge => 413,
            Self::Busy => 409,
            Self::TooLate => 410,
            Self::TooSoon => 429,
            Self::Failed => 500,
        }
    }
}
