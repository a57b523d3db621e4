//! A node's card.

use constella_core::bot::kit::graph::Graph;
use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::page::{Card, Figure, Figures, LastSpeedtest, Row};
use constella_core::bot::kit::say::{Key, Say, Value};
use constella_shared::wire::rpc::Status;

use super::{disk_mark, glance, head, time_of_day};
use crate::telegram::text::{
    Markup, ago, bits_per_s, bytes, bytes_per_s, clean, decimal, fill, milliseconds, span, words,
};

/// The card's lines.
pub(super) fn lines(language: Language, card: &Card, at_unix_s: u64) -> Vec<String> {
    let mut lines = vec![head(language, &card.row)];
    lines.extend(disk_mark(language, &card.row));
    match &card.figures {
        Ok(figures) => {
            let rtt =
                |ms: u32| format!("{} {}", words(language, Key::RoundTrip), milliseconds(language, f64::from(ms), 0));
            lines.extend(card.row.rtt_ms.map(rtt));
            lines.push(String::new());
            lines.extend(figure_lines(language, figures));
        }
        Err(why) => {
            lines.push(silent_since(language, &card.row, at_unix_s).unwrap_or_else(|| glance(language, &card.row)));
            lines.push(String::new());
            let say = if why.key == Key::Loading {
                why.clone()
            } else {
                Say::new(Key::NoFigures).with("why", Value::Say(why.clone()))
            };
            lines.push(fill(language, &say, Markup::Html));
        }
    }
    lines.push(String::new());
    lines.extend(graph_lines(language, card));
    lines.extend(card.speedtest.as_ref().map(|test| speedtest_line(language, test)));
    if let Ok(figures) = &card.figures {
        let say = Say::new(Key::Versions)
            .text("controller", figures.controller.as_str())
            .text("agent", figures.agent.as_str());
        lines.push(String::new());
        lines.push(format!("<i>{}</i>", fill(language, &say, Markup::Html)));
    }
    lines
}

/// Since when a node that is down was not heard: the time of day, and how long ago, which tells the day.
fn silent_since(language: Language, row: &Row, at_unix_s: u64) -> Option<String> {
    let (key, silent_ms) = match (row.status, row.silent_ms) {
        (Status::Down, Some(ms)) => (Key::DownSince, ms),
        (Status::Down, None) => (Key::DownBefore, row.listened_ms),
        (Status::Left, Some(ms)) => (Key::StoppedSince, ms),
        (Status::Left, None) | (Status::Alive | Status::Suspect, _) => return None,
    };
    let since = time_of_day(at_unix_s.saturating_sub(silent_ms / 1_000));
    let say = Say::new(key).text("since", format!("{since} UTC")).with("ago", Value::Span(silent_ms));
    Some(fill(language, &say, Markup::Html))
}

fn figure_lines(language: Language, figures: &Figures) -> Vec<String> {
    let label = |key| words(language, key);
    let mut lines = Vec::new();
    if let Some(age_s) = figures.age_s {
        let old = Say::new(Key::FiguresOld).with("ago", Value::Span(age_s.saturating_mul(1_000)));
        lines.push(fill(language, &old, Markup::Html));
    }
    lines.push(line(label(Key::Cpu), &figures.cpu, |(percent, cores)| {
        let percent = decimal(language, f64::from(*percent), 0);
        format!("{} <b>{percent} %</b> × {cores}", label(Key::Cpu))
    }));
    lines.push(line(label(Key::Load), &figures.load, |load| {
        let [one, five, fifteen] = load.map(|load| decimal(language, f64::from(load), 2));
        format!("{} {one} · {five} · {fifteen}", label(Key::Load))
    }));
    let of = |name: &str, (used, total): &(u64, u64)| share(language, name, percent(*used, *total), *used, *total);
    lines.push(line(label(Key::Memory), &figures.mem, |mem| of(label(Key::Memory), mem)));
    if figures.swap.as_ref().map_or(true, |(_, total)| *total > 0) {
        lines.push(line(label(Key::Swap), &figures.swap, |swap| of(label(Key::Swap), swap)));
    }
    for disk in &figures.disks {
        let name = format!("{} {}", label(Key::Disk), clean(&disk.mount, MOUNT_CHARS, Markup::Html));
        lines.push(share(language, &name, disk.percent.into(), disk.used, disk.total));
    }
    lines.extend(figures.disks_missing.as_ref().map(|why| dash(label(Key::Disk), why)));
    lines.push(line(label(Key::Network), &figures.net, |(rx, tx)| {
        let (rx, tx) = (bytes_per_s(language, *rx), bytes_per_s(language, *tx));
        format!("{} ↓ {rx} ↑ {tx}", label(Key::Network))
    }));
    lines.push(line(label(Key::Uptime), &figures.uptime_s, |uptime_s| {
        format!("{} {}", label(Key::Uptime), span(language, uptime_s.saturating_mul(1_000)))
    }));
    lines
}

/// A figure's line, or a dash and why there is none.
fn line<T>(label: &str, figure: &Figure<T>, written: impl FnOnce(&T) -> String) -> String {
    figure.as_ref().map_or_else(|why| dash(label, why), written)
}

fn dash(label: &str, why: &str) -> String {
    if why.is_empty() {
        format!("{label} –")
    } else {
        format!("{label} – <i>{}</i>", clean(why, WHY_CHARS, Markup::Html))
    }
}

fn percent(used: u64, total: u64) -> u128 {
    u128::from(used) * 100 / u128::from(total.max(1))
}

/// `ОЗУ 43 %, 1,7 / 4,0 ГиБ`.
fn share(language: Language, label: &str, percent: u128, used: u64, total: u64) -> String {
    format!("{label} <b>{percent} %</b>, {} / {}", bytes(language, used), bytes(language, total))
}

fn graph_lines(language: Language, card: &Card) -> Vec<String> {
    let hours = fill(language, &Say::new(Key::Hours).with("hours", Value::Count(card.hours.into())), Markup::Html);
    let percent = |value: f32| format!("{} %", decimal(language, f64::from(value), 0));
    // In range: a rate is never negative, and a cast from float saturates.
    let rate = |value: f32| bytes_per_s(language, value.max(0.0) as u64);
    let of = |label: String, graph: &Graph, unit: &dyn Fn(f32) -> String| {
        let (average, peak) = (words(language, Key::Average), words(language, Key::Peak));
        [
            format!("{label} {average} {}, {peak} {}", unit(graph.average), unit(graph.peak)),
            format!("<code>{}</code>", columns(graph)),
        ]
    };
    let title = |key| format!("{} {hours}", words(language, key));
    let missing = |key| format!("{}: {}", title(key), words(language, Key::NoHistory));
    let answers = card.figures.is_ok();
    let mut lines = Vec::new();
    match &card.cpu {
        Some(graph) => lines.extend(of(format!("{}:", title(Key::Cpu)), graph, &percent)),
        None => lines.extend(answers.then(|| missing(Key::Cpu))),
    }
    let received = card.received.as_ref().map(|graph| of("↓".to_owned(), graph, &rate));
    let sent = card.sent.as_ref().map(|graph| of("↑".to_owned(), graph, &rate));
    if received.is_none() && sent.is_none() {
        lines.extend(answers.then(|| missing(Key::Network)));
    } else {
        lines.push(title(Key::Network));
        lines.extend(received.into_iter().chain(sent).flatten());
    }
    lines
}

/// `▁▂▃▄▅▆▇█`, and a dot where nothing was measured.
fn columns(graph: &Graph) -> String {
    let bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    graph.columns.iter().map(|column| column.and_then(|at| bars.get(usize::from(at)).copied()).unwrap_or('·')).collect()
}

fn speedtest_line(language: Language, test: &LastSpeedtest) -> String {
    let title = words(language, Key::LastSpeedtest);
    match test {
        LastSpeedtest::Never => format!("{title}: {}", words(language, Key::NoSpeedtest)),
        LastSpeedtest::Running => format!("{title}: {}", words(language, Key::SpeedtestRunningShort)),
        LastSpeedtest::Failed { message } => {
            let say = Say::new(Key::SpeedtestFailedShort).text("why", message.as_str());
            format!("{title}: {}", fill(language, &say, Markup::Html))
        }
        LastSpeedtest::Done { ago_ms, figures } => {
            let rate = |rate: Option<u64>| rate.map_or_else(|| "—".to_owned(), |rate| bits_per_s(language, rate));
            let latency = figures.latency_ms.map(|ms| format!(" · {}", milliseconds(language, f64::from(ms), 1)));
            format!(
                "{title}, {}:\n↓ {} ↑ {}{}",
                ago(language, *ago_ms),
                rate(figures.download_bps),
                rate(figures.upload_bps),
                latency.unwrap_or_default()
            )
        }
    }
}

/// Of the reason why a figure is not there: a sentence of its agent.
const WHY_CHARS: usize = 100;

/// Of a mount point.
const MOUNT_CHARS: usize = 20;
