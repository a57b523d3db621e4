//! The side that the test's conductor talks to: people's actions, faults, statistics, as JSON over HTTP.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bot::json as answer;
use super::fault::{Fault, Rule, Rules, Target};
use super::hub::Hub;
use super::{StrangerSlot, stranger};
use crate::botapi::model::{ChatId, MessageId, Tap, User};
use crate::botapi::view::{ChatView, Stats};

/// `POST /control/text`: a user writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TextOrder {
    /// Who.
    user: User,
    /// What.
    text: String,
}

/// `POST /control/tap`: a user taps a button, by `data` or else by a part of its label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TapOrder {
    /// Where.
    chat: ChatId,
    /// Under which message.
    message: MessageId,
    /// Its callback data.
    #[serde(default)]
    data: Option<String>,
    /// A part of its label.
    #[serde(default)]
    label: Option<String>,
}

/// `POST /control/fault`: sets a rule, or ends it where `fault` is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FaultOrder {
    /// Whose way.
    target: Target,
    /// What goes wrong.
    #[serde(default)]
    fault: Option<Fault>,
    /// Only these methods.
    #[serde(default)]
    only: Vec<String>,
}

/// `POST /control/stranger`: starts another poller, or kills it where `timeout_s` is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StrangerOrder {
    /// How long each of its polls waits.
    #[serde(default)]
    timeout_s: Option<u64>,
}

#[derive(Deserialize)]
struct BlockOrder {
    chat: ChatId,
}

/// `POST /control/limit`: 429 for everything that changes this chat.
#[derive(Deserialize)]
struct LimitOrder {
    chat: ChatId,
    seconds: u64,
}

type Answered = Response<Full<Bytes>>;

/// Serves one request of the conductor.
pub(super) async fn serve(
    hub: Arc<Hub>,
    stranger: Arc<StrangerSlot>,
    request: Request<Incoming>,
) -> Result<Answered, Infallible> {
    let (parts, body) = request.into_parts();
    let query: HashMap<_, _> =
        form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes()).into_owned().collect();
    let Ok(body) = Limited::new(body, MAX_ORDER).collect().await else {
        return Ok(wrong(413, "the order is too long"));
    };
    let body = body.to_bytes();
    Ok(match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/control/chat") => chat(&hub, &query).await,
        (&Method::GET, "/control/photo") => photo(&hub, &query),
        (&Method::GET, "/control/stats") => answer(200, json!(hub.read(Stats::of)).to_string()),
        (&Method::POST, "/control/text") => obey(&body, |order: TextOrder| {
            let id = hub.act(|model, now| model.write(now, &order.user, &order.text));
            Ok(json!({"message_id": id}))
        }),
        (&Method::POST, "/control/tap") => obey(&body, |order| tap(&hub, order)),
        (&Method::POST, "/control/block") => obey(&body, |order: BlockOrder| {
            hub.act(|model, _| (model.block(order.chat), Vec::new()));
            Ok(json!({}))
        }),
        (&Method::POST, "/control/limit") => obey(&body, |order: LimitOrder| {
            hub.act(|model, now| (model.limit(now, order.chat, order.seconds), Vec::new()));
            Ok(json!({}))
        }),
        (&Method::POST, "/control/update") => obey(&body, |update: Value| {
            hub.act(|model, now| ((), model.raw(now, update)));
            Ok(json!({}))
        }),
        (&Method::POST, "/control/fault") => obey(&body, |order| {
            hub.faults.send_modify(|rules| change(rules, order));
            Ok(json!({}))
        }),
        (&Method::POST, "/control/heal") => {
            hub.faults.send_modify(Rules::clear_all);
            answer(200, "{}".to_owned())
        }
        (&Method::POST, "/control/stranger") => obey(&body, |order: StrangerOrder| {
            match order.timeout_s {
                Some(timeout_s) => stranger::start(&hub, &stranger, timeout_s),
                None => stranger::stop(&stranger),
            }
            Ok(json!({}))
        }),
        _ => wrong(404, "no such control path"),
    })
}

async fn chat(hub: &Hub, query: &HashMap<String, String>) -> Answered {
    let number = |name: &str| query.get(name).and_then(|value| value.parse::<u64>().ok());
    let Some(id) = query.get("id").and_then(|id| id.parse().ok()).map(ChatId) else {
        return wrong(400, "id of the chat is missing");
    };
    if let Some(after) = number("after") {
        let wait_ms = number("wait_ms").unwrap_or(0).min(MAX_WAIT_MS);
        hub.changed_after(after, Duration::from_millis(wait_ms)).await;
    }
    answer(200, json!(hub.read(|model, now| ChatView::of(model, id, now))).to_string())
}

fn photo(hub: &Hub, query: &HashMap<String, String>) -> Answered {
    let file_id = query.get("file_id").map_or("", String::as_str);
    match hub.read(|model, _| model.photo(file_id).map(|photo| photo.bytes.to_vec())) {
        Some(bytes) => Response::new(Full::new(Bytes::from(bytes))),
        None => wrong(404, "no such picture"),
    }
}

fn tap(hub: &Hub, order: TapOrder) -> Result<Value, String> {
    let tap = match (order.data, order.label) {
        (Some(data), _) => Tap::Data(data),
        (None, Some(label)) => Tap::Label(label),
        (None, None) => return Err("neither data nor label is given".to_owned()),
    };
    hub.act(|model, now| match model.tap(now, order.chat, order.message, &tap) {
        Ok((query, answers)) => (Ok(json!({"query": query})), answers),
        Err(error) => (Err(error.to_string()), Vec::new()),
    })
}

fn change(rules: &mut Rules, order: FaultOrder) {
    let only: Vec<_> = order.only.iter().map(|method| method.to_ascii_lowercase()).collect();
    match order.fault {
        Some(fault) => rules.set(Rule { target: order.target, fault, only }),
        None => rules.clear(&order.target, &only),
    }
}

/// Reads an order and carries it out.
fn obey<O: DeserializeOwned>(body: &[u8], act: impl FnOnce(O) -> Result<Value, String>) -> Answered {
    match serde_json::from_slice(body) {
        Ok(order) => match act(order) {
            Ok(value) => answer(200, value.to_string()),
            Err(error) => wrong(409, &error),
        },
        Err(error) => wrong(400, &error.to_string()),
    }
}

fn wrong(status: u16, error: &str) -> Answered {
    answer(status, json!({"error": error}).to_string())
}

/// An order is a line of text.
const MAX_ORDER: usize = 1 << 20;
/// A conductor asks again rather than wait longer.
const MAX_WAIT_MS: u64 = 60_000;
