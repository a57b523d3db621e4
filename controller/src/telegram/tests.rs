//! The client against a local server that answers as the Bot API does, and keeps what it was sent.

mod calls;
mod photo;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::page::{Body, Button, Label, Message, Screen};
use constella_core::bot::kit::say::{Key, Say};
use constella_core::bot::rooms::ways;
use constella_core::io::{BotCall, BotError, BotReply, Update, UpdateEvent};
use constella_shared::secret::Secret;
use constella_shared::wire::command::CommandContent;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::client::{Settings, SettingsError, Telegram};

const TOKEN: &str = "123456:AAtoken_of-a-test";
const LIMIT: Duration = Duration::from_secs(5);

/// What the server says to the next request.
#[derive(Clone)]
enum Reply {
    /// A status and a body.
    Says(u16, String),
    /// 200 with these bytes.
    Bytes(Vec<u8>),
    /// Nothing, ever.
    Silence,
    /// Half of a body, then the connection ends.
    Break,
}

#[derive(Clone, Default)]
struct Server {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    /// Path, body, and from which port.
    seen: Arc<Mutex<Vec<(String, Value, u16)>>>,
}

impl Server {
    async fn start() -> (Self, SocketAddr, JoinHandle<()>) {
        let server = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = server.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, from) = listener.accept().await.unwrap();
                let server = serving.clone();
                let service = service_fn(move |request| server.clone().answer(request, from.port()));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        (server, addr, task)
    }

    async fn answer(self, request: Request<Incoming>, port: u16) -> Result<Response<Full<Bytes>>, Infallible> {
        let path = request.uri().path().to_owned();
        let is_upload =
            request.headers()["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary=");
        assert!(is_upload || request.headers()["content-type"] == "application/json");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        // An upload is kept as its bytes.
        let body = if is_upload { json!(body.to_vec()) } else { serde_json::from_slice(&body).unwrap() };
        self.seen.lock().unwrap().push((path, body, port));
        let reply = self.replies.lock().unwrap().pop_front().expect("a request that no test expects");
        match reply {
            Reply::Says(status, text) => {
                let response = Response::builder().status(status).header("location", "http://127.0.0.1:1/elsewhere");
                Ok(response.body(Full::from(text)).unwrap())
            }
            Reply::Bytes(bytes) => Ok(Response::new(Full::from(bytes))),
            Reply::Silence => std::future::pending().await,
            Reply::Break => {
                Ok(Response::builder().header("content-length", "1000").body(Full::from("{\"ok\":tr")).unwrap())
            }
        }
    }

    fn will(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    fn will_say(&self, status: u16, body: &Value) {
        self.will(Reply::Says(status, body.to_string()));
    }

    fn seen(&self) -> Vec<(String, Value, u16)> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn client(api_url: &str) -> Telegram {
    let settings = Settings { api_url: api_url.to_owned(), proxy: None, language: Language::Ru };
    let telegram = Telegram::new(&settings).unwrap();
    telegram.set_token(Secret::new(TOKEN.to_owned()));
    telegram
}

async fn pair() -> (Server, Telegram) {
    let (server, addr, _task) = Server::start().await;
    (server, client(&format!("http://{addr}")))
}

fn good(result: &Value) -> Value {
    json!({"ok": true, "result": result})
}

fn bad(code: u16, description: &str) -> Value {
    json!({"ok": false, "error_code": code, "description": description})
}

fn note() -> Screen {
    Screen::Note { language: Language::En, say: Say::new(Key::UnknownText) }
}

fn edit() -> BotCall {
    BotCall::Edit { chat: 7, message: 9, screen: note() }
}

const fn look() -> BotCall {
    BotCall::GetUpdates { offset: None, timeout_s: 0, limit: 100, name_kinds: false }
}

/// Every refusal, with Telegram's own words.
#[tokio::test]
async fn every_refusal_has_its_meaning() {
    let conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    let webhook =
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
    let not_modified = "Bad Request: message is not modified: specified new message content and reply markup are exactly the \
                        same as a current content and reply markup of the message";
    let parse = "Bad Request: can't parse entities: Can't find end tag corresponding to start tag b";
    let cases = [
        (bad(409, conflict), Err(BotError::Conflict)),
        (bad(409, webhook), Err(BotError::WebhookSet)),
        (bad(401, "Unauthorized"), Err(BotError::Unauthorized)),
        (bad(404, "Not Found"), Err(BotError::Unauthorized)),
        (bad(400, "Logged out"), Err(BotError::Unauthorized)),
        (bad(400, not_modified), Ok(BotReply::Done)),
        (bad(400, "Bad Request: message to edit not found"), Err(BotError::MessageGone)),
        (bad(400, "Bad Request: message can't be edited"), Err(BotError::MessageGone)),
        (bad(400, "Bad Request: MESSAGE_ID_INVALID"), Err(BotError::MessageGone)),
        (bad(400, "Bad Request: message identifier is not specified"), Err(BotError::MessageGone)),
        (
            bad(400, "Bad Request: query is too old and response timeout expired or query ID is invalid"),
            Err(BotError::QueryTooOld),
        ),
        (bad(400, "Bad Request: chat not found"), Err(BotError::ChatGone)),
        (bad(403, "Forbidden: bot was blocked by the user"), Err(BotError::ChatGone)),
        (bad(403, "Forbidden: user is deactivated"), Err(BotError::ChatGone)),
        (bad(400, parse), Err(BotError::Refused(parse.to_owned()))),
        (bad(500, "Internal Server Error"), Err(BotError::Server)),
        (
            json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 35",
                   "parameters": {"retry_after": 35}}),
            Err(BotError::RetryAfter { ms: 35_000 }),
        ),
        (bad(429, "Too Many Requests"), Err(BotError::RetryAfter { ms: 3_000 })),
    ];
    let (server, telegram) = pair().await;
    for (answer, expected) in cases {
        let status = answer["error_code"].as_u64().unwrap() as u16;
        server.will_say(status, &answer);
        assert_eq!(telegram.call(edit(), LIMIT).await, expected, "{answer}");
    }
}

/// FACTS: teloxide sleeps ten seconds inside a request on a 5xx; a poll must not.
#[tokio::test]
async fn a_server_error_is_told_at_once() {
    let (server, telegram) = pair().await;
    for (status, body) in
        [(502, "<html>Bad Gateway</html>".to_owned()), (500, bad(500, "Internal").to_string()), (599, String::new())]
    {
        server.will(Reply::Says(status, body));
        let begun = Instant::now();
        assert_eq!(telegram.call(look(), Duration::from_secs(30)).await, Err(BotError::Server));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn junk_and_redirects_are_no_answers() {
    let (server, telegram) = pair().await;
    let cases = [
        (200, "<html>log in to the wifi</html>"),
        (302, ""),
        (404, "nothing here"),
        (200, "{\"ok\":true}"),
        (200, "[]"),
    ];
    for (status, body) in cases {
        server.will(Reply::Says(status, body.to_owned()));
        let result = telegram.call(BotCall::GetMe, LIMIT).await;
        assert!(matches!(result, Err(BotError::Unreachable(_))), "{result:?}");
    }
    // A redirect is not followed.
    assert_eq!(server.seen().len(), cases.len());
    server.will(Reply::Break);
    assert!(matches!(telegram.call(BotCall::GetMe, LIMIT).await, Err(BotError::Unreachable(_))));
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    let (server, telegram) = pair().await;
    server.will(Reply::Silence);
    let begun = Instant::now();
    let result = telegram.call(BotCall::GetWebhookInfo, Duration::from_millis(200)).await;
    assert_eq!(result, Err(BotError::Unreachable("no answer in time".to_owned())));
    assert!(begun.elapsed() < Duration::from_secs(4));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let result = client(&format!("http://{free}")).call(BotCall::GetMe, LIMIT).await;
    assert_eq!(result, Err(BotError::Unreachable("no connection (connection refused)".to_owned())));
}

/// S3: whatever goes wrong, no text has the token.
#[tokio::test]
async fn no_error_and_no_debug_has_the_token() {
    let (server, telegram) = pair().await;
    let secret = "AAtoken";
    server.will_say(400, &bad(400, &format!("Bad Request: /bot{TOKEN}/sendMessage is odd")));
    server.will(Reply::Says(404, "no".to_owned()));
    server.will(Reply::Break);
    server.will(Reply::Silence);
    let mut errors = Vec::new();
    for _ in 0..4 {
        errors.push(telegram.call(BotCall::GetMe, Duration::from_millis(300)).await.unwrap_err());
    }
    assert_eq!(errors[0], BotError::Refused("Bad Request: /bot(token)/sendMessage is odd".to_owned()));
    for url in ["http://127.0.0.1:1", "http://name.invalid", "https://127.0.0.1:1", "http://[::1]:1"] {
        errors.push(client(url).call(BotCall::GetMe, LIMIT).await.unwrap_err());
    }
    let with_proxy = Settings {
        api_url: "http://127.0.0.1:1".into(),
        proxy: Some(format!("socks5://user:{secret}@127.0.0.1:1")),
        language: Language::En,
    };
    let proxied = Telegram::new(&with_proxy).unwrap();
    proxied.set_token(Secret::new(TOKEN.to_owned()));
    errors.push(proxied.call(BotCall::GetMe, LIMIT).await.unwrap_err());
    let told = format!("{errors:?} {telegram:?} {proxied:?} {with_proxy:?}");
    assert!(!told.contains(secret) && !told.contains("123456") && !told.contains("127.0.0.1:1/"), "{told}");
}

#[tokio::test]
async fn a_call_without_a_usable_token_is_not_sent() {
    let (server, addr, _task) = Server::start().await;
    let settings = Settings { api_url: format!("http://{addr}"), proxy: None, language: Language::Ru };
    let telegram = Telegram::new(&settings).unwrap();
    assert_eq!(telegram.call(BotCall::GetMe, LIMIT).await, Err(BotError::NoToken));
    for token in ["", "1:a/../x", "1:a?b", "1:a b", "1:а"] {
        telegram.set_token(Secret::new(token.to_owned()));
        assert_eq!(telegram.call(BotCall::GetMe, LIMIT).await, Err(BotError::Unauthorized));
    }
    assert!(server.seen().is_empty());
}

/// F1: a look at the queue goes beside the parked poll, on another connection, and a poll may last longer than the limit of its call.
#[tokio::test]
async fn webhook_info_does_not_wait_for_the_parked_poll() {
    let (server, telegram) = pair().await;
    let telegram = Arc::new(telegram);
    server.will(Reply::Silence);
    let polling = telegram.clone();
    let poll = tokio::spawn(async move {
        let call = BotCall::GetUpdates { offset: None, timeout_s: 50, limit: 100, name_kinds: true };
        polling.call(call, Duration::from_millis(1)).await
    });
    let deadline = Instant::now() + LIMIT;
    while server.seen.lock().unwrap().is_empty() {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    server.will_say(200, &good(&json!({"url": "", "has_custom_certificate": false, "pending_update_count": 3})));
    server.will_say(200, &good(&json!({"url": "https://x.example/", "pending_update_count": 0})));
    assert_eq!(telegram.call(BotCall::GetWebhookInfo, LIMIT).await, Ok(BotReply::Webhook { pending: 3, set: false }));
    assert_eq!(telegram.call(BotCall::GetWebhookInfo, LIMIT).await, Ok(BotReply::Webhook { pending: 0, set: true }));
    let ports: Vec<u16> = server.seen().iter().map(|(_, _, port)| *port).collect();
    assert!(ports[0] != ports[1] && ports[1] == ports[2], "{ports:?}");
    assert!(!poll.is_finished());
    poll.abort();
}

#[tokio::test]
async fn a_path_prefix_is_kept() {
    let (server, addr, _task) = Server::start().await;
    for prefix in ["/own/api", "/own/api/"] {
        server.will_say(200, &good(&json!({"id": 5, "is_bot": true, "first_name": "b", "username": "our_bot"})));
        let telegram = client(&format!("http://{addr}{prefix}"));
        let me = telegram.call(BotCall::GetMe, LIMIT).await;
        assert_eq!(me, Ok(BotReply::Me { id: 5, username: "our_bot".into() }));
        assert_eq!(server.seen()[0].0, format!("/own/api/bot{TOKEN}/getMe"));
    }
}

#[tokio::test]
async fn proxies_are_used() {
    let (server, addr, _task) = Server::start().await;
    let socks = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socks_addr = socks.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = socks.accept().await.unwrap();
        // Greeting, then a request by name: both are read to their end (RFC 1928).
        let mut head = [0; 2];
        stream.read_exact(&mut head).await.unwrap();
        stream.read_exact(&mut vec![0; usize::from(head[1])]).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).await.unwrap();
        assert_eq!(request[..4], [5, 1, 0, 3]);
        let mut name = vec![0; usize::from(request[4]) + 2];
        stream.read_exact(&mut name).await.unwrap();
        assert_eq!(&name[..name.len() - 2], b"name.invalid");
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let mut inner = tokio::net::TcpStream::connect(addr).await.unwrap();
        tokio::io::copy_bidirectional(&mut stream, &mut inner).await.unwrap();
    });
    for proxy in [format!("http://{addr}"), format!("socks5h://{socks_addr}")] {
        let api_url = "http://name.invalid".to_owned();
        let settings = Settings { api_url, proxy: Some(proxy.clone()), language: Language::Ru };
        let telegram = Telegram::new(&settings).unwrap();
        telegram.set_token(Secret::new(TOKEN.to_owned()));
        server.will_say(200, &good(&json!({"url": "", "pending_update_count": 0})));
        let answer = telegram.call(BotCall::GetWebhookInfo, LIMIT).await;
        assert_eq!(answer, Ok(BotReply::Webhook { pending: 0, set: false }), "{proxy}");
    }
}

/// The way to Telegram is checked against Mozilla's roots.
#[tokio::test]
async fn a_certificate_of_nobody_is_refused() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.map(|_| ())
    });
    let result = client(&format!("https://localhost:{port}")).call(BotCall::GetMe, LIMIT).await;
    assert!(matches!(&result, Err(BotError::Unreachable(why)) if why.starts_with("no connection")), "{result:?}");
    assert!(accepted.await.unwrap().is_err());
}

#[test]
fn unusable_addresses_are_named() {
    let of = |api_url: &str, proxy: Option<&str>| {
        let settings = Settings { api_url: api_url.into(), proxy: proxy.map(Into::into), language: Language::Ru };
        Telegram::new(&settings).map(|_| ())
    };
    let api = "https://api.telegram.org";
    for url in ["", "api.telegram.org", "ftp://x.example", "https://x.example/?a=b", "https://x.example/#a"] {
        assert_eq!(of(url, None), Err(SettingsError::ApiUrl), "{url}");
    }
    for proxy in ["", "localhost:1080", "ftp://x.example", "socks4://x.example:1080"] {
        assert_eq!(of(api, Some(proxy)), Err(SettingsError::Proxy), "{proxy}");
    }
    for proxy in ["http://127.0.0.1:3128", "socks5://u:p@127.0.0.1:1080", "socks5h://[::1]:1080"] {
        assert_eq!(of(api, Some(proxy)), Ok(()), "{proxy}");
    }
}

/// A dropped call leaves nothing behind that keeps a later one waiting.
#[tokio::test]
async fn a_cancelled_poll_is_gone_at_once() {
    let (server, telegram) = pair().await;
    server.will(Reply::Silence);
    let call = BotCall::GetUpdates { offset: None, timeout_s: 50, limit: 100, name_kinds: true };
    let cancelled = tokio::time::timeout(Duration::from_millis(100), telegram.call(call.clone(), LIMIT)).await;
    assert!(cancelled.is_err());
    server.will_say(200, &good(&json!([])));
    assert_eq!(telegram.call(call, LIMIT).await, Ok(BotReply::Updates(vec![])));
}
