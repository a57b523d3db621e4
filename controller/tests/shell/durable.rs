//! What a power cut would find: the calls of the real program, in the order in which the kernel got them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A library between the C library and the program, which records fsync and rename. Needs a C compiler, as the build does.
fn recorder(folder: &Path) -> std::path::PathBuf {
    let library = folder.join("durable.so");
    let mut compiler = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-x", "c", "-", "-ldl", "-o"])
        .arg(&library)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    compiler.stdin.take().unwrap().write_all(include_bytes!("durable.c")).unwrap();
    assert!(compiler.wait().unwrap().success());
    library
}

#[test]
fn a_state_file_is_on_disk_before_it_has_its_name_and_its_folder_after() {
    // S4: a file whose name comes before its content is empty after a power cut (fsync(2), rename(2))
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().canonicalize().unwrap();
    let (state, log) = (folder.join("state"), folder.join("log"));
    let mut init = Command::new(env!("CARGO_BIN_EXE_constella-controller"))
        .args(["init", "--owner", "owner", "--bot-token-file", "-"])
        .env_clear()
        .env("LD_PRELOAD", recorder(&folder))
        .env("SYNC_LOG", &log)
        .env("STATE_DIR", &state)
        .env("SERVER_NAME", "alpha")
        .env("PUBLIC_ADDR", "127.0.0.1:4747")
        // The discard port: nobody answers, and a network is founded without Telegram.
        .env("TELEGRAM_API_URL", "http://127.0.0.1:9")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    init.stdin.take().unwrap().write_all(format!("123456789:{}\n", "a".repeat(35)).as_bytes()).unwrap();
    assert!(init.wait().unwrap().success());

    let log = std::fs::read_to_string(&log).unwrap();
    let calls: Vec<(&str, &str)> = log.lines().map(|line| line.split_once(' ').unwrap()).collect();
    for file in ["network_state.json", "invites.json", "node_key.pem", "node_cert.pem", "node_id"] {
        let path = state.join(file);
        assert!(path.exists(), "{file}");
        let named = calls.iter().position(|call| *call == ("rename", path.to_str().unwrap()));
        let named = named.unwrap_or_else(|| panic!("{file} was not renamed into its place:\n{log}"));
        let content = format!("{}.new", path.display());
        assert!(calls[..named].contains(&("fsync", &content)), "{file} has its name before its content:\n{log}");
        let folder = ("fsync", state.to_str().unwrap());
        assert!(calls[named..].contains(&folder), "the folder is not on disk after {file}:\n{log}");
    }
}
