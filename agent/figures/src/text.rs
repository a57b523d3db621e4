//! Figures out of the text of `/proc`.

use anyhow::{Context, Result, anyhow, ensure};
use constella_shared::agent::{Missing, Stats};

/// A figure, or one more that is missing.
pub(crate) fn or_why<T>(missing: &mut Vec<Missing>, figure: &str, found: Result<T>) -> Option<T> {
    let why = |error: &anyhow::Error| Missing { figure: figure.to_owned(), why: format!("{error:#}") };
    missing.extend(found.as_ref().err().map(why));
    found.ok()
}

/// No rate is known of what is new, or of a counter that began anew or wrapped.
pub(crate) fn all_known(unknown: &[String]) -> Result<()> {
    ensure!(unknown.is_empty(), "{}: new, or its counters began anew", unknown.join(", "));
    Ok(())
}

/// `0.05 0.04 0.03 1/50 1234`
pub(crate) fn load(text: &str) -> Result<[f32; 3]> {
    let mut words = text.split_whitespace().map(|word| word.parse().ok().filter(|load: &f32| load.is_finite()));
    let mut word = || words.next().flatten().context("/proc/loadavg has no three numbers");
    Ok([word()?, word()?, word()?])
}

/// `777.00 700.00`, seconds.
pub(crate) fn uptime(text: &str) -> Result<u64> {
    let seconds: Option<f64> = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Ok(seconds.filter(|seconds| *seconds >= 0.0).context("/proc/uptime has no number")? as u64)
}

/// Memory and swap: what `free` shows.
pub(crate) fn memory(stats: &mut Stats, missing: &mut Vec<Missing>, text: Result<String>) {
    // `MemTotal:         524288 kB`
    let bytes = |name: &str| -> Result<u64> {
        let text = text.as_ref().map_err(|why| anyhow!("{why:#}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        Ok(kib.with_context(|| format!("/proc/meminfo has no {name}"))?.saturating_mul(1024))
    };
    // Before Linux 3.14 the kernel did not say what is available.
    let before = || Ok(bytes("MemFree")?.saturating_add(bytes("Buffers")?).saturating_add(bytes("Cached")?));
    let available = bytes("MemAvailable").or_else(|why| before().map_err(|_: anyhow::Error| why));
    let less = |total: Result<u64>, free: Result<u64>| Ok(total?.saturating_sub(free?));
    (stats.mem_total, stats.swap_total) = (bytes("MemTotal").ok(), bytes("SwapTotal").ok());
    stats.mem_used = or_why(missing, "memory", less(bytes("MemTotal"), available));
    stats.swap_used = or_why(missing, "swap", less(bytes("SwapTotal"), bytes("SwapFree")));
}

/// Bytes that were read from swap and written to it, out of `/proc/vmstat`: it counts pages, which are of 4 KiB on nearly every machine.
pub(crate) fn swapped(text: &str) -> Result<[u64; 2]> {
    let pages = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().parse::<u64>().ok());
    let bytes = |name: &str| -> Result<u64> {
        let pages = pages(name).with_context(|| format!("/proc/vmstat has no {name}"))?;
        Ok(pages.saturating_mul(4096))
    };
    Ok([bytes("pswpin ")?, bytes("pswpout ")?])
}

/// The start of a process in clock ticks: the 22nd column of its `stat` (proc_pid_stat(5)). The second is a name in brackets, of any bytes.
pub(crate) fn start(stat: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(stat);
    let (_, columns) = text.rsplit_once(')')?;
    columns.split_whitespace().nth(19)?.parse().ok()
}

/// The kernel's release, which it always tells.
pub(crate) fn kernel() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
