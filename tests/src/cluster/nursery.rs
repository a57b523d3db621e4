//! Starts processes from one thread that lasts: the kernel ends a bound process when the *thread* that started it ends.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Output};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

type Order = (Command, mpsc::SyncSender<io::Result<Child>>);

/// Starts processes; they die with it, and with this program.
#[derive(Clone, Debug)]
pub struct Nursery(mpsc::Sender<Order>);

/// A started process; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    child: Mutex<Child>,
}

impl Nursery {
    /// Starts the thread, which ends with the last clone of this. With `mounts` it has a mount namespace of its own, which ends with what it started:
    /// what is mounted there is seen by nobody else. That needs root.
    ///
    /// # Errors
    /// The kernel gives no thread, or no namespace.
    pub fn start(mounts: bool) -> io::Result<Self> {
        let (orders, queue) = mpsc::channel::<Order>();
        let (entered, begun) = mpsc::sync_channel(1);
        std::thread::Builder::new().name("nursery".to_owned()).spawn(move || {
            let ready = if mounts { own_mounts() } else { Ok(()) };
            let fit = ready.is_ok();
            // Whoever starts it waits for exactly this.
            let _ = entered.send(ready);
            if !fit {
                return;
            }
            for (mut command, answer) in queue {
                // Whoever ordered it waits for exactly this answer.
                let _ = answer.send(command.spawn());
            }
        })?;
        begun.recv().map_err(|_| io::Error::other("the nursery is gone"))??;
        Ok(Self(orders))
    }

    /// Starts a process in a group of its own: Ctrl-C is for this program alone, which then ends the others.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&self, mut command: Command) -> io::Result<Process> {
        command.process_group(0);
        let (answer, answered) = mpsc::sync_channel(1);
        let gone = || io::Error::other("the nursery is gone");
        self.0.send((command, answer)).map_err(|_| gone())?;
        let child = answered.recv().map_err(|_| gone())??;
        Ok(Process { pid: Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX)), child: Mutex::new(child) })
    }
}

/// The thread leaves the mount namespace of its process.
fn own_mounts() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let made = Command::new("mount").args(["--make-rprivate", "/"]).status()?;
    if made.success() { Ok(()) } else { Err(io::Error::other("the mounts of a namespace cannot be made private")) }
}

impl Process {
    /// Its id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// How it ended; None while it runs.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait().unwrap_or(Some(ExitStatus::from_raw(0)))
    }

    /// Sends a signal, unless it has ended: its id may be another's then.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // Not reaped before this line, so the id is still its own.
        if child.try_wait()?.is_none() { Ok(kill(self.pid, signal)?) } else { Ok(()) }
    }

    /// Ends it at once, and waits until it is gone.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn kill(&self) -> io::Result<()> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if child.try_wait()?.is_none() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Waits for its end; None where it runs on.
    pub async fn end_within(&self, limit: Duration) -> Option<ExitStatus> {
        let by = Instant::now() + limit;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= by {
                return ended;
            }
            sleep(LOOK).await;
        }
    }

    /// Waits for its end and takes what it wrote; kills it where that takes longer than `limit`.
    ///
    /// # Errors
    /// Its output cannot be read, or it took too long.
    pub async fn output_within(self, limit: Duration) -> io::Result<Output> {
        let (out, err) = {
            let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            (reader(child.stdout.take()), reader(child.stderr.take()))
        };
        let Some(status) = self.end_within(limit).await else {
            self.kill()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("it did not end within {limit:?}")));
        };
        Ok(Output { status, stdout: text_of(out).await?, stderr: text_of(err).await? })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to be done about one that cannot be killed; the kernel does it when this program ends.
        let _ = self.kill();
    }
}

type Reading = Option<tokio::task::JoinHandle<io::Result<Vec<u8>>>>;

fn reader(pipe: Option<impl io::Read + Send + 'static>) -> Reading {
    pipe.map(|mut pipe| {
        tokio::task::spawn_blocking(move || {
            let mut text = Vec::new();
            pipe.read_to_end(&mut text).map(|_| text)
        })
    })
}

async fn text_of(reading: Reading) -> io::Result<Vec<u8>> {
    match reading {
        Some(task) => task.await.map_err(io::Error::other)?,
        None => Ok(Vec::new()),
    }
}

/// Between two looks whether a process has ended.
const LOOK: Duration = Duration::from_millis(5);
