//! Networks whose nodes are far from each other: they join, lead, answer, and fail over with the default settings.

use constella_tests::cluster::{Link, Plan};

use super::{Bench, plan};

fn far(nodes: usize, round_trip_ms: u64, loss_percent: u64) -> Plan {
    Plan { link: Link::far(round_trip_ms, loss_percent), ..plan(nodes) }
}

/// M1, L4: a first contact takes three round trips, more than the limits of a heartbeat and of a lease ask on a short wire.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_with_360_ms_between_them_become_a_network() {
    let bench = Bench::settled_as(far(2, 360, 0)).await;
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
}

/// L4, F4: three nodes at 600 ms and 1 % loss; the leader is killed, and the next one answers.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_with_600_ms_and_loss_between_them_fail_over() {
    let bench = Bench::settled_as(far(3, 600, 1)).await;
    let first = bench.holder().await;
    bench.node(&first).unwrap().kill().unwrap();
    bench.ask("/nodes").await;
    assert_ne!(bench.holder().await, first);
    bench.nothing_is_lost().await;
    assert_eq!(bench.double().stats().conflicts_heard(), 0);
    bench.node(&first).unwrap().start().unwrap();
    bench.holder().await;
}
