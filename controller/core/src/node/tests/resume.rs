//! Restart in place (L1, L4).

use alloc::vec;

use super::bench::Bench;

#[test]
fn a_leader_that_is_restarted_in_place_takes_its_lease_up_at_once() {
    // L4
    for nodes in [2, 3, 5] {
        let mut bench = Bench::of(nodes);
        bench.run_ms(30_000);
        assert_eq!(bench.pollers(), [1]);
        bench.kill(1);
        bench.run_ms(500);
        bench.restart(1);
        let back = bench.now;
        assert!(bench.run_until(10_000, |bench| bench.pollers() == [1]), "{nodes} nodes");
        assert!(bench.now - back < 500, "{nodes} nodes: {} ms", bench.now - back);
        bench.run_ms(30_000);
        assert_eq!((bench.pollers(), bench.conflicts), (vec![1], 0), "{nodes} nodes");
    }
}

#[test]
fn a_voter_that_is_restarted_beside_the_leader_costs_it_nothing() {
    // L1: node 2 leads, for node 1 has no Telegram; the only vote is node 1's
    let mut bench = Bench::of(2);
    bench.run_ms(30_000);
    bench.no_telegram.insert(1);
    assert!(bench.run_until(20_000, |bench| bench.strong() == [2] && bench.pollers() == [2]));
    bench.run_ms(1_000);
    bench.kill(1);
    bench.run_ms(500);
    bench.restart(1);
    for _ in 0..50 {
        bench.run_ms(100);
        assert_eq!((bench.strong(), bench.pollers()), (vec![2], vec![2]));
    }
}

#[test]
fn a_copy_of_the_folder_elsewhere_waits_like_everybody_else() {
    // L1, L4
    let mut bench = Bench::of(2);
    bench.run_ms(30_000);
    bench.kill(1);
    bench.moved = true;
    bench.restart(1);
    bench.run_ms(3_500);
    assert!(bench.strong().is_empty(), "nothing proves what the earlier incarnation granted");
}

#[test]
fn a_node_that_dies_again_and_again_leaves_the_lease_to_others() {
    // L4
    let mut bench = Bench::of(3);
    bench.run_ms(90_000);
    let mut resumed = 0;
    for _ in 0..6 {
        bench.kill(1);
        bench.run_ms(500);
        bench.restart(1);
        bench.run_ms(1_000);
        resumed += usize::from(bench.pollers() == [1]);
    }
    assert_eq!(resumed, 5);
    assert!(bench.run_until(10_000, |bench| bench.pollers() == [2]));
}
