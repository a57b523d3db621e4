//! The refusals of a join: one sentence each, for the person at the new server, saying what to do next.

use alloc::format;
use alloc::string::{String, ToString};

use constella_shared::wire::PROTOCOL;
use constella_shared::wire::rpc::{RpcCode, RpcError};

use crate::roster::{EditError, name::NameError};

fn error(code: RpcCode, message: impl Into<String>) -> RpcError {
    RpcError { code, message: message.into() }
}

pub(super) fn too_many() -> RpcError {
    error(RpcCode::TooMany, "too many servers are joining here at this moment; this one tries again by itself")
}

pub(super) fn too_large() -> RpcError {
    error(RpcCode::TooLarge, "the request is longer than any join is")
}

pub(super) fn bad_invite() -> RpcError {
    error(RpcCode::BadInvite, "this invitation is not known here; ask for a new link")
}

pub(super) fn expired() -> RpcError {
    error(RpcCode::BadInvite, "this invitation has expired; ask for a new link")
}

pub(super) fn spent() -> RpcError {
    error(RpcCode::BadInvite, "another server has used this invitation; ask for a new link, one for each server")
}

pub(super) fn unreadable() -> RpcError {
    error(RpcCode::BadRequest, "the request cannot be read; is the new server of the same version?")
}

pub(super) fn other_certificate() -> RpcError {
    error(RpcCode::BadRequest, "the certificate in the request is not the one of the connection")
}

pub(super) fn other_network() -> RpcError {
    error(RpcCode::WrongNetwork, "the invitation is for another network; ask for a new link")
}

pub(super) fn protocol(theirs: u32) -> RpcError {
    error(
        RpcCode::Protocol,
        format!(
            "the new server speaks protocol {theirs}, this network protocol {PROTOCOL}; install the same version on both"
        ),
    )
}

pub(super) fn address(addr: &str) -> RpcError {
    let shown: String = addr.chars().filter(|c| !c.is_control()).take(100).collect();
    error(RpcCode::BadRequest, format!("{shown} is no address to be reached at; set PUBLIC_ADDR=host:port"))
}

pub(super) fn name(wrong: NameError) -> RpcError {
    error(RpcCode::BadRequest, format!("{wrong}; choose another SERVER_NAME"))
}

pub(super) fn name_taken(free: &str) -> RpcError {
    error(
        RpcCode::NameTaken,
        format!("the name is taken; {free} is free, set it as SERVER_NAME. The invitation still holds"),
    )
}

pub(super) fn removed() -> RpcError {
    error(
        RpcCode::NotAMember,
        "this server was removed from the network, which is final for its id; empty its state folder and join with a new link",
    )
}

pub(super) fn belongs() -> RpcError {
    edit(EditError::Belongs)
}

pub(super) fn another_answers(addr: &str) -> RpcError {
    error(
        RpcCode::Unreachable,
        format!(
            "at {addr} another server answers, not the new one; set PUBLIC_ADDR, or forward the port. The invitation still holds"
        ),
    )
}

pub(super) fn unreachable(addr: &str, why: &str) -> RpcError {
    let (host, port) = addr.rsplit_once(':').unwrap_or((addr, ""));
    error(
        RpcCode::Unreachable,
        format!(
            "port {port} of {host} is closed from here ({why}); open it in the firewall. The invitation still holds"
        ),
    )
}

pub(super) fn no_holder() -> RpcError {
    error(
        RpcCode::NotHolder,
        "the network has no leader that can be reached right now; this server tries again by itself",
    )
}

pub(super) fn not_holder() -> RpcError {
    error(RpcCode::NotHolder, "this node does not lead any more; the seed tries the new leader")
}

pub(super) fn outcome_unknown() -> RpcError {
    error(
        RpcCode::NotHolder,
        "the leader did not answer in time; this server tries again by itself, the same invitation lets it in once more",
    )
}

pub(super) fn edit(refused: EditError) -> RpcError {
    match refused {
        EditError::NameTaken { free } => name_taken(&free),
        EditError::Removed => removed(),
        EditError::Name(wrong) => name(wrong),
        EditError::UnknownNode | EditError::Belongs => error(RpcCode::BadRequest, refused.to_string()),
    }
}
