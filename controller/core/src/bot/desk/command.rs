//! A fresh command: what a text or a press asks for.

use alloc::string::{String, ToString};

use constella_shared::ids::NodeId;
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::records::NetValue;

use super::asked::Asked;
use super::card::is_down;
use super::confirm::{Unconfirmed, VALID_MS};
use super::gate::{Passage, passage};
use super::job::{Job, Purpose, Told, Work};
use super::list::{self, button, name_of, ways_back};
use super::order::Order;
use super::pace::Urgency;
use super::scene::{Drawing, Sheet, Shown, Source};
use super::{Dialogue, Step};
use crate::bot::desk::act::Act;
use crate::bot::kit::language::Language;
use crate::bot::kit::names;
use crate::bot::kit::page::{Body, Screen};
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::{Key, Say, Value};
use crate::io::Trouble;
use crate::io::UpdateEvent;
use crate::update_ids;
use constella_shared::wire::rpc::Request;
use core::time::Duration;

impl Dialogue {
    /// Takes up a command at its stage.
    pub(super) fn begin(&mut self, step: &mut Step<'_>, command: StoredCommand) {
        let stage = command.stage.clone();
        let taken = Asked::before(step.world, command.taken_by, command.taken_unix_ms);
        let job = Job { command, work: Work::Show { version: 0, told: Told::Screen }, taken };
        match stage {
            Stage::Taken => self.fresh(step, job),
            Stage::Rebooting { target, boot_id, not_after_unix_ms, not_after_boot_ms, asked_unix_ms } => {
                let order = Order { target, boot_id, not_after_unix_ms, not_after_boot_ms };
                self.resume_reboot(step, job, order, asked_unix_ms);
            }
            Stage::Testing { target, asked_unix_ms } => self.resume_test(step, job, target, asked_unix_ms),
            Stage::Other(_) => self.mail_note(step, job, Say::new(Key::OtherVersion)),
            Stage::Done => {}
        }
    }

    fn fresh(&mut self, step: &mut Step<'_>, job: Job) {
        let command = &job.command;
        let overtaken = self.is_overtaken(step, command);
        let passage = passage(&step.world.owner, command.user, command.username.as_deref(), &command.content);
        if passage != Passage::Stranger && !has_its_own_message(&command.content) {
            self.newest_update = update_ids::later(Some(self.newest_update), command.update_id);
        }
        if let (Some(why), false) =
            (step.world.trouble(), passage == Passage::Stranger || changes_nothing(&command.content))
        {
            return self.not_stored(step, job, why);
        }
        match (passage, command.content.clone()) {
            (Passage::Owner, CommandContent::Text { text }) if overtaken && only_looks(&text) => {
                let version = self.canvas.latest();
                self.show(job, version);
            }
            (Passage::Owner, CommandContent::Text { text }) => self.text(step, job, &text),
            (Passage::Owner, CommandContent::Button { callback_id, data, .. })
                if overtaken && Press::parse(&data).is_some_and(|press| press.only_looks()) =>
            {
                self.toast(step, &job, &callback_id, None);
                let version = self.canvas.latest();
                self.show(job, version);
            }
            (Passage::Owner, CommandContent::Button { callback_id, data, message }) => {
                self.button(step, job, &callback_id, &data, message);
            }
            (Passage::Owner, CommandContent::Other(_)) => self.mail_note(step, job, Say::new(Key::UnknownText)),
            (Passage::FirstContact, _) => self.first_contact(step, job),
            // Admitted by an earlier leader, and the owner is another by now.
            (Passage::Stranger, CommandContent::Text { .. } | CommandContent::Other(_)) => {
                self.mail_note(step, job, Say::new(Key::Stranger))
            }
            (Passage::Stranger, CommandContent::Button { callback_id, .. }) => {
                self.toast(step, &job, &callback_id, Some(Key::Stranger));
                step.done(job.command.id);
            }
        }
    }

    /// What would have to be on disk before anything is done, while the disk takes nothing: the owner reads that nothing was done, above the list.
    fn not_stored(&mut self, step: &mut Step<'_>, job: Job, why: Trouble) {
        if let CommandContent::Button { callback_id, .. } = &job.command.content {
            let callback_id = callback_id.clone();
            self.toast(step, &job, &callback_id, None);
        }
        let sheet = self.sheet(step, &job.command, has_its_own_message(&job.command.content));
        let me = name_of(step.world, step.world.me);
        let say = Say::new(Key::DiskRefuses).text("name", me).with("why", Value::Say(Say::new(why.key())));
        self.note(say);
        let version = self.draw_list(step, sheet, 0);
        self.show(job, version);
    }

    /// A leader before took it, and what the owner asked for later is on the screen already: an older wish to look at something must not
    /// take it away again, nor an order's progress; its end is a notice above it. Update ids may start anew after an idle week, so commands of
    /// one's own are never judged by them.
    pub(super) fn is_overtaken(&self, step: &Step<'_>, command: &StoredCommand) -> bool {
        command.taken_by != step.world.me && update_ids::is_before(command.update_id, self.newest_update)
    }

    /// Name and code fit: the id is pinned, and the language that Telegram names is kept, so that a leader that has not heard the owner yet
    /// knows it too.
    fn first_contact(&mut self, step: &mut Step<'_>, job: Job) {
        let username = step.world.owner.username.clone();
        let telegram_id = Some(job.command.user);
        step.acts.push(Act::Record(NetValue::Owner { username: username.clone(), telegram_id, claim: None }));
        let language = job.command.language.as_deref().and_then(Language::of_tag);
        if let (None, Some(language)) = (&step.world.language, language) {
            step.acts.push(Act::Record(NetValue::Language { code: language.code().to_string() }));
        }
        let sheet = self.sheet(step, &job.command, true);
        self.draw_list(step, sheet, 0);
        let version =
            self.add_notice(step, sheet, Say::new(Key::Welcome).text("name", username.trim_start_matches('@')));
        self.show(job, version);
    }

    fn text(&mut self, step: &mut Step<'_>, job: Job, text: &str) {
        self.notices_read();
        let sheet = self.sheet(step, &job.command, true);
        let verb = verb(text).unwrap_or_default();
        let version = match (verb.as_str(), text.split_whitespace().nth(1)) {
            (FORWARDED, _) => return self.mail_note(step, job, Say::new(Key::Forwarded)),
            _ if asks_for_the_list(text) => self.draw_list(step, sheet, 0),
            ("/invite", ttl) => return self.invite(step, job, ttl),
            ("/lang", tag) => match tag.and_then(Language::of_tag) {
                Some(language) => self.set_language(step, sheet, &job.command, language),
                None => self.draw_languages(step, sheet),
            },
            ("/help", _) => self.draw_help(step, sheet, None),
            // A name cannot begin so.
            (verb, _) if verb.starts_with('/') => self.draw_help(step, sheet, Some(Key::UnknownText)),
            _ => match names::meant(list::all(step.world), text).as_slice() {
                [] => self.draw_help(step, sheet, Some(Key::UnknownText)),
                [node] => return self.card(step, job, *node, true),
                several => self.draw_meant(step, sheet, text, several),
            },
        };
        self.show(job, version);
    }

    fn button(&mut self, step: &mut Step<'_>, job: Job, callback_id: &str, data: &str, message: i64) {
        let old = step.message.is_some_and(|current| current != (job.command.chat, message));
        let press = Press::parse(data);
        let node = press.as_ref().and_then(Press::node).map(|tag| tag.find(step.world));
        let confirmed = match (&press, node) {
            (Some(Press::Reboot { nonce, .. }), Some(Some(node))) => {
                Some(self.confirmations.take(step.world.now, node, nonce))
            }
            _ => None,
        };
        let toast = match (&press, node, &confirmed) {
            (None, _, _) => Some(Key::UnknownButton),
            (_, Some(None), _) => Some(Key::NodeGone),
            (Some(Press::AskReboot(_) | Press::Speedtest(_)), Some(Some(node)), _) if is_down(step.world, node) => {
                Some(Key::NodeDown)
            }
            (_, _, Some(Err(Unconfirmed::Expired))) => Some(Key::ConfirmExpired),
            (_, _, Some(Err(Unconfirmed::Over))) => Some(Key::ConfirmUsed),
            (_, _, Some(Err(Unconfirmed::Unknown))) => Some(Key::ConfirmElsewhere),
            (Some(Press::Language(_)), _, _) => Some(Key::LanguageSet),
            _ if old => Some(Key::OldMessage),
            _ => None,
        };
        self.toast_or_wait(step, &job, callback_id, toast);
        if old {
            self.buttons.take_away(job.command.chat, message);
        }
        self.notices_read();
        let sheet = self.sheet(step, &job.command, old);
        let version = match (press, node.flatten()) {
            (Some(Press::Card(_)), Some(node)) => return self.card(step, job, node, old),
            (Some(Press::AskReboot(_) | Press::Speedtest(_)), Some(node)) if is_down(step.world, node) => {
                return self.card(step, job, node, old);
            }
            (Some(Press::Speedtest(_)), Some(node)) => return self.start_test(step, job, node, old),
            (Some(Press::AskReboot(_)), Some(node)) => self.draw_confirmation(step, sheet, node),
            (Some(Press::Reboot { .. }), Some(node)) => match confirmed {
                Some(Ok((confirmation, shown))) => {
                    return self.start_reboot(step, job, node, confirmation, (shown, old));
                }
                Some(Err(why)) => self.unconfirmed(step, sheet, &job.command, node, why),
                None => self.draw_list(step, sheet, 0),
            },
            (Some(Press::List { page }), _) => self.draw_list(step, sheet, page),
            (Some(Press::Help), _) => self.draw_help(step, sheet, None),
            (Some(Press::Language(language)), _) => self.set_language(step, sheet, &job.command, language),
            (Some(Press::Nothing), _) if !old => self.canvas.latest(),
            _ => self.draw_list(step, sheet, 0),
        };
        self.show(job, version);
    }

    /// Why nothing was done is said on the screen too: a toast is gone when the press is older than Telegram remembers. Of another leader's
    /// button it cannot be said: both took the press, perhaps, and the copy of the order did not come here. There is no new button under the
    /// finger that pressed the old one: who still wants it opens the node and asks again. A press that came twice leaves the order's own screen.
    fn unconfirmed(
        &mut self,
        step: &mut Step<'_>,
        sheet: Sheet,
        command: &StoredCommand,
        node: NodeId,
        why: Unconfirmed,
    ) -> super::canvas::Version {
        let say = match why {
            Unconfirmed::Expired => Say::new(Key::ConfirmExpired),
            Unconfirmed::Over => Say::new(Key::ConfirmUsed),
            Unconfirmed::Unknown => Say::new(Key::ConfirmTaken).text("name", name_of(step.world, node)),
        };
        let again = why == Unconfirmed::Over && self.has_the_screen();
        if again || self.is_overtaken(step, command) {
            return self.add_notice(step, sheet, say);
        }
        let version = self.draw_says(step, sheet, node, say.clone());
        // A newer press may cover it before Telegram has it: then it is a notice above that.
        self.scene.result = Some((say, version));
        version
    }

    /// Takes a confirmation off the screen whose button has stopped working.
    pub(super) fn confirmation_due(&mut self, step: &Step<'_>) {
        if self.confirmation_ends_at().is_some_and(|at| at <= step.world.now.boot_ms)
            && let Some(Shown { node, sheet, .. }) = self.scene.confirmation.take()
        {
            let say = Say::new(Key::ConfirmOver).text("name", name_of(step.world, node));
            self.draw_says(step, Sheet { bring: false, ..sheet }, node, say);
        }
    }

    /// When that is, CLOCK_BOOTTIME.
    pub(super) fn confirmation_ends_at(&self) -> Option<u64> {
        self.confirmations.ends_at(&self.scene.confirmation.as_ref()?.nonce)
    }

    /// One sentence about a node, with the ways back from it.
    fn draw_says(&mut self, step: &Step<'_>, sheet: Sheet, node: NodeId, say: Say) -> super::canvas::Version {
        let (body, buttons) = (Body::Says(alloc::vec![say]), ways_back(node));
        self.draw(step, sheet, Drawing { body, buttons, watched: None, urgency: Urgency::Owner })
    }

    pub(super) fn draw_confirmation(
        &mut self,
        step: &mut Step<'_>,
        sheet: Sheet,
        node: NodeId,
    ) -> super::canvas::Version {
        let nonce = self.confirmations.make(node);
        self.ask_node(step, node, Request::GetStats {}, BOOT_ID_TIMEOUT, Purpose::BootId { nonce: nonce.clone() });
        let leads = step.world.nodes.iter().any(|row| row.node == node && row.leader);
        let key = match (leads, step.world.has_heir) {
            (false, _) => Key::ConfirmReboot,
            (true, true) => Key::ConfirmRebootLeader,
            (true, false) => Key::ConfirmRebootAlone,
        };
        let say = Say::new(key).text("name", name_of(step.world, node)).with("seconds", Value::Count(VALID_MS / 1_000));
        let yes = Press::Reboot { node: NodeTag::of(&node), nonce: nonce.clone() };
        let buttons = alloc::vec![
            alloc::vec![button(Key::RebootYes, yes)],
            alloc::vec![button(Key::Cancel, Press::Card(NodeTag::of(&node)))],
        ];
        let body = Body::Says(alloc::vec![say]);
        let version = self.draw(step, sheet, Drawing { body, buttons, watched: None, urgency: Urgency::Owner });
        self.scene.source = Source::Confirmation(node);
        self.scene.confirmation = Some(Shown { node, nonce, sheet });
        version
    }

    /// The latest choice holds, whoever took it. An older one than what is on the screen is told above that.
    fn set_language(
        &mut self,
        step: &mut Step<'_>,
        sheet: Sheet,
        command: &StoredCommand,
        language: Language,
    ) -> super::canvas::Version {
        if command.taken_by != step.world.me && update_ids::is_before(command.update_id, self.newest_choice) {
            return self.canvas.latest();
        }
        self.newest_choice = command.update_id;
        step.acts.push(Act::Record(NetValue::Language { code: language.code().to_string() }));
        self.chosen = Some(language);
        self.menu_is_due(step.world);
        let sheet = Sheet { language, ..sheet };
        if self.is_overtaken(step, command) {
            return self.add_notice(step, sheet, Say::new(Key::LanguageSet));
        }
        self.draw_help(step, sheet, Some(Key::LanguageSet))
    }

    /// Answers a press: at once, before any work, or Telegram forgets it.
    pub(super) fn toast(&mut self, step: &mut Step<'_>, job: &Job, callback_id: &str, toast: Option<Key>) {
        self.toast_says(step, job, callback_id, toast.map(Say::new));
    }

    /// The same; while Telegram lets nothing else be shown (429), which does not hold for this answer, it says how long.
    fn toast_or_wait(&mut self, step: &mut Step<'_>, job: &Job, callback_id: &str, toast: Option<Key>) {
        let barred_ms = self.pace.barred_ms(step.world.now);
        let say = match toast {
            None | Some(Key::OldMessage) if barred_ms >= WORTH_A_WORD_MS => {
                Some(Say::new(Key::FloodWait).span("wait", barred_ms))
            }
            toast => toast.map(Say::new),
        };
        self.toast_says(step, job, callback_id, say);
    }

    fn toast_says(&mut self, step: &mut Step<'_>, job: &Job, callback_id: &str, say: Option<Say>) {
        let language = self.language(step.world, &job.command);
        let ask = self.unheeded_ask();
        step.answer_callback(ask, callback_id, say.map(|say| Screen::Note { language, say }));
    }
}

/// What counts of what somebody sent. The words of a forwarded text are somebody else's: where they would do something, only that they came is
/// kept, so that no leader, of whatever version, ever carries them out.
pub(crate) fn own_words(event: &UpdateEvent) -> CommandContent {
    match &event.content {
        CommandContent::Text { text } if event.forwarded && !only_looks(text) => {
            CommandContent::Text { text: FORWARDED.to_string() }
        }
        content => content.clone(),
    }
}

/// A command that is answered beside the screen.
fn has_its_own_message(content: &CommandContent) -> bool {
    let CommandContent::Text { text } = content else { return false };
    matches!(verb(text).as_deref(), Some("/invite" | FORWARDED))
}

/// The first word in lower case, without the bot's name.
pub(super) fn verb(text: &str) -> Option<String> {
    let word = text.split_whitespace().next()?;
    Some(word.split('@').next().unwrap_or(word).to_ascii_lowercase())
}

/// A text that the list answers.
pub(super) fn asks_for_the_list(text: &str) -> bool {
    matches!(verb(text).as_deref(), Some("/start" | "/nodes" | "/status"))
}

/// What is answered without a disk. A confirmation of a reboot is a view, but would lead nowhere.
fn changes_nothing(content: &CommandContent) -> bool {
    match content {
        CommandContent::Text { text } => only_looks(text),
        CommandContent::Button { data, .. } => match Press::parse(data) {
            Some(Press::AskReboot(_)) => false,
            Some(press) => press.only_looks(),
            None => true,
        },
        CommandContent::Other(_) => true,
    }
}

/// A text that changes nothing but the screen.
fn only_looks(text: &str) -> bool {
    let more = || text.split_whitespace().nth(1);
    match verb(text).as_deref() {
        Some("/invite" | FORWARDED) => false,
        // With a code it claims the bot.
        Some("/start") => more().is_none(),
        Some("/lang") => more().and_then(Language::of_tag).is_none(),
        Some(_) | None => true,
    }
}

/// Stands for a forwarded text that would have done something. Nobody can type it: Telegram lets no control character through.
const FORWARDED: &str = "\u{1}forwarded";

/// A wait that a person notices.
const WORTH_A_WORD_MS: u64 = 2_000;

/// For the boot id, while the owner reads the confirmation.
const BOOT_ID_TIMEOUT: Duration = Duration::from_secs(3);
