//! A JSON object as its fields, each parsed only when it is read: what nobody reads cannot break what is read.
//!
//! Telegram adds fields and kinds with every version. A field of an unexpected type counts as absent.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

/// The fields of one object. A JSON null counts as absent.
pub(super) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The fields of this JSON text; None where it is no object.
    pub(super) fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    /// Every field that is there, in the order of their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| value.get() != "null").map(|(name, _)| name.as_str())
    }

    /// Whether the field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The field's JSON text.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get()).filter(|json| *json != "null")
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Option<Fields<'a>> {
        Fields::of(self.raw(name)?)
    }

    /// A boolean; false where it is absent.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.raw(name) == Some("true")
    }

    /// A text, cut to so many characters. A lone surrogate, which JSON can write and UTF-8 cannot, becomes U+FFFD.
    pub(super) fn text(&self, name: &str, chars: usize) -> Option<String> {
        let Lossy(text) = serde_json::from_str(self.raw(name)?).ok()?;
        Some(match text.char_indices().nth(chars) {
            Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
            None => text,
        })
    }

    /// A whole number, also one that is written as a text or with a fraction of zero; None beyond 64 bits.
    pub(super) fn whole(&self, name: &str) -> Option<i64> {
        let json = self.raw(name)?;
        let digits = json.trim_matches('"');
        digits.parse().ok().or_else(|| fraction_of_zero(digits))
    }

    /// A text, or the digits of a number in its place.
    pub(super) fn id(&self, name: &str, chars: usize) -> Option<String> {
        self.text(name, chars).or_else(|| self.whole(name).map(|id| id.to_string()))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "within the whole numbers that a double holds exactly")]
fn fraction_of_zero(digits: &str) -> Option<i64> {
    let number: f64 = digits.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}

/// A JSON text of any characters.
struct Lossy(String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Lossy;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Lossy, E> {
                Ok(Lossy(text.to_owned()))
            }

            fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Lossy, E> {
                Ok(Lossy(String::from_utf8_lossy(text).into_owned()))
            }
        }
        // serde_json checks surrogates only where a text is asked for.
        deserializer.deserialize_bytes(Text)
    }
}

/// 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_cannot_break_what_is_read() {
        let json =
            r#"{"a": 1e999, "b": {"c": 123456789012345678901234567890}, "d": "x\ud83dy", "e": [[[[]]]], "f": "good"}"#;
        let fields = Fields::of(json).unwrap();
        assert_eq!(fields.text("f", 9).as_deref(), Some("good"));
        assert_eq!(fields.text("d", 9).unwrap().matches('\u{fffd}').count(), 3, "{:?}", fields.text("d", 9));
        assert_eq!([fields.whole("a"), fields.object("b").unwrap().whole("c"), fields.whole("e")], [None; 3]);
        assert!(Fields::of("[]").is_none() && Fields::of("\"x\"").is_none() && Fields::of("7").is_none());
    }

    #[test]
    fn a_field_of_another_type_is_absent() {
        let fields =
            Fields::of(r#"{"n": null, "o": {}, "t": 7, "f": "true", "w": "-12", "d": 5.0, "h": 5.5}"#).unwrap();
        assert!(!fields.has("n") && fields.has("o") && !fields.flag("f"));
        assert_eq!((fields.text("t", 9), fields.text("o", 9)), (None, None));
        assert_eq!([fields.whole("w"), fields.whole("d"), fields.whole("h")], [Some(-12), Some(5), None]);
        assert_eq!(fields.id("t", 9).as_deref(), Some("7"));
        assert_eq!(fields.names().collect::<Vec<_>>(), ["d", "f", "h", "o", "t", "w"]);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let json = format!("{{\"t\": \"{}\"}}", "я".repeat(10));
        assert_eq!(Fields::of(&json).unwrap().text("t", 3).as_deref(), Some("яяя"));
    }
}
