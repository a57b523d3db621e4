//! The end of a run: everything heals, and then the network must be whole again within stated time.

use constella_core::io::BotState;
use constella_core::node::inspect::Inspection;
use constella_shared::wire::alert::Subject;
use constella_shared::wire::lease::Strength;

use super::super::act::{Act, Reach};
use super::super::host::Host;
use super::super::rules::Broken;
use super::super::telegram::{Begun, Duty, Unended, Writer};
use super::{World, seconds};

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Milliseconds from the healing until the network was whole: one poller, one view, one roster, one voter record.
    pub whole_after_ms: u64,
    /// The owner's commands.
    pub commands: usize,
    /// Of these, how many were begun by more than one node.
    pub begun_twice: usize,
}

impl World {
    /// Ends every fault, and lets everything start that does not run.
    pub fn heal(&mut self) {
        self.note(|| String::from("--- all faults end"));
        self.heal_network();
        self.telegram.stranger(false);
        let replies = self.telegram.webhook(self.t, false);
        self.send_replies(replies);
        for at in 0..self.hosts.len() {
            self.with_host(at, |host| {
                host.keep_down = false;
                host.back_at = 0;
                host.torn = false;
                host.reach = Reach::Well;
                host.agent.gone = false;
                host.full = None;
                host.clock.set_wall(0);
            });
            if let Some(number) = self.hosts.get(at).and_then(|host| host.frozen.as_ref()).map(|frozen| frozen.number) {
                self.resume(at, number);
            }
            self.looks_at_its_disk(at);
            if self.hosts.get(at).is_some_and(|host| host.process.is_none()) {
                self.power_on(at);
            }
        }
    }

    /// Demands liveness: the network is whole within [`WHOLE_MS`], and every command of the owner ends within [`COMMANDS_MS`].
    ///
    /// # Errors
    /// The rule that was broken.
    pub fn finish(&mut self) -> Result<Ending, Broken> {
        let healed = self.t;
        let mut lacks = String::new();
        while self.t < healed + WHOLE_MS {
            self.run_until(self.t + LOOK_MS);
            self.fail_fast()?;
            match self.lacks() {
                None => break,
                Some(what) => lacks = what,
            }
        }
        if self.lacks().is_some() {
            return Err(Broken {
                at_ms: self.t,
                rule: "healing",
                what: format!("not whole {WHOLE_MS} ms after: {lacks}"),
            });
        }
        let whole_after_ms = self.t - healed;
        let say = Act::Say { text: "/nodes".to_owned() };
        self.plan(self.t, say);
        let asked = self.t;
        while self.t < asked + COMMANDS_MS {
            self.run_until(self.t + LOOK_MS);
            self.fail_fast()?;
            if self.unfinished().is_none() {
                break;
            }
            let last = self.telegram.duties.last().filter(|duty| duty.told.is_none());
            if let Some(last) = last.filter(|last| self.t > last.pushed.max(asked) + LAST_WORD_MS) {
                let what =
                    format!("{:?} is not answered {LAST_WORD_MS} ms after it was asked in a whole network", last.text);
                return Err(Broken { at_ms: self.t, rule: "F6", what });
            }
        }
        if let Some(duty) = self.unfinished() {
            let what = format!(
                "{:?} of {} s: begun by {:?}, done {:?}, answered {:?}, heard of {:?}, told {:?}",
                duty.text,
                seconds(duty.pushed),
                duty.begun.iter().map(|begun| self.name(begun.host)).collect::<Vec<_>>(),
                duty.done,
                duty.answered,
                duty.heard,
                duty.told
            );
            return Err(Broken { at_ms: self.t, rule: "F6", what: format!("a command has no end: {what}") });
        }
        if self.telegram.destroyed() > 0 {
            let what = "updates were confirmed that nobody had seen".to_owned();
            return Err(Broken { at_ms: self.t, rule: "F6", what });
        }
        let ending = self.ending(whole_after_ms);
        self.demand_obedience()?;
        self.demand_recoveries()?;
        Ok(ending)
    }

    /// N3: everything is well, and the owner reads it: every raise that was told has its recovery.
    fn demand_recoveries(&mut self) -> Result<(), Broken> {
        let (latest, mut until) = (self.t + 3 * RECOVERIES_MS, self.t + RECOVERIES_MS);
        let mut leader = self.leader();
        while self.t < until && !self.unended().is_empty() {
            self.run_until(self.t + 10 * LOOK_MS);
            self.fail_fast()?;
            // Another leader counts anew for how long it has been well. A better one takes over when its losses are forgiven.
            if std::mem::replace(&mut leader, self.leader()) != leader {
                until = (self.t + RECOVERIES_MS).min(latest);
            }
        }
        let open = self.unended();
        if !open.is_empty() {
            let what: Vec<String> = open.into_iter().map(|open| open.what).collect();
            self.rules.fail(self.t, "N3", format!("the owner still reads as standing: {}", what.join(", ")));
        }
        self.fail_fast()
    }

    /// What the owner reads as standing, and a member knows of: its disk has had a record of the subject that names the message. An orphan, and a server
    /// that was let in and did not hear so, are down for all others. What only a removed node had on its disk goes with it, and so does what its sender
    /// could not store, with a full disk, before it ended. Where a message has shown its end, and a node that did not know of that edited it once
    /// more by an older record, only the same process can mend it: it knows what it showed.
    fn unended(&self) -> Vec<Unended> {
        let belongs = |host: &&Host| !self.is_removed(host) && !self.is_orphan(host);
        let members: Vec<&Host> = self.hosts.iter().filter(belongs).collect();
        let lives = |host: &Host, by: Writer| {
            let writer = self.by_id.get(&host.id).map(|at| (*at, host.life));
            host.process.is_some() && writer.is_some() && writer == by
        };
        let by_member = |open: &Unended| members.iter().any(|host| lives(host, open.by));
        let is_known = |open: &Unended| {
            let has = |host: &Host, subject| self.rules.has_known_message(host.id, open.message, subject);
            let is_there = |subject: &Subject| {
                self.hosts.iter().any(|host| host.id == subject.node && host.disk.is_some() && !self.is_orphan(host))
            };
            let has_record = |host: &&Host| open.subjects.iter().any(|subject| is_there(subject) && has(host, subject));
            (by_member(open) || !open.ended) && members.iter().any(has_record)
        };
        self.telegram.told.unended().into_iter().filter(is_known).collect()
    }

    /// What the owner was told of alerts: messages with raises, sounds, notes, repeated messages, nodes said to be down.
    #[must_use]
    pub fn told(&self) -> [u64; 5] {
        let told = &self.telegram.told;
        [told.raises, told.sounds, told.notes, told.repeats, self.rules.downs]
    }

    /// The end as it is, with nothing demanded.
    #[must_use]
    pub fn ending_now(&self) -> Ending {
        self.ending(0)
    }

    /// The owner's commands and how they fared, in words.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.telegram.duties.iter().map(|duty| self.in_words(duty)).collect()
    }

    /// Milliseconds from each command to its first answer; None where there is none yet.
    #[must_use]
    pub fn answers(&self) -> Vec<Option<u64>> {
        self.telegram.duties.iter().map(|duty| duty.answered.map(|(at, _)| at - duty.pushed)).collect()
    }

    /// Milliseconds from each view to the first words of it on the owner's screen; a spinner that stopped is none.
    #[must_use]
    pub fn views(&self) -> Vec<u64> {
        let views = self.telegram.duties.iter().filter(|duty| duty.only_looks());
        views.filter_map(|duty| duty.heard.map(|at| at - duty.pushed)).collect()
    }

    /// Who serves the owner.
    #[must_use]
    pub fn leader_name(&self) -> Option<String> {
        self.leader().map(|at| self.name(at).to_owned())
    }

    /// When the command with this number was first answered, and by whom.
    #[must_use]
    pub fn answer_to(&self, number: usize) -> Option<(u64, String)> {
        let duty = self.telegram.duties.get(number)?;
        duty.answered.map(|(at, by)| (at - duty.pushed, self.name(by).to_owned()))
    }

    /// Whether every node that runs sees so many alive.
    #[must_use]
    pub fn all_see(&self, alive: usize) -> bool {
        let sees = |host: &Host| {
            let process = host.process.as_ref()?;
            Some(process.node.inspect(host.clock.now(self.t)).alive)
        };
        self.hosts.iter().filter_map(sees).all(|seen| seen == alive)
    }

    /// Whether the process of this node runs.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        self.hosts.iter().any(|host| host.name == name && host.runs())
    }

    /// Bytes of the first node's `network_state.json`.
    #[must_use]
    pub fn roster_bytes(&self) -> usize {
        let disk = self.hosts.first().and_then(|host| host.disk.as_ref());
        disk.and_then(|disk| serde_json::to_vec(&disk.network).ok()).map_or(0, |bytes| bytes.len())
    }

    /// What keeps the network from being whole; None when it is.
    #[must_use]
    pub fn lacks(&self) -> Option<String> {
        let mut networks: Vec<usize> = self.hosts.iter().map(|host| host.network).collect();
        networks.dedup();
        networks.into_iter().find_map(|network| self.network_lacks(network))
    }

    fn network_lacks(&self, network: usize) -> Option<String> {
        let of_it = |host: &&Host| host.network == network && host.disk.is_some();
        let belongs = |host: &&Host| !self.is_removed(host) && !self.is_orphan(host);
        let members: Vec<_> = self.hosts.iter().filter(of_it).filter(belongs).collect();
        let mut seen = Vec::new();
        let removed = self.hosts.iter().filter(of_it).filter(|host| self.is_removed(host));
        let serves = |host: &&Host| {
            let process = host.process.as_ref();
            process.is_some_and(|process| process.node.inspect(host.clock.now(self.t)).bot != BotState::Idle)
        };
        if let Some(host) = removed.into_iter().find(serves) {
            return Some(format!("{} was removed and does not let the bot alone", host.name));
        }
        for host in &members {
            let Some(process) = host.process.as_ref() else { return Some(format!("{} does not run", host.name)) };
            let at = self.by_id.get(&host.id).copied().unwrap_or(usize::MAX);
            seen.push((at, &host.name, process.node.inspect(host.clock.now(self.t))));
        }
        let (first_name, first) = seen.first().map(|(_, name, seen)| (*name, seen))?;
        let strong = |seen: &Inspection| seen.lease.as_ref().is_some_and(|lease| lease.strength == Strength::Strong);
        let holders: Vec<_> = seen.iter().filter(|(_, _, seen)| strong(seen)).collect();
        let [(at, poller, holder)] = holders.as_slice() else {
            return Some(format!("{} strong holders", holders.len()));
        };
        // To whom a stranger was proven, which a webhook that is set again and again does too, only watches until somebody asks (F1).
        let waits = holder.bot == BotState::Watching && self.rules.knows_a_stranger(*at);
        if holder.bot != BotState::Polling && !waits {
            return Some(format!("{poller} holds and does not poll"));
        }
        for (_, name, seen) in &seen {
            if seen.lease.is_some() && name != poller {
                return Some(format!("{name} holds too"));
            }
            if seen.alive != members.len() {
                return Some(format!("{name} sees {} of {} nodes", seen.alive, members.len()));
            }
            if seen.roster != first.roster || seen.voters != first.voters {
                return Some(format!("{name} and {first_name} have different rosters"));
            }
            if seen.view != first.view {
                return Some(format!("{name} and {first_name} have different views"));
            }
        }
        None
    }

    fn unfinished(&self) -> Option<Duty> {
        let open = |duty: &&Duty| {
            let in_words = duty.told.is_some() || duty.wants_nothing() || duty.is_overtaken(&self.telegram.duties);
            let ended = duty.stolen || duty.done.is_some() && (in_words || self.was_left_as_it_was(duty));
            !ended && !self.went_with_a_removed_node(duty)
        };
        let duty = self.telegram.duties.iter().find(open).cloned();
        duty.or_else(|| self.telegram.duties.last().filter(|_| self.telegram.pending() > 0).cloned())
    }

    /// F6: a view is over when something of it was shown. What its leader still wanted to add goes with the leader; one that stays adds it.
    fn was_left_as_it_was(&self, duty: &Duty) -> bool {
        let stayed = |begun: &Begun| self.rules.has_polled_since(begun.t, begun.host);
        duty.only_looks() && duty.is_shown() && !duty.begun.iter().any(stayed)
    }

    /// What only a removed node had in hand, or one that it alone had let in, goes with it: nobody else knows of it, and nobody hears these any
    /// more. Not what it could have passed on before. Not an order: whoever gave one must be told its end, unless it was to a node that was itself
    /// removed, and he was told that it was given.
    fn went_with_a_removed_node(&self, duty: &Duty) -> bool {
        let has = |host: &&Host| {
            host.disk.as_ref().is_some_and(|disk| disk.commands.open.iter().any(|open| open.id == duty.id))
        };
        let mut keepers = self.hosts.iter().filter(has).peekable();
        let removed_target = self.hosts.iter().any(|host| duty.is_about(host.id) && self.is_removed(host));
        let went =
            |host: &Host| self.is_orphan(host) || self.is_removed(host) && !self.had_time_to_pass_on(host, duty.pushed);
        (duty.only_looks() || removed_target && duty.heard.is_some()) && keepers.peek().is_some() && keepers.all(went)
    }

    fn ending(&self, whole_after_ms: u64) -> Ending {
        Ending {
            whole_after_ms,
            commands: self.telegram.duties.len(),
            begun_twice: self.telegram.duties.iter().filter(|duty| duty.begun.len() > 1).count(),
        }
    }

    fn in_words(&self, duty: &Duty) -> String {
        let asked = format!("{:>8.1} s {:<24}", seconds(duty.pushed), duty.text.chars().take(24).collect::<String>());
        match duty.answered {
            Some((at, by)) => {
                format!("{asked} answered after {:>6.2} s by {}", seconds(at - duty.pushed), self.name(by))
            }
            None if duty.stolen => format!("{asked} taken by the stranger"),
            None => format!("{asked} not answered"),
        }
    }

    fn fail_fast(&self) -> Result<(), Broken> {
        self.broken().map_or(Ok(()), |broken| Err(broken.clone()))
    }
}

/// Within this after the last fault the network is whole: F3's longest patience, a probe of the Bot API, a suspicion, and then some.
pub const WHOLE_MS: u64 = 240_000;

/// Within this after that, every command has ended: a reboot is followed for ten minutes, and anew by a leader that takes it over from one whose
/// clock was ahead when it asked; the last barred node comes back to lead within [`WHOLE_MS`].
pub const COMMANDS_MS: u64 = 600_000 + WHOLE_MS;

/// And the last wish to look has its screen within this: F3's longest patience after a stranger, looks, and the longest pause after a failed edit.
const LAST_WORD_MS: u64 = 100_000;

/// What comes and goes is over when it has been well for ten minutes.
const RECOVERIES_MS: u64 = 700_000;

/// How often the end is looked for.
const LOOK_MS: u64 = 500;
