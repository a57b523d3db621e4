//! One request, one answer: the five verbs. Every document is in `shared/src/agent.rs`.

use bytes::Bytes;
use constella_shared::agent::{
    AGENT_PROTOCOL, AgentError, AgentErrorCode, Health, RebootAnswer, RebootOutcome, RebootRequest, SeriesKind,
    SpeedtestRequest,
};
use constella_shared::ids::CommandId;
use constella_shared::limits::AGENT_BODY_BYTES;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde::Serialize;
use serde::de::value::{self, StrDeserializer};
use serde::de::{Deserialize, DeserializeOwned};

use super::{Front, speedtest, unix_ms};
use crate::root::frame::{Ask, Record, State, Verb};

type Answer = Response<Full<Bytes>>;

/// Hours that the longest series holds.
const SERIES_HOURS: u32 = 90 * 24;

pub(super) async fn answer(front: &Front, uid: u64, request: Request<Incoming>) -> Answer {
    route(front, uid, request).await.unwrap_or_else(|error| refuse(&error))
}

async fn route(front: &Front, uid: u64, request: Request<Incoming>) -> Result<Answer, AgentError> {
    let (head, body) = request.into_parts();
    Ok(match (head.method.as_str(), head.uri.path()) {
        ("GET", "/v1/health") => json(&health(front)),
        ("GET", "/v1/stats") => json(&*front.stats.borrow()),
        ("GET", "/v1/series") => {
            let (kind, hours) = query(head.uri.query().unwrap_or_default())?;
            json(&front.series.borrow().read(kind, hours, unix_ms()))
        }
        ("GET", "/v1/speedtest") => json(&front.speedtest.borrow().state),
        ("POST", "/v1/speedtest") => {
            let request: SpeedtestRequest = read(body).await?;
            json(&speedtest::start(front, request.command_id, uid).await?)
        }
        ("POST", "/v1/reboot") => {
            let request: RebootRequest = read(body).await?;
            let ask =
                Ask { verb: Verb::Reboot, id: request.command_id.0, not_after_ms: request.not_after_boottime_ms, uid };
            let record = front.channel.command(&ask, true).await?;
            refused(&record, Verb::Reboot)?;
            json(&outcome(&record))
        }
        _ => return Err(refusal(AgentErrorCode::UnknownPath, PATHS)),
    })
}

const PATHS: &str =
    "the agent has GET /v1/health, /v1/stats, /v1/series, /v1/speedtest and POST /v1/speedtest, /v1/reboot";

fn health(front: &Front) -> Health {
    Health {
        ok: true,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: AGENT_PROTOCOL,
        reboot_allowed: front.config.allow_reboot,
        speedtest_allowed: front.config.allow_speedtest,
        last_reboot: front.last_reboot.borrow().as_ref().map(outcome),
    }
}

/// `kind=cpu&hours=6`, both needed, in any order.
fn query(text: &str) -> Result<(SeriesKind, u32), AgentError> {
    let value = |name| text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let kind = value("kind").and_then(|kind| SeriesKind::deserialize(StrDeserializer::<value::Error>::new(kind)).ok());
    let hours = value("hours").and_then(|hours| hours.parse().ok()).filter(|hours| (1..=SERIES_HOURS).contains(hours));
    let wanted = "the query is kind=cpu, net, mem, disk, load, temp or speedtest, and hours=1 to 2160";
    kind.zip(hours).ok_or_else(|| refusal(AgentErrorCode::BadRequest, wanted))
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, AgentError> {
    let body = Limited::new(body, AGENT_BODY_BYTES as usize).collect().await.map_err(|error| match error
        .is::<LengthLimitError>(
    ) {
        true => refusal(AgentErrorCode::TooLarge, "the body is over 4096 bytes"),
        false => refusal(AgentErrorCode::BadRequest, "the body did not arrive whole"),
    })?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| refusal(AgentErrorCode::BadRequest, &error.to_string()))
}

/// The refusal in a record, where it is one.
pub(super) fn refused(record: &Record, verb: Verb) -> Result<(), AgentError> {
    let (code, message) = match record.state {
        _ if record.verb != verb => (AgentErrorCode::BadRequest, "that command id was taken for another verb"),
        State::Started | State::Accepted | State::Failed => return Ok(()),
        State::TooLate => (AgentErrorCode::TooLate, "the command's deadline is past"),
        State::TooSoon => (AgentErrorCode::TooSoon, "the last reboot is less than REBOOT_MIN_INTERVAL_SEC ago"),
        State::Busy => (AgentErrorCode::Busy, "another command of this kind is on its way"),
        State::Disabled => (AgentErrorCode::Disabled, "the operator of this host switched that off"),
        State::NotStored => (AgentErrorCode::Failed, "the command id cannot be stored, so nothing was begun"),
    };
    Err(refusal(code, message))
}

fn outcome(record: &Record) -> RebootAnswer {
    let outcome = match record.state {
        State::Started => RebootOutcome::Started,
        State::Accepted => RebootOutcome::Accepted,
        _ => RebootOutcome::Failed { status: record.exit_status(), stderr: record.message() },
    };
    RebootAnswer { command_id: CommandId(record.id), outcome }
}

fn json(document: &impl Serialize) -> Answer {
    // Our documents have string keys only and cannot fail; if one did, the answer would be empty.
    let mut answer = Answer::new(Full::from(serde_json::to_vec(document).unwrap_or_default()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

pub(super) fn refusal(code: AgentErrorCode, message: &str) -> AgentError {
    AgentError { code, message: message.to_owned() }
}

fn refuse(error: &AgentError) -> Answer {
    let mut answer = json(error);
    *answer.status_mut() = match error.code {
        AgentErrorCode::Disabled => StatusCode::FORBIDDEN,
        AgentErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        AgentErrorCode::UnknownPath => StatusCode::NOT_FOUND,
        AgentErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        AgentErrorCode::Busy => StatusCode::CONFLICT,
        AgentErrorCode::TooLate => StatusCode::GONE,
        AgentErrorCode::TooSoon => StatusCode::TOO_MANY_REQUESTS,
        AgentErrorCode::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    };
    answer
}

/// The answer to a request whose body does not come to an end.
pub(super) fn too_slow() -> Answer {
    let mut answer = refuse(&refusal(AgentErrorCode::BadRequest, "the request did not arrive within its time"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
