//! The newest speedtest: what is known of it, also after a restart.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use constella_shared::agent::{AgentError, AgentErrorCode, SpeedtestFigures, SpeedtestPhase, SpeedtestState};
use constella_shared::ids::CommandId;

use super::{Front, unix_ms};
use crate::root::frame::Verb;

/// A helper that says nothing for so long is gone; it speaks with every exchange.
const SILENCE: Duration = Duration::from_secs(15);

pub(super) struct Speedtest {
    file: PathBuf,
    state: SpeedtestState,
    heard: Instant,
    /// Figures of a finished test that the next sample takes along.
    pub(super) finished: Option<SpeedtestFigures>,
}

impl Speedtest {
    /// Reads what the agent's last run left. A test that was running then has ended with it.
    pub(super) fn load(file: PathBuf) -> Self {
        // No file, or one that a crash cut off, is no test.
        let state = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let mut it = Self { file, state: state.unwrap_or(SpeedtestState::Idle), heard: Instant::now(), finished: None };
        it.fail("the agent was restarted during the test");
        it
    }

    pub(super) fn state(&mut self) -> &SpeedtestState {
        if self.heard.elapsed() > SILENCE {
            self.fail("the test ended without a result");
        }
        &self.state
    }

    /// What the helper says counts only while its test is running.
    pub(super) fn hear(&mut self, state: SpeedtestState) {
        if self.running().is_some() && self.running() == state.command_id() {
            if let SpeedtestState::Done { figures, .. } = state {
                self.finished = Some(figures);
            }
            self.set(state);
        }
    }

    fn fail(&mut self, message: &str) {
        if let Some(command_id) = self.running() {
            let (at_unix_s, message) = (unix_ms() / 1000, message.to_owned());
            self.set(SpeedtestState::Failed { command_id, at_unix_s, message });
        }
    }

    fn running(&self) -> Option<CommandId> {
        if let SpeedtestState::Running { command_id, .. } = self.state { Some(command_id) } else { None }
    }

    fn set(&mut self, state: SpeedtestState) {
        let step = std::mem::discriminant(&self.state) != std::mem::discriminant(&state);
        (self.state, self.heard) = (state, Instant::now());
        if step {
            // What cannot be written is told until the next start, and is then forgotten.
            let _ = serde_json::to_vec(&self.state).map(|text| std::fs::write(&self.file, text));
        }
    }
}

/// Starts a test, or finds the one of this command.
pub(super) fn start(front: &Front, command_id: CommandId, uid: u32) -> Result<SpeedtestState, AgentError> {
    let mut known = front.known();
    let before = known.speedtest.state().clone();
    if before.command_id() == Some(command_id) {
        return Ok(before);
    }
    if known.speedtest.running().is_some() {
        return Err(AgentError::new(AgentErrorCode::Busy, "another speedtest is on its way"));
    }
    // Before the helper can say its first word.
    let (phase, so_far) = (SpeedtestPhase::Latency, SpeedtestFigures::default());
    let begun = SpeedtestState::Running { command_id, phase, percent: 0, so_far };
    known.speedtest.set(begun.clone());
    drop(known);
    if let Err(error) = front.ask(Verb::Speedtest, command_id, 0, uid) {
        front.known().speedtest.set(before);
        return Err(error);
    }
    Ok(begun)
}
