//! The languages that the bot speaks, and whose word counts for which.

/// A language of the bot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Ru, Self::En];

    /// Two letters, as in a [`constella_shared::wire::records::NetValue::Language`] record.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The language of an IETF tag such as `ru`, `en-GB`; None for one that the bot does not speak.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.code()))
    }

    /// The owner's choice, then Telegram's tag, then the default; whatever the bot does not speak is passed over.
    #[must_use]
    pub fn choose(choice: Option<&str>, telegram: Option<&str>, default: Self) -> Self {
        choice.and_then(Self::of_tag).or_else(|| telegram.and_then(Self::of_tag)).unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_comes_before_telegram_and_telegram_before_the_default() {
        let cases = [
            (Some("en"), Some("ru"), Language::Ru, Language::En),
            (None, Some("en-GB"), Language::Ru, Language::En),
            (None, Some("RU"), Language::En, Language::Ru),
            (None, Some("de"), Language::En, Language::En),
            (None, None, Language::Ru, Language::Ru),
            (Some("xx"), Some("en"), Language::Ru, Language::En),
        ];
        for (choice, telegram, default, expected) in cases {
            assert_eq!(Language::choose(choice, telegram, default), expected, "{choice:?} {telegram:?}");
        }
    }
}
