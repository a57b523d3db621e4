//! F6: views and edits are shown, and then confirmed; orders are stored, copied, confirmed and then carried out.

use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::records::NetValue;
use constella_shared::wire::rpc::Request;

use super::bench::Bench;
use crate::bot::kit::page::{Body, Screen};
use crate::bot::kit::say::Key;
use crate::bot::rooms::ways;
use crate::io::{BotCall, BotReply, CallId, DocumentName, Input, Output, PeerRequest, Trouble, Update, UpdateEvent};
use crate::node::Node;
use crate::node::pending::Pending;
use crate::roster::fake::node;

fn bodies(bench: &Bench, number: u64) -> Vec<Body> {
    let screens = bench.shown.iter().filter(|(at, _)| *at == number).map(|(_, screen)| screen);
    let message = |screen: &Screen| match screen {
        Screen::Message(message) => Some(message.body.clone()),
        Screen::Words { .. } | Screen::Note { .. } | Screen::Invite { .. } | Screen::Alert { .. } => None,
    };
    screens.filter_map(message).collect()
}

fn lists(bench: &Bench, number: u64) -> usize {
    bodies(bench, number).iter().filter(|body| matches!(body, Body::List(_))).count()
}

/// What a node wants done when its poll brings this text.
fn polled(node: &mut Node, now: crate::clock::Now, update: i64, text: &str) -> Vec<Output> {
    let content = CommandContent::Text { text: text.into() };
    let (username, language, thread) = (Some("owner".into()), None, None);
    let event = UpdateEvent { user: 7, username, language, chat: 7, private: true, thread, forwarded: false, content };
    let updates = Vec::from([Update { id: update, event: Some(event) }]);
    let parked = node.pending.iter().filter(|(_, why)| **why == Pending::Fence).map(|(call, _)| *call);
    let calls: Vec<CallId> = parked.collect();
    // Whichever of them is not the poll takes no updates.
    calls
        .into_iter()
        .flat_map(|call| node.handle(now, Input::Bot { call, result: Ok(BotReply::Updates(updates.clone())) }))
        .collect()
}

fn position(outputs: &[Output], fits: impl Fn(&Output) -> bool) -> Option<usize> {
    outputs.iter().position(fits)
}

fn shows(output: &Output) -> bool {
    matches!(output, Output::Bot { request: BotCall::Send { .. } | BotCall::Edit { .. }, .. })
}

#[test]
fn a_view_is_shown_before_anything_else_and_is_neither_stored_nor_copied() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    let now = bench.node(1).last;
    let outputs = polled(bench.node_mut(1), now, 900_000, "/nodes");
    assert!(outputs.iter().any(shows), "{outputs:?}");
    let stores = |output: &Output| matches!(output, Output::Persist(_));
    let copies = |output: &Output| {
        matches!(output, Output::Call { request: PeerRequest::Rpc(Request::CommandStore { .. }), .. })
    };
    let confirms = |output: &Output| matches!(output, Output::Bot { request: BotCall::GetUpdates { .. }, .. });
    assert!(!outputs.iter().any(|output| stores(output) || copies(output) || confirms(output)), "{outputs:?}");
}

#[test]
fn views_leave_no_trace_on_any_disk() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    let disks = |bench: &Bench| (1..=3).map(|number| bench.disks[&number].commands.clone()).collect::<Vec<_>>();
    let before = disks(&bench);
    bench.owner_says("/nodes");
    bench.run_ms(2_000);
    bench.owner_presses(ways::card(node(2)).data());
    bench.run_ms(5_000);
    assert_eq!((disks(&bench), bench.unconfirmed()), (before, 0));
    assert!((1..=3).all(|number| !bench.node(number).commands.any_open()));
}

#[test]
fn an_edit_is_on_disk_and_on_its_way_before_it_is_shown_and_is_confirmed_after_that() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    let now = bench.node(1).last;
    let outputs = polled(bench.node_mut(1), now, 900_000, "/lang en");
    let disk = position(&outputs, |output| matches!(output, Output::Persist(crate::io::Document::Network(_))));
    let away = position(&outputs, |output| matches!(output, Output::Call { request: PeerRequest::Announce(_), .. }));
    let shown = position(&outputs, shows);
    assert!(disk.is_some() && disk < away && away < shown, "{disk:?} {away:?} {shown:?}");
    let confirms = |output: &Output| matches!(output, Output::Bot { request: BotCall::GetUpdates { .. }, .. });
    assert!(!outputs.iter().any(confirms));
}

#[test]
fn an_edit_whose_record_cannot_be_stored_is_not_shown_as_done() {
    // F6, S4: its update is not confirmed, and comes again
    let mut bench = Bench::of(1);
    bench.run_ms(20_000);
    bench.unwritable.insert((1, DocumentName::Network), Trouble::Full);
    bench.owner_says("/lang en");
    let refused = |bench: &Bench| {
        bench.shown.iter().any(|(_, screen)| matches!(screen, Screen::Message(message) if message.notices.iter().any(|say| say.key == Key::DiskRefuses)))
    };
    assert!(bench.run_until(10_000, refused));
    let says = |key| {
        bodies(&bench, 1).iter().any(|body| matches!(body, Body::Says(says) if says.iter().any(|say| say.key == key)))
    };
    assert!(!says(Key::LanguageSet));
}

#[test]
fn an_edit_that_is_delivered_again_writes_the_same_record_again() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.owner_says("/lang en");
    bench.run_ms(100);
    bench.kill(1);
    assert!(bench.run_until(40_000, |bench| bench.unconfirmed() == 0 && !bench.pollers().is_empty()));
    bench.restart(1);
    bench.run_ms(60_000);
    let records = (1..=3).map(|number| bench.disks[&number].network.records.clone());
    let chosen = |records: Vec<constella_shared::wire::records::NetRecord>| {
        records
            .into_iter()
            .filter(|record| matches!(&record.value, NetValue::Language { code } if code == "en"))
            .count()
    };
    assert_eq!(records.map(chosen).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn a_view_whose_leader_dies_before_it_was_shown_comes_again_from_telegram() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.mute.insert(1);
    bench.owner_says("/nodes");
    bench.run_ms(500);
    assert_eq!((bench.unconfirmed(), bench.answers_of(1)), (1, 0), "nothing was shown, so nothing is confirmed");
    bench.kill(1);
    assert!(bench.run_until(40_000, |bench| lists(bench, 2) + lists(bench, 3) > 0 && bench.unconfirmed() == 0));
}

#[test]
fn a_view_that_cannot_be_shown_is_stored_and_copied_and_holds_up_nothing() {
    // F6, F3: within 1 s it is confirmed, before a watcher elsewhere takes it for unserved
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.mute.insert(1);
    bench.owner_says("/nodes");
    assert!(bench.run_until(1_200, |bench| bench.unconfirmed() == 0));
    assert!(bench.node(2).commands.any_open() && bench.disks[&1].commands.open.len() == 1);
    bench.kill(1);
    assert!(bench.run_until(40_000, |bench| lists(bench, 2) > 0), "the node with the copy shows it");
}

#[test]
fn a_silent_node_does_not_hold_up_the_next_tap() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.kill(3);
    bench.owner_presses(ways::card(node(3)).data());
    assert!(bench.run_until(1_000, |bench| bench.unconfirmed() == 0), "what is there is shown");
    bench.owner_says("/nodes");
    assert!(bench.run_until(200, |bench| lists(bench, 1) > 0));
    assert!(bench.disks[&1].commands.open.is_empty());
}

#[test]
fn an_order_that_comes_with_views_is_stored_copied_and_confirmed_before_any_of_them() {
    // F6: answers come in the order of the questions
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.mute.insert(1);
    bench.kill(2);
    bench.kill(3);
    bench.owner_says("/invite 15m");
    bench.owner_says("/nodes");
    assert!(bench.run_until(10_000, |bench| bench.disks[&1].commands.open.len() == 2), "the next leader has both");
}

#[test]
fn the_likeliest_successor_knows_what_the_owner_looks_at_and_stores_nothing_of_it() {
    // L4: the list gives way to one with the new leader
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.owner_says("/nodes");
    bench.run_ms(5_000);
    let content = CommandContent::Text { text: "/nodes".into() };
    assert_eq!(bench.node(2).commands.last(), Some(&content));
    assert!(bench.disks[&2].commands.open.is_empty() && bench.disks[&2].commands.done.is_empty());
    bench.kill(1);
    assert!(bench.run_until(40_000, |bench| lists(bench, 2) > 0));
}

#[test]
fn a_graceful_stop_confirms_what_it_has_shown() {
    // L5
    let mut bench = Bench::of(2);
    bench.run_ms(30_000);
    bench.owner_says("/nodes");
    assert!(bench.run_until(1_000, |bench| bench.node(1).batch.is_some()));
    bench.input(1, Input::Stop);
    assert!(bench.run_until(10_000, |bench| bench.stopped.contains(&1)));
    assert_eq!((bench.unconfirmed(), lists(&bench, 1)), (0, 1));
}

#[test]
fn a_view_that_another_node_has_a_copy_of_is_not_shown_here_twice() {
    // F6: the copy is on this disk, and goes on from there
    let mut bench = Bench::of(1);
    bench.run_ms(20_000);
    let id = CommandId::over(&[&42_i64.to_be_bytes(), &900_000_i64.to_be_bytes(), &0_u32.to_be_bytes()]);
    let copy = StoredCommand { id, stage: Stage::Taken, ..super::copies::press() };
    bench.inside(1, |leader, _| {
        leader.commands.keep(copy, node(1), None);
    });
    bench.owner_says("/nodes");
    assert!(bench.run_until(5_000, |bench| bench.unconfirmed() == 0 && lists(bench, 1) > 0));
    assert!(bench.node(1).batch.is_none());
    bench.run_ms(5_000);
    assert_eq!(bench.disks[&1].commands.done, [id]);
}
