//! Founding a network: what `init` writes. Pure; whoever calls it stores the result.

use constella_core::clock::Now;
use constella_core::keys::Keys;
use constella_shared::ids::{NetworkId, NodeId, Term, TokenHash};
use constella_shared::link::token_hash;
use constella_shared::secret::Secret;
use constella_shared::state::{InvitesState, NetworkState, Peer, STATE_FORMAT};
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::more::More;
use constella_shared::wire::records::{
    NetRecord, NetValue, OwnerRecord, SelfRecord, SignedSelf, Stamp, VoterRecord, VotersMark,
};

use crate::VERSION;
use crate::identity::Identity;

/// What a network is founded with.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The founder's name.
    pub name: String,
    /// Where it is reached, `host:port`.
    pub addr: String,
    /// Smaller leads.
    pub priority: u32,
    /// The owner's Telegram name, without `@`.
    pub owner: String,
    /// SHA-256 of the code in the owner link.
    pub claim: TokenHash,
    /// The bot's token.
    pub token: Secret,
    /// Whether members get the token with the roster.
    pub share_token: bool,
    /// The bot, where `getMe` answered: id and user name.
    pub bot: Option<(i64, String)>,
    /// The network.
    pub network: NetworkId,
    /// Hex of 32 bytes.
    pub secret: Secret,
}

/// Randomness that the kernel did not give. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[error("the kernel gives no randomness")]
pub struct NoRandomness;

/// 32 bytes of the kernel's randomness in hex: a secret, a network's id, or an owner's code.
///
/// # Errors
/// [`NoRandomness`], e.g. in a chroot without `/dev` on an old kernel.
pub fn random_hex<const BYTES: usize>() -> Result<Secret, NoRandomness> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(Secret::new(hex::encode(bytes)))
}

/// A network's id, from randomness.
///
/// # Errors
/// [`NoRandomness`].
pub fn random_network() -> Result<NetworkId, NoRandomness> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(NetworkId(bytes))
}

/// The first state of the network's first node.
#[must_use]
pub fn found(identity: &Identity, founding: Founding, now: Now) -> (NetworkState, InvitesState) {
    let node = identity.node;
    let stamp = Stamp { unix_ms: now.unix_ms, count: 0, node };
    let record = |value| NetRecord::new(stamp, Term(0), value);
    let owner = NetValue::Owner { username: founding.owner.clone(), telegram_id: None, claim: Some(founding.claim) };
    let mut records = vec![record(owner)];
    if let Some((id, username)) = founding.bot {
        records.push(record(NetValue::Bot { id, username }));
    }
    let own_token = if founding.share_token {
        records.push(record(NetValue::Token { token: founding.token }));
        None
    } else {
        Some(founding.token)
    };
    let peer = Peer {
        owner: OwnerRecord {
            node,
            stamp,
            term: Term(0),
            name: founding.name,
            priority: founding.priority,
            pin: identity.pin,
            admitted_by: node,
            removed: false,
            more: More::none(),
        },
        own: own_words(identity, founding.addr, stamp),
    };
    let state = NetworkState {
        format: STATE_FORMAT,
        network_id: founding.network,
        owner_username: founding.owner,
        network_secret: founding.secret,
        secret_generation: 1,
        own_token,
        peers: vec![peer],
        records,
        voters: VoterRecord { mark: VotersMark { number: 1, term: Term(0) }, old: Vec::new(), new: vec![node] },
        more: More::none(),
    };
    (state, InvitesState { format: STATE_FORMAT, invites: Vec::new(), more: More::none() })
}

/// This node's signed `self` record.
#[must_use]
pub fn own_words(identity: &Identity, addr: String, stamp: Stamp) -> Option<SignedSelf> {
    let words = SelfRecord { node: identity.node, stamp, addr, version: VERSION.to_owned(), protocol: PROTOCOL };
    serde_json::to_string(&words).ok().map(|body| identity.sign(body))
}

/// The address in this node's own words, as they are stored.
#[must_use]
pub fn stored_addr(state: &NetworkState, node: NodeId) -> Option<String> {
    let own = state.peers.iter().find(|peer| peer.owner.node == node)?.own.as_ref()?;
    serde_json::from_str::<SelfRecord>(&own.body).ok().map(|words| words.addr)
}

/// Whether members of this network get the token with the roster: its founder put it there, or did not.
#[must_use]
pub fn shares_token(state: &NetworkState) -> bool {
    state.records.iter().any(|record| matches!(record.value, NetValue::Token { .. }))
}

/// The owner link, where the bot's name is known.
#[must_use]
pub fn owner_link(bot: &str, code: &Secret) -> Secret {
    Secret::new(format!("https://t.me/{bot}?start={}", code.expose()))
}

/// The claim of a code.
#[must_use]
pub fn claim(code: &Secret) -> TokenHash {
    token_hash(code)
}
