//! Parameters out of a request: query string, JSON, form, multipart; Telegram takes them all, in any method.

use serde_json::Value;

use crate::botapi::model::{Args, Refusal};

/// Reads the parameters of a call.
///
/// # Errors
/// [`Refusal::Body`]: the body is not what its content type says.
pub fn decode(query: &str, content_type: &str, body: &[u8]) -> Result<Args, Refusal> {
    let mut args = Args::default();
    add_form(&mut args, query.as_bytes());
    let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match kind.as_str() {
        _ if body.is_empty() => {}
        "application/json" => add_json(&mut args, body)?,
        "application/x-www-form-urlencoded" => add_form(&mut args, body),
        "multipart/form-data" => {
            let boundary = parameter(content_type, "boundary").ok_or_else(|| wrong("boundary is missing"))?;
            add_multipart(&mut args, &boundary, body)?;
        }
        // Telegram ignores a body that it has no parser for.
        _ => {}
    }
    Ok(args)
}

fn wrong(what: &str) -> Refusal {
    Refusal::Body(what.to_owned())
}

fn add_form(args: &mut Args, form: &[u8]) {
    for (name, value) in form_urlencoded::parse(form) {
        args.add(name, value);
    }
}

/// Texts as they are; everything else as its JSON, so that a null is the text `null`.
fn add_json(args: &mut Args, body: &[u8]) -> Result<(), Refusal> {
    let value: Value = serde_json::from_slice(body).map_err(|_| wrong("it is not JSON"))?;
    let Value::Object(fields) = value else {
        return Err(wrong("it is not a JSON object"));
    };
    for (name, value) in fields {
        match value {
            Value::String(text) => args.add(name, text),
            other => args.add(name, other.to_string()),
        }
    }
    Ok(())
}

/// RFC 7578, with the parts that HTTP clients send.
fn add_multipart(args: &mut Args, boundary: &str, body: &[u8]) -> Result<(), Refusal> {
    let delimiter = format!("\r\n--{boundary}");
    let opening = delimiter.trim_start().as_bytes();
    let mut rest = body.strip_prefix(opening).ok_or_else(|| wrong("the first boundary is missing"))?;
    loop {
        if rest.starts_with(b"--") {
            return Ok(());
        }
        let part = rest.strip_prefix(b"\r\n").ok_or_else(|| wrong("a boundary has no end of line"))?;
        let end = find(part, delimiter.as_bytes()).ok_or_else(|| wrong("the last boundary is missing"))?;
        let (part, after) = part.split_at(end);
        add_part(args, part)?;
        rest = after.get(delimiter.len()..).unwrap_or_default();
    }
}

fn add_part(args: &mut Args, part: &[u8]) -> Result<(), Refusal> {
    let end = find(part, b"\r\n\r\n").ok_or_else(|| wrong("a part has no headers"))?;
    let (headers, content) = part.split_at(end);
    let content = content.get(4..).unwrap_or_default();
    let headers = std::str::from_utf8(headers).map_err(|_| wrong("a part's headers are not UTF-8"))?;
    let disposition = headers
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))
        .ok_or_else(|| wrong("a part has no name"))?;
    let name = parameter(disposition, "name").ok_or_else(|| wrong("a part has no name"))?;
    if parameter(disposition, "filename").is_some() {
        args.add_file(name, content.to_vec());
    } else {
        args.add(name, String::from_utf8(content.to_vec()).map_err(|_| wrong("a text is not UTF-8"))?);
    }
    Ok(())
}

/// `name=value` or `name="value"` among a header's parameters.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        key.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests;
