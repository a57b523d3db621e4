//! The newest speedtest: what is known of it, also after a restart.

use std::path::PathBuf;

use constella_shared::agent::{AgentError, SpeedtestFigures, SpeedtestPhase, SpeedtestState};
use constella_shared::ids::CommandId;

use super::{Front, unix_ms};
use crate::log::{Level, say};
use crate::root::frame::{Ask, Record, State, Verb};

pub(super) struct Speedtest {
    file: PathBuf,
    pub(super) state: SpeedtestState,
    /// Figures of a finished test that the next sample takes along.
    pub(super) finished: Option<SpeedtestFigures>,
}

impl Speedtest {
    /// Reads what the last run of the agent left. A test that was running then has ended with it.
    pub(super) fn load(file: PathBuf) -> Self {
        // No file, or one that a crash cut off, is no test.
        let state = std::fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or(SpeedtestState::Idle);
        let mut speedtest = Self { file, state, finished: None };
        speedtest.fail("the agent was restarted during the test");
        speedtest
    }

    pub(super) fn id(&self) -> Option<CommandId> {
        match self.state {
            SpeedtestState::Idle => None,
            SpeedtestState::Running { command_id, .. }
            | SpeedtestState::Done { command_id, .. }
            | SpeedtestState::Failed { command_id, .. } => Some(command_id),
        }
    }

    pub(super) fn progress(&mut self, now: SpeedtestPhase, done: u8, figures: SpeedtestFigures) {
        if let SpeedtestState::Running { phase, percent, so_far, .. } = &mut self.state {
            (*phase, *percent, *so_far) = (now, done.min(100), figures);
        }
    }

    pub(super) fn measured(&mut self, figures: SpeedtestFigures) {
        if let SpeedtestState::Running { command_id, .. } = self.state {
            self.finished = Some(figures);
            self.set(SpeedtestState::Done { command_id, at_unix_s: unix_ms() / 1000, figures });
        }
    }

    /// The root part's word on a test: begun, or ended, well or not.
    pub(super) fn record(&mut self, record: &Record) {
        let command_id = CommandId(record.id);
        match record.state {
            State::Started if self.id() != Some(command_id) => {
                let (phase, so_far) = (SpeedtestPhase::Latency, SpeedtestFigures::default());
                self.set(SpeedtestState::Running { command_id, phase, percent: 0, so_far });
            }
            State::Accepted | State::Failed if self.id() == Some(command_id) => self.fail(&record.message()),
            _ => {}
        }
    }

    /// Ends a running test with an error; one that ended already is left as it is.
    fn fail(&mut self, message: &str) {
        if let SpeedtestState::Running { command_id, .. } = self.state {
            self.set(SpeedtestState::Failed { command_id, at_unix_s: unix_ms() / 1000, message: message.to_owned() });
        }
    }

    fn set(&mut self, state: SpeedtestState) {
        self.state = state;
        let new = self.file.with_extension("new");
        let written = serde_json::to_vec(&self.state).map_err(Into::into).and_then(|text| std::fs::write(&new, text));
        if let Err(error) = written.and_then(|()| std::fs::rename(&new, &self.file)) {
            say(Level::Warn, "the speedtest is not kept over a restart", error);
        }
    }
}

/// Starts a test, or finds the one of this command.
pub(super) async fn start(front: &Front, id: CommandId, uid: u64) -> Result<SpeedtestState, AgentError> {
    if front.speedtest.borrow().id() != Some(id) {
        let ask = Ask { verb: Verb::Speedtest, id: id.0, not_after_ms: 0, uid };
        let record = front.channel.command(&ask, false).await?;
        super::answer::refused(&record, Verb::Speedtest)?;
        if front.speedtest.borrow().id() != Some(id) {
            let message = "this test is over, and a newer one has taken its place".to_owned();
            return Ok(SpeedtestState::Failed { command_id: id, at_unix_s: unix_ms() / 1000, message });
        }
    }
    Ok(front.speedtest.borrow().state.clone())
}
