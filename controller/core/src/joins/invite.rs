//! Making an invitation.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::limits::{INVITE_TTL_S, OPEN_INVITES};
use constella_shared::link::{InviteLink, Seed, token_hash};
use constella_shared::secret::Secret;
use constella_shared::wire::records::Records;

use crate::clock::Now;
use crate::roster::Roster;

/// Why no invitation is made. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Zero, or longer than [`INVITE_TTL_S`].
    #[error("an invitation holds between a second and 30 days")]
    Ttl,
    /// This node has not said yet where it is reached.
    #[error("this server's own address is not known yet; set PUBLIC_ADDR")]
    NoAddress,
    /// More than [`OPEN_INVITES`] are open.
    #[error("too many invitations are open; wait until some have expired")]
    TooMany,
}

/// A new invitation and its link, which names this node and the first two others whose address is known.
///
/// # Errors
/// See [`InviteError`].
pub fn invite(
    now: Now,
    roster: &mut Roster,
    entropy: [u8; 32],
    ttl_s: u64,
    other_seeds: &[NodeId],
) -> Result<(Records, InviteLink), InviteError> {
    if ttl_s == 0 || ttl_s > INVITE_TTL_S {
        return Err(InviteError::Ttl);
    }
    let unix_s = now.unix_ms / 1_000;
    if roster.open_invites(unix_s) >= OPEN_INVITES {
        return Err(InviteError::TooMany);
    }
    let me = roster.node();
    let first = seed(roster, &me).ok_or(InviteError::NoAddress)?;
    let others = other_seeds.iter().filter(|other| **other != me).filter_map(|other| seed(roster, other)).take(2);
    let seeds: Vec<Seed> = core::iter::once(first).chain(others).collect();
    let token = Secret::new(hex::encode(entropy));
    let records = roster.write_invite(now, token_hash(&token), unix_s.saturating_add(ttl_s));
    Ok((records, InviteLink { seeds, network: roster.network_id(), token, ttl_s }))
}

fn seed(roster: &Roster, node: &NodeId) -> Option<Seed> {
    let member = roster.member(node)?;
    Some(Seed { addr: String::from(member.addr?), pin: member.pin })
}
