//! Alerts at work: what this node hears of others, what it concludes as a holder, and what it tells.
//!
//! Telling needs no lease (F7): whoever holds, strongly or weakly, tells; in each side of a partition somebody does.

mod standing;
mod witness;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::ids::{Generation, NodeId};
use constella_shared::wire::alert::{Severity, Subject};
use constella_shared::wire::incident::{AlertRecord, IncidentId, MessageAt};
use constella_shared::wire::records::{NetRecord, NetValue, Records, Stamp};
use constella_shared::wire::rpc::Status;

use super::pending::Pending;
use super::{Node, default_language};
use crate::alerts::board::{Act, Board, Call, Outcome, Press as AlertPress};
use crate::alerts::witness::Cases;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say};
use crate::bot::rooms::alerts::message;
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply};
use standing::Standings;

/// This node's part in alerts: the board, and what it hears of the others.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    pub(super) board: Board,
    cases: Cases,
    /// Members that gossip does not see alive, and since when, CLOCK_BOOTTIME.
    doubted: BTreeMap<NodeId, u64>,
    /// This node last tried a member then, as a witness, CLOCK_BOOTTIME.
    tried: BTreeMap<NodeId, u64>,
    /// This node has seen few of the others since then, CLOCK_BOOTTIME.
    alone_since: Option<u64>,
    /// Members that do not know the question, in this start of theirs.
    cannot_witness: BTreeMap<NodeId, Generation>,
    /// The words of nodes on themselves.
    standings: Standings,
}

impl Node {
    /// Gossip sees a member as something else.
    pub(super) fn doubt(&mut self, now: Now, node: NodeId, status: Status) {
        match status {
            Status::Alive => {
                self.alerts.doubted.remove(&node);
            }
            Status::Suspect | Status::Down | Status::Left => {
                self.alerts.doubted.entry(node).or_insert(now.boot_ms);
            }
        }
    }

    /// Records that are new here.
    pub(super) fn learn_alerts(&mut self, now: Now, records: &[NetRecord]) {
        for record in records {
            if let NetValue::Alert(alert) = &record.value {
                self.alerts.board.learn(now, (**alert).clone());
            }
        }
    }

    /// Every alert of the state file.
    pub(super) fn open_alerts(&mut self, now: Now) {
        for (alert, stamp) in self.roster.alerts() {
            self.alerts.board.restore(now, alert.clone(), stamp.node == self.id);
        }
    }

    /// Once a minute: what is long over is forgotten, and what is open is written anew long before it would be.
    pub(super) fn expire_alerts(&mut self, now: Now) {
        for subject in self.roster.expire_alerts(now) {
            self.network_dirty = true;
            self.alerts.board.forget(&subject);
        }
        if self.held.is_none() {
            return;
        }
        let live: BTreeSet<&Subject> = self.alerts.board.live().collect();
        let old = |(alert, stamp): &(&AlertRecord, Stamp)| {
            now.unix_ms.saturating_sub(stamp.unix_ms) > ANEW_MS && live.contains(&alert.subject)
        };
        let old: Vec<Act> = self.roster.alerts().filter(old).map(|(alert, _)| Act::Write(alert.clone())).collect();
        self.perform_alerts(now, old);
    }

    /// Once a second: who is down, and what is to be told.
    pub(super) fn watch_members(&mut self, now: Now) {
        let roster = &self.roster;
        self.alerts.doubted.retain(|node, _| roster.is_member(node));
        self.alerts.tried.retain(|node, _| roster.is_member(node));
        self.alerts.cannot_witness.retain(|node, _| roster.is_member(node));
        self.tell_standing(now);
        let tells = self.held.is_some() && !self.retired;
        self.alerts.board.begin_or_end(now, tells);
        if !tells {
            let acts = self.alerts.board.due(now, false);
            self.perform_alerts(now, acts);
            (self.alerts.cases, self.alerts.alone_since) = (Cases::default(), None);
            self.alerts.standings.forget();
            return;
        }
        let words = self.own_words(now);
        self.alerts.cases.doubts(now, self.id, &words);
        self.ask_witnesses(now);
        self.conclude(now, &words);
        self.conclude_standing(now);
        let hours = self.roster.quiet_hours();
        self.alerts.board.keep_quiet(hours.is_some_and(|hours| !hours.sounds(now.unix_ms, Severity::Warning)));
        let acts = self.alerts.board.due(now, self.alert_chat().is_some());
        self.perform_alerts(now, acts);
    }

    /// The owner acknowledged or muted an incident: the record first, then its message.
    pub(super) fn press_alert(&mut self, now: Now, press: &AlertPress) {
        let mut acts = self.alerts.board.press(now, press);
        acts.extend(self.alerts.board.due(now, self.alert_chat().is_some()));
        self.perform_alerts(now, acts);
    }

    /// Telegram's answer to a message of alerts.
    pub(super) fn alert_told(
        &mut self,
        now: Now,
        incident: IncidentId,
        call: Call,
        chat: i64,
        result: &Result<BotReply, BotError>,
    ) {
        let outcome = match result {
            Ok(BotReply::Sent { message }) => Outcome::Sent(MessageAt { chat, message: *message }),
            Ok(_) => Outcome::Done,
            Err(error) => error.again_ms().map_or(Outcome::Done, |after_ms| Outcome::Again { after_ms }),
        };
        if self.held.is_none() {
            self.alerts.board.begin_or_end(now, false);
        }
        let acts = self.alerts.board.told(now, incident, call, outcome);
        self.perform_alerts(now, acts);
    }

    /// The chat in which the owner reads alerts: before the first contact there is nobody to tell.
    fn alert_chat(&self) -> Option<i64> {
        self.roster.message().map(|message| message.chat).or(self.roster.owner().telegram_id)
    }

    /// Writes and sends. Records come first, and are on disk before anything that is sent.
    fn perform_alerts(&mut self, now: Now, acts: Vec<Act>) {
        let mut written = Records::default();
        for act in acts {
            match act {
                Act::Write(alert) => {
                    self.hear_clocks(now);
                    let term = self.claim.term();
                    written.net.push(self.roster.write_alert(now, term, alert));
                }
                Act::Send { incident, silent } => self.send_alert(incident, Call::Send, silent),
                Act::Note { incident, silent } => self.send_alert(incident, Call::Note, silent),
                Act::Edit { incident, at } => self.edit_alert(incident, at),
                Act::Move { incident, at: MessageAt { chat, message } } => {
                    let language = self.alert_language();
                    let screen = Screen::Note { language, say: Say::new(Key::AlertMoved) };
                    let request = BotCall::Edit { chat, message, screen };
                    self.ask_bot(LIMIT_MS, request, Pending::Alert { incident, call: Call::Move, chat });
                }
            }
        }
        self.announce(now, &written);
    }

    fn send_alert(&mut self, incident: IncidentId, call: Call, silent: bool) {
        let (Some(chat), Some(found)) = (self.alert_chat(), self.alerts.board.incident(incident)) else { return };
        let language = self.alert_language();
        let name = |node: &NodeId| self.shown_name(node);
        let screen = match call {
            Call::Note => message::note(language, &found, name),
            Call::Send | Call::Edit | Call::Move => message::screen(language, &found, name),
        };
        let request = BotCall::Send { chat, thread: None, screen, silent };
        self.ask_bot(LIMIT_MS, request, Pending::Alert { incident, call, chat });
    }

    fn edit_alert(&mut self, incident: IncidentId, at: MessageAt) {
        let Some(found) = self.alerts.board.incident(incident) else { return };
        let screen = message::screen(self.alert_language(), &found, |node| self.shown_name(node));
        let MessageAt { chat, message } = at;
        self.ask_bot(
            LIMIT_MS,
            BotCall::Edit { chat, message, screen },
            Pending::Alert { incident, call: Call::Edit, chat },
        );
    }

    fn alert_language(&self) -> Language {
        Language::choose(self.roster.language(), None, default_language(&self.settings))
    }
}

/// A record of something open is written anew once a day: it is kept for a week.
const ANEW_MS: u64 = 24 * 3_600_000;

/// The time limit of one call.
const LIMIT_MS: u64 = 5_000;
