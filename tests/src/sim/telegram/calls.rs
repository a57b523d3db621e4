//! Calls of nodes that wait for Telegram's answer.

use constella_core::bot::kit::page::Screen;
use constella_core::io::CallId;

use super::Telegram;
use super::told::Writer;

/// A call of a node that has no answer yet.
#[derive(Debug, Clone)]
pub(in super::super) struct Open {
    pub(in super::super) host: usize,
    pub(in super::super) life: u64,
    pub(in super::super) call: CallId,
    /// Its connection died, and nobody was told: what the server answers goes nowhere.
    pub(in super::super) half_open: bool,
}

impl Telegram {
    /// A node calls; the number names the call until it is answered.
    pub(in super::super) fn begin(&mut self, open: Open) -> u64 {
        self.next_call += 1;
        self.open.insert(self.next_call, open);
        self.next_call
    }

    /// Who waits for this call.
    pub(in super::super) fn waiting(&self, number: u64) -> Option<&Open> {
        self.open.get(&number)
    }

    /// The caller has its answer, or waits no more. The server knows nothing of it: a parked poll stays parked.
    pub(in super::super) fn end(&mut self, number: u64) -> Option<Open> {
        self.open.remove(&number)
    }

    /// Which process made this call; None where it is gone.
    pub(super) fn writer(&self, number: u64) -> Writer {
        self.open.get(&number).map(|open| (open.host, open.life))
    }

    /// Whether a message is one of alerts; then it shows this now.
    pub(super) fn is_alert(&mut self, number: u64, message: i64, screen: &Screen) -> bool {
        let writer = self.writer(number);
        self.told.edited(writer, message, screen)
    }

    /// The number of a node's call.
    pub(in super::super) fn number(&self, host: usize, life: u64, call: CallId) -> Option<u64> {
        let same = |open: &Open| open.host == host && open.life == life && open.call == call;
        self.open.iter().find(|(_, open)| same(open)).map(|(number, _)| *number)
    }

    /// A dead process waits for nothing.
    pub(in super::super) fn forget(&mut self, host: usize) {
        self.open.retain(|_, open| open.host != host);
    }

    /// The connections of this node's waiting calls die, and neither end is told.
    pub(in super::super) fn half_open(&mut self, host: usize) {
        for open in self.open.values_mut().filter(|open| open.host == host) {
            open.half_open = true;
        }
    }
}
