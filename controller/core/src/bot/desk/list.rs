//! The list of nodes and the help: screens that need no question.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::command::CommandContent;
use constella_shared::wire::rpc::Status;

use super::canvas::Version;
use super::command::asks_for_the_list;
use super::pace::Urgency;
use super::scene::{Drawing, Sheet, Source};
use super::{Dialogue, Step};
use crate::bot::kit::language::Language;
use crate::bot::kit::names;
use crate::bot::kit::page::{Body, Button, Label, List, Row, VotersMissing};
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::{NodeRow, World};

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

    /// Draws the nodes that a text may mean.
    pub(super) fn draw_meant(&mut self, step: &Step<'_>, sheet: Sheet, text: &str, nodes: &[NodeId]) -> Version {
        let say = Say::new(Key::SeveralMeant).text("text", text.trim()).with("count", Value::Count(nodes.len() as u64));
        let mut found: Vec<&NodeRow> = step.world.nodes.iter().filter(|row| nodes.contains(&row.node)).collect();
        found.sort_by_cached_key(|node| (node.name.to_lowercase(), node.node));
        let rows: Vec<Row> = found.into_iter().take(PAGE_ROWS).map(|node| row(step.world, node)).collect();
        let mut buttons = node_buttons(&rows);
        buttons.push(vec![button(Key::ToList, Press::List { page: 0 })]);
        let body = Body::Says(vec![say]);
        self.draw(step, sheet, Drawing { body, buttons, watched: None, urgency: Urgency::Owner })
    }

    /// Asks for the language.
    pub(super) fn draw_languages(&mut self, step: &Step<'_>, sheet: Sheet) -> Version {
        let body = Body::Says(vec![Say::new(Key::AskLanguage)]);
        let buttons = vec![language_buttons()];
        self.draw(step, sheet, Drawing { body, buttons, watched: None, urgency: Urgency::Owner })
    }

    /// Draws the help, after a sentence where there is one.
    pub(super) fn draw_help(&mut self, step: &Step<'_>, sheet: Sheet, first: Option<Key>) -> Version {
        let says = first.into_iter().chain([Key::HelpText]).map(Say::new).collect();
        let buttons = vec![vec![button(Key::ToList, Press::List { page: 0 })], language_buttons()];
        self.draw(step, sheet, Drawing { body: Body::Says(says), buttons, watched: None, urgency: Urgency::Owner })
    }
}

fn language_buttons() -> Vec<Button> {
    let button = |language| Button { label: Label::Language(language), press: Press::Language(language) };
    Language::ALL.into_iter().map(button).collect()
}

/// Whether a list may take the place of what was shown to this command.
pub(super) fn gives_way(shown: &CommandContent) -> bool {
    match shown {
        CommandContent::Text { text } => asks_for_the_list(text),
        CommandContent::Button { data, .. } => {
            matches!(Press::parse(data), Some(Press::List { .. } | Press::AskReboot(_)))
        }
        CommandContent::Other(_) => false,
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
    let voters_missing = world.shortage.as_ref().filter(|_| !world.strong).map(|shortage| VotersMissing {
        missing: shortage.missing.len(),
        total: shortage.total,
        needed: shortage.needed,
    });
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
        is_alike: names::is_alike(all(world), node.node, &node.name),
        status: node.status,
        leader: node.leader,
        rtt_ms: node.rtt_ms.filter(|_| node.node != world.me),
        glance: node.glance,
        silent_ms,
        listened_ms: world.nodes.iter().find(|row| row.node == world.me).and_then(|row| row.up_ms).unwrap_or_default(),
        disk: node.disk,
    }
}

/// The owner's name for a node, with its short id where names are alike; that id alone where it does not belong any longer.
pub(super) fn name_of(world: &World, node: NodeId) -> String {
    names::shown(all(world), node)
}

/// Every node with its name.
pub(super) fn all(world: &World) -> impl Iterator<Item = (NodeId, &str)> + Clone {
    world.nodes.iter().map(|row| (row.node, row.name.as_str()))
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
    let mut buttons = node_buttons(&list.rows);
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

/// A button for each node, two in a row where all are short.
fn node_buttons(rows: &[Row]) -> Vec<Vec<Button>> {
    let narrow = rows.iter().all(|row| row.name.chars().count() <= NARROW_NAME && !row.is_alike);
    let button = |row: &Row| Button {
        label: Label::Node { name: row.name.clone(), id: row.is_alike.then_some(row.node), status: row.status },
        press: Press::Card(NodeTag::of(&row.node)),
    };
    let nodes: Vec<Button> = rows.iter().map(button).collect();
    nodes.chunks(if narrow { 2 } else { 1 }).map(<[Button]>::to_vec).collect()
}

/// Rows of a page: with their buttons they fill a phone's screen and no more.
const PAGE_ROWS: usize = 8;

/// Two buttons with names up to this fit beside each other on a phone.
const NARROW_NAME: usize = 14;
