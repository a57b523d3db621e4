//! What became of each update, and every 409: the figures that the fence's tests assert on.

use serde::{Deserialize, Serialize};

use super::units::{CallId, Ms, UpdateId};

/// The life of one update.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateRecord {
    /// Telegram's id.
    pub id: UpdateId,
    /// Telegram's name of its kind: `message`, `callback_query`.
    pub kind: String,
    /// When the owner caused it.
    pub pushed: Ms,
    /// Each time it was put into an answer, also into an answer that nobody was there to read.
    pub deliveries: Vec<DeliveryRecord>,
    /// How it left the queue; `None` while it waits.
    pub end: Option<EndRecord>,
}

/// One answer that carried an update.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// When.
    pub at: Ms,
    /// The getUpdates that it answered.
    pub call: CallId,
}

/// How an update left the queue.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct EndRecord {
    /// When.
    pub at: Ms,
    /// How.
    pub how: End,
}

/// How an update left the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A later offset confirmed it, after it had been delivered.
    Confirmed,
    /// A later offset passed over it before anybody had seen it.
    Skipped,
    /// A negative offset cleared it.
    NegativeOffset,
    /// `drop_pending_updates` cleared it.
    Dropped,
    /// Nobody fetched it for 24 hours.
    Expired,
}

impl End {
    /// Whether a command of the owner was destroyed: everything but a confirmation is.
    #[must_use]
    pub fn is_destruction(self) -> bool {
        self != Self::Confirmed
    }
}

/// One 409.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ConflictRecord {
    /// When the cause arose: for an evicted poll, when the newcomer came.
    pub at: Ms,
    /// When the answer left the server.
    pub answered: Ms,
    /// Who got it.
    pub call: CallId,
    /// Why.
    pub cause: Conflict,
}

/// Why a getUpdates is answered 409.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Another getUpdates took its place.
    OtherGetUpdates,
    /// Somebody set a webhook while it waited.
    SetWebhook,
    /// A webhook is set.
    WebhookActive,
}

impl Conflict {
    /// Telegram's text.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::OtherGetUpdates => {
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            }
            Self::SetWebhook => "Conflict: terminated by setWebhook request",
            Self::WebhookActive => {
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            }
        }
    }
}

/// Everything that the queue remembers for the tests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Every update that was ever pushed, in the order of its id.
    pub updates: Vec<UpdateRecord>,
    /// Every 409, in the order in which they left.
    pub conflicts: Vec<ConflictRecord>,
}

impl Ledger {
    /// Updates that were destroyed.
    #[must_use]
    pub fn destroyed(&self) -> usize {
        self.ended(End::is_destruction)
    }

    /// Updates that were confirmed.
    #[must_use]
    pub fn confirmed(&self) -> usize {
        self.ended(|how| !how.is_destruction())
    }

    fn ended(&self, wanted: impl Fn(End) -> bool) -> usize {
        self.updates.iter().filter(|update| update.end.is_some_and(|end| wanted(end.how))).count()
    }

    pub(super) fn pushed(&mut self, id: UpdateId, kind: &str, at: Ms) {
        self.updates.push(UpdateRecord { id, kind: kind.to_owned(), pushed: at, deliveries: Vec::new(), end: None });
    }

    pub(super) fn delivered(&mut self, id: UpdateId, at: Ms, call: CallId) {
        if let Some(update) = self.find(id) {
            update.deliveries.push(DeliveryRecord { at, call });
        }
    }

    /// Records the end of `id`; a confirmation of what was never delivered counts as a skip.
    pub(super) fn ended_as(&mut self, id: UpdateId, at: Ms, how: End) {
        if let Some(update) = self.find(id) {
            let unseen = update.deliveries.is_empty() && how == End::Confirmed;
            update.end = Some(EndRecord { at, how: if unseen { End::Skipped } else { how } });
        }
    }

    fn find(&mut self, id: UpdateId) -> Option<&mut UpdateRecord> {
        let index = self.updates.binary_search_by_key(&id, |update| update.id).ok()?;
        self.updates.get_mut(index)
    }
}
