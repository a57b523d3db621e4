//! What a room can do, by a room of this test: a task under its own name on the wire, messages of its own, a text that it asked for.

use crate::bot::bench::*;
use crate::bot::desk::Desk;
use crate::bot::desk::dialogue::Dialogue;
use crate::bot::desk::drawing::Drawing;
use crate::bot::desk::job::Job;
use crate::bot::desk::pace::Urgency;
use crate::bot::desk::post::{Post, Posted};
use crate::bot::desk::room::{Command, Event, Kind, Room, Task, Then, Visit, Wish};
use crate::bot::desk::step::Step;
use crate::bot::kit::page::Button;
use crate::bot::rooms::list;

use alloc::boxed::Box;
use core::time::Duration;

/// It counts down in a task, asks for a number, and keeps one message about invitations.
#[derive(Debug, Default)]
struct Quota {
    /// Its own message.
    message: Option<i64>,
    lost: usize,
}

impl Room for Quota {
    fn name(&self) -> &'static str {
        "quota"
    }

    fn words(&self) -> &'static [Key] {
        &[]
    }

    fn presses(&self) -> &'static [&'static str] {
        &["qt"]
    }

    fn commands(&self) -> &'static [Command] {
        &[Command { verb: "/quota", help: None, menu: None }]
    }

    fn kind(&self, wish: &Wish) -> Kind {
        match wish {
            Wish::Pressed(_) => Kind::Order,
            Wish::Typed { .. } => Kind::View,
            Wish::Said { .. } => Kind::Edit,
        }
    }

    fn awaits(&self, text: &str, question: &Press) -> bool {
        question.rest() == "beta" && text.parse::<u32>().is_ok()
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        match visit.wish {
            Wish::Typed { .. } => desk.await_text("quota", Press::with("qt", "beta")),
            Wish::Pressed(press) => {
                let count = Count { left: press.rest().parse().unwrap() };
                count.go_on(desk, step, visit.job);
                return Then::Work(Box::new(count));
            }
            Wish::Said { .. } => {}
        }
        let sheet = visit.sheet(desk, step);
        let key = if matches!(visit.wish, Wish::Said { .. }) { Key::LanguageSet } else { Key::AskLanguage };
        Then::shown(desk.draw(step, sheet, says(key)))
    }

    fn resume(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, stage: &Stage) -> Option<Then> {
        let Stage::Running { room, data } = stage else { return None };
        let count = Count { left: data.parse().ok().filter(|_| room == "quota")? };
        count.go_on(desk, step, job);
        Some(Then::Work(Box::new(count)))
    }

    fn told(&mut self, desk: &mut Desk, _step: &mut Step<'_>, event: &Event) {
        let Event::Invitations = event;
        let screen = Screen::Note { language: Language::En, say: Say::new(Key::Forwarded) };
        let message = self.message;
        desk.post(Post { from: ("quota", 7), chat: OWNER, message, screen, urgency: Urgency::Owner });
    }

    fn posted(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, tag: u64, posted: Posted) {
        assert_eq!(tag, 7);
        match posted {
            Posted::Sent(message) => self.message = Some(message),
            Posted::Edited => {}
            Posted::Lost => (self.message, self.lost) = (None, self.lost + 1),
        }
    }
}

/// Asks so many times.
#[derive(Debug)]
struct Count {
    left: u8,
}

impl Count {
    fn go_on(&self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) {
        step.stage(job.command.id, Stage::Running { room: "quota".into(), data: self.left.to_string() });
        let limit = Duration::from_secs(3);
        desk.ask_for_task(step, (job.command.id, 0), node("beta"), Request::GetStats {}, limit);
    }
}

impl Task for Count {
    fn answered(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, _: u64, _: Answer) -> Option<Then> {
        self.left -= 1;
        if self.left > 0 {
            self.go_on(desk, step, job);
            return None;
        }
        Some(desk.conclude(step, job, says(Key::SpeedtestRunningShort), Say::new(Key::SpeedtestRunningShort)))
    }

    fn deadline(&self) -> Option<u64> {
        None
    }
}

fn says(key: Key) -> Drawing {
    Drawing::new(Body::Says(vec![Say::new(key)]), Vec::<Vec<Button>>::new())
}

fn bench() -> Bench {
    let rooms: Vec<Box<dyn Room>> = vec![Box::new(list::ListRoom), Box::new(Quota::default())];
    let mut bench = Bench::new();
    bench.dialogue = Dialogue::new(Language::En, rooms, list::home);
    bench
}

#[test]
fn a_successor_goes_on_from_what_a_room_stored() {
    // F6, S7: the stage names the room, and the room alone reads its data
    let mut bench = bench();
    let id = bench.press(&Press::with("qt", 2));
    assert_eq!(bench.order, ["callback", "stage", "ask"]);
    bench.reply("stats", &stats("a", 1));
    let (_, stage) = bench.stages.last().cloned().unwrap();
    assert_eq!(stage, Stage::Running { room: "quota".into(), data: "1".into() });
    let mut next = self::bench();
    let command = StoredCommand { stage, ..next.stored(CommandContent::Text { text: "x".into() }) };
    let command = StoredCommand { id, ..command };
    next.give(&command);
    assert_eq!(next.reply("stats", &lost()), 1);
    assert_eq!(keys(&last_screen(&next.telegram())), [Key::SpeedtestRunningShort]);
    assert_eq!(next.done(id), 1);
}

#[test]
fn what_no_room_goes_on_with_is_told_as_not_known() {
    // S7: a stage of a room of a newer version
    for (room, data) in [("later", "1"), ("quota", "not a number")] {
        let mut bench = bench();
        let stage = Stage::Running { room: room.into(), data: data.into() };
        let command = StoredCommand { stage, ..bench.stored(CommandContent::Text { text: "x".into() }) };
        let id = bench.give(&command);
        let calls = bench.telegram();
        let told = |call: &BotCall| matches!(call, BotCall::Send { screen: Screen::Note { say, .. }, .. } if say.key == Key::OtherVersion);
        assert!(calls.iter().any(told), "{calls:?}");
        assert_eq!((bench.done(id), bench.asks.len()), (1, 0));
    }
}

#[test]
fn a_room_sends_a_message_of_its_own_and_edits_it() {
    // issue 15: one message per matter, apart from the one message
    let mut bench = bench();
    bench.invitations_changed();
    assert!(matches!(
        &bench.telegram()[..],
        [BotCall::Send { chat: OWNER, thread: None, screen: Screen::Note { .. }, .. }]
    ));
    let sent = bench.next_message;
    bench.pass(10_000);
    bench.invitations_changed();
    let edited = bench.telegram();
    assert!(matches!(&edited[..], [BotCall::Edit { message, .. }] if *message == sent), "{edited:?}");
    bench.pass(10_000);
    bench.invitations_changed();
    let (ask, _) = bench.calls.remove(0);
    bench.answer(ask, Answer::Bot(Err(BotError::MessageGone)));
    bench.pass(10_000);
    bench.invitations_changed();
    assert!(matches!(&bench.telegram()[..], [BotCall::Send { .. }]), "the room knows that it is gone");
}

#[test]
fn a_message_of_a_room_waits_for_telegram_and_the_newest_of_it_counts() {
    // F7: what is posted is tried again, one call at a time
    let mut bench = bench();
    (0..3).for_each(|_| bench.invitations_changed());
    assert_eq!(bench.calls.len(), 1, "one is on its way");
    for error in [BotError::RetryAfter { ms: 5_000 }, BotError::Unreachable("broken".into()), BotError::Server] {
        let (ask, _) = bench.calls.remove(0);
        bench.answer(ask, Answer::Bot(Err(error)));
        assert!(bench.calls.is_empty());
        bench.pass(10_000);
        assert_eq!(bench.calls.len(), 1);
    }
    let calls = bench.telegram();
    let is_one =
        matches!(&calls[..], [BotCall::Send { .. }, BotCall::Edit { message, .. }] if *message == bench.next_message);
    assert!(is_one, "those that did not leave are one edit of the same message: {calls:?}");
    bench.pass(60_000);
    assert!(bench.telegram().is_empty() && bench.dialogue.deadline().is_none());
}

#[test]
fn a_text_answers_the_question_of_a_room_once_and_only_where_it_fits() {
    // issue 15: a room asks for a text that the owner types next
    let mut bench = bench();
    let kind = |bench: &Bench, text: &str| bench.dialogue.kind(&CommandContent::Text { text: text.into() });
    assert_eq!(kind(&bench, "50"), Kind::View);
    bench.text("/quota");
    bench.telegram();
    assert_eq!((kind(&bench, "50"), kind(&bench, "alpha")), (Kind::Edit, Kind::View));
    bench.text("50");
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::LanguageSet]);
    assert_eq!(kind(&bench, "50"), Kind::View, "it is answered");
    bench.text("/quota");
    bench.pass(10_000);
    bench.press(&ways::list(0));
    assert_eq!(kind(&bench, "50"), Kind::View, "the owner went on to something else");
}
