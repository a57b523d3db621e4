//! Numbers for calls: each is used once in a process.

use crate::io::CallId;

/// The source of [`CallId`]s.
#[derive(Debug, Default)]
pub struct Calls(u64);

impl Calls {
    /// A number that was not used before.
    pub const fn next(&mut self) -> CallId {
        self.0 = self.0.wrapping_add(1);
        CallId(self.0)
    }
}
