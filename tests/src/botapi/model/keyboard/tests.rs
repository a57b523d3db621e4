//! DESIGN 14 and FACTS: what Telegram refuses in a keyboard.

use serde_json::json;

use super::*;

fn parse(button: Value) -> Result<Option<Keyboard>, Refusal> {
    Keyboard::parse(&json!({"inline_keyboard": [[button]]}).to_string())
}

#[test]
fn callback_data_is_1_to_64_bytes() {
    let data = |data: String| parse(json!({"text": "x", "callback_data": data}));
    assert!(data("a".repeat(64)).is_ok());
    assert_eq!(data("a".repeat(65)), Err(Refusal::ButtonData));
    // Bytes, not characters: 33 Cyrillic letters are 66 bytes.
    assert_eq!(data("я".repeat(33)).unwrap_err().to_string(), "Bad Request: BUTTON_DATA_INVALID");
    let nothing = data(String::new()).unwrap_err().to_string();
    assert!(nothing.ends_with("Text buttons are unallowed in the inline keyboard"), "{nothing}");
}

#[test]
fn a_null_in_a_button_is_an_error() {
    for field in ["url", "callback_data"] {
        let mut button = json!({"text": "x", "callback_data": "y"});
        put(&mut button, field);
        let refusal = parse(button).unwrap_err().to_string();
        assert_eq!(
            refusal,
            format!("Bad Request: can't parse inline keyboard button: Field \"{field}\" must be of type String")
        );
    }
}

fn put(button: &mut Value, field: &str) {
    button.as_object_mut().unwrap().insert(field.to_owned(), Value::Null);
}

#[test]
fn markup_that_is_no_keyboard_is_refused() {
    for (markup, refusal) in [
        ("null", "Bad Request: object expected as reply markup"),
        ("{", "Bad Request: can't parse reply keyboard markup JSON object"),
        (r#"{"inline_keyboard": {}}"#, "Bad Request: field \"inline_keyboard\" must be of type Array"),
        (r#"{"inline_keyboard": [{}]}"#, "Bad Request: field \"inline_keyboard\" must be an Array of Arrays"),
        (
            r#"{"inline_keyboard": [["x"]]}"#,
            "Bad Request: can't parse inline keyboard button: InlineKeyboardButton must be an Object",
        ),
        (
            r#"{"inline_keyboard": [[{"callback_data": "x"}]]}"#,
            "Bad Request: can't parse inline keyboard button: Can't find field \"text\"",
        ),
    ] {
        assert_eq!(Keyboard::parse(markup).unwrap_err().to_string(), refusal, "{markup}");
    }
}

#[test]
fn links_must_be_links() {
    assert!(parse(json!({"text": "x", "url": "https://example.org"})).is_ok());
    assert_eq!(parse(json!({"text": "x", "url": "join://seed"})), Err(Refusal::ButtonUrl("join://seed".to_owned())));
}

#[test]
fn at_most_100_buttons() {
    let row = |count| {
        let buttons = vec![json!({"text": "x", "callback_data": "y"}); count];
        Keyboard::parse(&json!({"inline_keyboard": [buttons]}).to_string())
    };
    assert!(row(100).is_ok());
    assert_eq!(row(101), Err(Refusal::MarkupTooLong));
}

#[test]
fn nothing_is_no_keyboard() {
    for markup in ["", "{}", r#"{"inline_keyboard": []}"#, r#"{"inline_keyboard": [[]]}"#] {
        assert_eq!(Keyboard::parse(markup), Ok(None), "{markup}");
    }
}
