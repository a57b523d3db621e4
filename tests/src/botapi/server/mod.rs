//! The double on the network: one listener for bots, one for whoever conducts the test, and a handle for callers in the process.

mod accept;
mod body;
mod bot;
mod control;
mod fault;
mod hub;
mod stranger;

pub(crate) use accept::accept;
pub use body::decode;
pub use fault::{Fault, Rule, Rules, Target};

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::model::{Args, Call, ChatId, Config, MessageId, Model, Ms, Source, Tap, TapError, User};
use super::view::{ChatView, Stats, Summary};
use hub::Hub;

/// Where to listen, and as which bot.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// For bots. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// For the conductor of the test. It has no password: loopback, or a network of the test's own.
    pub control: SocketAddr,
    /// The bot.
    pub bot: Config,
    /// Each request arrives this late.
    pub latency: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { listen: any, control: any, bot: Config::default(), latency: Duration::ZERO }
    }
}

/// A running double; dropping it closes its ports and every connection.
pub struct BotApi {
    hub: Arc<Hub>,
    listen: SocketAddr,
    control: SocketAddr,
    stranger: Arc<Mutex<Option<AbortHandle>>>,
    // Aborts its tasks when dropped.
    _tasks: JoinSet<()>,
}

impl BotApi {
    /// Binds both ports and serves.
    ///
    /// # Errors
    /// A port cannot be bound.
    pub async fn start(config: ServerConfig) -> io::Result<Self> {
        let bots = TcpListener::bind(config.listen).await?;
        let conductor = TcpListener::bind(config.control).await?;
        let (listen, control) = (bots.local_addr()?, conductor.local_addr()?);
        let hub = Arc::new(Hub::new(Model::new(config.bot)));
        let stranger = Arc::new(Mutex::new(None));
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let hub = Arc::clone(&hub);
            async move { hub.run_clock().await }
        });
        tasks.spawn({
            let (hub, faults) = (Arc::clone(&hub), hub.faults.subscribe());
            let refuses = move |peer: SocketAddr| faults.borrow().refuses(peer.ip());
            let latency = config.latency;
            accept(bots, refuses, move |peer, request| bot::serve(Arc::clone(&hub), peer, latency, request))
        });
        tasks.spawn({
            let (hub, stranger) = (Arc::clone(&hub), Arc::clone(&stranger));
            accept(
                conductor,
                |_| false,
                move |_, request| control::serve(Arc::clone(&hub), Arc::clone(&stranger), request),
            )
        });
        Ok(Self { hub, listen, control, stranger, _tasks: tasks })
    }

    /// Where bots connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.listen
    }

    /// Where the conductor connects.
    #[must_use]
    pub fn control_addr(&self) -> SocketAddr {
        self.control
    }

    /// `TELEGRAM_API_URL` of the node that the tests call `prefix`; "" for none.
    #[must_use]
    pub fn url(&self, prefix: &str) -> String {
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!("http://{}{slash}{prefix}", self.listen)
    }

    /// The bot's username, without the `@`.
    #[must_use]
    pub fn username(&self) -> String {
        self.hub.read(|model, _| model.config().username.clone())
    }

    /// The double's clock: what `Stats` and messages are stamped with.
    #[must_use]
    pub fn now(&self) -> Ms {
        self.hub.now()
    }

    /// A user writes to the bot.
    pub fn write(&self, user: &User, text: &str) -> MessageId {
        self.hub.act(|model, now| model.write(now, user, text))
    }

    /// A user taps a button that the message has now; returns the query's id.
    ///
    /// # Errors
    /// The phone shows no such button.
    pub fn tap(&self, chat: ChatId, message: MessageId, tap: &Tap) -> Result<String, TapError> {
        self.hub.act(|model, now| match model.tap(now, chat, message, tap) {
            Ok((query, answers)) => (Ok(query), answers),
            Err(error) => (Err(error), Vec::new()),
        })
    }

    /// An update of any kind that the bot wants, with this content.
    pub fn update(&self, kind: &str, content: &serde_json::Value) {
        self.hub.act(|model, now| ((), model.update(now, kind, content)));
    }

    /// An update in any shape, also of a kind that the bot does not want; see [`Model::raw`].
    pub fn raw(&self, update: &serde_json::Value) {
        self.hub.act(|model, now| ((), model.raw(now, update.clone())));
    }

    /// 429 for everything that changes this chat, for so many seconds.
    pub fn limit(&self, chat: ChatId, seconds: u64) {
        self.hub.act(|model, now| (model.limit(now, chat, seconds), Vec::new()));
    }

    /// A user stops the bot, until writing again.
    pub fn block(&self, chat: ChatId) {
        self.hub.act(|model, _| (model.block(chat), Vec::new()));
    }

    /// What a user's phone shows.
    #[must_use]
    pub fn chat(&self, chat: ChatId) -> ChatView {
        self.hub.read(|model, now| ChatView::of(model, chat, now))
    }

    /// The same, as soon as it is newer than `version`, at the latest after `limit`.
    pub async fn chat_after(&self, chat: ChatId, version: u64, limit: Duration) -> ChatView {
        self.hub.changed_after(version, limit).await;
        self.chat(chat)
    }

    /// The bytes of an uploaded picture.
    #[must_use]
    pub fn photo(&self, file_id: &str) -> Option<Arc<[u8]>> {
        self.hub.read(|model, _| model.photo(file_id).map(|photo| Arc::clone(&photo.bytes)))
    }

    /// Everything that was counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.hub.read(Stats::of)
    }

    /// Requests so far that a fault answered in the server's place: they are in no other count.
    #[must_use]
    pub fn refused_on_the_way(&self) -> usize {
        self.hub.refused()
    }

    /// The figures alone, and who polls now.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.hub.read(|model, _| Summary::of(model))
    }

    /// Performs a call as some other program would, without the network; it may never be answered.
    pub async fn call(&self, method: &str, args: Args) -> Option<(u16, serde_json::Value)> {
        let token = self.hub.read(|model, _| model.config().token.clone());
        let call = Call { source: Source::default(), token, method: method.to_owned(), args };
        let answer = self.hub.call(&call).await.ok()?;
        Some((answer.status, answer.body))
    }

    /// Disturbs a client's way from now on, its waiting calls included.
    pub fn fault(&self, target: Target, fault: Fault) {
        self.hub.faults.send_modify(|rules| rules.set(Rule { target, fault, only: Vec::new() }));
    }

    /// The same for some methods only.
    pub fn fault_only(&self, target: Target, fault: Fault, methods: &[&str]) {
        let only = methods.iter().map(|method| method.to_ascii_lowercase()).collect();
        self.hub.faults.send_modify(|rules| rules.set(Rule { target, fault, only }));
    }

    /// Ends every fault of this target that is not bound to methods.
    pub fn heal(&self, target: &Target) {
        self.hub.faults.send_modify(|rules| rules.clear(target, &[]));
    }

    /// Ends every fault.
    pub fn heal_all(&self) {
        self.hub.faults.send_modify(Rules::clear_all);
    }

    /// Another program starts to poll with the same token: each call waits `timeout_s` and confirms what it got.
    pub fn start_stranger(&self, timeout_s: u64) {
        stranger::start(&self.hub, &self.stranger, timeout_s);
    }

    /// The other program is killed; its last poll stays parked, as the server does not notice.
    pub fn stop_stranger(&self) {
        stranger::stop(&self.stranger);
    }
}

impl Drop for BotApi {
    fn drop(&mut self) {
        stranger::stop(&self.stranger);
    }
}

/// The stranger's task, while it runs.
type StrangerSlot = Mutex<Option<AbortHandle>>;

fn slot(stranger: &StrangerSlot) -> std::sync::MutexGuard<'_, Option<AbortHandle>> {
    stranger.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
