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
            let (kind, hours) = query(text).ok_or_else(|| refusal(Code::BadRequest, QUERY))?;
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
            json(&outcome(&command(front, Verb::Reboot, command_id, not_after_boottime_ms, uid)?))
        }
        _ => Err(refusal(Code::UnknownPath, PATHS)),
    }
}

fn health(front: &Front) -> Result<Health, AgentError> {
    let last = command(front, Verb::LastReboot, CommandId([0; 32]), 0, 0)?;
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

/// Has the root part perform a command: its record, or why it was not taken.
pub(super) fn command(
    front: &Front,
    verb: Verb,
    id: CommandId,
    not_after_ms: u64,
    uid: u32,
) -> Result<Record, AgentError> {
    let record = front.ask(verb, id.0, not_after_ms, uid);
    let record = record.map_err(|_| refusal(Code::Failed, "the root part is gone; whether it acted is unknown"))?;
    let (code, message) = match record.state {
        State::NoneYet | State::Started | State::Accepted | State::Failed => return Ok(record),
        State::TooLate => (Code::TooLate, "the command's deadline is past"),
        State::TooSoon => (Code::TooSoon, "the last reboot is less than REBOOT_MIN_INTERVAL_SEC ago"),
        State::Busy => (Code::Busy, "another command of this kind is on its way"),
        State::Disabled => (Code::Disabled, "the operator of this host switched it off"),
        State::NotStored => (Code::Failed, "the command id cannot be stored, so nothing was begun"),
    };
    Err(refusal(code, message))
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

pub(super) fn refusal(code: Code, message: &str) -> AgentError {
    AgentError { code, message: message.to_owned() }
}

fn document<T: DeserializeOwned>(body: &[u8]) -> Result<T, AgentError> {
    serde_json::from_slice(body).map_err(|error| refusal(Code::BadRequest, &error.to_string()))
}

fn json(document: &impl Serialize) -> Result<Vec<u8>, AgentError> {
    serde_json::to_vec(document).map_err(|error| refusal(Code::Failed, &error.to_string()))
}
