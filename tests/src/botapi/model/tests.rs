//! DESIGN 14, last paragraph: methods, their refusals with the real texts, and the owner's side.

mod messages;
mod raw;

use super::*;
use crate::botapi::png;

struct Bench {
    model: Model,
    user: User,
    now: u64,
}

impl Bench {
    /// A bot to which one user has written.
    fn new() -> Self {
        let mut bench = Self::silent();
        bench.model.write(Ms(0), &bench.user, "/start abc");
        bench
    }

    /// A bot to which nobody has written.
    fn silent() -> Self {
        Self { model: Model::new(Config::default()), user: User::new(77, "anna", "ru"), now: 1_000 }
    }

    fn raw(&mut self, method: &str, token: &str, args: Args) -> Option<Answer> {
        let call = Call { source: Source::default(), token: token.to_owned(), method: method.to_owned(), args };
        let (id, answers) = self.model.call(Ms(self.now), &call);
        answers.into_iter().find(|answer| answer.call == id)
    }

    fn call(&mut self, method: &str, args: Args) -> Answer {
        let token = self.model.config().token.clone();
        self.raw(method, &token, args).unwrap()
    }

    fn ok(&mut self, method: &str, args: Args) -> Value {
        let answer = self.call(method, args);
        assert_eq!((answer.status, &answer.body["ok"]), (200, &json!(true)), "{method}: {}", answer.body);
        answer.body["result"].clone()
    }

    /// The status and Telegram's text.
    fn refused(&mut self, method: &str, args: Args) -> (u16, String) {
        let answer = self.call(method, args);
        assert_eq!(answer.body["ok"], json!(false), "{method} was accepted: {}", answer.body);
        assert_eq!(answer.body["error_code"], json!(answer.status));
        (answer.status, answer.body["description"].as_str().unwrap().to_owned())
    }

    fn sent(&mut self, text: &str, markup: Value) -> Value {
        self.ok("sendMessage", to(text).with("reply_markup", markup))
    }

    /// Sends a message with one button `go` and taps it.
    fn tapped(&mut self) -> String {
        let message = self.sent("x", keyboard("go"));
        let id = MessageId(message["message_id"].as_i64().unwrap() as i32);
        self.model.tap(Ms(self.now), ChatId(77), id, &Tap::Data("go".to_owned())).unwrap().0
    }
}

fn to(text: &str) -> Args {
    Args::default().with("chat_id", 77).with("text", text)
}

fn keyboard(data: &str) -> Value {
    json!({"inline_keyboard": [[{"text": format!("Do {data}"), "callback_data": data}]]})
}

fn edit(message: &Value, text: &str) -> Args {
    to(text).with("message_id", &message["message_id"])
}

#[test]
fn a_wrong_token_is_401_and_an_unknown_method_404() {
    let mut bench = Bench::new();
    let answer = bench.raw("getMe", "1:wrong", Args::default()).unwrap();
    assert_eq!((answer.status, answer.body["description"].as_str()), (401, Some("Unauthorized")));
    assert_eq!(bench.refused("sendDice", Args::default()), (404, "Not Found: method not found".to_owned()));
    assert_eq!(bench.ok("GETME", Args::default())["is_bot"], json!(true));
}

#[test]
fn only_who_has_written_can_be_written_to() {
    let mut bench = Bench::silent();
    assert_eq!(bench.refused("sendMessage", to("x")), (400, "Bad Request: chat not found".to_owned()));
    bench.model.write(Ms(0), &bench.user, "hello");
    bench.ok("sendMessage", to("x"));
    let nobody = Args::default().with("text", "x");
    assert_eq!(bench.refused("sendMessage", nobody).1, "Bad Request: chat_id is empty");
    bench.model.block(ChatId(77));
    assert_eq!(bench.refused("sendMessage", to("x")), (403, "Forbidden: bot was blocked by the user".to_owned()));
    bench.model.write(Ms(0), &bench.user, "/start");
    bench.ok("sendMessage", to("x"));
}

#[test]
fn a_tap_reaches_the_bot_and_its_answer_the_phone() {
    let mut bench = Bench::new();
    let query = bench.tapped();
    let updates = bench.ok("getUpdates", Args::default());
    let tap = &updates[1]["callback_query"];
    assert_eq!((tap["data"].as_str(), tap["id"].as_str()), (Some("go"), Some(query.as_str())));
    assert_eq!((&tap["from"]["username"], &tap["message"]["text"]), (&json!("anna"), &json!("x")));
    let version = bench.model.version();
    bench.ok("answerCallbackQuery", Args::default().with("callback_query_id", &query).with("text", "done"));
    let toast = bench.model.toasts(ChatId(77))[0].clone();
    assert_eq!((toast.text.as_str(), toast.answered), ("done", Some(Ms(1_000))));
    assert!(toast.version > version && toast.version == bench.model.version());
}

#[test]
fn what_a_later_edit_took_away_can_still_be_looked_up() {
    let mut bench = Bench::new();
    let message = bench.sent("first", keyboard("go"));
    bench.ok("editMessageText", edit(&message, "second"));
    bench.refused("editMessageText", edit(&message, "second"));
    let texts: Vec<_> = bench.model.texts().iter().map(|shown| (shown.chat, shown.text.as_str())).collect();
    assert_eq!(texts, [(ChatId(77), "first"), (ChatId(77), "second")], "what was refused was not shown");
    let calls: Vec<_> = bench.model.texts().iter().map(|shown| bench.model.calls()[shown.call.0 as usize].at).collect();
    assert!(calls.iter().eq(bench.model.texts().iter().map(|shown| &shown.at)));
}

#[test]
fn a_query_is_too_old_after_15_s() {
    const OLD: &str = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    let mut bench = Bench::new();
    let query = bench.tapped();
    let args = Args::default().with("callback_query_id", &query);
    bench.now += 15_000;
    let long = args.clone().with("text", "x".repeat(201));
    assert_eq!(bench.refused("answerCallbackQuery", long).1, "Bad Request: MESSAGE_TOO_LONG");
    bench.ok("answerCallbackQuery", args.clone());
    bench.now += 1;
    assert_eq!(bench.refused("answerCallbackQuery", args), (400, OLD.to_owned()));
    assert_eq!(bench.refused("answerCallbackQuery", Args::default().with("callback_query_id", "5")).1, OLD);
}

#[test]
fn only_a_button_that_is_there_can_be_tapped() {
    let mut bench = Bench::new();
    let message = bench.sent("x", keyboard("go"));
    let id = MessageId(message["message_id"].as_i64().unwrap() as i32);
    let mut tap = |id, tap| bench.model.tap(Ms(2_000), ChatId(77), id, &tap).map(|_| ());
    assert_eq!(tap(id, Tap::Label("Do".to_owned())), Ok(()));
    assert_eq!(tap(id, Tap::Data("stop".to_owned())), Err(TapError::NoButton(id, "Do go".to_owned())));
    assert_eq!(tap(MessageId(99), Tap::Data("go".to_owned())), Err(TapError::NoMessage(MessageId(99))));
    let pending = bench.model.pending();
    bench.ok("editMessageText", edit(&message, "y"));
    assert!(bench.model.tap(Ms(2_000), ChatId(77), id, &Tap::Data("go".to_owned())).is_err());
    assert_eq!(bench.model.pending(), pending);
}

#[test]
fn a_burst_is_followed_by_429_until_the_time_it_names() {
    let mut bench = Bench::new();
    let mut last = Value::Null;
    for text in 0..20 {
        last = bench.ok("sendMessage", to(&text.to_string()));
    }
    let answer = bench.call("editMessageText", edit(&last, "one more"));
    assert_eq!((answer.status, &answer.body["parameters"]["retry_after"]), (429, &json!(5)));
    assert_eq!(answer.body["description"], json!("Too Many Requests: retry after 5"));
    bench.now += 2_500;
    assert_eq!(bench.refused("sendMessage", to("x")).1, "Too Many Requests: retry after 3");
    bench.now += 2_500;
    bench.ok("sendMessage", to("x"));
}

#[test]
fn one_message_a_second_is_never_refused() {
    let mut bench = Bench::new();
    for text in 0..200 {
        bench.ok("sendMessage", to(&text.to_string()));
        bench.now += 1_000;
    }
}

#[test]
fn commands_are_checked_and_kept() {
    let mut bench = Bench::new();
    let commands =
        |name: &str, about: &str| Args::default().with("commands", json!([{"command": name, "description": about}]));
    bench.ok("setMyCommands", commands("nodes", "Узлы").with("language_code", "ru"));
    assert_eq!(bench.ok("getMyCommands", Args::default().with("language_code", "ru"))[0]["command"], json!("nodes"));
    assert_eq!(bench.ok("getMyCommands", Args::default()), json!([]));
    for name in ["", "Nodes", "a-b", &"x".repeat(33)] {
        assert_eq!(bench.refused("setMyCommands", commands(name, "x")).1, "Bad Request: BOT_COMMAND_INVALID");
    }
    assert_eq!(bench.refused("setMyCommands", commands("nodes", "")).1, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID");
    assert!(
        bench.refused("setMyCommands", Args::default().with("commands", "null")).1.contains("can't parse BotCommand")
    );
}

#[test]
fn a_menu_of_a_chat_goes_before_the_one_of_the_readers_language() {
    let mut bench = Bench::new();
    let menu = |about: &str| Args::default().with("commands", json!([{"command": "nodes", "description": about}]));
    let private = json!({"type": "all_private_chats"});
    let chat = |id: i64| json!({"type": "chat", "chat_id": id});
    assert!(bench.refused("setMyCommands", menu("x").with("scope", chat(78))).1.contains("chat not found"));
    bench.ok("setMyCommands", menu("Nodes").with("scope", private.clone()));
    bench.ok("setMyCommands", menu("Узлы").with("scope", private).with("language_code", "ru"));
    let sees = |bench: &Bench, language: &str| {
        let menu = bench.model.commands(ChatId(77), language).unwrap();
        menu[0]["description"].clone()
    };
    assert_eq!([sees(&bench, "ru"), sees(&bench, "de")], [json!("Узлы"), json!("Nodes")]);
    bench.ok("setMyCommands", menu("The nodes").with("scope", chat(77)));
    assert_eq!([sees(&bench, "ru"), sees(&bench, "de")], [json!("The nodes"), json!("The nodes")]);
    assert!(bench.refused("setMyCommands", menu("x").with("scope", json!({"type": "x"}))).1.contains("BotCommand"));
}

#[test]
fn a_webhook_needs_https_and_shows_in_the_info() {
    let mut bench = Bench::new();
    assert_eq!(bench.ok("getWebhookInfo", Args::default())["pending_update_count"], json!(1));
    assert!(bench.refused("setWebhook", Args::default().with("url", "http://example.org")).1.contains("HTTPS"));
    bench.ok("setWebhook", Args::default().with("url", "https://example.org"));
    assert_eq!(bench.refused("getUpdates", Args::default()).0, 409);
    bench.ok("deleteWebhook", Args::default().with("drop_pending_updates", "True"));
    assert_eq!((bench.model.pending(), bench.model.ledger().destroyed()), (0, 1));
}

#[test]
fn the_log_has_every_call_with_its_outcome_and_no_token() {
    let mut bench = Bench::new();
    bench.ok("sendMessage", to("x"));
    bench.refused("sendMessage", to(""));
    let token = bench.model.config().token.clone();
    assert!(bench.raw("getUpdates", &token, Args::default().with("offset", 731_000_002).with("timeout", 9)).is_none());
    let calls = bench.model.calls();
    let outcome: Vec<_> = calls.iter().map(|call| (call.method.as_str(), call.status)).collect();
    assert_eq!(outcome, [("sendmessage", Some(200)), ("sendmessage", Some(400)), ("getupdates", None)]);
    assert!(!json!(calls).to_string().contains(&token));
}

#[test]
fn a_parked_call_is_answered_by_a_text_with_its_command_marked() {
    let mut bench = Bench::silent();
    let token = bench.model.config().token.clone();
    assert!(bench.raw("getUpdates", &token, Args::default().with("timeout", 50)).is_none());
    let user = bench.user.clone();
    let (_, answers) = bench.model.write(Ms(3_000), &user, "/invite 15m");
    let update = &answers[0].body["result"][0];
    assert_eq!(update["update_id"], json!(731_000_001));
    assert_eq!(update["message"]["entities"][0], json!({"type": "bot_command", "offset": 0, "length": 7}));
    assert_eq!(update["message"]["from"]["language_code"], json!("ru"));
    assert_eq!(bench.model.calls()[0].answered, Some(Ms(3_000)));
}
