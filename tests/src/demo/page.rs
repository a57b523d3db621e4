//! The chat page: one chat of the Bot API double as a phone shows it, and a box with the nodes to kill and to start.
//!
//! Only on loopback. Whoever may press "Kill" must have the address that the demo prints: its path carries a random token,
//! the Host header must name the loopback (no rebinding), and a post must come from the page's own origin.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::botapi::model::{MessageId, Tap, User};
use crate::botapi::server::{BotApi, accept};

/// The nodes that the page's box lists. The demo has them; calls must not block for long.
pub trait Nodes: Send + Sync + 'static {
    /// All nodes, in the order to show.
    fn list(&self) -> Vec<NodeView>;

    /// Ends a node at once, as a power cut would.
    ///
    /// # Errors
    /// One sentence for the person at the page.
    fn kill(&self, name: &str) -> Result<(), String>;

    /// Starts a node that does not run.
    ///
    /// # Errors
    /// One sentence for the person at the page.
    fn start(&self, name: &str) -> Result<(), String>;
}

/// One node in the box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// What its processes do.
    pub state: NodeState,
    /// More about it, in a few words: an address, an exit status.
    pub note: String,
    /// Reboots that its host has recorded.
    pub reboots: usize,
}

/// What a node's processes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Started, does not answer yet.
    Starting,
    /// Runs.
    Running,
    /// Was killed, or ended.
    Stopped,
}

/// What the page shows.
#[derive(Clone)]
pub struct PageConfig {
    /// A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The Bot API with the chat.
    pub double: Arc<BotApi>,
    /// Whose phone it is.
    pub user: User,
    /// The parameter of the owner's link: the START button sends it with `/start`, as Telegram does for `t.me/<bot>?start=`.
    pub start: Option<String>,
    /// The nodes of the box; an empty list hides it.
    pub nodes: Arc<dyn Nodes>,
}

/// Why there is no page.
#[derive(Debug, Error)]
pub enum PageError {
    /// Anybody in the network could kill nodes.
    #[error("the page listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The port is taken, or no address is there.
    #[error("binding the page to {0}")]
    Bind(SocketAddr, #[source] io::Error),
    /// The kernel gives no random bytes.
    #[error("drawing the page's token")]
    Random(#[source] io::Error),
}

/// A running page; dropping it closes it.
pub struct Page {
    url: String,
    port: u16,
    // Aborts its task when dropped.
    _task: JoinSet<()>,
}

impl Page {
    /// Binds and serves.
    ///
    /// # Errors
    /// [`PageError`]; nothing is left behind.
    pub async fn start(config: PageConfig) -> Result<Self, PageError> {
        let wanted = config.listen;
        if !wanted.ip().is_loopback() {
            return Err(PageError::NotLoopback(wanted));
        }
        let listener = TcpListener::bind(wanted).await.map_err(|error| PageError::Bind(wanted, error))?;
        let addr = listener.local_addr().map_err(|error| PageError::Bind(wanted, error))?;
        let token = random_hex()?;
        let url = format!("http://{addr}/{token}/");
        let site = Arc::new(Site { config, port: addr.port(), token });
        let mut task = JoinSet::new();
        task.spawn(accept(
            listener,
            |_| false,
            move |_, request| {
                let site = Arc::clone(&site);
                async move { Ok::<_, Infallible>(site.serve(request).await.unwrap_or_else(refusal)) }
            },
        ));
        Ok(Self { url, port: addr.port(), _task: task })
    }

    /// The port that was taken.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address to open, with its token.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

type Answer = Response<Full<Bytes>>;

struct Site {
    config: PageConfig,
    port: u16,
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteOrder {
    text: String,
    /// Of the browser: the page is the owner's Telegram app, whose language the bot goes by.
    #[serde(default)]
    lang: Option<Lang>,
}

/// The languages that the page itself speaks.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Lang {
    En,
    Ru,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TapOrder {
    message: MessageId,
    data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeOrder {
    name: String,
}

impl Site {
    async fn serve(&self, request: Request<Incoming>) -> Result<Answer, Refused> {
        let (parts, body) = request.into_parts();
        let host = self.checked_host(&parts.headers)?;
        let path = parts.uri.path().strip_prefix('/').and_then(|path| path.strip_prefix(self.token.as_str()));
        let path = path.and_then(|path| path.strip_prefix('/')).ok_or(Refused::NotFound)?;
        match parts.method {
            Method::GET => self.get(path, parts.uri.query().unwrap_or("")).await,
            Method::POST => {
                let origin = parts.headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
                if origin != Some(format!("http://{host}").as_str()) {
                    return Err(Refused::OtherOrigin);
                }
                let body = Limited::new(body, MAX_ORDER).collect().await.map_err(|_| Refused::Order)?;
                self.post(path, &body.to_bytes())
            }
            _ => Err(Refused::NotFound),
        }
    }

    /// A name that points at the loopback without being it (DNS rebinding) is refused.
    fn checked_host<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, Refused> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).ok_or(Refused::OtherHost)?;
        let names = ["127.0.0.1", "localhost", "[::1]"];
        let listed = self.config.listen.ip().to_string();
        let is_ours = names.iter().chain([&listed.as_str()]).any(|name| host == format!("{name}:{}", self.port));
        if is_ours { Ok(host) } else { Err(Refused::OtherHost) }
    }

    async fn get(&self, path: &str, query: &str) -> Result<Answer, Refused> {
        if let Some(file_id) = path.strip_prefix("photo/") {
            let photo = self.config.double.photo(file_id).ok_or(Refused::NotFound)?;
            return Ok(answer(StatusCode::OK, "image/png", Bytes::copy_from_slice(&photo)));
        }
        match path {
            "" => self.page(),
            "state" => {
                let after = query.strip_prefix("after=").and_then(|after| after.parse().ok());
                Ok(json_answer(StatusCode::OK, &self.state(after).await))
            }
            _ => Err(Refused::NotFound),
        }
    }

    /// The page itself; its script and style run by a nonce, nothing else runs at all.
    fn page(&self) -> Result<Answer, Refused> {
        let nonce = random_hex().map_err(|_| Refused::Random)?;
        let mut page = answer(StatusCode::OK, "text/html; charset=utf-8", Bytes::from(HTML.replace(NONCE, &nonce)));
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            page.headers_mut().insert(HeaderName::from_static("content-security-policy"), policy);
        }
        Ok(page)
    }

    /// Chat, nodes and figures; waits a little for news about the chat.
    async fn state(&self, after: Option<u64>) -> Value {
        let (double, chat) = (&self.config.double, self.config.user.chat());
        let chat = match after {
            Some(after) => double.chat_after(chat, after, NODES_EVERY).await,
            None => double.chat(chat),
        };
        json!({
            "bot": double.username(),
            "user": self.config.user,
            "start": self.config.start,
            "chat": chat,
            "nodes": self.config.nodes.list(),
            "figures": double.summary(),
        })
    }

    fn post(&self, path: &str, body: &[u8]) -> Result<Answer, Refused> {
        let done = match path {
            "write" => {
                let WriteOrder { text, lang } = read(body)?;
                let text = text.trim();
                if text.is_empty() || text.encode_utf16().count() > MAX_TEXT_UNITS {
                    return Err(Refused::Order);
                }
                let mut user = self.config.user.clone();
                match lang {
                    Some(Lang::En) => user.language_code = Some("en".to_owned()),
                    Some(Lang::Ru) => user.language_code = Some("ru".to_owned()),
                    None => {}
                }
                self.config.double.write(&user, text);
                Ok(())
            }
            "tap" => {
                let TapOrder { message, data } = read(body)?;
                let tapped = self.config.double.tap(self.config.user.chat(), message, &Tap::Data(data));
                tapped.map(|_| ()).map_err(|error| error.to_string())
            }
            "kill" => self.config.nodes.kill(&read::<NodeOrder>(body)?.name),
            "start" => self.config.nodes.start(&read::<NodeOrder>(body)?.name),
            _ => return Err(Refused::NotFound),
        };
        Ok(match done {
            Ok(()) => json_answer(StatusCode::OK, &json!({})),
            Err(error) => json_answer(StatusCode::CONFLICT, &json!({"error": error})),
        })
    }
}

/// Why a request is not served; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// No such path, or not the token.
    NotFound,
    /// The Host header names another site.
    OtherHost,
    /// A post from another site's page, or from no page at all.
    OtherOrigin,
    /// The body is not such an order.
    Order,
    /// No random bytes for the nonce.
    Random,
}

fn refusal(refused: Refused) -> Answer {
    let (status, error) = match refused {
        Refused::NotFound => (StatusCode::NOT_FOUND, "not found: open the address that the demo printed"),
        Refused::OtherHost => (StatusCode::FORBIDDEN, "the page answers to its loopback address only"),
        Refused::OtherOrigin => (StatusCode::FORBIDDEN, "orders are taken from the page itself only"),
        Refused::Order => (StatusCode::BAD_REQUEST, "not an order that the page sends"),
        Refused::Random => (StatusCode::INTERNAL_SERVER_ERROR, "no random bytes"),
    };
    json_answer(status, &json!({"error": error}))
}

fn read<'a, O: Deserialize<'a>>(body: &'a [u8]) -> Result<O, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Order)
}

fn json_answer(status: StatusCode, value: &Value) -> Answer {
    answer(status, "application/json", Bytes::from(value.to_string()))
}

fn answer(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    for (name, value) in [
        ("content-type", content_type),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        answer.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

/// 128 random bits, in hex.
fn random_hex() -> Result<String, PageError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| PageError::Random(error.into()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The page, with [`NONCE`] where the nonce goes.
const HTML: &str = include_str!("page.html");
const NONCE: &str = "__NONCE__";
/// The nodes' states are looked at this often; the chat shows at once.
const NODES_EVERY: Duration = Duration::from_millis(700);
/// A text of 4,096 characters, as JSON.
const MAX_ORDER: usize = 64 << 10;
/// What Telegram's apps let one send.
const MAX_TEXT_UNITS: usize = 4_096;

#[cfg(test)]
mod tests;
