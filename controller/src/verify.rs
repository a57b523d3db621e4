//! S1: who sent a request, for whom, when, and never twice. Everything here happens before the body is parsed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use constella_core::clock::Now;
use constella_shared::ids::{NodeId, Pin};
use constella_shared::limits::NONCES;
use constella_shared::sign::{Message, Sealed};
use constella_shared::wire::rpc::RpcCode;

use crate::answer::Refusal;
use crate::members::Members;

/// Checks requests of members.
#[derive(Debug)]
pub struct Verifier {
    members: Members,
    skew_ms: u64,
    nonces: Mutex<HashMap<NodeId, Nonces>>,
}

/// Whether a wrong clock refuses the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockCheck {
    /// Off by more than `CLOCK_SKEW`: refused.
    Strict,
    /// A heartbeat: a wrong clock is an alert, not a death.
    Exempt,
}

impl Verifier {
    /// With `CLOCK_SKEW` in milliseconds.
    #[must_use]
    pub fn new(members: Members, skew_ms: u64) -> Self {
        Self { members, skew_ms, nonces: Mutex::default() }
    }

    /// Whose connection this is, by the pins as they are now.
    ///
    /// # Errors
    /// [`RpcCode::NotAMember`]; [`RpcCode::Starting`] before the members are known: a member that is taken for a stranger would give up
    /// what it holds.
    pub fn member(&self, pin: Option<Pin>) -> Result<NodeId, Refusal> {
        if !self.members.are_known() {
            return Err(Refusal::starting());
        }
        pin.and_then(|pin| self.members.node_of(&pin)).ok_or_else(|| {
            Refusal::new(RpcCode::NotAMember, "this certificate is not a member's; a removed node needs an invitation")
        })
    }

    /// Checks the headers of a member's request, the MAC in constant time. The nonce counts as used only when everything else holds.
    ///
    /// # Errors
    /// One of the refusals of S1, by name.
    pub fn check<'a>(
        &self,
        now: Now,
        from: NodeId,
        clock: ClockCheck,
        message: &Message<'_>,
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), Refusal> {
        let sealed = Sealed::read(header).map_err(|error| Refusal::new(RpcCode::BadHeaders, error.to_string()))?;
        let said = &sealed.envelope;
        let me = self.members.me();
        let Some(network) = self.members.network() else {
            return Err(Refusal::starting());
        };
        if said.sender != from {
            return Err(Refusal::new(RpcCode::BadHeaders, "the sender is not the one whose certificate this is"));
        }
        if said.recipient != me.node {
            return Err(Refusal::new(
                RpcCode::WrongRecipient,
                format!("this is {}, the request is for {}", me.node.short(), said.recipient.short()),
            ));
        }
        if said.secret_generation != network.secret_generation {
            return Err(Refusal::new(
                RpcCode::OtherSecret,
                format!("made under secret {}, today's is {}", said.secret_generation, network.secret_generation),
            ));
        }
        if !sealed.holds(&network.secret, message) {
            return Err(Refusal::new(RpcCode::BadMac, "the MAC does not fit"));
        }
        if said.recipient_generation != me.generation {
            let text =
                format!("made for start {} of this node, today's is {}", said.recipient_generation, me.generation);
            return Err(Refusal { generation: Some(me.generation), ..Refusal::new(RpcCode::EarlierBoot, text) });
        }
        if clock == ClockCheck::Strict {
            self.check_clock(now, said.unix_ms)?;
        }
        self.use_nonce(now, from, said.nonce)
    }

    fn check_clock(&self, now: Now, theirs_ms: u64) -> Result<(), Refusal> {
        let apart_ms = now.unix_ms.abs_diff(theirs_ms);
        if apart_ms <= self.skew_ms {
            return Ok(());
        }
        let way = if theirs_ms > now.unix_ms { "ahead of" } else { "behind" };
        let seconds = |ms: u64| format!("{}.{}", ms / 1_000, ms % 1_000 / 100);
        let (apart, allowed) = (seconds(apart_ms), seconds(self.skew_ms));
        Err(Refusal::new(
            RpcCode::ClockSkew,
            format!("the sender's clock is {apart} s {way} this node's, {allowed} s are allowed; set the clocks (NTP)"),
        ))
    }

    fn use_nonce(&self, now: Now, from: NodeId, nonce: [u8; 16]) -> Result<(), Refusal> {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        // A request is good from its time less the skew to its time plus the skew, so its nonce is kept for twice that.
        let kept_ms = self.skew_ms.saturating_mul(2).saturating_add(1_000);
        let kept_until = now.boot_ms.saturating_add(kept_ms);
        match nonces.entry(from).or_default().take(now.boot_ms, kept_until, nonce) {
            Taken::New => Ok(()),
            Taken::SeenBefore => Err(Refusal::new(RpcCode::Replayed, "this request was here before")),
            Taken::Full => {
                let text =
                    format!("more than {NONCES} requests of one member within {} s; ask less often", kept_ms / 1_000);
                Err(Refusal::new(RpcCode::TooMany, text))
            }
        }
    }

    /// Drops what is remembered of nodes that are members no longer.
    pub fn forget_strangers(&self) {
        let members = &self.members;
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.retain(|node, _| members.row(node).is_some());
    }
}

/// One member's nonces within the window.
#[derive(Debug, Default)]
struct Nonces {
    seen: HashSet<[u8; 16]>,
    expiry: VecDeque<(u64, [u8; 16])>,
}

#[derive(Debug, PartialEq, Eq)]
enum Taken {
    New,
    SeenBefore,
    Full,
}

impl Nonces {
    fn take(&mut self, now_ms: u64, kept_until_ms: u64, nonce: [u8; 16]) -> Taken {
        while let Some((until, old)) = self.expiry.front().copied()
            && until <= now_ms
        {
            self.expiry.pop_front();
            self.seen.remove(&old);
        }
        if self.seen.contains(&nonce) {
            return Taken::SeenBefore;
        }
        // Forgetting an early one would let it in again, so the new one waits.
        if self.seen.len() >= NONCES {
            return Taken::Full;
        }
        self.seen.insert(nonce);
        self.expiry.push_back((kept_until_ms, nonce));
        Taken::New
    }
}

#[cfg(test)]
mod tests;
