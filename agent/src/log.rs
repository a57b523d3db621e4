//! Log lines on standard error, one sentence each: the agent says too little for a logging crate (a third of its size).

use std::fmt::Display;
use std::sync::OnceLock;

/// How grave a line is; `LOG` sets the least grave that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Someone must act.
    Error,
    /// Degraded, recovering.
    Warn,
    /// State changed.
    Info,
    /// The rest.
    Debug,
}

static LEAST: OnceLock<Level> = OnceLock::new();

/// Sets the least grave level, once; later calls change nothing.
pub(crate) fn set(least: Level) {
    // Only the first call counts, by design.
    let _ = LEAST.set(least);
}

/// Writes a fixed lower-case message and its data.
pub(crate) fn say(level: Level, message: &str, data: impl Display) {
    if level <= *LEAST.get_or_init(|| Level::Info) {
        eprintln!("{level:?}: {message}: {data}");
    }
}
