//! What this node knows of somebody else's lease, from heartbeats (L4).

use constella_shared::ids::{NodeId, Seq, Term};
use constella_shared::wire::lease::{LeaseView, Strength};

use crate::clock::Now;

/// The lease as it was told, measured on this node's clock.
#[derive(Debug, Default)]
pub struct Seen {
    view: Option<LeaseView>,
    until: u64,
    newest: Option<(NodeId, Term, Seq)>,
}

impl Seen {
    /// Takes a view in. True when it tells something that was not known: a renewal, another holder, another strength.
    ///
    /// A relay of a renewal that is known already never lengthens it: otherwise a dead holder's lease would live on in slow networks.
    pub fn hear(&mut self, now: Now, told: &LeaseView, ttl_ms: u64) -> bool {
        let told_until = now.boot_ms.saturating_add(told.left_ms.min(ttl_ms));
        let known_renewal = self
            .newest
            .is_some_and(|(node, term, seq)| node == told.holder.node && (told.term, told.renewal) <= (term, seq));
        if known_renewal || told.left_ms == 0 {
            return false;
        }
        if let Some(view) = self.live(now)
            && view.holder.node != told.holder.node
            && rank(told) <= rank(&view)
        {
            return false;
        }
        self.newest = Some((told.holder.node, told.term, told.renewal));
        self.view = Some(told.clone());
        self.until = told_until;
        true
    }

    /// The lease as it holds now, with the time that is left.
    #[must_use]
    pub fn live(&self, now: Now) -> Option<LeaseView> {
        let view = self.view.as_ref()?;
        let left_ms = self.until.checked_sub(now.boot_ms).filter(|left| *left > 0)?;
        Some(LeaseView { left_ms, ..view.clone() })
    }

    /// When the newest lease that was told runs out, or ran out.
    #[must_use]
    pub const fn until(&self) -> u64 {
        self.until
    }

    /// The newest holder that was told of, also when its lease has run out.
    #[must_use]
    pub fn holder(&self) -> Option<NodeId> {
        self.view.as_ref().map(|view| view.holder.node)
    }

    /// The holder said that it let go.
    pub fn let_go(&mut self, now: Now, holder: NodeId) {
        if self.holder() == Some(holder) {
            self.until = self.until.min(now.boot_ms);
        }
    }
}

/// Which of two leases of one moment counts: strong before weak, then the newer term, then one that polls, then the better LeaderKey.
fn rank(view: &LeaseView) -> (Strength, Term, bool, core::cmp::Reverse<constella_shared::ids::LeaderKey>) {
    let term = if view.strength == Strength::Strong { view.term } else { Term(0) };
    (view.strength, term, view.polling, core::cmp::Reverse(view.holder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use constella_shared::ids::LeaderKey;

    fn at(boot_ms: u64) -> Now {
        Now { boot_ms, unix_ms: boot_ms }
    }

    fn view(node: u8, renewal: u64, strength: Strength, left_ms: u64) -> LeaseView {
        let holder = LeaderKey { priority: 1, node: NodeId([node; 32]) };
        LeaseView { holder, term: Term(3), strength, polling: false, renewal: Seq(renewal), left_ms }
    }

    #[test]
    fn a_renewal_that_is_passed_around_does_not_live_longer() {
        // L4
        let mut seen = Seen::default();
        assert!(seen.hear(at(0), &view(1, 5, Strength::Strong, 4_000), 4_000));
        for t in 1..10 {
            assert!(!seen.hear(at(t * 1_000), &view(1, 5, Strength::Strong, 4_000), 4_000));
        }
        assert_eq!(seen.live(at(4_000)), None);
        assert!(!seen.hear(at(5_000), &view(1, 4, Strength::Strong, 4_000), 4_000), "nor an older one");
        assert!(seen.hear(at(5_000), &view(1, 6, Strength::Strong, 4_000), 4_000), "a newer one does");
    }

    #[test]
    fn nobody_makes_a_lease_longer_than_its_ttl() {
        // L1
        let mut seen = Seen::default();
        assert!(seen.hear(at(0), &view(1, 5, Strength::Strong, u64::MAX), 4_000));
        assert_eq!(seen.live(at(4_000)), None);
    }

    #[test]
    fn a_strong_lease_hides_a_weak_one_and_not_the_other_way() {
        // L2
        let mut seen = Seen::default();
        assert!(seen.hear(at(0), &view(2, 5, Strength::Weak, 4_000), 4_000));
        assert!(seen.hear(at(1), &view(1, 5, Strength::Strong, 3_000), 4_000));
        assert!(!seen.hear(at(2), &view(2, 6, Strength::Weak, 4_000), 4_000));
        assert_eq!(seen.live(at(3)).map(|v| v.holder.node), Some(NodeId([1; 32])));
    }
}
