//! What a node costs, from /proc: memory as the kernel shares it out, processor time, bytes written.

use std::path::Path;
use std::time::Duration;

use super::node::Node;

/// What a program uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Proportional set size, bytes: its own pages and its share of the common ones.
    pub pss: u64,
    /// Since its start, user and system.
    pub cpu: Duration,
    /// Bytes that it had written to files since its start (`wchar` counts sockets too, so this is what reached the disk's cache).
    pub written: u64,
}

impl Usage {
    fn plus(self, other: Self) -> Self {
        Self { pss: self.pss + other.pss, cpu: self.cpu + other.cpu, written: self.written + other.written }
    }
}

impl Node {
    /// What the controller, and what the agent with all its processes, uses now. Zero for a program that does not run.
    #[must_use]
    pub fn usage(&self) -> (Usage, Usage) {
        let (controller, agent) = self.pids();
        let program = self.programs().agent_program();
        (controller.map(of).unwrap_or_default(), agent.map(|agent| of_family(agent, program)).unwrap_or_default())
    }

    /// Bytes in its folders: what a backup would hold.
    #[must_use]
    pub fn stored(&self) -> u64 {
        let files = std::fs::read_dir(self.folder().join("state")).into_iter().flatten().flatten();
        files.into_iter().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
    }
}

/// A process with its descendants, as far as they run this program: what they have around them is not theirs.
fn of_family(process: u32, program: &Path) -> Usage {
    let runs_it = std::fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|file| file == program);
    let own = if runs_it { of(process) } else { Usage::default() };
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
    ids.map(|id| of_family(id, program)).fold(own, Usage::plus)
}

/// One process; zeros where it is gone.
fn of(process: u32) -> Usage {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    Usage {
        pss: field(&read("smaps_rollup"), "Pss:") * 1_024,
        cpu: cpu(&read("stat")),
        written: field(&read("io"), "write_bytes:"),
    }
}

/// The number behind a name, as in `Pss:  1234 kB`.
fn field(text: &str, name: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// utime and stime, fields 14 and 15 of proc_pid_stat(5); the name in field 2 may hold blanks, so they are counted after its bracket.
fn cpu(stat: &str) -> Duration {
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// USER_HZ is 100 on every Linux that Rust runs on (time(7)).
const TICKS_PER_SECOND: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_the_kernel_writes_them() {
        assert_eq!(field("Rss: 9 kB\nPss:     1234 kB\n", "Pss:"), 1_234);
        assert_eq!(field("", "Pss:"), 0);
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 100 0 0";
        assert_eq!(cpu(stat), Duration::from_secs(2));
    }

    #[test]
    fn this_very_process_uses_something() {
        let usage = of(std::process::id());
        assert!(usage.pss > 0);
        let program = std::fs::read_link("/proc/self/exe").unwrap();
        assert!(of_family(std::process::id(), &program).pss > 0);
        assert_eq!(of_family(std::process::id(), Path::new("/another")), Usage::default());
    }
}
