//! Who claims first when a lease has run out (L4), and whether a better node is back (L6). Pure policy.

use constella_shared::ids::LeaderKey;

use crate::clock::Now;
use crate::peers::{Peer, STEADY_MS};

/// A node, as the order of claims looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Smaller goes first.
    pub key: LeaderKey,
    /// Could serve the owner; unknown counts as yes.
    pub ready: bool,
    /// Reached a majority of the voters within 3 s; unknown counts as yes.
    pub reaches_voters: bool,
}

/// How long to wait after a lease ran out before claiming: the best candidate at once, each further one a little later.
///
/// `others` are the nodes seen alive that may claim, without this one, the one whose lease ran out, and those that are stopping; a round of asks
/// takes `round_ms` over the wires to the voters.
#[must_use]
pub fn claim_delay_ms(me: Candidate, others: impl Iterator<Item = Candidate>, round_ms: u64) -> u64 {
    let before = others.filter(|other| order(*other) < order(me)).count();
    let rank = u64::try_from(before).unwrap_or(u64::MAX).min(MOST_RANKS);
    let unready = if me.ready { 0 } else { UNREADY_MS };
    unready.saturating_add(rank.saturating_mul(STEP_MS.saturating_add(round_ms)))
}

/// L6: whether a node that is better than the holder has been steady for long enough to be offered the lease.
#[must_use]
pub fn steady(now: Now, peer: &Peer, alive_since: u64, wait_ms: u64) -> bool {
    let fresh = now.since(peer.heard_at) <= FRESH_MS;
    let started = now.boot_ms.saturating_sub(peer.facts.up_ms.saturating_add(now.since(peer.heard_at)));
    let ready_since = peer.ready_since;
    let since = ready_since.map(|ready| ready.max(alive_since).max(started));
    let willing = !peer.facts.stopping && peer.facts.reaches_voters;
    fresh && willing && since.is_some_and(|since| now.since(since) >= wait_ms.max(STEADY_MS))
}

/// Ready before not ready, those that reach the voters before those that do not, then by LeaderKey.
fn order(candidate: Candidate) -> (bool, bool, LeaderKey) {
    (!candidate.ready, !candidate.reaches_voters, candidate.key)
}

/// L4: "each further one a little later": a little more than a round of asks takes, over wires without length.
const STEP_MS: u64 = 300;

/// Beyond this rank nobody waits longer: that many dead nodes before one are a disaster of their own.
const MOST_RANKS: u64 = 5;

/// A node that cannot serve lets every other go first: it holds only when nobody is ready.
const UNREADY_MS: u64 = 4_000;

/// Facts older than this say nothing of now; a holder hears each voter every second and every other node within some periods.
const FRESH_MS: u64 = 15_000;

#[cfg(test)]
mod tests {
    use super::*;
    use constella_shared::ids::NodeId;

    fn candidate(priority: u32, ready: bool, reaches_voters: bool) -> Candidate {
        let key = LeaderKey { priority, node: NodeId([1; 32]) };
        Candidate { key, ready, reaches_voters }
    }

    #[test]
    fn the_best_claims_at_once_and_each_further_one_later() {
        // L4
        let (best, next, last) = (candidate(1, true, true), candidate(2, true, true), candidate(3, true, true));
        assert_eq!(claim_delay_ms(best, [next, last].into_iter(), 0), 0);
        assert_eq!(claim_delay_ms(next, [best, last].into_iter(), 0), 300);
        assert_eq!(claim_delay_ms(last, [best, next].into_iter(), 0), 600);
    }

    #[test]
    fn who_reached_a_majority_of_the_voters_goes_first() {
        // L4
        let (cut_off, reaches) = (candidate(1, true, false), candidate(2, true, true));
        assert_eq!(claim_delay_ms(reaches, [cut_off].into_iter(), 0), 0);
        assert_eq!(claim_delay_ms(cut_off, [reaches].into_iter(), 0), 300);
    }

    #[test]
    fn who_cannot_reach_telegram_lets_all_others_go_first() {
        // L4: a server from which Telegram is blocked never holds the bot while another can
        let (blocked, ready) = (candidate(1, false, true), candidate(9, true, true));
        assert_eq!(claim_delay_ms(ready, [blocked].into_iter(), 0), 0);
        assert!(claim_delay_ms(blocked, [ready].into_iter(), 0) > UNREADY_MS);
    }
}
