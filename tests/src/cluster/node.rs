//! One node: a controller and an agent, their folder, their wire.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use constella_controller::control::{Question, StatusDocument, Told, ask};
use constella_shared::wire::rpc::PeerRow;
use nix::sys::signal::Signal;

use super::clocks::WallClock;
use super::error::ClusterError;
use super::host::{HostFolder, Recorded};
use super::nursery::{Nursery, Process};
use super::programs::Programs;
use super::wires::Wires;

/// One node. Its processes are started and ended by hand, as a host's are.
#[derive(Debug)]
pub struct Node {
    pub(super) name: String,
    pub(super) index: usize,
    folder: PathBuf,
    host: HostFolder,
    settings: Vec<(String, String)>,
    wall: Option<WallClock>,
    processes: Mutex<Processes>,
    member: AtomicBool,
    programs: Programs,
    /// Another build of the controller than that of `programs`.
    build: Mutex<Option<PathBuf>>,
    nursery: Nursery,
    wires: Wires,
}

#[derive(Debug, Default)]
struct Processes {
    controller: Option<Process>,
    agent: Option<Process>,
}

/// What a node is made with.
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) index: usize,
    pub(super) folder: PathBuf,
    /// Environment of both programs.
    pub(super) settings: Vec<(String, String)>,
    /// None where its clock cannot be set.
    pub(super) wall: Option<WallClock>,
    pub(super) programs: Programs,
    pub(super) nursery: Nursery,
    pub(super) wires: Wires,
}

impl Node {
    /// Makes its folders and opens its wire; nothing runs.
    pub(super) async fn prepare(parts: Parts, small_disk: Option<u32>) -> Result<Self, ClusterError> {
        let Parts { name, index, folder, settings, wall, programs, nursery, wires } = parts;
        let failed = || format!("preparing {name}");
        let host = HostFolder::create(folder.join("host")).map_err(ClusterError::system(failed()))?;
        wires.open(index).await.map_err(ClusterError::system(failed()))?;
        let (processes, member, build) = (Mutex::default(), AtomicBool::new(false), Mutex::default());
        let node =
            Self { name, index, folder, host, settings, wall, processes, member, programs, build, nursery, wires };
        if let Some(kilobytes) = small_disk {
            node.mount_a_small_disk(kilobytes).await?;
        }
        Ok(node)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number, for [`Wires`].
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Where others reach it.
    #[must_use]
    pub fn public(&self) -> SocketAddr {
        self.wires.public(self.index)
    }

    /// Its state folder.
    #[must_use]
    pub fn state_folder(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// It founded the network, or was let in.
    pub(super) fn enter(&self) {
        self.member.store(true, Ordering::Relaxed);
    }

    /// Whether it founded the network, or was let in.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.member.load(Ordering::Relaxed)
    }

    /// Starts both programs, where they do not run.
    ///
    /// # Errors
    /// A program cannot be started.
    pub fn start(&self) -> Result<(), ClusterError> {
        self.start_agent()?;
        self.start_controller()
    }

    /// Starts the controller, where it does not run.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_controller(&self) -> Result<(), ClusterError> {
        let mut processes = self.processes();
        if !is_running(processes.controller.as_ref()) {
            let mut command = self.controller();
            self.equip(command.arg("run"), CONTROLLER);
            processes.controller = Some(self.spawn_logged(command, "controller")?);
        }
        Ok(())
    }

    /// From its next start on, this program is its controller: an upgrade, or a downgrade.
    pub fn runs(&self, controller: &Path) {
        *self.build.lock().unwrap_or_else(PoisonError::into_inner) = Some(controller.to_owned());
    }

    fn controller(&self) -> Command {
        let build = self.build.lock().unwrap_or_else(PoisonError::into_inner);
        build.as_deref().map_or_else(|| self.programs.controller(), |build| self.programs.bound(build))
    }

    /// Starts the agent, where it does not run.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_agent(&self) -> Result<(), ClusterError> {
        let mut processes = self.processes();
        if !is_running(processes.agent.as_ref()) {
            let mut command = self.programs.agent();
            self.equip(&mut command, AGENT);
            let (name, folder) = self.host.variable();
            command.env(name, folder);
            processes.agent = Some(self.spawn_logged(command, "agent")?);
        }
        Ok(())
    }

    /// Ends the agent alone.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn kill_agent(&self) -> Result<(), ClusterError> {
        let agent = self.processes().agent.take();
        let killed = agent.map_or(Ok(()), |process| process.kill());
        killed.map_err(ClusterError::system(format!("killing the agent of {}", self.name)))
    }

    /// Ends both programs at once, as a power cut does.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn kill(&self) -> Result<(), ClusterError> {
        let mut processes = self.processes();
        for process in [processes.controller.take(), processes.agent.take()].into_iter().flatten() {
            process.kill().map_err(ClusterError::system(format!("killing {}", self.name)))?;
        }
        Ok(())
    }

    /// Sends a signal to the controller.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn signal(&self, signal: Signal) -> Result<(), ClusterError> {
        let sent = self.processes().controller.as_ref().map_or(Ok(()), |process| process.signal(signal));
        sent.map_err(ClusterError::system(format!("sending {signal} to {}", self.name)))
    }

    /// Sets its host's wall clock, for programs that run too; no other clock changes.
    ///
    /// # Errors
    /// The network was not planned with clocks that can be set.
    pub fn set_wall_clock(&self, off_s: i64) -> Result<(), ClusterError> {
        let set = self.wall.as_ref().map_or(Err(io::ErrorKind::Unsupported.into()), |wall| wall.set(off_s));
        set.map_err(ClusterError::system(format!("setting the clock of {}", self.name)))
    }

    /// Whether its controller runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        is_running(self.processes().controller.as_ref())
    }

    /// How its controller ended: None while it runs, or where it was never started.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        self.processes().controller.as_ref().and_then(Process::ended).and_then(|status| status.code())
    }

    /// The ids of its controller and of its agent.
    #[must_use]
    pub fn pids(&self) -> (Option<u32>, Option<u32>) {
        let processes = self.processes();
        (processes.controller.as_ref().map(Process::pid), processes.agent.as_ref().map(Process::pid))
    }

    /// The reboots that its host was ordered to do.
    #[must_use]
    pub fn reboots(&self) -> Vec<Recorded> {
        self.host.reboots()
    }

    /// Its host boots: another boot id.
    ///
    /// # Errors
    /// Its folder cannot be written.
    pub fn boot(&self) -> Result<(), ClusterError> {
        self.host.boot().map_err(ClusterError::system(format!("booting {}", self.name)))
    }

    /// What the node says of itself.
    ///
    /// # Errors
    /// No controller answers.
    pub async fn status(&self) -> Result<StatusDocument, ClusterError> {
        match self.ask(Question::Status {}).await? {
            Told::Status(status) => Ok(status),
            _ => Err(ClusterError::Answer { node: self.name.clone(), verb: "status" }),
        }
    }

    /// The members as it sees them.
    ///
    /// # Errors
    /// No controller answers.
    pub async fn peers(&self) -> Result<Vec<PeerRow>, ClusterError> {
        match self.ask(Question::Peers {}).await? {
            Told::Peers { peers } => Ok(peers),
            _ => Err(ClusterError::Answer { node: self.name.clone(), verb: "peers" }),
        }
    }

    /// Runs a verb of the command line with this node's settings and returns its standard output.
    ///
    /// # Errors
    /// It failed; its standard error is in the error.
    pub async fn cli(&self, args: &[&str]) -> Result<String, ClusterError> {
        let output = self.cli_output(args, None).await?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ClusterError::Cli { node: self.name.clone(), verb: verb(args), stderr })
    }

    /// The same with the whole outcome, and with text on standard input.
    ///
    /// # Errors
    /// It cannot be started, or does not end.
    pub async fn cli_output(&self, args: &[&str], stdin: Option<&str>) -> Result<Output, ClusterError> {
        let failed = || ClusterError::system(format!("running `{}` on {}", verb(args), self.name));
        let mut command = self.controller();
        self.equip(command.args(args), CONTROLLER);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(text) = stdin {
            command.stdin(given(text).map_err(failed())?);
        }
        let process = self.nursery.spawn(command).map_err(failed())?;
        self.wires.belongs(process.pid(), self.index);
        process.output_within(CLI).await.map_err(failed())
    }

    /// Lines of its controller's log, over all its starts, that have these words.
    #[must_use]
    pub fn log_lines(&self, words: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.log("controller")).unwrap_or_default();
        text.lines().filter(|line| line.contains(words)).map(ToOwned::to_owned).collect()
    }

    /// The end of its controller's log, for whoever has to find out.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.log("controller")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
    }

    async fn ask(&self, question: Question) -> Result<Told, ClusterError> {
        let asked = tokio::time::timeout(ASK, ask(&self.folder.join(CONTROL), &question)).await;
        let failed = ClusterError::system(format!("asking {}", self.name));
        asked.map_err(io::Error::from).and_then(|told| told.map_err(io::Error::other)).map_err(failed)
    }

    fn spawn_logged(&self, mut command: Command, program: &str) -> Result<Process, ClusterError> {
        let failed = || ClusterError::system(format!("starting the {program} of {}", self.name));
        let log = OpenOptions::new().create(true).append(true).open(self.log(program)).map_err(failed())?;
        command.stdout(Stdio::null()).stderr(log);
        let process = self.nursery.spawn(command).map_err(failed())?;
        self.wires.belongs(process.pid(), self.index);
        Ok(process)
    }

    /// The environment has what the node is told and nothing else.
    fn equip(&self, command: &mut Command, program: &[&str]) {
        command.env_clear().stdin(Stdio::null());
        let meant = |name: &str| program.iter().any(|start| name.starts_with(start));
        command.envs(self.settings.iter().filter(|(name, _)| meant(name)).map(|(name, value)| (name, value)));
        command.envs(self.wall.iter().flat_map(WallClock::variables));
        command.env("AGENT_SOCKET", self.folder.join("agent.sock"));
        if program == CONTROLLER {
            command.env("STATE_DIR", self.state_folder()).env("CONTROL_SOCKET", self.folder.join(CONTROL));
        } else {
            command.env("AGENT_STATE_DIR", self.folder.join("agent"));
        }
    }

    fn log(&self, program: &str) -> PathBuf {
        self.folder.join(format!("{program}.log"))
    }

    fn processes(&self) -> MutexGuard<'_, Processes> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its folder, for figures on what it writes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What starts its processes.
    pub(super) fn nursery(&self) -> &Nursery {
        &self.nursery
    }

    /// What it runs.
    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }
}

fn is_running(process: Option<&Process>) -> bool {
    process.is_some_and(|process| process.ended().is_none())
}

/// A pipe with a text in it: links and tokens are short.
fn given(text: &str) -> io::Result<Stdio> {
    let (read, mut write) = io::pipe()?;
    write.write_all(text.as_bytes())?;
    Ok(read.into())
}

/// Verb and flags for an error; a link is a secret.
fn verb(args: &[&str]) -> String {
    let shown = |arg: &&str| if arg.contains("://") { "<link>".to_owned() } else { (*arg).to_owned() };
    args.iter().map(shown).collect::<Vec<_>>().join(" ")
}

/// Settings that the agent reads begin so; it refuses names that look like its own and are not.
const AGENT: &[&str] = &["AGENT_", "ALLOW_", "REBOOT_", "SPEEDTEST_", "SAMPLE_"];
/// Everything else is the controller's.
const CONTROLLER: &[&str] = &[
    "SERVER_NAME",
    "LISTEN_ADDR",
    "PUBLIC_ADDR",
    "PRIORITY",
    "TELEGRAM_",
    "LANG_DEFAULT",
    "LOG",
    "BOT_LEASE_TTL",
    "HEARTBEAT_",
    "DOWN_AFTER",
    "RPC_TIMEOUT",
    "JOIN_URL",
];
const CONTROL: &str = "control.sock";
/// For a question over the control socket: a frozen controller accepts and says nothing.
const ASK: Duration = Duration::from_secs(3);
/// For a verb of the command line: `join` tries for as long as its invitation holds.
const CLI: Duration = Duration::from_secs(90);
/// Lines of a log that an error shows.
const TAIL: usize = 40;
