//! The death of a holder's process is felt before its lease has run out (L4, F3).

use alloc::vec;

use super::bench::Bench;

#[test]
fn a_dead_holders_owner_is_answered_before_its_lease_has_run_out() {
    // L4, F3
    for nodes in [2, 3, 5] {
        let mut bench = Bench::of(nodes);
        bench.run_ms(30_000);
        bench.kill(1);
        let died = bench.now;
        bench.owner_says("/nodes");
        assert!(bench.run_until(10_000, |bench| bench.answers_of(2) > 0), "{nodes} nodes");
        assert!(bench.now - died < 2_500, "{nodes} nodes: {} ms", bench.now - died);
        assert!(nodes == 2 || bench.strong().is_empty(), "by a watcher: the voters keep their grants");
        bench.run_ms(10_000);
        assert_eq!((bench.pollers(), bench.conflicts), (vec![2], 0), "{nodes} nodes");
        assert_eq!(bench.strong(), if nodes == 2 { vec![] } else { vec![2] });
    }
}

#[test]
fn the_last_of_three_finds_out_itself_that_the_other_two_are_dead() {
    // L4, F3
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.kill(1);
    bench.kill(2);
    let died = bench.now;
    bench.owner_says("/nodes");
    assert!(bench.run_until(20_000, |bench| bench.answers_of(3) > 0));
    assert!(bench.now - died < 4_000, "{} ms", bench.now - died);
}

#[test]
fn a_holder_whose_port_refuses_while_it_lives_keeps_the_bot() {
    // F3, F4: the queue is the fence, whatever a firewall says
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.refuses.insert(1);
    for _ in 0..20 {
        bench.owner_says("/nodes");
        bench.run_ms(700);
        assert_eq!(bench.pollers(), [1]);
    }
    assert_eq!((bench.strong(), bench.conflicts), (vec![1], 0));
}
