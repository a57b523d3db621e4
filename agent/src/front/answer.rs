//! One request, one answer: the five verbs. Every document is in `shared/src/agent.rs`.

use std::time::Duration;

use bytes::Bytes;
use constella_shared::agent::{
    AGENT_PROTOCOL, AgentError, AgentErrorCode as Code, Health, RebootAnswer, RebootOutcome, RebootRequest, SeriesKind,
    SpeedtestRequest,
};
use constella_shared::ids::CommandId;
use constella_shared::limits::{AGENT_BODY_BYTES, AGENT_REQUEST_MS};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode, body::Incoming};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;

use super::{Front, speedtest, unix_ms};
use crate::root::frame::{Record, State, Verb};

type Answer = Response<Full<Bytes>>;

const PATHS: &str =
    "the agent has GET /v1/health, /v1/stats, /v1/series, /v1/speedtest and POST /v1/speedtest, /v1/reboot";
const QUERY: &str = "the query is kind=cpu, net, mem, disk, load, temp or speedtest, and hours=1 to 2160";

pub(super) async fn answer(front: &Front, uid: u32, request: Request<Incoming>) -> Answer {
    // The head has been bounded before; here it is the body, and the answer.
    let answer = timeout(Duration::from_millis(AGENT_REQUEST_MS), route(front, uid, request)).await;
    let answer = answer.unwrap_or_else(|_| Err(refusal(Code::BadRequest, "the request did not arrive in time")));
    answer.unwrap_or_else(|error| json(error.code.http_status(), &error))
}

async fn route(front: &Front, uid: u32, request: Request<Incoming>) -> Result<Answer, AgentError> {
    let (head, body) = request.into_parts();
    Ok(match (head.method.as_str(), head.uri.path()) {
        ("GET", "/v1/health") => json(200, &health(front).await),
        ("GET", "/v1/stats") => json(200, &*front.stats.borrow()),
        ("GET", "/v1/series") => {
            let (kind, hours) =
                query(head.uri.query().unwrap_or_default()).ok_or_else(|| refusal(Code::BadRequest, QUERY))?;
            json(200, &front.series.borrow().read(kind, hours, unix_ms()))
        }
        ("GET", "/v1/speedtest") => json(200, &front.speedtest.borrow_mut().state()),
        ("POST", "/v1/speedtest") => {
            let request: SpeedtestRequest = read(body).await?;
            json(200, &speedtest::start(front, request.command_id, uid).await?)
        }
        ("POST", "/v1/reboot") => {
            let RebootRequest { command_id, not_after_boottime_ms } = read(body).await?;
            let record = front.ask(Verb::Reboot, command_id.0, not_after_boottime_ms, uid).await;
            json(200, &outcome(&accepted(record)?))
        }
        _ => return Err(refusal(Code::UnknownPath, PATHS)),
    })
}

async fn health(front: &Front) -> Health {
    let last = front.ask(Verb::LastReboot, [0; 32], 0, 0).await;
    Health {
        ok: true,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: AGENT_PROTOCOL,
        reboot_allowed: front.config.allow_reboot,
        speedtest_allowed: front.config.allow_speedtest,
        last_reboot: last.filter(|record| record.state != State::NoneYet).as_ref().map(outcome),
    }
}

/// `kind=cpu&hours=6`, in any order.
fn query(text: &str) -> Option<(SeriesKind, u32)> {
    let value = |name| text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let kind = serde_json::from_value(value("kind")?.into()).ok()?;
    Some((kind, value("hours")?.parse().ok().filter(|hours| (1..=crate::series::HOURS).contains(hours))?))
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, AgentError> {
    let body = Limited::new(body, AGENT_BODY_BYTES as usize).collect().await.map_err(|error| match error
        .is::<LengthLimitError>(
    ) {
        true => refusal(Code::TooLarge, "the body is too large"),
        false => refusal(Code::BadRequest, "the body did not arrive whole"),
    })?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| refusal(Code::BadRequest, &error.to_string()))
}

/// The record of a command that was taken, or why it was not.
pub(super) fn accepted(record: Option<Record>) -> Result<Record, AgentError> {
    let record = record
        .ok_or_else(|| refusal(Code::Failed, "the root part is gone; whether the command was taken is unknown"))?;
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
    RebootAnswer { command_id: CommandId(record.id), outcome }
}

pub(super) fn refusal(code: Code, message: &str) -> AgentError {
    AgentError { code, message: message.to_owned() }
}

fn json(status: u16, document: &impl Serialize) -> Answer {
    // Our documents have string keys only and cannot fail; if one did, the answer would be empty.
    let mut answer = Answer::new(Full::from(serde_json::to_vec(document).unwrap_or_default()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
