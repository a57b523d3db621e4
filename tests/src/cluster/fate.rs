//! What became of a reboot that the owner confirmed: it is on the host's record, or the owner reads that it was not done or is not known.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::ClusterError;
use super::network::Network;
use crate::botapi::model::Ms;
use crate::botapi::view::ChatView;

/// What became of a confirmed reboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The host recorded it, so many times.
    Recorded(usize),
    /// It was not done, and the owner reads why.
    Told,
}

impl Network {
    /// Waits until it is known what became of a reboot of `node` that was confirmed at `since`, by the double's clock; `before` are the
    /// reboots that its host had recorded until then.
    ///
    /// # Errors
    /// The owner reads nothing, and the host did nothing.
    pub async fn fate(&self, node: &str, before: usize, since: Ms, within: Duration) -> Result<Fate, ClusterError> {
        let host = self.node(node)?;
        let by = Instant::now() + within;
        loop {
            let recorded = host.reboots().len().saturating_sub(before);
            let chat = self.owner().chat().await?;
            if recorded > 0 {
                return Ok(Fate::Recorded(recorded));
            }
            if is_told(&chat, node, since) {
                return Ok(Fate::Told);
            }
            if Instant::now() >= by {
                let seen = chat.messages.iter().filter(|message| message.from_bot).map(|message| message.screen());
                let seen = seen.collect::<Vec<_>>().join("\n");
                return Err(ClusterError::Late { what: format!("the fate of {node}'s reboot"), waited: within, seen });
            }
            sleep(LOOK).await;
        }
    }
}

fn is_told(chat: &ChatView, node: &str, since: Ms) -> bool {
    let in_message = |text: &str| text.contains(node) && OUTCOMES.iter().any(|words| text.contains(words));
    let messages = chat.messages.iter().filter(|message| message.from_bot && message.changed() >= since);
    let toasts = chat.toasts.iter().filter(|toast| toast.answered.is_some_and(|at| at >= since));
    messages.into_iter().any(|message| in_message(&message.text))
        || toasts.into_iter().any(|toast| TOASTS.iter().any(|words| toast.text.contains(words)))
}

/// Words of the bot's English texts that end a reboot without one on the record, or say that its outcome is not known.
const OUTCOMES: [&str; 8] = [
    "did not reboot",
    "refused to reboot",
    "was not asked for",
    "did not come back",
    "confirmation ran out",
    "was asked",
    "reboot command failed",
    "took your confirmation",
];
/// Words of toasts that say that a press did nothing, or that this is not known.
const TOASTS: [&str; 3] = ["nothing was done", "no longer in the network", "whether it took your press is not known"];
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
