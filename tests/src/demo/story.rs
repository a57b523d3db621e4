//! The demo's story without a browser: what the owner does, and what the phone shows after each step.

use std::time::Duration;

use crate::botapi::view::{ChatView, MessageView};
use crate::cluster::{ClusterError, Network};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// From the leader's death to the next leader's answer to a command that the owner sent after it.
    pub failover: Duration,
    /// Who led, and who leads.
    pub leaders: (String, String),
}

/// Plays everything; `tell` is given each step and what the phone shows after it.
///
/// # Errors
/// A step did not come about; the error shows what did.
pub async fn play(network: &Network, tell: &mut dyn FnMut(&str)) -> Result<Outcome, ClusterError> {
    let mut story = Story { network, tell, step: 0 };
    story.meet().await?;
    story.look().await?;
    story.speedtest().await?;
    story.reboot().await?;
    let outcome = story.failover().await?;
    story.recovery(&outcome).await?;
    Ok(outcome)
}

struct Story<'a> {
    network: &'a Network,
    tell: &'a mut dyn FnMut(&str),
    step: usize,
}

impl Story<'_> {
    async fn meet(&mut self) -> Result<(), ClusterError> {
        self.say("The owner opens the link that `init` printed.");
        let welcome = self.network.claim().await?;
        self.show(&welcome);
        self.say("The owner sends /nodes.");
        let asked = self.network.owner().ask("/nodes", PATIENCE).await?;
        // The newest servers have joined seconds ago, and the three have just begun to vote.
        (self.tell)(&format!("(answered after {:.1} s)", asked.took.as_secs_f64()));
        let answer = asked.value;
        let names = self.names();
        let all = format!("{} of {}", names.len(), names.len());
        self.show(&answer);
        if answer.text.contains(&all) && names.iter().all(|name| answer.text.contains(name.as_str())) {
            Ok(())
        } else {
            Err(late("the list of all nodes", answer.screen()))
        }
    }

    async fn look(&mut self) -> Result<(), ClusterError> {
        let name = self.follower(1)?;
        self.say(&format!("The owner opens {name}'s card."));
        self.press(&name).await?;
        self.wait("a card with figures", |message| {
            ["CPU", "RAM", "Uptime"].iter().all(|figure| message.text.contains(figure)) && message.text.contains('%')
        })
        .await
    }

    async fn speedtest(&mut self) -> Result<(), ClusterError> {
        self.say("The owner starts a speedtest, against a server on this machine.");
        self.press("Speedtest").await?;
        self.wait("the speedtest's result", |message| {
            message.text.contains("speedtest finished") && message.text.contains("bit/s")
        })
        .await
    }

    async fn reboot(&mut self) -> Result<(), ClusterError> {
        let name = self.follower(2)?;
        self.say(&format!("The owner goes back to the list, opens {name} and asks for a reboot."));
        self.press("List").await?;
        let shown = name.clone();
        self.see("the list", move |message| message.labels().iter().any(|label| label.contains(&shown))).await?;
        self.press(&name).await?;
        self.see("the card", |message| message.labels().iter().any(|label| label.contains("Reboot"))).await?;
        let before = self.network.node(&name)?.reboots().len();
        self.press("Reboot").await?;
        self.wait("the confirmation", |message| message.labels().iter().any(|label| label.contains("Yes"))).await?;
        self.say("The owner confirms; the host records the reboot, goes away, and comes back with another boot id.");
        self.press("Yes").await?;
        let back = format!("{name} is back");
        self.wait("the host's return", move |message| message.text.contains(&back)).await?;
        match self.network.node(&name)?.reboots().len() - before {
            1 => Ok(()),
            times => Err(late("one recorded reboot", format!("{times} recorded reboots"))),
        }
    }

    async fn failover(&mut self) -> Result<Outcome, ClusterError> {
        let first = self.network.settled(PATIENCE).await?;
        self.say(&format!("{first} leads. Its processes are killed (-9), and the owner sends /nodes."));
        let message = self.newest().await?;
        self.network.node(&first)?.kill()?;
        let answer = self.network.owner().ask("/nodes", PATIENCE).await?;
        self.show(&answer.value);
        (self.tell)(&format!("(answered after {:.1} s)", answer.took.as_secs_f64()));
        self.say(&format!("The phone is told that {first} is down, with a sound, by whoever leads now."));
        self.told(&format!("{first} is down")).await?;
        self.network.owner().ask("/nodes", PATIENCE).await?;
        let down = first.clone();
        self.say(&format!("The list shows {first} down, and who leads now."));
        let next = self.network.settled(PATIENCE).await?;
        let host = next.clone();
        self.refresh_until("the list of the new leader", move |message| {
            let line_of = |name: &str| message.text.lines().find(|line| line.contains(name)).map(ToOwned::to_owned);
            line_of(&host).is_some_and(|line| line.contains(HOST))
                && line_of(&down).is_some_and(|line| line.contains("🔴"))
        })
        .await?;
        if next == first || self.newest().await? < message {
            return Err(late("another leader with the same chat", format!("{next} leads")));
        }
        Ok(Outcome { failover: answer.took, leaders: (first, next) })
    }

    async fn recovery(&mut self, outcome: &Outcome) -> Result<(), ClusterError> {
        let first = &outcome.leaders.0;
        self.say(&format!("{first} is started again."));
        self.network.node(first)?.start()?;
        self.say("The message says how long it was down, and a note tells that it is back.");
        self.told(&format!("{first} is up again. It was down")).await?;
        self.told(&format!("{first} is up again after")).await?;
        self.network.owner().ask("/nodes", PATIENCE).await?;
        let all = format!("{0} of {0}", self.network.nodes().len());
        self.refresh_until("all nodes up again", move |message| message.text.contains(&all)).await
    }

    fn say(&mut self, what: &str) {
        self.step += 1;
        (self.tell)(&format!("\n{}. {what}", self.step));
    }

    fn show(&mut self, message: &MessageView) {
        for line in message.screen().lines() {
            (self.tell)(&format!("    | {line}"));
        }
    }

    async fn press(&self, label: &str) -> Result<(), ClusterError> {
        Ok(self.network.owner().press(label).await.map(drop)?)
    }

    async fn see(&self, what: &str, is_it: impl Fn(&MessageView) -> bool) -> Result<MessageView, ClusterError> {
        self.see_within(what, PATIENCE, is_it).await
    }

    /// Waits for the bot's last message to be it: what scrolled away is not what the owner looks at.
    async fn see_within(
        &self,
        what: &str,
        within: Duration,
        is_it: impl Fn(&MessageView) -> bool,
    ) -> Result<MessageView, ClusterError> {
        let last = |chat: &ChatView| chat.last_from_bot().filter(|message| is_it(message)).cloned();
        Ok(self.network.owner().wait_for(what, within, last).await?.value)
    }

    async fn wait(&mut self, what: &str, is_it: impl Fn(&MessageView) -> bool) -> Result<(), ClusterError> {
        let message = self.see(what, is_it).await?;
        self.show(&message);
        Ok(())
    }

    /// Presses Refresh, as an owner does who waits for something, until the message shows it.
    async fn refresh_until(&mut self, what: &str, is_it: impl Fn(&MessageView) -> bool) -> Result<(), ClusterError> {
        for _ in 0..REFRESHES {
            let tap = self.network.owner().press("Refresh").await?;
            self.network.owner().answered(&tap, PATIENCE).await?;
            if let Ok(seen) = self.see_within(what, REFRESH_EVERY, &is_it).await {
                self.show(&seen);
                return Ok(());
            }
        }
        self.wait(what, is_it).await
    }

    /// Waits for a message of the bot with these words, wherever it stands in the chat.
    async fn told(&mut self, words: &str) -> Result<(), ClusterError> {
        let told = self.network.owner().sees(words, PATIENCE, |message| message.text.contains(words)).await?;
        self.show(&told.value);
        Ok(())
    }

    async fn newest(&self) -> Result<crate::botapi::model::MessageId, ClusterError> {
        let chat = self.network.owner().chat().await?;
        let newest = chat.last_from_bot().map(|message| message.id);
        newest.ok_or_else(|| late("a message of the bot", "an empty chat".to_owned()))
    }

    fn names(&self) -> Vec<String> {
        self.network.nodes().iter().map(|node| node.name().to_owned()).collect()
    }

    /// A node that does not lead at the start: the first one does.
    fn follower(&self, wanted: usize) -> Result<String, ClusterError> {
        let index = wanted.min(self.network.nodes().len().saturating_sub(1));
        Ok(self.network.at(index)?.name().to_owned())
    }
}

fn late(what: &str, seen: String) -> ClusterError {
    ClusterError::Late { what: what.to_owned(), waited: Duration::ZERO, seen }
}

/// The mark of the leader, for an owner who reads English.
const HOST: &str = "“Host”";
/// For each step, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(45);
/// An owner's patience between two presses.
const REFRESH_EVERY: Duration = Duration::from_secs(2);
/// Together longer than a node needs to be seen down.
const REFRESHES: usize = 20;
