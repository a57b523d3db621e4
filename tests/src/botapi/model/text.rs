//! Texts with their entities: what a message shows after its parse mode was applied.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::args::Args;
use super::html;
use super::refusal::Refusal;

/// A text and its formatting; offsets are UTF-16 code units, as everywhere in the Bot API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formatted {
    /// Without tags.
    pub text: String,
    /// Sorted by offset, the longer first.
    pub entities: Vec<Entity>,
}

/// One MessageEntity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Telegram's name: `bold`, `code`, `text_link` ...
    #[serde(rename = "type")]
    pub kind: String,
    /// UTF-16 code units.
    pub offset: usize,
    /// UTF-16 code units, never 0.
    pub length: usize,
    /// Of a `text_link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a `pre`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Formatted {
    /// The field `text` with `parse_mode` or `entities`; not empty.
    ///
    /// # Errors
    /// Telegram's; `too_long` is the one for over 4,096 characters, which differs between sending and editing.
    pub fn message(args: &Args, too_long: Refusal) -> Result<Self, Refusal> {
        if args.text("text").is_empty() {
            return Err(Refusal::TextEmpty);
        }
        let text = Self::parse(args.text("text"), args.text("parse_mode"), args.text("entities"))?;
        if text.text.is_empty() {
            return Err(Refusal::TextBlank);
        }
        if text.units() > MAX_TEXT_UNITS { Err(too_long) } else { Ok(text) }
    }

    /// A caption; empty is fine.
    ///
    /// # Errors
    /// Telegram's.
    pub fn caption(text: &str, parse_mode: &str, entities: &str) -> Result<Self, Refusal> {
        let caption = Self::parse(text, parse_mode, entities)?;
        if caption.units() > MAX_CAPTION_UNITS { Err(Refusal::CaptionTooLong) } else { Ok(caption) }
    }

    /// Length as Telegram's clients count it. The real server counts code points in places; this is the stricter one.
    fn units(&self) -> usize {
        self.text.encode_utf16().count()
    }

    fn parse(text: &str, parse_mode: &str, entities: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_RAW_BYTES {
            return Err(Refusal::TextTooLong);
        }
        let parsed = match parse_mode.to_ascii_lowercase().as_str() {
            _ if text.is_empty() => Self::default(),
            "" | "none" => Self { text: text.to_owned(), entities: given_entities(entities)? },
            "html" => html::parse(text).map_err(Refusal::Entities)?,
            _ => return Err(Refusal::ParseMode),
        };
        Ok(parsed.trimmed())
    }

    /// Without white space at both ends; entities move and shrink with it.
    fn trimmed(self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        let (lead, _) = self.text.split_at(start);
        let shift = lead.encode_utf16().count();
        let text = self.text.trim().to_owned();
        let end = text.encode_utf16().count();
        let mut entities: Vec<_> = self
            .entities
            .into_iter()
            .filter_map(|entity| {
                let from = entity.offset.saturating_sub(shift).min(end);
                let to = (entity.offset + entity.length).saturating_sub(shift).min(end);
                (to > from).then_some(Entity { offset: from, length: to - from, ..entity })
            })
            .collect();
        entities.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length));
        Self { text, entities }
    }
}

/// `entities` as JSON; like Telegram, JSON that cannot be read is as if it were not there.
fn given_entities(json: &str) -> Result<Vec<Entity>, Refusal> {
    let Ok(Value::Array(values)) = serde_json::from_str(json) else {
        return Ok(Vec::new());
    };
    values.iter().map(given_entity).collect()
}

fn given_entity(value: &Value) -> Result<Entity, Refusal> {
    let wrong = |what: &str| Refusal::Entity(what.to_owned());
    let object = value.as_object().ok_or_else(|| wrong("expected an Object"))?;
    let number = |name: &str| object.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Entity {
        kind: text("type").ok_or_else(|| wrong("Can't find field \"type\""))?,
        offset: number("offset").ok_or_else(|| wrong("Can't find field \"offset\""))?,
        length: number("length").ok_or_else(|| wrong("Can't find field \"length\""))?,
        url: text("url"),
        language: text("language"),
    })
}

/// Bot API, sendMessage: 1 to 4,096 characters after entities.
const MAX_TEXT_UNITS: usize = 4_096;
/// Bot API, sendPhoto: 0 to 1,024 characters after entities.
const MAX_CAPTION_UNITS: usize = 1_024;
/// Client.cpp, get_formatted_text.
const MAX_RAW_BYTES: usize = 1 << 15;

#[cfg(test)]
mod tests;
