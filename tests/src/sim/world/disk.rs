//! Disks that take nothing: what the shell tells the core of them.

use constella_core::io::{DocumentName, Input, Output, Trouble};

use super::super::act::ms;
use super::super::event::Event;
use super::super::host::Full;
use super::World;

impl World {
    /// The disk of a node runs full.
    pub(super) fn disk_fills(&mut self, node: &str, for_s: f64, hard: bool) {
        let Some(at) = self.named(node) else { return };
        self.freezes += 1;
        let number = self.freezes;
        self.with_host(at, |host| {
            host.full = Some(Full { number, hard });
            host.was_full = true;
            host.was_hard |= hard;
        });
        self.agenda.add(self.t + ms(for_s), Event::DiskEmpties { host: at, number });
        self.looks_at_its_disk(at);
    }

    /// It has room again, unless it ran full anew meanwhile.
    pub(super) fn disk_empties(&mut self, at: usize, number: u64) {
        if self.hosts.get(at).is_some_and(|host| host.full.is_some_and(|full| full.number == number)) {
            self.with_host(at, |host| host.full = None);
            self.looks_at_its_disk(at);
        }
    }

    /// The shell looks every two seconds, and tells what it finds. A disk that fails without being full shows itself by its writes alone.
    pub(super) fn looks_at_its_disk(&mut self, at: usize) {
        let after = self.dice.below(LOOK_EVERY_MS);
        let Some(host) = self.hosts.get(at) else { return };
        let room = host.full.filter(|full| !full.hard).map(|_| Trouble::Full);
        let event = Event::Owed { host: at, life: host.life, input: Box::new(Input::Room(room)) };
        self.agenda.add(self.t + after, event);
    }

    /// The document that cannot be written.
    pub(super) fn refused(&mut self, at: usize, output: &Output) -> Option<DocumentName> {
        let Output::Persist(document) = output else { return None };
        let (host, name) = (self.hosts.get(at)?, document.name());
        host.refuses(name, &mut self.dice).then_some(name)
    }

    /// The core decides what of the rest of its step may leave.
    pub(super) fn unwritten(&mut self, at: usize, document: DocumentName, rest: Vec<Output>) -> Vec<Output> {
        let t = self.t;
        let Some(host) = self.hosts.get_mut(at) else { return Vec::new() };
        let now = host.clock.now(t);
        let why = if host.full.is_some_and(|full| full.hard) { Trouble::Failing } else { Trouble::Full };
        let Some(process) = host.process.as_mut() else { return Vec::new() };
        process.node.handle(now, Input::Unwritten { document, why, rest })
    }
}

/// Between two looks of the shell at its state folder.
const LOOK_EVERY_MS: u64 = 2_000;
