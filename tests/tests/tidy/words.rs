//! What may not stand in a file: promises, silenced lints, junk-drawer names, secrets, and paths of somebody's machine.

use crate::rust::mask;
use crate::tree::{File, Tree};

/// This folder names what it forbids.
fn is_tidy(file: &File) -> bool {
    file.path.starts_with("tests/tests/tidy/")
}

fn promises(tree: &Tree) -> Vec<String> {
    let words = ["TODO", "FIXME", "XXX"];
    let macros = ["unimplemented!", "todo!("];
    // Not Cargo.toml: clippy's lint against them has their name.
    let kinds = [".rs", ".sh", ".yaml", ".bats", ".md", "Dockerfile", ".ci/run"];
    let judged = tree.files.iter().filter(|file| !is_tidy(file) && kinds.iter().any(|end| file.path.ends_with(end)));
    each_line(judged, |line| {
        let word = line.split(|c: char| !c.is_alphanumeric()).find(|word| words.contains(word));
        let found = word.or_else(|| macros.iter().find(|name| line.contains(**name)).copied())?;
        Some(format!("{found} is a promise; do it or leave it"))
    })
}

/// STYLE 40: no `allow`; an `expect` says why, and covers an item, or a module of tests.
fn silenced_lints(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust().filter(|file| !is_tidy(file)) {
        for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
            for (at, _) in file.text.match_indices(opening) {
                let attribute = file.text[at..].split(")]").next().unwrap_or_default();
                let line_start = file.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                if !file.text[line_start..at].trim().is_empty() || is_reasoned(attribute) {
                    continue;
                }
                let line = file.text[..at].matches('\n').count() + 1;
                complaints.push(format!(
                    "{}:{line}: {opening}...: `#[expect(lint, reason = \"...\")]` on the item",
                    file.path
                ));
            }
        }
    }
    complaints
}

fn is_reasoned(attribute: &str) -> bool {
    let reason = attribute.split("reason = \"").nth(1);
    match reason {
        Some(reason) if attribute.starts_with("#![expect(") => reason.contains("test"),
        Some(_) => attribute.starts_with("#[expect("),
        None => false,
    }
}

fn junk_drawers(tree: &Tree) -> Vec<String> {
    let names = ["utils", "util", "helpers", "helper", "manager", "common", "misc"];
    tree.rust()
        .filter(|file| file.path.trim_end_matches(".rs").split('/').any(|part| names.contains(&part)))
        .map(|file| format!("{}: a module is named after what it holds (STYLE 10)", file.path))
        .collect()
}

fn purposes(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{}: its first line does not say its purpose (`//! ...`)", file.path))
        .collect()
}

fn secrets(tree: &Tree) -> Vec<String> {
    each_line(tree.files.iter().filter(|file| !is_tidy(file)), |line| {
        if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----") {
            return Some("a private key".to_owned());
        }
        line.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':' || c == '_' || c == '-'))
            .find(|word| is_bot_token(word))
            .map(|_| "a bot token".to_owned())
    })
}

/// As @BotFather makes them: 8 to 10 digits, a colon, 35 characters. One that repeats a character six times was made up for a test.
fn is_bot_token(word: &str) -> bool {
    let Some((id, key)) = word.split_once(':') else { return false };
    let made_up = key.as_bytes().windows(6).any(|window| window.iter().all(|byte| Some(byte) == window.first()));
    (8..=10).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()) && key.len() == 35 && !made_up
}

fn machine_paths(tree: &Tree) -> Vec<String> {
    let paths = ["/root/", "/work/", "/home/", "/Users/", ".cargo/registry/src/index"];
    let judged = tree.files.iter().filter(|file| !is_tidy(file));
    each_line(judged, |line| {
        let found =
            paths.iter().find(|path| line.match_indices(**path).any(|(at, _)| !preceded_by_a_path(line, at)))?;
        Some(format!("{found} is a path of somebody's machine"))
    })
}

/// `/proc/1/root/` is the host's root, not root's home.
fn preceded_by_a_path(line: &str, at: usize) -> bool {
    line.get(..at)
        .and_then(|before| before.chars().next_back())
        .is_some_and(|c| c.is_alphanumeric() || c == '}' || c == '.' || c == '_')
}

fn forbids_unsafe(tree: &Tree) -> Vec<String> {
    let roots = tree.rust().filter(|file| {
        let path = file.path.as_str();
        !path.starts_with("agent/")
            && (path.ends_with("src/lib.rs")
                || path.ends_with("src/main.rs")
                || path.contains("/src/bin/") && path.matches('/').count() == 3)
    });
    roots
        .filter(|file| !mask(&file.text).contains("#![forbid(unsafe_code)]"))
        .map(|file| format!("{}: a crate root without #![forbid(unsafe_code)]", file.path))
        .collect()
}

fn each_line<'a>(files: impl Iterator<Item = &'a File>, judge: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(complaint) = judge(line) {
                complaints.push(format!("{}:{}: {complaint}", file.path, number + 1));
            }
        }
    }
    complaints
}

#[test]
fn nothing_is_promised_for_later() {
    crate::is_broken_by(promises, &[("controller/src/a.rs", "// TODO later\n")]);
    crate::is_broken_by(promises, &[("install.sh", "# FIXME\n")]);
    crate::is_broken_by(promises, &[("shared/src/a.rs", "fn a() { unimplemented!() }\n")]);
    crate::holds_here(promises);
}

#[test]
fn lints_are_expected_with_a_reason_or_not_at_all() {
    crate::is_broken_by(silenced_lints, &[("controller/src/a.rs", "#![allow(dead_code)]\n")]);
    crate::is_broken_by(silenced_lints, &[("controller/src/a.rs", "    #[allow(dead_code)]\n")]);
    crate::is_broken_by(silenced_lints, &[("controller/src/a.rs", "#[expect(dead_code)]\n")]);
    crate::is_broken_by(silenced_lints, &[("controller/src/a.rs", "#![expect(dead_code, reason = \"x\")]\n")]);
    crate::is_kept_by(
        silenced_lints,
        &[("controller/src/a.rs", "#[expect(\n    dead_code,\n    reason = \"x\"\n)]\n")],
    );
    crate::is_kept_by(
        silenced_lints,
        &[("controller/src/a.rs", "mod t {\n    #![expect(dead_code, reason = \"tests\")]\n}\n")],
    );
    crate::holds_here(silenced_lints);
}

#[test]
fn modules_are_named_after_what_they_hold() {
    crate::is_broken_by(junk_drawers, &[("controller/src/utils.rs", "//! x\n")]);
    crate::is_broken_by(junk_drawers, &[("controller/src/common/a.rs", "//! x\n")]);
    crate::holds_here(junk_drawers);
}

#[test]
fn each_file_says_its_purpose_first() {
    crate::is_broken_by(purposes, &[("controller/src/a.rs", "use std::fmt;\n")]);
    crate::holds_here(purposes);
}

#[test]
fn no_secret_is_in_the_repository() {
    // S3
    crate::is_broken_by(secrets, &[("tests/a.pem", "-----BEGIN PRIVATE KEY-----\n")]);
    crate::is_broken_by(secrets, &[("README.md", "BOT_TOKEN=987654321:AAEhBOweik9dqT_4mIyK3xY7bWzR2vLpQ0s\n")]);
    crate::is_kept_by(secrets, &[("README.md", "BOT_TOKEN=987654321:AAEhBOweik9dqT_aaaaaaaaaaaaaaaaaaaa\n")]);
    crate::holds_here(secrets);
}

#[test]
fn no_path_of_a_machine_is_in_the_repository() {
    crate::is_broken_by(machine_paths, &[("a.sh", "cp /root/x .\n")]);
    crate::is_broken_by(machine_paths, &[("a.sh", "cp '/home/me' .\n")]);
    crate::is_kept_by(machine_paths, &[("a.rs", "statvfs(\"/proc/1/root/\")\n")]);
    crate::holds_here(machine_paths);
}

#[test]
fn unsafe_code_is_forbidden_outside_the_agent() {
    crate::is_broken_by(forbids_unsafe, &[("shared/src/lib.rs", "//! x\n")]);
    crate::is_broken_by(forbids_unsafe, &[("tests/src/bin/demo.rs", "//! #![forbid(unsafe_code)]\n")]);
    crate::is_kept_by(forbids_unsafe, &[("agent/src/lib.rs", "//! x\n"), ("shared/src/ids.rs", "//! x\n")]);
    crate::holds_here(forbids_unsafe);
}
