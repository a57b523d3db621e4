//! The double on the network: what a bot's HTTP client meets, and what a conductor may do to it.

mod teloxide;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::*;
use crate::botapi::owner::{Owner, OwnerError};
use crate::botapi::png;

/// Generous: a deadline, not a measure.
const SOON: Duration = Duration::from_secs(20);
/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(150);

struct Bench {
    double: BotApi,
    owner: Owner,
    http: reqwest::Client,
}

impl Bench {
    async fn new() -> Self {
        let double = BotApi::start(ServerConfig::default()).await.unwrap();
        let owner = Owner::new(double.control_addr(), User::new(77, "anna", "ru"));
        // Another test may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { double, owner, http }
    }

    async fn get(&self, prefix: &str, method: &str, query: &str) -> Result<(u16, Value), reqwest::Error> {
        get(self.http.clone(), self.url(prefix, method, query)).await
    }

    fn url(&self, prefix: &str, method: &str, query: &str) -> String {
        format!("{}/bot{}/{method}?{query}", self.double.url(prefix), Config::default().token)
    }

    /// Starts a call and waits until the double has it parked.
    async fn park(&self, prefix: &str, query: &str) -> JoinHandle<Result<(u16, Value), reqwest::Error>> {
        let before = self.double.stats().parked;
        let task = tokio::spawn(get(self.http.clone(), self.url(prefix, "getUpdates", query)));
        self.until(|stats| stats.parked.is_some() && stats.parked != before).await;
        task
    }

    async fn until(&self, holds: impl Fn(&Stats) -> bool) {
        let wait = async {
            while !holds(&self.double.stats()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, wait).await.unwrap();
    }
}

async fn get(http: reqwest::Client, url: String) -> Result<(u16, Value), reqwest::Error> {
    let response = http.get(url).send().await?;
    let status = response.status().as_u16();
    Ok((status, response.json().await?))
}

fn prefix(name: &str) -> Target {
    Target::Prefix(name.to_owned())
}

#[tokio::test]
async fn calls_are_told_apart_by_their_prefix() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("alpha", "getMe", "").await.unwrap().0, 200);
    assert_eq!(bench.get("deep/beta", "getMe", "").await.unwrap().0, 200);
    assert_eq!(bench.get("", "sendDice", "").await.unwrap().0, 404);
    let calls = bench.double.stats().calls;
    let prefixes: Vec<_> = calls.iter().map(|call| call.source.prefix.as_str()).collect();
    assert_eq!(prefixes, ["alpha", "deep/beta", ""]);
    assert!(calls[0].source.addr.starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn paths_that_are_no_calls_and_wrong_tokens_are_refused() {
    let bench = Bench::new().await;
    for path in ["", "getMe", "bot/getMe", "botx", "file/botx/"] {
        let url = format!("{}/{path}", bench.double.url(""));
        assert_eq!(get(bench.http.clone(), url).await.unwrap().0, 404, "{path}");
    }
    let url = format!("{}/bot1:x/getMe", bench.double.url(""));
    assert_eq!(get(bench.http.clone(), url).await.unwrap().0, 401);
    let junk = bench.http.post(bench.url("", "sendMessage", "")).header("content-type", "application/json").body("{");
    assert_eq!(junk.send().await.unwrap().status().as_u16(), 400);
}

#[tokio::test]
async fn a_parked_poll_gets_the_update_over_the_network() {
    let bench = Bench::new().await;
    let poll = bench.park("alpha", "timeout=50").await;
    bench.owner.write("/start").await.unwrap();
    let (status, body) = poll.await.unwrap().unwrap();
    assert_eq!((status, &body["result"][0]["message"]["text"]), (200, &json!("/start")));
}

#[tokio::test]
async fn a_dead_clients_poll_stays_parked_and_its_update_comes_again() {
    let bench = Bench::new().await;
    let poll = bench.park("alpha", "timeout=50").await;
    poll.abort();
    assert!(poll.await.unwrap_err().is_cancelled());
    tokio::time::sleep(MOMENT).await;
    assert!(bench.double.stats().parked.is_some());
    bench.owner.write("/nodes").await.unwrap();
    let stats = bench.double.stats();
    assert_eq!((stats.parked, stats.ledger.updates[0].deliveries.len(), stats.pending), (None, 1, 1));
    let (_, body) = bench.get("beta", "getUpdates", "timeout=50").await.unwrap();
    assert_eq!(body["result"][0]["message"]["text"], json!("/nodes"));
    assert_eq!(bench.double.stats().ledger.updates[0].deliveries.len(), 2);
}

#[tokio::test]
async fn an_evicted_poll_gets_409_and_a_second_one_hangs_3_s() {
    let bench = Bench::new().await;
    let first = bench.park("alpha", "timeout=50").await;
    let second = bench.park("beta", "timeout=50").await;
    assert_eq!(first.await.unwrap().unwrap().0, 409);
    let third = bench.park("gamma", "timeout=50").await;
    let began = bench.double.now();
    assert_eq!(second.await.unwrap().unwrap().0, 409);
    let stats = bench.double.stats();
    let late = stats.ledger.conflicts[1];
    assert!(late.answered.since(late.at) >= 3_000 && late.answered.since(began) < 6_000, "{late:?}");
    assert_eq!(stats.conflicts_since(Ms(0)), 2);
    third.abort();
}

#[tokio::test]
async fn refusing_breaks_waiting_calls_and_new_ones_until_it_ends() {
    let bench = Bench::new().await;
    let poll = bench.park("alpha", "timeout=50").await;
    bench.double.fault(prefix("alpha"), Fault::Refuse);
    assert!(poll.await.unwrap().is_err());
    assert!(bench.get("alpha", "getMe", "").await.is_err());
    assert_eq!(bench.get("beta", "getMe", "").await.unwrap().0, 200);
    assert!(bench.double.stats().parked.is_some());
    bench.double.heal(&prefix("alpha"));
    assert_eq!(bench.get("alpha", "getMe", "").await.unwrap().0, 200);
}

#[tokio::test]
async fn refusing_an_address_closes_its_connections() {
    let bench = Bench::new().await;
    let http = reqwest::Client::builder().no_proxy().local_address("127.0.0.9".parse().ok()).build().unwrap();
    bench.double.fault(Target::Ip("127.0.0.9".parse().unwrap()), Fault::Refuse);
    assert!(get(http, bench.url("", "getMe", "")).await.is_err());
    assert_eq!(bench.get("", "getMe", "").await.unwrap().0, 200);
}

#[tokio::test]
async fn silence_swallows_requests_and_holds_answers_back() {
    let bench = Bench::new().await;
    let poll = bench.park("alpha", "timeout=50").await;
    bench.double.fault(prefix("alpha"), Fault::Silent);
    let lost = tokio::spawn(get(bench.http.clone(), bench.url("alpha", "sendMessage", "chat_id=77&text=x")));
    bench.owner.write("/nodes").await.unwrap();
    tokio::time::sleep(MOMENT).await;
    assert!(!poll.is_finished() && !lost.is_finished());
    let stats = bench.double.stats();
    assert_eq!((stats.calls.len(), stats.ledger.updates[0].deliveries.len()), (1, 1));
    bench.double.heal_all();
    assert_eq!(poll.await.unwrap().unwrap().0, 200);
    assert!(lost.await.unwrap().is_err());
    assert_eq!(bench.double.chat(ChatId(77)).messages.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_deed_done() {
    let bench = Bench::new().await;
    bench.owner.write("/start").await.unwrap();
    bench.double.fault_only(prefix("alpha"), Fault::LoseAnswer, &["sendMessage"]);
    assert!(bench.get("alpha", "sendMessage", "chat_id=77&text=x").await.is_err());
    assert_eq!(bench.double.chat(ChatId(77)).last_from_bot().unwrap().text, "x");
    assert_eq!(bench.get("alpha", "getMe", "").await.unwrap().0, 200);
}

#[tokio::test]
async fn errors_and_delays_can_be_ordered_over_the_control_port() {
    let bench = Bench::new().await;
    let order = |fault: Value| json!({"target": {"prefix": "alpha"}, "fault": fault, "only": ["getWebhookInfo"]});
    bench.owner.post("/control/fault", &order(json!({"status": 502}))).await.unwrap();
    let (status, body) = bench.get("alpha", "getWebhookInfo", "").await.unwrap();
    assert_eq!((status, &body["description"]), (502, &json!("Bad Gateway")));
    assert_eq!(bench.get("alpha", "getMe", "").await.unwrap().0, 200);
    bench.owner.post("/control/fault", &order(json!({"too_many_requests": 7}))).await.unwrap();
    let (status, body) = bench.get("alpha", "getWebhookInfo", "").await.unwrap();
    assert_eq!((status, &body["parameters"]["retry_after"]), (429, &json!(7)));
    bench.owner.post("/control/fault", &order(json!({"delay": 300}))).await.unwrap();
    let began = bench.double.now();
    assert_eq!(bench.get("alpha", "getWebhookInfo", "").await.unwrap().0, 200);
    assert!(bench.double.now().since(began) >= 300);
    bench.owner.post("/control/heal", &json!({})).await.unwrap();
    let refused = bench.owner.post("/control/fault", &json!({"target": {"ip": "x"}})).await;
    assert!(matches!(refused, Err(OwnerError::Refused { .. })));
}

#[tokio::test]
async fn a_stranger_evicts_and_takes_updates_until_it_is_killed() {
    let bench = Bench::new().await;
    let poll = bench.park("alpha", "timeout=50").await;
    bench.owner.post("/control/stranger", &json!({"timeout_s": 50})).await.unwrap();
    assert_eq!(poll.await.unwrap().unwrap().0, 409);
    bench.owner.write("/nodes").await.unwrap();
    bench.until(|stats| stats.confirmed == 1 && stats.parked.is_some()).await;
    bench.owner.post("/control/stranger", &json!({})).await.unwrap();
    assert!(bench.double.stats().parked.is_some());
    assert!(bench.double.stats().calls_by("stranger").count() >= 2);
}

#[tokio::test]
async fn the_owners_phone_writes_taps_and_waits() {
    let bench = Bench::new().await;
    let (owner, double) = (bench.owner.clone(), &bench.double);
    let asking = tokio::spawn(async move { owner.ask("/nodes", SOON).await });
    bench.until(|stats| stats.pending == 1).await;
    let markup = json!({"inline_keyboard": [[{"text": "🔄 Refresh", "callback_data": "r:1"}]]}).to_string();
    let args = Args::default().with("chat_id", 77).with("text", "3 nodes").with("reply_markup", markup);
    let (_, sent) = double.call("sendMessage", args.clone()).await.unwrap();
    let answer = asking.await.unwrap().unwrap();
    assert_eq!(answer.value.screen(), "3 nodes\n[🔄 Refresh]");
    assert!(answer.took < SOON);

    let query = bench.owner.press("Refresh").await.unwrap();
    let answer = Args::default().with("callback_query_id", &query).with("text", "ok");
    double.call("answerCallbackQuery", answer).await.unwrap();
    assert_eq!(bench.owner.answered(&query, SOON).await.unwrap().value.text, "ok");
    let id = MessageId(i32::try_from(sent["result"]["message_id"].as_i64().unwrap()).unwrap());
    assert!(bench.owner.tap(id, "r:1").await.is_ok());
    assert!(matches!(bench.owner.tap(id, "r:2").await, Err(OwnerError::Refused { .. })));
    assert!(matches!(bench.owner.press("Reboot").await, Err(OwnerError::NoButton { .. })));
    let late = bench.owner.sees("the moon", MOMENT, |message| message.text == "moon").await.unwrap_err();
    assert!(late.to_string().contains("the moon") && late.to_string().contains("3 nodes"), "{late}");
}

#[tokio::test]
async fn a_picture_can_be_looked_at() {
    let bench = Bench::new().await;
    bench.owner.write("/start").await.unwrap();
    let args = Args::default().with("chat_id", 77).with_file("photo", &png(8, 4, 9));
    bench.double.call("sendPhoto", args).await.unwrap();
    let photo = bench.double.chat(ChatId(77)).last_from_bot().unwrap().photo.clone().unwrap();
    assert_eq!((photo.width, photo.height), (8, 4));
    let url = format!("http://{}/control/photo?file_id={}", bench.double.control_addr(), photo.file_id);
    assert_eq!(bench.http.get(url).send().await.unwrap().bytes().await.unwrap(), png(8, 4, 9));
}

#[tokio::test]
async fn a_dropped_double_answers_nobody() {
    let Bench { double, owner, http } = Bench::new().await;
    let url = format!("{}/botx/getMe", double.url(""));
    assert!(get(http.clone(), url.clone()).await.is_ok());
    drop(double);
    let gone = async {
        while get(http.clone(), url.clone()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, gone).await.unwrap();
    assert!(owner.chat().await.is_err());
}

#[tokio::test]
async fn the_figures_come_over_the_control_port_as_they_are() {
    let bench = Bench::new().await;
    bench.owner.write("/start").await.unwrap();
    bench.get("alpha", "getUpdates", "").await.unwrap();
    bench.get("alpha", "getUpdates", "offset=731000002").await.unwrap();
    let stats = bench.owner.stats().await.unwrap();
    assert_eq!((stats.confirmed, stats.destroyed, stats.pending), (1, 0, 0));
    assert_eq!(stats.calls_by("alpha").count(), 2);
    let info = bench.get("alpha", "getWebhookInfo", "").await.unwrap().1;
    assert_eq!(info["result"]["pending_update_count"], json!(0));
}
