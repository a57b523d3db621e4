//! The axis of time in the reader's zone: marks at round hours or at days' beginnings there, also on the days when its clocks change.

use constella_core::bot::kit::language::Language;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A zone with the name that the picture says.
pub(super) struct Zone {
    zone: TimeZone,
    name: String,
}

/// A mark of the axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Unix seconds.
    pub(super) at_s: u64,
    /// `16:00`, or the day where one begins.
    pub(super) label: String,
}

impl Zone {
    /// By its IANA name; UTC where there is none of that name, and then the picture says UTC.
    pub(super) fn of(name: &str) -> Self {
        match TimeZone::get(name) {
            Ok(zone) => Self { zone, name: name.to_owned() },
            Err(_) => Self { zone: TimeZone::UTC, name: UTC.to_owned() },
        }
    }

    /// `30 Nov, 14:05, Europe/Moscow (UTC+3)`.
    pub(super) fn moment(&self, language: Language, at_s: u64) -> String {
        let Some(at) = moment(at_s) else { return self.name.clone() };
        let there = self.zone.to_datetime(at);
        let time = format!("{}, {:02}:{:02}", day(language, there), there.hour(), there.minute());
        if self.name == UTC {
            return format!("{time}, {UTC}");
        }
        let minutes = self.zone.to_offset(at).seconds() / 60;
        let (sign, ahead) = (if minutes < 0 { '−' } else { '+' }, minutes.abs());
        let rest = if ahead % 60 == 0 { String::new() } else { format!(":{:02}", ahead % 60) };
        format!("{time}, {} ({UTC}{sign}{}{rest})", self.name, ahead / 60)
    }

    /// The marks from one Unix second to another one.
    pub(super) fn marks(&self, language: Language, from_s: u64, to_s: u64) -> Vec<Mark> {
        let every = Every::of(to_s.saturating_sub(from_s));
        let Some((from, to)) = moment(from_s).zip(moment(to_s)) else { return Vec::new() };
        let (mut date, last) = (self.zone.to_datetime(from).date(), self.zone.to_datetime(to).date());
        let mut marks: Vec<Mark> = Vec::new();
        while date <= last {
            for minute in every.minutes(date.day()) {
                let Some(there) = at_minute(date, minute) else { continue };
                let Some(at_s) = self.second(there).filter(|at| (from_s..=to_s).contains(at)) else { continue };
                // An hour that the clocks leave out is the next one.
                if marks.last().is_none_or(|before| before.at_s < at_s) {
                    let there = moment(at_s).map_or(there, |at| self.zone.to_datetime(at));
                    let label = match (there.hour(), there.minute()) {
                        (0, 0) => day(language, there),
                        (hour, minute) => format!("{hour:02}:{minute:02}"),
                    };
                    marks.push(Mark { at_s, label });
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        marks
    }

    fn second(&self, there: DateTime) -> Option<u64> {
        self.zone.to_timestamp(there).ok().and_then(|at| u64::try_from(at.as_second()).ok())
    }
}

/// How far apart marks are: five to eight fit the picture's width.
enum Every {
    Minutes(usize),
    Day,
    /// The days of a month.
    Days(&'static [i8]),
}

impl Every {
    fn of(range_s: u64) -> Self {
        match range_s.div_ceil(3_600) {
            0..=1 => Self::Minutes(10),
            2..=3 => Self::Minutes(30),
            4..=6 => Self::Minutes(60),
            7..=12 => Self::Minutes(120),
            13..=24 => Self::Minutes(240),
            25..=48 => Self::Minutes(480),
            49..=192 => Self::Day,
            193..=840 => Self::Days(&[1, 6, 11, 16, 21, 26]),
            _ => Self::Days(&[1, 15]),
        }
    }

    /// The minutes of a day that have a mark, by the day's number in its month.
    fn minutes(&self, day: i8) -> std::iter::StepBy<std::ops::Range<u32>> {
        match self {
            Self::Minutes(step) => (0..MINUTES).step_by(*step),
            Self::Day => (0..1).step_by(1),
            Self::Days(days) => (0..u32::from(days.contains(&day))).step_by(1),
        }
    }
}

fn at_minute(date: jiff::civil::Date, minute: u32) -> Option<DateTime> {
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    Some(date.at(hour, minute, 0, 0))
}

fn moment(at_s: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(at_s).ok()?).ok()
}

fn day(language: Language, there: DateTime) -> String {
    let months = match language {
        Language::Ru => ["янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
        Language::En => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    };
    let month = usize::try_from(there.month().saturating_sub(1)).ok().and_then(|at| months.get(at));
    format!("{} {}", there.day(), month.copied().unwrap_or_default())
}

const UTC: &str = "UTC";

const MINUTES: u32 = 24 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(zone: &str, from_s: u64, hours: u64) -> Vec<String> {
        let marks = Zone::of(zone).marks(Language::En, from_s, from_s + hours * 3_600);
        assert!(marks.windows(2).all(|two| two[0].at_s < two[1].at_s));
        marks.into_iter().map(|mark| mark.label).collect()
    }

    /// 2026-11-30 12:00 UTC.
    const NOON: u64 = 1_796_040_000;

    #[test]
    fn marks_are_round_in_the_readers_zone() {
        // C1: the zone of the owner
        assert_eq!(labels("UTC", NOON, 6), ["12:00", "13:00", "14:00", "15:00", "16:00", "17:00", "18:00"]);
        assert_eq!(labels("Europe/Moscow", NOON, 24), ["16:00", "20:00", "1 Dec", "04:00", "08:00", "12:00"]);
        assert_eq!(labels("Asia/Kolkata", NOON, 1), ["17:30", "17:40", "17:50", "18:00", "18:10", "18:20", "18:30"]);
        assert_eq!(labels("UTC", NOON, 168).len(), 7);
        assert_eq!(labels("UTC", NOON - 90 * 86_400, 2_160), ["15 Sep", "1 Oct", "15 Oct", "1 Nov", "15 Nov"]);
    }

    #[test]
    fn every_range_has_five_to_nine_marks_in_every_zone() {
        // C1: never a crowd, never a blank axis
        for zone in ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Chatham", "Asia/Kathmandu", "Nowhere/Land"] {
            for hours in [1, 3, 6, 12, 24, 48, 168, 720, 2_160] {
                for shift in 0..48 {
                    let count = labels(zone, NOON + shift * 1_000, hours).len();
                    assert!((4..=9).contains(&count), "{zone} {hours} {shift}: {count}");
                }
            }
        }
    }

    #[test]
    fn the_days_when_clocks_change_have_their_own_hours() {
        // C1: Berlin, 2026-03-29 02:00 is not there, 2026-10-25 02:00 is there twice
        let spring = labels("Europe/Berlin", 1_774_738_800, 6);
        assert_eq!(spring, ["29 Mar", "01:00", "03:00", "04:00", "05:00", "06:00", "07:00"].map(String::from));
        let marks = Zone::of("Europe/Berlin").marks(Language::En, 1_792_879_200, 1_792_879_200 + 6 * 3_600);
        let autumn: Vec<_> = marks.iter().map(|mark| (mark.at_s - 1_792_879_200) / 3_600).collect();
        assert_eq!(autumn, [0, 1, 2, 4, 5, 6], "the second 02:00 has no mark of its own");
    }

    #[test]
    fn the_picture_says_which_zone_it_means() {
        // C1: an unknown zone is not passed off as the owner's
        let say = |zone, language| Zone::of(zone).moment(language, NOON);
        assert_eq!(say("Europe/Moscow", Language::Ru), "30 ноя, 15:00, Europe/Moscow (UTC+3)");
        assert_eq!(say("America/St_Johns", Language::En), "30 Nov, 08:30, America/St_Johns (UTC−3:30)");
        assert_eq!(say("Nowhere/Land", Language::En), "30 Nov, 12:00, UTC");
        assert_eq!(Zone::of("UTC").moment(Language::En, u64::MAX), "UTC");
    }
}
