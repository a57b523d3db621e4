//! Facts as they come over good and bad wires, of one process after another and of two at once.

use super::*;

const NODE: NodeId = NodeId([9; 32]);

/// A word: the millisecond when it was sent and how long it was on its way, its sender's generation, when its process started, and how far its boot clock is
/// ahead.
#[derive(Debug, Clone, Copy)]
struct Word {
    sent: u64,
    way: u64,
    generation: u64,
    start: u64,
    clock: u64,
}

/// One process that says a word each second.
fn process(generation: u64, lives: core::ops::Range<u64>, clock: u64) -> impl Iterator<Item = Word> + Clone {
    let start = lives.start * 1_000;
    lives.map(move |second| Word { sent: second * 1_000, way: 20, generation, start, clock })
}

/// Whether the node is suspected after any of these words, heard in the order of their arrival.
fn suspected(words: impl IntoIterator<Item = Word>) -> bool {
    let mut words: Vec<Word> = words.into_iter().collect();
    words.sort_by_key(|word| word.sent + word.way);
    let mut twins = Twins::default();
    words.into_iter().any(|word| {
        let now = Now { boot_ms: 1_000_000 + word.sent + word.way, unix_ms: 0 };
        twins.heard(now, NODE, &facts(&word));
        twins.suspects(now) == [NODE]
    })
}

fn facts(word: &Word) -> Facts {
    Facts {
        generation: Generation(word.generation),
        boot_ms: word.clock + word.sent,
        unix_ms: 0,
        up_ms: word.sent - word.start,
        ready: true,
        reaches_voters: true,
        stopping: false,
        sees: 2,
        glance: None,
        disk: None,
    }
}

/// The same words over a wire that takes up to a second, and that loses and sends again one of three, which takes two more.
fn over_a_bad_wire(words: impl Iterator<Item = Word>) -> impl Iterator<Item = Word> {
    words.enumerate().map(|(number, word)| {
        let chance = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        Word { way: chance % 900 + 50 + if chance.is_multiple_of(3) { 2_000 } else { 0 }, ..word }
    })
}

#[test]
fn a_process_that_runs_is_no_twin() {
    // N2
    assert!(!suspected(process(5, 0..900, 0)));
    assert!(!suspected(over_a_bad_wire(process(5, 0..900, 0))));
}

#[test]
fn a_node_that_crashes_all_the_time_is_no_twin() {
    // N2: each start has a later generation, and words of the process before it arrive after words of the next one
    for life_s in [3, 7, 15, 40] {
        let lives = (0..900 / life_s).flat_map(|life| process(5 + life, life * life_s..(life + 1) * life_s, 0));
        assert!(!suspected(lives.clone()), "{life_s}");
        assert!(!suspected(over_a_bad_wire(lives)), "{life_s}");
    }
}

#[test]
fn a_node_whose_process_is_replaced_in_place_is_no_twin() {
    // N2: the old process speaks until it has handed over, and the next one starts at once
    let lives = (0..60).flat_map(|life| {
        let start = life * 15_000;
        let words =
            (0..150).map(move |word| Word { sent: start + word * 100, way: 20, generation: 5 + life, start, clock: 0 });
        words.collect::<Vec<_>>()
    });
    assert!(!suspected(lives.clone()));
    assert!(!suspected(over_a_bad_wire(lives)));
}

#[test]
fn a_node_that_lost_its_disk_is_no_twin() {
    // N2: its generation starts anew, and it crashes more than once before it is past the one it had
    let before = process(50, 0..100, 0);
    let after = (0..20).flat_map(|life| process(1 + life, 100 + life * 20..120 + life * 20, 0));
    assert!(!suspected(before.clone().chain(after.clone())));
    assert!(!suspected(over_a_bad_wire(before.chain(after))));
    // An older disk each time: the same generation starts again and again.
    let rolled_back = (0..20).flat_map(|life| process(7, life * 20..20 + life * 20, 0));
    assert!(!suspected(over_a_bad_wire(rolled_back)));
}

#[test]
fn a_machine_that_reboots_or_is_suspended_is_no_twin() {
    // N2: its boot clock begins anew, or stands still
    let boots = (0..20).flat_map(|life| process(5 + life, life * 30..(life + 1) * 30, 900_000 - life * 40_000));
    assert!(!suspected(over_a_bad_wire(boots)));
    let suspended = process(5, 0..900, 900_000).map(|word| {
        let still = word.sent / 200_000 * 60_000;
        Word { clock: word.clock - still, start: word.start + still, ..word }
    });
    assert!(!suspected(suspended.filter(|word| word.sent >= word.start)));
}

#[test]
fn a_node_is_no_twin_for_one_whose_own_clock_was_paused() {
    // N2: the hearer's clock stood still while the node ran, so that its start seems to be earlier
    let words = process(5, 0..40, 0).chain(process(6, 41..400, 0));
    let paused = words.map(|word| Word { clock: if word.sent > 60_000 { 90_000 } else { 0 }, ..word });
    let mut twins = Twins::default();
    for word in paused {
        let now = Now { boot_ms: 1_000_000 + word.sent - word.clock.min(word.sent), unix_ms: 0 };
        let facts = facts(&Word { clock: 0, ..word });
        twins.heard(now, NODE, &facts);
        assert_eq!(twins.suspects(now), []);
    }
}

#[test]
fn two_processes_that_end_each_other_are_told() {
    // N2: each takes a higher generation when the other has superseded it, and says a word before that.
    let fight = |clock| {
        (0..12).flat_map(move |round: u64| {
            let at = 10 * round;
            // Two machines in turn.
            process(5 + round, at..at + 14, if round.is_multiple_of(2) { 0 } else { clock })
        })
    };
    assert!(suspected(fight(0)), "on one machine");
    assert!(suspected(fight(77_000_000)), "on two machines");
    assert!(suspected(over_a_bad_wire(fight(77_000_000))));
}

#[test]
fn two_processes_of_one_generation_are_told() {
    // N2: both were started from one copy.
    let both = process(5, 0..60, 0).chain(process(5, 20..60, 77_000_000));
    assert!(suspected(both.clone()));
    assert!(suspected(over_a_bad_wire(both)));
}

#[test]
fn a_restored_copy_beside_the_original_is_told() {
    // N2: it speaks under an earlier generation until it hears of the later one, and starts again above it
    let original = process(50, 0..200, 0);
    let copy = process(12, 100..106, 77_000_000).chain(process(51, 108..200, 77_000_000));
    assert!(suspected(over_a_bad_wire(original.chain(copy))));
}

#[test]
fn signs_of_long_ago_do_not_count() {
    // N2
    let mut twins = Twins::default();
    let heard = Heard { signs: VecDeque::from([1_000, 7_000, 13_000]), ..Heard::default() };
    twins.0.insert(NODE, heard);
    let at = |boot_ms| Now { boot_ms, unix_ms: 0 };
    assert_eq!(twins.suspects(at(14_000)), [NODE]);
    assert_eq!(twins.suspects(at(1_000 + SIGNS_MS)), []);
}
