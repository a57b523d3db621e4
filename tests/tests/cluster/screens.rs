//! What stays on the screen, for how long, and whether its words are true.

use std::time::Duration;

use constella_tests::botapi::view::MessageView;
use constella_tests::cluster::Reboots;
use serde_json::json;
use tokio::time::Instant;

use super::{Bench, PATIENCE, has_button, line_of, plan};

/// F6, DESIGN 9: the leader is rebooted. The next one tells its return with the time that it took by its own clocks, whatever uptime its machine
/// shows, and that stays when it leads again, until the owner taps something.
#[tokio::test(flavor = "multi_thread")]
async fn a_reboot_of_the_leader_is_told_with_its_duration_and_the_result_stays() {
    let mut plan = plan(3);
    plan.reboots = Reboots::Away(AWAY);
    let bench = Bench::founded(plan, 3).await;
    assert_eq!(bench.holder().await, "alpha");
    bench.ask_for_reboot("alpha").await;
    let pressed = Instant::now();
    bench.press("Yes").await;
    let back = bench.sees("its return", |message| message.text.contains("alpha is back")).await;
    let seen = pressed.elapsed();
    let took = back.text.split("is back after ").nth(1).and_then(|rest| rest.split(' ').next());
    let took = Duration::from_secs(took.and_then(|number| number.parse().ok()).unwrap_or_default());
    assert!(took >= AWAY && took <= seen, "{took:?} of {seen:?}: {}", back.screen());

    // It leads again after a while, and greets with the command menu; a list would be drawn in the same step.
    let before = bench.menus("alpha");
    let alpha = |view: &constella_tests::cluster::View| view.poller.clone().filter(|poller| poller == "alpha");
    bench.network.sees("alpha's return to the lead", PATIENCE, alpha).await.unwrap();
    bench.network.sees("its menu", PATIENCE, |_| (bench.menus("alpha") > before + 1).then_some(())).await.unwrap();
    let shown = bench.owner().chat().await.unwrap().last_from_bot().cloned().unwrap();
    assert!(shown.text.contains("alpha is back after"), "{}", shown.screen());
    bench.press("List").await;
    bench.sees("the list", |list| line_of(list, "alpha").contains("“Host”")).await;
    bench.nothing_is_lost().await;
    assert_eq!(bench.reboots(), 1);
}

/// A confirmation says for how long its button works, is taken away then, and a press that comes late puts no new one in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_runs_out_on_the_screen_and_a_late_press_brings_no_new_one() {
    let bench = Bench::settled(1).await;
    let confirmation = bench.ask_for_reboot("alpha").await;
    assert!(confirmation.text.contains("for 45 s"), "{}", confirmation.screen());
    assert!(confirmation.text.contains("no other node can take over"), "{}", confirmation.screen());
    let button = confirmation.keyboard.as_ref().unwrap().buttons().next().unwrap();
    let data = serde_json::to_value(button).unwrap()["callback_data"].as_str().unwrap().to_owned();
    let over = |message: &MessageView| message.id == confirmation.id && message.text.contains("has run out");
    let last = |chat: &constella_tests::botapi::view::ChatView| chat.last_from_bot().filter(|one| over(one)).cloned();
    let gone = bench.owner().wait_for("its end", PATIENCE * 2, last).await.unwrap().value;
    assert!(!has_button(&gone, "Yes"), "{}", gone.screen());
    // The finger was quicker than the edit, and Telegram slower than both.
    let anna = json!({"id": 77, "is_bot": false, "first_name": "Anna", "username": "anna", "language_code": "en"});
    let chat = json!({"id": 77, "type": "private", "first_name": "Anna", "username": "anna"});
    let message = json!({"message_id": confirmation.id.0, "date": 1_767_225_600, "chat": chat, "text": "x"});
    let late = json!({"id": "4242", "from": anna, "chat_instance": "1", "data": data, "message": message});
    bench.double().update("callback_query", &late);
    let why = |message: &MessageView| message.text.contains("button's time is over, nothing was done");
    let told = bench.sees("why nothing was done", why).await;
    assert!(!has_button(&told, "Yes"), "{}", told.screen());
    bench.nothing_is_lost().await;
    assert_eq!(bench.reboots(), 0);
}

/// R4: two of three voters are gone. What the weak leader says is true: who is missing, how many are needed, what works, and what cannot.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_leader_without_a_majority_says_is_true() {
    let bench = Bench::founded(plan(4), 3).await;
    for name in ["beta", "gamma"] {
        bench.node(name).unwrap().kill().unwrap();
    }
    bench.ask("/nodes").await;
    let weak = |list: &MessageView| {
        let both_down = ["beta", "gamma"].iter().all(|name| line_of(list, name).contains("🔴"));
        list.text.contains("Voters missing: 2 of 3; needed: 2.") && both_down
    };
    let list = bench.refreshed("what is missing", weak).await;
    for node in bench.nodes() {
        if let Ok(status) = node.status().await {
            assert!(!list.text.contains(&status.node_id.short()), "names tell them apart: {}", list.screen());
        }
    }
    // By name, in any case, as far as it is needed.
    bench.owner().write("GAM").await.unwrap();
    let card = bench.sees("gamma's card", |card| card.text.contains("gamma") && card.text.contains("Down since")).await;
    assert!(!has_button(&card, "Reboot") && !has_button(&card, "Speedtest"), "{}", card.screen());
    assert!(has_button(&card, "Refresh") && has_button(&card, "List"), "{}", card.screen());
    bench.ask_for_reboot("alpha").await;
    bench.sees("that nobody takes over", |message| message.text.contains("no other node can take over")).await;
    bench.press("Cancel").await;
    // For the operator too.
    let alpha = bench.node("alpha").unwrap();
    let status = alpha.cli(&["status"]).await.unwrap();
    assert!(status.contains("host     alpha holds the lease") && status.contains("weak: 2 of 3 voters"), "{status}");
    assert!(status.contains("; missing: ") && status.contains("beta") && status.contains("gamma"), "{status}");
    let doctor = alpha.cli_output(&["doctor"], None).await.unwrap();
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let lease = doctor.lines().find(|line| line.contains("lease: ")).unwrap_or_default();
    assert!(lease.contains("note") && lease.contains("weak: 2 of 3 voters are missing"), "{doctor}");
    // "Invitations work."
    bench.ask("/invite 15m").await;
    let invited = bench.sees("the link", |message| message.text.contains("join://")).await;
    let link = invited.text.split_whitespace().find(|word| word.contains("join://")).unwrap().to_owned();
    bench.join_with(3, &link).await.unwrap();
    bench.ask("/nodes").await;
    bench.refreshed("the newcomer", |list| line_of(list, "delta").contains("🟢")).await;
    bench.nothing_is_lost().await;
}

/// DESIGN 9: what was chosen goes everywhere, and a name is enough to open a card.
#[tokio::test(flavor = "multi_thread")]
async fn a_language_that_is_chosen_is_spoken_everywhere_and_a_name_opens_a_card() {
    let bench = Bench::settled(2).await;
    let asks = bench.ask("/lang").await;
    assert_eq!(asks.labels(), ["Русский", "English"], "{}", asks.screen());
    bench.press("Русский").await;
    bench.sees("the help in Russian", |message| message.text.contains("Что умеет бот")).await;
    let menu =
        |chat: &constella_tests::botapi::view::ChatView| chat.commands.to_string().contains("Узлы сети").then_some(());
    bench.owner().wait_for("the menu in Russian, on an English phone", PATIENCE, menu).await.unwrap();
    bench.owner().write("BETA").await.unwrap();
    bench.sees("its card", |card| card.text.contains("beta") && card.text.contains("ОЗУ")).await;
    let card = bench.refreshed_by("Обновить", "the round trip", |card| card.text.contains("Отклик")).await;
    assert!(!card.text.contains("rtt"), "{}", card.screen());
    bench.press("Список").await;
    bench.sees("the list", |list| line_of(list, "alpha").contains("«Хост»")).await;
    let status = bench.node("beta").unwrap().cli(&["status"]).await.unwrap();
    assert!(status.contains("host     alpha holds the lease") && status.contains(", strong"), "{status}");
    bench.nothing_is_lost().await;
}

impl Bench {
    /// The first so many of a plan, with an owner.
    async fn founded(plan: constella_tests::cluster::Plan, nodes: usize) -> Self {
        let bench = Self::of(plan).await;
        bench.found().await.unwrap();
        for index in 1..nodes {
            bench.join(index).await.unwrap();
        }
        bench.network.settled(PATIENCE).await.unwrap();
        bench.claim().await.unwrap();
        bench.message_is_known_to(nodes).await;
        bench
    }

    /// How often a node has set the command menu.
    fn menus(&self, node: &str) -> usize {
        let calls = self.double().stats().calls;
        let set = calls.iter().filter(|call| call.method == "setmycommands" && call.source.prefix == node);
        set.filter(|call| call.status.is_some()).count()
    }

    /// Presses Refresh until the message shows it.
    async fn refreshed(&self, what: &str, is_it: impl Fn(&MessageView) -> bool) -> MessageView {
        self.refreshed_by("Refresh", what, is_it).await
    }

    async fn refreshed_by(&self, button: &str, what: &str, is_it: impl Fn(&MessageView) -> bool) -> MessageView {
        let by = Instant::now() + PATIENCE;
        loop {
            self.press(button).await;
            let last = |chat: &constella_tests::botapi::view::ChatView| {
                chat.last_from_bot().filter(|message| is_it(message)).cloned()
            };
            if let Ok(seen) = self.owner().wait_for(what, Duration::from_secs(2), last).await {
                return seen.value;
            }
            let chat = self.owner().chat().await.unwrap();
            let shown = chat.last_from_bot().map(MessageView::screen).unwrap_or_default();
            assert!(Instant::now() < by, "{what} is not shown:\n{shown}");
        }
    }
}

/// For so long a host that reboots runs nothing.
const AWAY: Duration = Duration::from_secs(4);
