//! Telegram's answers from here, for `doctor`.

use std::time::Duration;

use constella_core::io::{BotCall, BotError, BotReply};
use serde::{Deserialize, Serialize};

use crate::runner::BotClient;

/// How Telegram answers from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "bot", rename_all = "snake_case")]
pub enum BotDocument {
    /// The token is good.
    Answers {
        /// The bot's user name, without `@`.
        username: String,
        /// Whether somebody set a webhook: then nobody can poll.
        webhook: bool,
        /// Updates that nobody has confirmed.
        pending: u32,
    },
    /// This node has no token.
    NoToken,
    /// Telegram does not know the token.
    BadToken,
    /// No answer, or one that says nothing of the token.
    Unreachable {
        /// Why; no URL is in it.
        why: String,
    },
}

/// Two calls that change nothing and disturb nobody's poll.
pub(super) async fn look(bot: &impl BotClient) -> BotDocument {
    let me = bot.call(BotCall::GetMe, BOT_TIME).await;
    let webhook = bot.call(BotCall::GetWebhookInfo, BOT_TIME).await;
    match (me, webhook) {
        (Ok(BotReply::Me { username, .. }), Ok(BotReply::Webhook { pending, set })) => {
            BotDocument::Answers { username, webhook: set, pending }
        }
        (Err(BotError::NoToken), _) => BotDocument::NoToken,
        (Err(BotError::Unauthorized), _) => BotDocument::BadToken,
        (Err(BotError::Unreachable(why)), _) | (_, Err(BotError::Unreachable(why))) => BotDocument::Unreachable { why },
        (Err(error), _) | (_, Err(error)) => BotDocument::Unreachable { why: format!("it answers {error:?}") },
        (Ok(_), Ok(_)) => BotDocument::Unreachable { why: "it answers something else".to_owned() },
    }
}

/// For each of the calls.
const BOT_TIME: Duration = Duration::from_secs(5);
