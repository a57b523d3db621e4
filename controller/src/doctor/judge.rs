//! What each reading means, and what to do about it.

use std::net::IpAddr;
use std::path::Path;

use constella_core::io::AgentFailure;
use constella_shared::agent::Health;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::{PeerRow, Status};
use nix::sys::socket::SockaddrStorage;

use super::{Finding, Verdict};
use crate::config::Overlay;
use crate::control::{BotDocument, StatusDocument};

/// Bytes that are left for this user.
pub(super) struct Space(pub(super) u64);

/// What a member says of the way to this node.
pub(super) struct Reached {
    pub(super) name: String,
    /// Whether this node answered a call of its lately, or why it cannot be asked.
    pub(super) reaches_us: Result<bool, String>,
}

pub(super) fn user(uid: u32) -> Finding {
    if uid == 0 {
        return note("uid", "this runs as root; the controller needs no privilege", "run it as uid 10001");
    }
    ok("uid", format!("this runs as uid {uid}, without privilege"))
}

pub(super) fn state(folder: &Path, writable: nix::Result<()>, space: nix::Result<Space>) -> Finding {
    let folder = folder.display();
    if let Err(error) = writable {
        let todo =
            "give the folder to uid 10001 and mount it read-write; until then this node takes no orders and no changes";
        return fail("state", format!("{folder} cannot be written: {error}"), todo);
    }
    match space {
        Ok(Space(bytes)) if bytes < TOO_LITTLE => fail(
            "state",
            format!("{} MiB are left for {folder}", bytes >> 20),
            "make room: with a full disk this node takes no orders and no changes",
        ),
        Ok(Space(bytes)) if bytes < LITTLE => {
            note("state", format!("only {} MiB are left for {folder}", bytes >> 20), "make room before it is full")
        }
        Ok(Space(bytes)) => ok("state", format!("{folder} can be written, {} MiB are left", bytes >> 20)),
        Err(error) => {
            fail("state", format!("{folder} cannot be measured: {error}"), "check the mount of the state folder")
        }
    }
}

pub(super) fn agent(health: Result<Health, AgentFailure>, socket: &Path) -> Finding {
    match health {
        Ok(health) => {
            let off = [(health.reboot_allowed, "reboot"), (health.speedtest_allowed, "speedtest")];
            let off: Vec<&str> = off.iter().filter(|(allowed, _)| !allowed).map(|(_, verb)| *verb).collect();
            let off = if off.is_empty() { String::new() } else { format!("; switched off here: {}", off.join(", ")) };
            ok("agent", format!("version {} answers{off}", health.version))
        }
        Err(AgentFailure::Unreachable(why)) => fail(
            "agent",
            format!("it does not answer at {}: {why}", socket.display()),
            "docker compose up -d agent; docker compose logs agent; both containers must mount the socket's folder",
        ),
        Err(AgentFailure::Refused(error)) => fail(
            "agent",
            format!("it refuses this controller: {}", error.message),
            "add this controller's uid to AGENT_ALLOWED_UIDS",
        ),
    }
}

pub(super) fn controller(status: Result<&StatusDocument, String>) -> Finding {
    match status {
        Ok(StatusDocument { name, removed: true, .. }) => fail(
            "controller",
            format!("{name} runs, but the owner put it out of the network, and no member answers it"),
            "stop it; to bring this server back, empty the state folder and join with a new invitation",
        ),
        Ok(StatusDocument { name, disk: Some(why), .. }) => fail(
            "controller",
            format!("{name} runs, but {why}: it takes no orders and no changes"),
            "make room for the state folder, or mend its disk; the node goes on by itself",
        ),
        Ok(status) => ok("controller", format!("{} runs, version {}", status.name, status.version)),
        Err(why) => fail("controller", why, "docker compose up -d controller; docker compose logs controller"),
    }
}

/// Refusals of requests that no member of this program's making has a cause for.
pub(super) fn refused(status: &StatusDocument) -> Option<Finding> {
    let hostile = status.refused.iter().filter(|(kind, _)| HOSTILE.contains(&kind.as_str()));
    let found: Vec<String> = hostile.map(|(kind, count)| format!("{} {count}", kind.replace('_', " "))).collect();
    let todo = "the log names the members; put one out that is not yours any more: constella-controller remove NAME";
    (!found.is_empty())
        .then(|| note("refused", format!("since its start this node has refused: {}", found.join(", ")), todo))
}

/// Who leads, whether strong or weak, and which voters are missing.
pub(super) fn lease(status: &StatusDocument) -> Finding {
    let found = format!("{}; voters: {}", status.who_leads(), status.who_votes());
    let names: Vec<&str> = status.electors.iter().filter(|one| one.missing).map(|one| one.name.as_str()).collect();
    match &status.lease {
        None => fail("lease", found, "see the lines below; a leader is found within seconds where one can be"),
        Some(view) if view.strength == Strength::Weak => {
            let todo = format!("start{}, or repair the way there", listed(&names, " "));
            note("lease", found, if names.is_empty() { "try again in a few seconds" } else { &todo })
        }
        Some(_) if !names.is_empty() => {
            note("lease", found, "look at them; a majority of the voters is there, so nothing is wrong yet")
        }
        Some(_) => ok("lease", found),
    }
}

/// The way to the Bot API, the token, and what else reads the bot's updates: a line each.
pub(super) fn telegram(bot: &BotDocument) -> Vec<Finding> {
    let answers = || ok("telegram", "the Bot API answers from here");
    match bot {
        BotDocument::Answers { username, webhook, pending } => {
            vec![answers(), ok("token", format!("Telegram knows it, it is @{username}'s")), readers(*webhook, *pending)]
        }
        BotDocument::BadToken => vec![
            answers(),
            fail(
                "token",
                "Telegram does not know this bot token",
                "ask @BotFather for the new one, then, where the leading node is: constella-controller set-token -",
            ),
        ],
        BotDocument::NoToken => vec![note(
            "token",
            "this node has no bot token, so it never holds the bot",
            "nothing, if the network was made with --no-share-token",
        )],
        BotDocument::Unreachable { why } => vec![
            note(
                "telegram",
                format!("the Bot API cannot be reached from here: {why}"),
                "other nodes hold the bot; to let this one too, set TELEGRAM_PROXY or TELEGRAM_API_URL",
            ),
            note("token", "it cannot be checked without the Bot API", "see the line above"),
        ],
    }
}

fn readers(webhook: bool, pending: u32) -> Finding {
    if webhook {
        return fail(
            "webhook",
            "one is set, so nobody can read the bot's updates",
            "call deleteWebhook with the bot's token, or stop the program that set it, and do not let it drop updates",
        );
    }
    if pending > 0 {
        return note(
            "webhook",
            format!("none is set; {pending} updates wait"),
            "nothing, unless they still wait in a minute: then another program has this token",
        );
    }
    ok("webhook", "none is set")
}

pub(super) fn members(others: &[&PeerRow]) -> Finding {
    let down: Vec<&str> =
        others.iter().filter(|row| row.status != Status::Alive).map(|row| row.name.as_str()).collect();
    if others.is_empty() {
        return note("peers", "this node is alone", "invite another: /invite in the bot");
    }
    let up = others.len() - down.len();
    let found = format!("{up} of {} other members are up{}", others.len(), listed(&down, "; not up: "));
    match up {
        0 => fail("peers", found, "check this server's way out, and whether the others run"),
        _ if !down.is_empty() => note("peers", found, "look at them; nothing is wrong with this node"),
        _ => ok("peers", found),
    }
}

pub(super) fn reach(seen: &[Reached], own_addr: &str) -> Option<Finding> {
    let asked: Vec<&Reached> = seen.iter().filter(|one| one.reaches_us.is_ok()).collect();
    let not: Vec<&str> = asked.iter().filter(|one| one.reaches_us == Ok(false)).map(|one| one.name.as_str()).collect();
    if asked.is_empty() {
        let why = seen.first()?.reaches_us.as_ref().err().cloned().unwrap_or_default();
        return Some(note(
            "peers",
            format!("no member could be asked whether it reaches {own_addr}: {why}"),
            "try again",
        ));
    }
    if !not.is_empty() {
        let found =
            format!("{own_addr} cannot be reached from {} of {} members:{}", not.len(), asked.len(), listed(&not, " "));
        return Some(fail(
            "peers",
            found,
            "open the port in the firewall (ufw allow 4747/tcp), or correct PUBLIC_ADDR",
        ));
    }
    Some(ok("peers", format!("{own_addr} is reached by {} of {} members that were asked", asked.len(), asked.len())))
}

pub(super) fn clocks(others: &[&PeerRow], allowed_ms: u64) -> Finding {
    let known: Vec<(&str, i64)> = others.iter().filter_map(|row| Some((row.name.as_str(), row.skew_ms?))).collect();
    let wrong: Vec<(&str, i64)> = known.iter().copied().filter(|(_, ms)| ms.unsigned_abs() > allowed_ms).collect();
    let say = |ms: i64| format!("{} s {}", ms.unsigned_abs() / 1_000, if ms > 0 { "ahead" } else { "behind" });
    if known.is_empty() {
        return note("clock", "no member has told its time yet", "try again in a few seconds");
    }
    if wrong.len() * 2 > known.len() {
        let (name, ms) = wrong.first().copied().unwrap_or_default();
        let found = format!("most members' clocks differ from this one: {name} is {}", say(ms));
        return fail("clock", found, "set this server's clock (timedatectl set-ntp true)");
    }
    if !wrong.is_empty() {
        let each: Vec<String> = wrong.iter().map(|(name, ms)| format!("{name} is {}", say(*ms))).collect();
        return note("clock", each.join(", "), "set the clocks there (timedatectl set-ntp true)");
    }
    let mut far = known;
    far.sort_by_key(|(name, ms)| (std::cmp::Reverse(ms.unsigned_abs()), *name));
    let each: Vec<String> = far.iter().map(|(name, ms)| format!("{name} {}", seconds(*ms))).collect();
    let each: Vec<&str> = each.iter().map(String::as_str).collect();
    ok("clock", format!("{}, against this one; {} s are allowed", listed(&each, ""), allowed_ms / 1_000))
}

pub(super) fn versions(own: &StatusDocument, others: &[&PeerRow]) -> Finding {
    let differ = others.iter().filter(|row| !row.version.is_empty() && row.version != own.version);
    let differ: Vec<String> = differ.map(|row| format!("{} runs {}", row.name, row.version)).collect();
    if differ.is_empty() {
        return ok("versions", format!("all members run {}", own.version));
    }
    let few = differ.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    note("versions", format!("this node runs {}, {few}", own.version), "./install.sh upgrade on the older ones")
}

pub(super) fn overlay(overlay: &Overlay, there: bool, has_address: bool) -> Finding {
    let Overlay { interface, address } = overlay;
    if !there {
        // Not the file under state/: this controller's uid could have replaced it, and wg-quick runs its PostUp as root.
        let todo = format!("wg-quick up {interface} on the host; it is seen only with the host's network");
        return fail("overlay", format!("there is no interface {interface} here"), &todo);
    }
    if !has_address {
        return fail(
            "overlay",
            format!("{interface} does not have {address}"),
            "make VPN_ADDRESS and the interface agree",
        );
    }
    ok("overlay", format!("{interface} has {address}"))
}

/// `+0.3 s`: ahead of this clock.
fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    format!("{sign}{}.{} s", ms.unsigned_abs() / 1_000, ms.unsigned_abs() % 1_000 / 100)
}

pub(super) fn is_address(address: Option<&SockaddrStorage>, wanted: IpAddr) -> bool {
    let Some(address) = address else { return false };
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))) == Some(wanted)
}

fn listed(names: &[&str], before: &str) -> String {
    if names.is_empty() {
        return String::new();
    }
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{before}{}{more}", names.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", "))
}

fn ok(check: &'static str, found: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Ok, found: found.into(), todo: None }
}

fn note(check: &'static str, found: impl Into<String>, todo: &str) -> Finding {
    Finding { check, verdict: Verdict::Note, found: found.into(), todo: Some(todo.to_owned()) }
}

fn fail(check: &'static str, found: impl Into<String>, todo: &str) -> Finding {
    Finding { check, verdict: Verdict::Fail, found: found.into(), todo: Some(todo.to_owned()) }
}

/// The state is some hundred kilobytes, written twice over while it is replaced.
const TOO_LITTLE: u64 = 16 << 20;

/// Less than this fills up before somebody looks.
const LITTLE: u64 = 200 << 20;

/// Names in one sentence.
const MOST_NAMES: usize = 5;

/// Of what is refused, the kinds that a member of good will has no cause for.
const HOSTILE: [&str; 4] = ["orders", "records_not_signed", "records_with_another_certificate", "records_too_many"];

#[cfg(test)]
mod tests;
