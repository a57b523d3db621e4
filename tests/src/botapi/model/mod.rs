//! The Bot API of one bot as a pure model: calls and the owner's taps go in with the time, answers come out.
//!
//! It refuses what Telegram refuses, with Telegram's texts. What it does not have (MarkdownV2, other media than PNG pictures,
//! file downloads) it refuses loudly. Groups, forwards, topics and kinds of tomorrow come as whole updates ([`Model::raw`]). No clock, no socket: `server` puts it on the network.

mod args;
mod callbacks;
mod chat;
mod html;
mod keyboard;
mod ledger;
mod messages;
mod methods;
mod phone;
mod photo;
mod queue;
mod refusal;
mod render;
mod text;
mod units;

pub use args::Args;
pub use callbacks::Toast;
pub use chat::{Chat, Content, Message, Photo, RateLimit, User};
pub use keyboard::{Action, Button, Keyboard};
pub use ledger::{Conflict, ConflictRecord, DeliveryRecord, End, EndRecord, Ledger, UpdateRecord};
pub use phone::{Tap, TapError};
pub use photo::{Size, check_png, png_of};
pub use queue::{Answered, Delivery, GetUpdates, UpdateQueue, WebhookInfo};
pub use refusal::Refusal;
pub use text::{Entity, Formatted};
pub use units::{CallId, ChatId, MessageId, Ms, UpdateId};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the bot is, and the limits that Telegram does not publish.
#[derive(Clone, Debug)]
pub struct Config {
    /// The whole token, `<bot id>:<secret>`.
    pub token: String,
    /// The bot's username, without the `@`.
    pub username: String,
    /// Unix time at model time 0, in seconds: for `date`.
    pub epoch_s: u64,
    /// The first update's id.
    pub first_update: UpdateId,
    /// Messages and edits per chat.
    pub rate: RateLimit,
    /// How long a callback query may be answered.
    pub callback_ttl_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            token: "4200000042:AAFf-double-of-the-bot-api-no-secret".to_owned(),
            username: "constella_bot".to_owned(),
            epoch_s: 1_767_225_600,
            first_update: UpdateId(731_000_001),
            rate: RateLimit { burst: 20, every_ms: 1_000, penalty_s: 5 },
            callback_ttl_ms: 15_000,
        }
    }
}

/// Who called: an address, and the path prefix before `/bot<token>`, by which tests tell nodes apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `ip:port` of the client, "" for a caller in the process.
    pub addr: String,
    /// Without slashes at its ends: `alpha`.
    pub prefix: String,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// From whom.
    pub source: Source,
    /// The token of the path.
    pub token: String,
    /// The method of the path, in any case.
    pub method: String,
    /// Its parameters.
    pub args: Args,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Which call.
    pub call: CallId,
    /// The HTTP status.
    pub status: u16,
    /// The JSON body: `{"ok": true, "result": ...}` or `{"ok": false, "error_code", "description"}`.
    pub body: Value,
}

/// One line of the call log. Parameters are not in it, and neither is the token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its number.
    pub id: CallId,
    /// When it came.
    pub at: Ms,
    /// From whom.
    pub source: Source,
    /// As Telegram reads it: lower-case.
    pub method: String,
    /// The status of the answer; `None` while it waits.
    pub status: Option<u16>,
    /// When the answer left.
    pub answered: Option<Ms>,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// The client was gone when the answer left.
    pub unheard: bool,
}

/// A text that the bot put before a user, by a new message or an edit. Later ones take its place on the screen, never here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// By which call.
    pub call: CallId,
    /// When.
    pub at: Ms,
    /// In which chat.
    pub chat: ChatId,
    /// The text of the message, or its caption.
    pub text: String,
}

/// Whose command menu, from the narrowest scope to the widest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Of one chat.
    Chat(ChatId),
    /// Of every private chat.
    PrivateChats,
    /// Of every chat.
    Default,
}

/// A scope, and a language in it; "" is every language that has no menu of its own there.
type Menu = (Scope, String);

/// One bot, its queue and its chats.
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    queue: UpdateQueue<Value>,
    chats: BTreeMap<ChatId, Chat>,
    callbacks: callbacks::Callbacks,
    photos: BTreeMap<String, Photo>,
    commands: BTreeMap<Menu, Value>,
    calls: Vec<CallRecord>,
    shown: Vec<Shown>,
    next_message: i32,
    version: u64,
}

impl Model {
    /// A bot to which nobody has written yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            queue: UpdateQueue::new(config.first_update),
            config,
            chats: BTreeMap::new(),
            callbacks: callbacks::Callbacks::default(),
            photos: BTreeMap::new(),
            commands: BTreeMap::new(),
            calls: Vec::new(),
            shown: Vec::new(),
            next_message: 1,
            version: 0,
        }
    }

    /// Takes one request. The answers are to it and to calls that it ends; without one of its own it waits.
    pub fn call(&mut self, now: Ms, call: &Call) -> (CallId, Vec<Answer>) {
        let id = CallId(self.calls.len() as u64);
        let method = call.method.to_ascii_lowercase();
        self.calls.push(CallRecord {
            id,
            at: now,
            source: call.source.clone(),
            method: method.clone(),
            status: None,
            answered: None,
            refusal: None,
            unheard: false,
        });
        let mut answers = self.tick(now);
        if call.token != self.config.token {
            answers.push(self.refused(now, id, &Refusal::Unauthorized));
        } else if method == "getupdates" {
            let answered = self.queue.get_updates(now, id, &asked(&call.args));
            answers.extend(self.answered(now, answered));
        } else {
            let (outcome, ended) = self.perform(now, &method, &call.args);
            // Buttons that go show nothing new.
            let speaks = method != "editmessagereplymarkup";
            self.shown.extend(outcome.as_ref().ok().filter(|_| speaks).and_then(|result| shown(now, id, result)));
            answers.extend(self.answered(now, ended));
            answers.push(match outcome {
                Ok(result) => self.finished(now, id, 200, json!({"ok": true, "result": result})),
                Err(refusal) => self.refused(now, id, &refusal),
            });
        }
        (id, answers)
    }

    /// Refuses a request that could not be read as a call, and records it.
    pub fn unreadable(&mut self, now: Ms, source: Source, method: &str, refusal: &Refusal) -> Answer {
        let id = CallId(self.calls.len() as u64);
        let method = method.to_ascii_lowercase();
        let (status, answered, unheard) = (None, None, false);
        self.calls.push(CallRecord { id, at: now, source, method, status, answered, refusal: None, unheard });
        self.refused(now, id, refusal)
    }

    /// Notes that nobody was there to read an answer. Telegram's server does not notice, so nothing else changes.
    pub fn unheard(&mut self, call: CallId) {
        let place = usize::try_from(call.0).ok().and_then(|at| self.calls.get_mut(at));
        if let Some(record) = place {
            record.unheard = true;
        }
    }

    /// Answers what has become due by `now`.
    pub fn tick(&mut self, now: Ms) -> Vec<Answer> {
        let answered = self.queue.tick(now);
        self.answered(now, answered)
    }

    /// When [`Self::tick`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Ms> {
        self.queue.deadline()
    }

    /// Grows with everything that a phone would show: messages, edits, toasts.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The chat with a user, once the user has written.
    #[must_use]
    pub fn chat(&self, id: ChatId) -> Option<&Chat> {
        self.chats.get(&id)
    }

    /// The answers to a user's taps, as the phone would show them, oldest first.
    #[must_use]
    pub fn toasts(&self, chat: ChatId) -> Vec<&Toast> {
        self.callbacks.toasts(chat)
    }

    /// An uploaded picture.
    #[must_use]
    pub fn photo(&self, file_id: &str) -> Option<&Photo> {
        self.photos.get(file_id)
    }

    /// The command menu that a person sees in a private chat: the narrowest scope counts, and in it their language before the default one (Bot
    /// API, "Determining list of commands").
    #[must_use]
    pub fn commands(&self, chat: ChatId, language_code: &str) -> Option<&Value> {
        let scopes = [Scope::Chat(chat), Scope::PrivateChats, Scope::Default];
        let menus = scopes.into_iter().flat_map(|scope| [(scope, language_code.to_owned()), (scope, String::new())]);
        menus.into_iter().find_map(|menu| self.commands.get(&menu))
    }

    /// What became of each update, and the conflicts.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.queue.ledger()
    }

    /// Every request, in order of arrival.
    #[must_use]
    pub fn calls(&self) -> &[CallRecord] {
        &self.calls
    }

    /// Every text that a user could read, in the order in which they came.
    #[must_use]
    pub fn texts(&self) -> &[Shown] {
        &self.shown
    }

    /// The poll that waits now.
    #[must_use]
    pub fn parked(&self) -> Option<CallId> {
        self.queue.parked()
    }

    /// Updates that nobody confirmed.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.webhook_info().pending_update_count
    }

    /// What the bot is.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn answered(&mut self, now: Ms, answered: Vec<Answered<Value>>) -> Vec<Answer> {
        let to_answer = |Answered { call, delivery }| match delivery {
            Delivery::Updates(updates) => {
                let list: Vec<_> = updates
                    .into_iter()
                    .map(|(id, mut update): (UpdateId, Value)| {
                        chat::put(&mut update, "update_id", Some(id.0.into()));
                        update
                    })
                    .collect();
                (call, 200, json!({"ok": true, "result": list}))
            }
            Delivery::Conflict(conflict) => {
                (call, 409, json!({"ok": false, "error_code": 409, "description": conflict.description()}))
            }
        };
        answered.into_iter().map(to_answer).map(|(call, status, body)| self.finished(now, call, status, body)).collect()
    }

    fn refused(&mut self, now: Ms, call: CallId, refusal: &Refusal) -> Answer {
        let mut body = json!({"ok": false, "error_code": refusal.code(), "description": refusal.to_string()});
        if let Refusal::TooManyRequests(seconds) = refusal {
            chat::put(&mut body, "parameters", Some(json!({"retry_after": seconds})));
        }
        self.finished(now, call, refusal.code(), body)
    }

    fn finished(&mut self, now: Ms, call: CallId, status: u16, body: Value) -> Answer {
        let record = usize::try_from(call.0).ok().and_then(|index| self.calls.get_mut(index));
        if let Some(record) = record {
            record.status = Some(status);
            record.answered = Some(now);
            record.refusal = body.get("description").and_then(Value::as_str).map(str::to_owned);
        }
        Answer { call, status, body }
    }

    fn changed(&mut self) {
        self.version += 1;
    }
}

/// The text of a result that is a message.
fn shown(at: Ms, call: CallId, result: &Value) -> Option<Shown> {
    let chat = ChatId(result.pointer("/chat/id")?.as_i64()?);
    let text = result.get("text").or_else(|| result.get("caption"))?.as_str()?.to_owned();
    Some(Shown { call, at, chat, text })
}

fn asked(args: &Args) -> GetUpdates {
    GetUpdates {
        offset: args.number("offset").unwrap_or(0),
        limit: args.number("limit"),
        timeout_s: args.number("timeout").unwrap_or(0),
        allowed_updates: allowed_updates(args),
    }
}

/// Telegram ignores what is no array.
fn allowed_updates(args: &Args) -> Option<Vec<String>> {
    let list: Vec<Value> = serde_json::from_str(args.text("allowed_updates")).ok()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect())
}

#[cfg(test)]
mod tests;
