//! Callback queries: a tap on a button waits for its answer, for some seconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::units::{ChatId, MessageId, Ms};

/// The answer to a tap, as the phone shows it: a toast, or an alert to close. An empty text only ends the spinner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toast {
    /// Of the tap.
    pub query: String,
    /// Where.
    pub chat: ChatId,
    /// Under which message the button was.
    pub message: MessageId,
    /// When the user tapped.
    pub tapped: Ms,
    /// When the bot answered; `None` while the phone shows its spinner.
    pub answered: Option<Ms>,
    /// What it says.
    pub text: String,
    /// An alert instead of a toast.
    pub show_alert: bool,
    /// Model version of the answer, so that a page shows it once.
    pub version: u64,
}

/// All taps.
#[derive(Clone, Debug, Default)]
pub(super) struct Callbacks {
    by_id: BTreeMap<u64, Toast>,
    /// Those of updates that a test wrote, by the id that it gave them.
    raw: BTreeMap<String, Toast>,
}

impl Callbacks {
    /// Starts a query and returns its id.
    pub(super) fn tapped(&mut self, now: Ms, chat: ChatId, message: MessageId) -> String {
        let number = self.by_id.len() as u64;
        // Telegram's are 64-bit numbers in text.
        let query = format!("{}", FIRST_QUERY + number);
        self.by_id.insert(number, toast(now, query.clone(), chat, message));
        query
    }

    /// Starts a query with an id of its own.
    pub(super) fn raw(&mut self, now: Ms, chat: ChatId, query: String) {
        self.raw.insert(query.clone(), toast(now, query, chat, MessageId(0)));
    }

    /// Answers a query; a second answer is taken too, as Telegram does.
    ///
    /// # Errors
    /// Unknown, or older than `ttl_ms`.
    pub(super) fn answer(
        &mut self,
        now: Ms,
        query: &str,
        ttl_ms: u64,
        version: u64,
        text: &str,
        show_alert: bool,
    ) -> Result<(), Refusal> {
        let number = query.parse::<u64>().ok().and_then(|id| id.checked_sub(FIRST_QUERY));
        let toast = number.and_then(|number| self.by_id.get_mut(&number)).or_else(|| self.raw.get_mut(query));
        let toast = toast.ok_or(Refusal::QueryTooOld)?;
        if now.since(toast.tapped) > ttl_ms {
            return Err(Refusal::QueryTooOld);
        }
        if text.encode_utf16().count() > MAX_ANSWER_UNITS {
            return Err(Refusal::EditTooLong);
        }
        toast.answered = Some(now);
        text.clone_into(&mut toast.text);
        toast.show_alert = show_alert;
        toast.version = version;
        Ok(())
    }

    pub(super) fn toasts(&self, chat: ChatId) -> Vec<&Toast> {
        self.by_id.values().chain(self.raw.values()).filter(|toast| toast.chat == chat).collect()
    }
}

/// A tap that waits for its answer.
fn toast(tapped: Ms, query: String, chat: ChatId, message: MessageId) -> Toast {
    let text = String::new();
    Toast { query, chat, message, tapped, answered: None, text, show_alert: false, version: 0 }
}

/// Any number that looks like one of Telegram's.
const FIRST_QUERY: u64 = 1_303_000_000_000_000_001;
/// Bot API, answerCallbackQuery: 0 to 200 characters.
const MAX_ANSWER_UNITS: usize = 200;
