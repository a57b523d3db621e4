//! Rename, rank and remove, as the owner presses and types them.

use super::*;
use crate::bot::bench::*;

/// The edit that the dialogue wants, and its answer.
fn edited(bench: &mut crate::bot::bench::Bench, result: Result<Progress, RpcError>) -> (NodeId, Edit) {
    let (ask, node, edit) = bench.edits.pop().expect("no edit");
    bench.answer(ask, Answer::Edited(result));
    (node, edit)
}

fn pressed(bench: &mut crate::bot::bench::Bench, press: &Press) -> (CommandId, Message) {
    bench.pass(5_000);
    let id = bench.press(press);
    (id, last_screen(&bench.telegram()))
}

fn find(message: &Message, verb: &str) -> Press {
    message.buttons.iter().flatten().find(|button| button.press.verb() == verb).expect("no such button").press.clone()
}

#[test]
fn a_name_and_a_number_that_are_typed_next_are_the_nodes() {
    // R4: the edit names the node by its id, whatever it is called by then
    for (verb, typed, edit, says) in [
        (RENAME, "web-1", Edit::Rename("web-1".into()), Key::Renamed),
        (PRIORITY, " 7 ", Edit::Priority(7), Key::Ranked),
    ] {
        let mut bench = Bench::new();
        let (_, manage) = pressed(&mut bench, &ways::manage(node("beta")));
        assert_eq!(keys(&manage), [Key::ManageText]);
        let (_, _asks) = pressed(&mut bench, &find(&manage, verb));
        let id = bench.text(typed);
        assert_eq!(edited(&mut bench, Ok(Progress::Done)), (node("beta"), edit));
        assert_eq!(keys(&last_screen(&bench.telegram())), [says]);
        assert_eq!(bench.done(id), 1);
        // The question is answered: the same text is an ordinary one again.
        bench.text(typed);
        assert!(bench.edits.is_empty());
    }
}

#[test]
fn a_text_that_is_no_name_is_no_answer() {
    let mut bench = Bench::new();
    let (_, manage) = pressed(&mut bench, &ways::manage(node("beta")));
    pressed(&mut bench, &find(&manage, RENAME));
    bench.text("/nodes");
    bench.text("two words");
    assert!(bench.edits.is_empty());
}

#[test]
fn a_removal_needs_its_one_time_button_in_time() {
    // R2: it cannot be undone
    let mut bench = Bench::new();
    let (_, manage) = pressed(&mut bench, &ways::manage(node("beta")));
    let (_, confirmation) = pressed(&mut bench, &find(&manage, ASK_REMOVE));
    assert_eq!(keys(&confirmation), [Key::ConfirmRemove]);
    let yes = find(&confirmation, REMOVE);
    assert!(bench.edits.is_empty(), "nothing happens before the confirmation");
    let id = bench.press(&yes);
    bench.telegram();
    assert_eq!(edited(&mut bench, Ok(Progress::Begun)), (node("beta"), Edit::Remove));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::Removing]);
    assert_eq!(bench.done(id), 1);
    pressed(&mut bench, &yes);
    assert!(bench.edits.is_empty(), "once");

    let (_, confirmation) = pressed(&mut bench, &Press::with(ASK_REMOVE, NodeTag::of(&node("gamma"))));
    let yes = find(&confirmation, REMOVE);
    bench.pass(VALID_MS + 1);
    let (_, late) = pressed(&mut bench, &yes);
    assert_eq!(keys(&late), [Key::ConfirmExpired]);
    for forged in ["", "x", &"0".repeat(16)] {
        let press = Press::with(REMOVE, format_args!("{}:{forged}", NodeTag::of(&node("gamma"))));
        pressed(&mut bench, &press);
    }
    assert!(bench.edits.is_empty());
}

#[test]
fn the_leader_says_that_the_bot_is_handed_over_first_and_a_refusal_says_why() {
    let mut bench = Bench::new();
    let (_, confirmation) = pressed(&mut bench, &Press::with(ASK_REMOVE, NodeTag::of(&node("alpha"))));
    assert_eq!(keys(&confirmation), [Key::ConfirmRemoveLeader]);
    bench.press(&find(&confirmation, REMOVE));
    bench.telegram();
    let error = RpcError { code: RpcCode::NotHolder, message: "2 of 3 voters are missing".into() };
    edited(&mut bench, Err(error));
    assert_eq!(keys(&last_screen(&bench.telegram())), [Key::EditRefused]);
}
