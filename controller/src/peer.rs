//! Requests to members: signed (S1), over pinned and kept-alive connections, each with exactly one answer within its time.

pub mod pool;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use constella_core::io::{CallError, PeerRequest, PeerResponse};
use constella_shared::ids::{NodeId, Pin};
use constella_shared::limits::PEER_BODY_BYTES;
use constella_shared::sign::{Envelope, Message};
use constella_shared::wire::rpc::{Request, Response, RpcCode};
use constella_shared::wire::speaks::Speaks;
use constella_shared::wire::{PROTOCOL, PROTOCOL_HEADER};
use http_body_util::Full;
use tokio::time::timeout;

use crate::answer::{Refusal, read_rpc};
use crate::clock;
use crate::dial::{Dial, DialError, Origin};
use crate::http::{Answer, Http, HttpError};
use crate::members::{Members, Row};
use crate::tls::Expected;
use pool::Pool;

/// Calls members.
#[derive(Debug)]
pub struct Peers {
    members: Members,
    dial: Dial,
    pool: Pool,
}

/// Where a request goes.
#[derive(Debug, Clone)]
struct Target {
    node: NodeId,
    pin: Pin,
    addr: String,
    origin: Origin,
}

/// A request as bytes.
struct Body {
    path: &'static str,
    bytes: Bytes,
}

impl Peers {
    /// Over these members.
    #[must_use]
    pub fn new(members: Members, dial: Dial) -> Self {
        Self { members, dial, pool: Pool::default() }
    }

    /// Asks a member at its published address.
    ///
    /// # Errors
    /// [`CallError`]: whether the request may have arrived is always told apart.
    pub async fn call(&self, to: NodeId, limit: Duration, request: &PeerRequest) -> Result<PeerResponse, CallError> {
        let unknown = |what: &str| CallError::NotSent(format!("{what} {}", to.short()));
        let Row { pin, addr, .. } = self.members.row(&to).ok_or_else(|| unknown("there is no member"))?;
        let addr = addr.ok_or_else(|| unknown("nobody has told the address of"))?;
        self.bounded(Target { node: to, pin, addr, origin: Origin::Peer }, limit, request).await
    }

    /// Asks the member at an address that the operator typed; who is there is seen by its certificate.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call_at(&self, addr: &str, limit: Duration, request: Request) -> Result<Response, CallError> {
        let met = timeout(limit, self.dial.connect(addr, Origin::Operator, Expected::Anybody)).await;
        let (_, pin) = met
            .map_err(|_| CallError::NotSent(format!("nobody answers at {addr}")))?
            .map_err(|error| CallError::NotSent(error.to_string()))?;
        let node = self.members.node_of(&pin);
        let node = node.ok_or_else(|| CallError::NotSent(format!("who answers at {addr} is no member")))?;
        let target = Target { node, pin, addr: addr.to_owned(), origin: Origin::Operator };
        match self.bounded(target, limit, &PeerRequest::Rpc(request)).await? {
            PeerResponse::Rpc(response) => Ok(response),
            PeerResponse::Heartbeat(_) | PeerResponse::Announced => {
                Err(CallError::Lost("another kind of answer came".into()))
            }
        }
    }

    /// Closes connections that were idle for too long.
    pub fn sweep(&self) {
        self.pool.sweep();
    }

    async fn bounded(&self, to: Target, limit: Duration, request: &PeerRequest) -> Result<PeerResponse, CallError> {
        let sent = AtomicBool::new(false);
        let result = match timeout(limit, self.with_retry(&to, request, &sent)).await {
            Ok(result) => result,
            Err(_) => {
                let ms = limit.as_millis();
                Err(if sent.load(Ordering::Relaxed) {
                    CallError::Lost(format!("no answer within {ms} ms"))
                } else {
                    CallError::NotSent(format!("no connection within {ms} ms"))
                })
            }
        };
        if !matches!(result, Ok(_) | Err(CallError::Refused(_))) {
            // What else is open to it is as dead as this one was, most likely.
            self.pool.forget(&to.node);
        }
        read(request, result?)
    }

    /// A refusal for an earlier start tells today's generation; nothing was done there, so asking once more is safe.
    async fn with_retry(&self, to: &Target, request: &PeerRequest, sent: &AtomicBool) -> Result<Answer, CallError> {
        let first = self.once(to, &self.body(to, request)?, sent).await;
        match first.as_ref().map(refusal) {
            Ok(Some(Refusal { error, generation: Some(generation), .. })) if error.code == RpcCode::EarlierBoot => {
                self.members.learn_generation(to.node, generation);
                // It may be of another version than the start before, and has just announced which.
                self.once(to, &self.body(to, request)?, sent).await
            }
            Ok(_) | Err(_) => first,
        }
    }

    async fn once(&self, to: &Target, body: &Body, sent: &AtomicBool) -> Result<Answer, CallError> {
        while let Some(mut http) = self.pool.take(to) {
            sent.store(true, Ordering::Relaxed);
            match http.send(self.sealed(to, body)?, MAX_ANSWER).await {
                Ok(answer) => return Ok(self.kept(to, http, answer)),
                // It had closed while it was idle; the next, or a new one, gets the request.
                Err(HttpError::NotSent) => sent.store(false, Ordering::Relaxed),
                Err(error @ HttpError::Lost(_)) => return Err(CallError::Lost(error.to_string())),
            }
        }
        let dialled = self.dial.connect(&to.addr, to.origin, Expected::Pin(to.pin)).await;
        let (stream, _) = dialled.map_err(|error| not_connected(&error))?;
        let mut http = Http::open(stream).await.map_err(|error| CallError::NotSent(error.to_string()))?;
        sent.store(true, Ordering::Relaxed);
        match http.send(self.sealed(to, body)?, MAX_ANSWER).await {
            Ok(answer) => Ok(self.kept(to, http, answer)),
            Err(error @ HttpError::NotSent) => Err(CallError::NotSent(error.to_string())),
            Err(error @ HttpError::Lost(_)) => Err(CallError::Lost(error.to_string())),
        }
    }

    fn kept(&self, to: &Target, http: Http, answer: Answer) -> Answer {
        self.pool.keep(to, http);
        self.members.hear_protocol(to.node, answer.protocol);
        answer
    }

    /// As the other side understands it (S7).
    fn body(&self, to: &Target, request: &PeerRequest) -> Result<Body, CallError> {
        let bytes =
            body(self.members.speaks(&to.node), request).map_err(|error| CallError::NotSent(error.to_string()))?;
        bytes.ok_or_else(|| CallError::NotSent("that node is of an older version, which has no words for this".into()))
    }

    fn sealed(&self, to: &Target, body: &Body) -> Result<hyper::Request<Full<Bytes>>, CallError> {
        let failed = |what: &str| CallError::NotSent(what.to_owned());
        let network = self.members.network().ok_or_else(|| failed("this node is not in a network yet"))?;
        let row = self.members.row(&to.node).ok_or_else(|| failed("it is no member any more"))?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| failed("the kernel has no randomness"))?;
        let envelope = Envelope {
            sender: self.members.me().node,
            recipient: to.node,
            recipient_generation: row.generation,
            secret_generation: network.secret_generation,
            unix_ms: clock::now().unix_ms,
            nonce,
        };
        let message = Message { method: "POST", path: body.path, query: "", body: &body.bytes };
        let mut request =
            hyper::Request::post(body.path).header(hyper::header::HOST, "node").header(PROTOCOL_HEADER, PROTOCOL);
        for (name, value) in envelope.seal(&network.secret, &message).headers() {
            request = request.header(name, value);
        }
        request.body(Full::new(body.bytes.clone())).map_err(|_| failed("the request cannot be built"))
    }
}

fn not_connected(error: &DialError) -> CallError {
    match error {
        DialError::Refused(_) => CallError::PortClosed(error.to_string()),
        DialError::Address(_)
        | DialError::Name(_)
        | DialError::Closed(_)
        | DialError::WrongPin(_)
        | DialError::NoNode(_) => CallError::NotSent(error.to_string()),
    }
}

/// An answer is no larger than a request may be.
const MAX_ANSWER: usize = {
    assert!(PEER_BODY_BYTES <= 1 << 30, "fits a usize of 32 bits");
    #[expect(clippy::cast_possible_truncation, reason = "asserted above")]
    let limit = PEER_BODY_BYTES as usize;
    limit
};

/// None where the reader has no words for it.
fn body(reader: Speaks, request: &PeerRequest) -> Result<Option<Body>, serde_json::Error> {
    let (path, bytes) = match request {
        PeerRequest::Heartbeat(heartbeat) => ("/health", serde_json::to_vec(&*reader.heartbeat(heartbeat))?),
        PeerRequest::Announce(records) => ("/announce", serde_json::to_vec(&*reader.records(records))?),
        PeerRequest::Rpc(request) => match reader.request(request) {
            Some(request) => ("/rpc", serde_json::to_vec(&*request)?),
            None => return Ok(None),
        },
    };
    Ok(Some(Body { path, bytes: bytes.into() }))
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    if answer.status.is_success() { None } else { serde_json::from_slice(&answer.body).ok() }
}

/// The answer as the request's kind of answer. One that cannot be read counts as lost: the request did arrive.
fn read(request: &PeerRequest, answer: Answer) -> Result<PeerResponse, CallError> {
    if !answer.status.is_success() {
        return Err(match refusal(&answer) {
            Some(Refusal { error, .. }) => {
                if error.code == RpcCode::BadRequest {
                    tracing::warn!(why = error.message, "a member cannot read a request of this node");
                }
                CallError::Refused(error)
            }
            None => CallError::Lost(format!("status {} without a document", answer.status.as_u16())),
        });
    }
    let unreadable = |error: serde_json::Error| CallError::Lost(format!("the answer cannot be read: {error}"));
    Ok(match request {
        PeerRequest::Heartbeat(_) => PeerResponse::Heartbeat(serde_json::from_slice(&answer.body).map_err(unreadable)?),
        PeerRequest::Announce(_) => PeerResponse::Announced,
        PeerRequest::Rpc(_) => PeerResponse::Rpc(read_rpc(&answer.body).map_err(unreadable)?),
    })
}
