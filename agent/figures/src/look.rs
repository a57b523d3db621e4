//! Figures that only the host's own files have. A look runs in the host's root folder, without power. A file that hangs costs its own figures.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;

use constella_shared::agent::{Disk, Missing, Temperature};
use constella_shared::limits::{LOOK_HUNG, LOOK_JOB, MISSING, NAME_SHOWN, PROC_BYTES};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use serde::{Deserialize, Serialize};

use crate::{mounts, sys};

/// Text of the host's own files of `/proc`, by name, or why there is none: of those over which the host has mounted others, as lxcfs does
/// where the host is itself a container (A6). The other files say the same everywhere.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct View(pub(crate) Vec<(String, Result<String, String>)>);

/// The other findings of a look.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Seen {
    pub(crate) hostname: String,
    pub(crate) nets: Vec<(String, Kind)>,
    pub(crate) disks: Vec<Disk>,
    pub(crate) temperatures: Vec<Temperature>,
    pub(crate) missing: Vec<Missing>,
    /// Disks with the ids of their file systems, before they are ranked.
    #[serde(skip)]
    sizes: Vec<(u64, Disk)>,
}

/// How an interface or a disk stands to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Hardware: what passes it came from outside.
    Wire,
    /// Nothing that is known stands under it.
    Leaf,
    /// Its traffic passes another interface or disk too, and counts there.
    Layer,
}

/// A look at work.
#[derive(Debug)]
pub struct Look {
    table: Result<Vec<mounts::Mount>, String>,
    /// Why this process does not stand in the host's root.
    outside: Option<String>,
    seen: Seen,
}

/// One thing that may hang.
#[derive(Debug)]
enum Job {
    File(&'static str),
    Nets,
    Sensor(PathBuf),
    Size(mounts::Mount),
}

/// The findings of one job.
#[derive(Default)]
struct Part(View, Seen);

impl Look {
    /// Begins with the table of mounts in the `/proc` folder of the host's PID 1. `outside` is why the host's root could not be entered.
    #[must_use]
    pub fn begin(pid1: &Path, outside: Option<String>, hostname: Result<String, String>) -> Self {
        let path = pid1.join("mounts");
        let table = std::fs::read(&path).map(|table| mounts::table(&table));
        let table = table.map_err(|error| format!("cannot read {}: {error}", path.display()));
        let mut seen = Seen::default();
        match hostname {
            Ok(name) => seen.hostname = name,
            Err(why) => seen.lacks("hostname", why),
        }
        Self { table, outside, seen }
    }

    /// The files that the host has of its own.
    #[must_use]
    pub fn view(&self) -> View {
        let table = self.table.as_deref().unwrap_or_default();
        let own = |name: &&str| table.iter().any(|mount| mount.is_at(&format!("/proc/{name}")));
        let own = VIEW.into_iter().filter(own);
        let Some(why) = &self.outside else { return work(own.map(Job::File).collect()).0 };
        View(own.map(|name| (name.to_owned(), Err(format!("the host's own /proc/{name}: {why}")))).collect())
    }

    /// Everything else.
    #[must_use]
    pub fn seen(self) -> Seen {
        let (mut seen, mut jobs) = (self.seen, Vec::new());
        match self.outside.clone().map_or(self.table, Err) {
            Ok(table) => {
                jobs.push(Job::Nets);
                jobs.extend(mounts::disks(table).into_iter().map(Job::Size));
            }
            Err(why) => seen.lacks("disks", why),
        }
        jobs.extend(sys::chips(self.outside.is_none()).into_iter().map(Job::Sensor));
        let Part(_, found) = work(jobs);
        seen.add(found);
        seen.disks = mounts::ranked(std::mem::take(&mut seen.sizes));
        seen
    }
}

/// Does each job. Behind one that hangs another thread goes on; those that hang end with this process.
fn work(jobs: Vec<Job>) -> Part {
    let (jobs, (tell, told)) = (Arc::new(jobs), mpsc::channel());
    let (mut all, mut at, mut threads) = (Part::default(), 0, 0);
    while at < jobs.len() && threads < LOOK_HUNG {
        let (tell, todo) = (tell.clone(), Arc::clone(&jobs));
        let each = move || (at..).zip(todo.iter().skip(at)).all(|(i, job)| tell.send((i, job.done())).is_ok());
        // Without a thread nothing is told, and this job is counted as one that hangs.
        let _ = thread::Builder::new().spawn(each);
        while at < jobs.len()
            && let Ok((i, part)) = told.recv_timeout(LOOK_JOB)
        {
            // A late answer was counted as hung, or its job is done again by another thread.
            if i == at {
                all.add(part);
                at += 1;
            }
        }
        if let Some(job) = jobs.get(at) {
            all.lacks(job, &format!("does not answer within {} s", LOOK_JOB.as_secs()));
        }
        (at, threads) = (at + 1, threads + 1);
    }
    jobs.iter().skip(at).for_each(|job| all.lacks(job, "is not asked, because too many others hang"));
    all
}

impl Part {
    fn add(&mut self, Self(view, seen): Self) {
        self.0.0.extend(view.0);
        self.1.add(seen);
    }

    /// The figures of a job become absent, with the reason.
    fn lacks(&mut self, job: &Job, why: &str) {
        match job {
            Job::File(name) => {
                self.0.0.push(((*name).to_owned(), Err(format!("the host's own /proc/{name} {why}"))));
            }
            // Then names tell how interfaces stand on each other.
            Job::Nets => {}
            Job::Sensor(chip) => self.1.lacks("temperatures", format!("{} {why}", chip.display())),
            Job::Size(mount) => self.1.lacks("disks", format!("{} {why}", mount.path.display())),
        }
    }
}

impl Seen {
    pub(crate) fn lacks(&mut self, figure: &str, why: String) {
        // A report has its limit (REPORT_BYTES), however the host calls its things.
        let why = why.chars().take(NAME_SHOWN).collect();
        self.missing.push(Missing { figure: figure.to_owned(), why });
        self.missing.truncate(MISSING);
    }

    fn add(&mut self, part: Self) {
        self.nets.extend(part.nets);
        self.sizes.extend(part.sizes);
        self.temperatures.extend(part.temperatures);
        part.missing.into_iter().for_each(|missing| self.lacks(&missing.figure, missing.why));
    }
}

impl Job {
    fn done(&self) -> Part {
        let Part(mut view, mut seen) = Part::default();
        match self {
            Self::File(name) => {
                let text = own_text(name).map_err(|error| format!("cannot read the host's own /proc/{name}: {error}"));
                view.0.push(((*name).to_owned(), text));
            }
            Self::Nets => seen.nets = sys::nets(),
            Self::Sensor(chip) => sys::sensor(&mut seen, chip),
            Self::Size(mount) => match mount.size() {
                Ok(size) => seen.sizes.push(size),
                Err(error) => seen.lacks("disks", format!("{}: {error}", mount.path.display())),
            },
        }
        Part(view, seen)
    }
}

/// A plain file, opened without waiting and without following a link.
fn own_text(name: &str) -> io::Result<String> {
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat2(CWD, format!("proc/{name}"), how, Mode::empty(), ResolveFlags::NO_SYMLINKS)?;
    if !FileType::from_raw_mode(fstat(&file)?.st_mode).is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut bytes = Vec::new();
    File::from(file).take(PROC_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Files of `/proc` that lxcfs and the like serve, and that a sample reads.
const VIEW: [&str; 6] = ["stat", "meminfo", "loadavg", "uptime", "diskstats", "sys/kernel/random/boot_id"];
