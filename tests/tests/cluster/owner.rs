//! What the owner of three nodes sees.

use std::time::Duration;

use constella_tests::botapi::model::{Args, CallRecord, User};
use constella_tests::botapi::owner::Owner;
use constella_tests::botapi::view::MessageView;
use constella_tests::cluster::Reboots;
use serde_json::{Value, json};

use super::{Bench, PATIENCE, has_button, line_of, plan};

/// DESIGN 9: list, card, speedtest, and the way back, in one message.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sees_three_nodes_their_figures_and_a_speedtest() {
    let bench = Bench::settled(3).await;
    let list = bench.ask("/nodes").await;
    for name in ["alpha", "beta", "gamma"] {
        assert!(line_of(&list, name).contains("🟢"), "{}", list.screen());
    }
    assert!(line_of(&list, "alpha").contains("“Host”"), "{}", list.screen());
    let message = bench.message().await;
    bench.press("beta").await;
    let card = bench.sees("figures", |card| card.text.contains("RAM") && card.text.contains("Load")).await;
    for figure in ["CPU", "Disk", "Uptime", "Load", "Network"] {
        assert!(card.text.contains(figure), "{figure} is missing:\n{}", card.screen());
    }
    bench.press("Speedtest").await;
    bench.sees("a result", |card| card.text.contains("speedtest finished") && card.text.contains("bit/s")).await;
    bench.press("List").await;
    bench.sees("the list", |message| has_button(message, "gamma")).await;
    assert_eq!(bench.message().await, message, "one message, edited in place");
    bench.nothing_is_lost().await;
    assert_eq!(bench.double().stats().conflicts_heard(), 0);
}

/// DESIGN 9, A4: one confirmation reboots once, and is followed until the boot id has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_reboot_is_done_once_and_followed() {
    let mut plan = plan(2);
    plan.reboots = Reboots::Away(Duration::from_secs(2));
    let bench = Bench::of(plan).await;
    bench.found().await.unwrap();
    bench.join(1).await.unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
    bench.claim().await.unwrap();
    let confirmation = bench.ask_for_reboot("beta").await;
    let button = confirmation.keyboard.as_ref().unwrap().buttons().next().unwrap().text.clone();
    assert_eq!(bench.reboots(), 0, "nothing happens before the confirmation");
    bench.press(&button).await;
    bench.sees("its return", |message| message.text.contains("beta is back after")).await;
    assert_eq!(bench.node("beta").unwrap().reboots().len(), 1);
    assert_eq!(bench.reboots(), 1, "no other host was touched");
    // The one-time button is over: the same press again asks anew and does nothing.
    bench.ask_for_reboot("beta").await;
    bench.press("Cancel").await;
    assert_eq!(bench.reboots(), 1);
}

/// DESIGN 9: name and code must both fit; others read one refusal and see nothing.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_with_the_code_is_obeyed() {
    let bench = Bench::of(plan(1)).await;
    bench.found().await.unwrap();
    let code = bench.code().unwrap();
    let stranger = Owner::new(bench.double().control_addr(), User::new(66, "mallory", "en"));
    let refusal = stranger.ask(&format!("/start {code}"), PATIENCE).await.unwrap().value;
    assert!(!refusal.text.contains("alpha"), "{}", refusal.screen());
    let namesake = Owner::new(bench.double().control_addr(), User::new(67, "anna", "en"));
    let refusal = namesake.ask("/start 00000000000000000000000000000000", PATIENCE).await.unwrap().value;
    assert!(!refusal.text.contains("alpha"), "{}", refusal.screen());
    assert!(bench.claim().await.unwrap().text.contains("alpha"));
    // The id is pinned: the name alone commands nothing any more, even with the code.
    namesake.write(&format!("/start {code}")).await.unwrap();
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
    let seen = namesake.chat().await.unwrap();
    assert!(seen.messages.iter().all(|message| !message.text.contains("alpha")));
}

/// DESIGN 9: the bot serves private chats and reads texts; anything else is confirmed and passed over.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_does_not_serve_is_passed_over_and_the_owner_is_still_answered() {
    let bench = Bench::settled(1).await;
    let anna = json!({"id": 77, "is_bot": false, "first_name": "Anna", "username": "anna", "language_code": "en"});
    let private = json!({"id": 77, "type": "private", "first_name": "Anna", "username": "anna"});
    let message = |chat: &Value, more: Value| {
        let mut message = json!({"message_id": 900, "date": 1_767_225_600, "chat": chat, "from": anna});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let sticker = json!({"sticker": {"file_id": "a", "file_unique_id": "b", "type": "regular", "width": 1, "height": 1,
        "is_animated": false, "is_video": false}});
    let updates = [
        ("message", message(&private, json!({"text": 7}))),
        ("message", message(&private, json!({"something_new": {"of": ["another", "year"]}}))),
        ("message", message(&private, sticker)),
        ("message", json!("no object")),
        ("edited_message", message(&private, json!({"edit_date": 1_767_225_601, "text": "/nodes"}))),
        (
            "channel_post",
            json!({"message_id": 5, "date": 1, "chat": {"id": -5, "type": "channel", "title": "c"}, "text": "x"}),
        ),
        ("a_kind_of_tomorrow", json!({"x": [null, {}, 1e300]})),
    ];
    let before = bench.double().stats().calls.len();
    for (kind, content) in &updates {
        bench.double().update(kind, content);
    }
    bench.nothing_is_lost().await;
    let answer = bench.ask("/nodes").await;
    assert!(answer.text.contains("alpha"), "{}", answer.screen());
    let stats = bench.double().stats();
    let refused = |call: &&CallRecord| call.status.is_some_and(|status| status >= 400);
    let refused = stats.calls.iter().skip(before).find(refused);
    assert!(refused.is_none(), "nobody is spoken to who cannot hear: {refused:?}");
    assert_eq!(stats.conflicts_heard(), 0);
}

/// DESIGN 9: the one message was deleted by the owner; the next screen is a new one, and that is the one from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_owner_deleted_is_replaced() {
    let bench = Bench::settled(2).await;
    let deleted = bench.open_card("beta").await;
    bench.press("Speedtest").await;
    let args = Args::default().with("chat_id", 77).with("message_id", deleted.id.0);
    bench.double().call("deleteMessage", args).await.unwrap();
    let finished = |message: &MessageView| message.id > deleted.id && message.text.contains("speedtest finished");
    let fresh = bench.sees("a new message", finished).await;
    bench.press("List").await;
    bench.sees("the list", |message| message.id == fresh.id && has_button(message, "beta")).await;
    bench.nothing_is_lost().await;
}

/// DESIGN 9: a double press and two phones: each press is answered, a confirmation is worth one reboot, and what came late says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_is_pressed_twice_from_two_phones_reboots_once() {
    let bench = Bench::settled(2).await;
    bench.ask_for_reboot("beta").await;
    let other = Owner::new(bench.double().control_addr(), bench.owner().user().clone());
    let (one, two) = tokio::join!(bench.owner().press("Yes"), other.press("Yes"));
    for tap in [one.unwrap(), two.unwrap()] {
        bench.owner().answered(&tap, PATIENCE).await.unwrap();
    }
    let toasts = bench.owner().chat().await.unwrap().toasts;
    assert_eq!(toasts.iter().filter(|toast| toast.text.contains("othing was done")).count(), 1, "{toasts:?}");
    bench.sees("its return", |message| message.text.contains("beta is back after")).await;
    bench.nothing_is_lost().await;
    assert_eq!(bench.reboots(), 1);
}
