//! `doctor`: what may be wrong with this node, and what to do about it. It looks and changes nothing.

mod judge;

use std::path::Path;

use constella_core::bot::kit::names;
use constella_shared::wire::rpc::{PeerRow, Request, Response, Status};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access, geteuid};
use serde::Serialize;

use crate::agent::Agent;
use crate::clock;
use crate::config::{Config, Overlay};
use crate::control::{ControlError, Question, StatusDocument, Told, ask};
use judge::{Reached, Space};

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth knowing; the node works.
    Note,
    /// Something does not work; `todo` says what to do.
    Fail,
}

/// One check's outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check: `uid`, `state`, `agent`, `overlay`, `controller`, `lease`, `telegram`, `token`, `webhook`, `peers`, `clock` or `versions`.
    pub check: &'static str,
    /// How grave.
    pub verdict: Verdict,
    /// One sentence.
    pub found: String,
    /// What the operator should do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

/// Every check, in the order in which an operator would mend what they find.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![judge::user(geteuid().as_raw()), state(&config.state_dir)];
    findings.push(judge::agent(Agent::new(config.agent_socket.clone()).health().await, &config.agent_socket));
    findings.extend(config.overlay.as_ref().map(overlay));
    match told(config, Question::Status {}).await {
        Ok(Told::Status(status)) => {
            findings.push(judge::controller(Ok(&status)));
            findings.push(judge::lease(&status));
            findings.extend(judge::refused(&status));
            findings.extend(running(config, &status).await);
        }
        Ok(_) => findings.push(judge::controller(Err("it answers something else".to_owned()))),
        Err(error) => findings.push(judge::controller(Err(error.to_string()))),
    }
    findings
}

/// What only a running controller can tell.
async fn running(config: &Config, status: &StatusDocument) -> Vec<Finding> {
    let mut findings = Vec::new();
    match told(config, Question::Bot {}).await {
        Ok(Told::Bot(bot)) => findings.extend(judge::telegram(&bot)),
        Ok(_) | Err(_) => findings.push(judge::controller(Err("it does not tell how Telegram answers".to_owned()))),
    }
    match told(config, Question::Peers {}).await {
        Ok(Told::Peers { peers }) => {
            let peers = by_shown_name(peers);
            let others: Vec<&PeerRow> = peers.iter().filter(|row| row.node_id != status.node_id).collect();
            let own_addr = peers.iter().find(|row| row.node_id == status.node_id).map_or("", |row| row.addr.as_str());
            findings.push(judge::members(&others));
            findings.extend(judge::reach(&reached_by(config, status, &others).await, own_addr));
            findings.push(judge::clocks(&others, config.timing.clock_skew_ms));
            findings.push(judge::versions(status, &others));
        }
        Ok(_) | Err(_) => findings.push(judge::controller(Err("it does not list the members".to_owned()))),
    }
    findings
}

/// The members by their names as a person reads them: alike ones with their short ids.
fn by_shown_name(peers: Vec<PeerRow>) -> Vec<PeerRow> {
    let names = peers.iter().map(|row| (row.node_id, row.name.as_str()));
    let shown: Vec<String> = peers.iter().map(|row| names::shown(names.clone(), row.node_id)).collect();
    peers.into_iter().zip(shown).map(|(row, name)| PeerRow { name, ..row }).collect()
}

/// Whether some members that are up can reach this node, by their own words.
async fn reached_by(config: &Config, status: &StatusDocument, others: &[&PeerRow]) -> Vec<Reached> {
    let mut seen = Vec::new();
    for row in others.iter().filter(|row| row.status == Status::Alive).take(MOST_ASKED) {
        let question = Question::Rpc { addr: row.addr.clone(), request: Request::GetPeers {} };
        let answer = told(config, question).await;
        let when = match answer {
            Ok(Told::Rpc { response: Response::Peers { peers } }) => {
                let mine = peers.into_iter().find(|peer| peer.node_id == status.node_id);
                let their_now_ms = clock::now().unix_ms.saturating_add_signed(row.skew_ms.unwrap_or(0));
                let fresh_s = EACH_S.saturating_mul(others.len() as u64).max(FRESH_S);
                Ok(mine.is_some_and(|mine| (their_now_ms / 1_000).abs_diff(mine.reached) <= fresh_s))
            }
            Ok(Told::Refused { error }) => Err(error.message),
            Ok(_) => Err("it answers something else".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        seen.push(Reached { name: row.name.clone(), reaches_us: when });
    }
    seen
}

fn state(folder: &Path) -> Finding {
    let space = statvfs(folder).map(|fs| fs.blocks_available().saturating_mul(fs.fragment_size()));
    judge::state(folder, access(folder, AccessFlags::W_OK), space.map(Space))
}

fn overlay(overlay: &Overlay) -> Finding {
    let there = Path::new("/sys/class/net").join(&overlay.interface).exists();
    let has_address = nix::ifaddrs::getifaddrs().is_ok_and(|mut all| {
        all.any(|one| {
            one.interface_name == overlay.interface && judge::is_address(one.address.as_ref(), overlay.address)
        })
    });
    judge::overlay(overlay, there, has_address)
}

async fn told(config: &Config, question: Question) -> Result<Told, ControlError> {
    ask(&config.control_socket, &question).await
}

/// Members that are asked whether they reach this node.
const MOST_ASKED: usize = 5;

/// A member that did not answer a call for so long cannot be reached: each calls one other every few seconds, so in a large network the same
/// two meet seldom.
const FRESH_S: u64 = 20;
const EACH_S: u64 = 10;
