//! F6: copies of commands at other nodes.

use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use super::bench::Bench;
use crate::bot::desk::act::Act;
use crate::io::{CallError, PeerResponse};
use crate::node::copies::Then;
use crate::node::pending::Pending;
use crate::roster::fake::node;

pub(super) fn press() -> StoredCommand {
    StoredCommand {
        id: CommandId([9; 32]),
        update_id: 900_000,
        user: 7,
        username: None,
        language: None,
        chat: 7,
        content: CommandContent::Text { text: "/nodes".into() },
        stage: Stage::Taken,
        taken_by: node(1),
        taken_unix_ms: 1,
        more: constella_shared::wire::more::More::none(),
    }
}

/// Who was sent a copy at this stage, or was told that it is done.
fn sent(calls: &[(u64, Request)], stage: &Stage) -> Vec<u64> {
    let fits = |request: &Request| match request {
        Request::CommandStore { commands, adopt: false, .. } => commands.iter().all(|command| command.stage == *stage),
        Request::CommandDone { .. } => *stage == Stage::Done,
        _ => false,
    };
    let mut to: Vec<u64> = calls.iter().filter(|(_, request)| fits(request)).map(|(to, _)| *to).collect();
    to.sort_unstable();
    to
}

#[test]
fn who_may_have_an_older_copy_is_sent_each_stage_and_the_end() {
    // F6: a successor that has the press alone and not the order would tell the owner that nothing was done.
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let asked = bench.inside(1, |node, now| {
        node.commands.take(press());
        node.copy(vec![press()], Then::Confirm(900_001));
        node.copy_due(now);
    });
    let [first] = sent(&asked, &Stage::Taken)[..] else { panic!("{asked:?}") };
    // The copy was taken, and the answer is lost.
    let again = bench.inside(1, |leader, now| {
        leader.copy_answered(now, node(first), false);
        leader.copy_due(now);
    });
    let [second] = sent(&again, &Stage::Taken)[..] else { panic!("{again:?}") };
    assert_ne!(first, second);
    let stage = Stage::Testing { target: node(3), asked_unix_ms: 5 };
    let staged = bench.inside(1, |leader, now| {
        leader.copy_answered(now, node(second), true);
        leader.stage(press().id, stage.clone());
        leader.copy_due(now);
    });
    assert_eq!(sent(&staged, &stage), [2, 3]);
    let done = bench.inside(1, |leader, _| leader.stage(press().id, Stage::Done));
    assert_eq!(sent(&done, &Stage::Done), [2, 3]);
}

#[test]
fn a_copy_that_is_out_of_reach_may_be_carried_out_there_whether_its_answer_came_or_not() {
    // F6: then nobody may tell the owner that nothing was done
    for answered in [true, false] {
        let mut bench = Bench::of(3);
        bench.run_ms(20_000);
        let asked = bench.inside(1, |leader, now| {
            leader.commands.take(press());
            leader.copy(vec![press()], Then::Confirm(900_001));
            leader.copy_due(now);
        });
        let [keeper] = sent(&asked, &Stage::Taken)[..] else { panic!("{asked:?}") };
        bench.inside(1, |leader, now| leader.copy_answered(now, node(keeper), answered));
        assert!(bench.node(1).strayed().is_empty(), "it answers, and can be told");
        bench.inside(1, |leader, now| leader.peers.failed(now, &node(keeper)));
        assert_eq!(bench.node(1).strayed(), [press().id], "answered: {answered}");
    }
}

#[test]
fn a_stage_is_settled_when_each_keeper_has_answered_and_strayed_where_one_did_not_take_it() {
    // F6: before the owner reads that nothing was done, everybody who might do it has heard so
    let stage = Stage::Testing { target: node(3), asked_unix_ms: 5 };
    for taken in [true, false] {
        let mut bench = Bench::of(3);
        bench.run_ms(20_000);
        let calls = bench.inside(1, |leader, now| {
            leader.commands.take(press());
            leader.commands.kept_by(&[press().id], node(2));
            leader.commands.kept_by(&[press().id], node(3));
            leader.acts.push_back(Act::Stage { command: press().id, stage: stage.clone() });
            assert_eq!(leader.unsettled(), [press().id], "it is not begun");
            leader.perform_acts(now);
            leader.copy_due(now);
        });
        assert_eq!(sent(&calls, &stage), [2, 3]);
        bench.inside(1, |leader, now| {
            assert_eq!(leader.unsettled(), [press().id]);
            let first = leader.pending.values().find_map(|why| match why {
                Pending::Copy { keeper } => Some(*keeper),
                _ => None,
            });
            let first = first.expect("a copy is on its way");
            leader.copy_answered(now, first, true);
            assert_eq!(leader.unsettled(), [press().id], "the other one has not answered");
            let told = leader.pending.iter().find(|(_, why)| matches!(why, Pending::Staged { .. }));
            let (call, _) = told.map(|(call, why)| (*call, why.clone())).expect("a call");
            let answer = if taken {
                Ok(PeerResponse::Rpc(Response::Done))
            } else {
                Err(CallError::Refused(RpcError { code: RpcCode::Starting, message: "soon".into() }))
            };
            leader.answered(now, call, answer);
            assert!(leader.unsettled().is_empty());
            assert_eq!(leader.strayed().is_empty(), taken);
        });
    }
}
