//! Rules and quiet hours on the screen: two taps to a choice, for all nodes and for one.

use super::*;
use crate::alerts::choice::Quiet;
use crate::bot::bench::*;
use crate::bot::kit::page::Label;

/// What the screen says, and its buttons: label and data.
fn screen(bench: &mut Bench) -> (Vec<Say>, Vec<(String, String)>) {
    let message = last_screen(&bench.telegram());
    let Body::Says(says) = message.body else { panic!("{:?}", message.body) };
    let label = |label: &Label| match label {
        Label::Text(key) => key.words(Language::En).to_string(),
        Label::Say(say) => match say.values.first() {
            Some((_, Value::Text(text))) => text.clone(),
            other => alloc::format!("{other:?}"),
        },
        other => alloc::format!("{other:?}"),
    };
    let buttons = message.buttons.iter().flatten();
    (says, buttons.map(|button| (label(&button.label), button.press.data().to_string())).collect())
}

fn press(bench: &mut Bench, data: &str) -> (Vec<Say>, Vec<(String, String)>) {
    bench.pass(3_500);
    bench.press(&Press::parse(data).unwrap());
    screen(bench)
}

fn data(buttons: &[(String, String)], label: &str) -> String {
    buttons.iter().find(|(shown, _)| shown.contains(label)).unwrap_or_else(|| panic!("{label}: {buttons:?}")).1.clone()
}

#[test]
fn two_taps_choose_a_threshold_for_all_nodes() {
    // N2
    let mut bench = Bench::new();
    bench.text("/thresholds");
    let (says, buttons) = screen(&mut bench);
    assert_eq!(says.len(), 1 + JUDGED.len());
    assert_eq!(says[1].key, Key::RuleOn);
    let (_, buttons) = press(&mut bench, &data(&buttons, "Disk"));
    let (says, buttons) = press(&mut bench, &data(&buttons, "80 %"));
    let which = Scope::All.which(&Judged::DiskFull);
    assert_eq!(bench.world.choices.get(&which), Some(&Choice { on: true, threshold: Some(800) }));
    assert_eq!(says[1], Say::new(Key::RuleOn).with("rule", Value::Say(Say::new(Key::RuleDisk).text("at", "80 %"))));
    // Back to the preset: nothing is chosen any longer.
    press(&mut bench, &data(&buttons, "As preset"));
    assert!(bench.world.choices.is_empty());
}

#[test]
fn a_node_has_a_choice_of_its_own_and_can_follow_the_others_again() {
    // N2
    let mut bench = Bench::new();
    let (beta, cpu) = (Scope::Node(node("beta")), Judged::Cpu);
    press(&mut bench, choose(Scope::All, &cpu, &OFF).data());
    let (says, buttons) = press(&mut bench, to_rule(beta, &cpu).data());
    assert_eq!((says[1].key, says[2].key), (Key::RuleOff, Key::StateForAll));
    let (says, buttons) = press(&mut bench, &data(&buttons, "90 %"));
    assert_eq!((says[1].key, says[2].key), (Key::RuleOn, Key::StateChosen));
    assert_eq!(bench.world.choices.get(&beta.which(&cpu)), Some(&Choice { on: true, threshold: Some(900) }));
    let (says, _) = press(&mut bench, &data(&buttons, "As for all"));
    assert_eq!((says[1].key, says[2].key), (Key::RuleOff, Key::StateForAll));
    assert_eq!(bench.world.choices.len(), 1, "the choice for all stays");
    let (says, _) = press(&mut bench, ways::thresholds(Some(node("beta"))).data());
    assert_eq!(says[0].key, Key::ThresholdsOf);
}

#[test]
fn a_choice_without_a_majority_is_refused_in_words() {
    // R4: by a button, and in words, where no toast can say it.
    let mut bench = Bench::new();
    bench.world.strong = false;
    let (says, _) = press(&mut bench, choose(Scope::All, &Judged::Cpu, &OFF).data());
    assert_eq!((says[0].key, says[2].key), (Key::NoMajority, Key::RuleOn));
    let (says, _) = press(&mut bench, Press::with(CHOOSE_QUIET, ON).data());
    assert_eq!((says[0].key, says[2].key), (Key::NoMajority, Key::QuietOff));
    bench.pass(3_500);
    bench.text("23:00-7:00 berlin");
    let (says, _) = screen(&mut bench);
    assert_eq!((says[0].key, says[2].key), (Key::NoMajority, Key::QuietOff));
    assert!(bench.world.choices.is_empty() && bench.world.quiet.is_none());
    let (says, _) = press(&mut bench, to_rule(Scope::All, &Judged::Cpu).data());
    assert_eq!(says[1].key, Key::RuleOn, "a view is no choice");
}

#[test]
fn quiet_hours_are_chosen_by_taps_or_in_words() {
    // N5
    let mut bench = Bench::new();
    bench.text("/quiet");
    let (says, buttons) = screen(&mut bench);
    assert_eq!(says[1].key, Key::QuietOff);
    press(&mut bench, &data(&buttons, "22:00–7:00"));
    let (_, buttons) = press(&mut bench, &data(&buttons, "New York"));
    let quiet = |from_min, until_min, zone: &str| Quiet { on: true, from_min, until_min, zone: zone.into() };
    assert_eq!(bench.world.quiet, Some(quiet(1_320, 420, "America/New_York")));
    bench.text("23:30 - 6:15");
    screen(&mut bench);
    assert_eq!(bench.world.quiet, Some(quiet(1_410, 375, "America/New_York")));
    bench.pass(3_500);
    bench.text("23:30-6:15 berlin");
    let (says, _) = screen(&mut bench);
    assert_eq!(bench.world.quiet, Some(quiet(1_410, 375, "Europe/Berlin")));
    assert_eq!(says[1].key, Key::QuietOn);
    press(&mut bench, &data(&buttons, "Off"));
    assert_eq!(bench.world.quiet.as_ref().map(|quiet| quiet.on), Some(false));
}

#[test]
fn words_that_are_no_hours_and_no_zone_are_none() {
    // N5
    for text in ["", "24:00-7:00", "7-7", "23:60-7:00", "23:00-7:00 Mars", "hello", "1440-0"] {
        assert_eq!(quiet::Wanted::typed(text), None, "{text}");
    }
    for rest in ["", "1440-0", "60-60", "a-b", "Mars"] {
        assert_eq!(quiet::Wanted::pressed(rest), None, "{rest}");
    }
    assert!(quiet::Wanted::typed("23-7").is_some() && quiet::Wanted::typed("Europe/Moscow").is_some());
}

#[test]
fn every_rule_has_words() {
    // N2
    for kind in JUDGED {
        assert!(![words::sentence(&kind), words::short(&kind)].contains(&Key::UnknownButton), "{kind:?}");
    }
    assert_eq!(words::sentence(&Judged::NodeDown), Key::UnknownButton);
}

#[test]
fn every_button_fits_and_means_what_it_says() {
    // N2: the longest data too.
    let world = Bench::new().world;
    for scope in [Scope::All, Scope::Node(node("beta"))] {
        for kind in JUDGED {
            let chosen = [None, Some(Choice::PRESET), Some(Choice { on: false, threshold: None })];
            for button in chosen.into_iter().flat_map(|own| rule_buttons(scope, &kind, own)).flatten() {
                assert!(button.press.data().len() <= 64, "{:?}", button.press);
                if button.press.verb() == CHOOSE {
                    assert!(
                        matches!(read(&world, &button.press), Ok(Asked::Choose(of, judged, _)) if (of, &judged) == (scope, &kind))
                    );
                }
            }
        }
    }
    for junk in ["th:xyz", "th:all:memory_x", "ts:all:cpu:abc", "ts:all:node_down:on", "qs:25"] {
        assert!(read(&world, &Press::parse(junk).unwrap()).is_err(), "{junk}");
    }
}
