//! The owner's phone, for tests and for the demo's script: writes, taps, and waits with a deadline for what it shows.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::model::{MessageId, Toast, User};
use super::view::{ChatView, MessageView, Stats};

/// A phone that is connected to the control port of a double.
#[derive(Clone, Debug)]
pub struct Owner {
    control: SocketAddr,
    user: User,
}

/// Something that was waited for, and how long.
#[derive(Clone, Debug)]
pub struct Waited<T> {
    /// What came.
    pub value: T,
    /// From the start of the wait.
    pub took: Duration,
}

/// Why the phone could not do it.
#[derive(Debug, Error)]
pub enum OwnerError {
    /// The double cannot be reached.
    #[error("asking the double at {addr}")]
    Unreachable {
        /// Its control port.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The HTTP exchange with it broke.
    #[error("exchanging HTTP with the double")]
    Http(#[from] hyper::Error),
    /// It answered something else than JSON of the expected shape.
    #[error("reading the double's answer")]
    Answer(#[from] serde_json::Error),
    /// It refused the order; nothing changed.
    #[error("the double refused {path}: {error}")]
    Refused {
        /// The control path.
        path: String,
        /// Its reason.
        error: String,
    },
    /// No message has such a button now.
    #[error("no message has a button {label:?}; the phone shows:\n{screen}")]
    NoButton {
        /// What was looked for.
        label: String,
        /// What there is.
        screen: String,
    },
    /// It did not come in time.
    #[error("waited {waited:?} for {what}; the phone shows:\n{screen}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What there is instead.
        screen: String,
    },
}

impl Owner {
    /// A phone of `user` at the double's control port. Nothing happens yet.
    #[must_use]
    pub fn new(control: SocketAddr, user: User) -> Self {
        Self { control, user }
    }

    /// Whose phone it is.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Writes to the bot.
    ///
    /// # Errors
    /// The double is out of reach.
    pub async fn write(&self, text: &str) -> Result<MessageId, OwnerError> {
        let order = json!({"user": self.user, "text": text});
        let answer = self.post("/control/text", &order).await?;
        Ok(serde_json::from_value(answer.get("message_id").cloned().unwrap_or_default())?)
    }

    /// Taps the button with this callback data under one message; returns the query's id.
    ///
    /// # Errors
    /// The message has no such button now.
    pub async fn tap(&self, message: MessageId, data: &str) -> Result<String, OwnerError> {
        self.tap_order(json!({"chat": self.user.chat(), "message": message, "data": data})).await
    }

    /// Taps the newest button whose label contains `label`; returns the query's id.
    ///
    /// # Errors
    /// No message has such a button now.
    pub async fn press(&self, label: &str) -> Result<String, OwnerError> {
        let chat = self.chat().await?;
        let has_it = |message: &&MessageView| message.labels().iter().any(|text| text.contains(label));
        let Some(message) = chat.messages.iter().rev().find(has_it) else {
            return Err(OwnerError::NoButton { label: label.to_owned(), screen: screen(&chat) });
        };
        self.tap_order(json!({"chat": chat.chat, "message": message.id, "label": label})).await
    }

    /// What the phone shows now.
    ///
    /// # Errors
    /// The double is out of reach.
    pub async fn chat(&self) -> Result<ChatView, OwnerError> {
        self.get(&format!("/control/chat?id={}", self.user.chat())).await
    }

    /// Waits until `find` finds something on the phone; `what` is for the error.
    ///
    /// # Errors
    /// [`OwnerError::Late`] with what the phone shows instead.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        within: Duration,
        find: impl Fn(&ChatView) -> Option<T>,
    ) -> Result<Waited<T>, OwnerError> {
        let started = Instant::now();
        let mut chat = self.chat().await?;
        loop {
            if let Some(value) = find(&chat) {
                return Ok(Waited { value, took: started.elapsed() });
            }
            let Some(left) = within.checked_sub(started.elapsed()) else {
                return Err(OwnerError::Late { what: what.to_owned(), waited: within, screen: screen(&chat) });
            };
            let path = format!(
                "/control/chat?id={}&after={}&wait_ms={}",
                self.user.chat(),
                chat.version,
                left.as_millis().clamp(1, MAX_WAIT_MS)
            );
            chat = self.get(&path).await?;
        }
    }

    /// Waits until a message of the bot satisfies `is_it`; the newest one counts.
    ///
    /// # Errors
    /// [`OwnerError::Late`] with what the phone shows instead.
    pub async fn sees(
        &self,
        what: &str,
        within: Duration,
        is_it: impl Fn(&MessageView) -> bool,
    ) -> Result<Waited<MessageView>, OwnerError> {
        let newest = |chat: &ChatView| {
            chat.messages.iter().rev().filter(|message| message.from_bot).find(|message| is_it(message)).cloned()
        };
        self.wait_for(what, within, newest).await
    }

    /// Waits until the bot answers a tap.
    ///
    /// # Errors
    /// [`OwnerError::Late`]: the phone still shows its spinner.
    pub async fn answered(&self, query: &str, within: Duration) -> Result<Waited<Toast>, OwnerError> {
        let toast = |chat: &ChatView| {
            chat.toasts.iter().find(|toast| toast.query == query && toast.answered.is_some()).cloned()
        };
        self.wait_for(&format!("the answer to tap {query}"), within, toast).await
    }

    /// Writes and waits for a message of the bot that is newer, or edited later: how long the owner waits for an answer.
    ///
    /// # Errors
    /// [`OwnerError::Late`]: nobody answers.
    pub async fn ask(&self, text: &str, within: Duration) -> Result<Waited<MessageView>, OwnerError> {
        let asked = self.write(text).await?;
        let answer = |chat: &ChatView| {
            let sent = chat.messages.iter().find(|message| message.id == asked)?.sent;
            let is_newer = |message: &&MessageView| {
                message.from_bot && (message.id > asked || message.edited.is_some_and(|edited| edited >= sent))
            };
            chat.messages.iter().rev().find(is_newer).cloned()
        };
        self.wait_for(&format!("an answer to {text:?}"), within, answer).await
    }

    /// Everything that the double counted.
    ///
    /// # Errors
    /// The double is out of reach.
    pub async fn stats(&self) -> Result<Stats, OwnerError> {
        self.get("/control/stats").await
    }

    /// Sends any order to the control port: faults, strangers.
    ///
    /// # Errors
    /// The double refused it.
    pub async fn post(&self, path: &str, order: &Value) -> Result<Value, OwnerError> {
        let body = order.to_string();
        let request = Request::post(path).header("content-type", "application/json");
        let (status, body) = self.exchange(request, Bytes::from(body)).await?;
        let answer: Value = serde_json::from_slice(&body)?;
        if status == 200 {
            return Ok(answer);
        }
        let error = answer.get("error").and_then(Value::as_str).unwrap_or("no reason given").to_owned();
        Err(OwnerError::Refused { path: path.to_owned(), error })
    }

    async fn tap_order(&self, order: Value) -> Result<String, OwnerError> {
        let answer = self.post("/control/tap", &order).await?;
        Ok(serde_json::from_value(answer.get("query").cloned().unwrap_or_default())?)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, OwnerError> {
        let (_, body) = self.exchange(Request::get(path), Bytes::new()).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    async fn exchange(&self, request: hyper::http::request::Builder, body: Bytes) -> Result<(u16, Bytes), OwnerError> {
        let unreachable = |source| OwnerError::Unreachable { addr: self.control, source };
        let stream = TcpStream::connect(self.control).await.map_err(unreachable)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its end is the answer's end, or the error that send_request reports.
        let driver = tokio::spawn(async move { drop(connection.await) });
        let request = request
            .header("host", "double")
            .body(Full::new(body))
            .map_err(|error| unreachable(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        driver.abort();
        Ok((status, body))
    }
}

fn screen(chat: &ChatView) -> String {
    let shown: Vec<_> = chat
        .messages
        .iter()
        .map(|message| format!("{}#{} {}", if message.from_bot { "bot" } else { "user" }, message.id, message.screen()))
        .collect();
    shown.join("\n")
}

/// One look waits at most so long; a longer wait is several looks.
const MAX_WAIT_MS: u128 = 30_000;
