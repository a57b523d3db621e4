//! The agent's own rules: unsafe code in one file, with its reasons; nothing that can panic.

use crate::rust::{mask, without_tests};
use crate::tree::Tree;

/// STYLE 35: one file, and above each block a JUSTIFICATION and a SAFETY comment.
fn unsafe_blocks(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut holders = Vec::new();
    for file in tree.rust().filter(|file| file.path.starts_with("agent/")) {
        let masked = mask(&file.text);
        let lines: Vec<&str> = file.text.lines().collect();
        let blocks: Vec<usize> =
            masked.lines().enumerate().filter(|(_, line)| has_word(line, "unsafe")).map(|(at, _)| at).collect();
        for at in &blocks {
            let above = comment_above(&lines, *at);
            for word in ["JUSTIFICATION", "SAFETY"] {
                if !above.contains(word) {
                    complaints.push(format!("{}:{}: unsafe without a {word} comment", file.path, at + 1));
                }
            }
        }
        if !blocks.is_empty() {
            holders.push(file.path.clone());
        }
    }
    if holders.len() > 1 {
        complaints.push(format!("unsafe code in {}: one file holds it all", holders.join(", ")));
    }
    complaints
}

/// The comment lines right above line `at`, attributes between them allowed.
fn comment_above(lines: &[&str], at: usize) -> String {
    let above = lines.iter().take(at).rev().map(|line| line.trim_start());
    let block: Vec<&str> = above.take_while(|line| line.starts_with("//") || line.starts_with("#[")).collect();
    block.join("\n")
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|part| part == word)
}

/// STYLE 17: none at all in the agent.
fn panics(tree: &Tree) -> Vec<String> {
    let calls = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "assert!(", "assert_eq!("];
    let mut complaints = Vec::new();
    let product = ["agent/src/", "agent/figures/src/"];
    for file in tree.product().filter(|file| product.iter().any(|folder| file.path.starts_with(folder))) {
        let code = without_tests(&mask(&file.text));
        for call in calls {
            if code
                .match_indices(call)
                .any(|(at, _)| !code[..at].ends_with("debug_") && !code[..at].ends_with("const _: () = "))
            {
                complaints.push(format!("{}: {call} can end the agent", file.path));
            }
        }
    }
    complaints
}

#[test]
fn unsafe_code_is_in_one_file_with_its_reasons() {
    let bare = "//! x\nfn a() {\n    unsafe { b() }\n}\n";
    let reasoned = "//! x\nfn a() {\n    // JUSTIFICATION: x\n    // SAFETY: y\n    unsafe { b() }\n}\n";
    crate::is_broken_by(unsafe_blocks, &[("agent/src/a.rs", bare)]);
    crate::is_broken_by(unsafe_blocks, &[("agent/src/a.rs", reasoned), ("agent/src/b.rs", reasoned)]);
    crate::is_kept_by(
        unsafe_blocks,
        &[("agent/src/a.rs", reasoned), ("agent/src/b.rs", "//! unsafe\n#![deny(unsafe_code)]\n")],
    );
    crate::holds_here(unsafe_blocks);
}

#[test]
fn the_agent_has_no_way_to_panic() {
    crate::is_broken_by(panics, &[("agent/src/a.rs", "fn a() { b().unwrap() }\n")]);
    crate::is_broken_by(panics, &[("agent/src/a.rs", "fn a() { b().expect(\"x\") }\n")]);
    crate::is_broken_by(panics, &[("agent/figures/src/a.rs", "fn a() { b().unwrap() }\n")]);
    crate::is_kept_by(
        panics,
        &[("agent/src/a.rs", "fn a() { b().unwrap_or(0) }\n#[cfg(test)]\nmod tests { fn t() { b().unwrap(); } }\n")],
    );
    crate::holds_here(panics);
}
