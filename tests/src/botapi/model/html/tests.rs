//! DESIGN 14: HTML entities, and the texts of Telegram's refusals.

use super::*;

fn entities(source: &str) -> Vec<(String, usize, usize)> {
    parse(source).unwrap().entities.into_iter().map(|entity| (entity.kind, entity.offset, entity.length)).collect()
}

#[test]
fn tags_become_entities_in_utf16_units() {
    let parsed = parse("🟢 <b>alpha</b> &lt;1&gt; <a href=\"https://example.org/?a=1&amp;b=2\">link</a>").unwrap();
    assert_eq!(parsed.text, "🟢 alpha <1> link");
    let bold = parsed.entities.first().unwrap();
    assert_eq!((bold.kind.as_str(), bold.offset, bold.length), ("bold", 3, 5));
    let link = parsed.entities.last().unwrap();
    assert_eq!(link.url.as_deref(), Some("https://example.org/?a=1&b=2"));
}

#[test]
fn a_code_block_with_a_language_is_one_entity() {
    let parsed = parse("<pre><code class=\"language-sh\">ls</code></pre>").unwrap();
    assert_eq!(parsed.entities.len(), 1);
    assert_eq!(parsed.entities.first().unwrap().language.as_deref(), Some("sh"));
    assert_eq!(entities("<pre>x <code>y</code></pre>").len(), 2);
}

#[test]
fn references_that_telegram_does_not_know_stay() {
    let parsed = parse("&nbsp; &quot;&#1103;&#x44F;&amp &").unwrap();
    assert_eq!(parsed.text, "&nbsp; \"яя& &");
}

#[test]
fn empty_tags_leave_nothing() {
    assert_eq!(entities("<b></b>x<i></i>"), []);
    assert_eq!(entities("<a href=\"nowhere\">x</a>"), []);
}

#[test]
fn what_telegram_refuses_is_refused_with_its_text() {
    for (source, error) in [
        ("<h1>x</h1>", "Unsupported start tag \"h1\" at byte offset 0"),
        ("a < b", "Unsupported start tag \"\" at byte offset 2"),
        ("x <br/>", "Unsupported start tag \"br/\" at byte offset 2"),
        ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<a href=\"x", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
    ] {
        assert_eq!(parse(source).unwrap_err(), error, "{source}");
    }
}
