//! The side that bots talk to: `/[prefix/]bot<token>/<method>` over HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use thiserror::Error;
use tokio::sync::watch;

use super::body::decode;
use super::fault::{Fault, Rules};
use super::hub::Hub;
use crate::botapi::model::{Call, Refusal, Source};

/// The connection ends here, without an answer; hyper closes it.
#[derive(Debug, Error)]
#[error("connection broken on request")]
pub(super) struct Broken;

/// Serves one request of one bot.
pub(super) async fn serve(
    hub: Arc<Hub>,
    peer: SocketAddr,
    latency: Duration,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (parts, body) = request.into_parts();
    let Some((prefix, token, method)) = split(parts.uri.path()) else {
        return Ok(json(404, r#"{"ok":false,"error_code":404,"description":"Not Found"}"#.to_owned()));
    };
    let mut way = Way { peer, prefix, method, faults: hub.faults.subscribe() };
    let body = Limited::new(body, MAX_BODY).collect().await;
    if let Some(answer) = way.inwards(latency).await? {
        hub.turned_away();
        return Ok(answer);
    }
    let source = Source { addr: peer.to_string(), prefix: way.prefix.clone() };
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let args = match body {
        Ok(body) => decode(parts.uri.query().unwrap_or(""), content_type, &body.to_bytes()),
        Err(_) => Err(Refusal::FileTooBig),
    };
    let args = match args {
        Ok(args) => args,
        Err(refusal) => {
            let answer = hub.unreadable(source, &way.method, &refusal);
            return Ok(json(answer.status, answer.body.to_string()));
        }
    };
    let waiting = hub.call(&Call { source, token, method: way.method.clone(), args });
    let answer = tokio::select! {
        answer = waiting => answer.map_err(|_| Broken)?,
        broken = way.breaks() => return Err(broken),
    };
    way.outwards().await?;
    Ok(json(answer.status, answer.body.to_string()))
}

/// The way of one request, and what may happen on it.
struct Way {
    peer: SocketAddr,
    prefix: String,
    method: String,
    faults: watch::Receiver<Rules>,
}

impl Way {
    fn verdict(&self, rules: &Rules) -> Option<Fault> {
        rules.verdict(self.peer.ip(), &self.prefix, &self.method)
    }

    fn now(&self) -> Option<Fault> {
        self.verdict(&self.faults.borrow())
    }

    /// Before the request reaches the server; an answer means that it never does.
    async fn inwards(&mut self, latency: Duration) -> Result<Option<Response<Full<Bytes>>>, Broken> {
        tokio::time::sleep(latency).await;
        match self.now() {
            None | Some(Fault::LoseAnswer) => Ok(None),
            Some(Fault::Delay(ms)) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Ok(None)
            }
            Some(Fault::Refuse) => Err(Broken),
            Some(Fault::Silent) => {
                self.until(|fault| fault != Some(Fault::Silent)).await;
                Err(Broken)
            }
            Some(Fault::Status(code)) => {
                let reason = StatusCode::from_u16(code).ok().and_then(|code| code.canonical_reason());
                let body = format!(
                    r#"{{"ok":false,"error_code":{code},"description":"{}"}}"#,
                    reason.unwrap_or("Internal Server Error")
                );
                Ok(Some(json(code, body)))
            }
            Some(Fault::TooManyRequests(seconds)) => {
                let body = format!(
                    r#"{{"ok":false,"error_code":429,"description":"Too Many Requests: retry after {seconds}","parameters":{{"retry_after":{seconds}}}}}"#
                );
                Ok(Some(json(429, body)))
            }
        }
    }

    /// Returns when the way breaks while the request waits for its answer.
    async fn breaks(&mut self) -> Broken {
        self.until(|fault| fault == Some(Fault::Refuse)).await;
        Broken
    }

    /// Before the answer reaches the client.
    async fn outwards(&mut self) -> Result<(), Broken> {
        self.until(|fault| fault != Some(Fault::Silent)).await;
        match self.now() {
            Some(Fault::Refuse | Fault::LoseAnswer) => Err(Broken),
            _ => Ok(()),
        }
    }

    async fn until(&mut self, wanted: impl Fn(Option<Fault>) -> bool) {
        let (ip, prefix, method) = (self.peer.ip(), self.prefix.clone(), self.method.clone());
        let reached = self.faults.wait_for(|rules| wanted(rules.verdict(ip, &prefix, &method))).await.is_ok();
        if !reached {
            // The double is being taken down, so nothing will ever change again.
            std::future::pending::<()>().await;
        }
    }
}

/// Prefix, token and method of a path.
fn split(path: &str) -> Option<(String, String, String)> {
    let (rest, method) = path.rsplit_once('/')?;
    let (prefix, bot) = rest.rsplit_once('/')?;
    let token = bot.strip_prefix("bot")?;
    let is_call = !token.is_empty() && !method.is_empty();
    is_call.then(|| (prefix.trim_matches('/').to_owned(), token.to_owned(), method.to_owned()))
}

pub(super) fn json(status: u16, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Telegram's own bound on a request with a file is 50 MB; nothing here comes near it.
const MAX_BODY: usize = 16 << 20;
