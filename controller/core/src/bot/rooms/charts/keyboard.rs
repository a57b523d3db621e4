//! The buttons below a chart.

use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;

use super::choice::{Choice, Menu};
use crate::bot::kit::buttons::button;
use crate::bot::kit::chart::{Metric, Range, Theme};
use crate::bot::kit::page::{Button, Label};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::{NodeRow, World};
use crate::bot::rooms::ways;

/// The rows of buttons.
pub(super) fn buttons(world: &World, choice: &Choice) -> Vec<Vec<Button>> {
    match choice.menu {
        Menu::Chart => chart(world, choice),
        Menu::Node(page) => nodes(world, choice, usize::from(page), Menu::Node, |row| {
            let label = Label::Choice { say: named(world, row.node), chosen: row.node == choice.node };
            Button {
                label,
                press: Choice { node: row.node, with: Vec::new(), menu: Menu::Chart, ..choice.clone() }.press(),
            }
        }),
        Menu::Compare(page) => nodes(world, choice, usize::from(page), Menu::Compare, |row| {
            let chosen = choice.nodes().any(|node| node == row.node);
            let fixed = row.node == choice.node || (!chosen && !choice.has_room());
            let press = if fixed { Press::nothing() } else { choice.toggled(row.node).press() };
            Button { label: Label::Choice { say: named(world, row.node), chosen }, press }
        }),
    }
}

fn chart(world: &World, choice: &Choice) -> Vec<Vec<Button>> {
    let range = |range: Range| {
        let label = Label::Choice { say: range_of(range), chosen: range == choice.range };
        Button { label, press: Choice { range, ..choice.clone() }.press() }
    };
    let metric = |metric: Metric| {
        let label = Label::Choice { say: Say::new(short(metric)), chosen: metric == choice.metric };
        Button { label, press: Choice { metric, ..choice.clone() }.press() }
    };
    let metrics: Vec<Button> = Metric::ALL.into_iter().map(metric).collect();
    let mut rows = vec![Range::ALL.into_iter().map(range).collect()];
    rows.extend(metrics.chunks(METRICS).map(<[Button]>::to_vec));
    let (theme, label) = match choice.theme {
        Theme::Dark => (Theme::Light, Key::ThemeLight),
        Theme::Light => (Theme::Dark, Key::ThemeDark),
    };
    let other = |choice: Choice, label| button(label, choice.press());
    let mut ways = vec![other(choice.clone(), Key::Refresh)];
    if world.nodes.len() > 1 {
        ways.push(other(Choice { menu: Menu::Node(0), ..choice.clone() }, Key::ChartNode));
        ways.push(other(Choice { menu: Menu::Compare(0), ..choice.clone() }, Key::ChartCompare));
    }
    ways.push(other(Choice { theme, ..choice.clone() }, label));
    rows.push(ways);
    rows.extend(ways::back(choice.node));
    rows
}

/// A page of nodes, and the way back to the chart's own buttons.
fn nodes(
    world: &World,
    choice: &Choice,
    page: usize,
    menu: fn(u8) -> Menu,
    mut button_of: impl FnMut(&NodeRow) -> Button,
) -> Vec<Vec<Button>> {
    let mut rows: Vec<&NodeRow> = world.nodes.iter().collect();
    rows.sort_by_cached_key(|row| (row.name.to_lowercase(), row.node));
    let pages = rows.len().div_ceil(PAGE).max(1);
    let page = page.min(pages - 1);
    let shown: Vec<Button> = rows.into_iter().skip(page * PAGE).take(PAGE).map(&mut button_of).collect();
    let mut buttons: Vec<Vec<Button>> = shown.chunks(2).map(<[Button]>::to_vec).collect();
    if pages > 1 {
        let turn = |label, page: usize| {
            let menu = menu(u8::try_from(page % pages).unwrap_or_default());
            Button { label, press: Choice { menu, ..choice.clone() }.press() }
        };
        let here = Button { label: Label::Page { page: page + 1, pages }, press: Press::nothing() };
        buttons.push(vec![turn(Label::Earlier, page + pages - 1), here, turn(Label::Later, page + 1)]);
    }
    buttons.push(vec![button(Key::ChartBack, Choice { menu: Menu::Chart, ..choice.clone() }.press())]);
    buttons
}

fn named(world: &World, node: NodeId) -> Say {
    Say::new(Key::ChartOf).text("name", world.name_of(node))
}

fn range_of(range: Range) -> Say {
    let hours = range.hours();
    match range {
        Range::Hour | Range::SixHours | Range::Day => {
            Say::new(Key::ChartHours).with("count", Value::Count(hours.into()))
        }
        Range::Week | Range::Quarter => Say::new(Key::ChartDays).with("count", Value::Count((hours / 24).into())),
    }
}

/// A word that has room on a fifth of a phone's width.
const fn short(metric: Metric) -> Key {
    match metric {
        Metric::Cpu => Key::Cpu,
        Metric::Memory => Key::Memory,
        Metric::Swap => Key::ChartSwap,
        Metric::Load => Key::ChartLoad,
        Metric::Network => Key::Network,
        Metric::DiskUse => Key::Disk,
        Metric::DiskIo => Key::ChartIo,
        Metric::Temperature => Key::ChartDegrees,
        Metric::Speed => Key::ChartSpeed,
        Metric::Latency => Key::ChartPing,
    }
}

/// Metrics in a row.
const METRICS: usize = 5;

/// Nodes of a page: with the picture they fill a phone's screen and no more.
const PAGE: usize = 8;
