//! Faults on the way between one client and the Bot API.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Whose way is disturbed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Every client's.
    All,
    /// Clients that connect from this address (127.0.0.x on loopback).
    Ip(IpAddr),
    /// Clients whose `TELEGRAM_API_URL` ends in this path.
    Prefix(String),
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Connections are closed at once, those of waiting calls too.
    Refuse,
    /// Packets vanish: requests never reach the server, and what the server answers does not come back. When it ends,
    /// an answer that was given meanwhile arrives late, and a request that had vanished finds its connection closed.
    Silent,
    /// Requests arrive this many milliseconds late.
    Delay(u64),
    /// The request is performed, then its connection closes without an answer.
    LoseAnswer,
    /// Answered with this 5xx, unperformed.
    Status(u16),
    /// Answered 429 with this `retry_after`, unperformed.
    TooManyRequests(u64),
}

/// A fault, its target, and optionally the only methods that it touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Whose way.
    pub target: Target,
    /// What goes wrong.
    pub fault: Fault,
    /// In lower case, as in `getupdates`; empty is all methods.
    #[serde(default)]
    pub only: Vec<String>,
}

/// All faults of the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a rule; it replaces one with the same target and methods.
    pub fn set(&mut self, rule: Rule) {
        self.clear(&rule.target, &rule.only);
        self.0.push(rule);
    }

    /// Removes the rule with this target and methods.
    pub fn clear(&mut self, target: &Target, only: &[String]) {
        self.0.retain(|rule| rule.target != *target || rule.only != only);
    }

    /// Removes everything.
    pub fn clear_all(&mut self) {
        self.0.clear();
    }

    /// What happens to a call: the newest rule that fits.
    #[must_use]
    pub fn verdict(&self, ip: IpAddr, prefix: &str, method: &str) -> Option<Fault> {
        let fits = |rule: &&Rule| {
            let whose = match &rule.target {
                Target::All => true,
                Target::Ip(wanted) => *wanted == ip,
                Target::Prefix(wanted) => wanted == prefix,
            };
            whose && (rule.only.is_empty() || rule.only.iter().any(|wanted| wanted.eq_ignore_ascii_case(method)))
        };
        self.0.iter().rev().find(fits).map(|rule| rule.fault)
    }

    /// Whether a connection from this address is closed before anything is read from it.
    #[must_use]
    pub fn refuses(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|rule| {
            rule.fault == Fault::Refuse
                && rule.only.is_empty()
                && matches!(&rule.target, Target::All | Target::Ip(_))
                && !matches!(&rule.target, Target::Ip(wanted) if *wanted != ip)
        })
    }
}
