//! Reboots: asked for on a card, confirmed by a one-time button, then carried out and followed by a task.

mod confirm;
mod order;
mod state;
mod task;
#[cfg(test)]
pub(in crate::bot) mod tests;
mod took;
mod verdict;
mod words;

use alloc::string::{String, ToString as _};
use alloc::vec;
use core::time::Duration;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::{Stage, StoredCommand};
use constella_shared::wire::rpc::Request;

use self::confirm::{Confirmation, Confirmations, DEADLINE_MS, NONCE_DIGITS, Unconfirmed, VALID_MS};
use self::order::Order;
use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet, Source};
use crate::bot::desk::job::Job;
use crate::bot::desk::room::{Kind, Room, Then, Visit, Wish, node_of};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::Body;
use crate::bot::kit::press::{NodeTag, Press, is_hex};
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::World;
use crate::clock::Now;

/// Reboots.
#[derive(Debug)]
pub(super) struct RebootRoom {
    confirmations: Confirmations,
    /// The confirmation that was drawn last.
    shown: Option<Shown>,
}

/// A confirmation on the screen: it is taken away when its button stops working.
#[derive(Debug)]
struct Shown {
    /// Of which node.
    node: NodeId,
    /// Its one-time button.
    nonce: String,
    /// Where and how it was drawn.
    sheet: Sheet,
    /// As which screen.
    version: Version,
}

/// What is pressed in this room.
enum Pressed {
    /// Show the confirmation.
    Ask(NodeId),
    /// The confirmation's one-time button.
    Confirmed(NodeId, String),
}

impl RebootRoom {
    /// The one-time buttons are made from this seed, which is random and never used twice.
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { confirmations: Confirmations::new(seed), shown: None }
    }
}

impl Room for RebootRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::ASK_REBOOT, CONFIRM]
    }

    fn kind(&self, wish: &Wish) -> Kind {
        match wish {
            Wish::Pressed(press) if press.verb() == CONFIRM => Kind::Order,
            Wish::Pressed(_) | Wish::Typed { .. } | Wish::Said { .. } => Kind::View,
        }
    }

    /// The confirmation of a reboot is a view, but would lead nowhere.
    fn needs_disk(&self, _wish: &Wish) -> bool {
        true
    }

    fn gives_way(&self, wish: &Wish) -> bool {
        matches!(wish, Wish::Pressed(press) if press.verb() == ways::ASK_REBOOT)
    }

    fn in_short(&self, world: &World, press: &Press) -> String {
        let tag = press.rest().split(':').next().unwrap_or_default();
        let name = node_of(world, tag).map(|node| world.name_of(node));
        alloc::format!("♻️ {}", name.as_deref().unwrap_or("…"))
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let sheet = visit.sheet(desk, step);
        match pressed(step.world, visit.wish) {
            Ok(Pressed::Ask(node)) if step.world.is_down(node) => {
                step.toast(Key::NodeDown);
                Then::Go(ways::card(node))
            }
            Ok(Pressed::Ask(node)) => Then::shown(self.draw(desk, step, sheet, node)),
            Ok(Pressed::Confirmed(node, nonce)) => match self.confirmations.take(step.world.now, node, &nonce) {
                Ok((confirmation, shown)) => confirmed(desk, step, visit, node, confirmation, shown),
                Err(why) => {
                    step.toast(match why {
                        Unconfirmed::Expired => Key::ConfirmExpired,
                        Unconfirmed::Over => Key::ConfirmUsed,
                        Unconfirmed::Unknown => Key::ConfirmElsewhere,
                    });
                    Then::shown(unconfirmed(desk, step, sheet, &visit.job.command, node, why))
                }
            },
            Err(why) => {
                step.toast(why);
                Then::Go(ways::list(0))
            }
        }
    }

    fn resume(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, stage: &Stage) -> Option<Then> {
        let Stage::Rebooting { target, boot_id, not_after_unix_ms, not_after_boot_ms, asked_unix_ms } = stage else {
            return None;
        };
        let order = Order {
            target: *target,
            boot_id: boot_id.clone(),
            not_after_unix_ms: *not_after_unix_ms,
            not_after_boot_ms: *not_after_boot_ms,
        };
        Some(task::resume(desk, step, job, order, *asked_unix_ms))
    }

    /// A confirmation that waited for long would have no time left: a new one is drawn.
    fn redraw(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, source: &Source) {
        match node_of(step.world, source.press.rest()) {
            Ok(node) => self.draw(desk, step, sheet, node),
            Err(_) => desk.draw_again(step, sheet),
        };
    }

    /// The boot id of a node whose reboot is to be confirmed.
    fn answered(
        &mut self,
        _desk: &mut Desk,
        _step: &mut Step<'_>,
        tag: u64,
        answer: Answer,
    ) -> Option<(CommandId, Then)> {
        self.confirmations.boot_id(tag, answer.peer());
        None
    }

    fn issued(&mut self, now: Now) {
        self.confirmations.shown(now);
    }

    /// Takes a confirmation off the screen whose button has stopped working.
    fn due(&mut self, desk: &mut Desk, step: &mut Step<'_>) {
        if self.deadline(desk).is_some_and(|at| at <= step.world.now.boot_ms)
            && let Some(Shown { node, sheet, .. }) = self.shown.take()
        {
            let say = Say::new(Key::ConfirmOver).text("name", step.world.name_of(node));
            draw_says(desk, step, Sheet { bring: false, ..sheet }, node, say);
        }
    }

    fn deadline(&self, desk: &Desk) -> Option<u64> {
        let shown = self.shown.as_ref().filter(|shown| desk.is_present(shown.version))?;
        self.confirmations.ends_at(&shown.nonce)
    }

    fn deposed(&mut self) {
        self.confirmations.clear();
        self.shown = None;
    }
}

impl RebootRoom {
    fn draw(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, node: NodeId) -> Version {
        let (number, nonce) = self.confirmations.make(node);
        desk.ask_for_room(step, (NAME, number), node, Request::GetStats {}, BOOT_ID_TIMEOUT);
        let leads = step.world.row(node).is_some_and(|row| row.leader);
        let key = match (leads, step.world.has_heir) {
            (false, _) => Key::ConfirmReboot,
            (true, true) => Key::ConfirmRebootLeader,
            (true, false) => Key::ConfirmRebootAlone,
        };
        let name = step.world.name_of(node);
        let say = Say::new(key).text("name", name).with("seconds", Value::Count(VALID_MS / 1_000));
        let buttons =
            vec![vec![button(Key::RebootYes, confirm(node, &nonce))], vec![button(Key::Cancel, ways::card(node))]];
        let drawing = Drawing::new(Body::Says(vec![say]), buttons).anew(NAME, ways::ask_reboot(node));
        let version = desk.draw(step, sheet, drawing);
        self.shown = Some(Shown { node, nonce, sheet, version });
        version
    }
}

/// The one-time button of a confirmation: its nonce is known to the leader that showed it, and to nobody else.
#[must_use]
pub fn confirm(node: NodeId, nonce: &str) -> Press {
    Press::with(CONFIRM, format_args!("{}:{nonce}", NodeTag::of(&node)))
}

fn pressed(world: &World, wish: &Wish) -> Result<Pressed, Key> {
    let Wish::Pressed(press) = wish else { return Err(Key::UnknownButton) };
    if press.verb() == ways::ASK_REBOOT {
        return node_of(world, press.rest()).map(Pressed::Ask);
    }
    let (tag, nonce) = press.rest().split_once(':').ok_or(Key::UnknownButton)?;
    if !is_hex(nonce, NONCE_DIGITS) {
        return Err(Key::UnknownButton);
    }
    node_of(world, tag).map(|node| Pressed::Confirmed(node, nonce.to_string()))
}

/// The owner confirmed: the order is stored, then asked.
fn confirmed(
    desk: &mut Desk,
    step: &mut Step<'_>,
    visit: &Visit<'_>,
    node: NodeId,
    confirmation: Confirmation,
    shown: Now,
) -> Then {
    let left_ms = DEADLINE_MS.saturating_sub(step.world.now.elapsed(shown));
    let order = Order::confirmed(step.world, node, confirmation, shown, left_ms);
    task::order(desk, step, visit.job, order, left_ms, visit.bring)
}

/// Why nothing was done is said on the screen too: a toast is gone when the press is older than Telegram remembers. Of another leader's
/// button it cannot be said: both took the press, perhaps, and the copy of the order did not come here. There is no new button under the
/// finger that pressed the old one: who still wants it opens the node and asks again. A press that came twice leaves the order's own screen.
fn unconfirmed(
    desk: &mut Desk,
    step: &Step<'_>,
    sheet: Sheet,
    command: &StoredCommand,
    node: NodeId,
    why: Unconfirmed,
) -> Version {
    let say = match why {
        Unconfirmed::Expired => Say::new(Key::ConfirmExpired),
        Unconfirmed::Over => Say::new(Key::ConfirmUsed),
        Unconfirmed::Unknown => Say::new(Key::ConfirmTaken).text("name", step.world.name_of(node)),
    };
    let again = why == Unconfirmed::Over && desk.has_the_screen();
    if again || desk.is_overtaken(step, command) {
        return desk.add_notice(step, sheet, say);
    }
    let version = draw_says(desk, step, sheet, node, say.clone());
    desk.keep_result(say, version);
    version
}

/// One sentence about a node, with the ways back from it.
fn draw_says(desk: &mut Desk, step: &Step<'_>, sheet: Sheet, node: NodeId, say: Say) -> Version {
    desk.draw(step, sheet, Drawing::new(Body::Says(vec![say]), ways::back(node)))
}

/// Its name.
const NAME: &str = "reboot";

/// Verb of a confirmation's one-time button.
pub const CONFIRM: &str = "rb";

/// For the boot id, while the owner reads the confirmation.
const BOOT_ID_TIMEOUT: Duration = Duration::from_secs(3);
