//! N1: a node's judgement of itself. Readings come in, transitions go out, and the set of what stands can be asked for at any time.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::agent::{Disk, Stats};
use constella_shared::ids::NodeId;
use constella_shared::limits::{ALERT_EVENTS, ALERT_PARTS, ALERT_STANDING};
use constella_shared::wire::alert::{Change, Kind, Standing, Subject, Transition, Unit, Value};

use super::preset::JUDGED;
use super::readings::{Reading, disks};
use super::rule::{Latch, Raised, Rule, Sight};
use super::trend::{Course, Trend};
use crate::clock::Now;

/// The judge of one node.
#[derive(Debug, Clone)]
pub struct Judge {
    node: NodeId,
    latches: BTreeMap<Subject, Latch>,
    /// Events of the last while, oldest first.
    events: Vec<Standing>,
    /// By mount point.
    trends: BTreeMap<String, Trend>,
}

impl Judge {
    /// Goes on from what stood when the process before this one ended. It is not raised again, and it stands until figures clear it: a restart alone
    /// changes nothing. The time that counts towards `for` and `clear_for` begins anew.
    #[must_use]
    pub fn resumed(node: NodeId, standing: Vec<Standing>) -> Self {
        // What a newer version judged is judged by nobody here, and would stand for ever.
        let judged = standing.into_iter().filter(|it| JUDGED.contains(&it.subject.kind)).take(ALERT_STANDING);
        let (states, events): (Vec<_>, Vec<_>) = judged.partition(|it| it.subject.kind.has_state());
        let latch =
            |it: Standing| (it.subject, Latch::resumed(Raised { since_unix_ms: it.since_unix_ms, value: it.value }));
        Self { node, latches: states.into_iter().map(latch).collect(), events, trends: BTreeMap::new() }
    }

    /// Takes readings in, each under the rule that holds for its kind; None where it is off, which ends what stands. The answer is what changed.
    pub fn judge(&mut self, now: Now, readings: Vec<Reading>, rule: impl Fn(&Kind) -> Option<Rule>) -> Vec<Transition> {
        self.events.retain(|event| now.unix_ms.saturating_sub(event.since_unix_ms) < EVENT_MS);
        let mut changes = Vec::new();
        for Reading { kind, seen, is_partial } in readings {
            let Some(rule) = rule(&kind) else {
                changes.extend(self.end(now, &kind));
                continue;
            };
            let rest = if is_partial { Sight::Absent } else { Sight::Gone };
            let held = self.latches.keys().filter(|subject| subject.kind == kind);
            let mut sights: BTreeMap<Subject, Sight> = held.map(|subject| (subject.clone(), rest)).collect();
            for (subject, sight) in seen {
                if sights.len() < ALERT_PARTS || sights.contains_key(&subject) {
                    sights.insert(subject, sight);
                }
            }
            for (subject, sight) in sights {
                changes.extend(self.look(now, &rule, subject, sight));
            }
        }
        changes
    }

    /// The reading of disks that fill up. It takes the figures in, so it is asked for once with each.
    pub fn filling(&mut self, now: Now, stats: &Stats) -> Reading {
        if stats.age_s.is_some() {
            return Reading::absent(Kind::DiskFillsUp);
        }
        let mut trends = core::mem::take(&mut self.trends);
        let reading = disks(self.node, stats, Kind::DiskFillsUp, |disk: &Disk| {
            let mut trend = trends.remove(&disk.mount).unwrap_or_default();
            trend.saw(now.boot_ms, disk);
            let course = trend.course(disk);
            self.trends.insert(disk.mount.clone(), trend);
            match course {
                Course::Unknown => None,
                Course::Steady => Some((i64::MAX, Value::none())),
                Course::FullIn(seconds) => Some((seconds, Value::of(seconds, Unit::Seconds))),
            }
        });
        if reading.is_partial {
            // Disks of which nothing is known for a while keep their history; the trend itself knows when that is too long.
            trends.into_iter().take(ALERT_PARTS).for_each(|(mount, trend)| {
                self.trends.entry(mount).or_insert(trend);
            });
        }
        reading
    }

    /// An event happened at this time; the answer is what to tell of it.
    pub fn happened(&mut self, subject: Subject, at_unix_ms: u64, value: Value) -> Transition {
        if self.events.len() >= ALERT_EVENTS {
            self.events.remove(0);
        }
        self.events.push(Standing { subject: subject.clone(), since_unix_ms: at_unix_ms, value });
        Transition { subject, at_unix_ms, change: Change::Raised(value) }
    }

    /// Everything that stands, and the events of the last while: what a holder is told as often as it asks, and what is kept over a restart.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        let raised = self.latches.iter().filter(|(subject, _)| subject.kind.has_state());
        let raised = raised.filter_map(|(subject, latch)| {
            let Raised { since_unix_ms, value } = *latch.raised()?;
            Some(Standing { subject: subject.clone(), since_unix_ms, value })
        });
        raised.chain(self.events.iter().cloned()).collect()
    }

    fn look(&mut self, now: Now, rule: &Rule, subject: Subject, sight: Sight) -> Option<Transition> {
        let mut latch = self.latches.remove(&subject).unwrap_or_default();
        let since = latch.raised().map(|raised| raised.since_unix_ms);
        let change = latch.look(now, &subject.kind, rule, sight);
        if !latch.is_idle() {
            self.latches.insert(subject.clone(), latch);
        }
        let change = change?;
        if subject.kind.has_state() {
            return Some(Transition { subject, at_unix_ms: now.unix_ms, change });
        }
        // An event that is told when it is over: from the first look that saw it to the last.
        let began = since.filter(|_| change == Change::Cleared)?.saturating_sub(rule.for_ms);
        let took_ms = now.unix_ms.saturating_sub(rule.clear_for_ms).saturating_sub(began);
        let seconds = i64::try_from(took_ms / 1_000).unwrap_or(i64::MAX);
        Some(self.happened(subject, began, Value::of(seconds, Unit::Seconds)))
    }

    /// The rule was switched off.
    fn end(&mut self, now: Now, kind: &Kind) -> Vec<Transition> {
        let of_kind: Vec<Subject> = self.latches.keys().filter(|subject| subject.kind == *kind).cloned().collect();
        let ended = of_kind.into_iter().filter_map(|subject| {
            let stood = self.latches.remove(&subject)?.raised().is_some() && kind.has_state();
            stood.then_some(Transition { subject, at_unix_ms: now.unix_ms, change: Change::Cleared })
        });
        ended.collect()
    }
}

/// An event stands for so long: a holder that takes over, and one that could not reach Telegram for a while, still hear of it.
const EVENT_MS: u64 = 60 * 60_000;

#[cfg(test)]
mod tests;
