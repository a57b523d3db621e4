//! Counts that only grow, and that stand where no count of a network comes: a damaged file, or what an earlier version took from a message. Nothing
//! could be counted further from there, so they are set back before anything rests on them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{Generation, Seq, Term};
use constella_shared::limits::COUNT_MOST;
use constella_shared::state::{NetworkState, VoteState};
use constella_shared::wire::records::VotersMark;

/// Sets back what cannot be counted from, and says so, one sentence for each.
///
/// A term goes back to the highest of the stored records: this node refuses everybody for one TTL after its start, so no grant of its own is
/// alive, and whoever holds raises it again (L1, L3). A record of voters goes back below every other one, so that the others' takes its place.
/// Sequence numbers and generations go to where no true one comes, since lower ones than were sent would not be heeded.
pub fn repair(vote: &mut VoteState, network: &mut NetworkState) -> Vec<String> {
    let mut said = Vec::new();
    let mark = network.voters.mark;
    if mark.number >= COUNT_MOST || mark.term.0 >= COUNT_MOST {
        network.voters.mark = VotersMark::default();
        said.push(format!(
            "the voters' record had the number {} of term {}; it is the lowest now",
            mark.number, mark.term
        ));
    }
    if vote.term.0 >= COUNT_MOST {
        let owners = network.peers.iter().map(|peer| peer.owner.term);
        let all = owners.chain(network.records.iter().map(|record| record.term)).chain([network.voters.mark.term]);
        let term = all.filter(|term| term.0 < COUNT_MOST).max().unwrap_or(Term(0));
        said.push(format!("the highest term was {}; it is {term} now, as in the records", vote.term));
        vote.term = term;
    }
    if vote.seq_reserved.0 > FAR {
        said.push(format!("the sequence numbers stood at {}; they go on from {COUNT_MOST}", vote.seq_reserved));
        vote.seq_reserved = Seq(COUNT_MOST);
    }
    if vote.generation.0 > FAR {
        said.push(format!("the boot generation was {}; it goes on from {COUNT_MOST}", vote.generation));
        vote.generation = Generation(COUNT_MOST);
    }
    said
}

/// Above what was set to [`COUNT_MOST`] once and counted on from there.
const FAR: u64 = u64::MAX / 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::fake::{alone, at, keys, open};
    use constella_shared::wire::more::More;

    fn vote(count: u64) -> VoteState {
        VoteState {
            format: 1,
            generation: Generation(count),
            term: Term(count),
            seq_reserved: Seq(count),
            starts: Vec::new(),
            granted: None,
            more: More::none(),
        }
    }

    #[test]
    fn what_a_network_counts_to_is_left_alone() {
        let mut network = alone().to_network_state();
        let (before, mut kept) = (network.clone(), vote(40_000));
        assert_eq!(repair(&mut kept, &mut network), Vec::<String>::new());
        assert_eq!((kept, network), (vote(40_000), before));
    }

    #[test]
    fn counts_at_their_end_are_set_to_where_they_can_go_on() {
        // L1, L3, S6
        let mut roster = alone();
        roster.write_net(at(5), Term(17), constella_shared::wire::records::NetValue::Language { code: "en".into() });
        let mut network = roster.to_network_state();
        network.voters.mark = VotersMark { number: u64::MAX, term: Term(u64::MAX) };
        for count in [u64::MAX, u64::MAX - 1] {
            let (mut kept, mut network) = (vote(count), network.clone());
            assert_eq!(repair(&mut kept, &mut network).len(), 4);
            assert_eq!(
                (kept.term, kept.seq_reserved, kept.generation),
                (Term(17), Seq(COUNT_MOST), Generation(COUNT_MOST))
            );
            let again = repair(&mut kept, &mut network);
            assert!(again.is_empty(), "{again:?}");
            let mut healed = open(1, network);
            assert!(healed.merge(at(6), roster.records(), &keys(1)).voters_changed, "the others' record replaces it");
        }
    }
}
