//! New servers, as the shell and a person bring them in: an invitation, tries at its seeds, a dial-back, the first state.

use std::collections::BTreeMap;

use constella_core::io::{CallId, InboundId, Input, JoinAttempt, OperatorRequest};
use constella_core::roster::{OpenError, adopt};
use constella_shared::ids::Term;
use constella_shared::link::{InviteId, InviteLink, join_mac, token_hash};
use constella_shared::secret::Secret;
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::join::{JoinAnswer, JoinRequest};
use constella_shared::wire::rpc::RpcError;

use super::super::clock::Clock;
use super::super::event::Event;
use super::super::host::{Disk, Host};
use super::super::setup::{disk, new_host};
use super::World;
use super::operator::Asked;

/// Joins on their way.
#[derive(Default)]
pub(super) struct Joining {
    next: u64,
    visits: BTreeMap<InboundId, Visit>,
    links: BTreeMap<usize, Link>,
}

/// A try that arrived at a seed.
struct Visit {
    joiner: usize,
    number: u64,
    seed: usize,
}

/// The invitation of a host that joins.
struct Link {
    link: InviteLink,
    began: u64,
    /// The try that counts.
    number: u64,
}

impl World {
    /// The operator at `seed` writes an invitation, and somebody carries it to a new server.
    pub(super) fn invite(&mut self, name: &str, seed: &str) {
        let taken = self.hosts.iter().any(|host| host.name == name);
        let belongs = |at: &usize| self.hosts.get(*at).is_some_and(|host| !self.is_removed(host));
        let Some(at) = self.named(seed).filter(belongs).filter(|_| !taken) else { return };
        self.ask_operator(at, OperatorRequest::Invite { ttl_s: TTL_S }, Asked::Invite { name: name.to_owned() });
    }

    /// A link was printed: a server with its own clock and certificate appears, and tries.
    pub(super) fn carry_link(&mut self, seed: usize, name: String, link: &Secret) {
        let Ok(link) = link.expose().parse::<InviteLink>() else {
            return self.rules.fail(self.t, "join", "a link of the core's own cannot be read".to_owned());
        };
        let Some(network) = self.hosts.get(seed).map(|host| host.network) else { return };
        let at = self.hosts.len();
        let ppm = i64::try_from(self.dice.below(20_001)).unwrap_or(0) - 10_000;
        let clock = Clock::new(self.t, self.dice.range(60_000, 90_000_000), ppm);
        let addr = format!("198.51.100.{}:{}", at % 250, 4_747 + at / 250);
        let host = new_host(name, network, addr, clock);
        self.by_id.insert(host.id, at);
        self.hosts.push(host);
        self.rules.grow(self.hosts.len());
        self.reaches.push(0);
        self.joining.links.insert(at, Link { link, began: self.t, number: 0 });
        self.agenda.add(self.t, Event::JoinTry { host: at, number: 0 });
    }

    /// One try at one seed.
    pub(super) fn join_try(&mut self, at: usize, number: u64) {
        let t = self.t;
        let (Some(host), Some(known)) = (self.hosts.get(at), self.joining.links.get_mut(&at)) else { return };
        let over = t.saturating_sub(known.began) > known.link.ttl_s * 1_000;
        if known.number != number || host.disk.is_some() || over {
            return;
        }
        known.number += 1;
        let number = known.number;
        self.agenda.add(t + TRY_MS, Event::JoinTry { host: at, number });
        let turn = usize::try_from(number).unwrap_or(0) % known.link.seeds.len().max(1);
        let Some(pin) = known.link.seeds.get(turn).map(|seed| seed.pin) else { return };
        let body = JoinRequest {
            name: host.name.clone(),
            network_id: known.link.network,
            addr: Some(host.addr.clone()),
            port: 4_747,
            node_id: host.id,
            priority: host.priority,
            version: "0.1.0".to_owned(),
            protocol: PROTOCOL,
            cert: host.keys.cert(),
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let token = token_hash(&known.link.token);
        let join = JoinAttempt {
            pin: host.keys.pin(),
            cert: host.keys.cert(),
            source: "198.51.100.1".to_owned(),
            invite: InviteId::of(&token),
            mac: join_mac(&token, &host.keys.pin(), &body),
            body,
        };
        // Nobody carries a link to a server that the owner removed meanwhile.
        let up = host.up;
        let fits = |host: &Host| !self.is_removed(host);
        let seed = self.hosts.iter().position(|host| host.keys.pin() == pin && fits(host));
        let Some(seed) = seed.filter(|_| up) else { return };
        // The handshake of a join is a first contact and its answer, the join itself another.
        let way = |world: &mut Self| {
            let handshake = world.network.dial(t, at, seed)? + world.network.fate(t, at, seed).after_ms?;
            let answered = handshake + world.network.fate(t, seed, at).after_ms?;
            Some(answered + world.network.dial(t, at, seed)? + world.network.fate(t, at, seed).after_ms?)
        };
        if let Some(after) = way(self) {
            let event = Event::JoinArrives { host: at, number, seed, join: Box::new(join) };
            self.agenda.add(t + after, event);
        }
    }

    /// A stranger's request arrives at a seed.
    pub(super) fn join_arrives(&mut self, joiner: usize, number: u64, seed: usize, join: JoinAttempt) {
        let Some(host) = self.hosts.get(seed).filter(|host| host.up && host.process.is_some()) else { return };
        let life = host.life;
        self.joining.next += 1;
        let inbound = InboundId(JOINS | self.joining.next);
        self.joining.visits.insert(inbound, Visit { joiner, number, seed });
        self.input(seed, life, Input::Join { inbound, join });
    }

    /// A seed connects to the address of a joiner, whose shell listens while it joins.
    pub(super) fn dial_back(&mut self, at: usize, call: CallId, addr: &str, timeout_ms: u64) {
        let t = self.t;
        let Some(life) = self.hosts.get(at).map(|host| host.life) else { return };
        let target = self.hosts.iter().position(|host| host.addr == addr && host.up);
        let way = target.and_then(|to| self.network.dial(t, at, to));
        let pin = target.and_then(|to| self.hosts.get(to)).map(|host| host.keys.pin());
        let (after, result) = match (way, pin) {
            (Some(took), Some(pin)) if took < timeout_ms => (took, Ok(pin)),
            _ => (timeout_ms, Err("no answer in time".to_owned())),
        };
        let input = Box::new(Input::DialedBack { call, result });
        self.agenda.add(t + after, Event::Owed { host: at, life, input });
    }

    /// A seed answers a joiner.
    pub(super) fn join_reply(&mut self, inbound: InboundId, result: Result<JoinAnswer, RpcError>) {
        let Some(Visit { joiner, number, seed }) = self.joining.visits.remove(&inbound) else { return };
        if let Some(after) = self.network.fate(self.t, seed, joiner).after_ms {
            let event = Event::JoinAnswer { host: joiner, number, result: Box::new(result) };
            self.agenda.add(self.t + after, event);
        }
    }

    /// The answer arrives: state is written and the node starts, or it tries again.
    pub(super) fn join_answered(&mut self, at: usize, number: u64, result: Result<JoinAnswer, RpcError>) {
        let t = self.t;
        let Some(known) = self.joining.links.get(&at).filter(|known| known.number == number) else { return };
        let number = known.number;
        let Some(host) = self.hosts.get_mut(at).filter(|host| host.disk.is_none()) else { return };
        let name = host.name.clone();
        match result {
            Err(why) => {
                self.note(|| format!("{name}: not let in: {}", why.message));
                self.agenda.add(t + AGAIN_MS, Event::JoinTry { host: at, number });
            }
            Ok(answer) => match adopt(host.clock.now(t), SKEW_MS, host.id, host.keys.pin(), answer, None) {
                Ok((network, invites)) => {
                    let fresh = disk(&network, Term(0));
                    host.disk = Some(Disk { invites, ..fresh });
                    let life = host.life;
                    self.note(|| format!("{name}: let in"));
                    self.agenda.add(t + 50, Event::Start { host: at, life });
                }
                Err(why @ OpenError::Ahead { .. }) => {
                    self.note(|| format!("{name}: {why}"));
                    self.agenda.add(t + AGAIN_MS, Event::JoinTry { host: at, number });
                }
                Err(why) => self.rules.fail(t, "join", format!("{name} cannot use what it was answered: {why}")),
            },
        }
    }
}

/// How long an invitation holds, seconds.
const TTL_S: u64 = 900;

/// A try waits so long (a seed dials back and may have to ask the holder).
const TRY_MS: u64 = 20_000;

/// CLOCK_SKEW.
const SKEW_MS: u64 = 30_000;

/// After a refusal.
const AGAIN_MS: u64 = 2_000;

/// Keeps the numbers of joins apart from those of flights.
const JOINS: u64 = 1 << 60;
