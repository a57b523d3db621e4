//! STYLE 7: one noun per file, files and functions that are read at a glance.

use crate::rust::{functions, mask, without_tests};
use crate::tree::{File, Tree};

const FILE_LINES: usize = 400;
const AGENT_FILE_LINES: usize = 160;
const FUNCTION_LINES: usize = 60;
/// A1, A2. The root part is its folder, and nothing of the crate that it runs beside is more than starting a process and reading settings.
const AGENT_LINES: usize = 1_200;
const AGENT_ROOT_LINES: usize = 300;
/// Its reader of `/proc` and `/sys`, which never has power.
const AGENT_FIGURES_LINES: usize = 850;

/// Lines of a file without its inline tests.
fn product_lines(file: &File) -> usize {
    if file.text.contains("#[cfg(test)]") {
        without_tests(&mask(&file.text)).lines().count()
    } else {
        file.text.lines().count()
    }
}

fn file_sizes(tree: &Tree) -> Vec<String> {
    tree.product()
        .filter_map(|file| {
            let limit = if file.path.starts_with("agent/src/") { AGENT_FILE_LINES } else { FILE_LINES };
            let lines = product_lines(file);
            (lines > limit).then(|| format!("{}: {lines} lines, the limit is {limit}: one noun per file", file.path))
        })
        .collect()
}

fn function_sizes(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.product() {
        for function in functions(&without_tests(&mask(&file.text))) {
            if function.lines > FUNCTION_LINES {
                complaints.push(format!(
                    "{}: fn {} has {} lines, the limit is {FUNCTION_LINES}",
                    file.path, function.name, function.lines
                ));
            }
        }
    }
    complaints
}

fn agent_size(tree: &Tree) -> Vec<String> {
    let sum = |folder: &str| -> usize {
        tree.product().filter(|file| file.path.starts_with(folder)).map(product_lines).sum()
    };
    let mut complaints = Vec::new();
    let all = sum("agent/src/");
    if all > AGENT_LINES {
        complaints.push(format!("agent/src: {all} lines without tests, at most {AGENT_LINES} are allowed"));
    }
    let root = sum("agent/src/root/") + sum("agent/src/root.rs");
    if root > AGENT_ROOT_LINES {
        complaints.push(format!("agent/src/root: {root} lines without tests, A2 allows {AGENT_ROOT_LINES}"));
    }
    let figures = sum("agent/figures/src/");
    if figures > AGENT_FIGURES_LINES {
        complaints.push(format!("agent/figures/src: {figures} lines without tests, at most {AGENT_FIGURES_LINES}"));
    }
    complaints
}

/// HOUSE 5: what a newcomer reads stays readable. Measurements and generated pages have no limit.
fn document_sizes(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        let Some(limit) = document_limit(&file.path) else { continue };
        let bytes = file.text.len();
        if bytes > limit {
            complaints.push(format!("{}: {bytes} bytes, the limit is {limit}", file.path));
        }
    }
    complaints
}

fn document_limit(path: &str) -> Option<usize> {
    match path {
        "ARCHITECTURE.md" => Some(10 * 1024),
        "docs/glossary.md" => Some(4 * 1024),
        "docs/rules.md" => Some(9 * 1024),
        "docs/lease.md" | "docs/fence.md" | "docs/commands.md" | "docs/alerts.md" => Some(6 * 1024),
        "docs/wire.md" | "SECURITY.md" | "CONTRIBUTING.md" => Some(5 * 1024),
        _ if path.starts_with("docs/decisions/") => Some(2 * 1024),
        _ => None,
    }
}

/// Shell scripts too: what runs as root on a stranger's host is read first.
fn script_sizes(tree: &Tree) -> Vec<String> {
    let scripts = tree.files.iter().filter(|file| file.path.ends_with(".sh") || file.path == ".ci/run");
    scripts
        .filter(|file| file.text.lines().count() > FILE_LINES)
        .map(|file| format!("{}: over {FILE_LINES} lines", file.path))
        .collect()
}

#[test]
fn files_are_short() {
    crate::is_broken_by(file_sizes, &[("controller/src/a.rs", &"//! x\n".repeat(401))]);
    crate::is_broken_by(file_sizes, &[("agent/src/a.rs", &"//! x\n".repeat(161))]);
    crate::is_broken_by(file_sizes, &[("tests/src/a.rs", &"//! x\n".repeat(401))]);
    let inline = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "//! x\n".repeat(399), "fn a() {}\n".repeat(300));
    crate::is_kept_by(
        file_sizes,
        &[("controller/src/a.rs", &inline), ("controller/src/a/tests.rs", &"//! x\n".repeat(900))],
    );
    crate::holds_here(file_sizes);
}

#[test]
fn functions_are_short() {
    let long = format!("fn long() {{\n{}}}\n", "    a();\n".repeat(59));
    crate::is_broken_by(function_sizes, &[("controller/src/a.rs", &long)]);
    let fits = format!("fn fits() {{\n{}}}\n#[cfg(test)]\nmod tests {{\n{long}\n}}\n", "    a(\"{\");\n".repeat(58));
    crate::is_kept_by(function_sizes, &[("controller/src/a.rs", &fits)]);
    crate::holds_here(function_sizes);
}

#[test]
fn the_agent_is_read_in_one_sitting() {
    // A1, A2
    let lines = "//! x\n".repeat(151);
    let paths: Vec<String> = (0..8).map(|i| format!("agent/src/a{i}.rs")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), lines.as_str())).collect();
    crate::is_broken_by(agent_size, &files);
    crate::is_broken_by(agent_size, &[("agent/figures/src/a.rs", &lines.repeat(6))]);
    crate::is_broken_by(agent_size, &[("agent/src/root/a.rs", &lines), ("agent/src/root/b.rs", &lines)]);
    crate::holds_here(agent_size);
}

#[test]
fn scripts_are_short() {
    crate::is_broken_by(script_sizes, &[("install.sh", &"true\n".repeat(401))]);
    crate::holds_here(script_sizes);
}

#[test]
fn documents_are_short() {
    crate::is_broken_by(document_sizes, &[("ARCHITECTURE.md", &"x".repeat(10 * 1024 + 1))]);
    crate::is_broken_by(document_sizes, &[("docs/decisions/0001-a.md", &"x".repeat(2 * 1024 + 1))]);
    crate::is_kept_by(document_sizes, &[("docs/measurements/a.md", &"x".repeat(90_000))]);
    crate::holds_here(document_sizes);
}
