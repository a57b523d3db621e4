//! Calls between nodes, as the shell makes and serves them: exactly one answer each.

use constella_core::io::{CallError, CallId, InboundId, Input, PeerRequest, PeerResponse};
use constella_shared::ids::NodeId;
use constella_shared::wire::lease::LeaseAnswer;
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::event::Event;
use super::{Flight, World};

impl World {
    /// A core calls a member.
    pub(super) fn call(&mut self, at: usize, call: CallId, to: NodeId, timeout_ms: u64, request: PeerRequest) {
        let t = self.t;
        self.figures.messages += 1;
        self.next_flight += 1;
        let number = self.next_flight;
        let Some(from_life) = self.hosts.get(at).map(|host| host.life) else { return };
        let known = self.hosts.get(at).and_then(|host| host.process.as_ref()).and_then(|process| process.pins.get(&to));
        let has_address = known.is_some_and(Option::is_some);
        let target = self.by_id.get(&to).copied().filter(|_| has_address);
        let Some(to) = target else {
            self.fly(number, at, from_life, usize::MAX, call);
            return self.answer(number, 1, Err(CallError::NotSent("nobody has told its address".to_owned())));
        };
        self.fly(number, at, from_life, to, call);
        let measures = matches!(request, PeerRequest::Heartbeat(_) | PeerRequest::Rpc(Request::LeaseAcquire(_)));
        self.with_flight(number, |flight| flight.measures = measures);
        self.agenda.add(t + timeout_ms, Event::Expire { flight: number });
        if self.log.is_some() && !matches!(request, PeerRequest::Heartbeat(_)) {
            let (from, to) = (self.name(at).to_owned(), self.name(to).to_owned());
            self.note(|| format!("{from} -> {to} #{number}: {request:?}"));
        }
        let request = self.through_json_request(request);
        let Some(host) = self.hosts.get(to) else { return };
        let (up, listens, lives) = (host.up, host.process.is_some(), (from_life, host.life));
        let left = self.lines.take(t, (at, to), lives);
        // A host without power answers no SYN; one without the process refuses the connection at once.
        let dial = |world: &mut Self| world.network.dial(t, at, to).filter(|_| up);
        if let Some(left) = left {
            // Over a long wire there is a spare one.
            if left == 0
                && let Some(took) = dial(self).filter(|took| listens && *took >= FAR_MS)
            {
                self.agenda.add(t + took, Event::Connected { host: at, life: from_life, to, took });
            }
            return self.send(number, request);
        }
        match dial(self) {
            Some(took) if !listens => {
                self.answer(number, took / 2, Err(CallError::PortClosed("connection refused".to_owned())));
            }
            took => {
                self.with_flight(number, |flight| flight.request = Some(Box::new(request)));
                self.lines.wait((at, to), number);
                if let Some(took) = took {
                    self.agenda.add(t + took, Event::Connected { host: at, life: from_life, to, took });
                }
            }
        }
    }

    /// A dial is done. It belongs to no call.
    pub(super) fn connected(&mut self, (at, life): (usize, u64), to: usize, took: u64) {
        if self.hosts.get(at).is_none_or(|host| host.life != life) {
            return;
        }
        self.measured((at, life), to, took / 2, true);
        let to_life = self.hosts.get(to).map_or(0, |host| host.life);
        self.is_free((at, to), (life, to_life));
    }

    /// A connection is there for the call that has waited longest, else it is idle.
    fn is_free(&mut self, way: (usize, usize), lives: (u64, u64)) {
        while let Some(number) = self.lines.waiting(way) {
            let waits = self.flights.get_mut(&number).filter(|flight| flight.waited_for);
            if let Some(request) = waits.and_then(|flight| flight.request.take()) {
                return self.send(number, *request);
            }
        }
        self.lines.keep(self.t, way, lives);
    }

    /// A request leaves on an open connection.
    fn send(&mut self, number: u64, request: PeerRequest) {
        let t = self.t;
        let Some((at, to)) = self.flights.get(&number).map(|flight| (flight.from, flight.to)) else { return };
        let to_life = self.hosts.get(to).map_or(0, |host| host.life);
        self.with_flight(number, |flight| flight.sent = Some((t, to_life)));
        let fate = self.network.fate(t, at, to);
        let sent_unix_ms = self.hosts.get(at).map_or(0, |host| host.clock.now(t).unix_ms);
        // Only what got a connection arrives twice, and a later life refuses what was made for an earlier one (S1).
        let again_ms = fate.again_ms.filter(|_| self.hosts.get(to).is_some_and(|host| host.process.is_some()));
        for (after, first) in [(fate.after_ms, true), (again_ms, false)] {
            if let Some(after) = after {
                let request = Box::new(request.clone());
                let event = Event::Request { flight: number, from: at, to, to_life, sent_unix_ms, first, request };
                self.agenda.add(t + after, event);
            }
        }
    }

    /// A request arrives: the shell's own checks come before the core.
    pub(super) fn request_arrives(
        &mut self,
        number: u64,
        (from, to, to_life): (usize, usize, u64),
        sent_unix_ms: u64,
        first: bool,
        request: PeerRequest,
    ) {
        let t = self.t;
        let Some(host) = self.hosts.get(to).filter(|host| host.up) else { return };
        let Some(process) = host.process.as_ref() else {
            self.with_flight(number, |flight| flight.sent = None);
            return self.answer_if(first, number, Err(CallError::PortClosed("connection refused".to_owned())));
        };
        if host.life != to_life {
            return self.answer_if(first, number, Err(CallError::Lost("connection reset".to_owned())));
        }
        let sender = self.hosts.get(from).map(|host| host.id);
        if sender.is_none_or(|sender| !process.pins.contains_key(&sender)) {
            return self.answer_if(first, number, refused(RpcCode::NotAMember, "not a member"));
        }
        let skew = host.clock.now(t).unix_ms.abs_diff(sent_unix_ms);
        if skew > SKEW_MS && !matches!(request, PeerRequest::Heartbeat(_)) {
            return self.answer_if(first, number, refused(RpcCode::ClockSkew, "the clocks are apart"));
        }
        let inbound = if first { InboundId(number) } else { InboundId(number | SECOND) };
        self.with_flight(number, |flight| flight.arrived = true);
        let Some(from) = sender else { return };
        if let PeerRequest::Rpc(Request::LeaseRelease(release)) = &request {
            self.rules.released(to, release.holder);
        }
        if let PeerRequest::Rpc(Request::LeaseAcquire(ask)) = &request {
            self.rules.asked(inbound, (to, to_life), ask);
        }
        if let Some(host) = self.hosts.get(to) {
            self.rules.heard(t, host.id, from);
        }
        self.input(to, to_life, Input::Peer { inbound, from, request });
    }

    /// L1: a grant that leaves is on the voter's disk.
    fn check_grant(&mut self, inbound: InboundId, answer: &LeaseAnswer) {
        let LeaseAnswer::Granted { .. } = answer else { return };
        let Some((at, holder, term)) = self.rules.promised(inbound) else { return };
        let last = self.hosts.get(at).and_then(|host| host.disk.as_ref()).and_then(|disk| disk.vote.granted);
        if last.is_none_or(|last| (last.holder.node, last.term) != (holder, term)) {
            let what = format!("{} tells of a grant that is not on its disk", self.name(at));
            self.rules.fail(self.t, "L1", what);
        }
    }

    /// A core answers a member.
    pub(super) fn reply(&mut self, inbound: InboundId, result: Result<PeerResponse, RpcError>) {
        if let Ok(PeerResponse::Rpc(Response::Vote { answer, .. })) = &result {
            self.check_grant(inbound, answer);
            self.rules.voted(self.t, inbound, answer);
        }
        let number = inbound.0;
        let Some((from, to)) = self.flights.get(&number).map(|flight| (flight.from, flight.to)) else { return };
        let result = self.through_json_answer(result);
        let fate = self.network.fate(self.t, to, from);
        if let Some(after) = fate.after_ms {
            self.answer(number, after, result.map_err(CallError::Refused));
        }
    }

    pub(super) fn answer_arrives(&mut self, number: u64, result: Result<PeerResponse, CallError>) {
        let Some(flight) = self.flights.remove(&number) else { return };
        if let (Ok(_) | Err(CallError::Refused(_)), Some((sent, to_life))) = (&result, flight.sent) {
            if flight.measures {
                self.measured((flight.from, flight.from_life), flight.to, self.t.saturating_sub(sent), false);
            }
            self.is_free((flight.from, flight.to), (flight.from_life, to_life));
        }
        if let (Ok(_) | Err(CallError::Refused(_)), true) = (&result, flight.waited_for)
            && let (Some(by), Some(of)) = (self.hosts.get(flight.from), self.hosts.get(flight.to))
        {
            self.rules.heard(self.t, by.id, of.id);
            if result.is_ok() {
                self.rules.answered(self.t, by.id, of.id);
            }
        }
        if flight.waited_for {
            if self.log.is_some() && !matches!(result, Ok(PeerResponse::Heartbeat(_))) {
                self.note(|| format!("#{number} answered: {result:?}"));
            }
            self.input(flight.from, flight.from_life, Input::Answered { call: flight.call, result });
        }
    }

    pub(super) fn call_expires(&mut self, number: u64) {
        let t = self.t;
        if let Some(flight) = self.flights.get_mut(&number).filter(|flight| flight.waited_for) {
            // The shell reads on: the connection is good, and how long the way is becomes known.
            flight.waited_for = false;
            let (from, from_life, call) = (flight.from, flight.from_life, flight.call);
            self.agenda.add(t + LATE_MS, Event::Forget { flight: number });
            let error = if flight.sent.is_some() {
                CallError::Lost("no answer in time".to_owned())
            } else {
                CallError::NotSent("no connection in time".to_owned())
            };
            self.input(from, from_life, Input::Answered { call, result: Err(error) });
        }
    }

    /// The shell tells what it measured: nothing is due for it.
    fn measured(&mut self, (at, life): (usize, u64), with: usize, ms: u64, dialled: bool) {
        let (t, Some(with)) = (self.t, self.hosts.get(with).map(|host| host.id)) else { return };
        let Some(host) = self.hosts.get_mut(at).filter(|host| host.life == life) else { return };
        let now = host.clock.now(t);
        let Some(process) = host.process.as_mut() else { return };
        if !process.node.handle(now, Input::RoundTrip { with, ms, dialled }).is_empty() {
            self.rules.fail(t, "shell", "a measurement alone made the core want something".to_owned());
        }
    }

    /// The process of a host is gone: connections to it break, where somebody is there to say so.
    pub(super) fn connections_break(&mut self, at: usize) {
        let tells = self.hosts.get(at).is_some_and(|host| host.up);
        let mine = |flight: &Flight| flight.from == at;
        self.flights.retain(|_, flight| !mine(flight));
        self.lines.gone(at);
        if !tells {
            return;
        }
        let open: Vec<(u64, usize)> = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.to == at && flight.arrived)
            .map(|(number, flight)| (*number, flight.from))
            .collect();
        for (number, from) in open {
            if let Some(after) = self.network.fate(self.t, at, from).after_ms {
                self.answer(number, after, Err(CallError::Lost("connection reset".to_owned())));
            }
        }
    }

    fn fly(&mut self, number: u64, from: usize, from_life: u64, to: usize, call: CallId) {
        let (sent, arrived, waited_for, measures, request) = (None, false, true, false, None);
        let flight = Flight { from, from_life, to, call, sent, arrived, waited_for, measures, request };
        self.flights.insert(number, flight);
    }

    fn answer_if(&mut self, first: bool, number: u64, result: Result<PeerResponse, CallError>) {
        let Some((from, to)) = self.flights.get(&number).map(|flight| (flight.from, flight.to)) else { return };
        if first && let Some(after) = self.network.fate(self.t, to, from).after_ms {
            self.answer(number, after, result);
        }
    }

    fn answer(&mut self, number: u64, after: u64, result: Result<PeerResponse, CallError>) {
        self.agenda.add(self.t + after, Event::Answer { flight: number, result: Box::new(result) });
    }

    fn with_flight(&mut self, number: u64, change: impl FnOnce(&mut Flight)) {
        if let Some(flight) = self.flights.get_mut(&number) {
            change(flight);
        }
    }

    /// Every some dozens of messages one goes through JSON: what it says must survive, and its bytes are counted.
    fn through_json_request(&mut self, request: PeerRequest) -> PeerRequest {
        if !self.next_flight.is_multiple_of(JSON_EVERY) {
            return request;
        }
        let kind = match &request {
            PeerRequest::Heartbeat(_) => "heartbeat",
            PeerRequest::Announce(_) => "announce",
            PeerRequest::Rpc(_) => "rpc",
        };
        match request {
            PeerRequest::Heartbeat(heartbeat) => PeerRequest::Heartbeat(self.through_json(kind, heartbeat)),
            PeerRequest::Announce(records) => PeerRequest::Announce(self.through_json(kind, records)),
            PeerRequest::Rpc(request) => PeerRequest::Rpc(self.through_json(kind, request)),
        }
    }

    fn through_json_answer(&mut self, result: Result<PeerResponse, RpcError>) -> Result<PeerResponse, RpcError> {
        if !self.next_flight.is_multiple_of(JSON_EVERY) {
            return result;
        }
        Ok(match result? {
            PeerResponse::Heartbeat(heartbeat) => PeerResponse::Heartbeat(self.through_json("heartbeat", heartbeat)),
            PeerResponse::Announced => PeerResponse::Announced,
            PeerResponse::Rpc(response) => PeerResponse::Rpc(self.through_json("rpc", response)),
        })
    }

    fn through_json<T: Serialize + DeserializeOwned + PartialEq>(&mut self, kind: &'static str, value: T) -> T {
        let read = serde_json::to_vec(&value).and_then(|bytes| {
            self.figures.encoded(kind, bytes.len());
            serde_json::from_slice::<T>(&bytes)
        });
        if read.as_ref().ok() != Some(&value) {
            self.rules.fail(self.t, "wire", format!("a {kind} does not survive its JSON: {:?}", read.err()));
        }
        value
    }
}

fn refused(code: RpcCode, message: &str) -> Result<PeerResponse, CallError> {
    Err(CallError::Refused(RpcError { code, message: message.to_owned() }))
}

/// CLOCK_SKEW.
const SKEW_MS: u64 = 30_000;

/// As `PEER_FAR_MS`.
const FAR_MS: u64 = constella_shared::limits::PEER_FAR_MS;

/// As `PEER_LATE_MS`.
const LATE_MS: u64 = constella_shared::limits::PEER_LATE_MS;

/// Marks a message that arrived twice: its second answer is for nobody.
const SECOND: u64 = 1 << 62;

/// To save time; a prime, so that no rhythm hides a kind of message.
const JSON_EVERY: u64 = 61;
