//! The one place that owns the model while it is on the network: the clock, the waiting calls, the faults.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::fault::Rules;
use crate::botapi::model::{Answer, Call, CallId, Model, Ms, Refusal, Source};

/// The model, shared by the listeners and by callers in the process.
pub(super) struct Hub {
    state: Mutex<State>,
    started: Instant,
    deadline_moved: Notify,
    version: watch::Sender<u64>,
    pub(super) faults: watch::Sender<Rules>,
    turned_away: AtomicUsize,
}

struct State {
    model: Model,
    waiting: HashMap<CallId, oneshot::Sender<Answer>>,
}

impl Hub {
    pub(super) fn new(model: Model) -> Self {
        Self {
            state: Mutex::new(State { model, waiting: HashMap::new() }),
            started: Instant::now(),
            deadline_moved: Notify::new(),
            version: watch::Sender::new(0),
            faults: watch::Sender::new(Rules::default()),
            turned_away: AtomicUsize::new(0),
        }
    }

    /// A fault answered in the server's place.
    pub(super) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was.
    pub(super) fn refused(&self) -> usize {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// The double's clock.
    pub(super) fn now(&self) -> Ms {
        Ms(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Hands a request to the model; the receiver gets the answer, perhaps much later.
    pub(super) fn call(&self, call: &Call) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        let now = self.now();
        let (id, answers) = state.model.call(now, call);
        state.waiting.insert(id, sender);
        self.deliver(&mut state, answers);
        receiver
    }

    /// Records a request that was no call, and words its refusal.
    pub(super) fn unreadable(&self, source: Source, method: &str, refusal: &Refusal) -> Answer {
        self.lock().model.unreadable(self.now(), source, method, refusal)
    }

    /// Lets somebody in the process look.
    pub(super) fn read<R>(&self, look: impl FnOnce(&Model, Ms) -> R) -> R {
        look(&self.lock().model, self.now())
    }

    /// Lets a person act; what it makes of waiting calls is sent off.
    pub(super) fn act<R>(&self, act: impl FnOnce(&mut Model, Ms) -> (R, Vec<Answer>)) -> R {
        let mut state = self.lock();
        let now = self.now();
        let (result, answers) = act(&mut state.model, now);
        self.deliver(&mut state, answers);
        result
    }

    /// Waits until something visible is newer than `version`, at most `limit`.
    pub(super) async fn changed_after(&self, version: u64, limit: Duration) {
        let mut versions = self.version.subscribe();
        // Whether it changed or the time ran out, the caller looks at the model next; so both results are dropped.
        let _ = tokio::time::timeout(limit, versions.wait_for(|now| *now > version)).await;
    }

    /// Performs what is due, for ever.
    pub(super) async fn run_clock(&self) {
        loop {
            let moved = self.deadline_moved.notified();
            let deadline = self.read(|model, _| model.deadline());
            match deadline {
                None => moved.await,
                Some(deadline) => {
                    let at = self.started + Duration::from_millis(deadline.0);
                    tokio::select! {
                        () = moved => {}
                        () = tokio::time::sleep_until(at) => self.act(|model, now| ((), model.tick(now))),
                    }
                }
            }
        }
    }

    fn deliver(&self, state: &mut State, answers: Vec<Answer>) {
        for answer in answers {
            if let Some(waiting) = state.waiting.remove(&answer.call) {
                // The client may be gone: Telegram's server does not notice either, and the answer is lost.
                let call = answer.call;
                if waiting.send(answer).is_err() {
                    state.model.unheard(call);
                }
            }
        }
        let version = state.model.version();
        self.version.send_if_modified(|seen| std::mem::replace(seen, version) != version);
        self.deadline_moved.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
