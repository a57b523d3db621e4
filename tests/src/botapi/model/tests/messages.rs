//! DESIGN 14, last paragraph: sending, editing, pictures, with the real texts.

use super::*;

const SAME: &str = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

#[test]
fn an_edit_must_change_something() {
    let mut bench = Bench::new();
    let message =
        bench.ok("sendMessage", to("<b>x</b>").with("parse_mode", "HTML").with("reply_markup", keyboard("a")));
    let same = edit(&message, "<strong>x</strong>").with("parse_mode", "HTML").with("reply_markup", keyboard("a"));
    assert_eq!(bench.refused("editMessageText", same), (400, SAME.to_owned()));
    let markup = edit(&message, "").with("reply_markup", keyboard("a"));
    assert_eq!(bench.refused("editMessageReplyMarkup", markup).1, SAME);
    let unformatted = edit(&message, "x").with("reply_markup", keyboard("a"));
    assert!(bench.ok("editMessageText", unformatted)["edit_date"].is_u64());
}

#[test]
fn an_edit_without_markup_takes_the_buttons_away() {
    let mut bench = Bench::new();
    let message = bench.sent("x", keyboard("a"));
    assert!(message["reply_markup"].is_object());
    assert!(bench.ok("editMessageText", edit(&message, "y"))["reply_markup"].is_null());
}

#[test]
fn edits_of_what_is_not_there_are_refused() {
    let mut bench = Bench::new();
    let message = bench.sent("x", keyboard("a"));
    assert_eq!(
        bench.refused("editMessageText", to("y").with("message_id", 999)).1,
        "Bad Request: message to edit not found"
    );
    assert_eq!(bench.refused("editMessageText", to("y")).1, "Bad Request: message identifier is not specified");
    assert_eq!(
        bench.refused("editMessageText", to("y").with("message_id", 1)).1,
        "Bad Request: message can't be edited"
    );
    assert_eq!(
        bench.refused("editMessageCaption", edit(&message, "y")).1,
        "Bad Request: there is no caption in the message to edit"
    );
    bench.ok("deleteMessage", edit(&message, ""));
    assert_eq!(bench.refused("editMessageText", edit(&message, "y")).1, "Bad Request: message to edit not found");
    assert_eq!(bench.refused("deleteMessage", edit(&message, "")).1, "Bad Request: message to delete not found");
}

#[test]
fn too_long_is_worded_differently_in_an_edit() {
    let mut bench = Bench::new();
    let message = bench.sent("x", keyboard("a"));
    let long = "x".repeat(4_097);
    assert_eq!(bench.refused("sendMessage", to(&long)).1, "Bad Request: message is too long");
    assert_eq!(bench.refused("editMessageText", edit(&message, &long)).1, "Bad Request: MESSAGE_TOO_LONG");
    assert_eq!(bench.refused("sendMessage", to("")).1, "Bad Request: message text is empty");
}

#[test]
fn a_message_older_than_48_hours_cannot_be_deleted() {
    let mut bench = Bench::new();
    let message = bench.sent("x", keyboard("a"));
    bench.now += 48 * 3_600_000 + 1;
    assert_eq!(
        bench.refused("deleteMessage", edit(&message, "")).1,
        "Bad Request: message can't be deleted for everyone"
    );
}

#[test]
fn a_picture_is_sent_replaced_and_refused_when_it_is_the_same() {
    let mut bench = Bench::new();
    let message = bench.ok("sendPhoto", to("").with("caption", "cpu").with_file("photo", &png(80, 40, 1)));
    assert_eq!((&message["photo"][0]["width"], &message["caption"]), (&json!(80), &json!("cpu")));
    let media = |caption: &str| json!({"type": "photo", "media": "attach://f1", "caption": caption}).to_string();
    let edit_to = |bytes: &[u8], caption: &str| edit(&message, "").with("media", media(caption)).with_file("f1", bytes);
    // FACTS: re-uploading identical photo bytes in an edit is "message is not modified".
    assert_eq!(bench.refused("editMessageMedia", edit_to(&png(80, 40, 1), "cpu")).1, SAME);
    bench.ok("editMessageMedia", edit_to(&png(80, 40, 1), "mem"));
    let edited = bench.ok("editMessageMedia", edit_to(&png(80, 40, 2), "mem"));
    let file_id = edited["photo"][0]["file_id"].as_str().unwrap().to_owned();
    assert_eq!(
        bench.refused("editMessageText", edit(&message, "x")).1,
        "Bad Request: there is no text in the message to edit"
    );
    bench.ok("editMessageCaption", edit(&message, "").with("caption", "net"));
    bench.ok("sendPhoto", to("").with("photo", &file_id));
    assert_eq!(bench.model.photo(&file_id).unwrap().bytes.to_vec(), png(80, 40, 2));
}

#[test]
fn bad_pictures_are_refused() {
    let mut bench = Bench::new();
    for (args, text) in [
        (to(""), "Bad Request: there is no photo in the request"),
        (to("").with("photo", "attach://gone"), "Bad Request: there is no photo in the request"),
        (to("").with("photo", "AgACunknown"), "Bad Request: wrong file identifier/HTTP URL specified"),
        (to("").with_file("photo", b"not a picture"), "Bad Request: IMAGE_PROCESS_FAILED"),
        (
            to("").with("caption", "x".repeat(1_025)).with_file("photo", &png(8, 8, 1)),
            "Bad Request: message caption is too long",
        ),
    ] {
        assert_eq!(bench.refused("sendPhoto", args), (400, text.to_owned()));
    }
}

#[test]
fn a_text_can_become_a_picture() {
    let mut bench = Bench::new();
    let message = bench.sent("x", keyboard("a"));
    let media = json!({"type": "photo", "media": "attach://f"}).to_string();
    let edited = bench.ok("editMessageMedia", edit(&message, "").with("media", media).with_file("f", &png(8, 8, 3)));
    assert!(edited["photo"].is_array() && edited["text"].is_null());
}
