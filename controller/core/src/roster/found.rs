//! How a node comes to its first state: by founding a network (`init`), or by a join's answer.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{NetworkId, NodeId, Pin, Term, TokenHash};
use constella_shared::secret::Secret;
use constella_shared::state::{InvitesState, NetworkState, Peer, STATE_FORMAT};
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::join::JoinAnswer;
use constella_shared::wire::more::More;
use constella_shared::wire::records::{
    NetRecord, NetValue, OwnerRecord, SelfRecord, SignedSelf, Stamp, VoterRecord, VotersMark,
};

use super::hlc::Hlc;
use super::{OpenError, Roster, name};
use crate::clock::Now;
use crate::keys::Keys;

/// What a network is founded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The network: 32 bytes from the kernel.
    pub network_id: NetworkId,
    /// Hex of 32 bytes from the kernel.
    pub secret: Secret,
    /// The founder.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Smaller leads.
    pub priority: u32,
    /// Its certificate.
    pub pin: Pin,
    /// Where it is reached, `host:port`.
    pub addr: String,
    /// Version of its controller.
    pub version: String,
    /// Telegram user name of the owner, without `@`.
    pub owner_username: String,
    /// SHA-256 of the code in the owner link.
    pub claim: Option<TokenHash>,
    /// The bot token, where there is one already.
    pub token: Option<Secret>,
    /// Whether the token is a record of the network; otherwise each node has its own.
    pub share_token: bool,
}

/// The state of a network of one, which votes for itself.
///
/// # Errors
/// Says what is wrong with the founder's name.
pub fn found(now: Now, founding: Founding, keys: &dyn Keys) -> Result<NetworkState, name::NameError> {
    name::check(&founding.name)?;
    let node = founding.node;
    let mut hlc = Hlc::default();
    let mut stamp = || hlc.next(now, node);
    let own = Roster::signed(
        SelfRecord { node, stamp: stamp(), addr: founding.addr, version: founding.version, protocol: PROTOCOL },
        keys,
    );
    let owner = OwnerRecord {
        node,
        stamp: stamp(),
        term: Term(0),
        name: founding.name,
        priority: founding.priority,
        pin: founding.pin,
        admitted_by: node,
        removed: false,
        more: More::none(),
    };
    let net = |stamp: Stamp, value| NetRecord::new(stamp, Term(0), value);
    let username = founding.owner_username.clone();
    let mut records = Vec::from([net(stamp(), NetValue::Owner { username, telegram_id: None, claim: founding.claim })]);
    let (shared, own_token) = if founding.share_token { (founding.token, None) } else { (None, founding.token) };
    records.extend(shared.map(|token| net(stamp(), NetValue::Token { token })));
    Ok(NetworkState {
        format: STATE_FORMAT,
        network_id: founding.network_id,
        owner_username: founding.owner_username,
        network_secret: founding.secret,
        secret_generation: 1,
        own_token,
        peers: Vec::from([Peer { owner, own: Some(own.signed) }]),
        records,
        voters: VoterRecord { mark: VotersMark { number: 1, term: Term(0) }, old: Vec::new(), new: Vec::from([node]) },
        more: More::none(),
    })
}

/// The state of a node that was let in, from the answer to its join. Its own words are signed when it opens the roster and calls
/// [`Roster::write_self`] with the answer's address.
///
/// # Errors
/// Where the answer has no voters, does not admit this node with this certificate, or is stamped more than `skew_ms` ahead (R1).
pub fn adopt(
    now: Now,
    skew_ms: u64,
    node: NodeId,
    pin: Pin,
    answer: JoinAnswer,
    own_token: Option<Secret>,
) -> Result<(NetworkState, InvitesState), OpenError> {
    let records = answer.records;
    if !records.owners.iter().any(|owner| owner.node == node && owner.pin == pin && !owner.removed) {
        return Err(OpenError::NotOurs);
    }
    let owners = records.owners.iter().map(|record| record.stamp);
    let stamps = owners.chain(records.net.iter().map(|record| record.stamp));
    let newest = stamps.chain(records.invites.iter().map(|record| record.stamp)).map(|stamp| stamp.unix_ms).max();
    let ahead = newest.map_or(0, |newest| newest.saturating_sub(now.unix_ms));
    if ahead > skew_ms {
        return Err(OpenError::Ahead { ahead_s: ahead / 1_000 });
    }
    // Read only to put each beside its owner's record; `Roster::open` checks the signatures before any of it counts.
    let about = |signed: SignedSelf| Some((serde_json::from_str::<SelfRecord>(&signed.body).ok()?.node, signed));
    let mut selfs: BTreeMap<NodeId, SignedSelf> = records.selfs.into_iter().filter_map(about).collect();
    let peers = records.owners.into_iter().map(|owner| Peer { own: selfs.remove(&owner.node), owner }).collect();
    let network = NetworkState {
        format: STATE_FORMAT,
        network_id: answer.network_id,
        owner_username: answer.owner_username,
        network_secret: answer.network_secret,
        secret_generation: answer.secret_generation,
        own_token,
        peers,
        records: records.net,
        voters: records.voters.ok_or(OpenError::Voters)?,
        more: More::none(),
    };
    Ok((network, InvitesState { format: STATE_FORMAT, invites: records.invites, more: More::none() }))
}
