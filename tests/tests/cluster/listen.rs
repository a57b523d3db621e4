//! The listener of a real controller, on hosts whose kernels are set otherwise than ours.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use constella_tests::cluster::{Programs, clocks_can_be_set};
use nix::sched::{CloneFlags, unshare};

use super::PATIENCE;

/// tests/cases/17-bindv6only: `net.ipv6.bindv6only=1` makes a socket of `[::]` refuse IPv4, unless the program says otherwise.
#[test]
fn a_wildcard_is_answered_by_both_families_whatever_bindv6only_says() {
    on_a_network_of_its_own(|| {
        for only in ["1", "0"] {
            std::fs::write("/proc/sys/net/ipv6/bindv6only", only).unwrap();
            for listen in [None, Some("[::]:4747")] {
                let node = Founder::start(listen, &[]);
                for address in ["127.0.0.1", "[::1]"] {
                    assert_eq!(node.health(address), "{\"ok\":true}", "bindv6only={only} {listen:?} {address}");
                }
            }
        }
    });
}

/// DESIGN 3: a host without IPv6 has no `[::]`; the same setting is then its IPv4 wildcard, and nothing else.
#[test]
fn a_wildcard_falls_back_to_v4_where_there_is_no_ipv6() {
    if !clocks_can_be_set() {
        eprintln!("skipped: no C compiler here, so no kernel without IPv6 can be played");
        return;
    }
    on_a_network_of_its_own(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("no_ipv6.so");
        std::fs::write(folder.path().join("no_ipv6.c"), WITHOUT_IPV6).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(folder.path().join("no_ipv6.c"));
        assert!(compiler.status().unwrap().success());
        let node = Founder::start(None, &[("LD_PRELOAD", &library)]);
        assert_eq!(node.health("127.0.0.1"), "{\"ok\":true}");
        assert!(node.health("[::1]").contains("Connect"), "this kernel has IPv6");
    });
}

/// socket(2) of a kernel with `ipv6.disable=1`.
const WITHOUT_IPV6: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int family, int type, int protocol) {
    if (family == AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return syscall(SYS_socket, family, type, protocol);
}
"#;

/// Runs the claims in a thread that has a network namespace to itself, with a loopback device and nothing else.
fn on_a_network_of_its_own(claims: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if let Err(error) = unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from).and_then(|()| loopback_up())
            {
                eprintln!("skipped: this user gets no network namespace: {error}");
                return;
            }
            claims();
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn loopback_up() -> io::Result<()> {
    let done = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    if done.success() { Ok(()) } else { Err(io::Error::other("ip link set lo up failed")) }
}

/// A controller that founded a network of its own; Telegram is out of its reach. It ends with this value.
struct Founder {
    process: std::process::Child,
    _folder: tempfile::TempDir,
}

impl Founder {
    fn start(listen: Option<&str>, variables: &[(&str, &Path)]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().to_owned();
        let programs = Programs::beside(Path::new(env!("CARGO_BIN_EXE_host"))).unwrap();
        let token = folder.join("token");
        std::fs::write(&token, "123456789:AAEhBOweik9aaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
        let verb = |name: &str| {
            let mut command = programs.controller();
            command.env_clear().arg(name).env("STATE_DIR", folder.join("state"));
            command.env("CONTROL_SOCKET", folder.join("control.sock"));
            command.env("PUBLIC_ADDR", "127.0.0.1:4747").env("SERVER_NAME", "alpha");
            // Nobody listens there.
            command.env("TELEGRAM_API_URL", "http://127.0.0.1:9");
            command.envs(listen.map(|address| ("LISTEN_ADDR", address))).envs(variables.iter().copied());
            command
        };
        let founded = verb("init").args(["--owner", "maria", "--bot-token-file"]).arg(&token).output().unwrap();
        assert!(founded.status.success(), "{}", String::from_utf8_lossy(&founded.stderr));
        let node = Self { process: verb("run").spawn().unwrap(), _folder: temporary };
        let by = Instant::now() + PATIENCE;
        while !verb("healthcheck").output().unwrap().status.success() {
            assert!(Instant::now() < by, "the controller does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        node
    }

    /// What a stranger reads of `GET /health` at this address.
    fn health(&self, address: &str) -> String {
        // Another test may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
            let asked = client.get(format!("https://{address}:4747/health")).send().await;
            match asked {
                Ok(response) => response.text().await.unwrap(),
                Err(error) => format!("{error:?}"),
            }
        })
    }
}

impl Drop for Founder {
    fn drop(&mut self) {
        // It has ended already, or ends now; either way its port is free afterwards.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
