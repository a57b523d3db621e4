//! Alerts before the owner: the buttons under an incident's message, and `/alerts`, the list of what is open and of the last ones.
//!
//! Messages of incidents are sent by the node itself (`controller/core/src/node/alerts.rs`), also where nobody polls; a press under one comes here.

pub mod message;
#[cfg(test)]
mod tests;
mod words;

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::wire::incident::{AlertRecord, IncidentId};

use super::ways;
use crate::alerts::board::{Press as BoardPress, Wish as BoardWish};
use crate::alerts::incident::Incident;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Act;
use crate::bot::desk::drawing::{Drawing, Sheet, Source};
use crate::bot::desk::job::Job;
use crate::bot::desk::room::{Command, Kind, Room, Then, Visit, Wish, node_of};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::{Body, Button};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::World;

/// Alerts.
#[derive(Debug)]
pub(super) struct AlertsRoom;

impl Room for AlertsRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[VERB]
    }

    fn commands(&self) -> &'static [Command] {
        &[
            Command { verb: "/alerts", help: Some(Key::HelpAlerts), menu: Some(Key::MenuAlerts) },
            Command { verb: MUTE, help: None, menu: None },
        ]
    }

    fn kind(&self, wish: &Wish) -> Kind {
        match wish {
            Wish::Pressed(press) if wish_of(press).is_some() => Kind::Edit,
            Wish::Pressed(_) | Wish::Typed { .. } | Wish::Said { .. } => Kind::View,
        }
    }

    /// Its buttons stand under incidents too, which are no old screens.
    fn has_messages(&self, press: &Press) -> bool {
        press.verb() == VERB && !press.rest().is_empty()
    }

    fn in_short(&self, _world: &World, press: &Press) -> String {
        match wish_of(press) {
            Some((BoardWish::Acknowledge, _)) => "👁".to_string(),
            Some(_) => "🔕".to_string(),
            None => "/alerts".to_string(),
        }
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        if let Wish::Pressed(press) = visit.wish {
            if let Some((wish, which)) = wish_of(press) {
                return press_incidents(desk, step, visit.job, wish, which);
            }
            if let Some(tag) = press.rest().strip_prefix(CARD).and_then(|rest| rest.strip_prefix(':')) {
                return match node_of(step.world, tag) {
                    Ok(node) => Then::Go(ways::card(node)),
                    Err(key) => {
                        step.toast(key);
                        Then::shown(desk.latest())
                    }
                };
            }
        }
        let sheet = visit.sheet(desk, step);
        Then::shown(desk.draw(step, sheet, drawing(step.world)))
    }

    fn redraw(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, source: &Source) {
        let drawing = drawing(step.world).anew(NAME, source.press.clone());
        desk.draw(step, sheet, source.by.into_iter().fold(drawing, Drawing::watched));
    }
}

/// An idempotent write for each incident that is meant. What comes of it is shown in the incidents' own messages.
fn press_incidents(desk: &Desk, step: &mut Step<'_>, job: &Job, wish: BoardWish, which: Option<IncidentId>) -> Then {
    let is_meant = |incident: &&Incident| which.is_none_or(|id| id == incident.id) && !incident.is_over();
    let incidents: Vec<IncidentId> = step.world.alerts.iter().filter(is_meant).map(|incident| incident.id).collect();
    let command = &job.command;
    let by = command.username.as_ref().map_or_else(|| command.user.to_string(), |name| alloc::format!("@{name}"));
    step.toast(match wish {
        _ if incidents.is_empty() => Key::AlertIsOver,
        BoardWish::Acknowledge => Key::AlertSeen,
        BoardWish::MuteFor(_) | BoardWish::MuteUntilWell => Key::AlertMuteSet,
        BoardWish::Unmute => Key::AlertMuteGone,
    });
    let at_unix_ms = command.taken_unix_ms;
    let press = |incident| Act::Alert(BoardPress { incident, by: by.clone(), at_unix_ms, wish });
    step.acts.extend(incidents.into_iter().map(press));
    Then::shown(desk.latest())
}

/// The list: what is open, worst and newest first, and the last ones.
fn drawing(world: &World) -> Drawing {
    let name = |node: &constella_shared::ids::NodeId| world.name_of(*node);
    let is_open = |alert: &&AlertRecord| alert.cleared_unix_ms.is_none() && alert.subject.kind.has_state();
    let all = || world.alerts.iter().flat_map(|incident| &incident.alerts);
    let mut open: Vec<&AlertRecord> = all().filter(is_open).collect();
    let mut last: Vec<&AlertRecord> = all().filter(|alert| !is_open(alert)).collect();
    open.sort_by_key(|alert| (core::cmp::Reverse(crate::alerts::incident::severity(alert)), alert.raised_unix_ms));
    last.sort_by_key(|alert| core::cmp::Reverse(alert.cleared_unix_ms.unwrap_or(alert.raised_unix_ms)));
    let count = |number: usize| Value::Count(u64::try_from(number).unwrap_or(u64::MAX));
    let mut says = vec![match open.len() {
        0 => Say::new(Key::AlertsNone),
        number => Say::new(Key::AlertsOpen).with("count", count(number)),
    }];
    for alert in open.iter().take(OPEN) {
        says.push(message::line(alert, &name));
        says.extend(message::attention(core::slice::from_ref(*alert)));
    }
    if open.len() > OPEN {
        says.push(Say::new(Key::AlertMore).with("count", count(open.len().saturating_sub(OPEN))));
    }
    if !last.is_empty() {
        says.push(Say::new(Key::AlertsRecent));
        says.extend(last.iter().take(LAST).map(|alert| message::line(alert, &name)));
    }
    Drawing::new(Body::Says(says), buttons(!open.is_empty())).anew(NAME, Press::new(VERB))
}

fn buttons(is_open: bool) -> Vec<Vec<Button>> {
    let mute = |key, what| button(key, press_on(what, ALL));
    let all =
        vec![mute(Key::AlertMute1h, MUTE_1H), mute(Key::AlertMute8h, MUTE_8H), mute(Key::AlertMuteLong, MUTE_LONG)];
    let mut rows = vec![vec![button(Key::Refresh, Press::new(VERB)), ways::to_list()]];
    if is_open {
        rows.insert(0, all);
    }
    rows
}

/// A press on an incident, or on all of them.
fn press_on(what: &str, which: &str) -> Press {
    Press::with(VERB, alloc::format!("{what}:{which}"))
}

/// What a press wants of which incident; None of which for all that are open.
fn wish_of(press: &Press) -> Option<(BoardWish, Option<IncidentId>)> {
    let (what, which) = press.rest().split_once(':').filter(|_| press.verb() == VERB)?;
    let wish = match what {
        SEE => BoardWish::Acknowledge,
        MUTE_1H => BoardWish::MuteFor(HOUR_MS),
        MUTE_8H => BoardWish::MuteFor(8 * HOUR_MS),
        MUTE_LONG => BoardWish::MuteUntilWell,
        UNMUTE => BoardWish::Unmute,
        _ => return None,
    };
    if which == ALL { Some((wish, None)) } else { Some((wish, Some(which.parse().ok()?))) }
}

/// Its name.
const NAME: &str = "alerts";

/// Verb of its buttons.
const VERB: &str = "al";

/// Command that offers to mute.
const MUTE: &str = "/mute";

/// An acknowledge.
const SEE: &str = "a";

/// A mute for an hour ...
const MUTE_1H: &str = "1";

/// ... for eight hours ...
const MUTE_8H: &str = "8";

/// ... until it is well.
const MUTE_LONG: &str = "w";

/// The end of a mute.
const UNMUTE: &str = "u";

/// A node's card.
const CARD: &str = "c";

/// Every incident that is open.
const ALL: &str = "*";

const HOUR_MS: u64 = 3_600_000;

/// Alerts that stand in the list ...
const OPEN: usize = 15;

/// ... and those that are over.
const LAST: usize = 20;
