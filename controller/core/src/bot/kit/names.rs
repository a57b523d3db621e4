//! Nodes by their names, as a person reads and writes them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;

use crate::roster::name::same;

/// Characters of a name that a line of a screen has room for; a longer one is cut.
pub const SHOWN_CHARS: usize = 24;

/// Whether another node's name looks like this node's: in any case of letters, in letters of other scripts that look the same, and as far as a screen
/// shows it.
#[must_use]
pub fn is_alike<'a>(mut all: impl Iterator<Item = (NodeId, &'a str)>, node: NodeId, name: &str) -> bool {
    all.any(|(other, its)| other != node && look(as_shown(its)).eq(look(as_shown(name))))
}

/// The name of a node; with its short id where another's looks alike, and that id alone where it does not belong any longer.
#[must_use]
pub fn shown<'a>(all: impl Iterator<Item = (NodeId, &'a str)> + Clone, node: NodeId) -> String {
    let Some((_, name)) = all.clone().find(|(other, _)| *other == node) else { return node.short() };
    if is_alike(all, node, name) { alloc::format!("{name} ({})", node.short()) } else { name.to_string() }
}

/// The nodes that somebody means who writes `text`: by the whole name, else by it in any case of letters, else by how it begins.
#[must_use]
pub fn meant<'a>(all: impl Iterator<Item = (NodeId, &'a str)> + Clone, text: &str) -> Vec<NodeId> {
    let text = text.trim();
    let begins = |name: &str| {
        let start: String = name.chars().take(text.chars().count()).collect();
        !text.is_empty() && same(&start, text)
    };
    let fits: [&dyn Fn(&str) -> bool; 3] = [&|name| name == text, &|name| same(name, text), &begins];
    let nodes = |fit: &&dyn Fn(&str) -> bool| -> Vec<NodeId> {
        all.clone().filter(|(_, name)| fit(name)).map(|(node, _)| node).collect()
    };
    fits.iter().map(nodes).find(|nodes| !nodes.is_empty()).unwrap_or_default()
}

/// Where it is longer than [`SHOWN_CHARS`], its last character makes room for an ellipsis.
fn as_shown(name: &str) -> &str {
    let cut = name.char_indices().nth(SHOWN_CHARS - 1).filter(|_| name.chars().count() > SHOWN_CHARS);
    cut.map_or(name, |(at, _)| name.split_at(at).0)
}

/// A name as an eye takes it: in lower case, each letter that looks like one of ASCII as that one (after the confusables of Unicode's UTS 39).
fn look(name: &str) -> impl Iterator<Item = char> {
    name.chars().flat_map(char::to_lowercase).map(|c| match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'ε' => 'e',
        'һ' | 'н' | 'η' => 'h',
        'і' | 'ı' | 'ι' | 'l' | '1' | 'ӏ' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'о' | 'ο' | '0' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'ѵ' | 'ν' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'υ' | 'γ' => 'y',
        'ζ' => 'z',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn n(id: u8) -> NodeId {
        NodeId([id; 32])
    }

    fn all<'a>(names: &[&'a str]) -> Vec<(NodeId, &'a str)> {
        (1..).zip(names).map(|(id, name)| (n(id), *name)).collect()
    }

    #[test]
    fn the_short_id_is_shown_only_where_names_look_alike() {
        let long = ["a-very-long-name-of-a-server-one", "a-very-long-name-of-a-server-two"];
        let cases: [(&[&str], &str); 9] = [
            (&["alpha", "аlpha"], "alpha (01010101)"),
            (&["web1", "webl"], "web1 (01010101)"),
            (&["MOCKBA", "МОСКВА"], "MOCKBA (01010101)"),
            (&["web", "web-2"], "web"),
            (&["web", "db"], "web"),
            (&["web", "WEB"], "web (01010101)"),
            (&["web", "db", "web"], "web (01010101)"),
            (&["узел", "Узел"], "узел (01010101)"),
            (&long, "a-very-long-name-of-a-server-one (01010101)"),
        ];
        for (names, expected) in cases {
            assert_eq!(shown(all(names).into_iter(), n(1)), expected);
        }
        assert_eq!(shown(all(&["web"]).into_iter(), n(9)), "09090909");
        let nearly = ["a".repeat(24), alloc::format!("{}b", "a".repeat(23))];
        assert!(!is_alike(all(&[&nearly[0], &nearly[1]]).into_iter(), n(1), &nearly[0]), "both are shown whole");
    }

    #[test]
    fn a_name_is_meant_by_itself_before_any_case_of_it_and_that_before_how_it_begins() {
        let names = ["web", "Web", "web-2", "db", "Узел.1"];
        let cases: [(&str, Vec<NodeId>); 11] = [
            ("web", vec![n(1)]),
            ("Web", vec![n(2)]),
            ("WEB", vec![n(1), n(2)]),
            ("we", vec![n(1), n(2), n(3)]),
            ("web-", vec![n(3)]),
            (" DB \n", vec![n(4)]),
            ("узел", vec![n(5)]),
            ("web 2", vec![]),
            ("eb", vec![]),
            ("/web", vec![]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(meant(all(&names).into_iter(), text), expected, "{text:?}");
        }
    }
}
