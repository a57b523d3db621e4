//! The Bot API client: one call in, one good answer or one [`BotError`] out, within a time limit.

mod photo;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::page::Screen;
use constella_core::bot::kit::say::Key;
use constella_core::io::{BotCall, BotError, BotReply};
use constella_shared::limits::USERNAME_BYTES;
use constella_shared::secret::Secret;

use crate::runner::BotClient;
use serde::Serialize;
use serde_json::value::RawValue;
use teloxide::payloads::{
    AnswerCallbackQuery, AnswerCallbackQuerySetters as _, DeleteMessage, EditMessageReplyMarkup, EditMessageText,
    EditMessageTextSetters as _, GetMe, GetUpdates, GetUpdatesSetters as _, GetWebhookInfo, SendMessage,
    SendMessageSetters as _, SetMyCommands, SetMyCommandsSetters as _,
};
use teloxide::requests::Payload;
use teloxide::types::{
    AllowedUpdate, BotCommand, BotCommandScope, CallbackQueryId, ChatId, LinkPreviewOptions, MessageId, ParseMode,
    ThreadId,
};
use tokio::sync::Semaphore;

use self::photo::Body;
use super::error::{self, foreign, is_not_modified, unreachable};
use super::fields::Fields;
use super::render::{Rendered, captioned, install::Source, toast};
use super::text::words;
use super::unknown::Unknown;
use super::update;

/// What a client is told at its making.
#[derive(Clone)]
pub struct Settings {
    /// `TELEGRAM_API_URL`: `http://` or `https://`, with a path prefix where the Bot API server has one.
    pub api_url: String,
    /// `TELEGRAM_PROXY`: `http://`, `https://`, `socks5://` or `socks5h://`; may carry a user and a password.
    pub proxy: Option<String>,
    /// `LANG_DEFAULT`: of the command menu for everybody whose language the bot does not speak.
    pub language: Language,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy's address may hold a password.
        f.debug_struct("Settings")
            .field("api_url", &self.api_url)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// Why there is no client. The operator's to mend; nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not a URL, or neither `http` nor `https`.
    #[error("TELEGRAM_API_URL is no http:// or https:// address")]
    ApiUrl,
    /// Not a proxy's URL.
    #[error("TELEGRAM_PROXY is no http://, https:// or socks5:// address")]
    Proxy,
    /// TLS could not be set up.
    #[error("cannot set up TLS for Telegram")]
    Tls,
}

/// The Bot API for one bot. Cheap to share; calls may run at the same time, and dropping one's future cancels it.
pub struct Telegram {
    base: String,
    /// For the long poll alone, so that nothing else ever waits for its connection.
    poll: reqwest::Client,
    /// For everything else, `getWebhookInfo` among it (F1).
    rest: reqwest::Client,
    token: RwLock<Option<Secret>>,
    language: Language,
    source: Source,
    unknown: Unknown,
    /// Who may draw a picture: one at a time, which takes a core and some megabytes.
    pub(super) drawing: Arc<Semaphore>,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram").finish_non_exhaustive()
    }
}

impl BotClient for Telegram {
    fn call(&self, call: BotCall, limit: Duration) -> impl Future<Output = Result<BotReply, BotError>> + Send {
        Self::call(self, call, limit)
    }

    fn set_token(&self, token: Secret) {
        Self::set_token(self, token);
    }
}

impl Telegram {
    /// A client without a token; connects to nobody yet.
    ///
    /// # Errors
    /// Where the settings name no usable addresses.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let url = reqwest::Url::parse(&settings.api_url).map_err(|_| SettingsError::ApiUrl)?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(SettingsError::ApiUrl);
        }
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            poll: http_client(settings.proxy.as_deref())?,
            rest: http_client(settings.proxy.as_deref())?,
            token: RwLock::new(None),
            language: settings.language,
            source: Source::default(),
            unknown: Unknown::default(),
            drawing: Arc::new(Semaphore::new(1)),
        })
    }

    /// Invitations say that a new server gets Constella from there.
    #[must_use]
    pub fn with_source(self, source: Source) -> Self {
        Self { source, ..self }
    }

    /// Uses this token from now on; calls on their way keep theirs.
    pub fn set_token(&self, token: Secret) {
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// Makes one call. The long poll's limit is never below its own time and [`POLL_GRACE`].
    ///
    /// # Errors
    /// See [`BotError`]; no text in it has the token, an address or a path.
    pub async fn call(&self, call: BotCall, timeout: Duration) -> Result<BotReply, BotError> {
        let timeout = match &call {
            BotCall::GetUpdates { timeout_s, .. } => timeout.max(Duration::from_secs((*timeout_s).into()) + POLL_GRACE),
            _ => timeout,
        };
        match tokio::time::timeout(timeout, self.perform(call)).await {
            Ok(result) => result,
            Err(_) => Err(BotError::Unreachable(error::NO_ANSWER.to_owned())),
        }
    }

    async fn perform(&self, call: BotCall) -> Result<BotReply, BotError> {
        match call {
            BotCall::GetMe => {
                let me = self.call_method(&self.rest, &GetMe::new()).await?;
                let me = Fields::of(&me).ok_or_else(foreign)?;
                let username = me.text("username", USERNAME_BYTES).unwrap_or_default();
                Ok(BotReply::Me { id: me.whole("id").ok_or_else(foreign)?, username })
            }
            BotCall::GetWebhookInfo => {
                let info = self.call_method(&self.rest, &GetWebhookInfo::new()).await?;
                let info = Fields::of(&info).ok_or_else(foreign)?;
                let pending = info.whole("pending_update_count").ok_or_else(foreign)?.max(0);
                let set = info.text("url", 1).is_some_and(|url| !url.is_empty());
                Ok(BotReply::Webhook { pending: u32::try_from(pending).unwrap_or(u32::MAX), set })
            }
            BotCall::GetUpdates { offset, timeout_s, limit, name_kinds } => {
                let payload = get_updates(offset, timeout_s, limit, name_kinds)?;
                let client = if timeout_s > 0 { &self.poll } else { &self.rest };
                self.updates(&self.call_method(client, &payload).await?)
            }
            BotCall::Send { chat, thread, screen, silent } => match captioned(&screen) {
                Some(captioned) => self.send_photo(chat, thread, captioned).await,
                None => self.send((chat, thread), &screen, silent).await,
            },
            BotCall::Delete { chat, message } => {
                let id = i32::try_from(message).map_err(|_| BotError::MessageGone)?;
                done(self.call_method(&self.rest, &DeleteMessage::new(ChatId(chat), MessageId(id))).await)
            }
            BotCall::TakeButtons { chat, message } => self.take_buttons(chat, message).await,
            BotCall::Edit { chat, message, screen } => match captioned(&screen) {
                Some(captioned) => self.edit_photo(chat, message, captioned).await,
                None => self.edit(chat, message, &screen).await,
            },
            BotCall::AnswerCallback { callback_id, toast: said } => {
                let mut payload = AnswerCallbackQuery::new(CallbackQueryId(callback_id));
                if let Some(screen) = &said {
                    payload = payload.text(toast(screen));
                }
                self.call_method(&self.rest, &payload).await.map(|_| BotReply::Done)
            }
            BotCall::SetCommands { commands, chosen } => self.set_commands(&commands, chosen).await,
        }
    }

    async fn take_buttons(&self, chat: i64, message: i64) -> Result<BotReply, BotError> {
        let id = i32::try_from(message).map_err(|_| BotError::MessageGone)?;
        done(self.call_method(&self.rest, &EditMessageReplyMarkup::new(ChatId(chat), MessageId(id))).await)
    }

    async fn send(
        &self,
        (chat, thread): (i64, Option<i64>),
        screen: &Screen,
        silent: bool,
    ) -> Result<BotReply, BotError> {
        let Rendered { html, keyboard } = self.source.render(screen);
        let mut payload =
            SendMessage::new(ChatId(chat), html).parse_mode(ParseMode::Html).link_preview_options(NO_PREVIEW);
        if let Some(keyboard) = keyboard {
            payload = payload.reply_markup(keyboard);
        }
        if let Some(thread) = thread {
            let thread = i32::try_from(thread).map_err(|_| BotError::TopicGone)?;
            payload = payload.message_thread_id(ThreadId(MessageId(thread)));
        }
        if silent {
            payload = payload.disable_notification(true);
        }
        let sent = self.call_method(&self.rest, &payload).await?;
        let message = Fields::of(&sent).and_then(|sent| sent.whole("message_id")).ok_or_else(foreign)?;
        Ok(BotReply::Sent { message })
    }

    async fn edit(&self, chat: i64, message: i64, screen: &Screen) -> Result<BotReply, BotError> {
        let id = i32::try_from(message).map_err(|_| BotError::MessageGone)?;
        let Rendered { html, keyboard } = self.source.render(screen);
        let mut payload = EditMessageText::new(ChatId(chat), MessageId(id), html)
            .parse_mode(ParseMode::Html)
            .link_preview_options(NO_PREVIEW);
        if let Some(keyboard) = keyboard {
            payload = payload.reply_markup(keyboard);
        }
        done(self.call_method(&self.rest, &payload).await)
    }

    /// For each language, and for everybody else in the default one.
    /// The narrower scope counts for Telegram, whatever the language of the reader's program is.
    async fn set_commands(
        &self,
        menu: &[(&'static str, Key)],
        chosen: Option<(i64, Language)>,
    ) -> Result<BotReply, BotError> {
        let everybody = || BotCommandScope::AllPrivateChats;
        let tagged = Language::ALL.map(|language| (language, Some(language.code()), everybody()));
        let chosen =
            chosen.map(|(chat, language)| (language, None, BotCommandScope::Chat { chat_id: ChatId(chat).into() }));
        for (language, tag, scope) in tagged.into_iter().chain([(self.language, None, everybody())]).chain(chosen) {
            let command =
                |(verb, key): &(&str, Key)| BotCommand::new(verb.trim_start_matches('/'), words(language, *key));
            let commands: Vec<BotCommand> = menu.iter().map(command).collect();
            let mut payload = SetMyCommands::new(commands).scope(scope);
            if let Some(tag) = tag {
                payload = payload.language_code(tag);
            }
            self.call_method(&self.rest, &payload).await?;
        }
        Ok(BotReply::Done)
    }

    /// The updates of a result. One that cannot be read does not take the others with it. Where none has an id, no offset can ever confirm
    /// them, and to poll again at once would never end.
    fn updates(&self, result: &str) -> Result<BotReply, BotError> {
        let elements: Vec<&RawValue> = serde_json::from_str(result).map_err(|_| foreign())?;
        let updates: Vec<_> =
            elements.iter().filter_map(|element| update::read(element.get(), &self.unknown)).collect();
        if updates.is_empty() && !elements.is_empty() {
            return Err(BotError::Unreachable("no update of the answer has an id".to_owned()));
        }
        Ok(BotReply::Updates(updates))
    }

    /// Calls a method with teloxide's payload of it.
    async fn call_method<P: Payload + Serialize>(
        &self,
        client: &reqwest::Client,
        payload: &P,
    ) -> Result<String, BotError> {
        let body = serde_json::to_vec(payload)
            .map_err(|_| BotError::Refused("the call cannot be written as JSON".to_owned()))?;
        self.ask(&method(P::NAME), client, Body::Json(body)).await
    }

    /// Sends one method and returns its result as JSON text: each reader takes what it needs of it, and nothing else can break an answer.
    async fn ask(&self, method: &str, client: &reqwest::Client, body: Body) -> Result<String, BotError> {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(BotError::NoToken)?;
        if !is_plausible(token.expose()) {
            return Err(BotError::Unauthorized);
        }
        let request = client.post(format!("{}/bot{}/{method}", self.base, token.expose()));
        let request = match body {
            Body::Json(body) => request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body),
            Body::Form(form) => request.multipart(form),
        };
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        if status.is_server_error() {
            // Not teloxide's ten seconds of sleep: the core decides when to ask again.
            return Err(BotError::Server);
        }
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if text.len() + chunk.len() > ANSWER_BYTES {
                return Err(BotError::Unreachable("the answer is too long".to_owned()));
            }
            text.extend_from_slice(&chunk);
        }
        let answer = String::from_utf8_lossy(&text);
        error::result(&answer, status.as_u16(), &token).map(ToOwned::to_owned)
    }
}

/// An edit; "message is not modified" is a good end too.
fn done(edited: Result<String, BotError>) -> Result<BotReply, BotError> {
    match edited {
        Ok(_) => Ok(BotReply::Done),
        Err(BotError::Refused(why)) if is_not_modified(&why) => Ok(BotReply::Done),
        Err(error) => Err(error),
    }
}

fn get_updates(offset: Option<i64>, timeout_s: u32, limit: u8, name_kinds: bool) -> Result<GetUpdates, BotError> {
    let mut payload = GetUpdates::new().timeout(timeout_s).limit(limit.clamp(1, 100));
    if let Some(offset) = offset {
        // A negative offset destroys commands, and zero confirms nothing but counts as an offset (FACTS): neither is ever sent.
        let offset = i32::try_from(offset).ok().filter(|offset| *offset > 0);
        payload =
            payload.offset(offset.ok_or_else(|| BotError::Refused("an offset that must not be sent".to_owned()))?);
    }
    if name_kinds {
        payload = payload.allowed_updates([AllowedUpdate::Message, AllowedUpdate::CallbackQuery]);
    }
    Ok(payload)
}

/// The method's name as the Bot API's pages write it: teloxide says `GetMe`.
fn method(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// Digits, a colon, letters: whatever else it is, it must not change the path.
fn is_plausible(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b":_-".contains(&b))
}

fn http_client(proxy: Option<&str>) -> Result<reqwest::Client, SettingsError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| SettingsError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut builder = reqwest::Client::builder()
        .use_preconfigured_tls(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(KEEP_ALIVE)
        .tcp_nodelay(true);
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy_of(proxy)?);
    }
    builder.build().map_err(|_| SettingsError::Tls)
}

fn proxy_of(address: &str) -> Result<reqwest::Proxy, SettingsError> {
    let url = reqwest::Url::parse(address).map_err(|_| SettingsError::Proxy)?;
    if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") || url.host_str().is_none() {
        return Err(SettingsError::Proxy);
    }
    reqwest::Proxy::all(url).map_err(|_| SettingsError::Proxy)
}

/// A node's name may look like a link: it is none.
const NO_PREVIEW: LinkPreviewOptions = LinkPreviewOptions {
    is_disabled: true,
    url: None,
    prefer_small_media: false,
    prefer_large_media: false,
    show_above_text: false,
};

/// A poll is given this much longer than it lasts: the way there and back, also through a proxy.
pub const POLL_GRACE: Duration = Duration::from_secs(5);

/// For a connection: a server that drops packets is found out long before a poll would end.
const CONNECT: Duration = Duration::from_secs(5);

/// Unused connections are closed well before a NAT on the way forgets them.
const IDLE: Duration = Duration::from_secs(20);

/// The long poll is silent for most of a minute: a path that died meanwhile is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A hundred updates of 4,096 characters, with room for everything around them.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;
