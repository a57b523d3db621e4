//! The list of nodes: the screen that is shown where there is no other.

mod words;

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::Status;

use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet, Source};
use crate::bot::desk::room::{Command, Kind, Room, Then, Visit, Wish};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::names;
use crate::bot::kit::page::{Body, Button, Label, List, Row, VotersMissing};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::{NodeRow, World};

/// The list.
#[derive(Debug)]
pub(in crate::bot) struct ListRoom;

impl Room for ListRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::LIST]
    }

    fn commands(&self) -> &'static [Command] {
        &[
            Command { verb: "/nodes", help: Some(Key::HelpNodes), menu: Some(Key::MenuNodes) },
            Command { verb: START, help: None, menu: None },
        ]
    }

    fn kind(&self, wish: &Wish) -> Kind {
        match wish {
            // With a code it claims the bot.
            Wish::Typed { verb, word: Some(_) } if verb == START => Kind::Edit,
            Wish::Typed { .. } | Wish::Pressed(_) | Wish::Said { .. } => Kind::View,
        }
    }

    fn gives_way(&self, wish: &Wish) -> bool {
        match wish {
            Wish::Typed { .. } => true,
            Wish::Pressed(press) => page_of(press).is_some(),
            Wish::Said { .. } => false,
        }
    }

    fn in_short(&self, _world: &World, press: &Press) -> String {
        page_of(press).map_or("…", |_| "☰").to_string()
    }

    fn fits(&self, world: &World, text: &str) -> bool {
        !names::meant(world.names(), text).is_empty()
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let sheet = visit.sheet(desk, step);
        let page = match visit.wish {
            Wish::Said { text, .. } => match names::meant(step.world.names(), text).as_slice() {
                [node] => return Then::Go(ways::card(*node)),
                several => return Then::shown(draw_meant(desk, step, sheet, text, several)),
            },
            Wish::Typed { .. } => 0,
            Wish::Pressed(press) => page_of(press).unwrap_or_else(|| {
                step.toast(Key::UnknownButton);
                0
            }),
        };
        Then::shown(desk.draw(step, sheet, drawing(step.world, page)))
    }

    fn redraw(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, source: &Source) {
        desk.draw(step, sheet, drawing(step.world, page_of(&source.press).unwrap_or_default()));
    }
}

/// The first page, where there is no other screen.
pub(in crate::bot) fn home(world: &World) -> Drawing {
    drawing(world, 0)
}

/// A page of the list; a page that is not there becomes the last.
fn drawing(world: &World, page: usize) -> Drawing {
    let (list, at, pages) = list(world, page);
    let buttons = list_buttons(&list, at, pages);
    Drawing::new(Body::List(list), buttons).anew(NAME, ways::list(page))
}

fn page_of(press: &Press) -> Option<usize> {
    press.rest().parse().ok()
}

/// Draws the nodes that a text may mean.
fn draw_meant(desk: &mut Desk, step: &Step<'_>, sheet: Sheet, text: &str, nodes: &[NodeId]) -> Version {
    let say = Say::new(Key::SeveralMeant).text("text", text.trim()).with("count", Value::Count(nodes.len() as u64));
    let mut found: Vec<&NodeRow> = step.world.nodes.iter().filter(|row| nodes.contains(&row.node)).collect();
    found.sort_by_cached_key(|node| (node.name.to_lowercase(), node.node));
    let rows: Vec<Row> = found.into_iter().take(PAGE_ROWS).map(|node| Row::of(step.world, node)).collect();
    let mut buttons = node_buttons(&rows);
    buttons.push(vec![ways::to_list()]);
    desk.draw(step, sheet, Drawing::new(Body::Says(vec![say]), buttons))
}

/// A page of the list, which one it is, and how many there are.
fn list(world: &World, page: usize) -> (List, usize, usize) {
    let mut nodes: Vec<&NodeRow> = world.nodes.iter().collect();
    nodes.sort_by_cached_key(|node| (node.name.to_lowercase(), node.node));
    let pages = nodes.len().div_ceil(PAGE_ROWS).max(1);
    let page = page.min(pages - 1);
    let rows = nodes.iter().skip(page * PAGE_ROWS).take(PAGE_ROWS).map(|node| Row::of(world, node)).collect();
    let alive = nodes.iter().filter(|node| node.status == Status::Alive).count();
    let voters_missing = world.shortage.as_ref().filter(|_| !world.strong).map(|shortage| VotersMissing {
        missing: shortage.missing.len(),
        total: shortage.total,
        needed: shortage.needed,
    });
    (List { rows, alive, total: nodes.len(), voters_missing }, page, pages)
}

fn list_buttons(list: &List, page: usize, pages: usize) -> Vec<Vec<Button>> {
    let mut buttons = node_buttons(&list.rows);
    if pages > 1 {
        let turn = |label, page| Button { label, press: ways::list(page) };
        let earlier = (page + pages - 1) % pages;
        let later = (page + 1) % pages;
        let here = Button { label: Label::Page { page: page + 1, pages }, press: Press::nothing() };
        buttons.push(vec![turn(Label::Earlier, earlier), here, turn(Label::Later, later)]);
    }
    buttons.push(vec![button(Key::Refresh, ways::list(page)), button(Key::Help, ways::help())]);
    buttons
}

/// A button for each node, two in a row where all are short.
fn node_buttons(rows: &[Row]) -> Vec<Vec<Button>> {
    let narrow = rows.iter().all(|row| row.name.chars().count() <= NARROW_NAME && !row.is_alike);
    let button = |row: &Row| Button {
        label: Label::Node { name: row.name.clone(), id: row.is_alike.then_some(row.node), status: row.status },
        press: ways::card(row.node),
    };
    let nodes: Vec<Button> = rows.iter().map(button).collect();
    nodes.chunks(if narrow { 2 } else { 1 }).map(<[Button]>::to_vec).collect()
}

/// Rows of a page: with their buttons they fill a phone's screen and no more.
const PAGE_ROWS: usize = 8;

/// Two buttons with names up to this fit beside each other on a phone.
const NARROW_NAME: usize = 14;

/// Its name.
const NAME: &str = "list";

/// Telegram sends it when the owner opens the bot.
const START: &str = "/start";
