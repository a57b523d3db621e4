//! A whole network does what its owner wants: words alone could say for ever why not.

use super::super::act::{Act, Button};
use super::super::host::Host;
use super::super::rules::Broken;
use super::{World, seconds};

impl World {
    /// Demands that a reboot is done that the owner confirms now: of the member that has seen the highest term, for it is the likeliest to refuse.
    ///
    /// # Errors
    /// Its host does not do it within [`OBEYS_MS`].
    pub(super) fn demand_obedience(&mut self) -> Result<(), Broken> {
        let counted = self.figures.reboots;
        let obeyed = self.obeys();
        // What is asked here is not of the run.
        self.figures.reboots = counted;
        obeyed
    }

    fn obeys(&mut self) -> Result<(), Broken> {
        let until = self.t + OBEYS_MS;
        // A bot that changes hands in between shows the list, and whoever confirmed must begin anew.
        while self.t < until {
            self.plan(self.t, Act::Say { text: "/nodes".to_owned() });
            if !self.waits(|world| world.proudest().is_some()) {
                continue;
            }
            let Some(at) = self.proudest() else { continue };
            let before = self.reboots(at);
            let steps = [Button::Card, Button::Reboot, Button::Confirm];
            let confirmed = steps.into_iter().all(|button| self.presses_when_shown(button, at));
            if confirmed && self.waits(|world| world.reboots(at) > before) {
                return Ok(());
            }
            if let Some(broken) = self.broken() {
                return Err(broken.clone());
            }
        }
        let what = format!("a whole network did no reboot in {} s", seconds(OBEYS_MS));
        Err(Broken { at_ms: self.t, rule: "F6", what })
    }

    /// Of the members that the list shows.
    fn proudest(&self) -> Option<usize> {
        let listed = |host: &Host| self.telegram.offers(Button::Card, &host.tag());
        let members = self.hosts.iter().enumerate().filter(|(_, host)| host.runs() && listed(host));
        members.max_by_key(|(_, host)| host.disk.as_ref().map(|disk| disk.vote.term)).map(|(at, _)| at)
    }

    fn reboots(&self, at: usize) -> usize {
        self.hosts.get(at).map_or(0, |host| host.agent.reboots())
    }

    fn presses_when_shown(&mut self, button: Button, at: usize) -> bool {
        let Some((name, tag)) = self.hosts.get(at).map(|host| (host.name.clone(), host.tag())) else { return false };
        if !self.waits(|world| world.telegram.offers(button, &tag)) {
            return false;
        }
        self.plan(self.t, Act::Press { button, node: Some(name) });
        true
    }

    /// Waits until it holds, as long as a person would.
    fn waits(&mut self, holds: impl Fn(&Self) -> bool) -> bool {
        let until = self.t + PATIENT_MS;
        while self.t < until && self.broken().is_none() {
            self.run_until(self.t + LOOK_MS);
            if holds(self) {
                return true;
            }
        }
        false
    }
}

/// A change of leader by priority may come in between, each time; a stranger that was proven is watched for out of patience (F3).
const OBEYS_MS: u64 = 600_000;

/// For each screen, and for the agent to be told.
const PATIENT_MS: u64 = 60_000;

/// How often the end is looked for.
const LOOK_MS: u64 = 500;
