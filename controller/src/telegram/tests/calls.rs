//! What calls look like on the wire, and what is read from their answers.

use super::*;

#[tokio::test]
async fn polls_carry_what_they_are_told_and_nothing_else() {
    let (server, telegram) = pair().await;
    let poll = |offset, timeout_s, limit, name_kinds| BotCall::GetUpdates { offset, timeout_s, limit, name_kinds };
    let cases = [
        (poll(None, 0, 1, false), json!({"timeout": 0, "limit": 1})),
        (poll(Some(2), 0, 1, false), json!({"offset": 2, "timeout": 0, "limit": 1})),
        (
            poll(Some(800_000_001), 1, 100, true),
            json!({"offset": 800_000_001, "timeout": 1, "limit": 100, "allowed_updates": ["message", "callback_query"]}),
        ),
    ];
    for (call, expected) in cases {
        server.will_say(200, &good(&json!([])));
        assert_eq!(telegram.call(call, LIMIT).await, Ok(BotReply::Updates(vec![])));
        let (path, body, _) = server.seen().remove(0);
        assert_eq!((path, body), (format!("/bot{TOKEN}/getUpdates"), expected));
    }
    // FACTS: negative offsets destroy commands.
    for offset in [-1, 0, i64::MIN, i64::MAX] {
        let result = telegram.call(poll(Some(offset), 0, 1, false), LIMIT).await;
        assert!(matches!(result, Err(BotError::Refused(_))), "{result:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn screens_are_sent_and_edited_without_nulls() {
    let (server, telegram) = pair().await;
    let buttons = vec![vec![Button { label: Label::Text(Key::Help), press: ways::help() }]];
    let body = Body::Says(vec![Say::new(Key::UnknownText)]);
    let message = Message { language: Language::En, notices: vec![], body, at_unix_s: 0, buttons };
    let screen = Screen::Message(Box::new(message));
    server.will_say(200, &good(&json!({"message_id": 77, "something": "new"})));
    let sent =
        telegram.call(BotCall::Send { chat: 7, thread: None, screen: screen.clone(), silent: false }, LIMIT).await;
    assert_eq!(sent, Ok(BotReply::Sent { message: 77 }));
    server.will_say(200, &good(&json!({"message_id": 77})));
    assert_eq!(telegram.call(BotCall::Edit { chat: 7, message: 77, screen }, LIMIT).await, Ok(BotReply::Done));
    server.will_say(200, &good(&json!(true)));
    let callback = |toast| BotCall::AnswerCallback { callback_id: "41".into(), toast };
    assert_eq!(telegram.call(callback(None), LIMIT).await, Ok(BotReply::Done));
    server.will_say(200, &good(&json!(true)));
    assert_eq!(telegram.call(callback(Some(note())), LIMIT).await, Ok(BotReply::Done));
    let mut seen = server.seen();
    assert!(!format!("{seen:?}").contains("Null"));
    let common = json!({
        "chat_id": 7, "text": "I know no such command, and no node of this name.", "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
        "reply_markup": {"inline_keyboard": [[{"text": "❓ Help", "callback_data": "hp"}]]},
    });
    let mut edited = common.clone();
    edited["message_id"] = json!(77);
    let expected = [
        ("sendMessage", common),
        ("editMessageText", edited),
        ("answerCallbackQuery", json!({"callback_query_id": "41"})),
        (
            "answerCallbackQuery",
            json!({"callback_query_id": "41", "text": "I know no such command, and no node of this name."}),
        ),
    ];
    for (method, body) in expected {
        let (path, sent, _) = seen.remove(0);
        assert_eq!((path, sent), (format!("/bot{TOKEN}/{method}"), body));
    }
}

#[tokio::test]
async fn a_topic_is_named_and_buttons_are_taken_away_without_a_text() {
    let (server, telegram) = pair().await;
    let send = |thread| BotCall::Send { chat: 7, thread: Some(thread), screen: note(), silent: true };
    server.will_say(200, &good(&json!({"message_id": 77})));
    assert_eq!(telegram.call(send(31), LIMIT).await, Ok(BotReply::Sent { message: 77 }));
    assert_eq!(server.seen()[0].1["message_thread_id"], 31);
    server.will_say(400, &bad(400, "Bad Request: message thread not found"));
    assert_eq!(telegram.call(send(31), LIMIT).await, Err(BotError::TopicGone));
    assert_eq!(telegram.call(send(i64::MAX), LIMIT).await, Err(BotError::TopicGone));
    server.seen();
    let take = |message| BotCall::TakeButtons { chat: 7, message };
    server.will_say(200, &good(&json!({"message_id": 77})));
    assert_eq!(telegram.call(take(77), LIMIT).await, Ok(BotReply::Done));
    let (path, body, _) = server.seen().remove(0);
    assert_eq!(path, format!("/bot{TOKEN}/editMessageReplyMarkup"));
    assert_eq!(body, json!({"chat_id": 7, "message_id": 77}));
    server.will_say(400, &bad(400, "Bad Request: message is not modified"));
    assert_eq!(telegram.call(take(77), LIMIT).await, Ok(BotReply::Done));
    assert_eq!(telegram.call(take(i64::MAX), LIMIT).await, Err(BotError::MessageGone));
}

#[tokio::test]
async fn the_menu_is_set_in_every_language_and_for_everybody_else_and_as_the_owner_chose() {
    let (server, telegram) = pair().await;
    (0..4).for_each(|_| server.will_say(200, &good(&json!(true))));
    let commands = || {
        vec![
            ("/nodes", Key::MenuNodes),
            ("/invite", Key::MenuInvite),
            ("/lang", Key::MenuLang),
            ("/help", Key::MenuHelp),
        ]
    };
    let call = || BotCall::SetCommands { commands: commands(), chosen: Some((77, Language::En)) };
    assert_eq!(telegram.call(call(), LIMIT).await, Ok(BotReply::Done));
    let seen = server.seen();
    let languages: Vec<&Value> = seen.iter().map(|(_, body, _)| &body["language_code"]).collect();
    assert_eq!(languages, [&json!("ru"), &json!("en"), &Value::Null, &Value::Null]);
    assert_eq!(seen[0].1["commands"], seen[2].1["commands"]);
    assert_ne!(seen[0].1["commands"], seen[1].1["commands"]);
    assert_eq!(seen[3].1["commands"], seen[1].1["commands"]);
    assert_eq!(seen[1].1["scope"], json!({"type": "all_private_chats"}));
    assert_eq!(seen[3].1["scope"], json!({"type": "chat", "chat_id": 77}));
    server.will_say(400, &bad(400, "Bad Request: BOT_COMMAND_INVALID"));
    let refused = telegram.call(BotCall::SetCommands { commands: commands(), chosen: None }, LIMIT).await;
    assert!(matches!(refused, Err(BotError::Refused(_))));
}

fn message(id: i64, chat: &Value, more: &Value) -> Value {
    let from =
        json!({"id": 5_000_000_000_i64, "is_bot": false, "first_name": "O", "username": "Olga", "language_code": "ru"});
    let mut message = json!({"message_id": id, "date": 1_700_000_000, "chat": chat, "from": from});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    message
}

#[tokio::test]
async fn updates_are_read_and_unknown_ones_keep_their_id() {
    let (server, telegram) = pair().await;
    let private = json!({"id": 5_000_000_000_i64, "type": "private", "first_name": "O", "username": "Olga"});
    let group = json!({"id": -100, "type": "group", "title": "g"});
    let from = message(1, &private, &json!({}))["from"].clone();
    let bot = json!({"id": 1, "is_bot": true, "first_name": "b", "username": "our_bot"});
    let mut carrier = message(40, &private, &json!({"text": "list"}));
    carrier["from"] = bot;
    let query = json!({"id": "77", "from": from, "chat_instance": "1", "data": "ls:0", "message": carrier});
    let old = json!({"id": "78", "from": from, "chat_instance": "1", "data": "ls:1",
                     "message": {"chat": private, "message_id": 3, "date": 0}});
    let updates = json!([
        {"update_id": 800_000_001, "message": message(1, &private, &json!({"text": "/nodes"}))},
        {"update_id": 800_000_002, "message": message(2, &group, &json!({"text": "/nodes"}))},
        {"update_id": 800_000_003, "callback_query": query},
        {"update_id": 800_000_004, "callback_query": old},
        {"update_id": 800_000_005, "edited_message": message(1, &private, &json!({"text": "x", "edit_date": 1_700_000_001}))},
        {"update_id": 800_000_006, "thing_of_tomorrow": {"a": 1}},
        {"update_id": 800_000_007, "message": {"odd": true}},
        {"update_id": 800_000_008, "message": message(4, &private, &json!({"sticker_of_tomorrow": 1}))},
    ]);
    server.will_say(200, &good(&updates));
    let Ok(BotReply::Updates(updates)) = telegram.call(look(), LIMIT).await else { panic!() };
    let ids: Vec<i64> = updates.iter().map(|update| update.id).collect();
    assert_eq!(ids, (800_000_001..=800_000_008).collect::<Vec<_>>());
    let event = |private, chat, content| UpdateEvent {
        user: 5_000_000_000,
        username: Some("Olga".into()),
        language: Some("ru".into()),
        chat,
        private,
        thread: None,
        forwarded: false,
        content,
    };
    let text = || CommandContent::Text { text: "/nodes".into() };
    let press =
        |id: &str, data: &str, message| CommandContent::Button { callback_id: id.into(), data: data.into(), message };
    let expected = [
        Some(event(true, 5_000_000_000, text())),
        Some(event(false, -100, text())),
        Some(event(true, 5_000_000_000, press("77", "ls:0", 40))),
        Some(event(true, 5_000_000_000, press("78", "ls:1", 3))),
        None,
        None,
        None,
        Some(event(true, 5_000_000_000, CommandContent::Text { text: String::new() })),
    ];
    for (update, expected) in updates.iter().zip(expected) {
        assert_eq!(*update, Update { id: update.id, event: expected });
    }
}

/// One element that cannot be read costs that element; where none has an id, nothing was received, and the next poll is not made at once.
#[tokio::test]
async fn a_broken_element_of_a_result_does_not_take_the_others_with_it() {
    let (server, telegram) = pair().await;
    let private = json!({"id": 5_000_000_000_i64, "type": "private"});
    let good_one = message(1, &private, &json!({"text": "/nodes"}));
    let odd = [json!(null), json!("x"), json!([1]), json!({}), json!({"update_id": "x"}), json!({"update_id": -5})];
    let mut mixed = odd.to_vec();
    mixed.insert(2, json!({"update_id": 7, "message": good_one}));
    mixed.push(json!({"update_id": 8, "message": [1, 2]}));
    server.will_say(200, &good(&mixed.into()));
    let Ok(BotReply::Updates(updates)) = telegram.call(look(), LIMIT).await else { panic!() };
    assert_eq!(
        updates.iter().map(|update| (update.id, update.event.is_some())).collect::<Vec<_>>(),
        [(7, true), (8, false)]
    );
    // Numbers that no type holds, a lone surrogate, bytes that are no UTF-8.
    let wild = r#"{"ok":true,"result":[{"update_id":9,"poll":{"n":1e999,"m":99999999999999999999999,"t":"\ud83d"}},{"update_id":10,"x":"#;
    let mut body = wild.as_bytes().to_vec();
    body.extend_from_slice(b"\"\xff\"}]}");
    server.will(Reply::Bytes(body));
    let Ok(BotReply::Updates(updates)) = telegram.call(look(), LIMIT).await else { panic!() };
    assert_eq!(updates.iter().map(|update| update.id).collect::<Vec<_>>(), [9, 10]);
    server.will_say(200, &good(&odd.to_vec().into()));
    assert!(matches!(telegram.call(look(), LIMIT).await, Err(BotError::Unreachable(_))));
    server.will_say(200, &good(&json!({"update_id": 7})));
    assert!(matches!(telegram.call(look(), LIMIT).await, Err(BotError::Unreachable(_))));
}

/// What a newer Telegram, or a server of one's own, adds to its other answers breaks none of them.
#[tokio::test]
async fn answers_are_read_by_what_is_needed_of_them() {
    let (server, telegram) = pair().await;
    server.will_say(200, &good(&json!({"id": "5", "username": "our_bot", "can_fly": {"how": 1e300}, "is_bot": "yes"})));
    assert_eq!(telegram.call(BotCall::GetMe, LIMIT).await, Ok(BotReply::Me { id: 5, username: "our_bot".into() }));
    server.will_say(200, &good(&json!({"pending_update_count": 9_999_999_999_i64, "url": null, "new": []})));
    let hook = telegram.call(BotCall::GetWebhookInfo, LIMIT).await;
    assert_eq!(hook, Ok(BotReply::Webhook { pending: u32::MAX, set: false }));
    let slow = json!({"ok": false, "error_code": 429, "description": 7, "parameters": {"retry_after": "35", "new": 1}});
    server.will_say(429, &slow);
    assert_eq!(telegram.call(edit(), LIMIT).await, Err(BotError::RetryAfter { ms: 35_000 }));
    server.will(Reply::Says(429, "<html>slow down</html>".into()));
    assert_eq!(telegram.call(edit(), LIMIT).await, Err(BotError::RetryAfter { ms: 3_000 }));
    server.will_say(200, &good(&json!(true)));
    assert!(matches!(telegram.call(BotCall::GetMe, LIMIT).await, Err(BotError::Unreachable(_))));
}
