//! A host of its own for the real agent: pid, mount, uts, ipc and net namespaces with their own PID 1 and a recording `/sbin/reboot`, so
//! that `/proc/1` is never the machine's. Needs root; without it a test says so loudly and is skipped.

#![expect(dead_code, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// True where namespaces can be made. Says so where they cannot.
pub(crate) fn possible() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: this test makes namespaces and needs root");
    }
    root
}

/// Waits on a condition, at most a minute.
pub(crate) fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(it) = ready() {
            return it;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The fake host: its PID 1 sleeps, its `/sbin/reboot` runs the given shell text and records that it ran.
pub(crate) struct FakeHost {
    pub(crate) folder: TempDir,
    unshare: Child,
    pub(crate) pid1: u32,
}

impl FakeHost {
    pub(crate) fn start(reboot: &str) -> Self {
        Self::start_with_pid1("sleep 1000", reboot)
    }

    /// The same with another command as its PID 1, which finds the folder in `$FOLDER`.
    pub(crate) fn start_with_pid1(pid1: &str, reboot: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().display();
        let record = format!(
            "echo $(uname -n) $(readlink /proc/self/ns/net) $(readlink /proc/self/ns/mnt) $(pwd) >> {path}/rebooted"
        );
        std::fs::write(folder.path().join("reboot"), format!("#!/bin/sh\n{record}\n{reboot}\n")).unwrap();
        std::fs::write(folder.path().join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
            .unwrap();
        std::fs::create_dir(folder.path().join("tiny")).unwrap();
        // The tmpfs comes first: without it nothing is written below /usr/sbin. The resolv.conf is an absolute link, as systemd's is.
        let script = format!(
            "set -e
             ip link set lo up
             hostname fakehost
             mount -t tmpfs -o size=12m none {path}/tiny
             mount -t tmpfs none /usr/sbin
             test ! -e /usr/sbin/reboot
             cp {path}/reboot /usr/sbin/reboot
             chmod 755 /usr/sbin/reboot
             mount -t tmpfs none /mnt
             cp {path}/resolv.conf /mnt/resolv.conf
             rm -f {path}/link; ln -s /mnt/resolv.conf {path}/link
             touch {path}/etc-resolv
             mount --bind /mnt/resolv.conf /etc/resolv.conf
             touch {path}/ready
             export FOLDER={path}
             exec {pid1}"
        );
        let unshare = Command::new("unshare")
            .args(["--fork", "--kill-child", "--pid", "--mount-proc", "--uts", "--net", "--ipc", "sh", "-c", &script])
            .spawn()
            .unwrap();
        until("the fake host is up", || folder.path().join("ready").exists().then_some(()));
        let children = format!("/proc/{0}/task/{0}/children", unshare.id());
        let pid1: u32 = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
        let own = std::fs::read_link("/proc/self/ns/pid").unwrap();
        assert_ne!(std::fs::read_link(format!("/proc/{pid1}/ns/pid")).unwrap(), own, "that would be this machine");
        Self { folder, unshare, pid1 }
    }

    pub(crate) fn namespace(&self, name: &str) -> String {
        std::fs::read_link(format!("/proc/{}/ns/{name}", self.pid1)).unwrap().display().to_string()
    }

    /// Runs a shell text in the host's namespaces but uts and ipc.
    pub(crate) fn run(&self, text: &str) {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &self.pid1.to_string(), "--pid", "--mount", "--net", "--", "sh", "-ec", text]);
        assert!(nsenter.status().unwrap().success(), "{text}");
    }

    /// A line for each time that the host's reboot command ran.
    pub(crate) fn rebooted(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("rebooted")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The real agent beside the host: in its pid namespace, and otherwise in namespaces of its own, as a container is.
    pub(crate) fn agent(&self, settings: &[(&str, &str)]) -> Agent {
        self.agent_in(&self.folder.path().join("state"), &[], settings)
    }

    /// The same with a state folder of the host's own mounts, and with a command before the agent's (setpriv).
    pub(crate) fn agent_in(&self, state: &Path, before: &[&str], settings: &[(&str, &str)]) -> Agent {
        let agent = self.try_agent_in(state, before, settings);
        agent.unwrap_or_else(|| panic!("the agent ended: {}", self.log()))
    }

    /// None where the agent ends instead of serving.
    pub(crate) fn try_agent_in(&self, state: &Path, before: &[&str], settings: &[(&str, &str)]) -> Option<Agent> {
        let socket = self.folder.path().join("run/agent.sock");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid1.to_string(), "--pid", "--mount", "--", "unshare", "--fork"]);
        command.args(["--kill-child", "--mount-proc", "--uts", "--net", "--ipc"]).args(before);
        command.arg(env!("CARGO_BIN_EXE_constella-agent"));
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("AGENT_SOCKET", &socket);
        command.env("AGENT_STATE_DIR", state).envs(settings.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut agent = Agent { child: command.spawn().unwrap(), socket, log: self.folder.path().join("log") };
        until("the agent serves or ends", || {
            let ended = agent.child.try_wait().unwrap().is_some();
            (ended || agent.try_call("GET", "/v1/health", "").is_ok()).then_some(!ended)
        })
        .then_some(agent)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for FakeHost {
    fn drop(&mut self) {
        // The kernel ends all that is in PID 1's namespace with it.
        let _ = Command::new("kill").args(["-9", &self.pid1.to_string()]).status();
        let _ = self.unshare.wait();
    }
}

/// A running agent.
pub(crate) struct Agent {
    child: Child,
    pub(crate) socket: PathBuf,
    log: PathBuf,
}

impl Agent {
    /// One that a test has started by itself.
    pub(crate) fn of(child: Child, socket: PathBuf) -> Self {
        Self { child, socket, log: PathBuf::new() }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a request; the status and the document.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.try_call(method, path, body).unwrap()
    }

    pub(crate) fn try_call(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, Value)> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.raw((head + body).as_bytes())
    }

    pub(crate) fn raw(&self, request: &[u8]) -> std::io::Result<(u16, Value)> {
        let mut stream = UnixStream::connect(&self.socket)?;
        // A refusal may come before the request has been taken whole.
        let _ = stream.write_all(request);
        read_answer(&mut stream)
    }

    pub(crate) fn reboot(&self, id: char) -> (u16, Value) {
        self.reboot_until(id, boottime_ms() + 10_000)
    }

    pub(crate) fn reboot_until(&self, id: char, not_after_ms: u64) -> (u16, Value) {
        let body = format!(r#"{{"command_id":"{}","not_after_boottime_ms":{not_after_ms}}}"#, command(id));
        self.call("POST", "/v1/reboot", &body)
    }

    pub(crate) fn speedtest(&self, id: char) -> (u16, Value) {
        self.call("POST", "/v1/speedtest", &format!(r#"{{"command_id":"{}"}}"#, command(id)))
    }

    /// The processes of this agent, as this machine numbers them: root part, front, helpers.
    pub(crate) fn processes(&self, name: &str) -> Vec<u32> {
        let mut found = Vec::new();
        let mut queue = vec![self.child.id()];
        while let Some(pid) = queue.pop() {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            queue.extend(children.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).split('\0').any(|arg| arg == name || arg.ends_with(&format!("/{name}"))) {
                found.push(pid);
            }
        }
        found
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        for pid in self.processes("constella-agent") {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        let _ = self.child.wait();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn read_answer(stream: &mut UnixStream) -> std::io::Result<(u16, Value)> {
    let mut bytes = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    // Where the agent has not read all that was sent, a reset follows its answer.
    let end = stream.read_to_end(&mut bytes);
    if bytes.is_empty() {
        end?;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) =
        text.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other(format!("no answer: {text:?}")))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// A command id of one letter.
pub(crate) fn command(letter: char) -> String {
    letter.to_string().repeat(64)
}

pub(crate) fn boottime_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// A field of `/proc/<pid>/status`.
pub(crate) fn status(pid: u32, field: &str) -> String {
    let text = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
