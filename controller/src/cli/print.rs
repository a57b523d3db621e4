//! What the command line prints: results on standard output, errors and the log on standard error.

use std::error::Error;
use std::io::{self, Write};

use constella_core::bot::kit::names;
use constella_shared::wire::rpc::PeerRow;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::CliError;
use crate::clock;
use crate::control::{InviteDocument, StatusDocument, Told};
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

/// An edit that is done.
pub(super) fn edited(told: Told, json: bool, says: &str) {
    match told {
        Told::Edited { name, .. } if !json => line(&format!("{name} {says}")),
        other => self::told(other),
    }
}

/// A removal that is done.
pub(super) fn removed(told: Told, json: bool) {
    match told {
        Told::Edited { name, .. } if !json => {
            line(&format!("{name} is out: no member answers it any more, and its open invitations are over"));
            line("It had the bot's token, where the network shares it. If the server may be in wrong hands, send");
            line("/revoke to @BotFather and give the network the new token: constella-controller set-token -");
        }
        other => self::told(other),
    }
}

/// A token that is set.
pub(super) fn token_set(username: Option<&str>, json: bool) {
    if json {
        return document(&serde_json::json!({ "set": true, "bot": username }));
    }
    match username {
        Some(username) => line(&format!("the network has the token of @{username}")),
        None => line("the network has the token; Telegram cannot be reached from here, so it was not tried"),
    }
}

/// The invitations.
pub(super) fn invites(told: Told, json: bool) {
    match told {
        Told::Invites { invites } if json => document(&invites),
        Told::Invites { invites } => invitations(&invites),
        other => self::told(other),
    }
}

/// An invitation that is over.
pub(super) fn revoked(id: &str, json: bool) {
    if json { document(&serde_json::json!({ "revoked": id })) } else { line(&format!("the invitation {id} is over")) }
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

fn invitations(invites: &[InviteDocument]) {
    let now_s = clock::now().unix_ms / 1_000;
    line(&format!("{:<10} {:<24} {:<24}", "ID", "STATE", "BY"));
    for invite in invites {
        let short: String = invite.id.chars().take(8).collect();
        let state = match &invite.used_by {
            Some(name) => format!("used by {name}"),
            None if invite.expires < now_s => "over".to_owned(),
            None => format!("open for {} s", invite.expires.saturating_sub(now_s)),
        };
        line(&format!("{short:<10} {state:<24} {}", invite.by));
    }
}

fn sentences(status: &StatusDocument) {
    line(&format!("node     {}", status.name));
    line(&format!("network  {}", status.network_id.short()));
    if status.removed {
        line(
            "removed  the owner put this node out, and no member answers it; it comes back with a new invitation, in an empty state folder",
        );
    }
    line(&format!("members  {} of {} alive", status.alive, status.members));
    line(&format!("host     {}", status.who_leads()));
    let telegram = if status.ready { "reachable" } else { "not reachable" };
    line(&format!("bot      {}, Telegram is {telegram} from here", status.bot));
    line(&format!("voters   {}", status.who_votes()));
    if !status.refused.is_empty() {
        let refused = status.refused.iter().map(|(kind, count)| format!("{} {count}", kind.replace('_', " ")));
        line(&format!("refused  {}", refused.collect::<Vec<_>>().join(", ")));
    }
    if let Some(why) = &status.disk {
        line(&format!("disk     {why}: it takes no orders and no changes until that is over"));
    }
    line(&format!("version  {}", status.version));
}
