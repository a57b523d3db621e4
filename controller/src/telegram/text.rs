//! The bot's words with their slots filled, as each language writes values.

mod units;

pub use units::{ago, bits_per_s, bytes, bytes_per_s, decimal, hours, milliseconds, span};

use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::say::{Key, Say, Value};

/// The text of a key, with its slots unfilled: `{name}`.
#[must_use]
pub const fn words(language: Language, key: Key) -> &'static str {
    key.words(language)
}

/// Whether a text is to be read by Telegram as HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// `<`, `>` and `&` of values are escaped.
    Html,
    /// As it is: toasts and labels.
    Plain,
}

/// A text with its slots filled. Long values are cut, line breaks and invisible characters within them become spaces.
#[must_use]
pub fn fill(language: Language, say: &Say, markup: Markup) -> String {
    let mut rest = words(language, say.key);
    let mut text = String::with_capacity(rest.len() + 32);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((slot, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        if let Some((_, value)) = say.values.iter().find(|(name, _)| *name == slot) {
            text.push_str(&write(language, value, markup));
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

fn write(language: Language, value: &Value, markup: Markup) -> String {
    match value {
        Value::Text(text) => clean(text, VALUE_CHARS, markup),
        Value::Say(say) => fill(language, say, markup),
        Value::Count(count) => count.to_string(),
        Value::Span(ms) => span(language, *ms),
        Value::Clock(unix_s) => format!("{:02}:{:02}", unix_s / 3_600 % 24, unix_s / 60 % 60),
        Value::Second(unix_s) => {
            format!("{:02}:{:02}:{:02}", unix_s / 3_600 % 24, unix_s / 60 % 60, unix_s % 60)
        }
        Value::Several(values) => {
            values.iter().map(|value| write(language, value, markup)).collect::<Vec<_>>().join(", ")
        }
        Value::Bits(rate) => rate.map_or_else(|| "—".to_owned(), |rate| bits_per_s(language, rate)),
    }
}

/// Foreign text made fit for a line: one line, no invisible characters, no more than `chars` of it, escaped where it must be.
#[must_use]
pub fn clean(text: &str, chars: usize, markup: Markup) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control() || is_bidi(c)).filter(|word| !word.is_empty());
    let mut line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() > chars {
        line = line.chars().take(chars.saturating_sub(1)).collect();
        line.push('…');
    }
    match markup {
        Markup::Plain => line,
        Markup::Html => line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
    }
}

/// Characters that turn the reading direction around could make one name look like another.
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// Of a value within a text: a sentence, never a log.
const VALUE_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Key> {
        constella_core::bot::rooms::words()
    }

    fn slots(text: &str) -> Vec<&str> {
        let mut slots: Vec<&str> = text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    #[test]
    fn every_text_has_the_slots_of_its_key_in_every_language() {
        for key in &all() {
            let mut expected = key.slots().to_vec();
            expected.sort_unstable();
            for language in Language::ALL {
                let text = words(language, *key);
                assert!(!text.trim().is_empty(), "{key:?}");
                assert_eq!(slots(text), expected, "{language:?} {key:?}");
                assert_eq!(text.matches('{').count(), text.matches('}').count(), "{key:?}");
            }
        }
    }

    #[test]
    fn tags_are_closed_within_their_line() {
        for key in &all() {
            for language in Language::ALL {
                for line in words(language, *key).lines() {
                    for tag in ["b", "i", "code"] {
                        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
                        assert_eq!(line.matches(&open).count(), line.matches(&close).count(), "{key:?}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn russian_is_russian_and_english_is_english() {
        let is_cyrillic = |c: char| ('а'..='я').contains(&c.to_ascii_lowercase()) || ('А'..='Я').contains(&c);
        for key in &all() {
            assert!(!words(Language::En, *key).chars().any(is_cyrillic), "{key:?}");
            // What has no Cyrillic letter says no more than values, signs, and names that are the same in both languages.
            let text = words(Language::Ru, *key);
            let outside: String =
                text.split(['{', '<']).map(|part| part.split(['}', '>']).next_back().unwrap()).collect();
            let mut said = outside.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
            assert!(text.chars().any(is_cyrillic) || said.all(|word| NAMES.contains(&word)), "{key:?}: {text}");
        }
    }

    const NAMES: [&str; 9] = ["CPU", "UTC", "Telegram", "Inode", "Swap", "LA", "I", "O", "C"];

    #[test]
    fn the_leader_is_the_host_and_a_machine_is_not() {
        // DESIGN 9: "Host" in English, «Хост» in Russian
        assert!(
            words(Language::En, Key::Leader).contains("Host") && words(Language::Ru, Key::Leader).contains("«Хост»")
        );
        for key in &all() {
            let text = words(Language::En, *key);
            assert!(!text.contains("leader") && !text.contains(" host"), "{key:?}: {text}");
        }
    }

    #[test]
    fn foreign_text_cannot_break_a_message() {
        assert_eq!(clean("a<b>&\"c", 20, Markup::Html), "a&lt;b&gt;&amp;\"c");
        assert_eq!(clean("a<b>", 20, Markup::Plain), "a<b>");
        assert_eq!(clean("one\ntwo\u{0}\t three\u{202e}x", 40, Markup::Html), "one two three x");
        assert_eq!(clean("абвгд", 4, Markup::Html), "абв…");
        assert_eq!(clean("\n \t", 4, Markup::Html), "");
    }

    #[test]
    fn values_go_into_their_slots_and_texts_into_texts() {
        let why = Say::new(Key::WhyAgentFailed).text("message", "{name} <x>");
        let say = Say::new(Key::RebootRefused).text("name", "alpha").with("why", Value::Say(why));
        let text = fill(Language::En, &say, Markup::Html);
        assert!(text.contains("alpha") && text.contains("{name} &lt;x&gt;"), "{text}");
    }
}
