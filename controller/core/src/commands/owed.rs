//! Unfinished commands that Telegram will not redeliver, and who finishes them.

/// Whose it is to finish what Telegram counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    /// Nothing is open.
    Nothing,
    /// What this node had in hand as a holder, and others have too. Where it lost its majority it was cut off, and they finish it; or they died.
    Shared,
    /// What this node alone may have to finish: who took it may be dead, or nobody else has it.
    Orphaned,
}
