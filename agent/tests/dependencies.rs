//! A1: the agent's resolved dependency list is a recorded file. `AGENT_DEPENDENCIES=record cargo test -p constella-agent --test dependencies`
//! rewrites it; the commit says why.

use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn the_recorded_list_is_what_cargo_resolves() {
    let tree = |kind: &str| -> BTreeSet<String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            "constella-agent",
            "-e",
            kind,
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        cargo.args(["--target", "x86_64-unknown-linux-gnu"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let name = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        text.lines().map(name).filter(|line| !line.starts_with("constella-")).collect()
    };
    // What is only reached through a procedural macro runs in the compiler and is in no image.
    let linked = tree("normal,no-proc-macro");
    let compiling: BTreeSet<String> = tree("normal,build").difference(&linked).cloned().collect();
    let list = |crates: &BTreeSet<String>| crates.iter().map(|it| format!("{it}\n")).collect::<String>();
    let resolved = format!(
        "# linked: {}\n{}# only while compiling: {}\n{}",
        linked.len(),
        list(&linked),
        compiling.len(),
        list(&compiling)
    );
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/dependencies.txt");
    if std::env::var_os("AGENT_DEPENDENCIES").is_some_and(|wish| wish == "record") {
        std::fs::write(file, &resolved).unwrap();
    }
    let recorded = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(recorded, resolved, "agent/dependencies.txt is not what cargo resolves");
}

#[test]
fn audit_names_the_lines_that_it_means() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let audit = std::fs::read_to_string(folder.join("AUDIT.md")).unwrap();
    assert!(audit.lines().next().unwrap().contains("is root on the host"), "A3: its first line says so");
    // `src/file.rs:12` `what stands there`
    let mut places = 0;
    for (at, _) in audit.match_indices("`src/") {
        let mut words = audit.get(at..).unwrap().split('`').skip(1);
        let (place, _, token) = (words.next().unwrap(), words.next(), words.next().unwrap());
        let Some((file, line)) = place.split_once(':') else { continue };
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap_or_default();
        assert!(line.contains(token), "{place} is {line:?}, without {token}");
        places += 1;
    }
    assert!(places >= 7, "only {places} places");
}
