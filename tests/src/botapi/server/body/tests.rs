//! Telegram takes parameters in four ways; the double reads the same from each.

use super::*;

#[test]
fn the_same_parameters_come_out_of_every_body() {
    let multipart = "--b1\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\na b\r\n--b1\r\ncontent-disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n--b1--\r\n";
    for (query, kind, body) in [
        ("text=a+b&chat_id=5", "", ""),
        ("", "application/json; charset=utf-8", r#"{"text":"a b","chat_id":5}"#),
        ("", "application/x-www-form-urlencoded", "text=a%20b&chat_id=5"),
        ("", "multipart/form-data; boundary=b1", multipart),
        ("chat_id=5", "application/json", r#"{"text":"a b"}"#),
    ] {
        let args = decode(query, kind, body.as_bytes()).unwrap();
        assert_eq!((args.text("text"), args.text("chat_id")), ("a b", "5"), "{kind}");
    }
}

#[test]
fn json_null_is_a_text_and_not_an_absence() {
    let args = decode("", "application/json", br#"{"parse_mode":null,"reply_markup":{"a":null}}"#).unwrap();
    assert_eq!((args.text("parse_mode"), args.text("reply_markup")), ("null", r#"{"a":null}"#));
}

#[test]
fn a_file_keeps_its_bytes() {
    let body = b"--x\r\nContent-Disposition: form-data; name=\"f1\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89\r\n--\x00\r\n--x--";
    let args = decode("", "multipart/form-data; boundary=\"x\"", body).unwrap();
    assert_eq!(args.file("photo", "attach://f1"), Some(&b"\x89\r\n--\x00"[..]));
    assert_eq!(args.file("photo", "f1"), None);
}

#[test]
fn bodies_that_are_not_what_they_say_are_refused() {
    for (kind, body) in [
        ("application/json", "{"),
        ("application/json", "[]"),
        ("multipart/form-data", "--x--"),
        ("multipart/form-data; boundary=x", "junk"),
        ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb"),
        ("multipart/form-data; boundary=x", "--x\r\nno name\r\n\r\nb\r\n--x--"),
    ] {
        assert_eq!(decode("", kind, body.as_bytes()).unwrap_err().code(), 400, "{kind}: {body}");
    }
}
