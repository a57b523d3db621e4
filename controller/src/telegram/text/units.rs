//! Figures as people read them: sizes, rates, spans, with the language's own decimal mark and units.

use constella_core::bot::kit::language::Language;

/// Bytes, in binary units: `1.2 GiB`.
#[must_use]
pub fn bytes(language: Language, count: u64) -> String {
    let units = match language {
        Language::Ru => ["Б", "КиБ", "МиБ", "ГиБ", "ТиБ"],
        Language::En => ["B", "KiB", "MiB", "GiB", "TiB"],
    };
    scaled(language, count, 1_024.0, units)
}

/// Bytes a second, in decimal units: `1.2 MB/s`.
#[must_use]
pub fn bytes_per_s(language: Language, rate: u64) -> String {
    let units = match language {
        Language::Ru => ["Б/с", "КБ/с", "МБ/с", "ГБ/с", "ТБ/с"],
        Language::En => ["B/s", "KB/s", "MB/s", "GB/s", "TB/s"],
    };
    scaled(language, rate, 1_000.0, units)
}

/// Bits a second, in decimal units: `93.1 Mbit/s`.
#[must_use]
pub fn bits_per_s(language: Language, rate: u64) -> String {
    let units = match language {
        Language::Ru => ["бит/с", "кбит/с", "Мбит/с", "Гбит/с", "Тбит/с"],
        Language::En => ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"],
    };
    scaled(language, rate, 1_000.0, units)
}

/// A time span in its two largest units: `43 s`, `2 min 5 s`, `3 h 20 min`, `12 d 4 h`.
#[must_use]
pub fn span(language: Language, ms: u64) -> String {
    let [day, hour, minute, second] = match language {
        Language::Ru => ["д", "ч", "мин", "с"],
        Language::En => ["d", "h", "min", "s"],
    };
    let seconds = ms / 1_000;
    let (big, big_unit, small, small_unit) = match seconds {
        0..60 => return format!("{seconds} {second}"),
        60..3_600 => (seconds / 60, minute, seconds % 60, second),
        3_600..86_400 => (seconds / 3_600, hour, seconds / 60 % 60, minute),
        _ => (seconds / 86_400, day, seconds / 3_600 % 24, hour),
    };
    if small == 0 { format!("{big} {big_unit}") } else { format!("{big} {big_unit} {small} {small_unit}") }
}

/// A whole number of hours, from two days on of days: `24 h`, `7 d`.
#[must_use]
pub fn hours(language: Language, hours: u32) -> String {
    let [hour, day] = match language {
        Language::Ru => ["ч", "д"],
        Language::En => ["h", "d"],
    };
    if hours > 24 && hours.is_multiple_of(24) { format!("{} {day}", hours / 24) } else { format!("{hours} {hour}") }
}

/// A time span that lies back: `2 h ago`.
#[must_use]
pub fn ago(language: Language, ms: u64) -> String {
    match language {
        Language::Ru => format!("{} назад", span(language, ms)),
        Language::En => format!("{} ago", span(language, ms)),
    }
}

/// Milliseconds with `digits` behind the decimal mark: `12.3 ms`.
#[must_use]
pub fn milliseconds(language: Language, ms: f64, digits: usize) -> String {
    let unit = match language {
        Language::Ru => "мс",
        Language::En => "ms",
    };
    format!("{} {unit}", decimal(language, ms, digits))
}

/// A number with `digits` behind the decimal mark.
#[must_use]
pub fn decimal(language: Language, value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match language {
        Language::Ru => text.replace('.', ","),
        Language::En => text,
    }
}

fn scaled(language: Language, count: u64, step: f64, units: [&str; 5]) -> String {
    let mut value = count as f64;
    let mut unit = units.iter();
    let mut name = unit.next();
    // From 999.5 on a whole number would read 1000 of the smaller unit.
    while value >= step - 0.5 {
        let Some(next) = unit.next() else { break };
        value /= step;
        name = Some(next);
    }
    let small = value < 99.95 && name != units.first();
    format!("{} {}", decimal(language, value, usize::from(small)), name.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_take_the_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (150 * 1_024 * 1_024, "150 MiB"),
            (8 * 1_024 * 1_024 * 1_024, "8.0 GiB"),
            (u64::MAX, "16777216 TiB"),
        ];
        for (count, text) in cases {
            assert_eq!(bytes(Language::En, count), text);
        }
        assert_eq!(bytes_per_s(Language::Ru, 1_250_000), "1,2 МБ/с");
        assert_eq!(bits_per_s(Language::Ru, 93_100_000), "93,1 Мбит/с");
        assert_eq!(bits_per_s(Language::En, 999_960), "1.0 Mbit/s");
    }

    #[test]
    fn spans_have_two_units() {
        let cases = [
            (0, "0 s"),
            (43_999, "43 s"),
            (60_000, "1 min"),
            (125_000, "2 min 5 s"),
            (12_000_000, "3 h 20 min"),
            (1_051_200_000, "12 d 4 h"),
        ];
        for (ms, text) in cases {
            assert_eq!(span(Language::En, ms), text);
        }
        assert_eq!(span(Language::Ru, 125_000), "2 мин 5 с");
    }
}
