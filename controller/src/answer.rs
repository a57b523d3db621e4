//! Answers between controllers: the one place that maps a refusal to an HTTP status and a document.

use constella_core::io::PeerResponse;
use constella_shared::ids::Generation;
use constella_shared::wire::rpc::{Response, RpcCode, RpcError};
use constella_shared::wire::speaks::Speaks;
use serde::{Deserialize, Serialize};
use warp::http::{HeaderValue, StatusCode, header};

/// `{"ok": false, "error": {...}}`, with today's generation where the request was made for an earlier start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Always false.
    pub ok: bool,
    /// Why.
    pub error: RpcError,
    /// This node's boot generation, with [`RpcCode::EarlierBoot`] only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
}

impl Refusal {
    /// With a sentence for a person.
    #[must_use]
    pub fn new(code: RpcCode, message: impl Into<String>) -> Self {
        RpcError { code, message: message.into() }.into()
    }

    /// The first moments of a process, or a node that is about to join.
    #[must_use]
    pub fn starting() -> Self {
        Self::new(RpcCode::Starting, "this node is starting and does not know its network yet; ask again in a moment")
    }
}

impl From<RpcError> for Refusal {
    fn from(error: RpcError) -> Self {
        Self { ok: false, error, generation: None }
    }
}

/// What HTTP calls a refusal.
#[must_use]
pub const fn status(code: RpcCode) -> StatusCode {
    match code {
        RpcCode::BadRequest => StatusCode::BAD_REQUEST,
        RpcCode::BadMac
        | RpcCode::Replayed
        | RpcCode::ClockSkew
        | RpcCode::EarlierBoot
        | RpcCode::OtherSecret
        | RpcCode::BadHeaders => StatusCode::UNAUTHORIZED,
        RpcCode::NotAMember | RpcCode::Disabled | RpcCode::BadInvite | RpcCode::WrongNetwork => StatusCode::FORBIDDEN,
        RpcCode::UnknownMethod => StatusCode::NOT_FOUND,
        RpcCode::TimedOut => StatusCode::REQUEST_TIMEOUT,
        RpcCode::OldTerm | RpcCode::Busy | RpcCode::NotHolder | RpcCode::NameTaken | RpcCode::Unreachable => {
            StatusCode::CONFLICT
        }
        RpcCode::TooLate => StatusCode::GONE,
        RpcCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RpcCode::WrongRecipient => StatusCode::MISDIRECTED_REQUEST,
        RpcCode::Protocol => StatusCode::UPGRADE_REQUIRED,
        RpcCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        RpcCode::AgentFailed => StatusCode::BAD_GATEWAY,
        RpcCode::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
        RpcCode::AgentUnreachable | RpcCode::Starting | RpcCode::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The HTTP answer to a refusal.
#[must_use]
pub fn refused(refusal: &Refusal) -> warp::reply::Response {
    document(status(refusal.error.code), refusal)
}

/// The HTTP answer to a member, as far as it understands (S7).
#[must_use]
pub fn answered(result: Result<PeerResponse, RpcError>, reader: Speaks) -> warp::reply::Response {
    match result {
        Ok(PeerResponse::Heartbeat(heartbeat)) => good(&*reader.heartbeat(&heartbeat)),
        Ok(PeerResponse::Announced) => good(&Good { ok: true, answer: Announced {} }),
        Ok(PeerResponse::Rpc(response)) => good(&Good { ok: true, answer: &*reader.response(&response) }),
        Err(error) => refused(&error.into()),
    }
}

/// A document with status 200.
#[must_use]
pub fn good(document_: &impl Serialize) -> warp::reply::Response {
    document(StatusCode::OK, document_)
}

/// `{"ok": true, ...}` around an answer.
#[derive(Debug, Serialize)]
pub struct Good<T> {
    /// Always true.
    pub ok: bool,
    /// The answer's own fields.
    #[serde(flatten)]
    pub answer: T,
}

/// An announcement was taken.
#[derive(Debug, Serialize, Deserialize)]
struct Announced {}

/// `{"ok": true, "is": ...}` as a caller reads it.
///
/// # Errors
/// It is no such document.
pub fn read_rpc(body: &[u8]) -> Result<Response, serde_json::Error> {
    serde_json::from_slice(body)
}

fn document(status: StatusCode, document: &impl Serialize) -> warp::reply::Response {
    // Our own documents have text keys and finite numbers, so encoding cannot fail; an empty object would still be no lie about success,
    // because the status then says what happened.
    let (status, body) = match serde_json::to_vec(document) {
        Ok(body) => (status, body),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, b"{}".to_vec()),
    };
    let mut response = warp::reply::Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn an_rpc_answer_is_read_back_with_its_ok() {
        let text = serde_json::to_string(&Good { ok: true, answer: Response::Done }).unwrap();
        assert_eq!(text, r#"{"ok":true,"is":"done"}"#);
        assert_eq!(read_rpc(text.as_bytes()).unwrap(), Response::Done);
    }

    #[test]
    fn a_refusal_is_read_back() {
        let refusal = Refusal { generation: Some(Generation(4)), ..Refusal::new(RpcCode::EarlierBoot, "x") };
        let text = serde_json::to_string(&refusal).unwrap();
        assert_eq!(text, r#"{"ok":false,"error":{"code":"earlier_boot","message":"x"},"generation":4}"#);
        assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), refusal);
    }
}
