//! The programs that a network is made of: the built controller, and the calling program again in its other parts.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use thiserror::Error;

use super::host;

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    own: PathBuf,
    controller: PathBuf,
    /// The agent's own program, where a node has one; otherwise its part of `own`.
    agent: Option<PathBuf>,
}

/// Why there are no programs to run.
#[derive(Debug, Error)]
pub enum ProgramsError {
    /// The controller was not built.
    #[error("there is no {}: run `cargo build -p constella-controller -p constella-tests` first", .0.display())]
    NotBuilt(PathBuf),
    /// A test would judge yesterday's controller.
    #[error(
        "{} is older than {}: run `cargo build -p constella-controller -p constella-tests` first",
        built.display(),
        source_file.display()
    )]
    Stale {
        /// The program.
        built: PathBuf,
        /// A file that it is made from.
        source_file: PathBuf,
    },
}

impl Programs {
    /// `own` is a program whose `main` begins with [`take_part`]; the controller lies beside it, as cargo leaves it.
    ///
    /// # Errors
    /// [`ProgramsError`].
    pub fn beside(own: &Path) -> Result<Self, ProgramsError> {
        let controller = own.with_file_name("constella-controller");
        let Some(built) = modified(&controller) else {
            return Err(ProgramsError::NotBuilt(controller));
        };
        match sources(&controller).find(|file| modified(file).is_some_and(|changed| changed > built)) {
            Some(source_file) => Err(ProgramsError::Stale { built: controller, source_file }),
            None => Ok(Self { own: own.to_owned(), controller, agent: None }),
        }
    }

    /// The same for one node that has the programs of an image to itself: copies of both, which share no page with another node's, so
    /// that the kernel's figures are those of a host alone.
    ///
    /// # Errors
    /// One cannot be copied.
    pub fn copied(self, from: &Path, folder: &Path) -> io::Result<Self> {
        let copy = |name: &str| {
            let to = folder.join(name);
            std::fs::copy(from.join(name), &to).map(|_| to)
        };
        Ok(Self { controller: copy("constella-controller")?, agent: Some(copy("constella-agent")?), ..self })
    }

    /// The controller, which ends when this process does.
    #[must_use]
    pub fn controller(&self) -> Command {
        self.bound(&self.controller)
    }

    /// A program that ends when this process does.
    #[must_use]
    pub fn bound(&self, program: &Path) -> Command {
        let mut command = self.part("bound");
        command.arg(program);
        command
    }

    /// The agent of a recorded host, which ends when this process does. One with a program of its own runs as in its container: with a
    /// host of namespaces of its own, whose PID 1 is a shell, and without a network.
    #[must_use]
    pub fn agent(&self) -> Command {
        let mut command = self.part("bound");
        match &self.agent {
            None => command.arg(&self.own).arg("cluster-agent"),
            Some(agent) => command.env("GLIBC_TUNABLES", tunables()).args(HOST).arg(agent),
        };
        command
    }

    /// The program that the agent's processes run.
    #[must_use]
    pub fn agent_program(&self) -> &Path {
        self.agent.as_deref().unwrap_or(&self.own)
    }

    /// Removes the folder when its standard input ends, which this process's end is enough for.
    #[must_use]
    pub fn janitor(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.own);
        command.arg("cluster-janitor").arg(folder);
        command
    }

    fn part(&self, name: &str) -> Command {
        let mut command = Command::new(&self.own);
        command.arg(format!("cluster-{name}")).arg(std::process::id().to_string());
        command
    }
}

/// The part of a network that this process was started as; none where it was started by a person. Programs that start networks call
/// this first in their `main`.
#[must_use]
pub fn take_part() -> Option<ExitCode> {
    let host = host::of_environment();
    if let Some(code) = constella_agent::inner(&host) {
        return Some(code);
    }
    let mut args = std::env::args_os().skip(1);
    let part = args.next()?.into_string().ok()?;
    let done = match part.as_str() {
        "cluster-agent" => return Some(constella_agent::run(&host)),
        "cluster-reboot" => host::record(Path::new(&args.next()?)),
        "cluster-bound" => bound(&args.next()?.into_string().ok()?, &args.collect::<Vec<_>>()),
        "cluster-janitor" => clean(Path::new(&args.next()?)),
        _ => return None,
    };
    Some(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{part}: {error}");
            ExitCode::FAILURE
        }
    })
}

/// Becomes another program that the kernel kills when the one that started it ends, however that ends.
fn bound(parent: &str, command: &[std::ffi::OsString]) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    if getppid().to_string() != parent {
        return Err(io::Error::other("whoever started this is gone"));
    }
    let (program, args) = command.split_first().ok_or_else(|| io::Error::other("no program is given"))?;
    Err(Command::new(program).args(args).exec())
}

fn clean(folder: &Path) -> io::Result<()> {
    io::stdin().read_to_end(&mut Vec::new())?;
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

/// What cargo says a program is made from, in the file that it leaves beside it; nothing where a program was copied somewhere else.
fn sources(program: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let rule = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let files = rule.split_once(": ").map(|(_, files)| files.to_owned()).unwrap_or_default();
    files.split_whitespace().map(PathBuf::from).collect::<Vec<_>>().into_iter()
}

/// What the image tells the C library of its agent.
fn tunables() -> &'static str {
    let mut lines = include_str!("../../../compose/Dockerfile").lines();
    lines.find_map(|line| line.strip_prefix("ENV GLIBC_TUNABLES=")).unwrap_or_default()
}

/// A host that is namespaces; they end with the shell, and that with `unshare`.
const HOST: [&str; 11] = [
    "unshare",
    "--pid",
    "--fork",
    "--mount-proc",
    "--uts",
    "--ipc",
    "--net",
    "--kill-child",
    "sh",
    "-c",
    "\"$0\" run & wait",
];
