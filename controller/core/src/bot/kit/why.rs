//! Errors in the owner's words: the one place where a failed request becomes a sentence.

use constella_shared::wire::rpc::{RpcCode, RpcError};

use crate::bot::kit::say::{Key, Say};
use crate::io::{CallError, Trouble};

/// Why a request has no answer.
pub(in crate::bot) fn why(error: &CallError) -> Say {
    match error {
        CallError::NotSent(_) | CallError::PortClosed(_) => Say::new(Key::WhyNoConnection),
        CallError::Lost(_) => Say::new(Key::WhyNoAnswer),
        CallError::Refused(refusal) => why_refused(refusal),
    }
}

/// Why a node stores nothing that is new.
#[must_use]
pub fn why_disk(trouble: Trouble) -> Say {
    Say::new(match trouble {
        Trouble::Full => Key::WhyDiskFull,
        Trouble::ReadOnly => Key::WhyDiskReadOnly,
        Trouble::Denied => Key::WhyDiskDenied,
        Trouble::Failing => Key::WhyDiskFailing,
    })
}

/// An answer of the wrong kind: a node of another version.
pub(in crate::bot) fn why_unexpected() -> Say {
    Say::new(Key::WhyOther).text("message", "unexpected answer")
}

fn why_refused(refusal: &RpcError) -> Say {
    match refusal.code {
        RpcCode::Disabled => Say::new(Key::WhyDisabled),
        RpcCode::OldTerm => Say::new(Key::WhyOldTerm),
        RpcCode::TooLate => Say::new(Key::WhyTooLate),
        RpcCode::Busy => Say::new(Key::WhyBusy),
        RpcCode::AgentUnreachable => Say::new(Key::WhyAgentUnreachable),
        RpcCode::AgentFailed => Say::new(Key::WhyAgentFailed).text("message", refusal.message.as_str()),
        RpcCode::BadRequest
        | RpcCode::UnknownMethod
        | RpcCode::WrongRecipient
        | RpcCode::NotAMember
        | RpcCode::BadMac
        | RpcCode::Replayed
        | RpcCode::ClockSkew
        | RpcCode::EarlierBoot
        | RpcCode::OtherSecret
        | RpcCode::BadHeaders
        | RpcCode::NotHolder
        | RpcCode::BadInvite
        | RpcCode::NameTaken
        | RpcCode::Unreachable
        | RpcCode::WrongNetwork
        | RpcCode::TooMany
        | RpcCode::TooLarge
        | RpcCode::TimedOut
        | RpcCode::Protocol
        | RpcCode::Starting
        | RpcCode::Stopping
        | RpcCode::Unknown => Say::new(Key::WhyOther).text("message", refusal.message.as_str()),
    }
}
