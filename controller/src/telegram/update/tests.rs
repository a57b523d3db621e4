//! What is heard of an update, and what is not.

use serde_json::{Value, json};

use super::*;

const OWNER: i64 = 1_001;

/// What is read of an update, and what was logged as unknown.
fn reading(update: &Value) -> (Option<Update>, Vec<String>) {
    let unknown = Unknown::default();
    let read = read(&update.to_string(), &unknown);
    (read, unknown.kinds())
}

fn heard(update: &Value) -> Option<UpdateEvent> {
    reading(update).0.expect("no id").event
}

/// A private message of the owner with these fields besides.
fn private(more: &Value) -> Value {
    let mut message = json!({"message_id": 1, "date": 1_796_000_000, "from": {"id": OWNER, "is_bot": false, "first_name": "O"},
        "chat": {"id": OWNER, "type": "private", "first_name": "O"}});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"update_id": 5, "message": message})
}

fn text_of(update: &Value) -> Option<String> {
    match heard(update)?.content {
        CommandContent::Text { text } => Some(text),
        CommandContent::Button { .. } | CommandContent::Other(_) => None,
    }
}

/// Issue 14.13: recorded updates of a Telegram that has kinds that this version does not know.
#[test]
fn updates_of_a_newer_telegram_are_heard_by_what_is_needed_of_them() {
    let file = include_str!("../../../../tests/cases/12-update-of-a-newer-telegram/updates.json");
    let updates: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts: Vec<Option<String>> = updates.iter().map(text_of).collect();
    let expected = ["/nodes 12:00", "/nodes x", "/nodes", "", ""];
    assert_eq!(texts, expected.map(|text| Some(text.to_owned())));
    assert!(updates.iter().all(|update| heard(update).unwrap().private));
    let logged: Vec<Vec<String>> = updates.iter().map(|update| reading(update).1).collect();
    assert_eq!(logged.concat(), ["message.brand_new_content"], "a voice is known, and an entity is not looked at");
}

#[test]
fn a_kind_is_logged_once_and_by_its_name_alone() {
    let unknown = Unknown::default();
    for id in 1..500 {
        let update = json!({"update_id": id, format!("kind{}\n\u{202e}", id % 200): {"secret": "x"}});
        assert_eq!(read(&update.to_string(), &unknown), Some(Update { id, event: None }));
    }
    let kinds = unknown.kinds();
    assert_eq!(kinds.len(), 64);
    assert!(kinds.iter().all(|kind| kind.starts_with("kind") && kind.len() < 8), "{kinds:?}");
}

/// Whatever stands where an object should be: the update is confirmed and passed over.
#[test]
fn an_update_of_any_shape_keeps_its_id() {
    let odd = [json!({}), json!([]), json!("x"), json!(7), json!(true), json!({"from": [], "chat": 5})];
    let kinds =
        ["message", "callback_query", "edited_message", "channel_post", "business_message", "message_reaction", "x"];
    for kind in kinds {
        for content in &odd {
            let update = json!({"update_id": 5, kind: content});
            assert_eq!(reading(&update).0, Some(Update { id: 5, event: None }), "{update}");
        }
    }
    assert_eq!(reading(&json!({"update_id": 5})).0, Some(Update { id: 5, event: None }));
    for id in [json!(0), json!(-1), json!(i64::MAX), json!(1e30), json!("x"), json!(null), json!({})] {
        assert_eq!(reading(&json!({"update_id": id, "message": {}})).0, None, "{id}");
    }
    assert_eq!(reading(&json!({"update_id": "6"})).0.unwrap().id, 6);
}

#[test]
fn a_message_is_heard_whatever_else_is_in_it() {
    let rest = [
        json!({"date": 0}),
        json!({"date": "yesterday", "entities": 7, "reply_markup": [], "message_id": {}}),
        json!({"reply_to_message": {"odd": true}, "external_reply": null, "quote": 1, "via_bot": "x"}),
        json!({"sender_of_tomorrow": {}, "effect_id": 1, "link_preview_options": [], "edit_date": -1}),
        json!({"rich_message": {"blocks": [{"type": "table"}]}, "n": 1.5e300}),
    ];
    for more in rest {
        let mut more = more;
        more["text"] = json!("/nodes");
        assert_eq!(text_of(&private(&more)).as_deref(), Some("/nodes"), "{more}");
    }
    assert_eq!(text_of(&private(&json!({"photo": [], "caption": "/help"}))).as_deref(), Some("/help"));
    let huge = "я".repeat(1_000_000);
    assert_eq!(text_of(&private(&json!({"text": huge}))).unwrap().chars().count(), 4_096);
    // No text that can be read: answered as a sticker is.
    for more in [json!({"text": 7}), json!({"text": {"of": "tomorrow"}}), json!({"rich_message": {}}), json!({})] {
        assert_eq!(text_of(&private(&more)).as_deref(), Some(""), "{more}");
    }
}

#[test]
fn names_and_languages_of_another_type_count_as_absent() {
    let from = json!({"id": "1001", "is_bot": "no", "username": 7, "language_code": ["ru"]});
    let event = heard(&private(&json!({"from": from, "text": "x"}))).unwrap();
    assert_eq!((event.user, event.username, event.language), (OWNER, None, None));
}

/// Nobody there asked the bot for anything.
#[test]
fn who_cannot_be_told_apart_is_not_heard() {
    let cases = [
        json!({"from": null, "text": "x"}),
        json!({"from": {"id": -5}, "text": "x"}),
        json!({"from": {"id": 1e300}, "text": "x"}),
        json!({"chat": null, "text": "x"}),
        json!({"chat": {"id": OWNER, "type": "channel"}, "text": "x"}),
        json!({"chat": {"id": {}, "type": "private"}, "text": "x"}),
        json!({"from": {"id": OWNER, "is_bot": true}, "text": "x"}),
        json!({"business_connection_id": "b", "text": "x"}),
        json!({"pinned_message": {"message_id": 4}}),
        json!({"forum_topic_created": {"name": "t"}}),
        json!({"message_auto_delete_timer_changed": {}}),
    ];
    for more in cases {
        assert_eq!(heard(&private(&more)), None, "{more}");
    }
}

#[test]
fn a_chat_of_an_unknown_kind_is_private_where_it_has_its_users_id() {
    let of = |id: i64, kind: Value| heard(&private(&json!({"chat": {"id": id, "type": kind}, "text": "x"}))).unwrap();
    assert!(of(OWNER, json!("tomorrow")).private && of(OWNER, json!(7)).private && of(OWNER, Value::Null).private);
    assert!(!of(-100, json!("tomorrow")).private && !of(-100, json!("supergroup")).private);
    assert_eq!(of(-100, json!("group")).chat, -100);
}

#[test]
fn every_forward_mark_counts_also_one_of_tomorrow() {
    let marks = [
        json!({"forward_origin": {"type": "tomorrow"}}),
        json!({"forward_origin": {"type": "user", "sender_user": {"id": 7}}}),
        json!({"forward_origin": 7}),
        json!({"forward_from": {"id": 7}}),
        json!({"forward_from_chat": {"id": 7}}),
        json!({"forward_sender_name": "x"}),
        json!({"forward_date": 1}),
        json!({"forward_of_tomorrow": {}}),
        json!({"is_automatic_forward": true}),
    ];
    for mark in marks {
        assert!(heard(&private(&mark)).unwrap().forwarded, "{mark}");
    }
    let own = json!({"text": "x", "forward_origin": null, "is_automatic_forward": false, "reply_to_message": {"forward_date": 1}});
    assert!(!heard(&private(&own)).unwrap().forwarded);
}

#[test]
fn a_topic_is_kept_where_it_is_one() {
    let of = |thread: Value| heard(&private(&json!({"text": "x", "message_thread_id": thread}))).unwrap().thread;
    assert_eq!([of(json!(31)), of(json!(0)), of(json!("x")), of(Value::Null)], [Some(31), None, None, None]);
}

#[test]
fn a_press_is_heard_with_or_without_the_message_of_its_button() {
    let query = |more: &Value| {
        let mut query = json!({"id": "77", "from": {"id": OWNER, "is_bot": false}, "data": "ls:0"});
        query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"update_id": 5, "callback_query": query})
    };
    let chat = json!({"id": OWNER, "type": "private"});
    let cases = [
        (json!({"message": {"chat": chat, "message_id": 3, "date": 0}}), 3, None),
        (json!({"message": {"chat": chat, "message_id": 3, "message_thread_id": 9, "text": {}}}), 3, Some(9)),
        (json!({"message": {"chat": {"id": OWNER, "type": "tomorrow"}, "message_id": 3}}), 3, None),
        (json!({"message": {"message_id": 3}}), 3, None),
        (json!({"message": "gone"}), 0, None),
        (json!({"inline_message_id": "x"}), 0, None),
        (json!({}), 0, None),
    ];
    for (more, message, thread) in cases {
        let event = heard(&query(&more)).unwrap_or_else(|| panic!("{more}"));
        assert!(event.private && event.chat == OWNER && event.thread == thread, "{more}: {event:?}");
        let content = CommandContent::Button { callback_id: "77".into(), data: "ls:0".into(), message };
        assert_eq!(event.content, content, "{more}");
    }
    let game = query(&json!({"data": null, "game_short_name": "x", "id": 78}));
    let content = CommandContent::Button { callback_id: "78".into(), data: String::new(), message: 0 };
    assert_eq!(heard(&game).unwrap().content, content);
    assert_eq!(heard(&query(&json!({"id": null}))), None);
    let group = query(&json!({"message": {"chat": {"id": -5, "type": "group"}, "message_id": 3}}));
    assert!(!heard(&group).unwrap().private);
    let long = query(&json!({"data": "x".repeat(5_000)}));
    let CommandContent::Button { data, .. } = heard(&long).unwrap().content else { panic!() };
    assert_eq!(data.len(), 65, "it stays too long for a button of ours");
}
