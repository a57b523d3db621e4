//! What the command line prints: results on standard output, errors and the log on standard error.

use std::error::Error;
use std::io::{self, Write};

use constella_core::bot::kit::names;
use constella_shared::wire::rpc::PeerRow;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::CliError;
use crate::clock;
use crate::control::{StatusDocument, Told};
use crate::doctor::{Finding, Verdict};
use crate::runner::note;

/// One line of a result. Whoever closed the pipe does not miss it.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Lines of a result, each ended.
pub(super) fn text(text: &str) {
    line(text.trim_end());
}

/// An error with its causes, each once.
pub(super) fn error(error: &CliError) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        // A transparent error is its own cause's text.
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The log, at `LOG`. What other crates would say of requests may name URLs with a token (S3), so only their warnings come through.
pub(super) fn start_log(filter: &str) -> Result<(), CliError> {
    let quiet = QUIET.map(|name| format!(",{name}=warn")).concat();
    let filter = EnvFilter::try_new(format!("{filter}{quiet}"))
        .map_err(|_| CliError::Usage("LOG is no filter; write e.g. info or constella_controller=debug".into()))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(io::stderr).init();
    Ok(())
}

const QUIET: [&str; 9] =
    ["h2", "hyper", "hyper_util", "reqwest", "rustls", "teloxide", "teloxide_core", "tower", "warp"];

/// A link as the last line.
pub(super) fn link(told: Told, json: bool) {
    match told {
        Told::Link { link } if !json => line(link.expose()),
        other => self::told(other),
    }
}

/// The members.
pub(super) fn peers(told: Told, json: bool) {
    match told {
        Told::Peers { peers } if json => document(&peers),
        Told::Peers { peers } => table(&peers),
        other => self::told(other),
    }
}

/// This node.
pub(super) fn status(told: Told, json: bool) {
    match told {
        Told::Status(status) if json => document(&status),
        Told::Status(status) => sentences(&status),
        other => self::told(other),
    }
}

/// The whole answer as a document.
pub(super) fn told(told: Told) {
    match told {
        Told::Rpc { response } => document(&response),
        other => document(&other),
    }
}

/// A JSON document.
pub(super) fn document(document: &impl Serialize) {
    match serde_json::to_string_pretty(document) {
        Ok(text) => line(&text),
        Err(error) => line(&format!("{{\"error\": \"{error}\"}}")),
    }
}

/// What `doctor` found, in the form of `install.sh`'s own checks.
pub(super) fn findings(findings: &[Finding], json: bool) {
    if json {
        return document(&findings);
    }
    for Finding { check, verdict, found, todo } in findings {
        let word = match verdict {
            Verdict::Ok => "ok  ",
            Verdict::Note => "note",
            Verdict::Fail => "FAIL",
        };
        let todo = todo.as_ref().map_or_else(String::new, |todo| format!(": {todo}"));
        line(&format!("  {word}  {check}: {found}{todo}"));
    }
}

fn table(peers: &[PeerRow]) {
    line(&format!("{:<24} {:<8} {:>8} {:>8} {:<24} VERSION", "NAME", "STATUS", "RTT", "SEEN", "ADDRESS"));
    let now_s = clock::now().unix_ms / 1_000;
    let names = peers.iter().map(|peer| (peer.node_id, peer.name.as_str()));
    for peer in peers {
        let name = names::shown(names.clone(), peer.node_id);
        let name = if peer.leader { format!("{name} *") } else { name };
        let rtt = peer.rtt_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
        let seen = match peer.last_seen {
            0 => "never".to_owned(),
            at => format!("{} s", now_s.saturating_sub(at)),
        };
        let status = note::word(peer.status);
        line(&format!("{name:<24} {status:<8} {rtt:>8} {seen:>8} {:<24} {}", peer.addr, peer.version));
    }
    line("* the Host: it holds the lease");
}

fn sentences(status: &StatusDocument) {
    line(&format!("node     {}", status.name));
    line(&format!("network  {}", status.network_id.short()));
    line(&format!("members  {} of {} alive", status.alive, status.members));
    line(&format!("host     {}", status.who_leads()));
    let telegram = if status.ready { "reachable" } else { "not reachable" };
    line(&format!("bot      {}, Telegram is {telegram} from here", status.bot));
    line(&format!("voters   {}", status.who_votes()));
    if let Some(why) = &status.disk {
        line(&format!("disk     {why}: it takes no orders and no changes until that is over"));
    }
    line(&format!("version  {}", status.version));
}
