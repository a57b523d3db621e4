//! `parse_mode=HTML`: Telegram's subset, refused where Telegram refuses it, with its texts.

use super::text::{Entity, Formatted};

/// Takes the tags out of `source`.
///
/// # Errors
/// What is wrong, as Telegram says it after "can't parse entities: ".
pub(super) fn parse(source: &str) -> Result<Formatted, String> {
    let mut parser = Parser { source, at: 0, text: String::new(), units: 0, open: Vec::new(), entities: Vec::new() };
    while let Some(next) = parser.peek() {
        match next {
            '<' if parser.rest().starts_with("</") => parser.end_tag()?,
            '<' => parser.start_tag()?,
            '&' => parser.reference(),
            other => parser.literal(other),
        }
    }
    if let Some(open) = parser.open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.name));
    }
    Ok(Formatted { text: parser.text, entities: join_code_blocks(parser.entities) })
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    text: String,
    /// UTF-16 length of `text`.
    units: usize,
    open: Vec<OpenTag>,
    entities: Vec<Entity>,
}

struct OpenTag {
    name: String,
    /// `href` of `a`, `class` of `span` and `code`.
    argument: String,
    units: usize,
    /// Where its content starts in `text`, in bytes.
    from: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, c: char) {
        self.text.push(c);
        self.units += c.len_utf16();
    }

    fn literal(&mut self, c: char) {
        self.push(c);
        self.at += c.len_utf8();
    }

    /// `&lt;` and its like; anything else stays what it is.
    fn reference(&mut self) {
        let name = self.rest().strip_prefix('&').unwrap_or("");
        let body = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '#').next().unwrap_or("");
        let meant = match body {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            _ => numeric(body),
        };
        let Some(c) = meant else {
            return self.literal('&');
        };
        let semicolon = usize::from(name.get(body.len()..).is_some_and(|after| after.starts_with(';')));
        self.push(c);
        self.at += 1 + body.len() + semicolon;
    }

    /// The text up to the first character that `stop` accepts.
    fn take_until(&mut self, stop: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(stop).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let name = self.take_until(|c| c.is_ascii_whitespace() || c == '>').to_ascii_lowercase();
        if self.rest().is_empty() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if kind_of(&name).is_none() {
            return Err(format!("Unsupported start tag \"{name}\" at byte offset {begin}"));
        }
        let mut argument = String::new();
        loop {
            self.take_until(|c| !c.is_ascii_whitespace());
            match self.peek() {
                None => return Err(format!("Unclosed start tag at byte offset {begin}")),
                Some('>') => break,
                Some(_) => {
                    let (attribute, value) = self.attribute(&name, begin)?;
                    if matches!((name.as_str(), attribute.as_str()), ("a", "href") | ("span" | "code", "class")) {
                        argument = value;
                    }
                }
            }
        }
        self.at += 1;
        if name == "span" && argument != "tg-spoiler" {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.open.push(OpenTag { name, argument, units: self.units, from: self.text.len() });
        Ok(())
    }

    /// `name="value"`, or a name alone (`expandable`).
    fn attribute(&mut self, tag: &str, begin: usize) -> Result<(String, String), String> {
        let name = self.take_until(|c| c.is_ascii_whitespace() || c == '=' || c == '>').to_ascii_lowercase();
        if name.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
        }
        self.take_until(|c| !c.is_ascii_whitespace());
        if self.peek() != Some('=') {
            return Ok((name, String::new()));
        }
        self.at += 1;
        self.take_until(|c| !c.is_ascii_whitespace());
        let value = match self.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                let value = self.take_until(|c| c == quote);
                if self.rest().is_empty() {
                    return Err(format!("Unclosed start tag at byte offset {begin}"));
                }
                self.at += 1;
                value
            }
            _ => self.take_until(|c| !c.is_ascii_alphanumeric() && c != '.' && c != '-'),
        };
        let mut inner =
            Parser { source: value, at: 0, text: String::new(), units: 0, open: Vec::new(), entities: Vec::new() };
        while let Some(next) = inner.peek() {
            if next == '&' { inner.reference() } else { inner.literal(next) }
        }
        Ok((name, inner.text))
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        self.at += 2;
        let name = self.take_until(|c| c.is_ascii_whitespace() || c == '>').to_ascii_lowercase();
        self.take_until(|c| !c.is_ascii_whitespace());
        if self.peek() != Some('>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        if !name.is_empty() && name != open.name {
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{}>\", found \"</{name}>\"",
                open.name
            ));
        }
        self.close(open);
        Ok(())
    }

    fn close(&mut self, open: OpenTag) {
        let length = self.units - open.units;
        let Some(kind) = kind_of(&open.name).filter(|_| length > 0) else {
            return;
        };
        let mut entity = Entity { kind: kind.to_owned(), offset: open.units, length, url: None, language: None };
        match open.name.as_str() {
            "a" => {
                let shown = self.text.get(open.from..).unwrap_or("");
                let url = if open.argument.is_empty() { shown.to_owned() } else { open.argument };
                // What is no link becomes plain text, without an error.
                if !is_link(&url) {
                    return;
                }
                entity.url = Some(url);
            }
            "code" => entity.language = open.argument.strip_prefix("language-").map(str::to_owned),
            _ => {}
        }
        self.entities.push(entity);
    }
}

/// `<pre><code class="language-x">` is one `pre` with a language; a language elsewhere is dropped.
fn join_code_blocks(entities: Vec<Entity>) -> Vec<Entity> {
    let mut joined: Vec<Entity> = Vec::new();
    for mut entity in entities {
        if entity.kind == "pre"
            && let Some(inner) = joined.last()
            && inner.kind == "code"
            && (inner.offset, inner.length) == (entity.offset, entity.length)
        {
            entity.language = joined.pop().and_then(|inner| inner.language);
        }
        joined.push(entity);
    }
    for entity in joined.iter_mut().filter(|entity| entity.kind == "code") {
        entity.language = None;
    }
    joined
}

fn numeric(body: &str) -> Option<char> {
    let digits = body.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(code).filter(|c| *c != '\0')
}

fn is_link(url: &str) -> bool {
    let host = ["http://", "https://", "tg://", "ton://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    host.map_or_else(|| url.contains('.') && !url.contains(char::is_whitespace), |host| !host.is_empty())
}

fn kind_of(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "span" | "tg-spoiler" => "spoiler",
        "tg-emoji" => "custom_emoji",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "blockquote" => "blockquote",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
