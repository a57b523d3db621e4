//! N5: quiet hours in the owner's time zone. They are a span between two instants, so each night is quiet once, also where the clocks change in it.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::limits::ZONE_BYTES;
use constella_shared::wire::alert::Severity;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Hours in which only critical alerts sound.
#[derive(Debug, Clone, PartialEq)]
pub struct QuietHours {
    from: Time,
    until: Time,
    zone: TimeZone,
}

impl QuietHours {
    /// From and until are minutes after midnight by the clocks of the zone; where `until` comes first, it is on the next day. None where the zone is not
    /// known, a time is none, or both are one: then nothing is quiet.
    #[must_use]
    pub fn new(from_min: u16, until_min: u16, zone: &str) -> Option<Self> {
        let time = |minutes: u16| {
            let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
            Time::new(hour, minute, 0, 0).ok()
        };
        let zone = Some(zone).filter(|zone| zone.len() <= ZONE_BYTES)?;
        let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
        Some(Self { from: time(from_min)?, until: time(until_min)?, zone }).filter(|it| it.from != it.until)
    }

    /// Until when it is quiet, unix milliseconds; None where it is not quiet now.
    #[must_use]
    pub fn until_unix_ms(&self, now_unix_ms: u64) -> Option<u64> {
        let now = Timestamp::from_millisecond(i64::try_from(now_unix_ms).ok()?).ok()?;
        let today = self.zone.to_datetime(now).date();
        let nights = today.yesterday().into_iter().chain([today]).filter_map(|date| self.night(date));
        let ends: Vec<Timestamp> =
            nights.filter(|(start, end)| *start <= now && now < *end).map(|(_, end)| end).collect();
        ends.into_iter().max().and_then(|end| u64::try_from(end.as_millisecond()).ok())
    }

    /// Whether an alert sounds now.
    #[must_use]
    pub fn sounds(&self, now_unix_ms: u64, severity: Severity) -> bool {
        match severity {
            Severity::Critical => true,
            Severity::Warning | Severity::Note => self.until_unix_ms(now_unix_ms).is_none(),
        }
    }

    /// The quiet span that begins on a day. A time that the clocks skip is as long after midnight as if they did not; one that they show twice is the
    /// first (RFC 5545, 3.3.5).
    fn night(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let ends_on = if self.until > self.from { date } else { date.tomorrow().ok()? };
        let start = self.zone.to_timestamp(date.to_datetime(self.from)).ok()?;
        let end = self.zone.to_timestamp(ends_on.to_datetime(self.until)).ok()?;
        Some((start, end))
    }
}

/// The name of the zone that a person meant, as the database writes it: in any letter case, with a blank for `_`, or its last part alone where only one zone
/// ends so. None where there is no such zone.
#[must_use]
pub fn zone_named(wanted: &str) -> Option<String> {
    let plain = |name: &str| name.trim().replace(' ', "_").to_ascii_lowercase();
    let wanted = Some(plain(wanted)).filter(|wanted| (1..=ZONE_BYTES).contains(&wanted.len()))?;
    let names = || TimeZoneDatabase::bundled().available().map(|name| String::from(name.as_str())).collect::<Vec<_>>();
    let names = names();
    if let Some(name) = names.iter().find(|name| plain(name) == wanted) {
        return Some(name.clone());
    }
    let mut ending = names.iter().filter(|name| name.rsplit_once('/').is_some_and(|(_, city)| plain(city) == wanted));
    ending.next().filter(|_| ending.next().is_none()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix_ms(utc: &str) -> u64 {
        u64::try_from(utc.parse::<Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    fn hours(from: (u16, u16), until: (u16, u16), zone: &str) -> QuietHours {
        QuietHours::new(from.0 * 60 + from.1, until.0 * 60 + until.1, zone).unwrap()
    }

    /// Minutes of quiet between two instants, tens of them, and how often it began.
    fn quiet(hours: &QuietHours, from: &str, to: &str) -> (usize, usize) {
        let tens: Vec<bool> = (unix_ms(from)..unix_ms(to))
            .step_by(600_000)
            .map(|ms| hours.until_unix_ms(ms).inspect(|end| assert!(*end > ms)).is_some())
            .collect();
        let began = tens.windows(2).filter(|two| !two[0] && two[1]).count();
        (10 * tens.iter().filter(|quiet| **quiet).count(), began)
    }

    #[test]
    fn a_night_ends_on_the_next_day_by_the_clocks_of_the_zone() {
        // N5
        let berlin = hours((23, 0), (7, 0), "Europe/Berlin");
        for (utc, until) in [
            ("2026-07-01T20:59:59Z", None),
            ("2026-07-01T21:00:00Z", Some("2026-07-02T05:00:00Z")),
            ("2026-07-02T04:59:59Z", Some("2026-07-02T05:00:00Z")),
            ("2026-07-02T05:00:00Z", None),
            ("2026-01-01T21:30:00Z", None),
            ("2026-01-01T22:00:00Z", Some("2026-01-02T06:00:00Z")),
        ] {
            assert_eq!(berlin.until_unix_ms(unix_ms(utc)), until.map(unix_ms), "{utc}");
        }
        let noon = hours((13, 0), (15, 30), "Asia/Kolkata");
        assert_eq!(quiet(&noon, "2026-05-01T00:00:00Z", "2026-05-03T00:00:00Z"), (300, 2));
        assert_eq!(
            hours((22, 0), (8, 0), "UTC").until_unix_ms(unix_ms("2026-05-01T22:00:00Z")),
            Some(unix_ms("2026-05-02T08:00:00Z"))
        );
    }

    #[test]
    fn a_night_in_which_the_clocks_change_is_one_night() {
        // N5: Berlin 2026: forward on March 29 at 02:00, back on October 25 at 03:00. One hour less, and one more.
        let berlin = hours((23, 0), (7, 0), "Europe/Berlin");
        assert_eq!(quiet(&berlin, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), (420, 1));
        assert_eq!(quiet(&berlin, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), (540, 1));
        // The end is a time that is shown twice, or never.
        let half = hours((23, 0), (2, 30), "Europe/Berlin");
        assert_eq!(
            quiet(&half, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
            (210, 1),
            "it does not begin again at 2:00"
        );
        assert_eq!(quiet(&half, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), (210, 1));
        // The beginning is.
        let late = hours((2, 30), (7, 0), "Europe/Berlin");
        assert_eq!(quiet(&late, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), (330, 1));
        assert_eq!(quiet(&late, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), (210, 1));
        // Over a year each night is one: where the clocks change by half an hour, at midnight, and never.
        for zone in ["Australia/Lord_Howe", "America/Santiago", "Asia/Beirut", "Europe/Moscow"] {
            let (minutes, nights) =
                quiet(&hours((23, 30), (0, 30), zone), "2026-01-01T12:00:00Z", "2027-01-01T12:00:00Z");
            assert_eq!(nights, 365, "{zone}");
            assert!(minutes.abs_diff(365 * 60) <= 60, "{zone}: {minutes}");
        }
    }

    #[test]
    fn what_is_critical_sounds_at_night() {
        // N5
        let night = hours((23, 0), (7, 0), "UTC");
        let (at_night, by_day) = (unix_ms("2026-05-01T03:00:00Z"), unix_ms("2026-05-01T12:00:00Z"));
        let sounds = |at| [Severity::Critical, Severity::Warning, Severity::Note].map(|it| night.sounds(at, it));
        assert_eq!((sounds(at_night), sounds(by_day)), ([true, false, false], [true; 3]));
    }

    #[test]
    fn hours_that_cannot_be_are_none_and_silence_nothing() {
        // N5
        for (from, until, zone) in
            [(0, 0, "UTC"), (1440, 0, "UTC"), (0, 1500, "UTC"), (0, 60, "Mars/Base"), (0, 60, "")]
        {
            assert!(QuietHours::new(from, until, zone).is_none(), "{from} {until} {zone}");
        }
    }

    #[test]
    fn a_zone_is_found_as_people_write_it() {
        // N5
        for (wanted, found) in [
            ("europe/berlin", Some("Europe/Berlin")),
            ("Berlin", Some("Europe/Berlin")),
            ("new york", Some("America/New_York")),
            ("utc", Some("UTC")),
            ("Mars", None),
            ("", None),
        ] {
            assert_eq!(zone_named(wanted).as_deref(), found, "{wanted}");
        }
    }
}
