//! Requests to members: signed (S1), over pinned and kept-alive connections, each with exactly one answer within its time.

mod flights;
pub mod pool;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use constella_core::io::{CallError, Input, PeerRequest, PeerResponse};
use constella_shared::ids::{NodeId, Pin};
use constella_shared::limits::{PEER_BODY_BYTES, PEER_DIAL_MS, PEER_LATE_MS};
use constella_shared::sign::{Envelope, Message};
use constella_shared::wire::rpc::{Request, Response, RpcCode};
use constella_shared::wire::speaks::Speaks;
use constella_shared::wire::{PROTOCOL, PROTOCOL_HEADER};
use http_body_util::Full;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::answer::{Refusal, read_rpc};
use crate::clock;
use crate::dial::{Dial, DialError, Origin};
use crate::http::{Answer, Http, HttpError};
use crate::inbox::Inbox;
use crate::members::{Members, Row};
use crate::tls::Expected;
use flights::Flights;
use pool::{Begun, Pool, Taken};

/// Calls members. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Peers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    members: Members,
    dial: Dial,
    pool: Pool,
    flights: Flights,
    /// Where measured round trips are told.
    inbox: Option<Inbox>,
}

/// Where a request goes.
#[derive(Debug, Clone)]
struct Target {
    node: NodeId,
    pin: Pin,
    addr: String,
}

/// Until when a call is waited for.
#[derive(Debug, Clone, Copy)]
struct Limit {
    at: Instant,
    ms: u128,
}

/// A request as bytes.
struct Body {
    path: &'static str,
    bytes: Bytes,
    /// The other side answers it at once, from memory or after one write to its disk: it tells how long the way is.
    measures: bool,
}

impl Peers {
    /// Over these members.
    #[must_use]
    pub fn new(members: Members, dial: Dial) -> Self {
        Self(Arc::new(Shared { members, dial, pool: Pool::default(), flights: Flights::default(), inbox: None }))
    }

    /// The same, and the core learns each round trip that was measured.
    #[must_use]
    pub fn measuring(members: Members, dial: Dial, inbox: Inbox) -> Self {
        let (pool, flights) = (Pool::default(), Flights::default());
        Self(Arc::new(Shared { members, dial, pool, flights, inbox: Some(inbox) }))
    }

    /// Asks a member at its published address.
    ///
    /// # Errors
    /// [`CallError`]: whether the request may have arrived is always told apart.
    pub async fn call(&self, to: NodeId, limit: Duration, request: &PeerRequest) -> Result<PeerResponse, CallError> {
        let limit = Limit::of(limit);
        let unknown = |what: &str| CallError::NotSent(format!("{what} {}", to.short()));
        let _flight = self.0.flights.begin(to).ok_or_else(|| unknown("too many calls are under way to"))?;
        let Row { pin, addr, .. } = self.0.members.row(&to).ok_or_else(|| unknown("there is no member"))?;
        let addr = addr.ok_or_else(|| unknown("nobody has told the address of"))?;
        let to = Target { node: to, pin, addr };
        let mut result = self.once(&to, &self.0.body(&to, request)?, limit).await;
        if self.0.met_a_later_start(&to, &result) {
            result = self.once(&to, &self.0.body(&to, request)?, limit).await;
        }
        read(request, result?)
    }

    /// Asks the member at an address that the operator typed; who is there is seen by its certificate. The connection is nobody else's.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call_at(&self, addr: &str, limit: Duration, request: Request) -> Result<Response, CallError> {
        let limit = Limit::of(limit);
        let met = timeout_at(limit.at, self.0.dial.connect(addr, Origin::Operator, Expected::Anybody)).await;
        let (stream, pin) = met
            .map_err(|_| CallError::NotSent(format!("nobody answers at {addr}")))?
            .map_err(|error| CallError::NotSent(error.to_string()))?;
        let node = self.0.members.node_of(&pin);
        let node = node.ok_or_else(|| CallError::NotSent(format!("who answers at {addr} is no member")))?;
        let mut http = Http::open(stream).await.map_err(|error| failed(&error))?;
        let to = Target { node, pin, addr: addr.to_owned() };
        let request = PeerRequest::Rpc(request);
        let mut result = self.0.once_on(&mut http, &to, &self.0.body(&to, &request)?, limit).await;
        if self.0.met_a_later_start(&to, &result) {
            result = self.0.once_on(&mut http, &to, &self.0.body(&to, &request)?, limit).await;
        }
        match read(&request, result?)? {
            PeerResponse::Rpc(response) => Ok(response),
            PeerResponse::Heartbeat(_) | PeerResponse::Announced => {
                Err(CallError::Lost("another kind of answer came".into()))
            }
        }
    }

    /// Closes connections that were idle for too long.
    pub fn sweep(&self) {
        self.0.pool.sweep();
    }

    /// One request on a connection of the pool, or on the next that is made. Nothing is sent after the limit.
    async fn once(&self, to: &Target, body: &Body, limit: Limit) -> Result<Answer, CallError> {
        loop {
            let (taken, begun) = self.0.pool.take(to);
            self.dial(to, begun);
            let http = match taken {
                Taken::Open(http) => http,
                Taken::Later(later) => match timeout_at(limit.at, later).await {
                    Ok(Ok(Ok(http))) => http,
                    Ok(Ok(Err(why))) => {
                        // What else is open to it is as dead as this one, most likely.
                        self.0.pool.forget(&to.node);
                        return Err(why);
                    }
                    Ok(Err(_)) => return Err(CallError::NotSent("it has another address now".into())),
                    Err(_) => return Err(CallError::NotSent(format!("no connection within {} ms", limit.ms))),
                },
            };
            let sealed = self.0.sealed(to, body)?;
            let answer = self.exchange(to, http, sealed, limit, body.measures);
            match timeout_at(limit.at, answer).await {
                Ok(Ok(Ok(answer))) => return Ok(answer),
                // It had closed while it was idle; the next, or a new one, gets the request.
                Ok(Ok(Err(HttpError::NotSent))) => {}
                Ok(Ok(Err(error @ HttpError::Lost(_)))) => {
                    self.0.pool.forget(&to.node);
                    return Err(failed(&error));
                }
                Ok(Err(_)) | Err(_) => {
                    self.dial(to, self.0.pool.renew(to));
                    return Err(limit.no_answer());
                }
            }
        }
    }

    /// The answer is taken from the wire also when it comes after the limit: the connection is as good as before, and how long the way is
    /// becomes known.
    fn exchange(
        &self,
        to: &Target,
        mut http: Http,
        request: hyper::Request<Full<Bytes>>,
        limit: Limit,
        measures: bool,
    ) -> oneshot::Receiver<Result<Answer, HttpError>> {
        let (sender, receiver) = oneshot::channel();
        let (shared, to) = (Arc::clone(&self.0), to.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let late = limit.at + Duration::from_millis(PEER_LATE_MS);
            let Ok(result) = timeout_at(late, http.send(request, MAX_ANSWER)).await else { return };
            if let Ok(answer) = &result {
                let took = began.elapsed();
                shared.members.hear_protocol(to.node, answer.protocol);
                shared.pool.keep(&to, http);
                if measures {
                    shared.tell(to.node, took, false).await;
                }
            }
            // Who asked may have given up: then nobody misses the answer.
            let _ = sender.send(result);
        });
        receiver
    }

    /// Makes a connection for whoever waits for one when it is there.
    fn dial(&self, to: &Target, begun: Option<Begun>) {
        let Some(begun) = begun else { return };
        let (shared, to) = (Arc::clone(&self.0), to.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let dialled = shared.dial.connect(&to.addr, Origin::Peer, Expected::Pin(to.pin));
            let result = match timeout(Duration::from_millis(PEER_DIAL_MS), dialled).await {
                Ok(Ok((stream, _))) => Http::open(stream).await.map_err(|error| failed(&error)),
                Ok(Err(error)) => Err(not_connected(&error)),
                Err(_) => Err(CallError::NotSent(format!("no connection within {PEER_DIAL_MS} ms"))),
            };
            let took = result.is_ok().then(|| began.elapsed());
            if let Some(took) = took {
                shared.pool.measured(&to, took.as_millis());
            }
            shared.pool.dialled(&to, begun, result);
            if let Some(took) = took {
                // TCP takes one round trip, TLS 1.3 another.
                shared.tell(to.node, took / 2, true).await;
            }
        });
    }
}

impl Shared {
    async fn tell(&self, with: NodeId, took: Duration, dialled: bool) {
        if let Some(inbox) = &self.inbox {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            inbox.input(Input::RoundTrip { with, ms, dialled }).await;
        }
    }

    /// One request on a connection that is nobody else's.
    async fn once_on(&self, http: &mut Http, to: &Target, body: &Body, limit: Limit) -> Result<Answer, CallError> {
        let sealed = self.sealed(to, body)?;
        let answer = timeout_at(limit.at, http.send(sealed, MAX_ANSWER)).await;
        let answer = answer.map_err(|_| limit.no_answer())?.map_err(|error| failed(&error))?;
        self.members.hear_protocol(to.node, answer.protocol);
        Ok(answer)
    }

    /// A refusal for an earlier start tells today's generation; nothing was done there, so asking once more is safe. That start may be of another
    /// version, and has just announced which.
    fn met_a_later_start(&self, to: &Target, result: &Result<Answer, CallError>) -> bool {
        match result.as_ref().map(refusal) {
            Ok(Some(Refusal { error, generation: Some(generation), .. })) if error.code == RpcCode::EarlierBoot => {
                self.members.learn_generation(to.node, generation);
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// As the other side understands it (S7).
    fn body(&self, to: &Target, request: &PeerRequest) -> Result<Body, CallError> {
        let body =
            body(self.members.speaks(&to.node), request).map_err(|error| CallError::NotSent(error.to_string()))?;
        body.ok_or_else(|| CallError::NotSent("that node is of an older version, which has no words for this".into()))
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

impl Limit {
    fn of(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, ms: limit.as_millis() }
    }

    fn no_answer(self) -> CallError {
        CallError::Lost(format!("no answer within {} ms", self.ms))
    }
}

fn failed(error: &HttpError) -> CallError {
    match error {
        HttpError::NotSent => CallError::NotSent(error.to_string()),
        HttpError::Lost(_) => CallError::Lost(error.to_string()),
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
    let measures = matches!(request, PeerRequest::Heartbeat(_) | PeerRequest::Rpc(Request::LeaseAcquire(_)));
    Ok(Some(Body { path, bytes: bytes.into(), measures }))
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
