//! `reply_markup`: inline keyboards, parsed as strictly as Telegram does.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// Rows of buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keyboard {
    /// From top to bottom, none of them empty.
    pub rows: Vec<Vec<Button>>,
}

/// One button; as Telegram sends it back in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Its label.
    pub text: String,
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Sends the bot a callback query, 1 to 64 bytes.
    CallbackData(String),
    /// Opens a link.
    Url(String),
}

impl Keyboard {
    /// Parses `reply_markup`; "" and a keyboard without buttons are no keyboard.
    ///
    /// # Errors
    /// Telegram's, for the first thing that is wrong.
    pub fn parse(markup: &str) -> Result<Option<Self>, Refusal> {
        if markup.is_empty() {
            return Ok(None);
        }
        let value: Value = serde_json::from_str(markup).map_err(|_| Refusal::MarkupJson)?;
        let object = value.as_object().ok_or(Refusal::MarkupObject)?;
        let Some(rows) = object.get("inline_keyboard") else {
            return Ok(None);
        };
        let rows = rows.as_array().ok_or(Refusal::Markup("field \"inline_keyboard\" must be of type Array"))?;
        let mut parsed = Vec::new();
        for row in rows {
            let row = row.as_array().ok_or(Refusal::Markup("field \"inline_keyboard\" must be an Array of Arrays"))?;
            let buttons = row.iter().map(button).collect::<Result<Vec<_>, _>>()?;
            // TDLib leaves out buttons without a label, and rows without buttons.
            let buttons: Vec<_> = buttons.into_iter().filter(|button| !button.text.is_empty()).collect();
            if !buttons.is_empty() {
                parsed.push(buttons);
            }
        }
        if parsed.iter().map(Vec::len).sum::<usize>() > MAX_BUTTONS {
            return Err(Refusal::MarkupTooLong);
        }
        Ok((!parsed.is_empty()).then_some(Self { rows: parsed }))
    }

    /// All buttons, in reading order.
    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        self.rows.iter().flatten()
    }
}

fn button(value: &Value) -> Result<Button, Refusal> {
    let object =
        value.as_object().ok_or_else(|| Refusal::Button("InlineKeyboardButton must be an Object".to_owned()))?;
    let text = string(object, "text")?.ok_or_else(|| Refusal::Button("Can't find field \"text\"".to_owned()))?;
    if let Some(url) = string(object, "url")?.filter(|url| !url.is_empty()) {
        let host = ["http://", "https://", "tg://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let is_link = host.is_some_and(|host| !host.is_empty() && !url.contains(char::is_whitespace));
        return if is_link { Ok(Button { text, action: Action::Url(url) }) } else { Err(Refusal::ButtonUrl(url)) };
    }
    match string(object, "callback_data")?.filter(|data| !data.is_empty()) {
        Some(data) if data.len() > MAX_CALLBACK_BYTES => Err(Refusal::ButtonData),
        Some(data) => Ok(Button { text, action: Action::CallbackData(data) }),
        None => Err(Refusal::Button("Text buttons are unallowed in the inline keyboard".to_owned())),
    }
}

/// TDLib takes a number for a text; a null is neither.
fn string(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Refusal::Button(format!("Field \"{name}\" must be of type String"))),
    }
}

/// Bot API, InlineKeyboardButton: 1 to 64 bytes.
const MAX_CALLBACK_BYTES: usize = 64;
/// The server's bound on one keyboard.
const MAX_BUTTONS: usize = 100;

#[cfg(test)]
mod tests;
