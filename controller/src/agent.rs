//! The agent of this host, over its unix socket. A connection a call: they are seconds apart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use constella_core::io::{AgentCall, AgentFailure, AgentReply};
use constella_shared::agent::{Health, SeriesQuery, Stats};
use constella_shared::limits::{AGENT_CALLS, AGENT_REQUEST_MS};
use http_body_util::Full;
use hyper::{Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use crate::http::{Answer, Http};

/// Asks the agent.
#[derive(Debug, Clone)]
pub struct Agent {
    socket: PathBuf,
    /// The agent closes what is too much for it: whoever asks waits here for a turn.
    turns: Arc<Semaphore>,
    newest: Arc<Mutex<Option<Newest>>>,
}

/// What the agent said of its figures last, and when it was asked.
#[derive(Debug)]
struct Newest {
    asked: Instant,
    stats: Result<Stats, AgentFailure>,
}

impl Agent {
    /// At `AGENT_SOCKET`.
    #[must_use]
    pub fn new(socket: PathBuf) -> Self {
        Self { socket, turns: Arc::new(Semaphore::new(AGENT_CALLS)), newest: Arc::default() }
    }

    /// One call, answered within [`TIME`].
    ///
    /// # Errors
    /// [`AgentFailure`].
    pub async fn call(&self, call: &AgentCall) -> Result<AgentReply, AgentFailure> {
        match call {
            AgentCall::Stats => self.stats().await.map(|stats| AgentReply::Stats(Box::new(stats))),
            AgentCall::Series { kind, hours } => {
                let query = SeriesQuery { kind: *kind, hours: *hours };
                self.get(&format!("/v1/series?{query}")).await.map(AgentReply::Series)
            }
            AgentCall::RunSpeedtest(request) => self.post("/v1/speedtest", request).await.map(AgentReply::Speedtest),
            AgentCall::GetSpeedtest => self.get("/v1/speedtest").await.map(AgentReply::Speedtest),
            AgentCall::Reboot(request) => self.post("/v1/reboot", request).await.map(AgentReply::Reboot),
        }
    }

    /// What the agent is and what its host's operator allows.
    ///
    /// # Errors
    /// [`AgentFailure`].
    pub async fn health(&self) -> Result<Health, AgentFailure> {
        self.get("/v1/health").await
    }

    /// Whoever wants the figures while they are asked for shares the next answer: no answer is older than its question.
    async fn stats(&self) -> Result<Stats, AgentFailure> {
        let wanted = Instant::now();
        let mut newest = self.newest.lock().await;
        if let Some(newest) = newest.as_ref().filter(|newest| newest.asked >= wanted) {
            return newest.stats.clone();
        }
        let asked = Instant::now();
        let stats = self.get("/v1/stats").await;
        *newest = Some(Newest { asked, stats: stats.clone() });
        stats
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, AgentFailure> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, document: &impl Serialize) -> Result<T, AgentFailure> {
        let body = serde_json::to_vec(document).map_err(|error| AgentFailure::Unreachable(error.to_string()))?;
        self.ask(Method::POST, path, body.into()).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T, AgentFailure> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "agent")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| AgentFailure::Unreachable(error.to_string()))?;
        let answer = timeout(TIME, self.exchange(request)).await;
        let answer =
            answer.map_err(|_| AgentFailure::Unreachable(format!("no answer within {AGENT_REQUEST_MS} ms")))??;
        if answer.status.is_success() {
            let unreadable = |error| AgentFailure::Unreachable(format!("its answer cannot be read: {error}"));
            return serde_json::from_slice(&answer.body).map_err(unreadable);
        }
        Err(match serde_json::from_slice(&answer.body) {
            Ok(error) => AgentFailure::Refused(error),
            Err(_) => AgentFailure::Unreachable(format!("status {} without a document", answer.status.as_u16())),
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, AgentFailure> {
        let unreachable = |error: &dyn std::error::Error| AgentFailure::Unreachable(error.to_string());
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|closed| unreachable(&closed))?;
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|error| {
            AgentFailure::Unreachable(format!("no agent at {} (AGENT_SOCKET): {error}", self.socket.display()))
        })?;
        let (stream, mut end) = twice(stream).map_err(|error| unreachable(&error))?;
        let mut http = Http::open(stream).await.map_err(|error| unreachable(&error))?;
        let answer = http.send(request, MAX_ANSWER).await;
        // The agent closes after its answer, and only then has it a place for another: until then the turn is not over.
        tokio::spawn(async move {
            // Whatever comes, or an agent that hangs: the place is as good as free.
            let _ = timeout(TIME, async { while matches!(end.read(&mut [0; 64]).await, Ok(1..)) {} }).await;
            drop((turn, end));
        });
        answer.map_err(|error| unreachable(&error))
    }
}

/// A connection, and a second handle on it that tells its end.
fn twice(stream: UnixStream) -> std::io::Result<(UnixStream, UnixStream)> {
    let stream = stream.into_std()?;
    let end = stream.try_clone()?;
    Ok((UnixStream::from_std(stream)?, UnixStream::from_std(end)?))
}

/// For a whole call.
const TIME: Duration = Duration::from_millis(AGENT_REQUEST_MS);

/// The largest answer: 600 points of three channels are about 60 kB.
const MAX_ANSWER: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
