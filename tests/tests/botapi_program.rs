//! The double as a program: it says where it listens, serves, refuses a page for everybody, and ends on Ctrl-C.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_botapi"))
        .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--token", "5:x", "--username", "some_bot"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_serves_until_ctrl_c() {
    let mut child = start(&["--page", "127.0.0.1:0", "--owner", "anna"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut url = |label: &str| lines.next().unwrap().unwrap().strip_prefix(label).unwrap().to_owned();
    let (bots, control, page) = (url("bots: "), url("control: "), url("page: "));
    assert!(get(&format!("{bots}/bot5:x/getMe")).contains("some_bot"));
    assert!(get(&control).contains("getme"));
    assert!(get(&page).contains("<!doctype html>"));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_shows_no_page_to_the_network() {
    let output = start(&["--page", "0.0.0.0:0"]).wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("loopback only"));
}
