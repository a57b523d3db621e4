//! Nodes with a listener and a client of their own; behind the listener the test plays the core and counts what reached it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use constella_controller::admission::Joins;
use constella_controller::answer::Refusal;
use constella_controller::clock;
use constella_controller::dial::{Dial, Origin};
use constella_controller::http::{Answer, Http};
use constella_controller::identity::Identity;
use constella_controller::inbox::{Event, Inbox};
use constella_controller::members::Members;
use constella_controller::peer::Peers;
use constella_controller::routes::Context;
use constella_controller::server::{Server, bind};
use constella_controller::tls::{Dialler, Expected, server_config};
use constella_controller::verify::Verifier;
use constella_core::io::{JoinAttempt, PeerRequest, PeerResponse, PinnedPeer};
use constella_shared::ids::{Generation, NetworkId, NodeId, Term};
use constella_shared::secret::Secret;
use constella_shared::sign::{Envelope, Message};
use constella_shared::state::{NetworkState, Peer, STATE_FORMAT};
use constella_shared::wire::heartbeat::{Digest, Facts, Heartbeat};
use constella_shared::wire::join::JoinAnswer;
use constella_shared::wire::records::{OwnerRecord, Stamp, VoterRecord};
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};
use http_body_util::Full;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub(crate) const SKEW_MS: u64 = 30_000;
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Answers a join as the test's core would.
pub(crate) type OnJoin = Arc<dyn Fn(&JoinAttempt) -> Result<JoinAnswer, RpcError> + Send + Sync>;

/// A node without a brain.
pub(crate) struct Rig {
    pub(crate) identity: Identity,
    pub(crate) members: Members,
    pub(crate) peers: Peers,
    pub(crate) dial: Dial,
    pub(crate) addr: SocketAddr,
    pub(crate) server: Option<Server>,
    /// Requests that reached the core.
    pub(crate) reached: Arc<AtomicUsize>,
    /// Joins that reached the core.
    pub(crate) attempts: Arc<Mutex<Vec<JoinAttempt>>>,
    /// How long the core thinks.
    pub(crate) delay: Arc<Mutex<Duration>>,
}

impl Rig {
    /// A node in a network, at start 7, that knows nobody yet.
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_with(name, Arc::new(|_| Err(RpcError { code: RpcCode::BadInvite, message: "unknown".into() })))
            .await
    }

    /// The same with a core that answers joins.
    pub(crate) async fn start_with(name: &str, on_join: OnJoin) -> Self {
        let identity = Identity::generate(name).unwrap();
        let members = Members::new(identity.node, identity.pin);
        members.set_network(&network(&identity, name));
        members.set_generation(Generation(7));
        members.set_pins(Vec::new());
        Self::serve(identity, members, "127.0.0.1:0".parse().unwrap(), on_join).await
    }

    pub(crate) async fn serve(identity: Identity, members: Members, at: SocketAddr, on_join: OnJoin) -> Self {
        let (inbox, mut events) = Inbox::new();
        let context = Arc::new(Context {
            members: members.clone(),
            verifier: Verifier::new(members.clone(), SKEW_MS),
            inbox,
            bodies: constella_controller::bodies::Bodies::default(),
            joins: Joins::default(),
            version: "9.9.9".into(),
        });
        let listener = bind(at).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = Server::start(listener, server_config(&identity).unwrap(), context);
        let dial = Dial::new(Dialler::new(&identity).unwrap(), true);
        let (reached, attempts) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let delay = Arc::new(Mutex::new(Duration::ZERO));
        let core = (Arc::clone(&reached), Arc::clone(&attempts), Arc::clone(&delay));
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let pause = *core.2.lock().unwrap();
                tokio::time::sleep(pause).await;
                match event {
                    Event::Peer(_, request, reply) => {
                        core.0.fetch_add(1, Ordering::SeqCst);
                        let _ = reply.send(Ok(response(&request)));
                    }
                    Event::Join(attempt, reply) => {
                        let _ = reply.send(on_join(&attempt));
                        core.1.lock().unwrap().push(attempt);
                    }
                    Event::Operator(..) | Event::Input(_) => panic!("not asked here"),
                }
            }
        });
        let peers = Peers::new(members.clone(), dial.clone());
        Self { identity, members, peers, dial, addr, server: Some(server), reached, attempts, delay }
    }

    /// This node as another knows it.
    pub(crate) fn pinned(&self) -> PinnedPeer {
        let generation = Some(self.members.me().generation);
        PinnedPeer { node: self.identity.node, pin: self.identity.pin, addr: Some(self.addr.to_string()), generation }
    }

    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    /// Asks another node over the product's client.
    pub(crate) async fn ask(&self, to: &Self) -> Result<PeerResponse, constella_core::io::CallError> {
        self.peers.call(to.identity.node, LIMIT, &PeerRequest::Rpc(Request::GetPeers {})).await
    }

    /// A TLS connection with this node's certificate.
    pub(crate) async fn tls(&self, to: &Self) -> TlsStream<TcpStream> {
        let expected = Expected::Pin(to.identity.pin);
        self.dial.connect(&to.addr.to_string(), Origin::Peer, expected).await.unwrap().0
    }

    /// What this node would say about a request to another, as it should be said.
    pub(crate) fn envelope(&self, to: &Self) -> Envelope {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).unwrap();
        Envelope {
            sender: self.identity.node,
            recipient: to.identity.node,
            recipient_generation: to.members.me().generation,
            secret_generation: 1,
            unix_ms: clock::now().unix_ms,
            nonce,
        }
    }
}

/// Two nodes that know each other.
pub(crate) async fn pair() -> (Rig, Rig) {
    let (alpha, beta) = (Rig::start("alpha").await, Rig::start("beta").await);
    alpha.members.set_pins(vec![beta.pinned()]);
    beta.members.set_pins(vec![alpha.pinned()]);
    (alpha, beta)
}

/// The secret of the test's network.
pub(crate) fn secret() -> Secret {
    Secret::new("5e".repeat(32))
}

pub(crate) fn network(identity: &Identity, name: &str) -> NetworkState {
    let stamp = Stamp { unix_ms: 1, count: 0, node: identity.node };
    let owner = OwnerRecord {
        node: identity.node,
        stamp,
        term: Term(0),
        name: name.into(),
        priority: 100,
        pin: identity.pin,
        admitted_by: identity.node,
        removed: false,
        more: constella_shared::wire::more::More::none(),
    };
    NetworkState {
        format: STATE_FORMAT,
        network_id: NetworkId([4; 32]),
        owner_username: "owner".into(),
        network_secret: secret(),
        secret_generation: 1,
        own_token: None,
        peers: vec![Peer { owner, own: None }],
        records: Vec::new(),
        voters: VoterRecord { new: vec![identity.node], ..VoterRecord::default() },
        more: constella_shared::wire::more::More::none(),
    }
}

pub(crate) fn heartbeat() -> Heartbeat {
    Heartbeat {
        swim: vec!["AAAA".into()],
        roster: Digest(1),
        view: Digest(2),
        lease: None,
        facts: Facts {
            generation: Generation(7),
            boot_ms: 1,
            unix_ms: 2,
            up_ms: 3,
            ready: true,
            reaches_voters: true,
            stopping: false,
            sees: 2,
            glance: None,
            disk: None,
        },
    }
}

fn response(request: &PeerRequest) -> PeerResponse {
    match request {
        PeerRequest::Heartbeat(_) => PeerResponse::Heartbeat(heartbeat()),
        PeerRequest::Announce(_) => PeerResponse::Announced,
        PeerRequest::Rpc(Request::GetPeers {}) => PeerResponse::Rpc(Response::Peers { peers: Vec::new() }),
        PeerRequest::Rpc(_) => PeerResponse::Rpc(Response::Done),
    }
}

/// A request by hand.
#[derive(Clone)]
pub(crate) struct Raw {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    /// A signed `POST`.
    pub(crate) fn sealed(path: &str, envelope: Envelope, secret: &Secret, body: &[u8]) -> Self {
        let message = Message { method: "POST", path, query: "", body };
        let headers = envelope.seal(secret, &message).headers();
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { method: "POST", target: path.into(), headers, body: body.to_vec() }
    }

    pub(crate) fn bare(method: &'static str, target: &str, body: &[u8]) -> Self {
        Self { method, target: target.into(), headers: BTreeMap::new(), body: body.to_vec() }
    }

    /// As it goes over the wire, closing afterwards.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        [head.into_bytes(), self.body.clone()].concat()
    }

    pub(crate) async fn send(&self, stream: TlsStream<TcpStream>) -> Answer {
        let mut http = Http::open(stream).await.unwrap();
        self.send_on(&mut http).await
    }

    pub(crate) async fn send_on(&self, http: &mut Http) -> Answer {
        let mut request = hyper::Request::builder().method(self.method).uri(&self.target).header("host", "node");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.body.clone()))).unwrap();
        tokio::time::timeout(LIMIT, http.send(request, 1 << 20)).await.unwrap().unwrap()
    }
}

/// The refusal in an answer.
pub(crate) fn refusal(answer: &Answer) -> Refusal {
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    assert_eq!(answer.status, constella_controller::answer::status(refusal.error.code));
    refusal
}

pub(crate) fn code(answer: &Answer) -> RpcCode {
    refusal(answer).error.code
}

/// Waits for a condition, up to a deadline.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An id that nobody has.
pub(crate) const NOBODY: NodeId = NodeId([0xee; 32]);
