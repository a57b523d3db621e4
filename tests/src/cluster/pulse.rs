//! How late this very process is: it carries all wires and the Bot API, so what it measures is no better than its own turn on the processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// A task that wakes up all the time, and remembers by how much it was late at worst. It ends with this.
#[derive(Debug)]
pub struct Pulse {
    worst_us: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Pulse {
    /// Begins to beat, on this runtime.
    #[must_use]
    pub fn start() -> Self {
        let worst_us = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(beat(Arc::clone(&worst_us))).abort_handle();
        Self { worst_us, task }
    }

    /// By how much it was late at worst since this was last asked.
    #[must_use]
    pub fn worst(&self) -> Duration {
        Duration::from_micros(self.worst_us.swap(0, Ordering::Relaxed))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn beat(worst_us: Arc<AtomicU64>) {
    loop {
        let due = Instant::now() + EVERY;
        sleep(EVERY).await;
        let late_us = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        worst_us.fetch_max(late_us, Ordering::Relaxed);
    }
}

/// Short beside any wait that is measured.
const EVERY: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_that_is_held_up_is_seen_once() {
        let pulse = Pulse::start();
        sleep(EVERY * 3).await;
        let _ = pulse.worst();
        std::thread::sleep(HELD_UP);
        sleep(EVERY * 3).await;
        assert!(pulse.worst() > HELD_UP / 2);
        assert!(pulse.worst().is_zero());
    }

    const HELD_UP: Duration = Duration::from_millis(300);
}
