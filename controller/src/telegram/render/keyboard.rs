//! Buttons.

use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::page::{Button, Label};
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::emoji;
use crate::telegram::text::{Markup, clean, fill, words};

/// The keyboard; None where there are no buttons. A button whose data Telegram would refuse is left out: it would take the whole message with
/// it.
pub(super) fn markup(language: Language, rows: &[Vec<Button>]) -> Option<InlineKeyboardMarkup> {
    let rows: Vec<Vec<InlineKeyboardButton>> = rows
        .iter()
        .take(ROWS)
        .map(|row| row.iter().take(COLUMNS).filter_map(|one| button(language, one)).collect::<Vec<_>>())
        .filter(|row| !row.is_empty())
        .collect();
    (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows))
}

fn button(language: Language, button: &Button) -> Option<InlineKeyboardButton> {
    let data = button.press.data();
    let fits = (1..=DATA_BYTES).contains(&data.len());
    fits.then(|| InlineKeyboardButton::callback(label(language, &button.label), data.to_owned()))
}

fn label(language: Language, label: &Label) -> String {
    match label {
        Label::Text(key) => words(language, *key).to_owned(),
        Label::Say(say) => fill(language, say, Markup::Plain),
        Label::Node { name, id, status } => {
            let id = id.as_ref().map(|id| format!(" {}", id.short())).unwrap_or_default();
            format!("{} {}{id}", emoji(*status), clean(name, NAME_CHARS, Markup::Plain))
        }
        Label::Choice { say, chosen } => {
            let mark = if *chosen { "• " } else { "" };
            format!("{mark}{}", clean(&fill(language, say, Markup::Plain), NAME_CHARS, Markup::Plain))
        }
        Label::Earlier => "‹".to_owned(),
        Label::Later => "›".to_owned(),
        Label::Page { page, pages } => format!("{page}/{pages}"),
        Label::Language(Language::Ru) => "Русский".to_owned(),
        Label::Language(Language::En) => "English".to_owned(),
    }
}

/// Telegram's limit of callback data.
const DATA_BYTES: usize = 64;

/// Telegram takes up to 100 buttons, eight in a row.
const ROWS: usize = 12;

/// See [`ROWS`].
const COLUMNS: usize = 8;

/// Of a name on a button that has a row of its own.
const NAME_CHARS: usize = 28;
