//! Screens as Telegram takes them: HTML and an inline keyboard, for a phone's width, within Telegram's limits.

mod card;
pub mod install;
mod keyboard;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use constella_core::bot::kit::chart::Chart;
use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::names::SHOWN_CHARS;
use constella_core::bot::kit::page::{Body, List, Message, Row, Screen, Speedtest, VotersMissing};
use constella_core::bot::kit::say::{Key, Say, Value};
use constella_core::bot::kit::why::why_disk;
use constella_shared::agent::SpeedtestPhase;
use constella_shared::wire::rpc::Status;
use teloxide::types::InlineKeyboardMarkup;

use self::install::Source;
use super::text::{Markup, bits_per_s, clean, fill, hours, milliseconds, words};

/// A message as Telegram takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// For `parse_mode=HTML`; never empty, at most [`TEXT_UNITS`] after entities.
    pub html: String,
    /// Its buttons; data within 64 bytes.
    pub keyboard: Option<InlineKeyboardMarkup>,
}

/// Renders a message.
#[must_use]
pub fn render(screen: &Screen) -> Rendered {
    match screen {
        Screen::Words { text, .. } => plain(lines_of(text)),
        Screen::Note { language, say } => plain(vec![fill(*language, say, Markup::Html)]),
        Screen::Invite { .. } => Source::Folder.render(screen),
        Screen::Alert { language, says, buttons, .. } => {
            let lines = says.iter().map(|say| fill(*language, say, Markup::Html)).collect();
            Rendered { html: fit(lines, TEXT_UNITS), keyboard: keyboard::markup(*language, buttons) }
        }
        Screen::Message(message) => Rendered {
            html: fit(lines(message), TEXT_UNITS),
            keyboard: keyboard::markup(message.language, &message.buttons),
        },
    }
}

/// A screen with a chart, as its caption and buttons.
#[derive(Debug)]
pub struct Captioned<'a> {
    /// The picture that is to be drawn.
    pub chart: &'a Arc<Chart>,
    /// For `parse_mode=HTML`, at most [`CAPTION_UNITS`] after entities.
    pub html: String,
    /// Its buttons.
    pub keyboard: Option<InlineKeyboardMarkup>,
}

/// Renders a screen that has a chart; None for any other one.
#[must_use]
pub fn captioned(screen: &Screen) -> Option<Captioned<'_>> {
    let Screen::Message(message) = screen else { return None };
    let Body::Chart(chart) = &message.body else { return None };
    let html = fit(lines(message), CAPTION_UNITS);
    Some(Captioned { chart, html, keyboard: keyboard::markup(message.language, &message.buttons) })
}

/// Renders a toast: no markup, at most 200 characters.
#[must_use]
pub fn toast(screen: &Screen) -> String {
    let text = match screen {
        Screen::Words { text, .. } => text.clone(),
        Screen::Note { language, say } => fill(*language, say, Markup::Plain),
        // None of them fits a toast; what it is about is in the chat.
        Screen::Message(_) | Screen::Invite { .. } | Screen::Alert { .. } => String::new(),
    };
    clean(&text, TOAST_CHARS, Markup::Plain)
}

fn plain(lines: Vec<String>) -> Rendered {
    Rendered { html: fit(lines, TEXT_UNITS), keyboard: None }
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(|line| clean(line, TEXT_UNITS, Markup::Html)).collect()
}

/// Joins lines while they fit; tags never span lines, so a cut between two leaves good HTML. Counted with markup, which is more than Telegram
/// counts.
fn fit(lines: Vec<String>, most: usize) -> String {
    let mut html = String::new();
    let mut units = 0;
    for line in lines.iter().flat_map(|text| text.split('\n')) {
        units += line.encode_utf16().count() + 1;
        if units > most - 2 {
            html.push('…');
            break;
        }
        html.push_str(line);
        html.push('\n');
    }
    let html = html.trim();
    if html.is_empty() { "…".to_owned() } else { html.to_owned() }
}

fn lines(message: &Message) -> Vec<String> {
    let language = message.language;
    let say = |say: &Say| fill(language, say, Markup::Html);
    let mut lines: Vec<String> = message.notices.iter().map(say).collect();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let clock = match &message.body {
        Body::List(list) => {
            lines.extend(list_lines(language, list));
            true
        }
        Body::Card(card) => {
            lines.extend(card::lines(language, card, message.at_unix_s));
            true
        }
        Body::Speedtest(test) => {
            lines.extend(speedtest_lines(language, test));
            false
        }
        Body::Chart(chart) => {
            lines.extend(chart_lines(chart));
            false
        }
        Body::Says(says) => {
            lines.extend(says.iter().map(say));
            false
        }
    };
    if clock {
        lines.push(String::new());
        lines.push(format!("<i>{} UTC</i>", time_of_day(message.at_unix_s)));
    }
    lines
}

/// What the picture shows, for whoever cannot see it, and with names in whole.
fn chart_lines(chart: &Chart) -> Vec<String> {
    let names = chart.nodes.iter().map(|node| clean(&node.name, SHOWN_CHARS, Markup::Html)).collect::<Vec<_>>();
    let metric = words(chart.language, chart.metric.title());
    vec![format!("📈 <b>{}</b>: {metric}, {}", names.join(", "), hours(chart.language, chart.hours))]
}

fn list_lines(language: Language, list: &List) -> Vec<String> {
    let title = Say::new(Key::ListTitle)
        .with("alive", Value::Count(list.alive as u64))
        .with("total", Value::Count(list.total as u64));
    let mut lines = vec![fill(language, &title, Markup::Html)];
    if let Some(VotersMissing { missing, total, needed }) = list.voters_missing {
        let say = Say::new(Key::VotersMissing)
            .with("missing", Value::Count(missing as u64))
            .with("total", Value::Count(total as u64))
            .with("needed", Value::Count(needed as u64));
        lines.push(fill(language, &say, Markup::Html));
    }
    lines.push(String::new());
    if list.rows.is_empty() {
        lines.push(words(language, Key::ListEmpty).to_owned());
    }
    for row in &list.rows {
        lines.push(head(language, row));
        lines.extend(disk_mark(language, row).map(|mark| format!("      {mark}")));
        lines.push(format!("      {}", glance(language, row)));
    }
    lines
}

/// `🟢 alpha «Хост»`, and the short id where another node's name looks alike.
fn head(language: Language, row: &Row) -> String {
    let name = clean(&row.name, SHOWN_CHARS, Markup::Html);
    let leader = if row.leader { format!(" {}", words(language, Key::Leader)) } else { String::new() };
    let id = if row.is_alike { format!(" <code>{}</code>", row.node.short()) } else { String::new() };
    format!("{} <b>{name}</b>{leader}{id}", emoji(row.status))
}

/// That the node stores nothing that is new, and why.
fn disk_mark(language: Language, row: &Row) -> Option<String> {
    let why = Value::Say(why_disk(row.disk?));
    Some(fill(language, &Say::new(Key::DiskMark).with("why", why), Markup::Html))
}

/// `CPU 12 % · ОЗУ 43 % · 21 мс`, or since when it is silent.
fn glance(language: Language, row: &Row) -> String {
    let silent = match (row.status, row.silent_ms) {
        (Status::Alive, _) => None,
        (Status::Left, _) => Some(words(language, Key::Left).to_owned()),
        (Status::Suspect | Status::Down, None) => Some(words(language, Key::NeverSeen).to_owned()),
        (Status::Suspect | Status::Down, Some(ms)) => {
            Some(fill(language, &Say::new(Key::LastSeen).with("ago", Value::Span(ms)), Markup::Html))
        }
    };
    let figures = row.glance.filter(|_| silent.is_none()).map(|glance| {
        format!("{} {} % · {} {} %", words(language, Key::Cpu), glance.cpu, words(language, Key::Memory), glance.mem)
    });
    let rtt = row.rtt_ms.filter(|_| silent.is_none()).map(|ms| milliseconds(language, f64::from(ms), 0));
    let parts: Vec<String> = silent.into_iter().chain(figures).chain(rtt).collect();
    if parts.is_empty() { words(language, Key::Alive).to_owned() } else { parts.join(" · ") }
}

fn speedtest_lines(language: Language, test: &Speedtest) -> Vec<String> {
    let mut lines = vec![fill(language, &test.say, Markup::Html)];
    if let Some((phase, percent)) = test.progress {
        let key = match phase {
            SpeedtestPhase::Latency => Key::PhaseLatency,
            SpeedtestPhase::Download => Key::PhaseDownload,
            SpeedtestPhase::Upload => Key::PhaseUpload,
        };
        let percent = percent.min(100);
        let full = usize::from(percent) / 10;
        lines.push(format!("<code>{}{}</code> {percent} %", "▓".repeat(full), "░".repeat(10 - full)));
        lines.push(words(language, key).to_owned());
    }
    lines.push(String::new());
    let figures = &test.figures;
    let row = |key, value: String| format!("{}: <b>{value}</b>", words(language, key));
    let ms = |value: Option<f32>| value.map(|ms| milliseconds(language, f64::from(ms), 1));
    let rate = |value: Option<u64>| value.map(|rate| bits_per_s(language, rate));
    let rows = [
        (Key::Latency, ms(figures.latency_ms)),
        (Key::Jitter, ms(figures.jitter_ms)),
        (Key::Download, rate(figures.download_bps)),
        (Key::Upload, rate(figures.upload_bps)),
    ];
    lines.extend(rows.into_iter().filter_map(|(key, value)| value.map(|value| row(key, value))));
    lines
}

const fn emoji(status: Status) -> &'static str {
    match status {
        Status::Alive => "🟢",
        Status::Suspect => "🟡",
        Status::Down => "🔴",
        Status::Left => "⚪",
    }
}

fn time_of_day(unix_s: u64) -> String {
    let second = unix_s % 86_400;
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// Telegram's limit of a message is 4,096 UTF-16 units after entities.
pub const TEXT_UNITS: usize = 4_096;

/// Telegram's limit of a caption.
pub const CAPTION_UNITS: usize = 1_024;

/// Telegram's limit of a toast.
const TOAST_CHARS: usize = 200;

/// A link with three seeds has about 600 characters.
const LINK_CHARS: usize = 2_000;
