//! N5: the choice of quiet hours, by buttons or in words.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{CHOOSE_QUIET, NAME, OFF, ON, QUIET};
use crate::alerts::choice::Quiet;
use crate::alerts::quiet::zone_named;
use crate::bot::desk::Desk;
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::{Body, Button, Label};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::rooms::ways;

/// What the owner wants to be otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    on: bool,
    hours: Option<(u16, u16)>,
    zone: Option<String>,
}

impl Wanted {
    /// Out of a button: `on`, `off`, `1380-420`, or the name of a zone.
    pub(super) fn pressed(rest: &str) -> Option<Self> {
        let minutes = |text: &str| text.parse::<u16>().ok().filter(|minutes| *minutes < DAY_MIN);
        let hours = || {
            let (from, until) = rest.split_once('-')?;
            minutes(from).zip(minutes(until)).filter(|(from, until)| from != until)
        };
        match rest {
            ON => Some(Self { on: true, hours: None, zone: None }),
            OFF => Some(Self { on: false, hours: None, zone: None }),
            _ => match hours() {
                Some(hours) => Some(Self { on: true, hours: Some(hours), zone: None }),
                None => zone_named(rest).map(|zone| Self { on: true, hours: None, zone: Some(zone) }),
            },
        }
    }

    /// Out of a text: `23:00-7:00`, `Europe/Berlin`, or the one after the other.
    pub(super) fn typed(text: &str) -> Option<Self> {
        let clock = |text: &str| {
            let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour < 24 && minute < 60).then(|| hour * 60 + minute)
        };
        let hours = |text: &str| {
            let (from, until) = text.split_once(['-', '–', '—'])?;
            clock(from).zip(clock(until)).filter(|(from, until)| from != until)
        };
        let text = text.trim().replace(" -", "-").replace("- ", "-");
        let text = text.as_str();
        let (first, rest) = text.split_once(' ').map_or((text, ""), |(first, rest)| (first, rest.trim()));
        match hours(first) {
            Some(times) if rest.is_empty() => Some(Self { on: true, hours: Some(times), zone: None }),
            Some(times) => zone_named(rest).map(|zone| Self { on: true, hours: Some(times), zone: Some(zone) }),
            None => zone_named(text).map(|zone| Self { on: true, hours: None, zone: Some(zone) }),
        }
    }

    /// The choice, as a change of the one that holds.
    pub(super) fn onto(&self, quiet: Option<&Quiet>) -> Quiet {
        let before = quiet.cloned().unwrap_or_else(Quiet::none);
        let (from_min, until_min) = self.hours.unwrap_or((before.from_min, before.until_min));
        Quiet { on: self.on, from_min, until_min, zone: self.zone.clone().unwrap_or(before.zone) }
    }
}

/// Draws the quiet hours, and waits for others in words. `refused` stands above them where they could not be changed.
pub(super) fn draw(
    desk: &mut Desk,
    step: &Step<'_>,
    sheet: Sheet,
    quiet: Option<&Quiet>,
    refused: Option<Say>,
) -> Version {
    desk.await_text(NAME, Press::new(QUIET));
    let state = match quiet {
        Some(quiet) if quiet.on => Say::new(Key::QuietOn)
            .text("from", clock(quiet.from_min))
            .text("until", clock(quiet.until_min))
            .text("zone", quiet.zone.clone()),
        Some(_) | None => Say::new(Key::QuietOff),
    };
    let says = refused.into_iter().chain([Say::new(Key::QuietTitle), state, Say::new(Key::QuietHow)]).collect();
    desk.draw(step, sheet, Drawing::new(Body::Says(says), buttons(quiet)))
}

fn buttons(quiet: Option<&Quiet>) -> Vec<Vec<Button>> {
    let text = |text: String, press: Press| Button {
        label: Label::Say(Say::new(Key::Offer).with("at", Value::Text(text))),
        press,
    };
    let hours = OFFERS.map(|(from, until)| {
        let press = Press::with(CHOOSE_QUIET, alloc::format!("{from}-{until}"));
        text(alloc::format!("{}–{}", clock(from), clock(until)), press)
    });
    let zone = |name: &&str| {
        let city = name.rsplit_once('/').map_or(*name, |(_, city)| city).replace('_', " ");
        text(city, Press::with(CHOOSE_QUIET, name))
    };
    let zones = ZONES.iter().map(zone).collect::<Vec<_>>();
    let turn = match quiet {
        Some(quiet) if quiet.on => button(Key::TurnOff, Press::with(CHOOSE_QUIET, OFF)),
        Some(_) | None => button(Key::TurnOn, Press::with(CHOOSE_QUIET, ON)),
    };
    let mut rows = vec![hours.to_vec()];
    rows.extend(zones.chunks(4).map(<[Button]>::to_vec));
    rows.push(vec![turn, button(Key::AllRules, ways::thresholds(None))]);
    rows
}

fn clock(minutes: u16) -> String {
    alloc::format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// Minutes of a day.
const DAY_MIN: u16 = 24 * 60;

/// Hours that are offered.
const OFFERS: [(u16, u16); 3] = [(22 * 60, 7 * 60), (23 * 60, 7 * 60), (0, 8 * 60)];

/// Zones that are offered; any other is typed.
const ZONES: [&str; 8] = [
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "Asia/Yekaterinburg",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "America/New_York",
    "America/Los_Angeles",
];
