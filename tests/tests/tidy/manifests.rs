//! Dependencies carry their reasons, each crate has one version, and the core's bans are in place.

use crate::tree::Tree;

/// STYLE 37: each line of `[workspace.dependencies]` says why, except for our own crates.
fn dependency_reasons(tree: &Tree) -> Vec<String> {
    let Some(manifest) = tree.text("Cargo.toml") else {
        return vec!["Cargo.toml is missing".to_owned()];
    };
    let lines = section(manifest, "[workspace.dependencies]");
    if lines.is_empty() {
        return vec!["Cargo.toml: no [workspace.dependencies]".to_owned()];
    }
    lines
        .into_iter()
        .filter(|line| line.contains('=') && !line.starts_with('#') && !line.contains("path = "))
        .filter(|line| line.rsplit_once(" # ").is_none_or(|(_, reason)| reason.trim().len() < 8))
        .map(|line| format!("Cargo.toml: a dependency without its reason: {line}"))
        .collect()
}

/// Lines of one table of a manifest.
fn section<'a>(manifest: &'a str, title: &str) -> Vec<&'a str> {
    let after = manifest.lines().skip_while(|line| line.trim() != title).skip(1);
    after.take_while(|line| !line.starts_with('[')).map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// A member names a crate, the workspace its version.
fn one_version(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| file.name() == "Cargo.toml" && file.path != "Cargo.toml" && !file.path.contains("fuzz/"))
    {
        for title in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            for line in section(&file.text, title) {
                if line.contains('=') && !line.starts_with('#') && !line.contains("workspace = true") {
                    complaints.push(format!(
                        "{}: {line}: the version and its reason belong into the root Cargo.toml",
                        file.path
                    ));
                }
            }
        }
        if section(&file.text, "[lints]") != ["workspace = true"] {
            complaints.push(format!("{}: does not take the workspace's lints", file.path));
        }
    }
    complaints
}

/// STYLE 3: clippy refuses the core a clock, randomness, threads, files, sockets and hash maps.
fn core_bans(tree: &Tree) -> Vec<String> {
    let Some(clippy) = tree.text("controller/core/clippy.toml") else {
        return vec!["controller/core/clippy.toml is missing".to_owned()];
    };
    let bans = [
        "std::time::Instant",
        "std::time::SystemTime",
        "std::time::Instant::now",
        "std::thread::spawn",
        "std::thread::sleep",
        "std::fs::File",
        "std::net::TcpStream",
        "std::collections::HashMap",
        "std::collections::HashSet",
        "std::env::var",
    ];
    let lines: Vec<&str> = clippy.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    bans.iter()
        .filter(|ban| !lines.iter().any(|line| line.contains(&format!("path = \"{ban}\""))))
        .map(|ban| format!("controller/core/clippy.toml: {ban} is not banned"))
        .collect()
}

fn core_has_no_std(tree: &Tree) -> Vec<String> {
    let text = tree.text("controller/core/src/lib.rs").unwrap_or_default();
    if text.contains("#![no_std]") || text.contains("#![cfg_attr(not(test), no_std)]") {
        return Vec::new();
    }
    vec!["controller/core/src/lib.rs: the core is #![no_std]".to_owned()]
}

#[test]
fn each_dependency_says_why() {
    crate::is_broken_by(dependency_reasons, &[("Cargo.toml", "[workspace.dependencies]\nserde = \"1\"\n")]);
    crate::is_broken_by(dependency_reasons, &[("Cargo.toml", "[workspace.dependencies]\nserde = \"1\" # x\n")]);
    crate::is_broken_by(dependency_reasons, &[("Cargo.toml", "[package]\n")]);
    crate::is_kept_by(
        dependency_reasons,
        &[("Cargo.toml", "[workspace.dependencies]\nserde = \"1\" # wire documents\na = { path = \"a\" }\n")],
    );
    crate::holds_here(dependency_reasons);
}

#[test]
fn each_dependency_has_one_version() {
    crate::is_broken_by(
        one_version,
        &[("agent/Cargo.toml", "[lints]\nworkspace = true\n[dependencies]\nserde = \"1\"\n")],
    );
    crate::is_broken_by(one_version, &[("agent/Cargo.toml", "[dependencies]\nserde.workspace = true\n")]);
    crate::is_kept_by(
        one_version,
        &[("agent/Cargo.toml", "[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\n")],
    );
    crate::holds_here(one_version);
}

#[test]
fn the_core_is_refused_every_effect() {
    crate::is_broken_by(core_bans, &[("controller/core/clippy.toml", "disallowed-types = []\n")]);
    crate::is_broken_by(core_bans, &[("README.md", "")]);
    crate::holds_here(core_bans);
}

#[test]
fn the_core_is_no_std() {
    crate::is_broken_by(core_has_no_std, &[("controller/core/src/lib.rs", "//! x\n")]);
    crate::holds_here(core_has_no_std);
}
