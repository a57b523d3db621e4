//! Issue 2, the demo's page: what it shows, and that nobody but its reader can kill a node.

mod browser;
mod chromium;

use std::sync::Mutex;

use super::*;
use crate::botapi::model::{Args, ChatId};
use crate::botapi::png;
use crate::botapi::server::ServerConfig;

/// Nodes that are only names.
struct Names(Mutex<Vec<NodeView>>);

impl Names {
    fn new(names: &[&str]) -> Self {
        let node = |name: &&str| NodeView {
            name: (*name).to_owned(),
            state: NodeState::Running,
            note: String::new(),
            reboots: 0,
        };
        Self(Mutex::new(names.iter().map(node).collect()))
    }

    fn set(&self, name: &str, state: NodeState) -> Result<(), String> {
        let mut nodes = self.0.lock().unwrap();
        let node = nodes.iter_mut().find(|node| node.name == name).ok_or_else(|| format!("there is no node {name}"))?;
        node.state = state;
        Ok(())
    }
}

impl Nodes for Names {
    fn list(&self) -> Vec<NodeView> {
        self.0.lock().unwrap().clone()
    }

    fn kill(&self, name: &str) -> Result<(), String> {
        self.set(name, NodeState::Stopped)
    }

    fn start(&self, name: &str) -> Result<(), String> {
        self.set(name, NodeState::Starting)
    }
}

struct Bench {
    page: Page,
    double: Arc<BotApi>,
    nodes: Arc<Names>,
    http: reqwest::Client,
}

const OWNER: ChatId = ChatId(77);

impl Bench {
    async fn new() -> Self {
        let double = Arc::new(BotApi::start(ServerConfig::default()).await.unwrap());
        let nodes = Arc::new(Names::new(&["alpha", "beta", "gamma"]));
        let page = Page::start(PageConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            double: Arc::clone(&double),
            user: User::new(77, "anna", "ru"),
            start: Some("c0de".to_owned()),
            nodes: Arc::clone(&nodes) as Arc<dyn Nodes>,
        })
        .await
        .unwrap();
        // Another test may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { page, double, nodes, http }
    }

    fn origin(&self) -> String {
        self.page.url().splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.page.url())).send().await.unwrap()
    }

    async fn post_from(&self, origin: Option<&str>, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.http.post(format!("{}{path}", self.page.url())).json(&body);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.post_from(Some(&self.origin()), path, body).await
    }

    async fn state(&self) -> Value {
        self.get("state").await.json().await.unwrap()
    }

    async fn bot(&self, method: &str, args: Args) -> Value {
        let (status, body) = self.double.call(method, args).await.unwrap();
        assert_eq!(status, 200, "{body}");
        body["result"].clone()
    }
}

fn to(text: &str) -> Args {
    Args::default().with("chat_id", OWNER).with("text", text)
}

#[tokio::test]
async fn the_page_is_for_the_loopback_only() {
    let bench = Bench::new().await;
    let config = PageConfig {
        listen: SocketAddr::from(([0, 0, 0, 0], 0)),
        double: Arc::clone(&bench.double),
        user: User::new(77, "anna", "ru"),
        start: None,
        nodes: Arc::clone(&bench.nodes) as Arc<dyn Nodes>,
    };
    assert!(matches!(Page::start(config).await, Err(PageError::NotLoopback(_))));
}

#[tokio::test]
async fn without_the_token_there_is_nothing() {
    let bench = Bench::new().await;
    let wrong = "0".repeat(32);
    for path in ["/", "/state", &format!("/{wrong}/"), &format!("/{wrong}/state"), "//state"] {
        let status = bench.http.get(format!("{}{path}", bench.origin())).send().await.unwrap().status();
        assert_eq!(status, 404, "{path}");
    }
    assert_eq!(bench.get("").await.status(), 200);
    let other = Bench::new().await;
    assert_ne!(bench.page.url().rsplit('/').nth(1), other.page.url().rsplit('/').nth(1));
}

#[tokio::test]
async fn a_name_that_was_rebound_to_the_loopback_is_refused() {
    let bench = Bench::new().await;
    let port = bench.page.port();
    for (host, status) in [("evil.example", 403), ("127.0.0.1", 403), ("localhost:1", 403)] {
        let response = bench.http.get(format!("{}state", bench.page.url())).header("host", host).send().await.unwrap();
        assert_eq!(response.status(), status, "{host}");
    }
    let named = bench.http.get(format!("{}state", bench.page.url())).header("host", format!("localhost:{port}"));
    assert_eq!(named.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn orders_from_other_origins_do_nothing() {
    let bench = Bench::new().await;
    for origin in [None, Some("null"), Some("http://evil.example"), Some("https://127.0.0.1"), Some("http://127.0.0.1")]
    {
        assert_eq!(bench.post_from(origin, "kill", json!({"name": "alpha"})).await.0, 403, "{origin:?}");
        assert_eq!(bench.post_from(origin, "write", json!({"text": "/nodes"})).await.0, 403, "{origin:?}");
    }
    assert!(bench.nodes.list().iter().all(|node| node.state == NodeState::Running));
    assert_eq!(bench.double.chat(OWNER).messages, []);
}

#[tokio::test]
async fn orders_that_the_page_does_not_send_are_refused() {
    let bench = Bench::new().await;
    for (path, body, status) in [
        ("write", json!({"text": " "}), 400),
        ("write", json!({"text": "x".repeat(4_097)}), 400),
        ("write", json!({"text": "x", "more": 1}), 400),
        ("write", json!({"text": "x", "lang": "../"}), 400),
        ("tap", json!({"message": 5, "data": "x"}), 409),
        ("tap", json!({}), 400),
        ("kill", json!({"name": "omega"}), 409),
        ("reboot", json!({"name": "alpha"}), 404),
    ] {
        let (answered, body) = bench.post(path, body).await;
        assert_eq!(answered, status, "{path}: {body}");
        assert!(body["error"].is_string());
    }
    assert_eq!(bench.http.put(bench.page.url()).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn nodes_are_killed_and_started() {
    let bench = Bench::new().await;
    assert_eq!(bench.post("kill", json!({"name": "beta"})).await.0, 200);
    assert_eq!(bench.state().await["nodes"][1], json!({"name": "beta", "state": "stopped", "note": "", "reboots": 0}));
    assert_eq!(bench.post("start", json!({"name": "beta"})).await.0, 200);
    assert_eq!(bench.state().await["nodes"][1]["state"], json!("starting"));
}

#[tokio::test]
async fn the_chat_goes_both_ways() {
    let bench = Bench::new().await;
    assert_eq!(bench.state().await["start"], json!("c0de"));
    bench.post("write", json!({"text": " /start c0de ", "lang": "en"})).await;
    let update = bench.bot("getUpdates", Args::default()).await;
    assert_eq!(update[0]["message"]["from"]["language_code"], json!("en"));
    assert_eq!(bench.double.chat(OWNER).messages[0].text, "/start c0de");
    let keyboard = json!({"inline_keyboard": [[{"text": "Refresh", "callback_data": "r"}]]});
    let message = bench.bot("sendMessage", to("3 nodes").with("reply_markup", keyboard)).await;
    let state = bench.state().await;
    assert_eq!(state["chat"]["messages"][1]["keyboard"][0][0], json!({"text": "Refresh", "callback_data": "r"}));
    assert_eq!(state["figures"]["pending"], json!(1));
    assert_eq!(bench.post("tap", json!({"message": message["message_id"], "data": "r"})).await.0, 200);
    assert_eq!(bench.double.chat(OWNER).toasts.len(), 1);
}

#[tokio::test]
async fn conflicts_that_nobody_reads_are_not_shown() {
    let bench = Bench::new().await;
    let poll = || {
        let (double, args) = (Arc::clone(&bench.double), Args::default().with("timeout", "50"));
        (bench.double.stats().parked, tokio::spawn(async move { double.call("getUpdates", args).await }))
    };
    let parked_after = async |before| {
        while bench.double.stats().parked == before {
            tokio::task::yield_now().await;
        }
    };
    let (before, first) = poll();
    parked_after(before).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled(), "its client hangs up");
    let (before, second) = poll();
    parked_after(before).await;
    assert_eq!(bench.state().await["figures"]["conflicts"], json!(0));
    let (before, third) = poll();
    parked_after(before).await;
    assert_eq!(second.await.unwrap().unwrap().0, 409);
    assert_eq!(bench.state().await["figures"]["conflicts"], json!(1));
    third.abort();
}

#[tokio::test]
async fn news_arrive_while_the_page_waits() {
    let bench = Bench::new().await;
    let version = bench.state().await["chat"]["version"].as_u64().unwrap();
    let news = tokio::spawn(bench.http.get(format!("{}state?after={version}", bench.page.url())).send());
    bench.double.write(&User::new(77, "anna", "ru"), "/nodes");
    let state: Value = news.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(state["chat"]["messages"][0]["text"], json!("/nodes"));
}

#[tokio::test]
async fn pictures_are_served_and_nothing_else() {
    let bench = Bench::new().await;
    bench.post("write", json!({"text": "/start"})).await;
    bench.bot("sendPhoto", to("").with_file("photo", &png(8, 4, 7))).await;
    let file_id = bench.state().await["chat"]["messages"][1]["photo"]["file_id"].as_str().unwrap().to_owned();
    let picture = bench.get(&format!("photo/{file_id}")).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["x-content-type-options"], "nosniff");
    assert_eq!(picture.bytes().await.unwrap(), png(8, 4, 7));
    assert_eq!(bench.get("photo/../state").await.status(), 200, "reqwest resolves the dots itself");
    assert_eq!(bench.get("photo/%2e%2e%2fstate").await.status(), 404);
}

#[tokio::test]
async fn only_the_pages_own_script_can_run() {
    let bench = Bench::new().await;
    let page = bench.get("").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let html = page.text().await.unwrap();
    let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert_eq!(html.matches(&format!("nonce=\"{nonce}\"")).count(), 2);
    assert!(policy.starts_with("default-src 'none'") && !html.contains(NONCE));
    assert!(!bench.get("").await.text().await.unwrap().contains(nonce), "a nonce was used twice");
}

#[test]
fn the_page_is_one_file_and_makes_no_markup_of_texts() {
    for word in ["src=\"", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("] {
        assert!(!HTML.contains(word), "{word}");
    }
}
