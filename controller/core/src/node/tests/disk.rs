//! A disk that takes nothing: what leaves without it, what is refused, and what goes on by itself.

use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::{CommandId, LeaderKey, Seq, Term};
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk};
use constella_shared::wire::more::More;
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use super::super::*;
use super::bench::Bench;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::press::Press;
use crate::bot::kit::say::Key;
use crate::bot::rooms::{reboot, settings, ways};
use crate::io::{DocumentName, InboundId, OperatorAnswer, PeerRequest, PeerResponse, Trouble};
use crate::roster::Edit;
use crate::roster::fake::node;

const ALL: [DocumentName; 4] =
    [DocumentName::Vote, DocumentName::Network, DocumentName::Invites, DocumentName::Commands];

fn fill(bench: &mut Bench, number: u64, documents: &[DocumentName]) {
    bench.unwritable.extend(documents.iter().map(|document| ((number, *document), Trouble::Full)));
}

fn notices(bench: &Bench, number: u64) -> Vec<Key> {
    let screens = bench.shown.iter().filter(|(at, _)| *at == number).map(|(_, screen)| screen);
    let says = screens.filter_map(|screen| match screen {
        Screen::Message(message) => Some(message.notices.iter().map(|say| say.key).collect::<Vec<_>>()),
        _ => None,
    });
    says.flatten().collect()
}

/// The rest of a step after a document that could not be written.
fn without(bench: &mut Bench, number: u64, document: DocumentName, rest: Vec<Output>) -> Vec<Output> {
    let mut left = Vec::new();
    bench.inside(number, |node, now| left = node.unwritten(now, document, Trouble::Full, rest));
    left
}

fn reply(response: Response) -> Output {
    Output::Reply { inbound: InboundId(9), result: Ok(PeerResponse::Rpc(response)) }
}

#[test]
fn a_single_node_shows_the_owner_views_and_stores_nothing() {
    // F6: views change nothing
    for documents in [&ALL[..], &[DocumentName::Commands]] {
        let mut bench = Bench::of(1);
        bench.run_ms(10_000);
        fill(&mut bench, 1, documents);
        let stored = bench.disks[&1].commands.clone();
        for text in ["/nodes", "/help", "/nodes"] {
            let before = bench.answers_of(1);
            bench.owner_says(text);
            assert!(
                bench.run_until(10_000, |bench| bench.unconfirmed() == 0 && bench.answers_of(1) > before),
                "{text}"
            );
        }
        assert_eq!(bench.disks[&1].commands, stored);
        bench.run_ms(2_000);
        // Views need no disk, so that commands could not be written is found with the first order.
        assert_eq!(notices(&bench, 1).contains(&Key::DiskTrouble), documents == ALL, "and says why");
    }
}

#[test]
fn orders_and_edits_are_refused_with_words_and_are_not_done_later() {
    // F6, R4
    let mut bench = Bench::of(1);
    bench.run_ms(10_000);
    bench.owner_says("/nodes");
    bench.run_ms(3_000);
    fill(&mut bench, 1, &ALL);
    bench.input(1, Input::Room(Some(Trouble::Full)));
    let confirmed = reboot::confirm(node(1), "0123456789abcdef");
    let language = Press::with(settings::LANGUAGE, Language::En.code());
    let presses = [ways::ask_reboot(node(1)), confirmed, ways::speedtest(node(1)), language];
    for press in presses {
        bench.shown.clear();
        bench.owner_presses(press.data());
        assert!(bench.run_until(10_000, |bench| notices(bench, 1).contains(&Key::DiskRefuses)), "{press:?}");
    }
    bench.shown.clear();
    bench.owner_says("/invite 15m");
    assert!(bench.run_until(10_000, |bench| notices(bench, 1).contains(&Key::DiskRefuses)));
    let edit = bench.edit(1, 1, Edit::Priority(7));
    assert_eq!(edit.unwrap_err().code, RpcCode::Busy);
    bench.unwritable.clear();
    bench.input(1, Input::Room(None));
    bench.run_ms(30_000);
    let here = bench.node(1);
    assert_eq!((bench.rebooted.len(), here.roster.language(), here.roster.open_invites(0)), (0, None, 0));
    assert!(notices(&bench, 1).contains(&Key::DiskAgain));
    bench.owner_says("/invite 15m");
    bench.run_ms(5_000);
    assert_eq!(bench.disks[&1].invites.invites.len(), 1, "and everything works again, without a restart");
    assert_eq!(bench.disks[&1].network, bench.node(1).roster.to_network_state());
}

#[test]
fn updates_that_could_not_be_stored_come_again() {
    // F6: the disk is full at the very moment of the owner's order; nothing of it is confirmed as taken, and nothing is done
    let mut bench = Bench::of(1);
    bench.run_ms(10_000);
    fill(&mut bench, 1, &ALL);
    bench.owner_presses(ways::speedtest(node(1)).data());
    assert!(bench.run_until(10_000, |bench| notices(bench, 1).contains(&Key::DiskRefuses)));
    assert!(bench.node(1).held.is_some());
    assert!(bench.run_until(10_000, |bench| bench.unconfirmed() == 0));
}

#[test]
fn an_order_that_could_not_be_stored_was_never_given() {
    // F6: the press is on disk, and the order that it gives is not
    let mut bench = Bench::of(1);
    bench.run_ms(10_000);
    let reboot = ways::ask_reboot(node(1));
    bench.owner_presses(reboot.data());
    bench.run_ms(3_000);
    let yes = bench.shown.iter().rev().find_map(|(_, screen)| match screen {
        Screen::Message(message) => message.buttons.iter().flatten().map(|button| button.press.clone()).find(is_reboot),
        _ => None,
    });
    let stored = bench.disks[&1].commands.clone();
    bench.owner_presses(yes.unwrap().data());
    assert!(
        bench.run_until(5_000, |bench| bench.disks[&1].commands.open.iter().any(|open| open.stage == Stage::Taken))
    );
    fill(&mut bench, 1, &ALL);
    assert!(bench.run_until(10_000, |bench| notices(bench, 1).contains(&Key::DiskRefuses)));
    bench.unwritable.clear();
    bench.run_ms(60_000);
    assert!(bench.rebooted.is_empty());
    assert!(bench.disks[&1].commands.open.is_empty() && bench.disks[&1].commands.done.len() > stored.done.len());
}

fn is_reboot(press: &Press) -> bool {
    press.verb() == reboot::CONFIRM
}

#[test]
fn a_voter_that_cannot_store_a_term_does_not_grant_in_it_and_renews_what_it_granted() {
    // L1
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    fill(&mut bench, 2, &ALL);
    bench.run_ms(60_000);
    assert_eq!((bench.pollers(), bench.node(1).held), (vec![1], Some(Strength::Strong)));
    let now = bench.node(2).last;
    assert!(bench.node(2).voter.granted(now).is_some(), "no write is needed for that");
    let stored = bench.disks[&2].vote.term;
    bench.kill(1);
    bench.run_ms(30_000);
    let now = bench.node(2).last;
    assert_eq!(bench.node(2).voter.granted(now), None);
    assert_eq!(bench.disks[&2].vote.term, stored);
    assert_eq!(bench.node(3).held, Some(Strength::Weak), "it serves the owner with its own grant");
    bench.unwritable.clear();
    bench.run_ms(10_000);
    assert!(bench.nodes().iter().any(|node| node.held == Some(Strength::Strong)));
}

#[test]
fn neither_a_grant_nor_a_sequence_number_leaves_before_it_is_stored() {
    // L1
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let facts = bench.node(2).facts(bench.node(2).last);
    let record = bench.node(2).roster.voters().clone();
    let answer = LeaseAnswer::Granted { mark: record.mark };
    let (key, call) = (LeaderKey { priority: 100, node: node(2) }, CallId(7_777));
    let (term, seq, mark, grants, polling) = (Term(99), Seq(9), record.mark, 0, false);
    let ask = LeaseAsk { holder: key, term, seq, mark, voters: None, grants, held: None, polling };
    let request = PeerRequest::Rpc(Request::LeaseAcquire(ask));
    let rest = vec![
        reply(Response::Vote { answer, facts }),
        Output::Call { call, to: node(1), timeout_ms: 1, request },
        Output::Reply { inbound: InboundId(8), result: Ok(PeerResponse::Announced) },
    ];
    let left = without(&mut bench, 2, DocumentName::Vote, rest);
    let [Output::Reply { result: Ok(PeerResponse::Rpc(Response::Vote { answer, .. })), .. }, announced] = &left[..]
    else {
        unreachable!("{left:?}")
    };
    assert!(matches!(answer, LeaseAnswer::Refused { .. }));
    assert!(matches!(announced, Output::Reply { result: Ok(PeerResponse::Announced), .. }));
}

#[test]
fn a_grant_under_a_record_of_voters_that_is_not_stored_is_refused() {
    // L1: a voter that forgets k+1 would vote by k again
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    fill(&mut bench, 2, &[DocumentName::Network]);
    let mark = bench.node(2).roster.voters().mark;
    bench.inside(2, |node, now| {
        let mut record = node.roster.voters().clone();
        record.mark.number += 1;
        node.take_voters(now, record);
    });
    bench.input(2, Input::Tick);
    let now = bench.node(2).last;
    bench.run_ms(6_000);
    assert!(bench.node(2).roster.voters().mark > mark);
    assert!(bench.node(2).voter.granted(now.after(6_000)).is_none());
    bench.unwritable.clear();
    assert!(bench.run_until(10_000, |bench| bench.node(2).voter.granted(bench.node(2).last).is_some()));
}

#[test]
fn nobody_is_let_in_and_no_edit_is_promised_by_a_roster_that_is_not_stored() {
    // R4
    let mut bench = Bench::of(1);
    bench.run_ms(10_000);
    for document in [DocumentName::Network, DocumentName::Invites] {
        let edited = Output::OperatorReply {
            inbound: InboundId(1),
            result: Ok(OperatorAnswer::Edited(crate::io::Progress::Done)),
        };
        let rest = vec![edited, reply(Response::Peers { peers: Vec::new() })];
        let left = without(&mut bench, 1, document, rest);
        assert!(matches!(left[0], Output::OperatorReply { result: Err(RpcError { code: RpcCode::Busy, .. }), .. }));
        assert!(matches!(left[1], Output::Reply { result: Ok(_), .. }));
    }
}

#[test]
fn a_copy_that_could_not_be_stored_is_not_acknowledged() {
    // F6: the sender looks for another backup
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let copy = |number: u8| {
        let command = StoredCommand {
            id: CommandId([number; 32]),
            update_id: i64::from(number),
            user: 7,
            username: None,
            language: None,
            chat: 7,
            content: CommandContent::Text { text: "/nodes".into() },
            stage: Stage::Taken,
            taken_by: node(1),
            taken_unix_ms: 0,
            more: More::none(),
        };
        Request::CommandStore { commands: vec![command], term: Term(1), adopt: false }
    };
    let late = Output::Reply {
        inbound: InboundId(9),
        result: Err(RpcError { code: RpcCode::TooLate, message: "late".into() }),
    };
    let left = without(&mut bench, 3, DocumentName::Commands, vec![reply(Response::Done), late]);
    for output in &left {
        assert!(
            matches!(output, Output::Reply { result: Err(RpcError { code: RpcCode::Busy, .. }), .. }),
            "{output:?}"
        );
    }
    assert_eq!(bench.ask(3, 1, copy(1)).0, Some(RpcCode::Busy), "and from then on it refuses before");
    fill(&mut bench, 2, &ALL);
    let (_, _) = bench.ask(2, 1, copy(2));
    assert!(!bench.node(2).commands.any_open(), "a copy that came in the very step is forgotten");
}

#[test]
fn a_node_whose_disk_is_full_can_be_rebooted() {
    // F6: the agent has room of its own for the ids that it executes
    let mut bench = Bench::of(2);
    bench.run_ms(20_000);
    fill(&mut bench, 2, &ALL);
    let (term, not_after_boot_ms) = (bench.node(2).durable.term(), Some(bench.now + 30_000));
    let request =
        Request::Reboot { command_id: CommandId([5; 32]), term, expires_in_ms: 0, not_after_boot_ms, boot_id: None };
    assert_eq!(bench.ask(2, 1, request.clone()), (None, false), "the voter is asked first");
    bench.run_ms(5_000);
    assert_eq!(bench.rebooted, [2]);
    assert_eq!(bench.ask(2, 1, request), (None, false), "once");
}

#[test]
fn a_leader_whose_disk_is_full_hands_over_to_one_with_room_and_takes_over_again() {
    // L6
    let mut bench = Bench::of(2);
    bench.run_ms(30_000);
    assert_eq!(bench.pollers(), [1]);
    bench.input(1, Input::Room(Some(Trouble::Full)));
    assert!(bench.run_until(10_000, |bench| bench.pollers() == [2]), "{:?}", bench.pollers());
    bench.run_ms(60_000);
    assert_eq!((bench.pollers(), bench.conflicts), (vec![2], 0));
    bench.input(2, Input::Room(Some(Trouble::Full)));
    bench.owner_says("/nodes");
    assert!(bench.run_until(10_000, |bench| bench.unconfirmed() == 0), "with two full disks somebody serves");
    bench.input(2, Input::Room(None));
    bench.input(1, Input::Room(None));
    assert!(bench.run_until(60_000, |bench| bench.pollers() == [1]));
}

#[test]
fn a_node_that_starts_with_a_disk_that_takes_nothing_serves_views() {
    let mut bench = Bench::of(1);
    bench.run_ms(10_000);
    bench.kill(1);
    fill(&mut bench, 1, &ALL);
    bench.restart(1);
    bench.owner_says("/nodes");
    assert!(bench.run_until(15_000, |bench| bench.unconfirmed() == 0 && bench.answers_of(1) > 0));
    bench.unwritable.clear();
    assert!(bench.run_until(15_000, |bench| bench.node(1).held == Some(Strength::Strong)));
}

#[test]
fn failed_writes_are_tried_again_and_not_in_every_step() {
    let mut bench = Bench::of(1);
    bench.run_ms(10_000);
    fill(&mut bench, 1, &ALL);
    bench.owner_says("/nodes");
    bench.run_ms(10_000);
    bench.unwritable.clear();
    let stale = bench.disks[&1].network.clone();
    bench.run_ms(5_000);
    assert_ne!(bench.disks[&1].network, stale);
    assert_eq!(bench.node(1).disk.trouble(), None);
}
