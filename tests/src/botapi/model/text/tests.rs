//! DESIGN 14: limits of text and caption, parse modes.

use super::*;

fn text(text: &str, parse_mode: &str) -> Result<Formatted, Refusal> {
    Formatted::message(&Args::default().with("text", text).with("parse_mode", parse_mode), Refusal::MessageTooLong)
}

#[test]
fn the_bound_is_4096_characters_after_entities() {
    assert!(text(&"я".repeat(4_096), "").is_ok());
    assert_eq!(text(&"я".repeat(4_097), ""), Err(Refusal::MessageTooLong));
    assert!(text(&format!("<b>{}</b>", "x".repeat(4_096)), "HTML").is_ok());
    assert_eq!(text(&"x".repeat(40_000), ""), Err(Refusal::TextTooLong));
}

#[test]
fn a_caption_has_1024() {
    assert!(Formatted::caption(&"я".repeat(1_024), "", "").is_ok());
    assert_eq!(Formatted::caption(&"я".repeat(1_025), "", ""), Err(Refusal::CaptionTooLong));
}

#[test]
fn an_empty_text_is_refused_in_two_ways() {
    assert_eq!(text("", ""), Err(Refusal::TextEmpty));
    assert_eq!(text(" \n ", ""), Err(Refusal::TextBlank));
    assert_eq!(text("<b> </b>", "HTML"), Err(Refusal::TextBlank));
}

#[test]
fn parse_modes_that_are_none_are_refused() {
    // A JSON null arrives as the text "null".
    for mode in ["null", "htm", "MarkdownV2"] {
        assert_eq!(text("x", mode), Err(Refusal::ParseMode), "{mode}");
    }
    assert!(text("x", "html").is_ok());
    assert_eq!(text("<b>x", "HTML").unwrap_err().to_string().split(": ").nth(1), Some("can't parse entities"));
}

#[test]
fn white_space_at_the_ends_goes_and_entities_move() {
    let parsed = text("\n <b>x </b>\n", "HTML").unwrap();
    assert_eq!(parsed.text, "x");
    let bold = parsed.entities.first().unwrap();
    assert_eq!((bold.offset, bold.length), (0, 1));
}

#[test]
fn given_entities_are_taken() {
    let args = Args::default().with("text", "abc").with("entities", r#"[{"type":"bold","offset":1,"length":2}]"#);
    let parsed = Formatted::message(&args, Refusal::MessageTooLong).unwrap();
    assert_eq!(parsed.entities.first().map(|entity| entity.length), Some(2));
    let args = Args::default().with("text", "abc").with("entities", r#"[{"offset":1}]"#);
    assert!(matches!(Formatted::message(&args, Refusal::MessageTooLong), Err(Refusal::Entity(_))));
}
