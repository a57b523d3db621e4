//! The dialogue's acts, performed in order, and its answers.

use alloc::string::String;

use constella_shared::wire::command::Stage;
use constella_shared::wire::records::NetValue;

use super::Node;
use super::pending::{Asker, Pending};
use crate::bot::desk::act::{Act, Answer};
use crate::bot::desk::room::Event;
use crate::bot::kit::language::Language;
use crate::clock::Now;
use crate::config::Settings;
use crate::io::{Note, Output};
use rand::RngExt as _;

impl Node {
    /// Gives the dialogue the answers that came, and the time.
    pub(super) fn dialogue_due(&mut self, now: Now) {
        while let Some((ask, answer)) = self.answers.pop_front() {
            if self.serves() {
                let world = self.world(now);
                let acts = self.dialogue.answer(&world, ask, answer);
                self.acts.extend(acts);
                self.perform_acts(now);
            }
        }
        // What became of an invitation is to be told in its message.
        if self.serves() && self.invites_dirty {
            let world = self.world(now);
            let acts = self.dialogue.event(&world, &Event::Invitations);
            self.acts.extend(acts);
        } else if self.serves() && self.dialogue.deadline().is_some_and(|at| now.boot_ms >= at) {
            let world = self.world(now);
            let acts = self.dialogue.tick(&world);
            self.acts.extend(acts);
        }
        self.perform_acts(now);
    }

    /// Performs acts in order, up to a stage whose copy is on its way. L7: every one only while the title holds.
    pub(super) fn perform_acts(&mut self, now: Now) {
        while !self.staging && self.serves() && self.title(now).is_some_and(|title| title.may_poll) {
            let Some(act) = self.acts.pop_front() else { return };
            self.perform(now, act);
        }
    }

    fn perform(&mut self, now: Now, act: Act) {
        match act {
            Act::Ask { ask, to, request, .. } if to == self.id => {
                let request = self.in_present_term(now, request);
                self.rpc(now, Asker::Dialogue(ask), to, request);
            }
            Act::Ask { ask, to, request, timeout } => {
                let limit = u64::try_from(timeout.as_millis()).unwrap_or(self.settings.rpc_timeout_ms);
                self.ask_node(now, ask, to, request, limit);
            }
            Act::Bot { ask, call } => self.ask_bot(self.dialogue.limit_ms(), call, Pending::DialogueBot { ask }),
            Act::Stage { command, stage } => self.stage(command, stage),
            Act::Record(value) => self.record(now, None, value),
            Act::RecordOf { which, value } => self.record(now, Some(which), value),
            Act::Edit { ask, node, edit } => {
                let edited = self.edit(now, &node, edit);
                self.answers.push_back((ask, Answer::Edited(edited)));
            }
            Act::Alert(press) => self.press_alert(now, &press),
            Act::Invite { ask, ttl_s } => {
                let link = self.invite(now, ttl_s);
                self.answers.push_back((ask, Answer::Link(link)));
            }
        }
    }

    /// A record that a room wants.
    pub(super) fn record(&mut self, now: Now, which: Option<String>, value: NetValue) {
        // R4: the room has refused it in words, unless the majority was lost since.
        if matches!(value, NetValue::AlertRule { .. } | NetValue::QuietHours { .. })
            && let Err(error) = self.may_edit(now)
        {
            return self.warn(alloc::format!("the owner's choice about alerts was not written: {}", error.message));
        }
        self.hear_clocks(now);
        let records = self.roster.write_net_of(now, self.claim.term(), which, value);
        self.announce(now, &records);
    }

    /// An invitation with up to two more seeds that answer.
    pub(super) fn invite(
        &mut self,
        now: Now,
        ttl_s: u64,
    ) -> Result<constella_shared::link::InviteLink, crate::joins::InviteError> {
        if let Some(why) = self.disk.trouble() {
            return Err(crate::joins::InviteError::NotStored(why));
        }
        let others: alloc::vec::Vec<_> = self.reachable().into_iter().collect();
        let entropy = self.rng.random();
        self.hear_clocks(now);
        let (records, link) = crate::joins::invite(now, &mut self.roster, entropy, ttl_s, &others)?;
        self.announce(now, &records);
        Ok(link)
    }

    /// F6: on disk with this step, copied before anything that follows.
    pub(super) fn stage(&mut self, id: constella_shared::ids::CommandId, stage: Stage) {
        let done = stage == Stage::Done;
        if done {
            self.shown(id);
        }
        let Some(keepers) = self.commands.stage(id, stage) else { return };
        if done {
            self.out.push(Output::Note(Note::Command { id, what: "done" }));
            for keeper in self.may_keep(id, keepers) {
                self.tell_done(keeper, alloc::vec![id]);
            }
        } else if let Some(command) = self.commands.get(&id).cloned() {
            self.staging = true;
            self.copy_stage(command, keepers);
        }
    }
}

/// What the owner reads who has not chosen, and whose Telegram names none of the bot's languages.
pub(super) fn default_language(settings: &Settings) -> Language {
    Language::of_tag(&settings.language).unwrap_or(Language::Ru)
}
