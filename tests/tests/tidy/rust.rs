//! Just enough of Rust's lexer to count braces: comments, strings and characters become spaces, lines stay.

/// `text` with the contents of comments, strings and character literals replaced by spaces. Newlines stay, so line numbers do.
pub(crate) fn mask(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let previous = out.chars().next_back();
        let skipped = literal_or_comment(rest, previous);
        if skipped == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (gone, kept) = rest.split_at(skipped);
            out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = kept;
        }
    }
    out
}

/// Length in bytes of the comment, string or character literal that `rest` starts with; 0 for anything else.
fn literal_or_comment(rest: &str, previous: Option<char>) -> usize {
    let in_word = previous.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if !in_word && let Some(length) = raw_string(rest) {
        return length;
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') { character(rest) } else { 0 }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// `r"..."`, `r#"..."#`, `br#"..."#`, `cr#"..."#`.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"]
        .into_iter()
        .find(|prefix| rest.strip_prefix(prefix).is_some_and(|after| after.starts_with(['"', '#'])))?;
    let after = &rest[prefix.len()..];
    let hashes = after.chars().take_while(|c| *c == '#').count();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(prefix.len() + hashes + 1 + length)
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; a lifetime or a label is none.
fn character(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted(rest, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

/// A function with a body.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Line of `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from `fn` to the closing brace, both counted.
    pub(crate) lines: usize,
}

/// Every function with a body in masked text, also nested ones.
pub(crate) fn functions(masked: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in masked.match_indices("fn ") {
        let before = masked[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let after = &masked[at + 3..];
        let name: String = after.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(open) = body_start(after) else { continue };
        if name.is_empty() {
            continue;
        }
        let body = &after[open..];
        let lines = masked[at..at + 3 + open + block_length(body)].matches('\n').count() + 1;
        found.push(Function { name, line: masked[..at].matches('\n').count() + 1, lines });
    }
    found
}

/// Offset of the `{` that opens the body; none for a declaration that ends in `;`. Braces inside parentheses or brackets belong to types.
fn body_start(after: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in after.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Bytes from a `{` to its `}`, both included.
fn block_length(block: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in block.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    block.len()
}

/// Masked text without the items under `#[cfg(test)]`; their lines are gone too.
pub(crate) fn without_tests(masked: &str) -> String {
    let mut out = masked.to_owned();
    while let Some(at) = out.find("#[cfg(test)]") {
        let after = &out[at..];
        let end = match (after.find('{'), after.find(';')) {
            (Some(open), Some(stop)) if stop < open => stop + 1,
            (Some(open), _) => open + block_length(&after[open..]),
            (None, Some(stop)) => stop + 1,
            (None, None) => after.len(),
        };
        out.replace_range(at..at + end, "");
    }
    out
}

#[test]
fn comments_strings_and_characters_are_masked_and_lines_stay() {
    let source = "fn a() { // }\n let b = \"}\\\"}\"; /* } /* } */ } */ let c = '}'; let d: &'static str = r#\"}\"}\"#; let e = b'\\''; }\n";
    let masked = mask(source);
    assert_eq!(masked.matches('}').count(), 1, "{masked}");
    assert_eq!(masked.matches('\n').count(), 2);
    assert!(masked.contains("&'static str"));
}

#[test]
fn a_function_is_measured_from_fn_to_its_brace() {
    let masked = mask(
        "trait T { fn declared(&self); }\nfn long<const N: usize>(x: [u8; 3]) -> u8\nwhere u8: Copy,\n{\n if true { 1 } else { 2 }\n}\n",
    );
    let found = functions(&masked);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found.iter().any(|function| function.name == "long" && function.line == 2 && function.lines == 5),
        "{found:?}"
    );
}

#[test]
fn items_under_cfg_test_are_not_product() {
    let kept = without_tests("fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\n#[cfg(test)]\nmod more;\nfn c() {}\n");
    assert!(
        kept.contains("fn a") && kept.contains("fn c") && !kept.contains("fn b") && !kept.contains("more"),
        "{kept}"
    );
}
