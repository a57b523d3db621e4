//! R4 and R2 at work: who may edit, and what becomes of a node that is removed.

use constella_shared::wire::command::StoredCommand;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::records::NetValue;
use constella_shared::wire::rpc::RpcCode;

use super::bench::Bench;
use super::copies::press;
use crate::io::{InboundId, Input, OperatorAnswer, OperatorRequest, Progress};
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
fn a_holder_without_a_majority_writes_no_choice_about_alerts() {
    // R4
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.kill(2);
    bench.kill(3);
    bench.run_ms(20_000);
    assert_eq!(bench.node(1).held, Some(Strength::Weak));
    let off = NetValue::AlertRule { on: Some(false), threshold: None };
    let night = NetValue::QuietHours { on: true, from_min: 0, until_min: 420, zone: "UTC".into() };
    bench.inside(1, |node, now| {
        node.record(now, Some("all/cpu".into()), off);
        node.record(now, None, night);
    });
    let roster = &bench.node(1).roster;
    assert_eq!((roster.alert_choices().count(), roster.quiet_choice()), (0, None));
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
        assert_eq!(bench.edit(2, 1, Edit::Remove), Ok(OperatorAnswer::Edited(Progress::Begun)));
        assert!(!bench.node(2).roster.is_removed(&node(1)), "it votes still");
        assert!(bench.run_until(10_000, |bench| bench.node(2).roster.is_removed(&node(1))), "{nodes} nodes");
        assert_eq!(bench.edit(2, 1, Edit::Remove), Ok(OperatorAnswer::Edited(Progress::Done)), "and asked again");
        bench.run_ms(20_000);
        assert_eq!(bench.pollers(), [2]);
        assert_eq!(bench.node(2).held, Some(constella_shared::wire::lease::Strength::Strong));
        assert!(!bench.node(2).roster.voters().new.contains(&node(1)));
    }
}

#[test]
fn the_leader_hands_over_and_is_then_removed() {
    // R2, R4, L6: whoever leads next ends what was begun, and the bot is not without a holder for longer than in any hand-over
    for nodes in [2, 3] {
        let mut bench = Bench::of(nodes);
        bench.run_ms(30_000);
        assert_eq!(bench.edit(1, 1, Edit::Remove), Ok(OperatorAnswer::Edited(Progress::Begun)));
        assert!(bench.run_until(20_000, |bench| bench.node(2).roster.is_removed(&node(1))), "{nodes} nodes");
        bench.run_ms(20_000);
        assert_eq!(bench.pollers(), [2]);
        assert_eq!((bench.node(1).held, bench.node(1).bot_state()), (None, crate::io::BotState::Idle));
        assert_eq!(
            bench.edit(1, 1, Edit::Remove),
            Ok(OperatorAnswer::Edited(Progress::Done)),
            "it knows that it is out"
        );
        assert_eq!(bench.conflicts, 0);
    }
}

#[test]
fn a_network_keeps_its_last_node() {
    // R4
    let mut bench = Bench::of(1);
    bench.run_ms(30_000);
    assert_eq!(bench.edit(1, 1, Edit::Remove).unwrap_err().code, RpcCode::BadRequest);
    assert!(bench.node(1).roster.is_member(&node(1)));
}

#[test]
fn a_removal_that_was_begun_outlives_its_holder() {
    // R4: the mark is a record; whoever leads next writes the tombstone
    let mut bench = Bench::of(5);
    bench.run_ms(60_000);
    assert_eq!(bench.edit(1, 3, Edit::Remove), Ok(OperatorAnswer::Edited(Progress::Begun)));
    bench.run_ms(50);
    bench.kill(1);
    assert!(bench.run_until(60_000, |bench| bench.node(2).roster.is_removed(&node(3))));
    bench.restart(1);
    assert!(bench.run_until(10_000, |bench| bench.node(1).roster.is_removed(&node(3))));
}

#[test]
fn a_node_that_was_off_while_another_was_removed_refuses_it_within_ten_seconds_of_its_return() {
    // R2, R3
    let mut bench = Bench::of(5);
    bench.run_ms(30_000);
    bench.kill(4);
    bench.run_ms(10_000);
    bench.edit(1, 5, Edit::Remove).unwrap();
    assert!(bench.run_until(20_000, |bench| bench.node(1).roster.is_removed(&node(5))));
    bench.run_ms(60_000);
    bench.restart(4);
    assert!(bench.run_until(10_000, |bench| bench.node(4).roster.is_removed(&node(5))));
}

#[test]
fn a_node_that_never_came_up_is_removed_in_two_seconds() {
    // R4
    let mut bench = Bench::of(4);
    bench.kill(4);
    bench.run_ms(30_000);
    assert_eq!(bench.edit(1, 4, Edit::Remove), Ok(OperatorAnswer::Edited(Progress::Begun)));
    assert!(bench.run_until(2_500, |bench| bench.node(1).roster.is_removed(&node(4))));
    assert!(bench.run_until(500, |bench| bench.node(2).roster.is_removed(&node(4))));
}

#[test]
fn the_open_invitations_of_a_removed_node_end_with_it() {
    // R2: who is put out cannot come back by a link of its own
    let mut bench = Bench::of(4);
    bench.run_ms(30_000);
    for at in [1, 4] {
        bench.input(at, operator(OperatorRequest::Invite { ttl_s: 900 }));
        assert!(matches!(bench.told.pop(), Some(Ok(OperatorAnswer::Link(_)))));
    }
    bench.run_ms(1_000);
    bench.edit(1, 4, Edit::Remove).unwrap();
    bench.run_ms(4_000);
    let now_s = (1_700_000_000_000 + bench.now) / 1_000;
    for at in [1, 2, 3] {
        let open = bench.node(at).roster.invites().filter(|invite| invite.exp_unix_s >= now_s);
        assert_eq!(open.map(|invite| invite.by).collect::<alloc::vec::Vec<_>>(), [node(1)]);
    }
}

#[test]
fn an_invitation_is_listed_and_revoked_anywhere() {
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.input(1, operator(OperatorRequest::Invite { ttl_s: 900 }));
    bench.run_ms(1_000);
    bench.input(3, operator(OperatorRequest::Invites));
    let Some(Ok(OperatorAnswer::Invites(rows))) = bench.told.pop() else { unreachable!("no list") };
    assert_eq!((rows.len(), rows[0].by.as_str(), &rows[0].used_by), (1, "alpha", &None));
    bench.input(3, operator(OperatorRequest::Revoke(rows[0].id)));
    assert_eq!(bench.told.pop(), Some(Ok(OperatorAnswer::Edited(Progress::Done))));
    bench.run_ms(1_000);
    let now_s = (1_700_000_000_000 + bench.now) / 1_000;
    assert!(bench.nodes().iter().all(|node| node.roster.open_invites(now_s) == 0));
    bench.input(1, operator(OperatorRequest::Revoke(rows[0].id)));
    assert_eq!(bench.told.pop().unwrap().unwrap_err().code, RpcCode::BadInvite, "over is over");
}

#[test]
fn the_owner_and_the_token_are_set_where_the_leader_is() {
    // R4
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    let requests = [
        OperatorRequest::OwnerSet { username: "anna".into() },
        OperatorRequest::SetToken(constella_shared::secret::Secret::new("321:other".into())),
    ];
    for request in &requests {
        bench.input(2, operator(request.clone()));
        assert_eq!(bench.told.pop().unwrap().unwrap_err().code, RpcCode::NotHolder);
        bench.input(1, operator(request.clone()));
        assert!(bench.told.pop().unwrap().is_ok());
    }
    bench.run_ms(1_000);
    for each in bench.nodes() {
        let owner = each.roster.owner();
        assert_eq!((owner.username, owner.telegram_id, owner.claim.is_some()), ("anna", None, true));
        assert_eq!(each.roster.token().map(|token| token.expose()), Some("321:other"));
    }
}

fn operator(request: OperatorRequest) -> Input {
    Input::Operator { inbound: InboundId(0), request }
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
