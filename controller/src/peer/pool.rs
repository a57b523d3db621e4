//! Kept-alive connections, a few a peer. One belongs to the certificate and address it was made for: another pin or address never gets it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use constella_shared::ids::{NodeId, Pin};
use constella_shared::limits::{PEER_POOL, PEER_POOL_IDLE_MS};

use super::Target;
use crate::clock;
use crate::http::Http;

/// Idle connections.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<HashMap<NodeId, Vec<Idle>>>);

#[derive(Debug)]
struct Idle {
    http: Http,
    pin: Pin,
    addr: String,
    since_ms: u64,
}

impl Pool {
    /// A connection that is open as far as is known, the youngest first. It is the taker's now: dropping it closes it.
    pub(super) fn take(&self, to: &Target) -> Option<Http> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = pool.get_mut(&to.node)?;
        let now = clock::now();
        idle.retain(|idle| {
            now.since(idle.since_ms) < PEER_POOL_IDLE_MS
                && idle.http.is_open()
                && idle.pin == to.pin
                && idle.addr == to.addr
        });
        let taken = idle.pop();
        if idle.is_empty() {
            pool.remove(&to.node);
        }
        taken.map(|idle| idle.http)
    }

    /// Puts a connection back after a whole answer.
    pub(super) fn keep(&self, to: &Target, http: Http) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = pool.entry(to.node).or_default();
        if idle.len() < PEER_POOL && http.is_open() {
            idle.push(Idle { http, pin: to.pin, addr: to.addr.clone(), since_ms: clock::now().boot_ms });
        }
    }

    /// Closes what is idle to a node.
    pub(super) fn forget(&self, node: &NodeId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(node);
    }

    /// Closes what has been idle for too long, to anybody.
    pub(super) fn sweep(&self) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        pool.retain(|_, idle| {
            idle.retain(|idle| now.since(idle.since_ms) < PEER_POOL_IDLE_MS && idle.http.is_open());
            !idle.is_empty()
        });
    }
}
