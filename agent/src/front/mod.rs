//! The front: everything that listens, parses and keeps figures, in a process without power. One thread, one runtime.

mod answer;
mod channel;
mod procfs;
mod sampler;
mod server;
mod speedtest;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use constella_shared::agent::{Disk, Stats};
use constella_shared::ids::CommandId;

use crate::config::{Config, RebootMethod};
use crate::host::Host;
use crate::log::{Level, say};
use crate::root::frame::Record;
use crate::root::{FRONT, powers};
use crate::series::Series;
use channel::Channel;
use speedtest::Speedtest;

/// What the front's tasks share. They are on one thread, and none holds a borrow while it waits.
struct Front {
    config: Config,
    channel: Channel,
    last_reboot: RefCell<Option<Record>>,
    stats: RefCell<Stats>,
    /// What the last look found: the host's name, its mounts, and the mounts of the look that is under way.
    looked: RefCell<(String, Vec<Disk>, Vec<Disk>)>,
    series: RefCell<Series>,
    speedtest: RefCell<Speedtest>,
}

/// Gives power away and serves until something fails.
pub(crate) fn run(host: &Host, config: Config) -> io::Result<()> {
    if host.powers {
        powers::drop_all(FRONT, config.reboot_method == RebootMethod::Signal)?;
    } else {
        powers::bind_to_parent()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let folder = config.state_dir.join("series");
        let sample_ms = config.sample_every.as_millis() as u64;
        let front = Rc::new(Front {
            channel: Channel::open()?,
            last_reboot: RefCell::default(),
            stats: RefCell::default(),
            looked: RefCell::default(),
            series: RefCell::new(Series::open(&folder, sample_ms, unix_ms())),
            speedtest: RefCell::new(Speedtest::load(folder.join("speedtest.json"))),
            config,
        });
        let listener = server::bind(&front.config.socket)?;
        let sampling = sampler::run(front.clone(), host.pid1.clone(), host.boot_id.clone());
        tokio::task::spawn_local(async { sampling.await.inspect_err(|error| say(Level::Error, "no sampling", error)) });
        if let Some(every) = front.config.speedtest_every {
            tokio::task::spawn_local(measure_every(front.clone(), every));
        }
        tokio::task::spawn_local(server::serve(front.clone(), listener));
        channel::receive(&front).await
    })
}

/// The operator's wish for a speedtest now and then.
async fn measure_every(front: Rc<Front>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let id = CommandId::over(&[b"scheduled", &unix_ms().to_le_bytes()]);
        if let Err(error) = speedtest::start(&front, id, u64::from(FRONT.0)).await {
            say(Level::Warn, "no scheduled speedtest", error.message);
        }
    }
}

/// Milliseconds since 1970; 0 where the clock is before that.
fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}
