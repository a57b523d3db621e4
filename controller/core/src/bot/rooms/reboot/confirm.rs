//! One-time buttons: a reboot needs a press on a button that this leader has just shown, and only one press.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::rpc::Response;

use crate::clock::Now;
use crate::io::CallError;

/// The confirmations that were shown and not used.
#[derive(Debug)]
pub(super) struct Confirmations {
    seed: [u8; 32],
    made: u64,
    open: Vec<Confirmation>,
    /// Nonces of those that this leader showed and that are over, newest last.
    over: Vec<String>,
}

/// One confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confirmation {
    number: u64,
    nonce: String,
    node: NodeId,
    /// When it went out; None until it did.
    shown: Option<Now>,
    /// The node's boot id, where it told in time.
    pub(super) boot_id: Option<String>,
}

/// Why a press on a one-time button does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unconfirmed {
    /// It was shown too long ago.
    Expired,
    /// It was pressed before, or a newer one took its place.
    Over,
    /// This leader did not show it. Who did may have taken the press as well, and carried it out.
    Unknown,
}

impl Confirmations {
    /// None yet.
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, made: 0, open: Vec::new(), over: Vec::new() }
    }

    /// A new one for this node, with its number and its nonce; earlier ones for it are void.
    pub(super) fn make(&mut self, node: NodeId) -> (u64, String) {
        self.made += 1;
        let mut nonce = alloc::format!("{}", CommandId::over(&[&self.seed, &self.made.to_be_bytes()]));
        nonce.truncate(NONCE_DIGITS);
        while let Some(at) = self.open.iter().position(|open| open.node == node || self.open.len() >= OPEN) {
            let void = self.open.remove(at);
            self.is_over(void.nonce);
        }
        self.open.push(Confirmation { number: self.made, nonce: nonce.clone(), node, shown: None, boot_id: None });
        (self.made, nonce)
    }

    /// A screen went out: what was made and not shown is on it.
    pub(super) fn shown(&mut self, now: Now) {
        self.open.iter_mut().filter(|open| open.shown.is_none()).for_each(|open| open.shown = Some(now));
    }

    /// When a button that was shown stops working, CLOCK_BOOTTIME; None until it was shown, and where it is over already.
    pub(super) fn ends_at(&self, nonce: &str) -> Option<u64> {
        let open = self.open.iter().find(|open| open.nonce == nonce)?;
        open.shown.map(|shown| shown.boot_ms.saturating_add(VALID_MS + 1))
    }

    /// What the node said of its boot.
    pub(super) fn boot_id(&mut self, number: u64, answer: Result<Response, CallError>) {
        let Ok(Response::Stats { stats, .. }) = answer else { return };
        if let Some(open) = self.open.iter_mut().find(|open| open.number == number) {
            open.boot_id = stats.boot();
        }
    }

    /// Uses one up; tells the moment that it was shown.
    pub(super) fn take(&mut self, now: Now, node: NodeId, nonce: &str) -> Result<(Confirmation, Now), Unconfirmed> {
        if self.over.iter().any(|over| over == nonce) {
            return Err(Unconfirmed::Over);
        }
        let at =
            self.open.iter().position(|open| open.node == node && open.nonce == nonce).ok_or(Unconfirmed::Unknown)?;
        let taken = self.open.remove(at);
        self.is_over(taken.nonce.clone());
        let shown = taken.shown.ok_or(Unconfirmed::Over)?;
        if now.elapsed(shown) > VALID_MS { Err(Unconfirmed::Expired) } else { Ok((taken, shown)) }
    }

    fn is_over(&mut self, nonce: String) {
        if self.over.len() >= OVER {
            self.over.remove(0);
        }
        self.over.push(nonce);
    }

    /// All are void.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.over.clear();
    }
}

/// Hex digits of a nonce: 64 bits for 45 seconds, and only the owner can press at all.
pub(super) const NONCE_DIGITS: usize = 16;

/// How long the button works.
pub(super) const VALID_MS: u64 = 45_000;

/// F6: after this from its showing, the target refuses.
pub(super) const DEADLINE_MS: u64 = 60_000;

/// Open confirmations at once: the one message shows one.
const OPEN: usize = 8;

/// Those that are over: an owner who presses twice does so at once.
const OVER: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([1; 32]);

    fn at(boot_ms: u64) -> Now {
        Now { boot_ms, unix_ms: boot_ms + 1 }
    }

    #[test]
    fn a_button_works_once_and_for_its_node_only() {
        let mut all = Confirmations::new([7; 32]);
        let (_, nonce) = all.make(NODE);
        assert_eq!(all.take(at(5), NodeId([2; 32]), &nonce).map(|_| ()), Err(Unconfirmed::Unknown));
        all.shown(at(10));
        assert_eq!(all.take(at(10 + VALID_MS), NODE, &nonce).unwrap().1, at(10));
        assert_eq!(all.take(at(11), NODE, &nonce).map(|_| ()), Err(Unconfirmed::Over));
    }

    #[test]
    fn a_button_expires_by_the_boot_clock_from_when_it_was_shown() {
        let mut all = Confirmations::new([7; 32]);
        let (_, nonce) = all.make(NODE);
        all.shown(at(1_000));
        all.shown(at(40_000));
        assert_eq!(all.take(at(1_001 + VALID_MS), NODE, &nonce).map(|_| ()), Err(Unconfirmed::Expired));
    }

    #[test]
    fn a_button_expires_while_its_machine_stands_still() {
        // F6, L7: the boot clock stood still too, and the wall clock is right again
        let mut all = Confirmations::new([7; 32]);
        let (_, nonce) = all.make(NODE);
        all.shown(at(1_000));
        let later = Now { unix_ms: at(1_000).unix_ms + VALID_MS + 1, ..at(4_000) };
        assert_eq!(all.take(later, NODE, &nonce).map(|_| ()), Err(Unconfirmed::Expired));
    }

    #[test]
    fn a_newer_button_for_a_node_voids_the_older_and_none_is_made_twice() {
        let mut all = Confirmations::new([7; 32]);
        let ((_, first), (_, second)) = (all.make(NODE), all.make(NODE));
        assert_ne!(first, second);
        all.shown(at(0));
        assert_eq!(all.take(at(1), NODE, &first).map(|_| ()), Err(Unconfirmed::Over));
        assert!(all.take(at(1), NODE, &second).is_ok());
    }
}
