//! Telegram's refusals, and a network's failures, as [`BotError`]s. No text here ever has the token, an address or a path.

use std::error::Error as _;

use constella_core::io::BotError;
use constella_shared::secret::Secret;

use super::fields::Fields;

/// An answer of the Bot API: its result as JSON text, or the refusal.
pub(super) fn result<'a>(answer: &'a str, status: u16, token: &Secret) -> Result<&'a str, BotError> {
    let Some(envelope) = Fields::of(answer).filter(|envelope| envelope.has("ok")) else {
        // A proxy on the way may slow a bot down too.
        let limited = status == TOO_MANY_REQUESTS;
        return Err(if limited { BotError::RetryAfter { ms: RETRY_AFTER_S * 1_000 } } else { foreign() });
    };
    if envelope.flag("ok") {
        return envelope.raw("result").ok_or_else(|| BotError::Unreachable("the answer has no result".to_owned()));
    }
    let code = envelope.whole("error_code").and_then(|code| u16::try_from(code).ok()).unwrap_or(status);
    let retry_after_s = envelope.object("parameters").and_then(|more| more.whole("retry_after"));
    let retry_after_s = retry_after_s.and_then(|seconds| u64::try_from(seconds).ok());
    let description = envelope.text("description", usize::MAX).unwrap_or_default();
    Err(refusal(code, &description, retry_after_s, token))
}

/// What answered is no Bot API.
pub(super) fn foreign() -> BotError {
    BotError::Unreachable("the answer is not of the Bot API".to_owned())
}

/// A refusal, by its code and Telegram's own words.
fn refusal(code: u16, description: &str, retry_after_s: Option<u64>, token: &Secret) -> BotError {
    let words = description.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|text| words.contains(text));
    match code {
        409 if says(&["webhook"]) => BotError::WebhookSet,
        409 => BotError::Conflict,
        401 | 404 => BotError::Unauthorized,
        429 => {
            let pause_s = retry_after_s.unwrap_or(RETRY_AFTER_S);
            if pause_s > LONG_PAUSE_S {
                tracing::warn!(pause_s, "telegram asks for a long pause");
            }
            BotError::RetryAfter { ms: pause_s.saturating_mul(1_000) }
        }
        403 => BotError::ChatGone,
        400 if says(&["query is too old", "query id is invalid", "query_id_invalid"]) => BotError::QueryTooOld,
        400 if says(&["there is no text in the message to edit"]) => BotError::IsPicture,
        400 if says(&[
            "message to edit not found",
            "message to delete not found",
            "message can't be deleted",
            "message can't be edited",
            "message_id_invalid",
            "message identifier",
        ]) =>
        {
            BotError::MessageGone
        }
        400 if says(&["message thread not found", "topic_deleted", "topic_closed"]) => BotError::TopicGone,
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

/// HTTP.
const TOO_MANY_REQUESTS: u16 = 429;

/// A pause that somebody who reads the log wants to know of.
const LONG_PAUSE_S: u64 = 10;

/// A 429 without a number: the chat's own pace and a bit.
const RETRY_AFTER_S: u64 = 3;

/// Of a refusal's description.
const DESCRIPTION_CHARS: usize = 200;
