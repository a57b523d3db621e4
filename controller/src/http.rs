//! One HTTP/1.1 connection of a client, over TLS or a unix socket. It knows whether a request was sent at all, which decides whether asking again is safe.

use bytes::Bytes;
use constella_shared::wire::PROTOCOL_HEADER;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection that carries one request at a time.
#[derive(Debug)]
pub struct Http(SendRequest<Full<Bytes>>);

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's word.
    pub status: StatusCode,
    /// The protocol that the other side announces, where it does.
    pub protocol: Option<u32>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nothing of the request left: asking again is safe.
    #[error("the connection was closed before anything was sent")]
    NotSent,
    /// The request may have arrived.
    #[error("the connection broke before the answer was there")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Http {
    /// Begins to speak on a stream.
    ///
    /// # Errors
    /// [`HttpError::NotSent`].
    pub async fn open<S>(stream: S) -> Result<Self, HttpError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| HttpError::NotSent)?;
        // Ends with the connection; whoever waits for an answer on it is told by hyper itself.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Whether another request can be sent, as far as is known here.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and reads its answer, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn send(&mut self, request: Request<Full<Bytes>>, limit: usize) -> Result<Answer, HttpError> {
        self.0.ready().await.map_err(|_| HttpError::NotSent)?;
        let response = self.0.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(_) => HttpError::NotSent,
            None => HttpError::Lost(error.into_error().into()),
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(HttpError::Lost)?;
        let protocol = announced(&head.headers);
        Ok(Answer { status: head.status, protocol, body: body.to_bytes() })
    }
}

/// The protocol that the sender of these headers announces, where it does.
#[must_use]
pub fn announced(headers: &HeaderMap) -> Option<u32> {
    headers.get(PROTOCOL_HEADER)?.to_str().ok()?.parse().ok()
}
