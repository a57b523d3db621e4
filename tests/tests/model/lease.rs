//! L1, L2, L3, L7: the core's own voter, claim and voter record, under every order of messages, ticks, restarts and changes.
//!
//! A TTL is 2 ticks and a holder counts 1 of them, so that the margin of L2 is one tick: one tick of drift in all is what must not matter.
//! A cut is a message that is not delivered, a delay one that is delivered late; both need no action of their own.

use std::sync::Arc;

use constella_core::clock::Now;
use constella_core::lease::claim::{AskSent, Claim, Holds, Standing};
use constella_core::lease::durable::Durable;
use constella_core::lease::voter::Voter;
use constella_core::voters;
use constella_shared::ids::{Generation, LeaderKey, NodeId, Seq, Term};
use constella_shared::state::VoteState;
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, LeaseRefusal, LeaseRelease};
use constella_shared::wire::records::{VoterRecord, VotersMark};
use stateright::{Model, Property};

/// A rule that can be switched off: then a counterexample must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Strong is a majority of each list.
    JointMajority,
    /// k+2 is written when a majority granted under exactly k+1.
    UnderTheRecord,
    /// A voter ignores an ask that is not newer than the last.
    SequenceNumbers,
    /// After its start a voter grants nobody for a TTL.
    QuietPeriod,
    /// The term is on disk before it is granted.
    TermOnDisk,
    /// So is the holder, whom the restarted voter grants in its quiet time.
    HolderOnDisk,
    /// A holder counts less than the TTL.
    Share,
    /// It counts from before it asked.
    FromBefore,
    /// It counts by both of its clocks.
    BothClocks,
    /// S1: a letter to an earlier life of a process is refused.
    Generation,
}

/// How often each thing happens at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) ticks: u8,
    pub(crate) rounds: u8,
    pub(crate) restarts: u8,
    pub(crate) fast: u8,
    pub(crate) asleep: u8,
    pub(crate) twice: u8,
    pub(crate) timeouts: u8,
    pub(crate) releases: u8,
    pub(crate) changes: u8,
}

/// What is explored.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) nodes: u8,
    /// Only the first so many claim.
    pub(crate) claimants: u8,
    /// Who votes at first.
    pub(crate) voters: Vec<u8>,
    /// Who belongs and lives, as a strong holder sees it that chooses the voters.
    pub(crate) members: Vec<u8>,
    pub(crate) most: Bounds,
    pub(crate) without: Option<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    hosts: Vec<Arc<Host>>,
    letters: Vec<Arc<Letter>>,
    left: Bounds,
    /// True time: what every wall clock shows.
    t: u64,
    broken: Option<&'static str>,
    /// Somebody who was strong, and whether another was after it.
    first_strong: Option<u8>,
    followed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Host {
    boot_ms: u64,
    life: u8,
    claimed: bool,
    disk: VoteState,
    record: VoterRecord,
    durable: Durable,
    voter: Voter,
    claim: Claim,
    /// What its voter promised in any life: to whom, until when by its clock; and in which term last.
    promised: Option<(NodeId, u64)>,
    last_term: Option<(NodeId, Term)>,
    /// The newest release of each node that reached this voter.
    given_back: Vec<Option<Seq>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Letter {
    from: u8,
    to: u8,
    to_life: u8,
    /// The asker, its life, and when it asked.
    asker_life: u8,
    sent: AskSent,
    seq: Seq,
    body: Body,
    /// The asker waits no longer for the answer.
    given_up: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Body {
    Ask(LeaseAsk),
    Vote(LeaseAnswer),
    Release(LeaseRelease),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A node begins or goes on with a claim: one round of asks.
    Round(u8),
    /// The letter at this place arrives; `again` leaves it under way as well.
    Deliver { at: usize, again: bool },
    /// The asker of the letter at this place gives up waiting.
    TimeOut(usize),
    /// A node gives its grants back.
    Release(u8),
    /// A strong holder takes the next step of a change of voters.
    Change(u8),
    /// A process dies and is started again in place, from its disk.
    Restart(u8),
    /// Time goes on; one clock may run faster, or stand still with its machine.
    Tick { fast: Option<u8>, asleep: Option<u8> },
}

impl Lease {
    fn id(node: u8) -> NodeId {
        NodeId([node + 1; 32])
    }

    fn key(node: u8) -> LeaderKey {
        LeaderKey { priority: 100, node: Self::id(node) }
    }

    fn place(&self, id: NodeId) -> u8 {
        (0..self.nodes).find(|node| Self::id(*node) == id).unwrap_or(0)
    }

    /// All vote, all belong: any run is one in which nodes claim in the order of their names.
    fn alike(&self) -> bool {
        let all = |list: &[u8]| list.len() == usize::from(self.nodes);
        all(&self.voters) && all(&self.members)
    }

    fn off(&self, rule: Rule) -> bool {
        self.without == Some(rule)
    }

    fn now(&self, state: &State, node: u8) -> Now {
        let boot_ms = state.hosts[usize::from(node)].boot_ms;
        let unix_ms = if self.off(Rule::BothClocks) { boot_ms } else { state.t };
        Now { boot_ms: EPOCH + boot_ms, unix_ms: EPOCH + unix_ms }
    }

    /// The record as its holder counts by it.
    fn counted(&self, record: &VoterRecord) -> VoterRecord {
        if self.off(Rule::JointMajority) { VoterRecord { old: Vec::new(), ..record.clone() } } else { record.clone() }
    }

    fn standing(&self, state: &State, node: u8) -> Standing {
        let host = &state.hosts[usize::from(node)];
        host.claim.standing(self.now(state, node), Self::key(node), &self.counted(&host.record))
    }

    fn strong(&self, state: &State, node: u8) -> bool {
        matches!(self.standing(state, node), Standing::Strong { .. })
    }

    fn claim(&self) -> Claim {
        // 95 % of 2 are 1 whole tick, of 3 they are 2: the whole TTL of the voters.
        Claim::new(if self.off(Rule::Share) { TTL + 1 } else { TTL })
    }

    fn persist(&self, host: &mut Host) {
        if let Some(state) = host.durable.take_dirty() {
            let term = if self.off(Rule::TermOnDisk) { host.disk.term } else { state.term };
            let granted =
                if self.off(Rule::HolderOnDisk) { host.disk.granted.or(state.granted) } else { state.granted };
            host.disk = VoteState { term, granted, ..state };
        }
    }

    fn round(&self, state: &mut State, node: u8) {
        let now = self.now(state, node);
        let host = host(state, node);
        host.claimed = true;
        host.claim.begin(now, &host.durable);
        let record = host.record.clone();
        let asks = host.claim.round(now, Self::key(node), Holds::default(), &mut host.durable, &record);
        self.persist(host);
        let (sent, asker_life) = (AskSent { sent: now, term: host.claim.term() }, host.life);
        for (voter, ask) in asks {
            let (to, seq) = (self.place(voter), ask.seq);
            if to == node {
                let answer = self.vote(state, node, &ask);
                self.answered(state, node, node, &sent, Some(&answer));
            } else {
                let to_life = state.hosts[usize::from(to)].life;
                let body = Body::Ask(ask);
                state.letters.push(Arc::new(Letter {
                    from: node,
                    to,
                    to_life,
                    asker_life,
                    sent,
                    seq,
                    body,
                    given_up: false,
                }));
            }
        }
    }

    /// As `Node::vote`: a newer record that came with the ask is taken over first.
    fn vote(&self, state: &mut State, node: u8, ask: &LeaseAsk) -> LeaseAnswer {
        let now = self.now(state, node);
        let (mut ask, seq) = (ask.clone(), ask.seq);
        if self.off(Rule::SequenceNumbers) {
            ask.seq = Seq(1_000 + 100 * state.t + u64::from(state.left.rounds) + state.letters.len() as u64);
        }
        let host = host(state, node);
        if let Some(record) = ask.voters.as_ref().filter(|record| record.mark == ask.mark) {
            take(host, record);
        }
        let record = host.record.clone();
        let answer = host.voter.ask(now, &mut host.durable, &record, &ask);
        self.persist(host);
        if matches!(answer, LeaseAnswer::Granted { .. }) {
            let (to, term) = (ask.holder.node, ask.term);
            let twice = host.promised.is_some_and(|(other, until)| other != to && until > now.boot_ms);
            let again = host.last_term.is_some_and(|(other, last)| term < last || (term == last && other != to));
            host.promised = Some((to, now.boot_ms + TTL));
            host.last_term = Some((to, term));
            let back = host.given_back[usize::from(self.place(to))].is_some_and(|released| seq < released);
            if back {
                state.broken = Some("L1: a grant that was given back came back");
            } else if twice {
                state.broken = Some("L1: a voter granted two holders at one time");
            } else if again {
                state.broken = Some("L3: a term was granted again, or an older one");
            }
        }
        answer
    }

    /// As `Node::ask_answered`.
    fn answered(&self, state: &mut State, node: u8, voter: u8, sent: &AskSent, answer: Option<&LeaseAnswer>) {
        let now = self.now(state, node);
        let host = host(state, node);
        if let Some(LeaseAnswer::Refused { reason: LeaseRefusal::OlderVoters, voters: Some(record), .. }) = answer {
            take(host, record);
        }
        let sent = if self.off(Rule::FromBefore) { AskSent { sent: now, ..*sent } } else { *sent };
        host.claim.answered(now, &mut host.durable, Self::id(voter), &sent, answer);
        self.persist(host);
    }

    fn arrive(&self, state: &mut State, letter: &Letter) {
        let Letter { from, to, to_life: _, asker_life, sent, seq, body, given_up } = letter.clone();
        match body {
            Body::Ask(ask) => {
                let answer = self.vote(state, to, &ask);
                if !given_up {
                    let (from, to, to_life) = (to, from, asker_life);
                    let body = Body::Vote(answer);
                    state.letters.push(Arc::new(Letter { from, to, to_life, asker_life, sent, seq, body, given_up }));
                }
            }
            Body::Vote(answer) => self.answered(state, to, from, &sent, Some(&answer)),
            Body::Release(release) => self.released(state, to, &release),
        }
    }

    fn released(&self, state: &mut State, node: u8, release: &LeaseRelease) {
        let from = usize::from(self.place(release.holder));
        let host = host(state, node);
        host.given_back[from] = host.given_back[from].max(Some(release.seq));
        let before = host.voter.last_grant();
        host.voter.release(release);
        if before.is_some() && host.voter.last_grant().is_none() {
            host.promised = None;
        }
    }

    fn release(&self, state: &mut State, node: u8) {
        let now = self.now(state, node);
        let host = host(state, node);
        let (record, asker_life) = (host.record.clone(), host.life);
        let sent = AskSent { sent: now, term: host.claim.term() };
        let releases = host.claim.end(Self::id(node), &mut host.durable, &record, false);
        self.persist(host);
        for (voter, release) in releases {
            let (to, seq) = (self.place(voter), release.seq);
            if to == node {
                self.released(state, node, &release);
            } else {
                let to_life = state.hosts[usize::from(to)].life;
                let body = Body::Release(release);
                state.letters.push(Arc::new(Letter {
                    from: node,
                    to,
                    to_life,
                    asker_life,
                    sent,
                    seq,
                    body,
                    given_up: true,
                }));
            }
        }
    }

    /// As `Node::tend_voters`.
    fn change(&self, state: &mut State, node: u8) -> bool {
        let now = self.now(state, node);
        let host = host(state, node);
        let member = |node: &u8| voters::Candidate { node: Self::id(*node), alive: true, long_down: false };
        let members: Vec<_> = self.members.iter().map(member).collect();
        let (claim, mark) = (&host.claim, host.record.mark);
        let granted = |voter: &NodeId| self.off(Rule::UnderTheRecord) || claim.granted_under(now, voter, mark);
        let next = voters::next(&host.record, host.claim.term(), &members, granted);
        next.is_some_and(|next| take(host, &next))
    }

    fn restart(&self, state: &mut State, node: u8) {
        let mut now = self.now(state, node);
        if self.off(Rule::QuietPeriod) {
            now.boot_ms -= TTL;
        }
        let claim = self.claim();
        let host = host(state, node);
        host.life += 1;
        host.durable = Durable::new(host.disk.clone());
        host.voter = match host.disk.granted {
            Some(last) if !self.off(Rule::QuietPeriod) => Voter::resumed(TTL, now, last),
            Some(_) | None => Voter::new(TTL, now),
        };
        host.claim = claim;
    }

    fn watch(&self, state: &mut State) {
        let strong: Vec<u8> = (0..self.nodes).filter(|node| self.strong(state, *node)).collect();
        if strong.len() > 1 {
            state.broken = Some("L2: two strong holders");
        }
        if let [one] = strong.as_slice() {
            let first = *state.first_strong.get_or_insert(*one);
            state.followed |= first != *one;
        }
    }

    /// Letters that nothing can come of any more make no states of their own: those to a life that is over, and votes
    /// that would count no more.
    fn forget(&self, state: &mut State) {
        let State { hosts, letters, .. } = state;
        letters.retain(|letter| {
            let vote = matches!(letter.body, Body::Vote(_));
            let lives = hosts[usize::from(letter.to)].life == letter.to_life || (!vote && self.off(Rule::Generation));
            let now_ms = EPOCH + hosts[usize::from(letter.to)].boot_ms;
            let granted = matches!(letter.body, Body::Vote(LeaseAnswer::Granted { .. }));
            let over = granted && !self.off(Rule::FromBefore) && now_ms >= letter.sent.sent.boot_ms + TTL;
            lives && !over
        });
    }

    fn ticks(&self, state: &State, actions: &mut Vec<Action>) {
        actions.push(Action::Tick { fast: None, asleep: None });
        for node in 0..self.nodes {
            if state.left.fast > 0 {
                actions.push(Action::Tick { fast: Some(node), asleep: None });
            }
            if state.left.asleep > 0 {
                actions.push(Action::Tick { fast: None, asleep: Some(node) });
            }
        }
    }
}

impl Model for Lease {
    type State = State;
    type Action = Action;

    /// Every voter has run for long, and nobody holds.
    fn init_states(&self) -> Vec<State> {
        let new = self.voters.iter().map(|node| Self::id(*node)).collect();
        let record = VoterRecord { mark: VotersMark { number: 2, term: Term(0) }, old: Vec::new(), new };
        let fresh = || {
            let disk = VoteState {
                format: 1,
                generation: Generation(1),
                term: Term(1),
                seq_reserved: Seq(0),
                starts: Vec::new(),
                granted: None,
                more: constella_shared::wire::more::More::none(),
            };
            Host {
                boot_ms: 0,
                life: 0,
                claimed: false,
                record: record.clone(),
                durable: Durable::new(disk.clone()),
                voter: Voter::new(TTL, Now { boot_ms: EPOCH - TTL, unix_ms: EPOCH - TTL }),
                claim: self.claim(),
                promised: None,
                last_term: None,
                given_back: vec![None; usize::from(self.nodes)],
                disk,
            }
        };
        let hosts = (0..self.nodes).map(|_| Arc::new(fresh())).collect();
        let (letters, left) = (Vec::new(), self.most);
        Vec::from([State { hosts, letters, left, t: 0, broken: None, first_strong: None, followed: false }])
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_some() {
            return;
        }
        for node in 0..self.nodes {
            let host = &state.hosts[usize::from(node)];
            // Nodes are alike but for their names: whoever claims first is the first, then the second.
            let named = node == 0 || state.hosts[usize::from(node) - 1].claimed || !self.alike();
            if state.left.rounds > 0 && named && node < self.claimants {
                actions.push(Action::Round(node));
            }
            if state.left.releases > 0 && host.claim.active() {
                actions.push(Action::Release(node));
            }
            if state.left.changes > 0 && self.strong(state, node) {
                actions.push(Action::Change(node));
            }
            if state.left.restarts > 0 {
                actions.push(Action::Restart(node));
            }
        }
        for (at, letter) in state.letters.iter().enumerate() {
            actions.push(Action::Deliver { at, again: false });
            if state.left.twice > 0 {
                actions.push(Action::Deliver { at, again: true });
            }
            if state.left.timeouts > 0 && !letter.given_up {
                actions.push(Action::TimeOut(at));
            }
        }
        if state.left.ticks > 0 {
            self.ticks(state, actions);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Round(node) => {
                state.left.rounds -= 1;
                self.round(&mut state, node);
            }
            Action::Deliver { at, again } => {
                let letter = if again { state.letters[at].clone() } else { state.letters.remove(at) };
                state.left.twice -= u8::from(again);
                self.arrive(&mut state, &letter);
            }
            Action::TimeOut(at) => {
                state.left.timeouts -= 1;
                let letter = Arc::make_mut(&mut state.letters[at]);
                letter.given_up = true;
                let (asker, voter) = match letter.body {
                    Body::Ask(_) => (letter.from, letter.to),
                    Body::Vote(_) | Body::Release(_) => (letter.to, letter.from),
                };
                let (sent, lives) = (letter.sent, state.hosts[usize::from(asker)].life == letter.asker_life);
                if matches!(state.letters[at].body, Body::Vote(_)) {
                    state.letters.remove(at);
                }
                if lives {
                    self.answered(&mut state, asker, voter, &sent, None);
                }
            }
            Action::Release(node) => {
                state.left.releases -= 1;
                self.release(&mut state, node);
            }
            Action::Change(node) => {
                state.left.changes -= 1;
                if !self.change(&mut state, node) {
                    return None;
                }
            }
            Action::Restart(node) => {
                state.left.restarts -= 1;
                self.restart(&mut state, node);
            }
            Action::Tick { fast, asleep } => {
                state.left.ticks -= 1;
                state.t += 1;
                for node in 0..self.nodes {
                    host(&mut state, node).boot_ms +=
                        1 + u64::from(fast == Some(node)) - u64::from(asleep == Some(node));
                }
                state.left.fast -= u8::from(fast.is_some());
                state.left.asleep -= u8::from(asleep.is_some());
            }
        }
        self.watch(&mut state);
        self.forget(&mut state);
        state.letters.sort_by_key(|letter| (letter.from, letter.to, letter.seq, letter.to_life, letter.given_up));
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("no rule is broken", |_, state: &State| state.broken.is_none()),
            Property::sometimes("a holder is followed by another", |_, state: &State| state.followed),
        ];
        if self.most.changes > 1 {
            properties.push(Property::sometimes("the voters have changed", |_, state: &State| {
                state.hosts.iter().any(|host| host.record.mark.number > 3 && host.record.old.is_empty())
            }));
        }
        if self.most.timeouts > 0 && self.voters.len() > 1 {
            properties.push(Property::sometimes("somebody is weak", |model: &Self, state: &State| {
                (0..model.nodes).any(|node| matches!(model.standing(state, node), Standing::Weak { reached: true }))
            }));
        }
        properties
    }
}

fn host(state: &mut State, node: u8) -> &mut Host {
    Arc::make_mut(&mut state.hosts[usize::from(node)])
}

/// A higher record is taken over, and stored with it: it outlives the process.
fn take(host: &mut Host, record: &VoterRecord) -> bool {
    let higher = record.mark > host.record.mark;
    if higher {
        host.record = record.clone();
    }
    higher
}

/// What broke, for a counterexample.
pub(crate) fn broken(state: &State) -> &'static str {
    state.broken.unwrap_or("nothing")
}

/// Ticks of a TTL.
const TTL: u64 = 2;

/// What both clocks show at first.
const EPOCH: u64 = 1_000;
