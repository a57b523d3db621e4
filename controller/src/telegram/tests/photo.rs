//! Screens with a chart: uploads, and what Telegram says of them.

use super::*;

use constella_core::bot::rooms::ways;

use constella_core::bot::kit::chart::{Chart, Charted, Metric, Theme};
use constella_shared::agent::{MinAvgMax, Point, Series, SeriesKind};

fn screen(nodes: usize) -> Screen {
    let point = |at: u64| Point { t: 1_796_036_400 + at * 60, v: vec![Some(MinAvgMax(1.0, 2.0, 3.0))] };
    let series = Series {
        kind: SeriesKind::Cpu,
        step_s: 60,
        channels: vec!["cpu".into()],
        points: (0..60).map(point).collect(),
    };
    let name = format!("<edge> & {}", "ж".repeat(50));
    let chart = Chart {
        language: Language::Ru,
        metric: Metric::Cpu,
        hours: 1,
        end_unix_s: 1_796_040_000,
        zone: "Europe/Moscow".into(),
        theme: Theme::Dark,
        nodes: vec![Charted { name, series: Some(series) }; nodes],
    };
    let body = Body::Chart(Arc::new(chart));
    let buttons = vec![vec![Button { label: Label::Later, press: ways::help() }]];
    let notices = vec![Say::new(Key::UnknownText); 20];
    Screen::Message(Box::new(Message { language: Language::Ru, notices, body, at_unix_s: 0, buttons }))
}

/// The parts of an upload by their names.
fn parts(body: &Value) -> std::collections::BTreeMap<String, Vec<u8>> {
    let bytes: Vec<u8> =
        body.as_array().unwrap().iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect();
    let boundary = bytes.split(|byte| *byte == b'\r').next().unwrap().to_vec();
    let mut found = std::collections::BTreeMap::new();
    let mut rest = bytes.as_slice();
    while let Some(at) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8(rest[..at].to_vec()).unwrap();
        let content = &rest[at + 4..];
        let end = content.windows(boundary.len()).position(|some| some == boundary).unwrap();
        let name = head.split("name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        found.insert(name, content[..end - 2].to_vec());
        rest = &content[end + boundary.len()..];
    }
    found
}

fn text(parts: &std::collections::BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(parts[name].clone()).unwrap()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[tokio::test]
async fn a_chart_is_sent_as_a_photo_with_its_caption_and_buttons() {
    // C2: and the caption fits, whatever stands above the chart
    let (server, telegram) = pair().await;
    server.will_say(200, &good(&json!({ "message_id": 42 })));
    let call = BotCall::Send { chat: 7, thread: Some(9), screen: screen(6), silent: false };
    assert_eq!(telegram.call(call, LIMIT).await, Ok(BotReply::Sent { message: 42 }));
    let (path, body, _) = server.seen().pop().unwrap();
    let parts = parts(&body);
    assert!(path.ends_with("/sendPhoto"), "{path}");
    assert_eq!((text(&parts, "chat_id"), text(&parts, "message_thread_id")), ("7".into(), "9".into()));
    assert_eq!(text(&parts, "parse_mode"), "HTML");
    let caption = text(&parts, "caption");
    assert!((100..=1_024).contains(&caption.encode_utf16().count()), "{}", caption.encode_utf16().count());
    let keyboard: Value = serde_json::from_slice(&parts["reply_markup"]).unwrap();
    assert_eq!(keyboard["inline_keyboard"][0][0]["callback_data"], "hp");
    assert!(parts["photo"].starts_with(PNG));
}

#[tokio::test]
async fn a_message_becomes_a_chart_and_the_same_chart_is_no_error() {
    // C2
    let (server, telegram) = pair().await;
    let edit = || BotCall::Edit { chat: 7, message: 42, screen: screen(1) };
    server.will_say(200, &good(&json!({ "message_id": 42 })));
    assert_eq!(telegram.call(edit(), LIMIT).await, Ok(BotReply::Done));
    let (path, body, _) = server.seen().pop().unwrap();
    let parts = parts(&body);
    assert!(path.ends_with("/editMessageMedia"), "{path}");
    let media: Value = serde_json::from_slice(&parts["media"]).unwrap();
    let uploaded = media["media"].as_str().unwrap().strip_prefix("attach://").unwrap();
    assert!(parts[uploaded].starts_with(PNG));
    assert_eq!((media["type"].as_str(), text(&parts, "message_id")), (Some("photo"), "42".into()));
    assert!(media["caption"].as_str().unwrap().contains("&lt;edge&gt; &amp; ж"), "{media}");

    let refusals = [
        ("Bad Request: message is not modified: specified new message content is the same", Ok(BotReply::Done)),
        ("Bad Request: message to edit not found", Err(BotError::MessageGone)),
        ("Bad Request: IMAGE_PROCESS_FAILED", Err(BotError::Refused("Bad Request: IMAGE_PROCESS_FAILED".into()))),
    ];
    for (why, wanted) in refusals {
        server.will_say(400, &bad(400, why));
        assert_eq!(telegram.call(edit(), LIMIT).await, wanted);
    }
}

#[tokio::test]
async fn a_picture_takes_no_text_and_is_deleted() {
    // C2: there is no way back by an edit (Bot API, editMessageText)
    let (server, telegram) = pair().await;
    server.will_say(400, &bad(400, "Bad Request: there is no text in the message to edit"));
    let words = Screen::Note { language: Language::En, say: Say::new(Key::UnknownText) };
    let edit = BotCall::Edit { chat: 7, message: 42, screen: words };
    assert_eq!(telegram.call(edit, LIMIT).await, Err(BotError::IsPicture));
    let delete = || BotCall::Delete { chat: 7, message: 42 };
    server.will_say(200, &good(&json!(true)));
    assert_eq!(telegram.call(delete(), LIMIT).await, Ok(BotReply::Done));
    let (path, body, _) = server.seen().pop().unwrap();
    assert!(path.ends_with("/deleteMessage"));
    assert_eq!(body, json!({ "chat_id": 7, "message_id": 42 }));
    for why in ["Bad Request: message to delete not found", "Bad Request: message can't be deleted for everyone"] {
        server.will_say(400, &bad(400, why));
        assert_eq!(telegram.call(delete(), LIMIT).await, Err(BotError::MessageGone));
    }
}

#[tokio::test]
async fn a_chart_that_is_drawn_delays_no_other_call() {
    // C2: one picture at a time, and everything else goes on meanwhile
    let (server, telegram) = pair().await;
    let turn = Arc::clone(&telegram.drawing).acquire_owned().await.unwrap();
    let telegram = Arc::new(telegram);
    let drawing = Arc::clone(&telegram);
    let picture = tokio::spawn(async move {
        drawing.call(BotCall::Send { chat: 7, thread: None, screen: screen(1), silent: false }, LIMIT).await
    });
    server.will_say(200, &good(&json!({ "id": 1, "username": "b" })));
    assert_eq!(telegram.call(BotCall::GetMe, LIMIT).await, Ok(BotReply::Me { id: 1, username: "b".into() }));
    assert!(!picture.is_finished());
    server.will_say(200, &good(&json!({ "message_id": 42 })));
    drop(turn);
    assert_eq!(picture.await.unwrap(), Ok(BotReply::Sent { message: 42 }));
    let paths: Vec<String> = server.seen().into_iter().map(|(path, ..)| path).collect();
    assert!(paths[0].ends_with("/getMe") && paths[1].ends_with("/sendPhoto"), "{paths:?}");
}
