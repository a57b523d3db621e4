//! What a chart is to show, as the data of its buttons: everything is in the button, so that another leader can draw the same.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use constella_shared::ids::NodeId;

use crate::bot::kit::chart::{Metric, NODES, Range, Theme};
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::Key;
use crate::bot::kit::world::World;
use crate::bot::rooms::ways;

/// What the owner chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) metric: Metric,
    pub(super) range: Range,
    pub(super) theme: Theme,
    pub(super) menu: Menu,
    /// The node whose card is behind the chart.
    pub(super) node: NodeId,
    /// Those that it is compared with, at most one less than [`NODES`].
    pub(super) with: Vec<NodeId>,
}

/// Which buttons are below the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Menu {
    /// Metrics and ranges.
    Chart,
    /// A page of nodes, one of which is to be shown.
    Node(u8),
    /// A page of nodes to compare with.
    Compare(u8),
}

impl Choice {
    /// The data of a button without its verb, as `a2dv00`, the node's tag, and the beginnings of the others' ids.
    ///
    /// # Errors
    /// What the owner is told: of a node that is gone, or of data that this version did not write. Others that are gone are left out.
    pub(super) fn parse(world: &World, rest: &str) -> Result<Self, Key> {
        let (head, tags) = rest.split_at_checked(HEAD).ok_or(Key::UnknownButton)?;
        let (tag, others) = tags.split_at_checked(TAG).ok_or(Key::UnknownButton)?;
        let (codes, page) = head.split_at_checked(4).ok_or(Key::UnknownButton)?;
        let page = u8::from_str_radix(page, 16).map_err(|_| Key::UnknownButton)?;
        let mut codes = codes.bytes();
        let mut next = || codes.next().ok_or(Key::UnknownButton);
        let metric = coded(&Metric::ALL, next()?).ok_or(Key::UnknownButton)?;
        let range = coded(&Range::ALL, next()?).ok_or(Key::UnknownButton)?;
        let theme = coded(&THEMES, next()?).ok_or(Key::UnknownButton)?;
        let menu = match next()? {
            b'a' => Menu::Chart,
            b'b' => Menu::Node(page),
            b'c' => Menu::Compare(page),
            _ => return Err(Key::UnknownButton),
        };
        let node = NodeTag::parse(tag).ok_or(Key::UnknownButton)?.find(world).ok_or(Key::NodeGone)?;
        let mut with: Vec<NodeId> = Vec::new();
        for other in others.as_bytes().chunks(OTHER) {
            let found = core::str::from_utf8(other).ok().and_then(|digits| find(world, digits));
            with.extend(found.filter(|found| *found != node && !with.contains(found)));
        }
        with.truncate(NODES - 1);
        Ok(Self { metric, range, theme, menu, node, with })
    }

    /// The button that shows this.
    pub(super) fn press(&self) -> Press {
        let (menu, page) = match self.menu {
            Menu::Chart => ('a', 0),
            Menu::Node(page) => ('b', page),
            Menu::Compare(page) => ('c', page),
        };
        let codes =
            [code(&Metric::ALL, &self.metric), code(&Range::ALL, &self.range), code(&THEMES, &self.theme), menu];
        let codes: String = codes.iter().collect();
        let mut rest = format!("{codes}{page:02x}{}", NodeTag::of(&self.node));
        for other in &self.with {
            // Writing into a String does not fail.
            let _ = write!(rest, "{}", beginning(other));
        }
        Press::with(ways::CHART, rest)
    }

    /// All its nodes, the one behind it first.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        core::iter::once(self.node).chain(self.with.iter().copied())
    }

    /// Whether one more can be compared.
    pub(super) fn has_room(&self) -> bool {
        self.with.len() + 1 < NODES
    }

    /// The same with or without this other node.
    pub(super) fn toggled(&self, other: NodeId) -> Self {
        let mut choice = self.clone();
        match choice.with.iter().position(|known| *known == other) {
            Some(at) => drop(choice.with.remove(at)),
            None => choice.with.push(other),
        }
        choice
    }
}

/// The value that this letter stands for.
fn coded<T: Copy>(all: &[T], letter: u8) -> Option<T> {
    letter.checked_sub(b'a').and_then(|at| all.get(usize::from(at))).copied()
}

/// The letter of a value, by its place among all.
fn code<T: PartialEq>(all: &[T], value: &T) -> char {
    ('a'..='z').zip(all).find(|(_, known)| *known == value).map_or('a', |(letter, _)| letter)
}

/// The only node whose id begins so.
fn find(world: &World, digits: &str) -> Option<NodeId> {
    let mut found = world.nodes.iter().map(|row| row.node).filter(|node| beginning(node) == digits);
    found.next().filter(|_| found.next().is_none())
}

fn beginning(node: &NodeId) -> String {
    node.to_string().chars().take(OTHER).collect()
}

const THEMES: [Theme; 2] = [Theme::Dark, Theme::Light];

/// Four letters and a page of two hex digits.
const HEAD: usize = 6;

/// Digits of a [`NodeTag`].
const TAG: usize = 16;

/// Digits of each other node's id: five of them fit the 64 bytes of a button. Where two nodes begin alike, which is one network of 200 in 13,000,
/// neither is compared.
const OTHER: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::bench::{Bench, node, row};

    #[test]
    fn every_choice_is_read_back_and_fits_64_bytes() {
        // C1: up to six nodes on one
        let mut bench = Bench::new();
        bench.world.nodes = ["alpha", "beta", "c", "d", "e", "f", "g"].into_iter().map(row).collect();
        for metric in Metric::ALL {
            for range in Range::ALL {
                for (theme, menu) in THEMES.into_iter().zip([Menu::Compare(255), Menu::Node(0), Menu::Chart]) {
                    let with = ["beta", "c", "d", "e", "f"].map(node).to_vec();
                    let choice = Choice { metric, range, theme, menu, node: node("alpha"), with };
                    let press = choice.press();
                    assert!(press.data().len() <= 64, "{}", press.data());
                    assert_eq!(Choice::parse(&bench.world, press.rest()), Ok(choice));
                }
            }
        }
    }

    #[test]
    fn nodes_that_are_gone_and_foreign_data_are_told_apart() {
        // C1
        let bench = Bench::new();
        let alpha = NodeTag::of(&node("alpha")).to_string();
        let parsed = |rest: &str| Choice::parse(&bench.world, rest);
        let gone = beginning(&node("gone"));
        let beta = beginning(&node("beta"));
        let choice = parsed(&format!("acaa00{alpha}{gone}{beta}{beta}{}", beginning(&node("alpha")))).unwrap();
        assert_eq!(choice.with, [node("beta")]);
        assert_eq!(parsed(&format!("acaa00{}", NodeTag::of(&node("gone")))), Err(Key::NodeGone));
        let junk = ["", "acaa0", "zcaa00", "azaa00", "acza00", "acaz00", "acaaxx", "aca€00"];
        for head in junk {
            assert_eq!(parsed(&format!("{head}{alpha}")), Err(Key::UnknownButton), "{head}");
        }
        assert!(parsed(&format!("acaa00{alpha}ééé")).unwrap().with.is_empty());
    }

    #[test]
    fn a_node_is_taken_in_and_out_again() {
        // C1
        let bench = Bench::new();
        let one = Choice::parse(&bench.world, ways::chart(node("alpha")).rest()).unwrap();
        assert_eq!((one.metric, one.range, one.menu), (Metric::Cpu, Range::Day, Menu::Chart));
        let two = one.toggled(node("beta"));
        assert_eq!(two.nodes().collect::<Vec<_>>(), [node("alpha"), node("beta")]);
        assert_eq!(two.toggled(node("beta")), one);
    }
}
