//! Updates in any shape: groups, forwards, topics, kinds of tomorrow; and a chat that Telegram limits.

use super::*;

impl Bench {
    fn raw_update(&mut self, update: Value) {
        self.model.raw(Ms(self.now), update);
    }

    /// What a getUpdates brings, without the ids.
    fn updates(&mut self) -> Vec<Value> {
        self.ok("getUpdates", Args::default()).as_array().unwrap().clone()
    }
}

fn anna() -> Value {
    json!({"id": 77, "is_bot": false, "first_name": "anna", "username": "anna"})
}

#[test]
fn an_update_of_any_shape_is_delivered_as_it_is_under_an_id_of_the_queue() {
    let mut bench = Bench::silent();
    bench.ok("getUpdates", Args::default().with("allowed_updates", r#"["message"]"#));
    bench.raw_update(json!({"update_id": 7, "thing_of_tomorrow": {"x": [1]}}));
    bench.raw_update(json!("no object"));
    bench.raw_update(json!({"update_id": 8}));
    // The same offset within half a second gets one update only.
    bench.now += 1_000;
    let updates = bench.updates();
    let first = i64::from(Config::default().first_update.0);
    assert_eq!(updates[0], json!({"update_id": first, "thing_of_tomorrow": {"x": [1]}}));
    assert_eq!(updates[1], json!("no object"));
    assert_eq!(updates[2], json!({"update_id": first + 2}));
}

#[test]
fn a_group_can_be_answered_once_somebody_wrote_in_it() {
    let mut bench = Bench::silent();
    let group = json!({"id": -100, "type": "supergroup", "title": "friends"});
    let to_group = || Args::default().with("chat_id", -100).with("text", "hello");
    assert_eq!(bench.refused("sendMessage", to_group()).1, "Bad Request: chat not found");
    bench.raw_update(json!({"message": {"message_id": 1, "date": 1, "chat": group, "from": anna(), "text": "/nodes"}}));
    let sent = bench.ok("sendMessage", to_group());
    assert_eq!(sent["chat"], group);
    assert_eq!(bench.model.chat(ChatId(-100)).unwrap().messages.len(), 1);
    assert!(bench.model.chat(ChatId(77)).is_none(), "nobody opened a private chat");
}

#[test]
fn a_topic_is_there_once_somebody_wrote_in_it() {
    let mut bench = Bench::new();
    let into = |thread: i64| to("hello").with("message_thread_id", thread);
    assert_eq!(bench.refused("sendMessage", into(31)).1, "Bad Request: message thread not found");
    let chat = json!({"id": 77, "type": "private", "first_name": "anna"});
    let message =
        json!({"message_id": 1, "date": 1, "chat": chat, "from": anna(), "message_thread_id": 31, "text": "x"});
    bench.raw_update(json!({"message": message}));
    assert_eq!(bench.ok("sendMessage", into(31))["message_thread_id"], 31);
    assert_eq!(bench.refused("sendMessage", into(32)).0, 400);
    assert!(bench.ok("sendMessage", to("hello")).get("message_thread_id").is_none());
}

#[test]
fn a_query_of_a_raw_update_is_answered_like_any_other() {
    let mut bench = Bench::new();
    let answer = |id: &str| Args::default().with("callback_query_id", id).with("text", "yes");
    assert_eq!(bench.refused("answerCallbackQuery", answer("q1")).0, 400);
    bench.raw_update(json!({"callback_query": {"id": "q1", "from": anna(), "data": "ls:0"}}));
    bench.ok("answerCallbackQuery", answer("q1"));
    assert_eq!(bench.model.toasts(ChatId(77)).last().unwrap().text, "yes");
    bench.raw_update(json!({"callback_query": {"id": "q2", "from": anna()}}));
    bench.now += 15_001;
    assert_eq!(bench.refused("answerCallbackQuery", answer("q2")).0, 400);
}

#[test]
fn a_limited_chat_takes_no_message_and_no_edit_but_answers_to_presses() {
    let mut bench = Bench::new();
    let query = bench.tapped();
    bench.model.limit(Ms(bench.now), ChatId(77), 30);
    let (code, why) = bench.refused("sendMessage", to("hello"));
    assert_eq!((code, why.as_str()), (429, "Too Many Requests: retry after 30"));
    bench.ok("answerCallbackQuery", Args::default().with("callback_query_id", query));
    bench.now += 29_000;
    assert_eq!(bench.refused("sendMessage", to("hello")).1, "Too Many Requests: retry after 1");
    bench.now += 1_000;
    bench.ok("sendMessage", to("hello"));
}
