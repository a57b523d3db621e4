//! What became of a reboot that the owner confirmed: it is on the host's record, or the owner reads that it was not done or is not known.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::ClusterError;
use super::network::Network;
use crate::botapi::model::Ms;
use crate::botapi::view::MessageView;

/// What became of a confirmed reboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The host recorded it, so many times.
    Recorded(usize),
    /// It was not done so far, and the owner could read why, or that it is not known.
    Told,
}

impl Network {
    /// Waits until it is known what became of a reboot of `node` that was confirmed at `since`, by the double's clock; `before` are the
    /// reboots that its host had recorded until then.
    ///
    /// # Errors
    /// The owner could read nothing, and the host did nothing.
    pub async fn fate(&self, node: &str, before: usize, since: Ms, within: Duration) -> Result<Fate, ClusterError> {
        let host = self.node(node)?;
        let by = Instant::now() + within;
        loop {
            let recorded = host.reboots().len().saturating_sub(before);
            if recorded > 0 {
                return Ok(Fate::Recorded(recorded));
            }
            if self.read_of(node, since).await?.iter().any(|text| is_outcome(text)) {
                return Ok(Fate::Told);
            }
            if Instant::now() >= by {
                let chat = self.owner().chat().await?;
                let seen = chat.messages.iter().filter(|message| message.from_bot).map(MessageView::screen);
                let seen = seen.collect::<Vec<_>>().join("\n");
                return Err(ClusterError::Late { what: format!("the fate of {node}'s reboot"), waited: within, seen });
            }
            sleep(LOOK).await;
        }
    }

    /// What the owner could read since then that tells of a press's end or of `node`'s reboot: also what a later screen has taken away.
    ///
    /// # Errors
    /// The double is out of reach.
    pub async fn read_of(&self, node: &str, since: Ms) -> Result<Vec<String>, ClusterError> {
        let shown = self.double().stats().shown;
        let lines = shown.iter().filter(|shown| shown.at >= since).flat_map(|shown| shown.text.lines());
        let lines = lines.filter(|line| line.contains(node) && is_outcome(line)).map(str::to_owned);
        let toasts = self.owner().chat().await?.toasts;
        let toasts = toasts.into_iter().filter(|toast| toast.answered.is_some_and(|at| at >= since));
        let toasts = toasts.map(|toast| toast.text).filter(|text| is_outcome(text));
        Ok(lines.chain(toasts).collect())
    }
}

/// Whether a text denies that the reboot was done or will be.
#[must_use]
pub fn denies(text: &str) -> bool {
    text.to_lowercase().contains("nothing was done")
}

fn is_outcome(text: &str) -> bool {
    OUTCOMES.iter().any(|words| text.contains(words))
}

/// Words of the bot's English texts that end a reboot without one on the record, or say that its outcome is not known.
const OUTCOMES: [&str; 11] = [
    "did not reboot",
    "refused to reboot",
    "was not asked for",
    "did not come back",
    "confirmation ran out",
    "was asked",
    "reboot command failed",
    "took your confirmation",
    // The toasts.
    "nothing was done",
    "no longer in the network",
    "whether it took your press is not known",
];
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
