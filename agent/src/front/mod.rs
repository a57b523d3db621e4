//! The front: everything that listens, parses and keeps figures, in a process without power. One thread; no task holds a borrow while it
//! waits.

mod answer;
mod sampler;
mod server;
mod speedtest;

use std::time::{SystemTime, UNIX_EPOCH};
use std::{cell::RefCell, io, os::fd::AsFd, rc::Rc};

use constella_shared::agent::{Disk, Stats};
use constella_shared::limits::REPORT_BYTES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixDatagram, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};
use zerocopy::{IntoBytes, TryFromBytes};

use crate::config::{Config, RebootMethod};
use crate::powers::{self, FRONT};
use crate::root::frame::{Ask, Record, Verb};
use crate::{Failure, host::Host, look::Report, series::Series};
use speedtest::Speedtest;

/// What the front's tasks share.
struct Front {
    config: Config,
    asks: mpsc::Sender<(Ask, oneshot::Sender<Record>)>,
    stats: RefCell<Stats>,
    /// The host's name and file systems, as they were last seen.
    looked: RefCell<(String, Vec<Disk>)>,
    series: RefCell<Series>,
    speedtest: RefCell<Speedtest>,
}

/// Gives power away, and serves until the root part ends or the socket cannot be had.
pub(crate) fn run(host: &Host, config: Config) -> Result<(), Failure> {
    match host.powers {
        true => powers::drop_all(FRONT, config.reboot_method == RebootMethod::Signal)?,
        false => powers::bind_to_parent()?,
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let folder = config.state_dir.join("series");
        let (asks, queue) = mpsc::channel(1);
        let front = Rc::new(Front {
            asks,
            stats: RefCell::default(),
            looked: RefCell::default(),
            series: RefCell::new(Series::new(&folder, config.sample_every.as_millis() as u64, config.warnings)),
            speedtest: RefCell::new(Speedtest::load(folder.join("speedtest.json"))),
            config,
        });
        let listener = server::bind(&front.config.socket)?;
        spawn_local(sampler::run(front.clone(), host.pid1.clone(), host.boot_id.clone()));
        spawn_local(speedtest::run_every(front.clone()));
        spawn_local(server::serve(front.clone(), listener));
        spawn_local(hear(front.clone()));
        Ok(relay(queue).await?)
    })
}

/// Carries requests to the root part and records back, one after another. It is a task of its own, so that an asker who gives up
/// leaves no answer behind for the next.
async fn relay(mut queue: mpsc::Receiver<(Ask, oneshot::Sender<Record>)>) -> io::Result<()> {
    let socket = std::os::unix::net::UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    let (mut root, mut row) = (UnixStream::from_std(socket)?, [0; size_of::<Record>()]);
    while let Some((ask, answer)) = queue.recv().await {
        root.write_all(ask.as_bytes()).await?;
        root.read_exact(&mut row).await?;
        let record = Record::try_read_from_bytes(&row).map_err(|_| io::Error::other("the root part sent junk"))?;
        // The asker may have given up.
        let _ = answer.send(record);
    }
    Ok(())
}

/// Takes in what helpers report. They have no power and may be anybody's by now: what is no report is nothing.
async fn hear(front: Rc<Front>) -> io::Result<()> {
    let socket = std::os::unix::net::UnixDatagram::from(io::stdout().as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    let (socket, mut bytes) = (UnixDatagram::from_std(socket)?, [0; REPORT_BYTES]);
    loop {
        let length = socket.recv(&mut bytes).await?;
        match serde_json::from_slice(bytes.get(..length).unwrap_or_default()) {
            Ok(Report::Looked { hostname, disks }) => *front.looked.borrow_mut() = (hostname, disks),
            Ok(Report::Speedtest(report)) => front.speedtest.borrow_mut().hear(report),
            Err(error) => front.warn("a report that is none", error),
        }
    }
}

impl Front {
    /// Asks the root part. None where it has ended, and the front is about to.
    async fn ask(&self, verb: Verb, id: [u8; 32], not_after_ms: u64, uid: u32) -> Option<Record> {
        let (answer, answered) = oneshot::channel();
        self.asks.send((Ask { not_after_ms, uid, verb, zeros: [0; 3], id }, answer)).await.ok()?;
        answered.await.ok()
    }

    fn warn(&self, what: &str, why: impl std::fmt::Display) {
        if self.config.warnings {
            eprintln!("constella-agent: {what}: {why}");
        }
    }
}

/// Milliseconds since 1970; 0 where the clock is before that.
fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}
