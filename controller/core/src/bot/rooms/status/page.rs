//! The network's state in sentences.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::Status;

use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::why::why_disk;
use crate::bot::kit::world::{NodeRow, World};

/// All of it; without `agents` these are still on their way.
pub(super) fn says(world: &World, agents: Option<&BTreeMap<NodeId, String>>) -> Vec<Say> {
    let up = world.nodes.iter().filter(|row| row.status == Status::Alive).count();
    let title = Say::new(Key::StatusTitle).with("alive", count(up)).with("total", count(world.nodes.len()));
    let mut says = vec![title, lease(world)];
    says.extend(voters(world));
    says.extend(telegram(world));
    says.push(controllers(world));
    says.push(self::agents(world, agents));
    says.push(clocks(world));
    says.push(disks(world));
    says.push(Say::new(Key::StatusTime).with("time", Value::Second(world.now.unix_ms / 1_000)));
    says
}

fn lease(world: &World) -> Say {
    let name = world.name_of(world.me);
    match world.lease_left_ms.filter(|_| world.strong) {
        Some(left_ms) => Say::new(Key::StatusStrong).text("name", name).span("left", left_ms),
        None => Say::new(Key::StatusWeak).text("name", name),
    }
}

/// Those that are there, and those that are not. While the record changes, a majority of each of its two lists is needed, and the numbers are of the
/// list that lacks more.
fn voters(world: &World) -> Vec<Say> {
    let of = |there: bool| world.voters.iter().filter(move |voter| voter.there == there).map(|voter| voter.node);
    let (missing, total, needed) = match &world.shortage {
        Some(shortage) => (shortage.missing.len(), shortage.total, shortage.needed),
        None => (of(false).count(), world.voters.len(), world.voters.len() / 2 + 1),
    };
    let mut says = vec![
        Say::new(Key::StatusVoters)
            .with("there", count(total.saturating_sub(missing)))
            .with("total", count(total))
            .with("needed", count(needed))
            .with("names", names(world, of(true))),
    ];
    if of(false).next().is_some() {
        says.push(Say::new(Key::StatusMissing).with("names", names(world, of(false))));
    }
    says
}

/// Of those that are up. In a large network only voters call Telegram, so the silence of another says nothing. A node that stores nothing says that it
/// does not serve, whatever Telegram does; its disk has a sentence of its own.
fn telegram(world: &World) -> Vec<Say> {
    let up = || world.nodes.iter().filter(|row| row.status == Status::Alive);
    let votes = |row: &NodeRow| world.voters.iter().any(|voter| voter.node == row.node);
    let answered = up().filter(|row| row.reaches_bot == Some(true)).map(|row| row.node);
    let silent: Vec<NodeId> = up()
        .filter(|row| row.reaches_bot == Some(false) && row.disk.is_none() && votes(row))
        .map(|row| row.node)
        .collect();
    let mut says = vec![Say::new(Key::StatusTelegram).with("names", names(world, answered))];
    if !silent.is_empty() {
        says.push(Say::new(Key::StatusNoTelegram).with("names", names(world, silent.into_iter())));
    }
    says
}

fn controllers(world: &World) -> Say {
    let rows = world.nodes.iter().filter(|row| !row.version.is_empty());
    let versions = by_version(rows.map(|row| (row.node, row.version.as_str())));
    match versions.as_slice() {
        [(version, _)] => Say::new(Key::StatusController).text("version", *version),
        several => Say::new(Key::StatusControllers).with("versions", differing(world, several)),
    }
}

fn agents(world: &World, agents: Option<&BTreeMap<NodeId, String>>) -> Say {
    let Some(agents) = agents else { return Say::new(Key::StatusAgentsAsked) };
    let versions = by_version(agents.iter().map(|(node, version)| (*node, version.as_str())));
    match versions.as_slice() {
        [] => Say::new(Key::StatusNoAgents),
        [(version, nodes)] => Say::new(Key::StatusAgent).text("version", *version).with("count", count(nodes.len())),
        several => Say::new(Key::StatusAgents).with("versions", differing(world, several)),
    }
}

/// The most frequent first.
fn by_version<'a>(all: impl Iterator<Item = (NodeId, &'a str)>) -> Vec<(&'a str, Vec<NodeId>)> {
    let mut versions: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
    for (node, version) in all {
        versions.entry(version).or_default().push(node);
    }
    let mut versions: Vec<_> = versions.into_iter().collect();
    versions.sort_by_key(|(_, nodes)| core::cmp::Reverse(nodes.len()));
    versions
}

fn differing(world: &World, versions: &[(&str, Vec<NodeId>)]) -> Value {
    let say = |(version, nodes): &(&str, Vec<NodeId>)| {
        let names = names(world, nodes.iter().copied());
        Value::Say(Say::new(Key::StatusVersion).text("version", *version).with("names", names))
    };
    some(versions.iter().map(say))
}

/// A node's clock is known a round trip late, so what is smaller than that is no difference.
fn clocks(world: &World) -> Say {
    let differs = |row: &NodeRow| {
        let theirs_ms = row.unix_ms.filter(|_| row.status == Status::Alive)?;
        let by_ms = theirs_ms.abs_diff(world.now.unix_ms);
        let key = if theirs_ms > world.now.unix_ms { Key::StatusAhead } else { Key::StatusBehind };
        let say = Say::new(key).text("name", world.name_of(row.node)).span("by", by_ms);
        (by_ms > EQUAL_MS.saturating_add(row.rtt_ms.unwrap_or_default().into())).then_some((by_ms, say))
    };
    let mut differing: Vec<(u64, Say)> = world.nodes.iter().filter_map(differs).collect();
    differing.sort_by_key(|(by_ms, _)| core::cmp::Reverse(*by_ms));
    if differing.is_empty() {
        return Say::new(Key::StatusClocks).span("within", EQUAL_MS);
    }
    Say::new(Key::StatusClocksDiffer).with("clocks", some(differing.into_iter().map(|(_, say)| Value::Say(say))))
}

fn disks(world: &World) -> Say {
    let troubled: Vec<Value> = world
        .nodes
        .iter()
        .filter_map(|row| {
            let why = Value::Say(why_disk(row.disk?));
            Some(Value::Say(Say::new(Key::StatusDisk).text("name", world.name_of(row.node)).with("why", why)))
        })
        .collect();
    if troubled.is_empty() {
        return Say::new(Key::StatusDisks);
    }
    Say::new(Key::StatusDisksFull).with("disks", some(troubled.into_iter()))
}

/// Nodes by their names, in the order of these; a dash for none.
fn names(world: &World, nodes: impl Iterator<Item = NodeId>) -> Value {
    let mut names: Vec<String> = nodes.map(|node| world.name_of(node)).collect();
    if names.is_empty() {
        return Value::Text("—".into());
    }
    names.sort_by_key(|name| name.to_lowercase());
    some(names.into_iter().map(Value::Text))
}

/// As many as a line has room for, and how many more there are.
fn some(mut values: impl Iterator<Item = Value>) -> Value {
    let mut shown: Vec<Value> = values.by_ref().take(NAMED).collect();
    let more = values.count();
    if more > 0 {
        shown.push(Value::Say(Say::new(Key::AndMore).with("count", count(more))));
    }
    Value::Several(shown)
}

const fn count(of: usize) -> Value {
    Value::Count(of as u64)
}

/// Names in one line: all seven voters, and a phone's screen for everything.
const NAMED: usize = 8;

/// Clocks that differ by less are equal to a person; a lease is lost at `CLOCK_SKEW`, which is several times that.
const EQUAL_MS: u64 = 2_000;
