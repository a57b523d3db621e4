//! The board against a small Telegram: what an owner reads of what stands.

use alloc::collections::BTreeMap;
use alloc::vec;

use constella_shared::wire::alert::Kind;

use super::*;

mod follow;

/// One board, or one after the other over the same records, and a Telegram that answers at once.
struct Bench {
    now: u64,
    board: Board,
    records: BTreeMap<Subject, AlertRecord>,
    /// Messages by number, as their last face; and what arrived: how many messages, with sound, notes.
    chat: Vec<Vec<AlertRecord>>,
    sounds: usize,
    notes: Vec<IncidentId>,
    edits: usize,
    reached: bool,
    /// The message arrives, and the holder dies before it knows.
    dies_sending: bool,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            now: 1_000_000,
            board: Board::default(),
            records: BTreeMap::new(),
            chat: Vec::new(),
            sounds: 0,
            notes: Vec::new(),
            edits: 0,
            reached: true,
            dies_sending: false,
        };
        bench.board.begin_or_end(bench.at(), true);
        bench
    }

    fn at(&self) -> Now {
        Now { boot_ms: self.now, unix_ms: 1_700_000_000_000 + self.now }
    }

    /// Another holder goes on from the records.
    fn succeed(&mut self) {
        self.board = Board::default();
        let now = self.at();
        self.records.values().for_each(|record| self.board.learn(now, record.clone()));
        self.board.begin_or_end(now, true);
        self.dies_sending = false;
    }

    fn down(&mut self, node: u8) {
        let now = self.at();
        let finding = Finding {
            subject: subject(node),
            since_unix_ms: now.unix_ms - 30_000,
            value: Value::none(),
            by: NodeId([0; 32]),
            witnesses: Some(Witnesses { silent: 2, of: 2 }),
        };
        self.board.stands(now, finding);
    }

    fn up(&mut self, node: u8) {
        self.board.is_well(self.at(), &subject(node));
    }

    fn run_s(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1_000;
            let acts = self.board.due(self.at(), true);
            self.perform(acts);
        }
    }

    fn perform(&mut self, acts: Vec<Act>) {
        for act in acts {
            let (incident, call) = match act {
                Act::Write(record) => {
                    self.records.insert(record.subject.clone(), record);
                    continue;
                }
                Act::Send { incident, .. } => (incident, Call::Send),
                Act::Edit { incident, .. } => (incident, Call::Edit),
                Act::Note { incident, .. } => (incident, Call::Note),
                Act::Move { incident, .. } => (incident, Call::Move),
            };
            let outcome = if self.reached { self.arrives(&act, incident) } else { Outcome::Again { after_ms: 0 } };
            if self.dies_sending && call == Call::Send {
                return;
            }
            let acts = self.board.told(self.at(), incident, call, outcome);
            self.perform(acts);
        }
    }

    fn arrives(&mut self, act: &Act, incident: IncidentId) -> Outcome {
        let alerts = self.board.incident(incident).map(|incident| incident.alerts).unwrap_or_default();
        match act {
            Act::Send { silent, .. } => {
                self.sounds += usize::from(!silent);
                self.chat.push(alerts);
                return Outcome::Sent(MessageAt { chat: 7, message: i64::try_from(self.chat.len()).unwrap() });
            }
            Act::Edit { at, .. } => {
                self.edits += 1;
                self.chat[usize::try_from(at.message).unwrap() - 1] = alerts;
            }
            Act::Note { silent, .. } => {
                self.sounds += usize::from(!silent);
                self.notes.push(incident);
            }
            Act::Move { at, .. } => self.chat[usize::try_from(at.message).unwrap() - 1].clear(),
            Act::Write(_) => {}
        }
        Outcome::Done
    }

    /// Of each message: how many alerts it tells, and how many of them are over.
    fn read(&self) -> Vec<(usize, usize)> {
        let over = |alerts: &Vec<AlertRecord>| alerts.iter().filter(|alert| alert.cleared_unix_ms.is_some()).count();
        self.chat.iter().map(|alerts| (alerts.len(), over(alerts))).collect()
    }
}

fn subject(node: u8) -> Subject {
    Subject::whole(NodeId([node; 32]), Kind::NodeDown)
}

#[test]
fn a_raise_is_one_message_and_its_recovery_edits_it_and_notes_it() {
    // N3, N4
    let mut bench = Bench::new();
    bench.down(1);
    bench.run_s(60);
    assert_eq!((bench.read(), bench.sounds, bench.edits), (vec![(1, 0)], 1, 0));
    bench.up(1);
    bench.run_s(60);
    assert_eq!((bench.read(), bench.notes.len(), bench.edits), (vec![(1, 1)], 1, 1));
    assert!(bench.records.values().all(|record| record.stage == AlertStage::Closed));
    bench.run_s(600);
    assert_eq!((bench.chat.len(), bench.notes.len(), bench.edits), (1, 1, 1), "and that is all");
}

#[test]
fn what_is_over_before_it_is_told_is_no_news() {
    let mut bench = Bench::new();
    bench.down(1);
    bench.now += 500;
    bench.up(1);
    bench.run_s(30);
    assert_eq!((bench.read(), bench.records.len()), (vec![], 0));
}

#[test]
fn a_crash_at_any_moment_forgets_nothing_and_repeats_a_raise_without_sound_at_most() {
    // N3: between each two seconds of an incident's life another holder takes over, and finds the same as the one before
    for crash_s in 0..40 {
        for sending in [false, true] {
            let mut bench = Bench::new();
            bench.dies_sending = sending;
            bench.down(1);
            for second in 0..60 {
                if second == crash_s {
                    bench.succeed();
                }
                if second < 20 {
                    bench.down(1);
                } else {
                    bench.up(1);
                }
                bench.run_s(1);
            }
            let repeated = bench.chat.len() - 1;
            assert!(repeated <= usize::from(sending && crash_s > 0), "{crash_s} {sending}: {:?}", bench.read());
            assert_eq!(bench.read().last(), Some(&(1, 1)), "{crash_s} {sending}");
            assert!(bench.notes.len() <= 1, "{crash_s} {sending}");
            assert!(bench.sounds <= 2, "{crash_s} {sending}: the raise and the note");
        }
    }
}

#[test]
fn of_two_sides_that_told_the_same_one_goes_on_and_the_other_says_so() {
    // F7: the record of the other side, written later, wins
    let mut bench = Bench::new();
    bench.down(1);
    bench.run_s(10);
    let held = bench.records[&subject(1)].clone();
    let theirs = AlertRecord { incident: IncidentId(7), message: Some(MessageAt { chat: 7, message: 2 }), ..held };
    bench.chat.push(vec![theirs.clone()]);
    bench.board.begin_or_end(bench.at(), false);
    bench.board.learn(bench.at(), theirs);
    bench.run_s(10);
    assert_eq!((bench.read(), bench.sounds), (vec![(0, 0), (1, 0)], 1));
    bench.run_s(60);
    assert_eq!(bench.edits, 0, "said once");
}

#[test]
fn what_telegram_did_not_take_is_told_in_one_message_with_its_sound() {
    // N3
    let mut bench = Bench::new();
    bench.reached = false;
    bench.down(1);
    bench.run_s(60);
    bench.down(2);
    bench.run_s(60);
    bench.up(1);
    bench.run_s(60);
    bench.succeed();
    bench.down(2);
    bench.run_s(30);
    bench.reached = true;
    bench.down(2);
    bench.run_s(30);
    assert_eq!((bench.read(), bench.sounds), (vec![(2, 1)], 1));
    bench.up(2);
    bench.run_s(30);
    assert_eq!((bench.read(), bench.notes.len()), (vec![(2, 2)], 1));
}

#[test]
fn alike_within_twenty_seconds_are_one_message() {
    // N4
    let mut bench = Bench::new();
    for node in 1..=3 {
        bench.down(node);
        bench.run_s(9);
    }
    assert_eq!((bench.read(), bench.sounds), (vec![(3, 0)], 1));
    bench.run_s(30);
    bench.down(4);
    bench.run_s(5);
    assert_eq!(bench.read(), [(3, 0), (1, 0)], "half a minute later it is another incident");
}

#[test]
fn two_hundred_at_once_are_one_message() {
    // N4
    let mut bench = Bench::new();
    (0..200).for_each(|node| bench.down(node));
    bench.run_s(60);
    assert_eq!((bench.read(), bench.sounds), (vec![(200, 0)], 1));
    (0..200).for_each(|node| bench.up(node));
    bench.run_s(60);
    assert_eq!((bench.read(), bench.notes.len(), bench.sounds), (vec![(200, 200)], 1, 2));
}

#[test]
fn one_that_comes_and_goes_is_told_so_and_ends_with_its_recovery() {
    // N4
    let mut bench = Bench::new();
    for _ in 0..30 {
        bench.down(1);
        bench.run_s(60);
        bench.up(1);
        bench.run_s(60);
    }
    assert_eq!(bench.read(), [(1, 1), (1, 0)], "the third time within the hour it goes on in the second message");
    assert!(bench.chat[1][0].raises.len() > 3);
    bench.run_s(700);
    assert_eq!(
        (bench.read(), bench.notes.len()),
        (vec![(1, 1), (1, 1)], 3),
        "each recovery that was told has its note"
    );
}

#[test]
fn twenty_that_flap_for_an_hour_are_twelve_messages_at_most_and_three_sounds() {
    // N4
    for period_s in [70, 130, 300, 700] {
        let mut bench = Bench::new();
        for second in 0..3_600_u64 {
            for node in 0..20_u8 {
                let phase = (second + u64::from(node) * 37) % period_s;
                if phase < period_s / 2 { bench.down(node) } else { bench.up(node) }
            }
            bench.run_s(1);
        }
        let messages = bench.chat.len() + bench.notes.len();
        assert!(messages <= 12 && bench.sounds <= 3, "{period_s}: {messages} messages, {} sounds", bench.sounds);
        (0..20).for_each(|node| bench.up(node));
        bench.run_s(700);
        assert!(
            bench.chat.iter().all(|alerts| alerts.iter().all(|alert| alert.cleared_unix_ms.is_some())),
            "{period_s}"
        );
    }
}

fn press(bench: &Bench, wish: Wish) -> Press {
    let incident = bench.records.values().next().unwrap().incident;
    Press { incident, by: alloc::string::String::from("anna"), at_unix_ms: bench.at().unix_ms, wish }
}

#[test]
fn an_acknowledge_shows_who_saw_it_and_ends_with_the_alert() {
    // N5
    let mut bench = Bench::new();
    bench.down(1);
    bench.run_s(5);
    let seen = press(&bench, Wish::Acknowledge);
    for _ in 0..2 {
        let acts = bench.board.press(bench.at(), &seen);
        bench.perform(acts);
        bench.run_s(5);
    }
    assert_eq!(bench.edits, 1, "the second press changes nothing");
    assert_eq!(bench.chat[0][0].ack.as_ref().map(|ack| ack.by.as_str()), Some("anna"));
    bench.up(1);
    bench.run_s(10);
    assert_eq!(bench.chat[0][0].ack, None);
    assert!(bench.board.press(bench.at(), &seen).is_empty(), "nothing is left to be acknowledged");
}

#[test]
fn what_is_muted_for_an_hour_is_told_again_after_it() {
    // N5
    let mut bench = Bench::new();
    bench.down(1);
    bench.run_s(5);
    let mute = press(&bench, Wish::MuteFor(3_600_000));
    let acts = bench.board.press(bench.at(), &mute);
    bench.perform(acts);
    bench.up(1);
    bench.run_s(60);
    assert_eq!((bench.read(), bench.notes.len()), (vec![(1, 1)], 0), "its message says that it is over");
    bench.down(1);
    bench.run_s(3_000);
    assert_eq!(bench.chat.len(), 1);
    bench.run_s(600);
    assert_eq!(bench.chat.len(), 2, "an hour after the press, and not after the raise");
}

#[test]
fn what_is_muted_until_it_is_well_is_told_when_it_comes_back() {
    // N5
    let mut bench = Bench::new();
    bench.down(1);
    bench.run_s(5);
    let mute = press(&bench, Wish::MuteUntilWell);
    let acts = bench.board.press(bench.at(), &mute);
    bench.perform(acts);
    bench.up(1);
    bench.run_s(60);
    assert_eq!(bench.notes.len(), 0);
    bench.down(1);
    bench.run_s(60);
    assert_eq!((bench.chat.len(), bench.sounds), (2, 2));
}

#[test]
fn what_becomes_worse_is_told_with_a_sound_and_the_first_message_says_where() {
    // N5: an acknowledge ends when it gets worse
    let mut bench = Bench::new();
    let disk = |percent: i64| Finding {
        subject: Subject::part(NodeId([1; 32]), Kind::DiskFull, "/"),
        since_unix_ms: 1_700_000_900_000,
        value: Value::of(percent * 10, constella_shared::wire::alert::Unit::PercentTenths),
        by: NodeId([1; 32]),
        witnesses: None,
    };
    for _ in 0..5 {
        bench.board.stands(bench.at(), disk(92));
        bench.run_s(1);
    }
    let seen = press(&bench, Wish::Acknowledge);
    let acts = bench.board.press(bench.at(), &seen);
    bench.perform(acts);
    assert_eq!((bench.chat.len(), bench.sounds), (1, 1));
    for _ in 0..120 {
        bench.board.stands(bench.at(), disk(98));
        bench.run_s(1);
    }
    assert_eq!((bench.read(), bench.sounds), (vec![(0, 0), (1, 0)], 2), "the first one says that it goes on elsewhere");
    assert_eq!(bench.chat[1][0].ack, None);
}

#[test]
fn a_second_channel_learns_what_is_critical_and_for_how_long_telegram_takes_nothing() {
    // N7's hook
    let mut bench = Bench::new();
    bench.reached = false;
    bench.down(1);
    bench.run_s(70);
    assert!((60_000..70_000).contains(&bench.board.unheard_ms(bench.at())));
    assert_eq!(bench.board.critical().count(), 1);
    bench.reached = true;
    bench.run_s(10);
    assert_eq!(bench.board.unheard_ms(bench.at()), 0);
    bench.up(1);
    bench.run_s(10);
    assert_eq!(bench.board.critical().count(), 0);
}

#[test]
fn events_of_one_moment_are_one_message_and_end_by_being_told() {
    // N3, N4: after an outage each node tells that it could not reach Telegram
    let mut bench = Bench::new();
    let event = |node: u8| Finding {
        subject: Subject::whole(NodeId([node; 32]), Kind::TelegramUnreachable),
        since_unix_ms: 1_700_000_900_000,
        value: Value::none(),
        by: NodeId([node; 32]),
        witnesses: None,
    };
    for node in 1..=5 {
        bench.board.stands(bench.at(), event(node));
        bench.run_s(4);
    }
    bench.run_s(60);
    assert_eq!((bench.read(), bench.sounds), (vec![(5, 0)], 0));
    assert!(bench.records.values().all(|record| record.stage == AlertStage::Closed), "{:?}", bench.records);
    assert_eq!(bench.board.live().count(), 0);
}
