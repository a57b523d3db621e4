//! What the documents say is so: paths exist, both READMEs are one, rules are proved by the tests that they name.

use std::collections::BTreeSet;

use crate::rust::mask;
use crate::tree::Tree;

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
    for document in DOCUMENTS.into_iter().chain(["agent/AUDIT.md"]) {
        let Some(text) = tree.text(document) else { continue };
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for path in named_paths(text, &tops) {
            if !tree.has(&path) && !tree.has(&format!("{folder}/{path}")) {
                complaints.push(format!("{document}: names {path}, which is not there"));
            }
        }
    }
    complaints
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

/// A row `| L1 | path: test_name |` of ARCHITECTURE.md's table; several tests in one cell are parted by `;`.
struct Proof<'a> {
    rule: &'a str,
    path: &'a str,
    test: &'a str,
}

fn proofs(architecture: &str) -> (Vec<Proof<'_>>, Vec<String>) {
    let (mut found, mut complaints, mut inside) = (Vec::new(), Vec::new(), false);
    for line in architecture.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        inside = line.trim_start().starts_with('|') && (inside || cells == ["rule", "test"]);
        let [rule, tests] = cells.as_slice() else { continue };
        if !inside || *rule == "rule" || rule.starts_with('-') || rule.starts_with(':') {
            continue;
        }
        for test in tests.split(';').map(|test| test.trim().trim_matches('`')) {
            match test.split_once(':') {
                Some((path, test)) => {
                    found.push(Proof { rule: rule.trim_matches(['*', '`']), path: path.trim(), test: test.trim() })
                }
                None => complaints.push(format!("ARCHITECTURE.md: row {rule}: {test:?} is not `path: test`")),
            }
        }
    }
    (found, complaints)
}

/// STYLE 1, 28: the file and the test are there, and the test's first line cites the rule.
fn unproved_rules(tree: &Tree) -> Vec<String> {
    let Some(architecture) = tree.text("ARCHITECTURE.md") else {
        return vec!["ARCHITECTURE.md is missing".to_owned()];
    };
    let (proofs, mut complaints) = proofs(architecture);
    if proofs.is_empty() {
        complaints.push("ARCHITECTURE.md: no table `| rule | test |`".to_owned());
    }
    for Proof { rule, path, test } in proofs {
        match tree.text(path).map(|text| cites(text, test, rule)) {
            None => complaints.push(format!("ARCHITECTURE.md: {rule}: there is no {path}")),
            Some(None) => complaints.push(format!("ARCHITECTURE.md: {rule}: {path} has no test {test}")),
            Some(Some(false)) => complaints.push(format!("{path}: the first line of {test} does not cite {rule}")),
            Some(Some(true)) => {}
        }
    }
    complaints
}

/// Whether the test's comment above, or one of the three lines below its `fn`, has the rule's id as a word; none without such a test.
fn cites(text: &str, test: &str, rule: &str) -> Option<bool> {
    let masked = mask(text);
    let lines: Vec<&str> = text.lines().collect();
    let bats = format!("@test \"{test}\"");
    let at = masked
        .lines()
        .position(|line| line.contains(&format!("fn {test}(")))
        .or_else(|| lines.iter().position(|line| line.starts_with(&bats)))?;
    let is_test = lines.iter().take(at).rev().take(8).any(|line| line.contains("test]") || line.contains("test("))
        || lines.get(at)?.starts_with("@test");
    if !is_test {
        return None;
    }
    let above = lines
        .iter()
        .take(at)
        .rev()
        .take_while(|line| line.trim_start().starts_with("//") || line.trim_start().starts_with("#["));
    let below = lines.iter().skip(at + 1).take(3);
    let has = |line: &&str| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == rule);
    Some(above.chain(below).any(has))
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

#[test]
fn rules_are_proved_by_the_tests_that_they_name() {
    let table =
        "| rule | test |\n|---|---|\n| L1 | `controller/core/src/lease/tests.rs: lease_is_not_granted_twice` |\n";
    let test = |body: &str| format!("#[test]\nfn lease_is_not_granted_twice() {{\n    {body}\n}}\n");
    let path = "controller/core/src/lease/tests.rs";
    crate::is_kept_by(unproved_rules, &[("ARCHITECTURE.md", table), (path, &test("// L1: one holder at a time."))]);
    crate::is_broken_by(unproved_rules, &[("ARCHITECTURE.md", table), (path, &test("// L10: another rule."))]);
    crate::is_broken_by(
        unproved_rules,
        &[("ARCHITECTURE.md", table), (path, "//! L1\nfn lease_is_not_granted_twice() {}\n")],
    );
    crate::is_broken_by(
        unproved_rules,
        &[("ARCHITECTURE.md", table), (path, "//! x\n// fn lease_is_not_granted_twice() L1\n")],
    );
    crate::is_broken_by(unproved_rules, &[("ARCHITECTURE.md", table)]);
    crate::is_broken_by(unproved_rules, &[("ARCHITECTURE.md", "| rule | test |\n|---|---|\n| L1 | by reading |\n")]);
    crate::is_broken_by(unproved_rules, &[("ARCHITECTURE.md", "no table\n")]);
    crate::holds_here(unproved_rules);
}
