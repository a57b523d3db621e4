//! The list of nodes and the help: screens that need no question.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::Status;

use super::canvas::Version;
use super::pace::Urgency;
use super::scene::{Drawing, Sheet, Source};
use super::{Dialogue, Step};
use crate::bot::language::Language;
use crate::bot::press::{NodeTag, Press};
use crate::bot::screen::{Body, Button, Label, List, Row};
use crate::bot::text::{Key, Say};
use crate::bot::world::{NodeRow, World};

impl Dialogue {
    /// Draws a page of the list; a page that is not there becomes the last.
    pub(super) fn draw_list(&mut self, step: &mut Step<'_>, sheet: Sheet, page: usize) -> Version {
        let (list, page, pages) = list(step.world, page);
        let buttons = list_buttons(&list, page, pages);
        let drawing = Drawing { body: Body::List(list), buttons, watched: None, urgency: Urgency::Owner };
        let version = self.draw(step, sheet, drawing);
        self.scene.source = Source::List { page };
        version
    }

    /// Draws the help, after a sentence where there is one.
    pub(super) fn draw_help(&mut self, step: &Step<'_>, sheet: Sheet, first: Option<Key>) -> Version {
        let says = first.into_iter().chain([Key::HelpText]).map(Say::new).collect();
        let languages = Language::ALL
            .into_iter()
            .map(|language| Button { label: Label::Language(language), press: Press::Language(language) })
            .collect();
        let buttons = vec![vec![button(Key::ToList, Press::List { page: 0 })], languages];
        self.draw(step, sheet, Drawing { body: Body::Says(says), buttons, watched: None, urgency: Urgency::Owner })
    }
}

/// A page of the list, which one it is, and how many there are.
fn list(world: &World, page: usize) -> (List, usize, usize) {
    let mut nodes: Vec<&NodeRow> = world.nodes.iter().collect();
    nodes.sort_by_cached_key(|node| (node.name.to_lowercase(), node.node));
    let pages = nodes.len().div_ceil(PAGE_ROWS).max(1);
    let page = page.min(pages - 1);
    let rows = nodes.iter().skip(page * PAGE_ROWS).take(PAGE_ROWS).map(|node| row(world, node)).collect();
    let alive = nodes.iter().filter(|node| node.status == Status::Alive).count();
    let voters_missing = (!world.strong && world.voters_missing.0 > 0).then_some(world.voters_missing);
    (List { rows, alive, total: nodes.len(), voters_missing }, page, pages)
}

/// A node in short.
pub(super) fn row(world: &World, node: &NodeRow) -> Row {
    let silent_ms = if node.status == Status::Alive {
        Some(0)
    } else {
        (node.last_seen_unix_ms > 0).then(|| world.now.unix_ms.saturating_sub(node.last_seen_unix_ms))
    };
    Row {
        node: node.node,
        name: node.name.clone(),
        status: node.status,
        leader: node.leader,
        rtt_ms: node.rtt_ms.filter(|_| node.node != world.me),
        glance: node.glance,
        silent_ms,
    }
}

/// The owner's name for a node; its short id where it does not belong any longer.
pub(super) fn name_of(world: &World, node: NodeId) -> String {
    world.nodes.iter().find(|row| row.node == node).map_or_else(|| node.short(), |row| row.name.clone())
}

/// A button with a text.
pub(super) fn button(label: Key, press: Press) -> Button {
    Button { label: Label::Text(label), press }
}

/// Back to the card, and to the list.
pub(super) fn ways_back(node: NodeId) -> Vec<Vec<Button>> {
    vec![vec![button(Key::ToCard, Press::Card(NodeTag::of(&node))), button(Key::ToList, Press::List { page: 0 })]]
}

fn list_buttons(list: &List, page: usize, pages: usize) -> Vec<Vec<Button>> {
    let narrow = list.rows.iter().all(|row| row.name.chars().count() <= NARROW_NAME);
    let nodes: Vec<Button> = list
        .rows
        .iter()
        .map(|row| Button {
            label: Label::Node { name: row.name.clone(), status: row.status },
            press: Press::Card(NodeTag::of(&row.node)),
        })
        .collect();
    let mut buttons: Vec<Vec<Button>> = nodes.chunks(if narrow { 2 } else { 1 }).map(<[Button]>::to_vec).collect();
    if pages > 1 {
        let turn = |label, page| Button { label, press: Press::List { page } };
        let earlier = (page + pages - 1) % pages;
        let later = (page + 1) % pages;
        let here = Button { label: Label::Page { page: page + 1, pages }, press: Press::Nothing };
        buttons.push(vec![turn(Label::Earlier, earlier), here, turn(Label::Later, later)]);
    }
    buttons.push(vec![button(Key::Refresh, Press::List { page }), button(Key::Help, Press::Help)]);
    buttons
}

/// Rows of a page: with their buttons they fill a phone's screen and no more.
const PAGE_ROWS: usize = 8;

/// Two buttons with names up to this fit beside each other on a phone.
const NARROW_NAME: usize = 14;
