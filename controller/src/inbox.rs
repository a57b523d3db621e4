//! The way to the core: whoever has a request puts it here and waits for its one answer.

use constella_core::io::{Input, JoinAttempt, OperatorAnswer, OperatorRequest, PeerRequest, PeerResponse};
use constella_shared::ids::NodeId;
use constella_shared::limits::INBOX;
use constella_shared::wire::join::JoinAnswer;
use constella_shared::wire::rpc::{RpcCode, RpcError};
use tokio::sync::{mpsc, oneshot};

/// Where an answer goes.
pub type Reply<T> = oneshot::Sender<Result<T, RpcError>>;

/// What waits for the core.
#[derive(Debug)]
pub enum Event {
    /// A member's verified request.
    Peer(NodeId, PeerRequest, Reply<PeerResponse>),
    /// A stranger's `/join`.
    Join(JoinAttempt, Reply<JoinAnswer>),
    /// The operator's.
    Operator(OperatorRequest, Reply<OperatorAnswer>),
    /// The answer to something that the core asked for.
    Input(Input),
}

/// The sending end; clones send to the same core.
#[derive(Debug, Clone)]
pub struct Inbox(mpsc::Sender<Event>);

impl Inbox {
    /// An inbox and the core's end of it.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(INBOX);
        (Self(sender), receiver)
    }

    /// Asks for a member.
    ///
    /// # Errors
    /// The core's refusal; [`RpcCode::TooMany`] where the inbox is full; [`RpcCode::Stopping`] where the core is gone.
    pub async fn peer(&self, from: NodeId, request: PeerRequest) -> Result<PeerResponse, RpcError> {
        self.ask(|reply| Event::Peer(from, request, reply)).await
    }

    /// Asks for a joiner.
    ///
    /// # Errors
    /// As [`Inbox::peer`].
    pub async fn join(&self, attempt: JoinAttempt) -> Result<JoinAnswer, RpcError> {
        self.ask(|reply| Event::Join(attempt, reply)).await
    }

    /// Asks for the operator.
    ///
    /// # Errors
    /// As [`Inbox::peer`].
    pub async fn operator(&self, request: OperatorRequest) -> Result<OperatorAnswer, RpcError> {
        self.ask(|reply| Event::Operator(request, reply)).await
    }

    /// Hands the core an answer that it waits for. Waits while the inbox is full: an answer must not be lost.
    pub async fn input(&self, input: Input) {
        // The core is gone when the process stops; then nobody waits for the answer.
        let _ = self.0.send(Event::Input(input)).await;
    }

    async fn ask<T>(&self, event: impl FnOnce(Reply<T>) -> Event) -> Result<T, RpcError> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(event(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => refusal(RpcCode::TooMany, "this node has too much to do; try again"),
            mpsc::error::TrySendError::Closed(_) => refusal(RpcCode::Stopping, "this node is stopping"),
        })?;
        answer.await.unwrap_or_else(|_| Err(refusal(RpcCode::Stopping, "this node is stopping")))
    }
}

fn refusal(code: RpcCode, message: &str) -> RpcError {
    RpcError { code, message: message.into() }
}
