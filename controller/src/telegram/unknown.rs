//! What this version does not know of Telegram: logged once per kind, so that an operator learns that there is something new.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The kinds that were logged.
#[derive(Debug, Default)]
pub(super) struct Unknown(Mutex<BTreeSet<String>>);

impl Unknown {
    /// Logs that something of this kind came, the first time. `kind` may come from outside: only letters, digits, `_` and `.` of it are kept.
    pub(super) fn met(&self, kind: &str) {
        let kind: String =
            kind.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).take(KIND_CHARS).collect();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KINDS && known.insert(kind.clone()) {
            tracing::warn!(kind, "telegram sent a kind that this version does not know");
        }
    }

    /// The kinds so far.
    #[cfg(test)]
    pub(super) fn kinds(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Of a kind's name.
const KIND_CHARS: usize = 64;

/// Kinds that are logged: a Telegram that invents more of them in one run is not worth more lines.
const KINDS: usize = 64;
