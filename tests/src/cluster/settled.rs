//! When a network is settled: every running node sees the same, one of them holds strongly, and its poll is parked.

use std::time::Duration;

use constella_controller::control::StatusDocument;
use constella_shared::limits::VOTERS;
use constella_shared::wire::lease::Strength;
use tokio::time::{Instant, sleep};

use super::error::ClusterError;
use super::network::Network;

/// What the running nodes say of themselves at one moment, and who polls.
#[derive(Clone, Debug)]
pub struct View {
    /// The nodes that answer, in their order.
    pub nodes: Vec<StatusDocument>,
    /// The prefix of the client whose poll is parked at the Bot API.
    pub poller: Option<String>,
}

impl View {
    /// The name of the node whose strong lease everybody reports.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        let mut leases =
            self.nodes.iter().map(|node| node.lease.as_ref().filter(|view| view.strength == Strength::Strong));
        let holder = leases.next().flatten()?.holder.node;
        let agreed = leases.all(|lease| lease.is_some_and(|lease| lease.holder.node == holder));
        let found = self.nodes.iter().find(|node| node.node_id == holder)?;
        agreed.then_some(found.name.as_str())
    }

    /// Whether `running` of `members` nodes serve the owner together, as well as they can.
    fn is_settled(&self, running: usize, members: usize, all_have_the_token: bool) -> bool {
        let holder = self.holder();
        let voters = voters_of(members);
        self.nodes.len() == running
            && holder.is_some()
            && self.poller.as_deref() == holder
            && self.nodes.iter().all(|node| node.alive == running && node.members == members)
            && self.nodes.iter().all(|node| node.ready || !all_have_the_token)
            && self.nodes.iter().all(|node| node.voters.new.len() == voters && node.voters.old.is_empty())
    }

    fn sentence(&self) -> String {
        let node = |node: &StatusDocument| {
            let lease = node.lease.as_ref().map_or_else(
                || "no lease".to_owned(),
                |view| format!("{} holds term {} ({:?})", view.holder.node.short(), view.term, view.strength),
            );
            format!(
                "{} ({}) sees {} of {} alive, {lease}, bot {}, ready {}, voters {}+{}",
                node.name,
                node.node_id.short(),
                node.alive,
                node.members,
                node.bot,
                node.ready,
                node.voters.old.len(),
                node.voters.new.len()
            )
        };
        let nodes: Vec<_> = self.nodes.iter().map(node).collect();
        format!("{}; {} polls", nodes.join("; "), self.poller.as_deref().unwrap_or("nobody"))
    }
}

impl Network {
    /// Asks every running node.
    pub async fn view(&self) -> View {
        let mut nodes = Vec::new();
        for node in self.nodes().iter().filter(|node| node.is_running()) {
            // A node that does not answer is not in the view.
            nodes.extend(node.status().await.ok());
        }
        View { nodes, poller: self.double().summary().poller }
    }

    /// Waits until the running nodes serve the owner together; returns who holds.
    ///
    /// # Errors
    /// [`ClusterError::Late`] with what they say instead.
    pub async fn settled(&self, within: Duration) -> Result<String, ClusterError> {
        let members = self.nodes().iter().filter(|node| node.is_member()).count();
        self.sees("a settled network", within, |view| {
            let running = self.nodes().iter().filter(|node| node.is_running()).count();
            if view.is_settled(running, members, self.shares_token()) {
                view.holder().map(ToOwned::to_owned)
            } else {
                None
            }
        })
        .await
    }

    /// Waits until `find` finds something in the view.
    ///
    /// # Errors
    /// [`ClusterError::Late`] with what the nodes say instead.
    pub async fn sees<T>(
        &self,
        what: &str,
        within: Duration,
        find: impl Fn(&View) -> Option<T>,
    ) -> Result<T, ClusterError> {
        let by = Instant::now() + within;
        loop {
            let view = self.view().await;
            if let Some(found) = find(&view) {
                return Ok(found);
            }
            if Instant::now() >= by {
                return Err(ClusterError::Late { what: what.to_owned(), waited: within, seen: view.sentence() });
            }
            sleep(LOOK).await;
        }
    }
}

/// The largest odd number, at most seven (DESIGN 5).
fn voters_of(members: usize) -> usize {
    members.min(VOTERS).saturating_sub(1) / 2 * 2 + 1
}

/// Between two looks at all nodes.
const LOOK: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voters_are_the_largest_odd_number_up_to_seven() {
        let voters: Vec<_> = (1..=10).map(voters_of).collect();
        assert_eq!(voters, [1, 1, 3, 3, 5, 5, 7, 7, 7, 7]);
    }
}
