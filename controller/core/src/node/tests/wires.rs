//! Time limits on the way between nodes.

use alloc::vec::Vec;

use super::bench::Bench;
use crate::io::{Input, Output, PeerRequest};
use crate::node::pending::Pending;
use crate::roster::fake::node;
use constella_shared::wire::rpc::Request;

#[test]
fn a_call_over_a_long_wire_has_two_round_trips_more() {
    // M4
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let limit = |bench: &mut Bench, to: u64| {
        let asking = bench.node_mut(1);
        asking.call(node(to), 1_000, PeerRequest::Rpc(Request::GetPeers {}), Pending::Told { to: node(to) });
        match asking.out.pop() {
            Some(Output::Call { timeout_ms, .. }) => timeout_ms,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(limit(&mut bench, 2), 1_000);
    for _ in 0..30 {
        let told = bench.tell(1, Input::RoundTrip { with: node(2), ms: 600, dialled: false });
        assert_eq!(told, Vec::new(), "nothing is due for a measurement");
    }
    assert!((2_200..2_300).contains(&limit(&mut bench, 2)));
    assert_eq!(limit(&mut bench, 3), 1_000, "the others are as near as before");
    // Two of three voters are near each other: a round does not wait for the third.
    assert_eq!(bench.node(1).round_ms(), 0);
    for _ in 0..30 {
        bench.tell(1, Input::RoundTrip { with: node(3), ms: 400, dialled: false });
    }
    assert!((400..500).contains(&bench.node(1).round_ms()));
    assert!((600..700).contains(&bench.node(1).farthest_ms()));
}
