//! What the bot says: a key names a text in every language, and a say fills its slots. The shell writes values as a language does.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::language::Language;

/// A text of the bot, in every language that it speaks. Each room declares its own with [`words!`], as constants of this type, so that a sentence
/// stands beside the feature that says it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    name: &'static str,
    slots: &'static [&'static str],
    en: &'static str,
    ru: &'static str,
}

impl Key {
    /// A text under its name, with what goes into it, in English and in Russian.
    pub(in crate::bot) const fn new(
        name: &'static str,
        slots: &'static [&'static str],
        (en, ru): (&'static str, &'static str),
    ) -> Self {
        Self { name, slots, en, ru }
    }

    /// The slots that the text has in every language.
    #[must_use]
    pub const fn slots(self) -> &'static [&'static str] {
        self.slots
    }

    /// The text with its slots unfilled: `{name}`. `<b>`, `<i>` and `<code>` stand in it as Telegram reads them.
    #[must_use]
    pub const fn words(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Ru => self.ru,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Declares texts with their slots: each a constant of [`Key`], and all of them as `ALL`.
macro_rules! words {
    ($($(#[$doc:meta])* $key:ident ($($slot:ident),*) { en: $en:expr, ru: $ru:expr $(,)? })*) => {
        #[expect(non_upper_case_globals, reason = "the constants of a key read as the variants of an enum that rooms add to")]
        impl $crate::bot::kit::say::Key {
            $(
                $(#[$doc])*
                pub const $key: Self = Self::new(stringify!($key), &[$(stringify!($slot)),*], ($en, $ru));
            )*
        }

        /// Every text of this room.
        pub(in crate::bot) const ALL: &[$crate::bot::kit::say::Key] = &[$($crate::bot::kit::say::Key::$key),*];
    };
}

pub(in crate::bot) use words;

/// A text with its slots filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Say {
    /// Which text.
    pub key: Key,
    /// What goes into its slots.
    pub values: Vec<(&'static str, Value)>,
}

/// What goes into a slot; the shell writes it as its language does.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// As it is; escaped by the shell.
    Text(String),
    /// Another text.
    Say(Say),
    /// A number of things.
    Count(u64),
    /// A time span, milliseconds.
    Span(u64),
    /// Bits a second; None where it was not measured.
    Bits(Option<u64>),
    /// A moment of the day, unix seconds.
    Clock(u64),
    /// The same to the second: it shows that a screen was read again.
    Second(u64),
    /// One after the other.
    Several(Vec<Value>),
}

impl From<Key> for Say {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

impl Say {
    /// A text without slots, or before they are filled.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self { key, values: Vec::new() }
    }

    /// Fills a slot.
    #[must_use]
    pub fn with(mut self, slot: &'static str, value: Value) -> Self {
        self.values.push((slot, value));
        self
    }

    /// Fills a slot with a text.
    #[must_use]
    pub fn text(self, slot: &'static str, text: impl Into<String>) -> Self {
        self.with(slot, Value::Text(text.into()))
    }

    /// Fills a slot with a time span in milliseconds.
    #[must_use]
    pub fn span(self, slot: &'static str, ms: u64) -> Self {
        self.with(slot, Value::Span(ms))
    }

    /// Whether exactly the slots of its key are filled, and so in the texts within it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let slots = self.key.slots();
        slots.len() == self.values.len()
            && self.values.iter().all(|(slot, value)| slots.contains(slot) && value.is_whole())
    }
}

impl Value {
    fn is_whole(&self) -> bool {
        match self {
            Self::Say(say) => say.is_whole(),
            Self::Several(values) => values.iter().all(Self::is_whole),
            Self::Text(_) | Self::Count(_) | Self::Span(_) | Self::Bits(_) | Self::Clock(_) | Self::Second(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_whole_with_its_slots_and_no_others() {
        assert!(Say::new(Key::Refresh).is_whole());
        assert!(!Say::new(Key::RebootBack).is_whole());
        let said = Say::new(Key::RebootBack).text("name", "alpha").span("took", 43_000);
        assert!(said.is_whole());
        assert!(!said.text("more", "x").is_whole());
        let within = Say::new(Key::RebootFailed).text("name", "a").with("why", Value::Say(Say::new(Key::WhyExit)));
        assert!(!within.is_whole());
    }
}
