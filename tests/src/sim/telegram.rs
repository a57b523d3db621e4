//! Telegram of one bot: the queue of the Bot API double in virtual time, the owner's chat as screens, and calls that wait.

mod calls;
mod denial;
mod duty;
mod shown;
mod stored;
mod stranger;
mod told;

use std::collections::BTreeMap;

use constella_core::bot::kit::page::{Body, Message, Screen};
use constella_core::bot::kit::press::Press;
use constella_core::bot::kit::say::Key;
use constella_core::bot::rooms::{reboot, ways};
use constella_core::io::{BotCall, BotError, BotReply, Update, UpdateEvent};
use constella_shared::ids::CommandId;
use constella_shared::state::NetworkState;
use constella_shared::wire::command::CommandContent;

use super::act::Button;
use crate::botapi::model::{Answered, CallId as TgCall, Conflict, Delivery, GetUpdates, Ms, UpdateId, UpdateQueue};
pub(super) use calls::Open;
pub(super) use duty::{Begun, Duty};
use duty::{Mail, Names};
use stranger::Stranger;
use told::is_about_the_bot;
pub(super) use told::{Told, Unended, Writer};

/// One bot at Telegram.
#[derive(Debug)]
pub(super) struct Telegram {
    queue: UpdateQueue<UpdateEvent>,
    next_call: u64,
    open: BTreeMap<u64, Open>,
    chat: BTreeMap<i64, Shown>,
    next_message: i64,
    next_query: u64,
    /// The highest offset of any call.
    confirmed: i64,
    /// What the owner sent or pressed.
    pub(super) duties: Vec<Duty>,
    /// When a one-time button was first seen by the owner, by its data.
    pub(super) confirmations: BTreeMap<String, u64>,
    names: Names,
    /// Messages beside the one message, until it is known for which command.
    mails: Vec<Mail>,
    stranger: Option<Stranger>,
    lie: Option<String>,
    /// Messages of alerts.
    pub(super) told: Told,
}

#[derive(Debug)]
struct Shown {
    by: usize,
    message: Option<Message>,
}

/// An answer on its way: to which open call.
pub(super) type Reply = (u64, Result<BotReply, BotError>);

impl Telegram {
    pub(super) fn new() -> Self {
        Self {
            queue: UpdateQueue::new(UpdateId(731_000_001)),
            next_call: 0,
            open: BTreeMap::new(),
            chat: BTreeMap::new(),
            next_message: 1,
            next_query: 1,
            confirmed: 0,
            duties: Vec::new(),
            confirmations: BTreeMap::new(),
            names: Names::new(),
            mails: Vec::new(),
            stranger: None,
            lie: None,
            told: Told::default(),
        }
    }

    /// A call arrives at the server.
    pub(super) fn arrived(&mut self, t: u64, number: u64, host: usize, call: &BotCall) -> Vec<Reply> {
        let mut replies = self.tick(t);
        match call {
            BotCall::GetUpdates { offset, timeout_s, limit, name_kinds } => {
                let ask = GetUpdates {
                    offset: offset.and_then(|offset| i32::try_from(offset).ok()).unwrap_or(0),
                    limit: Some(i64::from(*limit)),
                    timeout_s: i64::from(*timeout_s),
                    allowed_updates: name_kinds.then(|| vec!["message".to_owned(), "callback_query".to_owned()]),
                };
                let answered = self.queue.get_updates(Ms(t), TgCall(number), &ask);
                replies.extend(self.replies(answered));
            }
            other => {
                let result = self.perform(t, (number, host), other);
                replies.push((number, result));
            }
        }
        replies
    }

    /// What has become due.
    pub(super) fn tick(&mut self, t: u64) -> Vec<Reply> {
        let answered = self.queue.tick(Ms(t));
        self.replies(answered)
    }

    /// When something becomes due.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.queue.deadline().map(|at| at.0)
    }

    /// The owner writes.
    pub(super) fn say(&mut self, t: u64, text: &str) -> Vec<Reply> {
        self.push(t, "message", CommandContent::Text { text: text.to_owned() }, None)
    }

    /// The owner presses a button of the newest message that has one of this kind; None where there is none.
    pub(super) fn press(&mut self, t: u64, kind: Button, pick: u64, tag: Option<&str>) -> Option<Vec<Reply>> {
        let (id, buttons) = self.newest()?;
        let fits = |press: &&Press| is_a(press, kind) && tag.is_none_or(|tag| press.data().contains(tag));
        let fitting: Vec<&Press> = buttons.iter().filter(fits).collect();
        let at = usize::try_from(pick.checked_rem(fitting.len() as u64)?).ok()?;
        let data = fitting.get(at)?.data().to_owned();
        let callback_id = format!("q{}", self.next_query);
        self.next_query += 1;
        let content = CommandContent::Button { callback_id: callback_id.clone(), data: data.clone(), message: id };
        Some(self.push(t, "callback_query", content, Some((callback_id, data))))
    }

    /// Whether the newest message has such a button for the node of this tag.
    pub(super) fn offers(&self, kind: Button, tag: &str) -> bool {
        let offers = |press: &Press| is_a(press, kind) && press.data().contains(tag);
        self.newest().is_some_and(|(_, buttons)| buttons.iter().any(offers))
    }

    /// The owner deletes the newest message.
    pub(super) fn delete_newest(&mut self) {
        self.chat.pop_last();
    }

    /// The commands that a call with this offset is the first to confirm.
    pub(super) fn confirms(&mut self, offset: i64) -> Vec<CommandId> {
        let from = self.confirmed;
        self.confirmed = from.max(offset);
        let unconfirmed = self.duties.iter().rev().take_while(|duty| duty.update >= from);
        unconfirmed.filter(|duty| duty.update < offset && !duty.stolen).map(|duty| duty.id).collect()
    }

    /// A node began to carry a command out, at this second of its wall clock.
    pub(super) fn begun(&mut self, t: u64, id: CommandId, host: usize, unix_s: u64) {
        let Some(duty) = self.duties.iter_mut().rev().find(|duty| duty.id == id) else { return };
        duty.begins(t, host, self.next_call, unix_s);
        // Drawn in the same second, it is on the screen already and is not sent again.
        // Another node's message may have come below it since.
        let newest = self.chat.values().rev().find(|shown| shown.message.is_some() && shown.by == host);
        if let Some(message) = newest.and_then(|shown| shown.message.as_ref()) {
            duty.sees(t, host, 0, message, &self.names);
        }
    }

    /// What some node's disk calls the nodes.
    pub(super) fn named(&mut self, network: &NetworkState) {
        for peer in &network.peers {
            let names = self.names.entry(peer.owner.node).or_default();
            if !names.contains(&peer.owner.name) {
                names.insert(peer.owner.name.clone());
            }
        }
    }

    /// Somebody sets a webhook, or deletes it.
    pub(super) fn webhook(&mut self, t: u64, set: bool) -> Vec<Reply> {
        if set {
            let answered = self.queue.set_webhook(Ms(t), "https://somebody.example", false, None);
            self.replies(answered)
        } else {
            self.queue.delete_webhook(Ms(t), false);
            Vec::new()
        }
    }

    /// Updates that nobody confirmed.
    pub(super) fn pending(&self) -> usize {
        self.queue.webhook_info().pending_update_count
    }

    /// Updates that were destroyed unseen.
    pub(super) fn destroyed(&self) -> usize {
        self.queue.ledger().destroyed()
    }

    fn push(
        &mut self,
        t: u64,
        kind: &'static str,
        content: CommandContent,
        pressed: Option<(String, String)>,
    ) -> Vec<Reply> {
        let mut replies = self.tick(t);
        let text = match &content {
            CommandContent::Text { text } => text.clone(),
            CommandContent::Button { data, .. } => data.clone(),
            CommandContent::Other(_) => String::new(),
        };
        let event = UpdateEvent {
            user: OWNER,
            username: Some("owner".to_owned()),
            language: Some("en".to_owned()),
            chat: OWNER,
            private: true,
            thread: None,
            forwarded: false,
            content,
        };
        let (id, answered) = self.queue.push(Ms(t), kind, event);
        if let Some(id) = id {
            let update = i64::from(id.0);
            let duty = Duty {
                update,
                id: CommandId::over(&[&BOT.to_be_bytes(), &update.to_be_bytes(), &0_u32.to_be_bytes()]),
                pressed,
                pushed: t,
                begun: Vec::new(),
                ordered: false,
                done: None,
                answered: None,
                heard: None,
                told: None,
                denied: None,
                carried_out: None,
                stolen: false,
                text,
            };
            self.duties.push(duty);
        }
        replies.extend(self.replies(answered));
        replies
    }

    fn replies(&mut self, answered: Vec<Answered<UpdateEvent>>) -> Vec<Reply> {
        let mut replies = Vec::new();
        for Answered { call, delivery } in answered {
            if let Some(stranger) = self.stranger.as_mut().filter(|stranger| stranger.call == Some(call.0)) {
                stranger.call = None;
                if let Delivery::Updates(updates) = delivery {
                    for (id, _) in updates {
                        stranger.offset = id.0 + 1;
                        let stolen = self.duties.iter_mut().find(|duty| duty.update == i64::from(id.0));
                        stolen.into_iter().for_each(|duty| duty.stolen = true);
                    }
                }
                continue;
            }
            let result = match delivery {
                Delivery::Updates(updates) => {
                    let update =
                        |(id, event): (UpdateId, UpdateEvent)| Update { id: i64::from(id.0), event: Some(event) };
                    Ok(BotReply::Updates(updates.into_iter().map(update).collect()))
                }
                // As the shell reads their texts.
                Delivery::Conflict(Conflict::WebhookActive | Conflict::SetWebhook) => Err(BotError::WebhookSet),
                Delivery::Conflict(Conflict::OtherGetUpdates) => Err(BotError::Conflict),
            };
            replies.push((call.0, result));
        }
        replies
    }

    fn perform(&mut self, t: u64, (number, host): (u64, usize), call: &BotCall) -> Result<BotReply, BotError> {
        match call {
            BotCall::GetMe => Ok(BotReply::Me { id: BOT, username: "constella_bot".to_owned() }),
            BotCall::GetWebhookInfo => {
                let info = self.queue.webhook_info();
                let pending = u32::try_from(info.pending_update_count).unwrap_or(u32::MAX);
                Ok(BotReply::Webhook { pending, set: !info.url.is_empty() })
            }
            BotCall::Send { screen, silent, .. } => {
                let id = self.next_message;
                self.next_message += 1;
                self.told.sent((number, self.writer(number)), id, screen, *silent);
                self.shown(t, (number, host), id, screen);
                Ok(BotReply::Sent { message: id })
            }
            BotCall::Edit { message, screen, .. } if self.is_alert(number, *message, screen) => Ok(BotReply::Done),
            BotCall::Edit { message, screen, .. } => {
                let there = self.chat.get(message).ok_or(BotError::MessageGone)?;
                let is_text = !matches!(screen, Screen::Message(message) if is_picture(message));
                if is_text && there.message.as_ref().is_some_and(is_picture) {
                    return Err(BotError::IsPicture);
                }
                self.shown(t, (number, host), *message, screen);
                Ok(BotReply::Done)
            }
            BotCall::Delete { message, .. } => {
                self.chat.remove(message).map(|_| BotReply::Done).ok_or(BotError::MessageGone)
            }
            BotCall::TakeButtons { message, .. } => {
                let shown = self.chat.get_mut(message).ok_or(BotError::MessageGone)?;
                shown.message.iter_mut().for_each(|message| message.buttons.clear());
                Ok(BotReply::Done)
            }
            BotCall::AnswerCallback { callback_id, toast } => {
                let asked = |duty: &&mut Duty| duty.pressed.as_ref().is_some_and(|(query, _)| query == callback_id);
                let Some(duty) = self.duties.iter_mut().rev().find(asked) else { return Err(BotError::QueryTooOld) };
                if t.saturating_sub(duty.pushed) > QUERY_MS {
                    return Err(BotError::QueryTooOld);
                }
                duty.is_toasted(t, host, toast.as_ref());
                Ok(BotReply::Done)
            }
            BotCall::SetCommands { .. } => Ok(BotReply::Done),
            BotCall::GetUpdates { .. } => Err(BotError::Refused("served elsewhere".to_owned())),
        }
    }

    /// The owner sees something: of every command that this node carries out.
    fn shown(&mut self, t: u64, (call, host): (u64, usize), id: i64, screen: &Screen) {
        let message = match screen {
            Screen::Message(message) => Some((**message).clone()),
            Screen::Words { .. } | Screen::Note { .. } | Screen::Invite { .. } | Screen::Alert { .. } => None,
        };
        match &message {
            Some(message) => {
                // However long ago it was asked for: the end of a reboot may come after hundreds of other screens.
                let open = self.duties.iter_mut().filter(|duty| duty.told.is_none());
                open.for_each(|duty| duty.sees(t, host, call, message, &self.names));
                let before = self.chat.values().rev().find_map(|shown| shown.message.clone());
                self.denies(t, host, before.as_ref(), message);
            }
            None if matches!(screen, Screen::Alert { .. }) => return,
            None if matches!(screen, Screen::Note { say, .. } if is_about_the_bot(say.key)) => {}
            None => {
                let farewell = matches!(screen, Screen::Note { say, .. } if say.key == Key::Farewell);
                self.mails.push(Mail { t, host, call, farewell });
            }
        }
        for button in message.iter().flat_map(|message| message.buttons.iter().flatten()) {
            if is_a(&button.press, Button::Confirm) {
                self.confirmations.entry(button.press.data().to_owned()).or_insert(t);
            }
        }
        self.chat.insert(id, Shown { by: host, message });
        while self.chat.len() > MESSAGES {
            self.chat.pop_first();
        }
    }

    fn newest(&self) -> Option<(i64, Vec<Press>)> {
        let with_buttons = |(id, shown): (&i64, &Shown)| {
            let message = shown.message.as_ref()?;
            let buttons = message.buttons.iter().flatten().map(|button| button.press.clone());
            Some((*id, buttons.collect()))
        };
        self.chat.iter().rev().find_map(with_buttons)
    }
}

const fn is_picture(message: &Message) -> bool {
    matches!(message.body, Body::Chart(_))
}

fn is_a(press: &Press, kind: Button) -> bool {
    let verb = match kind {
        Button::List => ways::LIST,
        Button::Card => ways::CARD,
        Button::Reboot => ways::ASK_REBOOT,
        Button::Confirm => reboot::CONFIRM,
        Button::Speedtest => ways::SPEEDTEST,
        Button::Help => ways::HELP,
        Button::Any => return duty::is_judged(press),
    };
    press.verb() == verb
}

/// The owner's user id, and the chat's.
pub(super) const OWNER: i64 = 7_000_001;

/// The bot's id.
pub(super) const BOT: i64 = 4_200_000_042;

/// How long a press may be answered.
const QUERY_MS: u64 = 15_000;

/// Messages of the chat that are remembered.
const MESSAGES: usize = 50;
