//! For which room an update is: by the verb of a button, by the command that was typed, or by what else a text may mean.

use alloc::string::{String, ToString as _};

use constella_shared::wire::command::CommandContent;

use super::dialogue::{Dialogue, find};
use super::job::Job;
use super::room::{Kind, Then, Visit, Wish};
use super::step::Step;
use crate::bot::kit::press::Press;
use crate::bot::kit::world::World;
use crate::io::UpdateEvent;

/// For which room a wish is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// Its name.
    pub(super) room: &'static str,
    /// What is wanted of it.
    pub(super) wish: Wish,
}

impl Dialogue {
    /// Whether an update is a view, an edit or an order. What no room knows is shown as such, which is a view.
    #[must_use]
    pub fn kind(&self, content: &CommandContent) -> Kind {
        if is_forwarded(content) {
            return Kind::View;
        }
        let Some(Route { room, wish }) = self.route(None, content) else { return Kind::View };
        self.rooms.iter().find(|known| known.name() == room).map_or(Kind::View, |room| room.kind(&wish))
    }

    /// What counts of what somebody sent. The words of a forwarded text are somebody else's: where they would do something, only that they came is
    /// kept, so that no leader, of whatever version, ever carries them out.
    #[must_use]
    pub fn own_words(&self, event: &UpdateEvent) -> CommandContent {
        match &event.content {
            CommandContent::Text { .. } if event.forwarded && self.kind(&event.content) != Kind::View => {
                CommandContent::Text { text: FORWARDED.to_string() }
            }
            content => content.clone(),
        }
    }

    /// Whether the disk must take what comes of it.
    pub(super) fn needs_disk(&self, world: &World, content: &CommandContent) -> bool {
        let Some(Route { room, wish }) = self.route(Some(world), content) else { return false };
        !is_forwarded(content) && self.rooms.iter().any(|known| known.name() == room && known.needs_disk(&wish))
    }

    /// Whether it is answered beside the screen.
    pub(super) fn answers_beside(&self, content: &CommandContent) -> bool {
        let Some(Route { room, wish }) = self.route(None, content) else { return is_forwarded(content) };
        self.rooms.iter().any(|known| known.name() == room && known.answers_beside(&wish))
    }

    /// Whether a list may take the place of what was shown to this command.
    pub(super) fn gives_way(&self, shown: &CommandContent) -> bool {
        let Some(Route { room, wish }) = self.route(None, shown) else { return false };
        self.rooms.iter().any(|known| known.name() == room && known.gives_way(&wish))
    }

    /// What a button asked for, as short as its owner knows it.
    pub(super) fn in_short(&self, world: &World, data: &str) -> String {
        let room = Press::parse(data).and_then(|press| {
            let room = self.rooms.iter().find(|room| room.presses().contains(&press.verb()))?;
            Some(room.in_short(world, &press))
        });
        room.unwrap_or_else(|| String::from("…"))
    }

    /// For which room it is. Without a world a text that is no command is for no room, but for the one that waits for it.
    pub(super) fn route(&self, world: Option<&World>, content: &CommandContent) -> Option<Route> {
        let text = match content {
            CommandContent::Text { text } => text,
            CommandContent::Button { data, .. } => {
                let press = Press::parse(data)?;
                return Some(Route { room: self.of_verb(&press)?, wish: Wish::Pressed(press) });
            }
            CommandContent::Other(_) => return None,
        };
        let verb = verb(text).unwrap_or_default();
        let typed = |command: &super::room::Command| command.verb == verb;
        if let Some(room) = self.rooms.iter().find(|room| room.commands().iter().any(typed)) {
            let word = text.split_whitespace().nth(1).map(String::from);
            return Some(Route { room: room.name(), wish: Wish::Typed { verb, word } });
        }
        let said = |room: &'static str, to| Route { room, wish: Wish::Said { text: text.clone(), to } };
        if let Some((name, question)) = &self.desk.awaited
            && self.rooms.iter().any(|room| room.name() == *name && room.awaits(text, question))
        {
            return Some(said(name, Some(question.clone())));
        }
        let room = self.rooms.iter().find(|room| world.is_some_and(|world| room.fits(world, text)))?;
        Some(said(room.name(), None))
    }

    /// A room answers; where it points to another one, that one does.
    pub(super) fn enter(&mut self, step: &mut Step<'_>, job: Job, route: Route, bring: bool) {
        let Some(room) = find(&mut self.rooms, route.room) else { return self.go_home(step, job) };
        let then = room.open(&mut self.desk, step, &Visit { job: &job, wish: &route.wish, bring });
        self.settle(step, job, route.room, then, bring);
    }

    /// A command goes on, perhaps in another room.
    pub(super) fn settle(&mut self, step: &mut Step<'_>, job: Job, room: &'static str, then: Then, bring: bool) {
        let mut left = self.desk.settle(step, job, room, then);
        // A room that points to another one is answered by that; rooms that point at each other end at home.
        for _ in 0..DOORS {
            let Some((job, press)) = left.take() else { return };
            let Some(room) = self.of_verb(&press) else { return self.go_home(step, job) };
            let wish = Wish::Pressed(press);
            let visit = Visit { job: &job, wish: &wish, bring };
            let Some(next) = find(&mut self.rooms, room).map(|room| room.open(&mut self.desk, step, &visit)) else {
                return self.go_home(step, job);
            };
            left = self.desk.settle(step, job, room, next);
        }
        if let Some((job, _)) = left {
            self.go_home(step, job);
        }
    }

    /// The screen that is shown where there is no other answers.
    pub(super) fn go_home(&mut self, step: &Step<'_>, job: Job) {
        let sheet = self.desk.sheet(step, &job.command, false);
        let version = self.desk.draw_home(step, sheet);
        self.desk.show(job, version);
    }

    fn of_verb(&self, press: &Press) -> Option<&'static str> {
        self.rooms.iter().find(|room| room.presses().contains(&press.verb())).map(|room| room.name())
    }
}

/// The first word in lower case, without the bot's name.
pub(super) fn verb(text: &str) -> Option<String> {
    let word = text.split_whitespace().next()?;
    Some(word.split('@').next().unwrap_or(word).to_ascii_lowercase())
}

/// Whether it stands for a forwarded text that would have done something.
pub(super) fn is_forwarded(content: &CommandContent) -> bool {
    matches!(content, CommandContent::Text { text } if verb(text).as_deref() == Some(FORWARDED))
}

/// Stands for a forwarded text that would have done something. Nobody can type it: Telegram lets no control character through.
const FORWARDED: &str = "\u{1}forwarded";

/// Rooms that one wish may go through: an order goes to the card of a node that is down, and from there to the list where the node is gone.
const DOORS: usize = 4;
