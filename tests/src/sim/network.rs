//! The way between nodes: how long a message takes, and whether it arrives.

use super::dice::Dice;

/// Links, and what is wrong with them now.
#[derive(Debug)]
pub(super) struct Network {
    dice: Dice,
    seed: u64,
    far: bool,
    wire: Wire,
    rules: Vec<(u64, Rule)>,
    next_rule: u64,
    /// Since when nothing is wrong, where nothing is.
    quiet_since: u64,
}

/// What every way between two hosts is like, beyond the distance that a pair has anyway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wire {
    /// There and back, milliseconds.
    pub round_trip_ms: u64,
    /// Packets in a million that are lost. TCP sends them again, so that they are late and not missing.
    pub loss: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// Hosts in different sides do not hear each other.
    Cut(Vec<Vec<usize>>),
    /// Nothing gets from the first to the second.
    OneWay(usize, usize),
    /// Down for a period, up for a period.
    Flap(usize, usize, u64, u64),
    /// Millionths that are lost, late, doubled; late by up to so many milliseconds.
    Trouble { drop: u64, late: u64, by_ms: u64, twice: u64 },
    /// The ways to and from one host, or all ways, are so much longer.
    Far(Option<usize>, Wire),
}

/// What becomes of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    /// It arrives after so many milliseconds; None: never.
    pub(super) after_ms: Option<u64>,
    /// And once more after so many.
    pub(super) again_ms: Option<u64>,
    /// Never, because the link is down.
    pub(super) cut: bool,
}

impl Network {
    /// `far`: hosts are all over the world, else in one data centre.
    pub(super) fn new(mut dice: Dice, far: bool, wire: Wire) -> Self {
        let seed = dice.next();
        Self { dice, seed, far, wire, rules: Vec::new(), next_rule: 0, quiet_since: 0 }
    }

    /// Something begins to be wrong; its number ends it.
    pub(super) fn begin(&mut self, rule: Rule) -> u64 {
        self.next_rule += 1;
        self.rules.push((self.next_rule, rule));
        self.next_rule
    }

    pub(super) fn end(&mut self, t: u64, number: u64) {
        if !self.rules.is_empty() {
            self.rules.retain(|(each, _)| *each != number);
            self.quiet_since = t;
        }
    }

    pub(super) fn heal(&mut self, t: u64) {
        self.rules.clear();
        self.quiet_since = t;
    }

    /// Since when nothing is wrong with any link; None while something is.
    pub(super) fn quiet_since(&self) -> Option<u64> {
        self.rules.is_empty().then_some(self.quiet_since)
    }

    /// What becomes of a message that is sent now.
    pub(super) fn fate(&mut self, t: u64, from: usize, to: usize) -> Fate {
        if self.is_cut(t, from, to) {
            return Fate { after_ms: None, again_ms: None, cut: true };
        }
        let mut after = self.latency(from, to) + self.wire.late_ms(&mut self.dice);
        let (mut lost, mut twice) = (false, false);
        for (_, rule) in &self.rules {
            match rule {
                Rule::Trouble { drop, late, by_ms, twice: doubled } => {
                    lost |= self.dice.per_million(*drop);
                    if self.dice.per_million(*late) {
                        after += self.dice.below(*by_ms);
                    }
                    twice |= self.dice.per_million(*doubled);
                }
                Rule::Far(host, wire) if host.is_none_or(|host| host == from || host == to) => {
                    after += wire.late_ms(&mut self.dice);
                }
                Rule::Far(..) | Rule::Cut(_) | Rule::OneWay(..) | Rule::Flap(..) => {}
            }
        }
        let again_ms = twice.then(|| after + self.dice.range(1, 2_000));
        Fate { after_ms: (!lost).then_some(after), again_ms, cut: false }
    }

    /// How long a dial takes that begins now: TCP there and back, TLS there and back. None: the link is down, so it hangs. A packet of it that is
    /// lost is sent again.
    pub(super) fn dial(&mut self, t: u64, from: usize, to: usize) -> Option<u64> {
        let mut took = 0;
        for (from, to) in [(from, to), (to, from), (from, to), (to, from)] {
            let mut again_ms = SYN_AGAIN_MS;
            loop {
                let fate = self.fate(t, from, to);
                match fate.after_ms {
                    Some(after) => {
                        took += after;
                        break;
                    }
                    None if fate.cut || took > DIAL_MS => return None,
                    None => took += again_ms,
                }
                again_ms *= 2;
            }
        }
        (took <= DIAL_MS).then_some(took)
    }

    /// Whether the link is down now.
    pub(super) fn is_cut(&self, t: u64, from: usize, to: usize) -> bool {
        self.rules.iter().any(|(_, rule)| match rule {
            Rule::Cut(sides) => {
                let side = |host: usize| sides.iter().position(|side| side.contains(&host));
                matches!((side(from), side(to)), (Some(a), Some(b)) if a != b)
            }
            Rule::OneWay(a, b) => (from, to) == (*a, *b),
            Rule::Flap(a, b, began, period) => {
                let pair = (from, to) == (*a, *b) || (to, from) == (*a, *b);
                pair && t.saturating_sub(*began).checked_div(*period).is_some_and(|turn| turn % 2 == 0)
            }
            Rule::Trouble { .. } | Rule::Far(..) => false,
        })
    }

    /// One way, milliseconds: a pair of hosts has its distance, each message some more.
    fn latency(&mut self, from: usize, to: usize) -> u64 {
        if !self.far {
            return self.dice.range(1, 2);
        }
        let (low, high) = (from.min(to) as u64, from.max(to) as u64);
        let base = 2 + Dice::new(self.seed ^ (low << 32) ^ high).below(70);
        base + self.dice.around(base / 8 + 1)
    }
}

impl Wire {
    /// One way: half a round trip, a little jitter, and a time-out for each time that the packet is lost.
    fn late_ms(self, dice: &mut Dice) -> u64 {
        if self == Self::default() {
            return 0;
        }
        let mut late = self.round_trip_ms / 2 + dice.below(self.round_trip_ms / 20 + 1);
        let mut again_ms = self.round_trip_ms + LEAST_AGAIN_MS;
        while dice.per_million(self.loss.min(MOST_LOSS)) {
            late += again_ms;
            again_ms *= 2;
        }
        late
    }
}

/// Linux never sends a packet again sooner (TCP_RTO_MIN), and a SYN after this (RFC 6298, 2.1).
const LEAST_AGAIN_MS: u64 = 200;
const SYN_AGAIN_MS: u64 = 1_000;

/// As `PEER_DIAL_MS`.
const DIAL_MS: u64 = constella_shared::limits::PEER_DIAL_MS;

/// A wire that loses more carries nothing.
const MOST_LOSS: u64 = 900_000;
