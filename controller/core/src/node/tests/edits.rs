//! R4 and R2 at work: who may edit, and what becomes of a node that is removed.

use constella_shared::wire::command::StoredCommand;
use constella_shared::wire::rpc::RpcCode;

use super::bench::Bench;
use super::copies::press;
use crate::roster::Edit;
use crate::roster::fake::node;

#[test]
fn a_strong_holder_edits_and_everybody_learns_it() {
    // R4
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    assert!(bench.edit(1, 3, Edit::Rename("gamma".into())).is_ok());
    assert!(bench.edit(1, 2, Edit::Priority(7)).is_ok());
    bench.run_ms(1_000);
    for each in bench.nodes() {
        assert_eq!(each.roster.named("gamma").map(|member| member.id), Some(node(3)));
        assert_eq!(each.roster.member(&node(2)).map(|member| member.priority), Some(7));
    }
    assert!(bench.run_until(60_000, |bench| bench.pollers() == [2]), "the better priority leads (L6)");
}

#[test]
fn who_does_not_hold_or_has_no_majority_edits_nothing() {
    // R4
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    let refused = bench.edit(2, 3, Edit::Priority(1)).unwrap_err();
    assert_eq!(refused.code, RpcCode::NotHolder);
    assert!(refused.message.contains("leads; ask there"), "{}", refused.message);
    bench.kill(2);
    bench.kill(3);
    bench.run_ms(20_000);
    let refused = bench.edit(1, 3, Edit::Priority(1)).unwrap_err();
    let names: [alloc::string::String; 2] =
        [2, 3].map(|number| bench.node(1).roster.member(&node(number)).unwrap().name.into());
    let lacks = alloc::format!("2 of 3 voters are missing ({}), 2 are needed", names.join(", "));
    assert_eq!((refused.code, refused.message.as_str()), (RpcCode::NotHolder, lacks.as_str()));
    assert_eq!(bench.node(1).roster.member(&node(3)).map(|member| member.priority), Some(100));
}

#[test]
fn a_voter_gives_its_place_away_before_it_is_removed() {
    // R4, L1: also of a single voter, without which nobody could be strong again
    for nodes in [2, 4] {
        let mut bench = Bench::of(nodes);
        bench.run_ms(30_000);
        assert!(bench.edit(1, 2, Edit::Priority(7)).is_ok());
        assert!(bench.run_until(60_000, |bench| bench.pollers() == [2]));
        bench.run_ms(5_000);
        assert_eq!(bench.edit(2, 1, Edit::Remove).unwrap_err().code, RpcCode::Busy);
        bench.run_ms(5_000);
        assert!(bench.edit(2, 1, Edit::Remove).is_ok(), "{nodes} nodes");
        bench.run_ms(20_000);
        assert_eq!(bench.pollers(), [2]);
        assert_eq!(bench.node(2).held, Some(constella_shared::wire::lease::Strength::Strong));
        assert!(!bench.node(2).roster.voters().new.contains(&node(1)));
    }
}

#[test]
fn a_leader_does_not_remove_itself() {
    // R4
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    assert_eq!(bench.edit(1, 1, Edit::Remove).unwrap_err().code, RpcCode::BadRequest);
    assert!(bench.node(1).roster.is_member(&node(1)));
}

#[test]
fn a_node_that_was_removed_lets_the_bot_alone() {
    // R2: it still has the token
    let mut bench = Bench::of(4);
    bench.run_ms(30_000);
    bench.edit(1, 4, Edit::Remove).unwrap();
    bench.run_ms(30_000);
    bench.owner_says("/nodes");
    bench.run_ms(60_000);
    assert_eq!(bench.pollers(), [1]);
    assert_eq!((bench.node(4).held, bench.node(4).bot_state()), (None, crate::io::BotState::Idle));
    assert_eq!(bench.conflicts, 0);
}

#[test]
fn a_removed_node_tells_the_owner_of_the_commands_that_it_alone_had_in_hand() {
    // F6 and R2: it was removed while it was off, and served alone before it heard of that
    let mut bench = Bench::of(2);
    bench.run_ms(30_000);
    bench.kill(2);
    bench.run_ms(30_000);
    bench.edit(1, 2, Edit::Remove).unwrap();
    bench.kill(1);
    bench.restart(2);
    bench.run_ms(10_000);
    bench.owner_says("/nodes");
    assert!(bench.run_until(30_000, |bench| bench.pollers() == [2]));
    bench.run_ms(5_000);
    let answers = bench.answers_of(2);
    bench.inside(2, |node, _| {
        node.commands.take(StoredCommand { taken_by: node.id, ..press() });
        node.commands.confirming(i64::MAX);
    });
    bench.restart(1);
    bench.run_ms(20_000);
    assert_eq!((bench.answers_of(2), bench.node(2).bot_state()), (answers + 1, crate::io::BotState::Idle));
    assert!(!bench.node(2).commands.any_open(), "told is done");
    bench.run_ms(120_000);
    assert_eq!(bench.answers_of(2), answers + 1, "once");
}

#[test]
fn a_removed_node_tells_of_its_commands_also_where_it_did_not_hold_when_it_heard_of_it() {
    // F6, R2 and F7: its clock was wrong, so that nobody took from it what it passed on (S1); it tells without a lease
    let mut bench = Bench::of(4);
    bench.run_ms(30_000);
    bench.inside(4, |node, _| {
        node.commands.take(StoredCommand { taken_by: node.id, ..press() });
        node.commands.confirming(i64::MAX);
    });
    bench.walls.insert(4, -3_600_000);
    bench.run_ms(20_000);
    assert!(bench.node(4).commands.any_open(), "nobody took it");
    bench.edit(1, 4, Edit::Remove).unwrap();
    bench.run_ms(60_000);
    assert_eq!((bench.answers_of(4), bench.node(4).commands.any_open()), (1, false));
    bench.run_ms(120_000);
    assert_eq!(bench.answers_of(4), 1, "once");
}
