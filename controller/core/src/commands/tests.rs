//! F6, where it is bookkeeping.

use super::*;
use constella_shared::limits::DONE_COMMANDS;
use constella_shared::wire::command::CommandContent;

fn id(byte: u8) -> CommandId {
    CommandId([byte; 32])
}

fn n(byte: u8) -> NodeId {
    NodeId([byte; 32])
}

pub(super) fn command(byte: u8) -> StoredCommand {
    StoredCommand {
        id: id(byte),
        update_id: i64::from(byte),
        user: 1,
        username: None,
        language: None,
        chat: 1,
        content: CommandContent::Text { text: "/nodes".into() },
        stage: Stage::Taken,
        taken_by: n(1),
        taken_unix_ms: 0,
        more: constella_shared::wire::more::More::none(),
    }
}

fn rebooting(asked_unix_ms: Option<u64>) -> Stage {
    Stage::Rebooting { target: n(3), boot_id: None, not_after_unix_ms: 60_000, not_after_boot_ms: None, asked_unix_ms }
}

fn void() -> Stage {
    let (not_after_unix_ms, not_after_boot_ms) = (0, Some(0));
    Stage::Rebooting { target: n(3), boot_id: None, not_after_unix_ms, not_after_boot_ms, asked_unix_ms: Some(5) }
}

fn empty() -> Commands {
    Commands::new(CommandsState::empty())
}

#[test]
fn a_command_is_not_begun_before_it_is_confirmed_and_then_once() {
    // F6
    let mut commands = empty();
    assert!(commands.take(command(7)));
    assert!(commands.take_dirty().is_some_and(|state| state.open.len() == 1));
    assert_eq!(commands.start_next(), None);
    commands.confirmed(7);
    assert_eq!(commands.start_next(), None, "an offset confirms what is below it");
    commands.confirmed(8);
    assert_eq!(commands.start_next().map(|c| c.id), Some(id(7)));
    assert_eq!(commands.start_next(), None);
    assert!(!commands.take(command(7)), "delivered again while it is carried out");
}

#[test]
fn a_confirmation_that_was_under_way_when_the_title_went_counts_when_it_comes_back() {
    // F6: Telegram may have heard it, and then nobody is given the command again.
    let mut commands = empty();
    assert!(commands.take(command(7)) && commands.take(command(8)));
    commands.confirming(8);
    commands.put_down();
    assert_eq!(commands.start_next().map(|c| c.id), Some(id(7)));
    assert_eq!(commands.start_next(), None, "of this one Telegram was not told");
    assert!(!commands.take(command(7)), "it did not hear it: what it delivers again is in hand already");
}

#[test]
fn what_is_done_is_not_done_again_also_after_a_restart() {
    // F6
    let mut commands = empty();
    assert!(commands.take(command(7)));
    commands.confirmed(8);
    let _begun = commands.start_next();
    assert_eq!(commands.stage(id(7), Stage::Done), Some(Vec::new()));
    let stored = commands.take_dirty();
    let mut again = stored.map(Commands::new).unwrap_or_else(empty);
    assert!(!again.take(command(7)));
    assert!(!again.keep(command(7), n(2), None));
    assert_eq!(again.start_next(), None);
}

#[test]
fn a_copy_is_carried_out_by_a_successor_from_its_newest_stage() {
    // F6
    let mut commands = empty();
    assert!(commands.keep(command(7), n(1), None));
    assert!(commands.keep(StoredCommand { stage: rebooting(Some(5)), ..command(7) }, n(1), None));
    assert!(commands.keep(StoredCommand { stage: rebooting(None), ..command(7) }, n(1), None), "a late, older copy");
    assert_eq!(commands.start_next().map(|c| c.stage), Some(rebooting(Some(5))));
    assert_eq!(commands.stage(id(7), Stage::Done), Some([n(1)].into()), "the keeper is told");
}

#[test]
fn an_order_whose_time_was_ended_takes_the_place_of_the_order() {
    // F6: the owner reads that nothing was done; whoever has a copy must not do it after that
    for (first, then) in [(rebooting(Some(5)), void()), (void(), rebooting(Some(5)))] {
        let mut keeper = empty();
        for stage in [first, then] {
            assert!(keeper.keep(StoredCommand { stage, ..command(1) }, n(1), None));
        }
        assert_eq!(keeper.get(&id(1)).map(|command| &command.stage), Some(&void()));
    }
}

#[test]
fn what_ended_here_without_an_order_is_taken_up_again_from_a_copy_with_one() {
    // F6: two holders had one press. One did not know the confirmation and asked anew; the other knew it, and has given the order.
    let given = || StoredCommand { stage: rebooting(Some(5)), ..command(7) };
    let ended = |stage: Stage| {
        let mut commands = empty();
        assert!(commands.take(command(7)));
        let _keepers = commands.stage(id(7), stage);
        assert_eq!(commands.stage(id(7), Stage::Done), Some(Vec::new()));
        commands
    };
    let mut commands = ended(Stage::Taken);
    assert!(!commands.keep(command(7), n(2), Some((n(2), Term(3)))), "without an order it stays done");
    assert!(commands.keep(given(), n(2), Some((n(2), Term(3)))));
    assert!(commands.done_among(&[id(7)]).is_empty(), "nobody is told that it is done");
    assert_eq!(commands.start_next().map(|c| c.stage), Some(rebooting(Some(5))), "a successor tells its end");
    assert_eq!(commands.stage(id(7), Stage::Done), Some([n(2)].into()));
    assert!(!commands.keep(given(), n(2), None), "a late copy of what ended with the order");
    let restarted = |mut commands: Commands| commands.take_dirty().map(Commands::new).unwrap_or_else(empty);
    assert!(!restarted(commands).keep(given(), n(2), None), "also after a restart");
    assert!(restarted(ended(Stage::Taken)).keep(given(), n(2), None), "nor does a restart make an order of none");
    assert!(!ended(rebooting(Some(5))).keep(given(), n(2), None), "the same");
    let mut keeper = empty();
    assert!(keeper.keep(command(7), n(1), None));
    keeper.done_elsewhere(&[id(7)], &[]);
    assert!(keeper.keep(given(), n(2), None), "who was told of the end knows no order either");
    let mut stranger = empty();
    stranger.done_elsewhere(&[id(7)], &[]);
    assert!(stranger.keep(given(), n(2), None), "nor does who never had the command");
    for mut knows in [empty(), keeper] {
        knows.done_elsewhere(&[id(7)], &[id(7)]);
        assert!(!knows.keep(given(), n(2), None), "who was told that an order has ended does");
    }
    let over = StoredCommand { stage: void(), ..command(7) };
    assert!(ended(Stage::Taken).keep(over, n(2), None), "its end was not told, be its time over");
}

#[test]
fn the_end_of_another_holder_does_not_end_an_order_in_hand() {
    // F6: the other one did not know the confirmation, and was done with it; this one has given the order
    for (stage, ends) in [(Stage::Taken, true), (rebooting(Some(5)), false), (void(), false)] {
        let mut commands = empty();
        assert!(commands.take(command(7)));
        commands.confirmed(8);
        assert!(commands.start_next().is_some());
        let _keepers = commands.stage(id(7), stage.clone());
        commands.done_elsewhere(&[id(7)], &[]);
        assert_eq!(commands.any_open(), !ends, "{stage:?}");
        commands.done_elsewhere(&[id(7)], &[id(7)]);
        assert_eq!(commands.any_open(), !ends, "{stage:?}, whoever else has told an end");
        commands.put_down();
        commands.done_elsewhere(&[id(7)], &[id(7)]);
        assert!(!commands.any_open(), "whom it was passed on to has ended it");
    }
}

#[test]
fn an_end_without_the_order_does_not_end_a_copy_that_has_it() {
    // F6: who ended it has not told what came of the order; it is passed on, to be told
    for stage in [rebooting(Some(5)), void()] {
        let mut keeper = empty();
        assert!(keeper.keep(StoredCommand { stage, ..command(7) }, n(1), Some((n(1), Term(3)))));
        assert!(keeper.pass_on(n(1), Term(3)).is_empty(), "it came from the holder");
        keeper.done_elsewhere(&[id(7)], &[]);
        assert_eq!(keeper.pass_on(n(1), Term(3)).len(), 1);
        keeper.done_elsewhere(&[id(7)], &[id(7)]);
        assert!(!keeper.any_open());
    }
}

#[test]
fn what_an_earlier_life_took_is_known_only_here_until_another_is_known_to_keep_it() {
    // F6: a node that was removed tells the owner of it when it hears of that, be it after a restart
    let mut first = empty();
    assert!(first.take(command(7)));
    assert!(first.keep(StoredCommand { taken_by: n(2), ..command(8) }, n(2), None));
    first.confirming(9);
    let mut again = first.take_dirty().map(Commands::new).unwrap_or_else(empty);
    let ids = |commands: &Commands| commands.only_here(n(1)).iter().map(|command| command.id).collect::<Vec<_>>();
    assert_eq!(ids(&again), [id(7)], "the other one is a copy");
    again.kept_by(&[id(7)], n(3));
    assert!(ids(&again).is_empty());
}

#[test]
fn what_was_taken_and_not_confirmed_is_begun_when_another_passes_it_on() {
    // F6: the other one may have told Telegram, which then never brings it again
    let mut commands = empty();
    assert!(commands.take(command(7)));
    assert_eq!(commands.start_next(), None);
    assert!(commands.keep(command(7), n(2), None));
    assert_eq!(commands.owed(), Owed::Shared);
    assert_eq!(commands.start_next().map(|c| c.id), Some(id(7)));
}

#[test]
fn the_end_of_an_orders_time_is_not_taken_where_it_was_begun() {
    // F6: this node may have had it done, and the owner must not read that nothing was
    let copy = |stage: Stage| StoredCommand { stage, ..command(7) };
    let (given, void) = (copy(rebooting(Some(5))), copy(void()));
    let mut keeper = empty();
    assert!(keeper.keep(given.clone(), n(1), None));
    assert!(keeper.may_take(&void) && keeper.may_take(&given));
    let mut restarted = keeper.take_dirty().map(Commands::new).unwrap_or_else(empty);
    assert!(!restarted.may_take(&void), "an earlier life may have begun it");
    assert!(restarted.keep(given.clone(), n(1), None));
    assert!(keeper.start_next().is_some());
    keeper.put_down();
    assert!(!keeper.may_take(&void) && keeper.may_take(&given));
    assert!(keeper.stage(id(7), Stage::Done).is_some());
    assert!(!keeper.may_take(&void), "and it ended here");
    let mut other = empty();
    assert!(other.take(command(7)));
    assert!(other.stage(id(7), Stage::Done).is_some());
    assert!(other.may_take(&void), "it ended without an order");
}

#[test]
fn open_commands_are_passed_to_each_holder_once() {
    // F6
    let mut commands = empty();
    assert!(commands.keep(command(7), n(1), None));
    assert_eq!(commands.pass_on(n(2), Term(4)).len(), 1);
    assert_eq!(commands.pass_on(n(2), Term(4)).len(), 0);
    assert_eq!(commands.pass_on(n(2), Term(5)).len(), 1, "a new term is a new holder");
    commands.not_passed(&[id(7)]);
    assert_eq!(commands.pass_on(n(2), Term(5)).len(), 1);
    commands.done_elsewhere(&[id(7)], &[]);
    assert!(!commands.any_open());
}

#[test]
fn a_target_executes_an_id_once_and_remembers_it_on_disk() {
    // F6
    let mut commands = empty();
    assert!(commands.execute_once(id(9)));
    let mut again = commands.take_dirty().map(Commands::new).unwrap_or_else(empty);
    assert!(!again.execute_once(id(9)));
}

#[test]
fn what_is_remembered_is_bounded() {
    // F6
    let mut commands = empty();
    for byte in 0..=255_u8 {
        for other in 0..2_u8 {
            let mut bytes = [byte; 32];
            bytes[0] = other;
            let _first = commands.execute_once(CommandId(bytes));
        }
    }
    assert_eq!(commands.take_dirty().map(|state| state.executed.len()), Some(DONE_COMMANDS));
}

#[test]
fn what_telegram_still_counts_is_owed_by_nobody() {
    // F3, F6: it comes again to whoever polls, so its taker has no reason to poll against another
    let mut commands = empty();
    assert!(commands.take(command(7)));
    commands.put_down();
    assert!(commands.any_open() && commands.owed() == Owed::Nothing);
    commands.confirming(7);
    assert_eq!(commands.owed(), Owed::Nothing, "an offset confirms what is below it");
    commands.confirming(8);
    assert_eq!(commands.owed(), Owed::Orphaned, "whether Telegram heard is not known, and nobody else has it");
    commands.kept_by(&[id(7)], n(3));
    assert_eq!(commands.owed(), Owed::Shared, "a keeper has it too");
    assert!(commands.keep(command(7), n(2), Some((n(2), Term(3)))));
    assert_eq!(commands.owed(), Owed::Orphaned, "a successor has it, and may have died over it");
    let mut keeper = empty();
    assert!(keeper.keep(command(7), n(1), None));
    assert_eq!(keeper.owed(), Owed::Orphaned, "its taker may have confirmed it and died");
    assert!(keeper.start_next().is_some());
    keeper.put_down();
    assert_eq!(keeper.owed(), Owed::Shared, "it had it in hand itself");
    let mut again = Commands::new(keeper.take_dirty().unwrap());
    assert_eq!(again.owed(), Owed::Orphaned, "an earlier life's");
    assert!(again.take(command(8)));
    again.confirming(9);
    assert_eq!(again.owed(), Owed::Orphaned, "one of another is enough");
}

#[test]
fn what_a_newer_version_took_is_kept_in_its_newest_stage_and_ends_by_its_own_word() {
    // S7, F6
    let upgrading = |step: u8| -> Stage {
        serde_json::from_str(&alloc::format!(r#"{{"stage":"upgrading","step":{step}}}"#)).unwrap()
    };
    let mut keeper = Commands::new(CommandsState::empty());
    for step in [1, 2] {
        assert!(keeper.keep(StoredCommand { stage: upgrading(step), ..command(7) }, n(1), Some((n(1), Term(3)))));
    }
    let stored = keeper.take_dirty().unwrap();
    let text = serde_json::to_string(&stored).unwrap();
    let mut keeper = Commands::new(serde_json::from_str(&text).unwrap());
    assert_eq!(keeper.get(&id(7)).map(|command| command.stage.clone()), Some(upgrading(2)));
    keeper.done_elsewhere(&[id(7)], &[]);
    assert!(keeper.any_open(), "who knew of no order has not told its outcome");
    keeper.done_elsewhere(&[id(7)], &[id(7)]);
    assert!(!keeper.any_open());
}

#[test]
fn a_view_that_was_begun_before_it_was_stored_is_not_begun_again_by_its_leader() {
    // F6
    let mut commands = empty();
    commands.take_begun(command(7));
    assert!(commands.waits_for(8) && !commands.waits_for(7) && commands.knows(&id(7)));
    commands.confirming(8);
    commands.confirmed(8);
    assert_eq!((commands.start_next(), commands.waits_for(8)), (None, false));
    let stored = commands.take_dirty().unwrap();
    assert_eq!(Commands::new(stored).start_next().map(|c| c.id), Some(id(7)), "its successor begins it");
}

#[test]
fn a_view_that_another_ended_or_keeps_is_not_stored_as_a_new_one() {
    // F6: it was in hand here for a second, and meanwhile another leader had it too
    let mut commands = empty();
    commands.done_elsewhere(&[id(7)], &[]);
    assert!(!commands.take_begun(command(7)) && !commands.any_open(), "the owner was shown it");
    assert!(commands.keep(command(8), n(2), None));
    assert!(commands.take_begun(command(8)));
    assert_eq!((commands.start_next(), commands.stage(id(8), Stage::Done)), (None, Some(Vec::from([n(2)]))));
    assert_eq!(commands.take_dirty().unwrap().open, []);
}

#[test]
fn what_another_has_shown_is_known_and_not_stored() {
    // F6, L4
    let mut commands = empty();
    let shown = StoredCommand { stage: Stage::Done, ..command(7) };
    assert!(commands.keep(shown.clone(), n(2), Some((n(2), Term(3)))));
    assert_eq!(commands.last(), Some(&command(7).content));
    assert_eq!(commands.take_dirty(), None);
    assert!(commands.keep(command(8), n(2), None));
    assert!(commands.keep(StoredCommand { id: id(8), ..shown }, n(2), None));
    assert!(!commands.any_open(), "what it has a copy of ends with that");
}
