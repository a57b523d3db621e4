//! One request, one answer: the five verbs, and the newest speedtest. Every document is in `shared/src/agent.rs`.

use super::{Front, unix_ms};
use crate::root::frame::{Record, State, Verb};
use constella_shared::agent::{AGENT_PROTOCOL, AgentError, Health, RebootAnswer, RebootOutcome, RebootRequest};
use constella_shared::agent::{SeriesQuery, SpeedtestFigures, SpeedtestPhase, SpeedtestRequest, SpeedtestState, Stats};
use constella_shared::{ids::CommandId, limits::SPEEDTEST_SILENCE};

pub(super) fn answer(front: &Front, uid: u32, line: &str, body: &[u8]) -> Result<Vec<u8>, AgentError> {
    let (verb, query) = line.split_once('?').unwrap_or((line, ""));
    match verb {
        "GET /v1/health" => {
            let last = front.ask(Verb::LastReboot, CommandId([0; 32]), 0, 0)?;
            json(&Health {
                ok: true,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                protocol: AGENT_PROTOCOL,
                reboot_allowed: front.config.allow_reboot,
                speedtest_allowed: front.config.allow_speedtest,
                last_reboot: (last.state != State::NoneYet).then(|| outcome(&last)),
                missing: front.known().stats.missing.clone(),
            })
        }
        "GET /v1/stats" => {
            let known = front.known();
            let age = known.sampled.elapsed();
            let age_s = (age > front.config.sample_every * 2).then_some(age.as_secs());
            json(&Stats { age_s, ..known.stats.clone() })
        }
        "GET /v1/series" => json(&front.known().series.read(SeriesQuery::parse(query)?, unix_ms())),
        "GET /v1/speedtest" => json(front.known().speedtest.state()),
        "POST /v1/speedtest" => json(&speedtest(front, document::<SpeedtestRequest>(body)?.command_id, uid)?),
        "POST /v1/reboot" => {
            let RebootRequest { command_id, not_after_boottime_ms } = document(body)?;
            json(&outcome(&front.ask(Verb::Reboot, command_id, not_after_boottime_ms, uid)?))
        }
        _ => Err(AgentError::unknown_path()),
    }
}

fn outcome(record: &Record) -> RebootAnswer {
    let stderr = String::from_utf8_lossy(&record.stderr).trim_matches(['\0', '\n']).to_owned();
    let outcome = match record.state {
        State::Started => RebootOutcome::Started,
        State::Accepted => RebootOutcome::Accepted,
        // A deadline that passed before the act has neither.
        _ => RebootOutcome::Failed { status: i32::try_from(record.status).ok().filter(|status| *status >= 0), stderr },
    };
    RebootAnswer { command_id: CommandId(record.ask.id), outcome }
}

fn document<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, AgentError> {
    serde_json::from_slice(body).map_err(AgentError::bad_request)
}

fn json(document: &impl serde::Serialize) -> Result<Vec<u8>, AgentError> {
    serde_json::to_vec(document).map_err(AgentError::failed)
}

pub(super) struct Speedtest {
    file: std::path::PathBuf,
    state: SpeedtestState,
    heard: std::time::Instant,
    /// Figures of a finished test that the next sample takes along.
    pub(super) finished: Option<SpeedtestFigures>,
}

impl Speedtest {
    /// Reads the newest test that ended. No file, or one that a crash cut off, is no test.
    pub(super) fn load(file: std::path::PathBuf) -> Self {
        let state = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { file, state: state.unwrap_or(SpeedtestState::Idle), heard: std::time::Instant::now(), finished: None }
    }

    pub(super) fn state(&mut self) -> &SpeedtestState {
        if let SpeedtestState::Running { command_id, .. } = self.state
            && self.heard.elapsed() > SPEEDTEST_SILENCE
        {
            let (at_unix_s, message) = (unix_ms() / 1000, "the test was ended before it had a result".to_owned());
            self.hear(SpeedtestState::Failed { command_id, at_unix_s, message });
        }
        &self.state
    }

    /// What the helper says counts only while its test is running.
    pub(super) fn hear(&mut self, state: SpeedtestState) {
        if !matches!(self.state, SpeedtestState::Running { .. }) || self.state.command_id() != state.command_id() {
            return;
        }
        (self.state, self.heard) = (state, std::time::Instant::now());
        if let SpeedtestState::Done { figures, .. } = self.state {
            self.finished = Some(figures);
        }
        if !matches!(self.state, SpeedtestState::Running { .. }) {
            // What cannot be written is told until the next start, and is then forgotten.
            let _ = serde_json::to_vec(&self.state).map(|text| std::fs::write(&self.file, text));
        }
    }
}

/// Starts a test, or finds the one of this command.
pub(super) fn speedtest(front: &Front, command_id: CommandId, uid: u32) -> Result<SpeedtestState, AgentError> {
    let mut known = front.known();
    if known.speedtest.state().command_id() != Some(command_id) {
        // What is known is held meanwhile: the helper's first word comes after what is set here.
        front.ask(Verb::Speedtest, command_id, 0, uid)?;
        let (phase, so_far) = (SpeedtestPhase::Latency, SpeedtestFigures::default());
        known.speedtest.state = SpeedtestState::Running { command_id, phase, percent: 0, so_far };
        known.speedtest.heard = std::time::Instant::now();
    }
    Ok(known.speedtest.state.clone())
}
