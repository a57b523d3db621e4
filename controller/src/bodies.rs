//! Bodies of requests on their way in: small ones freely, large ones only a few at once, so that no member takes this node's memory.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use constella_shared::ids::NodeId;
use constella_shared::limits::{LARGE_BODIES, LARGE_BODIES_OF_ONE, SMALL_BODY_BYTES};
use constella_shared::wire::rpc::RpcCode;
use warp::{Buf, Stream};

use crate::answer::Refusal;

/// The large bodies that are held now, by member. A clone counts the same ones.
#[derive(Debug, Clone, Default)]
pub struct Bodies(Arc<Mutex<HashMap<NodeId, usize>>>);

/// The place of a large body, free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    of: NodeId,
    bodies: Bodies,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.bodies.held();
        if let Some(count) = held.get_mut(&self.of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.of);
            }
        }
    }
}

impl Bodies {
    /// A member's whole body, never more than `limit` bytes of it. The place is to be kept as long as the body, and what was read from it.
    ///
    /// # Errors
    /// [`RpcCode::TooLarge`]; [`RpcCode::TooMany`] where too many large bodies are held, of this member or of all; [`RpcCode::BadRequest`] where
    /// it breaks off.
    pub async fn collect(
        &self,
        from: NodeId,
        body: impl Stream<Item = Result<impl Buf, warp::Error>>,
        limit: u64,
    ) -> Result<(Vec<u8>, Option<Place>), Refusal> {
        let mut place = None;
        let grown = |bytes: usize| {
            if bytes as u64 > SMALL_BODY_BYTES && place.is_none() {
                place = Some(self.place(from)?);
            }
            Ok(())
        };
        let all = gather(body, limit, grown).await?;
        Ok((all, place))
    }

    fn place(&self, of: NodeId) -> Result<Place, Refusal> {
        let mut held = self.held();
        let all: usize = held.values().sum();
        let count = held.entry(of).or_default();
        if all >= LARGE_BODIES || *count >= LARGE_BODIES_OF_ONE {
            return Err(Refusal::new(RpcCode::TooMany, "too many large requests are on their way; try again"));
        }
        *count += 1;
        Ok(Place { of, bodies: self.clone() })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<NodeId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stranger's whole body, never more than `limit` bytes of it.
///
/// # Errors
/// As [`Bodies::collect`].
pub async fn collect(body: impl Stream<Item = Result<impl Buf, warp::Error>>, limit: u64) -> Result<Vec<u8>, Refusal> {
    gather(body, limit, |_| Ok(())).await
}

async fn gather(
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
    limit: u64,
    mut grown: impl FnMut(usize) -> Result<(), Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let mut body = pin!(body);
    let mut all = Vec::new();
    while let Some(chunk) = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let mut chunk = chunk.map_err(|_| Refusal::new(RpcCode::BadRequest, "the body broke off"))?;
        let bytes = all.len() + chunk.remaining();
        if bytes as u64 > limit {
            return Err(Refusal::new(RpcCode::TooLarge, format!("the body is over {limit} bytes")));
        }
        grown(bytes)?;
        while chunk.has_remaining() {
            let part = chunk.chunk();
            all.extend_from_slice(part);
            let taken = part.len();
            chunk.advance(taken);
        }
    }
    Ok(all)
}
