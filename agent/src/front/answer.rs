//! One request, one answer: the five verbs. Every document is in `shared/src/agent.rs`.

use constella_shared::agent::{
    AGENT_PROTOCOL, AgentError, AgentErrorCode as Code, Health, RebootAnswer, RebootOutcome, RebootRequest, SeriesKind,
    SpeedtestRequest,
};
use constella_shared::ids::CommandId;
use serde::{Serialize, de::DeserializeOwned};

use super::{Front, server::Request, speedtest, unix_ms};
use crate::root::frame::{Record, State, Verb};

const PATHS: &str =
    "the agent has GET /v1/health, /v1/stats, /v1/series, /v1/speedtest and POST /v1/speedtest, /v1/reboot";
const QUERY: &str = "the query is kind=cpu, net, mem, disk, load, temp or speedtest, and hours=1 to 2160";

/// The document that answers, or the refusal.
pub(super) fn answer(front: &Front, uid: u32, request: &Request) -> Result<Vec<u8>, AgentError> {
    let (path, text) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match (request.method.as_str(), path) {
        ("GET", "/v1/health") => json(&health(front)?),
        ("GET", "/v1/stats") => json(&front.known().stats),
        ("GET", "/v1/series") => {
            let (kind, hours) = query(text).ok_or_else(|| AgentError::new(Code::BadRequest, QUERY))?;
            let series = front.known().series.read(kind, hours, unix_ms());
            json(&series)
        }
        ("GET", "/v1/speedtest") => json(front.known().speedtest.state()),
        ("POST", "/v1/speedtest") => {
            let SpeedtestRequest { command_id } = document(&request.body)?;
            json(&speedtest::start(front, command_id, uid)?)
        }
        ("POST", "/v1/reboot") => {
            let RebootRequest { command_id, not_after_boottime_ms } = document(&request.body)?;
            json(&outcome(&front.ask(Verb::Reboot, command_id, not_after_boottime_ms, uid)?))
        }
        _ => Err(AgentError::new(Code::UnknownPath, PATHS)),
    }
}

fn health(front: &Front) -> Result<Health, AgentError> {
    let last = front.ask(Verb::LastReboot, CommandId([0; 32]), 0, 0)?;
    Ok(Health {
        ok: true,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: AGENT_PROTOCOL,
        reboot_allowed: front.config.allow_reboot,
        speedtest_allowed: front.config.allow_speedtest,
        last_reboot: Some(last).filter(|record| record.state != State::NoneYet).as_ref().map(outcome),
    })
}

/// `kind=cpu&hours=6`, in any order.
fn query(text: &str) -> Option<(SeriesKind, u32)> {
    let value = |name| text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let kind = serde_json::from_value(value("kind")?.into()).ok()?;
    Some((kind, value("hours")?.parse().ok().filter(|hours| (1..=crate::series::HOURS).contains(hours))?))
}

fn outcome(record: &Record) -> RebootAnswer {
    let stderr = String::from_utf8_lossy(&record.stderr).trim_matches(['\0', '\n']).to_owned();
    let outcome = match record.state {
        State::Started => RebootOutcome::Started,
        State::Accepted => RebootOutcome::Accepted,
        // A deadline that passed before the act has neither.
        _ => RebootOutcome::Failed { status: Some(record.status).filter(|status| *status >= 0), stderr },
    };
    RebootAnswer { command_id: CommandId(record.ask.id), outcome }
}

fn document<T: DeserializeOwned>(body: &[u8]) -> Result<T, AgentError> {
    serde_json::from_slice(body).map_err(|error| AgentError::new(Code::BadRequest, error.to_string()))
}

fn json(document: &impl Serialize) -> Result<Vec<u8>, AgentError> {
    serde_json::to_vec(document).map_err(|error| AgentError::new(Code::Failed, error.to_string()))
}
