//! What Telegram does to the bot: kinds of tomorrow, refusals, other programs, groups, forwards.

use constella_tests::botapi::model::{Args, ChatId, Shown};
use constella_tests::botapi::server::{Fault, Target};
use constella_tests::botapi::view::{ChatView, MessageView};
use serde_json::{Value, json};

use super::{Bench, PATIENCE, has_button};

/// A condition that takes a stranger's poll, a wait of the fence and its half minute of peace.
const LONG: std::time::Duration = std::time::Duration::from_secs(180);

const SENDS: [&str; 3] = ["sendMessage", "editMessageText", "editMessageReplyMarkup"];

/// A message of the owner with these fields besides, as a whole update.
fn from_owner(more: &Value) -> Value {
    let mut message = json!({"message_id": 900, "date": 1_796_000_000,
        "from": {"id": 77, "is_bot": false, "first_name": "anna", "username": "anna", "language_code": "en"},
        "chat": {"id": 77, "type": "private", "first_name": "anna", "username": "anna"}});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"message": message})
}

impl Bench {
    /// Waits for a text that the bot shows after so many that it has shown.
    async fn shows_after(&self, count: usize, what: &str) -> Shown {
        let by = tokio::time::Instant::now() + PATIENCE;
        loop {
            let shown = self.double().stats().shown;
            if let Some(shown) = shown.iter().skip(count).find(|shown| shown.text.contains(what)) {
                return shown.clone();
            }
            let texts: Vec<&str> = shown.iter().skip(count).map(|shown| shown.text.as_str()).collect();
            assert!(tokio::time::Instant::now() < by, "no {what:?} among {texts:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// An update in any shape, and what is shown then.
    async fn answers_raw(&self, update: &Value, what: &str) -> Shown {
        let before = self.double().stats().shown.len();
        self.double().raw(update);
        self.shows_after(before, what).await
    }

    /// How many messages of the chat have this text.
    async fn count(&self, text: &str) -> usize {
        let chat = self.owner().chat().await.unwrap();
        chat.messages.iter().filter(|message| message.from_bot && message.text.contains(text)).count()
    }

    /// Waits until so many calls that put something before the owner were refused.
    async fn refused_sends(&self, count: usize) {
        let by = tokio::time::Instant::now() + PATIENCE;
        while self.double().refused_on_the_way() < count {
            assert!(tokio::time::Instant::now() < by, "nobody tries to send");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

/// Issue 14.13: tests/cases/12, and other kinds that this version does not know, through a real process.
#[tokio::test(flavor = "multi_thread")]
async fn updates_of_a_newer_telegram_are_answered() {
    let bench = Bench::settled(1).await;
    let file = include_str!("../../cases/12-update-of-a-newer-telegram/updates.json").replace("1001", "77");
    let expected = ["alpha", "alpha", "alpha", "know no such command", "know no such command"];
    for (line, expected) in file.replace("\"owner\"", "\"anna\"").lines().zip(expected) {
        bench.answers_raw(&serde_json::from_str(line).unwrap(), expected).await;
    }
    // None of these stands in the way of the question behind it.
    let odd = [
        json!(null),
        json!({"thing_of_tomorrow": {"x": 1}}),
        json!({"message": [1, 2]}),
        json!({"message": {"text": "/nodes"}}),
        json!({"business_message": {"text": "/nodes"}}),
        json!({"callback_query": {"id": {}, "from": 7}}),
    ];
    odd.iter().for_each(|update| bench.double().raw(update));
    bench.answers_raw(&from_owner(&json!({"text": "/nodes", "from_tomorrow": {"a": [[[]]]}})), "alpha").await;
    // A press whose message is out of reach.
    let query = json!({"id": "41", "from": from_owner(&json!({}))["message"]["from"], "data": "hp"});
    bench.answers_raw(&json!({"callback_query": query}), "What the bot does").await;
    bench.nothing_is_lost().await;
    assert_eq!(bench.double().stats().conflicts_heard(), 0);
}

/// Issue 14.2: sends fail while polls work, the leader dies meanwhile, and everything that was asked is answered, in order.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_while_telegram_took_no_message_is_answered_across_a_change_of_leader() {
    let bench = Bench::settled(3).await;
    let leader = bench.holder().await;
    bench.double().fault_only(Target::All, Fault::Status(502), &SENDS);
    for text in ["/invite 7m", "/invite 8m", "/nodes"] {
        bench.owner().write(text).await.unwrap();
    }
    bench.refused_sends(3).await;
    bench.node(&leader).unwrap().kill().unwrap();
    bench.owner().write("/help").await.unwrap();
    bench.nothing_is_lost().await;
    bench.refused_sends(6).await;
    bench.double().heal_all();
    bench.sees("the help", |message| message.text.contains("What the bot does")).await;
    let order = |chat: &ChatView| {
        let at = |text: &str| chat.messages.iter().find(|message| message.text.contains(text)).map(|found| found.id);
        Some((at("valid for 7 min")?, at("valid for 8 min")?))
    };
    let (first, second) = bench.owner().wait_for("both invitations", PATIENCE, order).await.unwrap().value;
    assert!(first < second);
    bench.nothing_is_lost().await;
}

/// Issue 14.4: they came 0,1,2,3,9,11,6,8,7,10,4,5.
#[tokio::test(flavor = "multi_thread")]
async fn twelve_invitations_at_once_come_in_the_order_of_the_questions() {
    let bench = Bench::settled(1).await;
    for minutes in 1..=12 {
        bench.owner().write(&format!("/invite {minutes}m")).await.unwrap();
    }
    let minutes = |message: &MessageView| -> Option<u32> {
        message.text.split("valid for ").nth(1)?.split(' ').next()?.parse().ok()
    };
    let all = |chat: &ChatView| {
        let came: Vec<u32> = chat.messages.iter().filter_map(minutes).collect();
        (came.len() >= 12).then_some(came)
    };
    let came = bench.owner().wait_for("twelve invitations", PATIENCE, all).await.unwrap().value;
    assert_eq!(came, (1..=12).collect::<Vec<_>>());
}

/// Issue 14.3, F7: said once when it begins and once when it is over; everything goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_and_so_is_its_end() {
    let bench = Bench::settled(2).await;
    let url = Args::default().with("url", "https://somebody.example/hook");
    bench.double().call("setWebhook", url).await.unwrap();
    bench.sees("the word of it", |message| message.text.contains("A webhook is set")).await;
    bench.owner().write("/nodes").await.unwrap();
    bench.double().call("deleteWebhook", Args::default()).await.unwrap();
    let gone = |message: &MessageView| message.text.contains("The webhook is gone");
    bench.owner().sees("the word of its end", PATIENCE, gone).await.unwrap();
    bench.owner().sees("the list", PATIENCE, |message| has_button(message, "beta")).await.unwrap();
    bench.nothing_is_lost().await;
    assert_eq!((bench.count("A webhook is set").await, bench.count("The webhook is gone").await), (1, 1));
}

/// Issue 14.3, F1, F7.
#[tokio::test(flavor = "multi_thread")]
async fn another_program_that_uses_the_token_is_told_and_so_is_its_end() {
    let bench = Bench::settled(2).await;
    bench.double().start_stranger(10);
    bench.sees("the word of it", |message| message.text.contains("Another program uses")).await;
    bench.double().stop_stranger();
    // Its last poll takes what comes first, until it ends.
    let by = tokio::time::Instant::now() + PATIENCE;
    while bench.double().summary().poller.as_deref() == Some("stranger") {
        assert!(tokio::time::Instant::now() < by, "the stranger's poll does not end");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    bench.ask("/nodes").await;
    let over = |message: &MessageView| message.text.contains("No other program");
    bench.owner().sees("the word of its end", LONG, over).await.unwrap();
    assert_eq!((bench.count("Another program uses").await, bench.count("No other program").await), (1, 1));
}

/// Issue 14.14: forwards, groups, any case, topics.
#[tokio::test(flavor = "multi_thread")]
async fn forwards_groups_and_topics_are_answered_as_what_they_are() {
    let bench = Bench::settled(1).await;
    let forwarded = json!({"text": "/invite 50m", "forward_origin": {"type": "hidden_user", "date": 1}});
    bench.answers_raw(&from_owner(&forwarded), "This was forwarded").await;
    assert_eq!(bench.count("valid for").await, 0);
    bench.answers_raw(&from_owner(&json!({"text": "/NODES@Constella_Bot"})), "alpha").await;
    bench.answers_raw(&from_owner(&json!({"text": "/nodes", "message_thread_id": 31})), "alpha").await;
    let list = bench.sees("the list in its topic", |message| message.thread == Some(31)).await;
    assert!(has_button(&list, "alpha"));
    let group = json!({"id": -100_777, "type": "supergroup", "title": "friends"});
    for _ in 0..3 {
        bench.double().raw(&from_owner(&json!({"text": "/invite 50m", "chat": group})));
    }
    bench.nothing_is_lost().await;
    bench.ask("/help").await;
    let said = bench.double().chat(ChatId(-100_777)).messages;
    assert!(matches!(&said[..], [line] if line.text == "I answer in a private chat."), "{said:?}");
    assert_eq!(bench.count("valid for").await, 0, "nothing of a group is a command");
}

/// Issue 14.14: one message has buttons, and a press in a flood wait is told to wait.
#[tokio::test(flavor = "multi_thread")]
async fn old_buttons_go_and_a_press_in_a_flood_wait_is_told_to_wait() {
    let bench = Bench::settled(2).await;
    for _ in 0..3 {
        bench.ask("/nodes").await;
    }
    let one_keyboard = |chat: &ChatView| {
        let last = chat.last_from_bot()?.id;
        let with_buttons: Vec<_> = chat.messages.iter().filter(|message| message.keyboard.is_some()).collect();
        matches!(&with_buttons[..], [only] if only.id == last).then_some(())
    };
    bench.owner().wait_for("one keyboard in the chat", PATIENCE, one_keyboard).await.unwrap();
    bench.double().limit(ChatId(77), 20);
    bench.press("Help").await;
    let by = tokio::time::Instant::now() + PATIENCE;
    let toast = loop {
        // The first press finds out about the limit.
        let toast = bench.press("Help").await;
        if !toast.text.is_empty() {
            break toast;
        }
        assert!(tokio::time::Instant::now() < by, "no press is told to wait");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    assert!(toast.text.contains("lets the bot show nothing"), "{toast:?}");
    bench.sees("the help, as soon as it may be shown", |message| message.text.contains("What the bot does")).await;
    bench.nothing_is_lost().await;
}
