//! What the documents say is so: paths exist, both READMEs are one, CI runs what the README says.

use std::collections::BTreeSet;

use crate::tree::{File, Tree};

const DOCUMENTS: [&str; 4] = ["README.md", "README.ru.md", "ARCHITECTURE.md", "CHANGELOG.md"];
const TEST_COMMAND: &str = "cargo test --workspace --locked";

fn missing_documents(tree: &Tree) -> Vec<String> {
    let wanted = DOCUMENTS.into_iter().chain([
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "agent/AUDIT.md",
        "compose/Dockerfile",
        "install.sh",
        ".ci/run",
    ]);
    wanted
        .filter(|path| tree.text(path).is_none_or(|text| text.trim().is_empty()))
        .map(|path| format!("{path} is missing"))
        .collect()
}

/// STYLE 22: a path that a document names, in backticks or as a link, is there.
fn dead_paths(tree: &Tree) -> Vec<String> {
    let tops: BTreeSet<&str> =
        tree.files.iter().filter_map(|file| file.path.split_once('/')).map(|(top, _)| top).collect();
    let mut complaints = Vec::new();
    for File { path: document, text } in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for path in named_paths(text, &tops) {
            if !tree.has(&path) && !tree.has(&beside(folder, &path)) {
                complaints.push(format!("{document}: names {path}, which is not there"));
            }
        }
    }
    complaints
}

/// `path` as a link in a document of `folder` means it: `../a` is beside the folder.
fn beside(folder: &str, path: &str) -> String {
    match path.strip_prefix("../") {
        Some(rest) => beside(folder.rsplit_once('/').map_or("", |(above, _)| above), rest),
        None if folder.is_empty() => path.to_owned(),
        None => format!("{folder}/{path}"),
    }
}

/// Link targets, and words in backticks whose first component is a folder of the repository.
fn named_paths(text: &str, tops: &BTreeSet<&str>) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace);
    let quoted = quoted.map(cleaned).filter(|word| word.split_once('/').is_some_and(|(top, _)| tops.contains(top)));
    let linked = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|target| target.split('#').next().unwrap_or(target));
    let linked = linked.filter(|target| !target.is_empty() && !target.contains(':')).map(cleaned);
    quoted.chain(linked).filter(|path| !path.contains(['*', '<', '{', '$', '|'])).map(str::to_owned).collect()
}

/// Without a leading `./`, a `:line` or `: test` behind it, and punctuation.
fn cleaned(word: &str) -> &str {
    let word = word.trim_start_matches(['(', '"', '\'']).trim_start_matches("./");
    word.split(':').next().unwrap_or(word).trim_end_matches([',', ';', '.', ')', '"', '\''])
}

/// Headings' levels and the commands of one README.
fn skeleton(text: &str) -> (Vec<usize>, Vec<String>) {
    let (mut headings, mut commands, mut fenced) = (Vec::new(), Vec::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let command = line.split(" #").next().unwrap_or(line).trim();
            if !command.is_empty() && !command.starts_with('#') && command.is_ascii() {
                commands.push(command.to_owned());
            }
        } else if line.starts_with('#') {
            headings.push(line.chars().take_while(|c| *c == '#').count());
        }
    }
    (headings, commands)
}

fn unequal_readmes(tree: &Tree) -> Vec<String> {
    let (Some(english), Some(russian)) = (tree.text("README.md"), tree.text("README.ru.md")) else {
        return vec!["README.md and README.ru.md are not both there".to_owned()];
    };
    let ((headings, commands), (headings_ru, commands_ru)) = (skeleton(english), skeleton(russian));
    let mut complaints = Vec::new();
    if headings != headings_ru {
        complaints.push(format!("README.ru.md: heading levels {headings_ru:?}, README.md has {headings:?}"));
    }
    let lacking = |from: &[String], other: &[String]| -> Vec<String> {
        from.iter().filter(|line| !other.contains(line)).cloned().collect()
    };
    complaints
        .extend(lacking(&commands, &commands_ru).iter().map(|line| format!("README.ru.md lacks the command: {line}")));
    complaints
        .extend(lacking(&commands_ru, &commands).iter().map(|line| format!("README.md lacks the command: {line}")));
    complaints
}

/// STYLE 42: CI runs what the README tells a reader to run.
fn test_command(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for readme in ["README.md", "README.ru.md"] {
        let commands = tree.text(readme).map(|text| skeleton(text).1).unwrap_or_default();
        if !commands.iter().any(|command| command == TEST_COMMAND) {
            complaints.push(format!("{readme}: no code block has `{TEST_COMMAND}`"));
        }
    }
    let steps = tree.text(".ci/run").unwrap_or_default();
    if !steps.lines().any(|line| line.starts_with("step ") && line.ends_with(TEST_COMMAND)) {
        complaints.push(format!(".ci/run: no step runs `{TEST_COMMAND}` as it stands in the README"));
    }
    complaints
}

#[test]
fn the_documents_are_there() {
    crate::is_broken_by(missing_documents, &[("README.md", "\n")]);
    crate::holds_here(missing_documents);
}

#[test]
fn paths_that_documents_name_exist() {
    let code = ("shared/src/ids.rs", "//! x\n");
    crate::is_broken_by(dead_paths, &[code, ("README.md", "see `shared/src/gone.rs`")]);
    crate::is_broken_by(dead_paths, &[code, ("ARCHITECTURE.md", "see [this](docs/gone.md#a)")]);
    crate::is_broken_by(dead_paths, &[code, ("docs/a/b.md", "see [this](../shared/src/ids.rs)")]);
    crate::is_kept_by(dead_paths, &[code, ("docs/a/b.md", "see [this](../../shared/src/ids.rs)")]);
    crate::is_kept_by(
        dead_paths,
        &[code, ("README.md", "`shared/src/ids.rs:12`, `./shared/src`, `state/wg/`, [x](https://example.org/a)")],
    );
    crate::holds_here(dead_paths);
}

#[test]
fn both_readmes_say_the_same() {
    crate::is_broken_by(unequal_readmes, &[("README.md", "# A\n## B\n"), ("README.ru.md", "# A\n")]);
    crate::is_broken_by(
        unequal_readmes,
        &[("README.md", "# A\n```\nmake a\n```\n"), ("README.ru.md", "# A\n```\nmake b\n```\n")],
    );
    crate::is_broken_by(unequal_readmes, &[("README.md", "# A\n")]);
    crate::is_kept_by(
        unequal_readmes,
        &[("README.md", "# A\n```\nmake a  # build\n```\n"), ("README.ru.md", "# Б\n```\nmake a  # сборка\n```\n")],
    );
    crate::holds_here(unequal_readmes);
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let readme = "```sh\ncargo test --workspace --locked\n```\n";
    let good =
        [("README.md", readme), ("README.ru.md", readme), (".ci/run", "step test 9 cargo test --workspace --locked\n")];
    crate::is_kept_by(test_command, &good);
    crate::is_broken_by(
        test_command,
        &[("README.md", readme), ("README.ru.md", readme), (".ci/run", "step test 9 cargo test\n")],
    );
    crate::is_broken_by(
        test_command,
        &[("README.md", readme), (".ci/run", "step test 9 cargo test --workspace --locked\n")],
    );
    crate::holds_here(test_command);
}
