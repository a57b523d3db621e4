//! N2: which rules nodes judge themselves by, for all nodes and for one: on, off, another threshold. And N5's quiet hours.

mod quiet;
#[cfg(test)]
mod tests;
mod words;

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::wire::alert::{Kind as Judged, Unit};
use constella_shared::wire::records::NetValue;

use super::ways;
use crate::alerts::choice::{Choice, Scope};
use crate::alerts::preset::{JUDGED, Preset, preset};
use crate::bot::desk::Desk;
use crate::bot::desk::act::Act;
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet};
use crate::bot::desk::room::{Command, Kind, Room, Then, Visit, Wish, node_of};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::{Body, Button, Label};
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::World;

/// Rules and quiet hours.
#[derive(Debug)]
pub(super) struct ThresholdsRoom;

/// A button of this room, read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// All rules of a scope.
    Rules(Scope),
    /// One rule.
    Rule(Scope, Judged),
    /// Another choice about a rule; None takes the choice back.
    Choose(Scope, Judged, Option<Choice>),
    /// Quiet hours.
    Quiet,
    /// Other quiet hours.
    ChooseQuiet(quiet::Wanted),
}

/// The outcome of a press or of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is shown, and written where it is a choice.
    Done,
    /// Nothing was written.
    Refused,
}

impl Room for ThresholdsRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::THRESHOLDS, CHOOSE, QUIET, CHOOSE_QUIET]
    }

    fn commands(&self) -> &'static [Command] {
        &[
            Command { verb: THRESHOLDS, help: Some(Key::HelpThresholds), menu: Some(Key::MenuThresholds) },
            Command { verb: QUIET_HOURS, help: Some(Key::HelpQuiet), menu: Some(Key::MenuQuiet) },
        ]
    }

    fn kind(&self, wish: &Wish) -> Kind {
        match wish {
            Wish::Pressed(press) if matches!(press.verb(), CHOOSE | CHOOSE_QUIET) => Kind::Edit,
            Wish::Said { to: Some(_), .. } => Kind::Edit,
            Wish::Pressed(_) | Wish::Typed { .. } | Wish::Said { .. } => Kind::View,
        }
    }

    fn awaits(&self, text: &str, _question: &Press) -> bool {
        quiet::Wanted::typed(text).is_some()
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let sheet = visit.sheet(desk, step);
        let asked = match visit.wish {
            Wish::Typed { verb, .. } if verb == QUIET_HOURS => Ok(Asked::Quiet),
            Wish::Typed { .. } => Ok(Asked::Rules(Scope::All)),
            Wish::Said { text, .. } => quiet::Wanted::typed(text).map(Asked::ChooseQuiet).ok_or(Key::UnknownButton),
            Wish::Pressed(press) => read(step.world, press),
        };
        let is_edit = self.kind(visit.wish) == Kind::Edit;
        match asked {
            Err(why) => {
                step.toast(why);
                Then::Go(ways::list(0))
            }
            // R4: another side of a partition may choose something else.
            Ok(asked) if is_edit && !step.world.strong => {
                step.toast(Key::NoMajority);
                Then::shown(draw(desk, step, sheet, &asked, Outcome::Refused))
            }
            Ok(asked) => Then::shown(answer(desk, step, sheet, &asked)),
        }
    }
}

/// Writes the choice, where it is one, and shows what holds then. The record of this step is not in the step's world yet.
fn answer(desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, asked: &Asked) -> Version {
    match asked {
        Asked::Choose(scope, kind, choice) => {
            let on = choice.map(|choice| choice.on);
            let value = NetValue::AlertRule { on, threshold: choice.and_then(|choice| choice.threshold) };
            step.acts.push(Act::RecordOf { which: scope.which(kind), value });
            step.toast(Key::Chosen);
        }
        Asked::ChooseQuiet(wanted) => {
            let quiet = wanted.onto(step.world.quiet.as_ref());
            step.acts.push(Act::Record(quiet.clone().into()));
            step.toast(Key::Chosen);
            return quiet::draw(desk, step, sheet, Some(&quiet), None);
        }
        Asked::Rules(_) | Asked::Rule(..) | Asked::Quiet => {}
    }
    draw(desk, step, sheet, asked, Outcome::Done)
}

/// Draws what was asked for. A choice that this step has just made is not in the step's world yet.
fn draw(desk: &mut Desk, step: &Step<'_>, sheet: Sheet, asked: &Asked, outcome: Outcome) -> Version {
    let world = step.world;
    let refused = (outcome == Outcome::Refused).then(|| Say::new(Key::NoMajority));
    let held = |scope: &Scope, kind: &Judged| world.choices.get(&scope.which(kind)).copied();
    let (mut says, buttons) = match asked {
        Asked::Rules(scope) => (rules(world, *scope), rules_buttons(*scope)),
        Asked::Rule(scope, kind) | Asked::Choose(scope, kind, _) => {
            let own = match asked {
                Asked::Choose(_, _, choice) if outcome == Outcome::Done => *choice,
                _ => held(scope, kind),
            };
            (rule(world, *scope, kind, own), rule_buttons(*scope, kind, own))
        }
        Asked::Quiet | Asked::ChooseQuiet(_) => return quiet::draw(desk, step, sheet, world.quiet.as_ref(), refused),
    };
    says.splice(0..0, refused);
    desk.draw(step, sheet, Drawing::new(Body::Says(says), buttons))
}

fn title(world: &World, scope: Scope) -> Say {
    match scope {
        Scope::All => Say::new(Key::ThresholdsOfAll),
        Scope::Node(node) => Say::new(Key::ThresholdsOf).text("name", world.name_of(node)),
    }
}

/// The choice that holds where nothing is chosen for the scope itself.
fn inherited(world: &World, scope: Scope, kind: &Judged) -> Choice {
    match scope {
        Scope::All => Choice::PRESET,
        Scope::Node(_) => world.choices.get(&Scope::All.which(kind)).copied().unwrap_or(Choice::PRESET),
    }
}

/// All rules of a scope, a line each.
fn rules(world: &World, scope: Scope) -> Vec<Say> {
    let line = |kind: &Judged| {
        let own = world.choices.get(&scope.which(kind)).copied();
        let choice = own.unwrap_or_else(|| inherited(world, scope, kind));
        let key = match (choice.on, own.is_some()) {
            (true, false) => Key::RuleOn,
            (true, true) => Key::RuleChosen,
            (false, _) => Key::RuleOff,
        };
        Say::new(key).with("rule", Value::Say(sentence(kind, choice.threshold)))
    };
    [title(world, scope)].into_iter().chain(JUDGED.iter().map(line)).collect()
}

fn rules_buttons(scope: Scope) -> Vec<Vec<Button>> {
    let each: Vec<Button> = JUDGED.iter().map(|kind| button(words::short(kind), to_rule(scope, kind))).collect();
    let mut rows: Vec<Vec<Button>> = each.chunks(3).map(<[Button]>::to_vec).collect();
    rows.push(match scope {
        Scope::All => vec![button(Key::QuietHours, Press::new(QUIET)), ways::to_list()],
        Scope::Node(node) => vec![button(Key::ToCard, ways::card(node)), button(Key::ForAll, ways::thresholds(None))],
    });
    rows
}

/// One rule at length: what holds, and for whom.
fn rule(world: &World, scope: Scope, kind: &Judged, own: Option<Choice>) -> Vec<Say> {
    let choice = own.unwrap_or_else(|| inherited(world, scope, kind));
    let state = match (own, scope) {
        (Some(Choice { on: false, .. }), _) => Key::StateOff,
        (Some(_), _) => Key::StateChosen,
        (None, Scope::All) => Key::StatePreset,
        (None, Scope::Node(_)) => Key::StateForAll,
    };
    let key = if choice.on { Key::RuleOn } else { Key::RuleOff };
    vec![title(world, scope), Say::new(key).with("rule", Value::Say(sentence(kind, choice.threshold))), Say::new(state)]
}

fn rule_buttons(scope: Scope, kind: &Judged, own: Option<Choice>) -> Vec<Vec<Button>> {
    let Some(preset) = preset(kind) else { return vec![vec![ways::to_list()]] };
    let current = own.filter(|choice| choice.on).and_then(|choice| choice.threshold);
    let offer = |at: &i64| {
        let key = if current == Some(*at) { Key::OfferTaken } else { Key::Offer };
        let label = Label::Say(Say::new(key).with("at", amount(&preset, *at)));
        Button { label, press: choose(scope, kind, at) }
    };
    let mut rows = Vec::new();
    if !preset.offers.is_empty() {
        rows.push(preset.offers.iter().map(offer).collect());
    }
    let turn = match own {
        Some(Choice { on: false, .. }) => button(Key::TurnOn, choose(scope, kind, &ON)),
        Some(_) | None => button(Key::TurnOff, choose(scope, kind, &OFF)),
    };
    let back = if own.is_some() {
        let key = if scope == Scope::All { Key::TakePreset } else { Key::TakeForAll };
        vec![turn, button(key, choose(scope, kind, &BACK))]
    } else {
        vec![turn]
    };
    rows.push(back);
    let node = if let Scope::Node(node) = scope { Some(node) } else { None };
    rows.push(vec![button(Key::AllRules, ways::thresholds(node)), ways::to_list()]);
    rows
}

/// What a rule says, with its threshold.
fn sentence(kind: &Judged, threshold: Option<i64>) -> Say {
    let say = Say::new(words::sentence(kind));
    match preset(kind) {
        Some(preset) if preset.range.is_some() => say.with("at", amount(&preset, preset.rule_at(threshold).raise)),
        Some(_) | None => say,
    }
}

/// A threshold in its unit.
fn amount(preset: &Preset, at: i64) -> Value {
    let whole = at.unsigned_abs();
    let tenths = |unit: &str| match whole % 10 {
        0 => Value::Text(alloc::format!("{} {unit}", whole / 10)),
        rest => Value::Text(alloc::format!("{}.{rest} {unit}", whole / 10)),
    };
    match preset.unit {
        Unit::PercentTenths => tenths("%"),
        Unit::CelsiusTenths => tenths("°C"),
        Unit::Seconds => Value::Span(whole.saturating_mul(1_000)),
        Unit::BytesPerSecond => Value::Bits(Some(whole.saturating_mul(8))),
        Unit::Count | Unit::Nothing | Unit::Other => Value::Count(whole),
    }
}

fn scope_tag(scope: Scope) -> String {
    match scope {
        Scope::All => ALL.to_string(),
        Scope::Node(node) => NodeTag::of(&node).to_string(),
    }
}

fn to_rule(scope: Scope, kind: &Judged) -> Press {
    Press::with(ways::THRESHOLDS, alloc::format!("{}:{}", scope_tag(scope), kind.name()))
}

fn choose(scope: Scope, kind: &Judged, what: &dyn core::fmt::Display) -> Press {
    Press::with(CHOOSE, alloc::format!("{}:{}:{what}", scope_tag(scope), kind.name()))
}

/// A button of this room; or what the toast says of one that means nothing here.
fn read(world: &World, press: &Press) -> Result<Asked, Key> {
    let mut parts = press.rest().split(':');
    let scope = |tag: &str| -> Result<Scope, Key> {
        if tag == ALL || tag.is_empty() { Ok(Scope::All) } else { node_of(world, tag).map(Scope::Node) }
    };
    let judged = |name: &str| Judged::of(name).filter(|kind| JUDGED.contains(kind)).ok_or(Key::UnknownButton);
    match press.verb() {
        QUIET => Ok(Asked::Quiet),
        CHOOSE_QUIET => quiet::Wanted::pressed(press.rest()).map(Asked::ChooseQuiet).ok_or(Key::UnknownButton),
        verb => {
            let scope: Scope = scope(parts.next().unwrap_or_default())?;
            let Some(kind) = parts.next().map(judged).transpose()? else { return Ok(Asked::Rules(scope)) };
            match parts.next() {
                None => Ok(Asked::Rule(scope, kind)),
                Some(_) if verb != CHOOSE => Err(Key::UnknownButton),
                Some(ON) => Ok(Asked::Choose(scope, kind, Some(Choice::PRESET))),
                Some(OFF) => Ok(Asked::Choose(scope, kind, Some(Choice { on: false, threshold: None }))),
                Some(BACK) => Ok(Asked::Choose(scope, kind, None)),
                Some(at) => {
                    let threshold = at.parse().map_err(|_| Key::UnknownButton)?;
                    let choice = Choice { on: true, threshold: Some(threshold) };
                    Ok(Asked::Choose(scope, kind, Some(choice)))
                }
            }
        }
    }
}

/// Its name.
const NAME: &str = "thresholds";

/// Verb of a choice about a rule.
const CHOOSE: &str = "ts";

/// Verb of the quiet hours.
const QUIET: &str = "qh";

/// Verb of a choice of quiet hours.
const CHOOSE_QUIET: &str = "qs";

/// Command of the rules.
const THRESHOLDS: &str = "/thresholds";

/// Command of the quiet hours.
const QUIET_HOURS: &str = "/quiet";

/// In a button: for all nodes.
const ALL: &str = "all";

/// In a button: the rule is judged, with its preset.
const ON: &str = "on";

/// In a button: the rule is not judged.
const OFF: &str = "off";

/// In a button: nothing is chosen here.
const BACK: &str = "back";
