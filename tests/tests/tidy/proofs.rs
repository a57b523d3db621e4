//! docs/proofs.md: which test proves which rule, generated from the comment at each test and compared with the file.
//!
//! A test proves a rule where the comment above it, or one in the first three lines of its body, begins with the rule's id: `// L1`,
//! `// L1, R4: why`. `REWRITE_PROOFS=1 cargo test -p constella-tests --test tidy` writes the page anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::rust::{functions, mask};
use crate::tree::{File, Tree};

const PAGE: &str = "docs/proofs.md";

/// Where rules are defined: each begins a line `- **L1** ...`, or a row of the audit page.
const RULES: &str = "docs/rules.md";

/// The agent's rules, which `agent/AUDIT.md` states.
const AGENT_RULES: [&str; 8] = ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"];

const HEAD: &str = "# Proofs\n\nGenerated from the comment at each test (`tests/tests/tidy/proofs.rs` says how); the rules are in [rules.md](rules.md) and \
                    [the audit page](../agent/AUDIT.md).\nThe simulator and the model check L1, L2, L3, L7 and F6 after every step beside these.\n\n\
                    | rule | tests |\n|---|---|\n";

/// One test that cites a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Proof {
    path: String,
    test: String,
}

/// Every rule that a test cites, with its tests in the order of their paths.
fn proofs(tree: &Tree) -> BTreeMap<String, BTreeSet<Proof>> {
    let mut found: BTreeMap<String, BTreeSet<Proof>> = BTreeMap::new();
    for file in &tree.files {
        let tests = if file.path.ends_with(".rs") {
            rust_tests(file)
        } else if file.path.ends_with(".bats") {
            bats_tests(file)
        } else {
            continue;
        };
        for (test, rules) in tests {
            for rule in rules {
                found.entry(rule).or_default().insert(Proof { path: file.path.clone(), test: test.clone() });
            }
        }
    }
    found
}

/// Names of a file's tests, each with the rules that it cites.
fn rust_tests(file: &File) -> Vec<(String, Vec<String>)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let tests = functions(&mask(&file.text)).into_iter().filter_map(|function| {
        let at = function.line.saturating_sub(1);
        let above: Vec<&str> = lines.iter().take(at).rev().take_while(is_attached).copied().collect();
        let is_test = above.iter().any(|line| line.contains("test]") || line.contains("test("));
        let below = lines.iter().skip(at + 1).take(3).copied();
        is_test.then(|| (function.name, above.iter().copied().chain(below).flat_map(cited).collect()))
    });
    tests.collect()
}

fn bats_tests(file: &File) -> Vec<(String, Vec<String>)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let tests = lines.iter().enumerate().filter_map(|(at, line)| {
        let name = line.strip_prefix("@test \"")?.rsplit_once('"')?.0;
        Some((name.to_owned(), lines.iter().skip(at + 1).take(3).copied().flat_map(cited).collect()))
    });
    tests.collect()
}

fn is_attached(line: &&&str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("#[")
}

/// The ids with which a comment begins: `// L1, L2 and R4: why` has three.
fn cited(line: &str) -> Vec<String> {
    let Some(comment) = line.trim_start().strip_prefix("//").or_else(|| line.trim_start().strip_prefix("# ")) else {
        return Vec::new();
    };
    let words = comment.trim_start_matches('/').split([' ', ',', ':', ';', '.']).filter(|word| !word.is_empty());
    words.take_while(|word| is_id(word) || *word == "and").filter(|word| *word != "and").map(str::to_owned).collect()
}

fn is_id(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| "MRLFSAN".contains(c))
        && (1..=2).contains(&chars.as_str().len())
        && chars.all(|c| c.is_ascii_digit())
}

fn rules(tree: &Tree) -> BTreeSet<String> {
    let text = tree.text(RULES).unwrap_or_default();
    let stated = text.lines().filter_map(|line| line.strip_prefix("- **")?.split_once("**").map(|(id, _)| id));
    stated.filter(|id| is_id(id)).chain(AGENT_RULES).map(str::to_owned).collect()
}

fn page(tree: &Tree) -> String {
    let mut page = HEAD.to_owned();
    for (rule, proofs) in proofs(tree) {
        let cells: Vec<String> = proofs.iter().map(|proof| format!("`{}`: {}", proof.path, proof.test)).collect();
        page.push_str(&format!("| {rule} | {} |\n", cells.join("<br>")));
    }
    page
}

/// STYLE 28: the page is what the tests say; each rule has a test, and each cited rule is stated.
fn proofs_are_recorded(tree: &Tree) -> Vec<String> {
    let (stated, proved) = (rules(tree), proofs(tree));
    let mut complaints = Vec::new();
    for rule in stated.iter().filter(|rule| !proved.contains_key(*rule)) {
        complaints.push(format!("{RULES}: no test cites {rule}"));
    }
    for (rule, proofs) in proved.iter().filter(|(rule, _)| !stated.contains(*rule)) {
        complaints.extend(
            proofs.iter().map(|proof| format!("{}: {} cites {rule}, which no page states", proof.path, proof.test)),
        );
    }
    if tree.text(PAGE) != Some(page(tree).as_str()) {
        complaints.push(format!("{PAGE} is not what the tests say: REWRITE_PROOFS=1 writes it anew"));
    }
    complaints
}

#[test]
fn each_rule_is_proved_by_a_test_that_cites_it() {
    if std::env::var_os("REWRITE_PROOFS").is_some() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace has a root");
        std::fs::write(root.join(PAGE), page(&Tree::of_this_repository())).expect("the page can be written");
    }
    let rules = (RULES, "- **L1** One holder at a time.\n");
    let body = |comment: &str| format!("#[test]\nfn granted_once() {{\n    {comment}\n}}\n");
    let agent: String =
        AGENT_RULES.iter().map(|rule| format!("#[test]\nfn of_{rule}() {{\n    // {rule}\n}}\n")).collect();
    let (path, agent) = ("controller/core/src/lease/tests.rs", ("agent/tests/a.rs", agent.as_str()));
    let (good, other, unknown) = (body("// L1: once"), body("// the L1 of old"), body("// L1, L9"));
    let recorded = page(&Tree::of(&[(path, &good), agent]));
    crate::is_kept_by(proofs_are_recorded, &[rules, agent, (path, &good), (PAGE, &recorded)]);
    crate::is_broken_by(proofs_are_recorded, &[rules, agent, (path, &good), (PAGE, "# Proofs\n")]);
    crate::is_broken_by(
        proofs_are_recorded,
        &[rules, agent, (path, &other), (PAGE, &page(&Tree::of(&[(path, &other), agent])))],
    );
    crate::is_broken_by(
        proofs_are_recorded,
        &[rules, agent, (path, &unknown), (PAGE, &page(&Tree::of(&[(path, &unknown), agent])))],
    );
    crate::holds_here(proofs_are_recorded);
}
