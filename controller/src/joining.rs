//! The joiner's side of an invitation (DESIGN 7): the seed's certificate is checked before anything is sent, every failed try is told, and the
//! same certificate tries again, so that a lost answer costs nothing.

use std::time::Duration;

use bytes::Bytes;
use constella_core::clock::Now;
use constella_core::keys::Keys;
use constella_shared::limits::{PEER_BODY_BYTES, PEER_DIAL_MS, PEER_LATE_MS, PEER_REQUEST_MS};
use constella_shared::link::{InviteId, InviteLink, Seed, join_mac, token_hash};
use constella_shared::secret::Secret;
use constella_shared::sign::{INVITE, MAC};
use constella_shared::state::{InvitesState, NetworkState, Peer, STATE_FORMAT};
use constella_shared::wire::join::{JoinAnswer, JoinHandshake, JoinRequest};
use constella_shared::wire::more::More;
use constella_shared::wire::records::{NetValue, SelfRecord, SignedSelf, Stamp};
use constella_shared::wire::rpc::{RpcCode, RpcError};
use constella_shared::wire::{PROTOCOL, PROTOCOL_HEADER};
use http_body_util::Full;
use hyper::Request;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::VERSION;
use crate::answer::Refusal;
use crate::clock;
use crate::dial::{Dial, DialError, Origin};
use crate::founding::own_words;
use crate::http::{Answer, Http, HttpError};
use crate::identity::Identity;
use crate::tls::Expected;

/// A node that wants in.
#[derive(Debug)]
pub struct Joiner {
    /// Who; the same at every try.
    pub identity: Identity,
    /// The name it wants.
    pub name: String,
    /// Where it says it is reached; None: where it comes from.
    pub addr: Option<String>,
    /// The port it listens on.
    pub port: u16,
    /// Smaller leads.
    pub priority: u32,
    /// The invitation.
    pub link: InviteLink,
    /// Seeds besides the link's.
    pub more_seeds: Vec<Seed>,
    /// Connects.
    pub dial: Dial,
}

/// Why one try at one seed failed.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// Nothing was sent.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The connection broke; the invitation may be spent, on this node's certificate, so the next try gets the answer.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// No answer in time; as with a broken connection.
    #[error("no answer within {ANSWER_MS} ms")]
    Late,
    /// Nothing was sent: the seed's address swallows what is sent to it, or is very far.
    #[error("no connection within {PEER_DIAL_MS} ms")]
    NoConnection,
    /// The seed refused.
    #[error("{}", .0.message)]
    Refused(RpcError),
    /// The seed belongs to another network.
    #[error("that server belongs to another network; ask for a new link")]
    OtherNetwork,
    /// The versions do not meet.
    #[error("that server speaks protocol {min} to {max}, this one {PROTOCOL}; upgrade the older of the two")]
    Protocol {
        /// Oldest.
        min: u32,
        /// Newest.
        max: u32,
    },
    /// What came is no answer of a seed.
    #[error("what that server answered cannot be read")]
    Unreadable,
    /// This node cannot build the request.
    #[error("the request cannot be built")]
    Request,
}

/// Why joining ended without success. The folder is as it was, but for the node's identity.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// A refusal that no further try would change.
    #[error("{seed}: {reason}")]
    Refused {
        /// Which seed.
        seed: String,
        /// Its words.
        reason: TryError,
    },
    /// The invitation's time is over.
    #[error("the invitation has expired; the last try failed so: {0}; ask for a new link")]
    Expired(String),
}

impl Joiner {
    /// Tries every seed in turn, with growing pauses, until one lets the node in or the invitation's time is over.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn join(&self) -> Result<(NetworkState, InvitesState), JoinError> {
        let begun = clock::now();
        let mut pause = FIRST_PAUSE;
        let mut refusals = 0;
        loop {
            let mut last = String::from("there is no seed");
            let mut refused = None;
            for seed in self.link.seeds.iter().chain(&self.more_seeds) {
                match self.try_seed(seed).await {
                    Ok(answer) => return Ok(self.state_from(answer, clock::now())),
                    Err(reason) => {
                        tracing::warn!(seed = seed.addr, %reason, "join try failed");
                        last = format!("{}: {reason}", seed.addr);
                        if reason.is_final() {
                            refused = Some(JoinError::Refused { seed: seed.addr.clone(), reason });
                        }
                    }
                }
            }
            // A seed that has not heard of the invitation yet refuses it too, so only repeated words are the last word.
            refusals = if refused.is_some() { refusals + 1 } else { 0 };
            if let Some(error) = refused
                && (refusals >= FINAL_ROUNDS || !error.may_be_early())
            {
                return Err(error);
            }
            if clock::now().since(begun.boot_ms) >= self.link.ttl_s.saturating_mul(1_000) {
                return Err(JoinError::Expired(last));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_seed(&self, seed: &Seed) -> Result<JoinAnswer, TryError> {
        let path = format!("/join_handshake?net={}", self.link.network);
        let ask = Request::get(path).header(hyper::header::HOST, HOST).body(Full::new(Bytes::new()));
        let handshake: JoinHandshake = read(self.exchange(seed, ask.map_err(|_| TryError::Request)?).await?)?;
        if !handshake.net_matches {
            return Err(TryError::OtherNetwork);
        }
        if !meets(handshake.protocol_min, handshake.protocol_max) {
            return Err(TryError::Protocol { min: handshake.protocol_min, max: handshake.protocol_max });
        }
        let answer: JoinAnswer = read(self.exchange(seed, self.request()?).await?)?;
        if answer.network_id == self.link.network { Ok(answer) } else { Err(TryError::OtherNetwork) }
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, TryError> {
        let body = serde_json::to_vec(&JoinRequest {
            name: self.name.clone(),
            network_id: self.link.network,
            addr: self.addr.clone(),
            port: self.port,
            node_id: self.identity.node,
            priority: self.priority,
            version: VERSION.to_owned(),
            protocol: PROTOCOL,
            cert: self.identity.cert_base64(),
        });
        let body = body.map_err(|_| TryError::Request)?;
        let token = token_hash(&self.link.token);
        let mac = hex::encode(join_mac(&token, &self.identity.pin, &body));
        Request::post("/join")
            .header(hyper::header::HOST, HOST)
            .header(INVITE, InviteId::of(&token).to_string())
            .header(MAC, mac)
            .header(PROTOCOL_HEADER, PROTOCOL)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| TryError::Request)
    }

    /// A connection a request: a seed keeps none for a stranger. Its certificate is the link's, or nothing is sent.
    async fn exchange(&self, seed: &Seed, request: Request<Full<Bytes>>) -> Result<Answer, TryError> {
        let dialled = self.dial.connect(&seed.addr, Origin::Operator, Expected::Pin(seed.pin));
        let dialled = timeout(Duration::from_millis(PEER_DIAL_MS), dialled).await;
        let (stream, _) = dialled.map_err(|_| TryError::NoConnection)??;
        let exchange = async { Ok(Http::open(stream).await?.send(request, MAX_ANSWER).await?) };
        timeout(Duration::from_millis(ANSWER_MS), exchange).await.unwrap_or(Err(TryError::Late))
    }

    fn state_from(&self, answer: JoinAnswer, now: Now) -> (NetworkState, InvitesState) {
        let records = answer.records;
        let stamp = Stamp { unix_ms: now.unix_ms, count: 0, node: self.identity.node };
        let own = own_words(&self.identity, answer.addr, stamp);
        let words_of = |owner: &constella_shared::wire::records::OwnerRecord| {
            if owner.node == self.identity.node {
                return own.clone();
            }
            let theirs = |words: &&SignedSelf| {
                let node = serde_json::from_str::<SelfRecord>(&words.body).map(|words| words.node);
                node.is_ok_and(|node| node == owner.node) && self.identity.signer(words) == Some(owner.pin)
            };
            records.selfs.iter().find(theirs).cloned()
        };
        let peers = records.owners.iter().map(|owner| Peer { owner: owner.clone(), own: words_of(owner) }).collect();
        let network = NetworkState {
            format: STATE_FORMAT,
            network_id: answer.network_id,
            owner_username: answer.owner_username,
            network_secret: answer.network_secret,
            secret_generation: answer.secret_generation,
            own_token: None,
            peers,
            records: records.net,
            voters: records.voters.unwrap_or_default(),
            more: More::none(),
        };
        (network, InvitesState { format: STATE_FORMAT, invites: records.invites, more: More::none() })
    }
}

impl TryError {
    /// Whether the same try again can only end the same way.
    const fn is_final(&self) -> bool {
        match self {
            Self::OtherNetwork | Self::Protocol { .. } | Self::Request => true,
            Self::Refused(error) => matches!(
                error.code,
                RpcCode::BadInvite
                    | RpcCode::NameTaken
                    | RpcCode::WrongNetwork
                    | RpcCode::Protocol
                    | RpcCode::BadRequest
            ),
            Self::Dial(_) | Self::Http(_) | Self::Late | Self::NoConnection | Self::Unreadable => false,
        }
    }
}

impl JoinError {
    fn may_be_early(&self) -> bool {
        matches!(self, Self::Refused { reason: TryError::Refused(error), .. } if error.code == RpcCode::BadInvite)
    }
}

/// Each side speaks its own protocol and the one before.
const fn meets(min: u32, max: u32) -> bool {
    min <= PROTOCOL && max >= PROTOCOL - 1
}

fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, TryError> {
    if answer.status.is_success() {
        return serde_json::from_slice(&answer.body).map_err(|_| TryError::Unreadable);
    }
    let refusal: Refusal = serde_json::from_slice(&answer.body).map_err(|_| TryError::Unreadable)?;
    Err(TryError::Refused(refusal.error))
}

/// A joiner in a network that does not share its token brings one of its own, or has none.
#[must_use]
pub fn with_own_token(mut network: NetworkState, token: Option<Secret>) -> NetworkState {
    let shared = network.records.iter().any(|record| matches!(record.value, NetValue::Token { .. }));
    network.own_token = if shared { None } else { token };
    network
}

const HOST: &str = "node";

/// The seed dials back and may have to ask the holder, within its own limit; then its answer is on the way.
const ANSWER_MS: u64 = PEER_REQUEST_MS + PEER_LATE_MS / 2;

/// The roster comes with the answer.
#[expect(clippy::cast_possible_truncation, reason = "4 MiB")]
const MAX_ANSWER: usize = PEER_BODY_BYTES as usize;

/// Rounds in which an invitation must be refused before that is believed: it may not have reached the seed yet.
const FINAL_ROUNDS: u32 = 3;

const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Well within an invitation of a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_of_the_version_before_or_after_lets_in() {
        // S7: a network is upgraded node by node, and joined meanwhile
        let met = [(1, 1), (1, 2), (2, 3), (3, 4), (0, 0)].map(|(min, max)| meets(min, max));
        assert_eq!(met, [true, true, true, false, false]);
    }
}
