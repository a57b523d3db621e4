//! `POST /rekey`: a member that slept through a rotation asks for today's secret (S2). No body; the pinned certificate is the proof.

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RekeyAnswer {
    /// Hex of 32 bytes.
    pub network_secret: Secret,
    /// Its generation.
    pub secret_generation: u32,
}
