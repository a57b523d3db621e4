//! The axis of the values: round numbers with their unit, from the least that is shown to the greatest.

use constella_core::bot::kit::chart::{Metric, Unit};
use constella_core::bot::kit::language::Language;

use crate::telegram::text::{bits_per_s, bytes_per_s, decimal, milliseconds};

/// From where to where the axis goes, and how far apart its lines are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) bottom: f32,
    pub(super) top: f32,
    pub(super) step: f32,
}

impl Scale {
    /// An axis that has all values from `least` to `greatest` on it.
    pub(super) fn of(metric: Metric, least: f32, greatest: f32) -> Self {
        let sane = |value: f32| if value.is_finite() { value.clamp(-MOST, MOST) } else { 0.0 };
        let (least, greatest) = (sane(least), sane(greatest.max(least)));
        match metric {
            Metric::Memory | Metric::Swap | Metric::DiskUse => Self { bottom: 0.0, top: 100.0, step: 25.0 },
            Metric::Cpu => {
                let top = [5.0, 10.0, 20.0, 50.0].into_iter().find(|top| greatest <= *top).unwrap_or(100.0);
                Self { bottom: 0.0, top, step: top / 5.0 }
            }
            // A sensor that is steady at 40 degrees shows its own ups and downs, not its distance to freezing.
            Metric::Temperature => {
                let (bottom, top) = ((least / 10.0).floor() * 10.0, (greatest / 10.0).floor() * 10.0 + 10.0);
                Self { bottom, top, step: round_up((top - bottom) / LINES).max(1.0) }
            }
            Metric::Load | Metric::Network | Metric::DiskIo | Metric::Speed | Metric::Latency => {
                let least_step = if metric.unit() == Unit::Number { 0.1 } else { 1.0 };
                let step = round_up(greatest / LINES).max(least_step);
                Self { bottom: 0.0, top: (greatest / step).ceil().max(1.0) * step, step }
            }
        }
    }

    /// Where its lines are, from the bottom to the top.
    pub(super) fn lines(self) -> impl Iterator<Item = f32> {
        let count = ((self.top - self.bottom) / self.step).round().clamp(1.0, 20.0) as u8;
        (0..=count).map(move |at| self.bottom + f32::from(at) * self.step)
    }
}

/// The next of 1, 2, 2.5 and 5, times a power of ten: steps that a reader divides in the head.
fn round_up(value: f32) -> f32 {
    if value <= 0.0 {
        return 0.0;
    }
    let power = 10.0_f32.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 5.0].into_iter().find(|step| value <= step * power * 1.0001).unwrap_or(10.0) * power
}

/// A value with its unit, as the bot's other screens write it.
pub(super) fn label(language: Language, unit: Unit, value: f32) -> String {
    let whole = value.max(0.0).round() as u64;
    match unit {
        Unit::Percent => format!("{} %", short(language, value)),
        Unit::Number => short(language, value),
        Unit::BytesPerS => bytes_per_s(language, whole),
        Unit::BitsPerS => bits_per_s(language, whole),
        Unit::Celsius => format!("{} °C", short(language, value)),
        Unit::Milliseconds => milliseconds(language, value.into(), usize::from(value < 10.0 && value.fract() != 0.0)),
    }
}

/// A line of the axis: as [`label`], without zeros behind the decimal mark.
pub(super) fn line_label(language: Language, unit: Unit, value: f32) -> String {
    let mark = ['.', ','];
    let bare = |number: &str| match number.contains(mark) {
        true => number.trim_end_matches('0').trim_end_matches(mark).to_owned(),
        false => number.to_owned(),
    };
    let text = label(language, unit, value);
    text.split_once(' ').map_or_else(|| bare(&text), |(number, unit)| format!("{} {unit}", bare(number)))
}

/// Small numbers with one or two digits behind the mark, large ones without.
fn short(language: Language, value: f32) -> String {
    let digits = match value.abs() {
        size if size < 1.0 && size > 0.0 => 2,
        size if size < 10.0 => 1,
        _ => 0,
    };
    decimal(language, value.into(), digits)
}

/// Lines above the bottom, about.
const LINES: f32 = 5.0;

/// Beyond every value of a real host; keeps sums and steps finite.
const MOST: f32 = 1e18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_few_round_lines_and_every_value_on_it() {
        // C1: whatever the values, also damaged ones
        let values = [0.0, 0.004, 0.5, 1.0, 3.3, 99.9, 100.0, 1_234_567.0, 9.9e9, f32::MAX, f32::INFINITY, f32::NAN];
        for metric in Metric::ALL {
            for greatest in values {
                let scale = Scale::of(metric, 0.0, greatest);
                let lines: Vec<f32> = scale.lines().collect();
                assert!((2..=12).contains(&lines.len()), "{metric:?} {greatest} {lines:?}");
                let percent = metric.unit() == Unit::Percent;
                let shown = if greatest.is_finite() { greatest.min(if percent { 100.0 } else { 1e18 }) } else { 0.0 };
                assert!(scale.top >= shown * 0.999 && scale.bottom <= 0.0, "{metric:?} {greatest} {scale:?}");
            }
        }
        let cold = Scale::of(Metric::Temperature, -12.0, 41.0);
        assert_eq!((cold.bottom, cold.top), (-20.0, 50.0));
        assert_eq!(
            Scale::of(Metric::Network, 0.0, 11_400_000.0),
            Scale { bottom: 0.0, top: 12_500_000.0, step: 2_500_000.0 }
        );
    }

    #[test]
    fn values_are_written_with_their_units_in_the_readers_language() {
        // C1: units as everywhere in the bot
        let cases = [
            (Unit::Percent, 12.0, "12 %", "12 %"),
            (Unit::Percent, 2.5, "2.5 %", "2,5 %"),
            (Unit::Number, 0.25, "0.25", "0,25"),
            (Unit::Number, 0.5, "0.5", "0,5"),
            (Unit::Percent, 0.0, "0 %", "0 %"),
            (Unit::BytesPerS, 2_500_000.0, "2.5 MB/s", "2,5 МБ/с"),
            (Unit::BytesPerS, 2_000_000.0, "2 MB/s", "2 МБ/с"),
            (Unit::BitsPerS, 90_000_000.0, "90 Mbit/s", "90 Мбит/с"),
            (Unit::Celsius, 40.0, "40 °C", "40 °C"),
            (Unit::Milliseconds, 3.5, "3.5 ms", "3,5 мс"),
            (Unit::Milliseconds, 20.0, "20 ms", "20 мс"),
        ];
        for (unit, value, en, ru) in cases {
            assert_eq!(line_label(Language::En, unit, value), en);
            assert_eq!(line_label(Language::Ru, unit, value), ru);
        }
        assert_eq!(label(Language::En, Unit::BytesPerS, 2_000_000.0), "2.0 MB/s");
    }
}
