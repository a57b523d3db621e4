//! What changed in this step, for the log.

use constella_shared::wire::lease::LeaseView;

use super::Node;
use crate::clock::Now;
use crate::io::{Note, Output};

impl Node {
    /// The lease and what this node does at the bot, where either is another than before.
    pub(super) fn note_changes(&mut self, now: Now) {
        let lease = self.held.map(|strength| (self.claim.term(), strength));
        if lease != self.noted.1 {
            self.noted.1 = lease;
            let view: Option<LeaseView> = self.my_lease(now);
            let why = if lease.is_some() { "granted" } else { "let go, lost or lapsed" };
            self.out.push(Output::Note(Note::Lease { view, why }));
        }
        let state = self.bot_state();
        if state != self.noted.0 {
            self.noted.0 = state;
            self.out.push(Output::Note(Note::Bot { state, why: "by the lease and the fence" }));
        }
    }
}
