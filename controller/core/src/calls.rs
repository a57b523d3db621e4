//! Numbers the requests of one life of a node, so that every answer finds who waits for it.

use crate::io::CallId;

/// Hands out [`CallId`]s, each once.
#[derive(Debug, Default)]
pub struct Calls(u64);

impl Calls {
    /// Begins with 1.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// An id that was never handed out before: at a million a second, half a million years last.
    pub const fn next(&mut self) -> CallId {
        self.0 = self.0.wrapping_add(1);
        CallId(self.0)
    }
}
