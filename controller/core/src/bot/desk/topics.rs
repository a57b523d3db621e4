//! In which topic of its chat an update was sent: the answer goes there too.

use alloc::collections::VecDeque;

/// The topics of the last updates. Not stored: an answer that a successor gives stands outside of the topics, where its reader finds it as well.
#[derive(Debug, Default)]
pub(super) struct Topics(VecDeque<(i64, i64)>);

impl Topics {
    /// An update was sent in this topic.
    pub(super) fn note(&mut self, update: i64, thread: i64) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((update, thread));
    }

    /// The topic of an update, where it was sent in one.
    pub(super) fn of(&self, update: i64) -> Option<i64> {
        self.0.iter().rev().find(|(id, _)| *id == update).map(|(_, thread)| *thread)
    }
}

/// As many as one poll brings, and some that still wait for their answers.
const KEPT: usize = 256;
