//! The command line of the built program: who asks for help gets that and nothing else, and who errs is told so.

use std::path::Path;
use std::process::{Command, Output};

use constella_controller::config::settings::CONTROLLER;

const VERBS: [&str; 11] =
    ["run", "init", "join", "invite", "owner-link", "peers", "status", "rpc", "doctor", "healthcheck", "version"];

/// Runs it in an empty folder of its own, with settings that no verb could start with.
fn program(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_constella-controller"));
    command.env_clear().env("HEARTBEAT_INTERVAL", "never").env("STATE_DIR", folder.join("state"));
    command.env("CONTROL_SOCKET", folder.join("control.sock")).current_dir(folder).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_of_any_verb_is_on_standard_output_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for verb in VERBS {
        for args in [&[verb, "--help"][..], &[verb, "-h"], &["help", verb], &[verb, "--state-dir", "x", "--help"]] {
            let output = program(folder.path(), args);
            assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
            assert!(text(&output.stdout).contains("Usage: constella-controller"), "{args:?}");
            assert!(output.stderr.is_empty(), "{args:?}: {}", text(&output.stderr));
        }
    }
    let of_all = text(&program(folder.path(), &["--help"]).stdout);
    assert!(VERBS.iter().all(|verb| of_all.contains(&format!("\n  {verb} "))), "{of_all}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "help wrote something");
}

#[test]
fn arguments_that_nobody_knows_are_refused_and_start_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong: Vec<Vec<&str>> = VERBS.iter().map(|verb| vec![*verb, "--frobnicate"]).collect();
    // `join` and `rpc` take words of their own.
    wrong.extend(VERBS.iter().map(|verb| vec![*verb, "a", "b", "c", "d"]));
    wrong.extend([vec!["frobnicate"], vec!["--frobnicate"], vec!["invite", "--ttl"], vec!["rpc"]]);
    for args in wrong {
        let output = program(folder.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(text(&output.stderr).starts_with("error: "), "{args:?}: {}", text(&output.stderr));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a refusal wrote something");
}

#[test]
fn help_of_run_lists_every_setting_with_its_default() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&program(folder.path(), &["run", "--help"]).stdout);
    for setting in CONTROLLER {
        let head = if setting.default.is_empty() {
            format!("\n  {}\n", setting.name)
        } else {
            format!("\n  {} [{}]\n", setting.name, setting.default)
        };
        assert!(help.contains(&head) && help.contains(setting.meaning), "{}\n{help}", setting.name);
    }
}

#[test]
fn a_verb_that_fails_says_where_it_asked_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    for verb in [
        &["healthcheck"][..],
        &["status"],
        &["peers"],
        &["invite"],
        &["owner-link"],
        &["rpc", "--addr", "a:1", "GetPeers"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_constella-controller"));
        command.env_clear().env("STATE_DIR", folder.path().join("state")).env("CONTROL_SOCKET", &socket);
        let output = command.args(verb).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{verb:?}: {said}");
        assert!(said.contains(&socket.display().to_string()) && said.contains("start it first"), "{verb:?}: {said}");
        assert!(output.stdout.is_empty(), "{verb:?}");
    }
}
