//! The newest speedtest: what is known of it, also after a restart.

use std::time::{Duration, Instant};
use std::{path::PathBuf, rc::Rc};

use constella_shared::agent::{AgentError, AgentErrorCode, SpeedtestFigures, SpeedtestPhase, SpeedtestState};
use constella_shared::ids::CommandId;

use super::{Front, answer, unix_ms};
use crate::{look::Progress, root::frame::Verb};

/// A helper that says nothing for so long is gone; it speaks twice a second.
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
        it.hear(Progress::Failed("the agent was restarted during the test".to_owned()));
        it
    }

    pub(super) fn state(&mut self) -> SpeedtestState {
        if self.heard.elapsed() > SILENCE {
            self.hear(Progress::Failed("the test ended without a result".to_owned()));
        }
        self.state.clone()
    }

    /// What the helper says counts only while a test is running.
    pub(super) fn hear(&mut self, progress: Progress) {
        let SpeedtestState::Running { command_id, .. } = self.state else { return };
        let at_unix_s = unix_ms() / 1000;
        let state = match progress {
            Progress::Now { phase, percent, so_far } => SpeedtestState::Running { command_id, phase, percent, so_far },
            Progress::Failed(message) => SpeedtestState::Failed { command_id, at_unix_s, message },
            Progress::Measured(figures) => {
                self.finished = Some(figures);
                SpeedtestState::Done { command_id, at_unix_s, figures }
            }
        };
        self.set(state);
    }

    fn set(&mut self, state: SpeedtestState) {
        let step = std::mem::discriminant(&self.state) != std::mem::discriminant(&state);
        (self.state, self.heard) = (state, Instant::now());
        if step {
            // What cannot be written is told until the next start, and is then forgotten.
            let _ = serde_json::to_vec(&self.state).map(|text| std::fs::write(&self.file, text));
        }
    }

    fn id(&self) -> Option<CommandId> {
        match self.state {
            SpeedtestState::Idle => None,
            SpeedtestState::Running { command_id, .. }
            | SpeedtestState::Done { command_id, .. }
            | SpeedtestState::Failed { command_id, .. } => Some(command_id),
        }
    }
}

/// Starts a test, or finds the one of this command.
pub(super) async fn start(front: &Front, command_id: CommandId, uid: u32) -> Result<SpeedtestState, AgentError> {
    let before = front.speedtest.borrow_mut().state();
    if front.speedtest.borrow().id() == Some(command_id) {
        return Ok(before);
    }
    if let SpeedtestState::Running { .. } = before {
        return Err(answer::refusal(AgentErrorCode::Busy, "another speedtest is on its way"));
    }
    // Before the helper can say its first word.
    let (phase, so_far) = (SpeedtestPhase::Latency, SpeedtestFigures::default());
    front.speedtest.borrow_mut().set(SpeedtestState::Running { command_id, phase, percent: 0, so_far });
    if let Err(error) = answer::accepted(front.ask(Verb::Speedtest, command_id.0, 0, uid).await) {
        front.speedtest.borrow_mut().set(before);
        return Err(error);
    }
    Ok(front.speedtest.borrow_mut().state())
}

/// The operator's wish for a test now and then (`SPEEDTEST_EVERY_HOURS`).
pub(super) async fn run_every(front: Rc<Front>) {
    while !front.config.speedtest_every.is_zero() {
        tokio::time::sleep(front.config.speedtest_every).await;
        let id = CommandId::over(&[b"scheduled", &unix_ms().to_le_bytes()]);
        if let Err(error) = start(&front, id, crate::powers::FRONT.0).await {
            front.warn("no scheduled speedtest", error.message);
        }
    }
}
