//! Connections to members: a few idle ones a peer, and those that are being made. A dial belongs to nobody's call: who waits for it may give
//! up, and the connection is there for the next. One belongs to the certificate and address it was made for: another pin or address never
//! gets it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use constella_core::io::CallError;
use constella_shared::ids::{NodeId, Pin};
use constella_shared::limits::{
    PEER_DIAL_AGAIN_MS, PEER_DIALS, PEER_DIALS_YOUNG, PEER_FAR_MS, PEER_POOL, PEER_POOL_IDLE_MS,
};
use tokio::sync::oneshot;

use super::Target;
use crate::clock;
use crate::http::Http;

/// A connection, or why there is none.
pub(super) type Dialled = Result<Http, CallError>;

/// All connections that no call uses.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<HashMap<NodeId, Line>>);

/// What there is to one peer.
#[derive(Debug)]
struct Line {
    pin: Pin,
    addr: String,
    idle: Vec<Idle>,
    /// Calls without a connection, in their order.
    waiting: VecDeque<oneshot::Sender<Dialled>>,
    /// When each dial that is under way began.
    dials: Vec<u64>,
    /// A dial was measured to take long.
    far: bool,
}

#[derive(Debug)]
struct Idle {
    http: Http,
    since_ms: u64,
}

/// What a call gets.
#[derive(Debug)]
pub(super) enum Taken {
    /// A connection that is open as far as is known, the youngest first. It is the taker's now: dropping it closes it.
    Open(Http),
    /// The next connection that is free or made.
    Later(oneshot::Receiver<Dialled>),
}

/// A dial that was entered in the pool and is to be made now; it ends with [`Pool::dialled`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun(u64);

impl Pool {
    /// A connection now or later; and whether a dial is to be begun.
    pub(super) fn take(&self, to: &Target) -> (Taken, Option<Begun>) {
        let mut pool = self.lock();
        let line = Line::of(&mut pool, to);
        let now = clock::now();
        line.idle.retain(|idle| now.since(idle.since_ms) < PEER_POOL_IDLE_MS && idle.http.is_open());
        if let Some(idle) = line.idle.pop() {
            // The next call would wait for two round trips: over a long wire there is a spare one.
            let spare = if line.far && line.idle.is_empty() { line.enter_one(now.boot_ms) } else { None };
            return (Taken::Open(idle.http), spare);
        }
        let (sender, receiver) = oneshot::channel();
        line.waiting.retain(|waiting| !waiting.is_closed());
        line.waiting.push_back(sender);
        (Taken::Later(receiver), line.begin(now.boot_ms))
    }

    /// A call had no answer in time: its connection may be at fault, and with it those that were made before. A new one will be the first to
    /// be taken.
    pub(super) fn renew(&self, to: &Target) -> Option<Begun> {
        let mut pool = self.lock();
        let line = Line::of(&mut pool, to);
        line.enter_one(clock::now().boot_ms)
    }

    /// How long a dial took.
    pub(super) fn measured(&self, to: &Target, took_ms: u128) {
        if let Some(line) = self.lock().get_mut(&to.node).filter(|line| line.is_to(to)) {
            line.far = took_ms >= u128::from(PEER_FAR_MS);
        }
    }

    /// A dial ended. Who waits gets the connection, or all who wait learn why there is none.
    pub(super) fn dialled(&self, to: &Target, begun: Begun, result: Dialled) {
        let mut pool = self.lock();
        let Some(line) = pool.get_mut(&to.node).filter(|line| line.is_to(to)) else { return };
        if let Some(at) = line.dials.iter().position(|dial| *dial == begun.0) {
            line.dials.swap_remove(at);
        }
        match result {
            Ok(http) => line.give(http),
            Err(why) => {
                for waiting in line.waiting.drain(..) {
                    // Who gave up meanwhile misses nothing.
                    let _ = waiting.send(Err(why.clone()));
                }
            }
        }
    }

    /// Puts a connection back after a whole answer.
    pub(super) fn keep(&self, to: &Target, http: Http) {
        if http.is_open() {
            let mut pool = self.lock();
            Line::of(&mut pool, to).give(http);
        }
    }

    /// Closes what is idle to a node.
    pub(super) fn forget(&self, node: &NodeId) {
        if let Some(line) = self.lock().get_mut(node) {
            line.idle.clear();
        }
    }

    /// Closes what has been idle for too long, to anybody.
    pub(super) fn sweep(&self) {
        let now = clock::now();
        self.lock().retain(|_, line| {
            line.idle.retain(|idle| now.since(idle.since_ms) < PEER_POOL_IDLE_MS && idle.http.is_open());
            line.waiting.retain(|waiting| !waiting.is_closed());
            !(line.idle.is_empty() && line.waiting.is_empty() && line.dials.is_empty())
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// The line to a peer as it is reached now. What there was to an earlier address or certificate is closed, and who waits for it is told so
    /// by the end of the channel.
    fn of<'a>(pool: &'a mut HashMap<NodeId, Self>, to: &Target) -> &'a mut Self {
        let fresh = || Self {
            pin: to.pin,
            addr: to.addr.clone(),
            idle: Vec::new(),
            waiting: VecDeque::new(),
            dials: Vec::new(),
            far: false,
        };
        let line = pool.entry(to.node).or_insert_with(fresh);
        if !line.is_to(to) {
            *line = fresh();
        }
        line
    }

    fn is_to(&self, to: &Target) -> bool {
        self.pin == to.pin && self.addr == to.addr
    }

    /// To the first who still waits, else it is idle.
    fn give(&mut self, http: Http) {
        let mut given = Ok(http);
        while let Some(waiting) = self.waiting.pop_front() {
            match waiting.send(given) {
                Ok(()) => return,
                Err(back) => given = back,
            }
        }
        if let Ok(http) = given
            && self.idle.len() < PEER_POOL
        {
            self.idle.push(Idle { http, since_ms: clock::now().boot_ms });
        }
    }

    /// A dial for who has just begun to wait, where not enough of them are under way. One that hangs (a lost SYN is sent again after 1, 3 and 7 s)
    /// does not keep others from being begun.
    fn begin(&mut self, now_ms: u64) -> Option<Begun> {
        let young = self.dials.iter().filter(|dial| now_ms.saturating_sub(**dial) < PEER_DIAL_AGAIN_MS).count();
        if young < self.waiting.len().min(PEER_DIALS_YOUNG) { self.enter(now_ms) } else { None }
    }

    /// Where none is under way.
    fn enter_one(&mut self, now_ms: u64) -> Option<Begun> {
        if self.dials.is_empty() { self.enter(now_ms) } else { None }
    }

    fn enter(&mut self, now_ms: u64) -> Option<Begun> {
        (self.dials.len() < PEER_DIALS).then(|| {
            self.dials.push(now_ms);
            Begun(now_ms)
        })
    }
}
