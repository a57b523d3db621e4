//! What happens at one instant of the run.

use std::collections::BTreeMap;

use constella_core::io::{
    AgentFailure, AgentReply, BotCall, BotError, BotReply, CallError, CallId, Input, JoinAttempt, PeerRequest,
    PeerResponse,
};
use constella_shared::wire::join::JoinAnswer;
use constella_shared::wire::rpc::RpcError;

use super::world::operator::Asked;

/// One event.
pub(super) enum Event {
    /// The core's own deadline.
    Wake { host: usize },
    /// A dial is done; the call that has waited longest for it leaves.
    Connected { host: usize, life: u64, to: usize, took: u64 },
    /// Nobody reads on for an answer that late.
    Forget { flight: u64 },
    /// A request arrives.
    Request {
        flight: u64,
        from: usize,
        to: usize,
        to_life: u64,
        sent_unix_ms: u64,
        first: bool,
        request: Box<PeerRequest>,
    },
    /// An answer arrives.
    Answer { flight: u64, result: Box<Result<PeerResponse, CallError>> },
    /// A call's time is over.
    Expire { flight: u64 },
    /// A call arrives at Telegram.
    AtTelegram { number: u64, host: usize, request: Box<BotCall> },
    /// Telegram's answer arrives.
    FromTelegram { number: u64, result: Box<Result<BotReply, BotError>> },
    /// A call to Telegram ran out of time.
    BotExpire { number: u64 },
    /// The agent's answer.
    Agent { host: usize, life: u64, call: CallId, result: Box<Result<AgentReply, AgentFailure>> },
    /// The shell owes the core this.
    Owed { host: usize, life: u64, input: Box<Input> },
    /// A new server tries a seed.
    JoinTry { host: usize, number: u64 },
    /// Its request arrives there.
    JoinArrives { host: usize, number: u64, seed: usize, join: Box<JoinAttempt> },
    /// The seed's answer arrives.
    JoinAnswer { host: usize, number: u64, result: Box<Result<JoinAnswer, RpcError>> },
    /// The operator asks once more.
    AskAgain(Box<Asked>),
    /// Telegram's own deadline.
    Telegram,
    /// The stranger polls.
    Stranger,
    /// A process starts.
    Start { host: usize, life: u64 },
    /// A host goes down to boot again.
    GoDown { host: usize, boots: u64 },
    /// A host's kernel is back.
    PowerOn { host: usize },
    /// A frozen one goes on.
    Resume { host: usize, number: u64 },
    /// A rule of the network ends.
    EndRule(u64),
    /// Telegram is well again for a host.
    EndReach { host: usize, number: u64 },
    /// An agent is back.
    AgentBack { host: usize },
    /// A disk has room again.
    DiskEmpties { host: usize, number: u64 },
    /// The webhook is deleted, or the stranger leaves.
    EndWebhook,
    /// The stranger leaves.
    EndStranger,
    /// What the scenario says next.
    Act(usize),
}

/// Events by time; those of one instant in the order in which they were added.
#[derive(Default)]
pub(super) struct Agenda {
    events: BTreeMap<(u64, u64), Event>,
    next: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at: u64, event: Event) {
        self.next += 1;
        self.events.insert((at, self.next), event);
    }

    /// The next event up to and including this instant.
    pub(super) fn next(&mut self, until: u64) -> Option<(u64, Event)> {
        let entry = self.events.first_entry()?;
        let at = entry.key().0;
        (at <= until).then(|| (at, entry.remove()))
    }
}
