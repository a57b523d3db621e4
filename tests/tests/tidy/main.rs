//! The repository's own rules, as tests: `cargo test -p constella-tests --test tidy`.
//!
//! Each rule is a function from a [`tree::Tree`] to complaints. It is proved twice: this repository has none, and a snippet that breaks the
//! rule has one. A rule that cannot fail is no rule.

#![forbid(unsafe_code)]

mod agent;
mod documents;
mod manifests;
mod presets;
mod proofs;
mod rust;
mod settings;
mod sizes;
mod tree;
mod words;

use tree::Tree;

/// Fails with every complaint of `rule` about this repository, one a line.
#[track_caller]
fn holds_here(rule: fn(&Tree) -> Vec<String>) {
    let complaints = rule(&Tree::of_this_repository());
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Fails unless `rule` complains about each of `files` (path, text), and its complaint names the path.
#[track_caller]
fn is_broken_by(rule: fn(&Tree) -> Vec<String>, files: &[(&str, &str)]) {
    let complaints = rule(&Tree::of(files));
    assert!(!complaints.is_empty(), "the rule accepts {files:?}");
}

/// Fails if `rule` complains about `files`.
#[track_caller]
fn is_kept_by(rule: fn(&Tree) -> Vec<String>, files: &[(&str, &str)]) {
    let complaints = rule(&Tree::of(files));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
