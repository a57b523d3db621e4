//! Telegram's refusals, and a network's failures, as [`BotError`]s. No text here ever has the token, an address or a path.

use std::error::Error as _;

use constella_core::io::BotError;
use constella_shared::secret::Secret;
use serde::Deserialize;

/// Every answer of the Bot API.
#[derive(Deserialize)]
pub(super) struct Envelope<R> {
    pub(super) ok: bool,
    #[serde(default = "Option::default")]
    pub(super) result: Option<R>,
    pub(super) error_code: Option<u16>,
    pub(super) description: Option<String>,
    pub(super) parameters: Option<Parameters>,
}

/// What a refusal may add.
#[derive(Deserialize)]
pub(super) struct Parameters {
    pub(super) retry_after: Option<u64>,
}

/// A refusal, by its code and Telegram's own words.
pub(super) fn refusal(code: u16, description: &str, retry_after_s: Option<u64>, token: &Secret) -> BotError {
    let words = description.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|text| words.contains(text));
    match code {
        409 if says(&["webhook"]) => BotError::WebhookSet,
        409 => BotError::Conflict,
        401 | 404 => BotError::Unauthorized,
        429 => BotError::RetryAfter { ms: retry_after_s.unwrap_or(RETRY_AFTER_S).saturating_mul(1_000) },
        403 => BotError::ChatGone,
        400 if says(&["query is too old", "query id is invalid", "query_id_invalid"]) => BotError::QueryTooOld,
        400 if says(&[
            "message to edit not found",
            "message can't be edited",
            "message_id_invalid",
            "message identifier",
        ]) =>
        {
            BotError::MessageGone
        }
        400 if says(&["chat not found", "peer_id_invalid", "user not found"]) => BotError::ChatGone,
        400 if says(&["logged out"]) => BotError::Unauthorized,
        500..=599 => BotError::Server,
        _ => BotError::Refused(sayable(description, token)),
    }
}

/// "message is not modified": what was wanted is there.
pub(super) fn is_not_modified(description: &str) -> bool {
    description.to_ascii_lowercase().contains("message is not modified")
}

/// A network's failure in words of our own: the library's have the address, and with it the token.
pub(super) fn unreachable(error: &reqwest::Error) -> BotError {
    let mut cause = error.source();
    let mut kind = None;
    let mut lookup = false;
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            kind = Some(io.kind());
        }
        lookup |= inner.to_string().starts_with("dns error");
        cause = inner.source();
    }
    let what = if error.is_timeout() {
        NO_ANSWER
    } else if lookup {
        "the name cannot be resolved"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    match kind.filter(|kind| !lookup && *kind != std::io::ErrorKind::Other) {
        Some(kind) => BotError::Unreachable(format!("{what} ({kind})")),
        None => BotError::Unreachable(what.to_owned()),
    }
}

/// A refusal's words, without the token wherever they came from, and no longer than a log line.
fn sayable(description: &str, token: &Secret) -> String {
    description.replace(token.expose(), "(token)").chars().filter(|c| !c.is_control()).take(DESCRIPTION_CHARS).collect()
}

/// No answer within the time limit.
pub(super) const NO_ANSWER: &str = "no answer in time";

/// A 429 without a number: the chat's own pace and a bit.
const RETRY_AFTER_S: u64 = 3;

/// Of a refusal's description.
const DESCRIPTION_CHARS: usize = 200;
