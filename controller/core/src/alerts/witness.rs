//! Whether a node is down, by what several observers hear of it (N1). One observer's broken wire is no death.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::limits::WITNESSED;
use constella_shared::wire::incident::Witnesses;
use constella_shared::wire::rpc::Word;

use crate::clock::Now;

/// The nodes that a holder has doubts about.
#[derive(Debug, Default)]
pub struct Cases {
    cases: BTreeMap<NodeId, Case>,
    asked_at: Option<u64>,
}

/// One node, and what each observer said of it last.
#[derive(Debug, Default)]
struct Case {
    words: BTreeMap<NodeId, Said>,
    /// The witnesses were asked so often since they might have agreed.
    asked: u64,
}

/// An observer's word, and between which times of this node's CLOCK_BOOTTIME it was given.
#[derive(Debug, Clone, Copy)]
struct Said {
    word: Word,
    asked_at: u64,
    answered_at: u64,
}

/// A node that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Down {
    /// The node that is down.
    pub node: NodeId,
    /// Milliseconds since the last sign of it, as far as any witness tells.
    pub silent_ms: u64,
    /// The votes of the witnesses.
    pub witnesses: Witnesses,
}

impl Cases {
    /// Takes this node's own words in: one for each node that there are doubts about, and for no other.
    pub fn doubts(&mut self, now: Now, me: NodeId, words: &BTreeMap<NodeId, Word>) {
        self.cases.retain(|node, _| words.contains_key(node));
        for (node, word) in words {
            let said = Said { word: *word, asked_at: now.boot_ms, answered_at: now.boot_ms };
            self.cases.entry(*node).or_default().words.insert(me, said);
        }
    }

    /// Which nodes the witnesses are to be asked about now. They are asked when half of the time is over, so that each begins to try the node
    /// itself; and again when it is over, until they agree.
    pub fn due(&mut self, now: Now, me: &NodeId, down_after_ms: u64) -> Vec<NodeId> {
        let early_ms = down_after_ms.saturating_sub(EARLY_MS);
        let own = |case: &Case| case.words.get(me).and_then(|said| said.word.silent_ms).unwrap_or(0);
        let pause_ms = |case: &Case| match (own(case) >= early_ms, case.asked < SOON) {
            (true, true) => SOON_MS,
            (true, false) => LATER_MS,
            (false, _) => down_after_ms / 2,
        };
        let waits = self.cases.values().filter(|case| own(case) >= down_after_ms / 2).map(pause_ms).min();
        let Some(pause_ms) = waits else { return Vec::new() };
        if self.asked_at.is_some_and(|at| now.since(at) < pause_ms) {
            return Vec::new();
        }
        self.asked_at = Some(now.boot_ms);
        let mut nodes = Vec::new();
        for (node, case) in self.cases.iter_mut().filter(|(_, case)| own(case) >= down_after_ms / 2).take(WITNESSED) {
            if own(case) >= early_ms {
                case.asked = case.asked.saturating_add(1);
            }
            nodes.push(*node);
        }
        nodes
    }

    /// A witness answered what it was asked then (CLOCK_BOOTTIME), in the order in which it was asked.
    pub fn answered(&mut self, now: Now, witness: NodeId, asked_at: u64, nodes: &[NodeId], words: &[Word]) {
        for (node, word) in nodes.iter().zip(words) {
            if let Some(case) = self.cases.get_mut(node) {
                let said = Said { word: *word, asked_at, answered_at: now.boot_ms };
                let newest = case.words.entry(witness).or_insert(said);
                if newest.asked_at <= asked_at {
                    *newest = said;
                }
            }
        }
    }

    /// The nodes that are down: a majority of the witnesses, this node included, had no answer for so long, and none of them heard it meanwhile. Whoever
    /// gave its word a moment ago is a witness too.
    #[must_use]
    pub fn down(&self, now: Now, witnesses: &BTreeSet<NodeId>, down_after_ms: u64) -> Vec<Down> {
        self.cases.iter().filter_map(|(node, case)| case.judge(now, *node, witnesses, down_after_ms)).collect()
    }
}

impl Case {
    fn judge(&self, now: Now, node: NodeId, witnesses: &BTreeSet<NodeId>, down_after_ms: u64) -> Option<Down> {
        let (mut silent, mut heard_ms, mut silent_ms) = (0_usize, u64::MAX, 0);
        let mut live: BTreeSet<&NodeId> = witnesses.iter().collect();
        for (witness, said) in self.words.iter().filter(|(witness, _)| **witness != node) {
            let word = said.word;
            // The witness may have heard the node since it was asked: its word may have been on its way for seconds.
            let age_ms = now.since(said.asked_at);
            // One call to a witness that failed takes nothing back of what it said a moment ago.
            if age_ms <= FRESH_MS {
                live.insert(witness);
            }
            if let Some(ago_ms) = word.heard_ms.map(|ms| ms.saturating_add(now.since(said.answered_at))) {
                heard_ms = heard_ms.min(ago_ms);
            }
            // Whoever was silent a while ago may have been heard since.
            if age_ms <= FRESH_MS && word.silent_ms.is_some_and(|ms| ms >= down_after_ms) {
                silent = silent.saturating_add(1);
                silent_ms = silent_ms.max(word.silent_ms.unwrap_or(0));
            }
        }
        let of = live.into_iter().filter(|witness| **witness != node).count();
        if heard_ms < down_after_ms || silent.saturating_mul(2) <= of {
            return None;
        }
        let silent_ms = if heard_ms == u64::MAX { silent_ms } else { heard_ms.min(silent_ms.max(down_after_ms)) };
        let count = |count| u16::try_from(count).unwrap_or(u16::MAX);
        Some(Down { node, silent_ms, witnesses: Witnesses { silent: count(silent), of: count(of) } })
    }
}

/// So long before its own time is over a holder asks often: the witnesses' times end within some seconds of each other.
const EARLY_MS: u64 = 2_000;

/// Between two of the first questions: an alert is told within 5 s of `DOWN_AFTER`.
const SOON_MS: u64 = 1_000;

/// So many questions are asked soon after each other ...
const SOON: u64 = 30;

/// ... and later ones after this time: witnesses that hear the node, or that do not answer, may do so for hours.
const LATER_MS: u64 = 5_000;

/// A word counts for so long: the pause between two questions, and a round trip. A node that was silent before may have been heard since.
pub(crate) const FRESH_MS: u64 = 6_500;

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN_AFTER: u64 = 30_000;

    fn n(id: u8) -> NodeId {
        NodeId([id; 32])
    }

    fn at(boot_ms: u64) -> Now {
        Now { boot_ms, unix_ms: boot_ms }
    }

    fn silent(silent_ms: u64) -> Word {
        Word { heard_ms: Some(silent_ms), silent_ms: Some(silent_ms) }
    }

    /// The first of `words` is this node's own; what is concluded of node 9.
    fn judged(words: &[Option<Word>]) -> Option<Down> {
        let mut cases = Cases::default();
        let own = words.first().copied().flatten().unwrap_or_default();
        cases.doubts(at(100_000), n(0), &BTreeMap::from([(n(9), own)]));
        for (id, word) in words.iter().enumerate().skip(1) {
            let answer: Vec<Word> = word.iter().copied().collect();
            cases.answered(at(100_000), n(u8::try_from(id).unwrap()), 100_000, &[n(9)], &answer);
        }
        let witnesses = (0..u8::try_from(words.len()).unwrap()).map(n).collect();
        cases.down(at(100_000), &witnesses, DOWN_AFTER).first().copied()
    }

    #[test]
    fn a_node_is_down_when_a_majority_is_silent_and_nobody_hears_it() {
        // N1
        let (gone, hears) = (Some(silent(31_000)), Some(Word { heard_ms: Some(400), silent_ms: None }));
        let unsure = Some(Word { heard_ms: Some(90_000), silent_ms: Some(4_000) });
        let of = |words: &[Option<Word>]| judged(words).map(|down| (down.witnesses.silent, down.witnesses.of));
        assert_eq!(of(&[gone]), Some((1, 1)), "the only witness");
        assert_eq!(of(&[gone, gone]), Some((2, 2)));
        assert_eq!(of(&[gone, None]), None, "one of two is no majority");
        assert_eq!(of(&[gone, gone, None]), Some((2, 3)));
        assert_eq!(of(&[gone, unsure, gone]), Some((2, 3)));
        assert_eq!(of(&[gone, unsure, unsure]), None);
        assert_eq!(of(&[gone, gone, gone, hears]), None, "never while a witness hears it");
        assert_eq!(of(&[hears, gone, gone, gone]), None, "nor while the holder does");
    }

    #[test]
    fn the_last_sign_that_anybody_had_tells_since_when() {
        let (first, last) = (Some(silent(40_000)), Some(silent(33_000)));
        assert_eq!(judged(&[first, last, first]).map(|down| down.silent_ms), Some(33_000));
        let never = Some(Word { heard_ms: None, silent_ms: Some(50_000) });
        assert_eq!(judged(&[never, never]).map(|down| down.silent_ms), Some(50_000));
    }

    #[test]
    fn an_old_word_of_silence_does_not_count_and_an_old_sign_of_life_does() {
        // N1
        let mut cases = Cases::default();
        let witnesses: BTreeSet<NodeId> = [n(0), n(1)].into();
        cases.answered(at(0), n(1), 0, &[n(9)], &[silent(31_000)]);
        cases.doubts(at(0), n(0), &BTreeMap::from([(n(9), silent(31_000))]));
        cases.answered(at(0), n(1), 0, &[n(9)], &[silent(31_000)]);
        assert_eq!(cases.down(at(0), &witnesses, DOWN_AFTER).len(), 1);
        cases.doubts(at(16_000), n(0), &BTreeMap::from([(n(9), silent(47_000))]));
        assert_eq!(cases.down(at(16_000), &witnesses, DOWN_AFTER), [], "the witness may have heard it since");
        cases.answered(at(16_000), n(1), 16_000, &[n(9)], &[Word { heard_ms: Some(20_000), silent_ms: Some(20_000) }]);
        assert_eq!(cases.down(at(16_000), &witnesses, DOWN_AFTER), []);
    }

    #[test]
    fn a_sign_that_a_witness_had_counts_also_when_the_last_call_to_the_witness_failed() {
        // N1: over a wire that loses packets
        let mut cases = Cases::default();
        cases.doubts(at(0), n(0), &BTreeMap::from([(n(9), silent(31_000))]));
        cases.answered(at(0), n(1), 0, &[n(9)], &[Word { heard_ms: Some(8_400), silent_ms: Some(8_400) }]);
        let alone: BTreeSet<NodeId> = [n(0)].into();
        for age_ms in [1_000, FRESH_MS + 1_000, DOWN_AFTER - 8_400 - 1_000] {
            cases.doubts(at(age_ms), n(0), &BTreeMap::from([(n(9), silent(31_000 + age_ms))]));
            assert_eq!(cases.down(at(age_ms), &alone, DOWN_AFTER), [], "{age_ms}");
        }
        cases.doubts(at(DOWN_AFTER), n(0), &BTreeMap::from([(n(9), silent(31_000 + DOWN_AFTER))]));
        assert_eq!(
            cases.down(at(DOWN_AFTER), &alone, DOWN_AFTER).len(),
            1,
            "the witness is gone, and so is what it heard"
        );
    }

    #[test]
    fn a_word_is_as_old_as_its_question() {
        // N1: the answer was on its way for five seconds, and the witness may have heard the node since
        let mut cases = Cases::default();
        let witnesses: BTreeSet<NodeId> = [n(0), n(1)].into();
        cases.doubts(at(0), n(0), &BTreeMap::from([(n(9), silent(31_000))]));
        cases.answered(at(5_000), n(1), 0, &[n(9)], &[silent(31_000)]);
        cases.doubts(at(5_000), n(0), &BTreeMap::from([(n(9), silent(36_000))]));
        assert_eq!(cases.down(at(5_000), &witnesses, DOWN_AFTER).len(), 1);
        cases.doubts(at(7_000), n(0), &BTreeMap::from([(n(9), silent(38_000))]));
        assert_eq!(cases.down(at(7_000), &witnesses, DOWN_AFTER), []);
        cases.answered(at(7_000), n(1), 6_000, &[n(9)], &[Word { heard_ms: Some(500), silent_ms: None }]);
        cases.answered(at(7_000), n(1), 1_000, &[n(9)], &[silent(31_000)]);
        assert_eq!(cases.down(at(7_000), &witnesses, DOWN_AFTER), [], "an earlier question's answer came later");
    }

    #[test]
    fn a_witness_that_gave_its_word_a_moment_ago_counts_for_the_majority() {
        // N1
        let mut cases = Cases::default();
        cases.doubts(at(0), n(0), &BTreeMap::from([(n(9), silent(31_000))]));
        cases.answered(at(0), n(1), 0, &[n(9)], &[Word { heard_ms: Some(90_000), silent_ms: Some(4_000) }]);
        let alone: BTreeSet<NodeId> = [n(0)].into();
        assert_eq!(cases.down(at(1_000), &alone, DOWN_AFTER), [], "one of two is no majority");
    }

    #[test]
    fn witnesses_are_asked_at_half_time_and_often_at_the_end() {
        // N1, M2
        let mut cases = Cases::default();
        let mut asked = Vec::new();
        for second in 0..60_u64 {
            let now = at(second * 1_000);
            cases.doubts(now, n(0), &BTreeMap::from([(n(9), silent(second * 1_000))]));
            if !cases.due(now, &n(0), DOWN_AFTER).is_empty() {
                asked.push(second);
            }
        }
        assert_eq!(asked[..4], [15, 28, 29, 30]);
        assert_eq!(asked.len(), 1 + 30, "each second at first, for nobody answered");
        assert_eq!(asked[asked.len() - 1], 57);
        cases.doubts(at(61_000), n(0), &BTreeMap::new());
        assert!(cases.due(at(61_000), &n(0), DOWN_AFTER).is_empty(), "it was heard");
    }
}
