//! Two nodes that told the same: what each does about its own message when their records meet.

use super::*;

/// The other node's record of the subject; it names that node's own message.
fn theirs(bench: &Bench, message: Option<i64>, change: impl FnOnce(&mut AlertRecord)) -> AlertRecord {
    let mut record = bench.records[&subject(1)].clone();
    record.message = message.map(|message| MessageAt { chat: 7, message });
    change(&mut record);
    record
}

/// The other node's message is in the chat, its record arrives, and ten seconds pass.
fn meets(bench: &mut Bench, other: AlertRecord) {
    bench.chat.push(vec![other.clone()]);
    bench.board.learn(bench.at(), other);
    bench.run_s(10);
}

/// Node 1 goes down, and the owner reads it.
fn told() -> Bench {
    let mut bench = Bench::new();
    bench.down(1);
    bench.run_s(10);
    assert_eq!(bench.read(), [(1, 0)]);
    bench
}

/// The process starts again over its disk, or it ends to tell.
fn restarts_or_ends_to_tell(bench: &mut Bench, restarts: bool) {
    if restarts {
        restarted(bench);
    } else {
        bench.board.begin_or_end(bench.at(), false);
    }
}

/// The process starts again, over the disk that it has.
fn restarted(bench: &mut Bench) {
    bench.board = Board::default();
    let now = bench.at();
    bench.records.values().for_each(|record| bench.board.restore(now, record.clone(), true));
}

#[test]
fn a_holder_that_comes_back_says_in_its_message_that_it_goes_on_in_its_successors() {
    // N3: it died after Telegram took the message, and nobody else had the record with the message's id
    for restarts in [false, true] {
        let mut bench = told();
        restarts_or_ends_to_tell(&mut bench, restarts);
        let adopted = theirs(&bench, Some(2), |_| {});
        meets(&mut bench, adopted);
        assert_eq!(bench.read(), [(0, 0), (1, 0)], "{restarts}");
        bench.run_s(60);
        assert_eq!(bench.edits, 0, "{restarts}: said once");
    }
}

#[test]
fn a_raise_that_the_other_side_did_not_know_goes_on_in_its_message_after_a_restart_too() {
    // F7
    let mut bench = told();
    restarted(&mut bench);
    let other = theirs(&bench, Some(2), |record| {
        record.incident = IncidentId(7);
        record.raises = vec![bench.at().unix_ms];
    });
    meets(&mut bench, other);
    assert_eq!(bench.read(), [(0, 0), (1, 0)]);
}

#[test]
fn a_message_that_a_successor_has_ended_is_left_as_it_is() {
    // N3: the successor knew the raise, ended it, and told another one
    let mut bench = told();
    restarted(&mut bench);
    let later = theirs(&bench, Some(2), |record| {
        record.incident = IncidentId(7);
        record.raises.push(bench.at().unix_ms);
    });
    meets(&mut bench, later);
    assert_eq!(bench.read(), [(1, 0), (1, 0)]);
}

#[test]
fn a_message_that_was_sent_while_another_took_it_for_unsent_says_where_it_goes_on() {
    // N3: its sender was paused between the call and the answer
    let mut bench = Bench::new();
    bench.down(1);
    bench.now += 2_000;
    let acts = bench.board.due(bench.at(), true);
    let [Act::Write(record), Act::Send { incident, .. }] = &acts[..] else { panic!("{acts:?}") };
    bench.records.insert(subject(1), record.clone());
    bench.chat.extend([vec![record.clone()], vec![record.clone()]]);
    let adopted = theirs(&bench, Some(2), |record| record.stage = AlertStage::Open);
    bench.board.begin_or_end(bench.at(), false);
    bench.board.learn(bench.at(), adopted);
    let sent = Outcome::Sent(MessageAt { chat: 7, message: 1 });
    let acts = bench.board.told(bench.at(), *incident, Call::Send, sent);
    assert_eq!(acts, [], "the record is its successor's");
    bench.run_s(10);
    assert_eq!(bench.read(), [(0, 0), (1, 0)]);
}

#[test]
fn a_holder_that_was_paused_does_not_write_that_its_message_was_not_sent() {
    // N3: another one leads by now, and may have sent it; it would send it again, with a sound
    let mut bench = Bench::new();
    bench.down(1);
    bench.now += 2_000;
    let acts = bench.board.due(bench.at(), true);
    let Some(Act::Send { incident, .. }) = acts.last() else { panic!("{acts:?}") };
    bench.board.begin_or_end(bench.at(), false);
    assert_eq!(bench.board.told(bench.at(), *incident, Call::Send, Outcome::Again { after_ms: 0 }), []);
}

#[test]
fn what_another_takes_for_unsent_is_not_sent_again_by_a_holder_that_knows_the_message() {
    // N3
    let mut bench = told();
    let unsent = theirs(&bench, None, |record| record.stage = AlertStage::Waiting);
    bench.board.learn(bench.at(), unsent);
    bench.run_s(60);
    assert_eq!((bench.read(), bench.sounds), (vec![(1, 0)], 1));
    let record = &bench.records[&subject(1)];
    assert_eq!((record.stage, record.message.map(|at| at.message)), (AlertStage::Open, Some(1)));
    bench.up(1);
    bench.run_s(60);
    assert_eq!((bench.read(), bench.notes.len()), (vec![(1, 1)], 1));
}

#[test]
fn an_end_that_another_holder_told_is_shown_again_by_whoever_edited_the_message_after_it() {
    // N3: two nodes down in one message, two holders, and each ends one of them without knowing of the other's
    for telling in [true, false] {
        let mut bench = Bench::new();
        bench.down(1);
        bench.down(2);
        bench.run_s(10);
        let ended = theirs(&bench, Some(1), |record| {
            record.stage = AlertStage::Closed;
            record.cleared_unix_ms = Some(record.raised_unix_ms + 60_000);
        });
        bench.up(2);
        bench.run_s(10);
        assert_eq!(bench.read(), [(2, 1)], "it has not heard of the first one's end");
        bench.up(1);
        bench.board.begin_or_end(bench.at(), telling);
        bench.board.learn(bench.at(), ended);
        bench.run_s(10);
        assert_eq!(bench.read(), [(2, 2)], "telling: {telling}");
        let edits = bench.edits;
        bench.run_s(60);
        assert_eq!(bench.edits, edits);
    }
}

#[test]
fn two_raises_of_one_subject_within_a_minute_are_two_incidents() {
    // N3, N4
    let mut bench = Bench::new();
    let since = bench.at().unix_ms / 60_000 * 60_000;
    let finding = |since_unix_ms| Finding {
        subject: subject(1),
        since_unix_ms,
        value: Value::none(),
        by: NodeId([0; 32]),
        witnesses: None,
    };
    bench.now += 30_000;
    bench.board.stands(bench.at(), finding(since));
    bench.run_s(5);
    bench.up(1);
    bench.run_s(30);
    bench.board.stands(bench.at(), finding(since + 40_000));
    bench.run_s(5);
    assert_eq!(bench.read(), [(1, 1), (1, 0)]);
}

#[test]
fn a_message_of_several_does_not_show_as_standing_what_goes_on_elsewhere() {
    // N3: the other one is over, so that nobody would edit the message any more
    for restarts in [false, true] {
        let mut bench = Bench::new();
        bench.down(1);
        bench.down(2);
        bench.run_s(10);
        bench.up(2);
        bench.run_s(10);
        assert_eq!(bench.read(), [(2, 1)]);
        restarts_or_ends_to_tell(&mut bench, restarts);
        let other = theirs(&bench, Some(2), |record| {
            record.incident = IncidentId(7);
            record.raises = vec![bench.at().unix_ms];
        });
        meets(&mut bench, other);
        assert_eq!(bench.read(), [(1, 1), (1, 0)], "{restarts}");
    }
}

#[test]
fn of_several_messages_that_sides_gave_one_incident_all_but_one_say_where_it_goes_on() {
    // F7: the second subject's record names the other side's message, and no record replaces it
    let mut bench = Bench::new();
    bench.down(1);
    bench.run_s(2);
    bench.down(2);
    bench.run_s(10);
    assert_eq!(bench.read(), [(2, 0)]);
    let other = theirs(&bench, Some(2), |record| record.raised_unix_ms -= 1_000);
    bench.chat.push(vec![other.clone()]);
    bench.board.begin_or_end(bench.at(), false);
    bench.board.learn(bench.at(), other);
    bench.run_s(60);
    assert_eq!(bench.read(), [(0, 0), (1, 0)]);
    assert_eq!(bench.records[&subject(2)].message.map(|at| at.message), Some(1));
}

#[test]
fn a_message_stays_its_senders_while_a_successor_takes_it_for_unsent() {
    // N3: first the record that the successor is about to send it, then the one with its message
    let mut bench = told();
    bench.board.begin_or_end(bench.at(), false);
    let sending = theirs(&bench, None, |record| record.stage = AlertStage::Sending);
    bench.board.learn(bench.at(), sending);
    let sent = theirs(&bench, Some(2), |_| {});
    meets(&mut bench, sent);
    assert_eq!(bench.read(), [(0, 0), (1, 0)]);
}
