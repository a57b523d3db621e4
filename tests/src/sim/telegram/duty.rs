//! What the owner asked for, and what he was shown about it: whether a command ended is judged by words, not by a spinner that stopped.

use std::collections::{BTreeMap, BTreeSet};

use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::page::{Body, Message, Screen};
use constella_core::bot::kit::press::{NodeTag, Press};
use constella_core::bot::kit::say::{Key, Say, Value};
use constella_core::bot::rooms::{reboot, settings, ways};
use constella_shared::ids::{CommandId, NodeId};

use super::shown::{is_down, lists_without};

/// Every name that a node ever had.
pub(in super::super) type Names = BTreeMap<NodeId, BTreeSet<String>>;

/// One update of the owner and what became of it.
#[derive(Debug, Clone)]
pub(in super::super) struct Duty {
    pub(in super::super) update: i64,
    pub(in super::super) id: CommandId,
    /// The query of a pressed button, and its data.
    pub(in super::super) pressed: Option<(String, String)>,
    pub(in super::super) pushed: u64,
    /// Those that began to carry it out.
    pub(in super::super) begun: Vec<Begun>,
    /// Some node's disk has it as an order that it may have given.
    pub(in super::super) ordered: bool,
    /// When some node's disk first said that it is done.
    pub(in super::super) done: Option<u64>,
    /// When the owner first saw something of it, be it that the button's spinner stopped, and by whom.
    pub(in super::super) answered: Option<(u64, usize)>,
    /// When he was first told something about it in words.
    pub(in super::super) heard: Option<u64>,
    /// When he was told in words what came of it.
    pub(in super::super) told: Option<u64>,
    /// When he was first told that nothing was done.
    pub(in super::super) denied: Option<u64>,
    /// When its target's agent was told to do it.
    pub(in super::super) carried_out: Option<u64>,
    /// The stranger took it.
    pub(in super::super) stolen: bool,
    pub(in super::super) text: String,
}

/// A node began to carry a command out.
#[derive(Debug, Clone)]
pub(in super::super) struct Begun {
    /// Which.
    pub(in super::super) host: usize,
    /// When.
    pub(in super::super) t: u64,
    /// The last call to Telegram before it: what was called earlier says nothing about the command.
    call: u64,
    /// The second of its wall clock: an equal screen of the same second need not be sent again.
    unix_s: u64,
}

/// A message that came beside the one message.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) t: u64,
    pub(super) host: usize,
    pub(super) call: u64,
    /// It is the last word of a node that was removed, on all that it alone had in hand.
    pub(super) farewell: bool,
}

/// What the owner wants.
#[derive(Debug, Clone, PartialEq)]
enum Wish {
    List,
    Help,
    Card(NodeTag),
    AskReboot(NodeTag),
    /// A label that looks like a button.
    Nothing,
    Language(Language),
    Invite,
    Reboot(NodeTag),
    Speedtest(NodeTag),
}

/// What a screen says about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Words {
    /// Nothing.
    None,
    /// That it is on its way.
    Progress,
    /// What came of it.
    End,
}

impl Duty {
    /// Whether it changes nothing but the screen; anything else is an order.
    pub(in super::super) fn only_looks(&self) -> bool {
        match self.wish() {
            Wish::List | Wish::Help | Wish::Card(_) | Wish::AskReboot(_) | Wish::Nothing => true,
            Wish::Language(_) | Wish::Invite | Wish::Reboot(_) | Wish::Speedtest(_) => false,
        }
    }

    /// Whether it has a screen in the one message: an invitation has a message of its own, and a label has none.
    pub(super) fn takes_the_screen(&self) -> bool {
        !matches!(self.wish(), Wish::Invite | Wish::Nothing)
    }

    /// Whether it writes a record of the network.
    pub(in super::super) fn edits(&self) -> bool {
        matches!(self.wish(), Wish::Language(_))
    }

    /// Whether the owner has read of it what needs no disk: something of a view or an edit, or that no order was given.
    pub(in super::super) fn is_shown(&self) -> bool {
        let waits_for_more = !self.only_looks() && !self.edits();
        !self.ordered && (self.told.is_some() || self.heard.is_some() && !waits_for_more)
    }

    /// Whether its button names this node.
    pub(in super::super) fn is_about(&self, node: NodeId) -> bool {
        let press = self.pressed.as_ref().and_then(|(_, data)| Press::parse(data));
        press.as_ref().and_then(tag_of).is_some_and(|tag| tag == NodeTag::of(&node))
    }

    /// Whether there is nothing to say of it.
    pub(in super::super) fn wants_nothing(&self) -> bool {
        self.wish() == Wish::Nothing
    }

    /// Whether it ended without words because of what the owner asked for later: the one message has the last screen that was wanted, so a
    /// wish to look ends with the screen of one that was asked before it ended, or of what overtook that one; a language with a later choice.
    pub(in super::super) fn is_overtaken(&self, later: &[Self]) -> bool {
        let Some(mut until) = self.done else { return false };
        if let [begun] = self.begun.as_slice()
            && until.saturating_sub(begun.t) > LATE_MS
        {
            // It waited in one leader's hands until Telegram took messages again: that it was asked is told in a line.
            return false;
        }
        let language = matches!(self.wish(), Wish::Language(_));
        for other in later.iter().filter(|other| other.update > self.update) {
            let wish = other.wish();
            let overtakes = match wish {
                Wish::Invite => false,
                // A label on an old message brings the list.
                Wish::Nothing if other.told.is_none() => false,
                Wish::Language(_) => true,
                _ => !language,
            };
            if !overtakes || other.pushed > until {
                continue;
            }
            if other.told.is_some() {
                return self.only_looks() || language;
            }
            until = until.max(other.done.filter(|_| other.only_looks()).unwrap_or(0));
        }
        false
    }

    /// A node began to carry it out; `call` is the last call to Telegram before.
    pub(super) fn begins(&mut self, t: u64, host: usize, call: u64, unix_s: u64) {
        self.begun.push(Begun { host, t, call, unix_s });
    }

    /// Some node's disk has it beyond its first stage: what was said before was not about this order.
    pub(super) fn is_ordered(&mut self) {
        if !std::mem::replace(&mut self.ordered, true) {
            (self.heard, self.told) = (None, None);
        }
    }

    /// The one message shows this now, by a call of `host`; or, with call 0, has shown it since before.
    pub(super) fn sees(&mut self, t: u64, host: usize, call: u64, message: &Message, names: &Names) {
        // A notice that stands there is not repeated.
        let stands = call == 0 && !self.ordered && self.is_noticed(message, names);
        let since =
            |begun: &&Begun| begun.host == host && (call > begun.call || message.at_unix_s == begun.unix_s || stands);
        if self.begun.iter().any(|begun| since(&begun)) {
            self.answered.get_or_insert((t, host));
            let words = self.words(message, names);
            self.reads(t, words);
        }
    }

    /// Whether it stands above the screen that another leader may have taken a confirmation of this node.
    fn is_noticed(&self, message: &Message, names: &Names) -> bool {
        let Wish::Reboot(node) = self.wish() else { return false };
        message.notices.iter().any(|say| say.key == Key::ConfirmTaken && names_it(say, &node, names))
    }

    /// It is done: which of these messages of their own was for it, if it wanted one. Each is for one command.
    pub(super) fn takes_mail(&mut self, by: usize, mails: &mut Vec<Mail>) {
        if let Some(mail) = mails.iter().find(|mail| mail.farewell && mail.host == by && mail.t >= self.pushed) {
            self.answered.get_or_insert((mail.t, mail.host));
            self.reads(mail.t, Words::End);
        }
        if self.wish() != Wish::Invite {
            return;
        }
        let mine = |mail: &Mail| {
            !mail.farewell && self.begun.iter().any(|begun| begun.host == mail.host && mail.call > begun.call)
        };
        if let Some(at) = mails.iter().position(mine) {
            let mail = mails.remove(at);
            self.answered.get_or_insert((mail.t, mail.host));
            self.reads(mail.t, Words::End);
        }
    }

    /// Its button's spinner stopped, perhaps with a word.
    pub(super) fn is_toasted(&mut self, t: u64, host: usize, toast: Option<&Screen>) {
        self.answered.get_or_insert((t, host));
        if let Some(Screen::Note { say, .. }) = toast
            && ENDING_TOASTS.contains(&say.key)
            && !self.ordered
        {
            self.reads(t, Words::End);
        }
    }

    fn reads(&mut self, t: u64, words: Words) {
        if words >= Words::Progress {
            self.heard.get_or_insert(t);
        }
        if words >= Words::End {
            self.told.get_or_insert(t);
        }
    }

    fn wish(&self) -> Wish {
        let mut words = self.text.split_whitespace();
        if let Some((_, data)) = &self.pressed {
            return Press::parse(data).as_ref().and_then(pressed).unwrap_or(Wish::List);
        }
        match (words.next(), words.next()) {
            (Some("/start" | "/nodes"), _) => Wish::List,
            (Some("/invite"), _) => Wish::Invite,
            (Some("/lang"), Some(tag)) => Language::of_tag(tag).map_or(Wish::Help, Wish::Language),
            (_, _) => Wish::Help,
        }
    }

    /// Whether it is named among what was asked while Telegram took no message; the line names no more than some.
    fn is_in_the_line(&self, say: &Say) -> bool {
        let line = matches!(say.key, Key::WhileRefused | Key::AnsweredLate);
        let asked = say.values.iter().find(|(slot, _)| line && *slot == "asked");
        let Some((_, Value::Several(asked))) = asked else { return false };
        let typed: String = self.text.chars().take(32).collect();
        asked.iter().any(|value| match value {
            Value::Text(text) => *text == typed || self.pressed.is_some(),
            other => matches!(other, Value::Say(more) if more.key == Key::AndMore),
        })
    }

    /// What this state of the one message says about it.
    fn words(&self, message: &Message, names: &Names) -> Words {
        let end = |is: bool| if is { Words::End } else { Words::None };
        let refused = |say: &Say| say.key == Key::DiskRefuses || self.is_in_the_line(say);
        if !self.ordered && said(message).any(refused) {
            return Words::End;
        }
        match self.wish() {
            Wish::List | Wish::Nothing => end(matches!(message.body, Body::List(_))),
            Wish::Help => end(said(message).any(|say| say.key == Key::HelpText)),
            Wish::Language(language) => end(message.language == language),
            Wish::Card(node) => match &message.body {
                Body::Card(card) if NodeTag::of(&card.row.node) == node => {
                    let loading = card.figures.as_ref().is_err_and(|why| why.key == Key::Loading);
                    if loading { Words::Progress } else { Words::End }
                }
                Body::Says(says) => end(says.iter().any(|say| say.key == Key::NodeGone)),
                _ => end(lists_without(message, &node)),
            },
            Wish::AskReboot(node) => {
                end(asks_to_confirm(message, &node) || is_down(message, &node) || lists_without(message, &node))
            }
            Wish::Reboot(node) | Wish::Speedtest(node) if self.ordered => {
                let order = said(message).filter(|say| names_it(say, &node, names));
                order.map(|say| of_an_order(say.key)).max().unwrap_or(Words::None)
            }
            Wish::Reboot(node) | Wish::Speedtest(node) => {
                let why = |say: &Say| match say.key {
                    Key::ConfirmTaken => names_it(say, &node, names),
                    key => matches!(key, Key::ConfirmUsed | Key::ConfirmExpired),
                };
                let is_over = said(message).any(why) || is_down(message, &node);
                end(is_over || asks_to_confirm(message, &node) || lists_without(message, &node))
            }
            Wish::Invite => Words::None,
        }
    }
}

/// What a button asks for; None for one that no version made.
fn pressed(press: &Press) -> Option<Wish> {
    match press.verb() {
        ways::LIST => Some(Wish::List),
        ways::CARD => tag_of(press).map(Wish::Card),
        ways::SPEEDTEST => tag_of(press).map(Wish::Speedtest),
        ways::ASK_REBOOT => tag_of(press).map(Wish::AskReboot),
        reboot::CONFIRM => tag_of(press).map(Wish::Reboot),
        ways::HELP => Some(Wish::Help),
        settings::LANGUAGE => Language::of_tag(press.rest()).map(Wish::Language),
        _ => press.is_nothing().then_some(Wish::Nothing),
    }
}

/// Whether the rules know what a press asks for.
pub(super) fn is_judged(press: &Press) -> bool {
    pressed(press).is_some()
}

/// The node that a button names.
pub(super) fn tag_of(press: &Press) -> Option<NodeTag> {
    NodeTag::parse(press.rest().split(':').next()?)
}

/// Every sentence of a message.
pub(super) fn said(message: &Message) -> impl Iterator<Item = &Say> {
    let body: &[Say] = match &message.body {
        Body::Says(says) => says,
        Body::Speedtest(test) => std::slice::from_ref(&test.say),
        Body::List(_) | Body::Card(_) | Body::Chart(_) => &[],
    };
    message.notices.iter().chain(body)
}

/// Whether it names this node by a name that the node ever had, or by its short id.
pub(super) fn names_it(say: &Say, node: &NodeTag, names: &Names) -> bool {
    let named = say.values.iter().find_map(|(slot, value)| match value {
        Value::Text(name) if *slot == "name" => Some(name),
        _ => None,
    });
    let (id, known) = match names.iter().find(|(id, _)| NodeTag::of(id) == *node) {
        Some(found) => found,
        None => return false,
    };
    named.is_some_and(|name| known.contains(name) || *name == id.short())
}

fn of_an_order(key: Key) -> Words {
    match key {
        Key::RebootBack
        | Key::RebootBackSometime
        | Key::RebootNotBack
        | Key::RebootNotDone
        | Key::RebootFailed
        | Key::RebootRefused
        | Key::RebootNotSent
        | Key::RebootTooLate
        // It has the press and not the order: that it does not know what came of it is all that it can tell.
        | Key::ConfirmTaken
        | Key::SpeedtestDone
        | Key::SpeedtestNotice
        | Key::SpeedtestFailed
        | Key::SpeedtestLost
        | Key::SpeedtestUnknown => Words::End,
        Key::RebootAsking
        | Key::RebootGoing
        | Key::RebootAway
        | Key::RebootUnsure
        | Key::RebootViaGone
        | Key::RebootVia
        | Key::RebootSelf
        | Key::RebootStillUp
        | Key::SpeedtestTitle
        | Key::SpeedtestAsked => Words::Progress,
        _ => Words::None,
    }
}

/// Whether it has the one-time button for a reboot of this node.
fn asks_to_confirm(message: &Message, node: &NodeTag) -> bool {
    let presses = message.buttons.iter().flatten().map(|button| &button.press);
    presses.into_iter().any(|press| press.verb() == reboot::CONFIRM && tag_of(press).as_ref() == Some(node))
}

/// Words in a button's answer that end a command.
const ENDING_TOASTS: [Key; 7] = [
    Key::UnknownButton,
    Key::NodeGone,
    Key::NodeDown,
    Key::ConfirmExpired,
    Key::ConfirmUsed,
    Key::LanguageSet,
    Key::Stranger,
];

/// What a leader had in hand for longer before its words could be shown is named in the line about late answers.
const LATE_MS: u64 = 90_000;
