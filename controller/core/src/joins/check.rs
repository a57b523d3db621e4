//! What must hold before a join costs anything. In the order of what a stranger has to know for it: the invitation, its key, the rest.

use alloc::format;
use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use constella_shared::ids::{Pin, TokenHash};
use constella_shared::limits::{JOIN_BODY_BYTES, VERSION_BYTES};
use constella_shared::link::{checked_addr, join_mac_holds};
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::join::{JoinForward, JoinRequest};
use constella_shared::wire::records::Spent;
use constella_shared::wire::rpc::RpcError;
use sha2::{Digest as _, Sha256};

use super::refuse;
use crate::clock::Now;
use crate::io::JoinAttempt;
use crate::roster::{Roster, name};

/// A stranger's words, as a seed got them.
pub(super) fn attempt(now: Now, roster: &Roster, join: &JoinAttempt) -> Result<JoinForward, RpcError> {
    if join.body.len() as u64 > JOIN_BODY_BYTES {
        return Err(refuse::too_large());
    }
    // One refusal for an unknown invitation and for a wrong MAC: a stranger learns nothing of either.
    let invite = roster.invite(&join.invite).ok_or_else(refuse::bad_invite)?;
    if !join_mac_holds(&invite.token, &join.pin, &join.body, &join.mac) {
        return Err(refuse::bad_invite());
    }
    let request: JoinRequest = serde_json::from_slice(&join.body).map_err(|_| refuse::unreadable())?;
    if request.cert != join.cert {
        return Err(refuse::other_certificate());
    }
    let addr = match &request.addr {
        Some(addr) => addr.clone(),
        None => source_addr(&join.source, request.port),
    };
    let forward = JoinForward { token: invite.token, pin: join.pin, addr, request };
    self::forward(now, roster, &forward)?;
    Ok(forward)
}

/// What a seed and the holder check alike.
pub(super) fn forward(now: Now, roster: &Roster, forward: &JoinForward) -> Result<(), RpcError> {
    let JoinForward { token, pin, addr, request } = forward;
    if request.network_id != roster.network_id() {
        return Err(refuse::other_network());
    }
    if request.protocol != PROTOCOL {
        return Err(refuse::protocol(request.protocol));
    }
    if pin_of(&request.cert) != Some(*pin) {
        return Err(refuse::other_certificate());
    }
    if request.port == 0 || checked_addr(addr).is_err() {
        return Err(refuse::address(addr));
    }
    if request.version.is_empty()
        || request.version.len() > VERSION_BYTES
        || request.version.chars().any(char::is_control)
    {
        return Err(refuse::unreadable());
    }
    name::check(&request.name).map_err(refuse::name)?;
    invitation(now, roster, token, &Spent { node: request.node_id, pin: *pin })?;
    if roster.is_removed(&request.node_id) {
        return Err(refuse::removed());
    }
    match roster.member(&request.node_id) {
        Some(member) if member.pin == *pin => Ok(()),
        Some(_) => Err(refuse::belongs()),
        None => {
            let taken = |name: &str| roster.named(name).is_some();
            if taken(&request.name) { Err(refuse::name_taken(&name::free(&request.name, taken))) } else { Ok(()) }
        }
    }
}

/// The invitation is known and has not expired, and nobody else used it. Who did use it may come back for a lost answer, also late.
pub(super) fn invitation(now: Now, roster: &Roster, token: &TokenHash, who: &Spent) -> Result<(), RpcError> {
    let invite = roster.invite_of(token).ok_or_else(refuse::bad_invite)?;
    match &invite.spent {
        Some(spent) if spent == who => Ok(()),
        Some(_) => Err(refuse::spent()),
        None if invite.exp_ts < now.unix_ms / 1_000 => Err(refuse::expired()),
        None => Ok(()),
    }
}

/// SHA-256 of the certificate.
fn pin_of(cert: &str) -> Option<Pin> {
    let der = STANDARD.decode(cert).ok()?;
    Some(Pin(Sha256::digest(der).into()))
}

fn source_addr(source: &str, port: u16) -> String {
    if source.contains(':') { format!("[{source}]:{port}") } else { format!("{source}:{port}") }
}
