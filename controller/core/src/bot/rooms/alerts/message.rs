//! The words of an incident: what its message says, and the note on its end.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::alert::{Kind, Part, Severity, Unit, Value as Amount};
use constella_shared::wire::incident::{AlertRecord, Witnesses};

use super::press_on;
use crate::alerts::incident::{self, Incident};
use crate::bot::kit::buttons::button;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::{Button, Screen};
use crate::bot::kit::press::NodeTag;
use crate::bot::kit::say::{Key, Say, Value};

/// The message of an incident. `name` is what the owner calls a node.
#[must_use]
pub fn screen(language: Language, incident: &Incident, name: impl Fn(&NodeId) -> String) -> Screen {
    let mut says = match incident.alerts.as_slice() {
        [alert] => one(alert, &name),
        alerts => several(incident, alerts, &name),
    };
    let times = incident.alerts.iter().map(|alert| alert.raises.len()).max().unwrap_or(0);
    if times >= FLAPS && !incident.is_over() {
        says.push(Say::new(Key::AlertFlaps));
    }
    says.extend(attention(&incident.alerts));
    Screen::Alert { language, incident: Box::new(incident.clone()), says, buttons: buttons(incident) }
}

/// The note that an incident is over.
#[must_use]
pub fn note(language: Language, incident: &Incident, name: impl Fn(&NodeId) -> String) -> Screen {
    let lasted = incident.lasted_ms().unwrap_or(0);
    let say = match incident.alerts.as_slice() {
        [alert] => match alert.subject.kind {
            Kind::NodeDown => Say::new(Key::NoteUp).text("name", name(&alert.subject.node)),
            Kind::VotersMissing => Say::new(Key::NoteTogether).text("name", name(&alert.subject.node)),
            _ => Say::new(Key::NoteOver).text("name", name(&alert.subject.node)).with("what", what(alert)),
        },
        alerts if alerts.iter().all(|alert| alert.subject.kind == Kind::NodeDown) => {
            Say::new(Key::NoteManyUp).with("count", count(alerts.len()))
        }
        alerts => Say::new(Key::NoteManyOver).with("count", count(alerts.len())),
    };
    Screen::Note { language, say: say.span("lasted", lasted) }
}

/// What an owner can do about it, as long as it stands.
fn buttons(incident: &Incident) -> Vec<Vec<Button>> {
    let stands = |alert: &&AlertRecord| alert.cleared_unix_ms.is_none() && alert.subject.kind.has_state();
    let standing: Vec<&AlertRecord> = incident.alerts.iter().filter(stands).collect();
    let Some(first) = standing.first() else { return Vec::new() };
    let press = |key, what: &str| button(key, press_on(what, &incident.id.to_string()));
    let is_seen = standing.iter().all(|alert| alert.ack.is_some());
    let is_muted = standing.iter().all(|alert| alert.mute.is_some());
    let mut rows = Vec::new();
    rows.extend((!is_seen).then(|| Vec::from([press(Key::AlertSee, super::SEE)])));
    rows.push(if is_muted {
        Vec::from([press(Key::AlertUnmute, super::UNMUTE)])
    } else {
        let wishes = [(Key::AlertMute1h, super::MUTE_1H), (Key::AlertMute8h, super::MUTE_8H)];
        wishes.into_iter().chain([(Key::AlertMuteLong, super::MUTE_LONG)]).map(|(key, what)| press(key, what)).collect()
    });
    // Of several nodes there is no one card.
    if standing.iter().all(|alert| alert.subject.node == first.subject.node) {
        let tag = NodeTag::of(&first.subject.node);
        rows.push(Vec::from([button(Key::AlertCard, press_on(super::CARD, &alloc::format!("{tag}")))]));
    }
    rows
}

/// One line for one alert: in a message of several, and in the list of all.
#[must_use]
pub(super) fn line(alert: &AlertRecord, name: &impl Fn(&NodeId) -> String) -> Say {
    let named = |key| Say::new(key).text("name", name(&alert.subject.node)).with("what", what(alert));
    match alert.cleared_unix_ms {
        Some(cleared) => timed(named(Key::AlertLineOver), alert, cleared),
        None => named(Key::AlertLine).with("mark", mark(alert)).with("since", clock(alert.raised_unix_ms)),
    }
}

fn one(alert: &AlertRecord, name: &impl Fn(&NodeId) -> String) -> Vec<Say> {
    let node = name(&alert.subject.node);
    let since = clock(alert.raised_unix_ms);
    match (&alert.subject.kind, alert.cleared_unix_ms) {
        (Kind::VotersMissing, Some(cleared)) => Vec::from([over(Key::AlertTogether, node, alert, cleared)]),
        (Kind::VotersMissing, None) => {
            let (sees, total) = alert.witnesses.map_or((0, 0), |seen| (seen.of.saturating_sub(seen.silent), seen.of));
            let says = Say::new(Key::AlertAlone).text("name", node.clone()).with("since", since);
            let says = says.with("sees", Value::Count(sees.into())).with("total", Value::Count(total.into()));
            Vec::from([says, Say::new(Key::AlertAloneWhy).text("name", node)])
        }
        (Kind::NodeDown, Some(cleared)) => Vec::from([over(Key::AlertUp, node, alert, cleared)]),
        (Kind::NodeDown, None) => {
            let mut says = Vec::from([Say::new(Key::AlertDown).text("name", node).with("since", since)]);
            says.extend(alert.witnesses.map(|witnesses| by(witnesses, name(&alert.by))));
            says
        }
        (_, Some(cleared)) => Vec::from([over(Key::AlertOver, node, alert, cleared).with("what", what(alert))]),
        (kind, None) => {
            let key = if kind.has_state() { Key::AlertRaised } else { Key::AlertEvent };
            let says = Say::new(key).with("mark", mark(alert)).text("name", node);
            Vec::from([says.with("what", what(alert)).with("since", since)])
        }
    }
}

fn several(incident: &Incident, alerts: &[AlertRecord], name: &impl Fn(&NodeId) -> String) -> Vec<Say> {
    let all = count(alerts.len());
    let standing = count(alerts.iter().filter(|alert| alert.cleared_unix_ms.is_none()).count());
    let nodes = alerts.iter().all(|alert| alert.subject.kind == Kind::NodeDown);
    let title = match (incident.lasted_ms(), nodes) {
        (Some(lasted), true) => Say::new(Key::AlertManyUp).with("count", all).span("lasted", lasted),
        (Some(lasted), false) => Say::new(Key::AlertManyOver).with("count", all).span("lasted", lasted),
        (None, true) => Say::new(Key::AlertManyDown).with("count", standing).with("total", all),
        (None, false) => Say::new(Key::AlertMany).with("count", standing).with("total", all),
    };
    // What stands is what the owner looks for.
    let (stands, over): (Vec<_>, Vec<_>) = alerts.iter().partition(|alert| alert.cleared_unix_ms.is_none());
    let mut says = Vec::from([title]);
    says.extend(stands.into_iter().chain(over).take(LINES).map(|alert| line(alert, name)));
    let more = alerts.len().saturating_sub(LINES);
    if more > 0 {
        says.push(Say::new(Key::AlertMore).with("count", count(more)));
    }
    says
}

/// Who has seen it, and who wants to hear nothing of it.
pub(super) fn attention(alerts: &[AlertRecord]) -> Vec<Say> {
    let acked = alerts.iter().find_map(|alert| alert.ack.as_ref());
    let muted = alerts.iter().find_map(|alert| alert.mute.as_ref());
    let acked = acked.map(|ack| Say::new(Key::AlertAcked).text("by", ack.by.clone()).with("at", clock(ack.at_unix_ms)));
    let muted = muted.map(|mute| match mute.until_unix_ms {
        Some(until) => Say::new(Key::AlertMutedUntil).text("by", mute.by.clone()).with("until", clock(until)),
        None => Say::new(Key::AlertMuted).text("by", mute.by.clone()),
    });
    acked.into_iter().chain(muted).collect()
}

fn by(Witnesses { silent, of }: Witnesses, observer: String) -> Say {
    let number = |number: u16| Value::Count(number.into());
    match (silent, of) {
        (_, 0 | 1) => Say::new(Key::AlertByOne).text("by", observer),
        _ if silent == of => Say::new(Key::AlertByAll).with("witnesses", number(of)),
        _ => Say::new(Key::AlertByMost).with("silent", number(silent)).with("witnesses", number(of)),
    }
}

fn over(key: Key, name: String, alert: &AlertRecord, cleared_unix_ms: u64) -> Say {
    timed(Say::new(key).text("name", name), alert, cleared_unix_ms)
}

fn timed(say: Say, alert: &AlertRecord, cleared_unix_ms: u64) -> Say {
    let lasted = cleared_unix_ms.saturating_sub(alert.raised_unix_ms);
    let said = say.with("since", clock(alert.raised_unix_ms)).with("until", clock(cleared_unix_ms));
    said.span("lasted", lasted)
}

/// What is the matter, as the end of a sentence about a node.
fn what(alert: &AlertRecord) -> Value {
    let (value, part) = (amount(&alert.value), alert.subject.part.as_ref().map_or("", Part::as_str));
    let with_part = |key| Say::new(key).text("part", part).with("value", value.clone());
    Value::Say(match &alert.subject.kind {
        Kind::NodeDown => Say::new(Key::WhatDown),
        Kind::DiskFull => with_part(Key::WhatDiskFull),
        Kind::DiskFillsUp => with_part(Key::WhatDiskFillsUp),
        Kind::Memory => Say::new(Key::WhatMemory).with("value", value),
        Kind::Cpu => Say::new(Key::WhatCpu).with("value", value),
        Kind::Swap => Say::new(Key::WhatSwap),
        Kind::Temperature => with_part(Key::WhatTemperature),
        Kind::Inodes => with_part(Key::WhatInodes),
        Kind::ClockSkew => Say::new(Key::WhatClock).with("value", value),
        Kind::AgentUnreachable => Say::new(Key::WhatAgent),
        Kind::UnexpectedReboot => Say::new(Key::WhatReboot),
        Kind::OtherProgram => Say::new(Key::WhatOtherProgram),
        Kind::TelegramUnreachable => Say::new(Key::WhatTelegram),
        Kind::VotersMissing => Say::new(Key::WhatAlone),
        Kind::TwoBoots => Say::new(Key::WhatTwoBoots),
        Kind::Joined => Say::new(Key::WhatJoined),
        Kind::Removed => Say::new(Key::WhatRemoved),
        Kind::AddressChanged => Say::new(Key::WhatAddress).text("part", part),
        Kind::NewVersion => Say::new(Key::WhatVersion).text("part", part),
        Kind::Other(_) => Say::new(Key::WhatOther).text("kind", alert.subject.kind.name()),
    })
}

/// A number with its unit. Percent and degrees are whole: they are read at a glance.
fn amount(value: &Amount) -> Value {
    let whole = |tenths: i64| (tenths.saturating_add(5)).div_euclid(10);
    let ms = |seconds: i64| Value::Span(seconds.unsigned_abs().saturating_mul(1_000));
    match value.unit {
        Unit::PercentTenths => Value::Text(format!("{} %", whole(value.amount))),
        Unit::CelsiusTenths => Value::Text(format!("{} °C", whole(value.amount))),
        Unit::Seconds => ms(value.amount),
        Unit::BytesPerSecond => Value::Bits(u64::try_from(value.amount).ok().map(|bytes| bytes.saturating_mul(8))),
        Unit::Count => Value::Count(u64::try_from(value.amount).unwrap_or(0)),
        Unit::Nothing | Unit::Other => Value::Text(String::new()),
    }
}

fn mark(alert: &AlertRecord) -> Value {
    let mark = match incident::severity(alert) {
        Severity::Critical => "🔴",
        Severity::Warning => "🟠",
        Severity::Note => "ℹ️",
    };
    Value::Text(mark.to_string())
}

fn clock(unix_ms: u64) -> Value {
    Value::Clock(unix_ms / 1_000)
}

fn count(number: usize) -> Value {
    Value::Count(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Alerts that are shown line by line: with two hundred of them a message would be longer than a phone's screen ten times.
const LINES: usize = 15;

/// As many raises within an hour as make it one that comes and goes.
const FLAPS: usize = 3;
