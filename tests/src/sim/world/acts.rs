//! What the scenario does to the world.

use constella_core::io::Input;
use constella_core::roster::Edit;

use super::super::act::{Act, Button, Reach, ms};
use super::super::event::Event;
use super::super::host::{Frozen, Host};
use super::super::network::{Rule, Wire};
use super::World;

impl World {
    /// Does one thing of the scenario.
    pub(super) fn act(&mut self, act: &Act) {
        let t = self.t;
        self.note(|| format!("--- {act:?}"));
        self.figures.acted(t, act);
        match act {
            Act::Crash { node, back_s, torn: false, .. } => self.killed(node, *back_s),
            Act::Crash { node, back_s, torn: true, lost } => self.torn(node, *back_s, *lost),
            Act::RestartInPlace { node, after_s } => self.restarted_in_place(node, ms(*after_s)),
            Act::PowerOff { node, back_s } => self.power_off(node, *back_s),
            Act::Stop { node, back_s } => self.stop(node, *back_s),
            Act::Start { node } => self.bring_up(node),
            Act::RestartAll { back_s } => self.restart_all(*back_s),
            Act::Freeze { node, for_s } => self.freeze(node, ms(*for_s), false),
            Act::Suspend { node, for_s } => self.freeze(node, ms(*for_s), true),
            Act::Cut { sides, for_s } => {
                let side = |names: &Vec<String>| names.iter().filter_map(|name| self.named(name)).collect();
                let rule = Rule::Cut(sides.iter().map(side).collect());
                self.rule(rule, *for_s);
            }
            Act::OneWay { from, to, for_s } => self.between(from, to, *for_s, Rule::OneWay),
            Act::Flap { from, to, period_s, for_s } => {
                self.between(from, to, *for_s, |from, to| Rule::Flap(from, to, t, ms(*period_s)));
            }
            Act::Heal => self.heal_network(),
            Act::Trouble { drop, late, by_s, twice, for_s } => {
                let share = |percent: &f64| ms(*percent * 10.0);
                let (drop, late, twice) = (share(drop), share(late), share(twice));
                self.rule(Rule::Trouble { drop, late, by_ms: ms(*by_s), twice }, Some(*for_s));
            }
            Act::Far { node, round_trip_s, loss, for_s } => {
                let at = node.as_deref().map(|node| self.named(node));
                // A name that nobody has any more strikes nobody.
                if at != Some(None) {
                    let wire = Wire { round_trip_ms: ms(*round_trip_s), loss: ms(*loss * 10.0) };
                    self.rule(Rule::Far(at.flatten(), wire), *for_s);
                }
            }
            Act::Telegram { node, is, for_s } => self.set_reach(node.as_deref(), *is, *for_s),
            Act::HalfOpen { node } => {
                if let Some(at) = self.named(node) {
                    self.telegram.half_open(at);
                }
            }
            Act::Wall { node, off_s } => self.set_wall(node, *off_s),
            Act::AgentGone { node, for_s } => self.agent_gone(node, *for_s),
            Act::DiskFull { node, for_s, hard } => self.disk_fills(node, *for_s, *hard),
            Act::Stranger { for_s } => self.stranger(*for_s),
            Act::Webhook { for_s } => self.webhook(*for_s),
            Act::DeleteMessage => self.telegram.delete_newest(),
            Act::Say { text } => self.say(text),
            Act::Press { button, node } => self.press(*button, node.as_deref()),
            Act::Join { name, seed } => self.invite(name, seed),
            Act::Remove { node } => self.edit(node, Edit::Remove),
            Act::Rename { node, to } => self.edit(node, Edit::Rename(to.clone())),
            Act::Priority { node, to } => self.edit(node, Edit::Priority(*to)),
        }
    }

    fn killed(&mut self, node: &str, back_s: Option<f64>) {
        let Some(at) = self.named(node) else { return };
        self.crash(at);
        self.comes_back(at, back_s);
    }

    fn restarted_in_place(&mut self, node: &str, after_ms: u64) {
        let Some(at) = self.named(node) else { return };
        self.crash(at);
        let life = self.hosts.get(at).map_or(0, |host| host.life);
        self.agenda.add(self.t + after_ms, Event::Start { host: at, life });
    }

    fn torn(&mut self, node: &str, back_s: Option<f64>, lost: bool) {
        let Some(at) = self.named(node) else { return };
        self.with_host(at, |host| {
            host.torn = true;
            host.torn_lost = lost;
            host.torn_back_ms = back_s.map(ms);
        });
    }

    fn power_off(&mut self, node: &str, back_s: Option<f64>) {
        let Some(at) = self.named(node) else { return };
        self.with_host(at, |host| host.up = false);
        self.crash(at);
        self.comes_back(at, back_s);
    }

    fn stop(&mut self, node: &str, back_s: Option<f64>) {
        let Some(at) = self.named(node) else { return };
        // Who stands still gets no signal.
        let Some(life) = self.hosts.get(at).filter(|host| host.frozen.is_none()).map(|host| host.life) else { return };
        self.input(at, life, Input::Stop);
        self.comes_back(at, back_s);
    }

    fn bring_up(&mut self, node: &str) {
        let Some(at) = self.named(node) else { return };
        self.with_host(at, |host| host.keep_down = false);
        self.power_on(at);
    }

    fn restart_all(&mut self, back_s: f64) {
        for at in 0..self.hosts.len() {
            self.crash(at);
            self.comes_back(at, Some(back_s));
        }
    }

    fn between(&mut self, from: &str, to: &str, for_s: Option<f64>, rule: impl FnOnce(usize, usize) -> Rule) {
        let (Some(from), Some(to)) = (self.named(from), self.named(to)) else { return };
        self.rule(rule(from, to), for_s);
    }

    fn set_wall(&mut self, node: &str, off_s: f64) {
        let Some(at) = self.named(node) else { return };
        let stands_still = |host: &Host| host.frozen.as_ref().is_some_and(|frozen| frozen.stopped);
        if off_s != 0.0 && self.hosts.get(at).is_some_and(stands_still) {
            // Nobody is there to set it.
            return;
        }
        let off = i64::try_from(ms(off_s.abs())).unwrap_or(0);
        self.with_host(at, |host| host.clock.set_wall(if off_s < 0.0 { -off } else { off }));
    }

    fn agent_gone(&mut self, node: &str, for_s: f64) {
        let Some(at) = self.named(node) else { return };
        self.with_host(at, |host| host.agent.gone = true);
        self.agenda.add(self.t + ms(for_s), Event::AgentBack { host: at });
    }

    fn stranger(&mut self, for_s: f64) {
        self.telegram.stranger(true);
        self.agenda.add(self.t, Event::Stranger);
        self.agenda.add(self.t + ms(for_s), Event::EndStranger);
    }

    fn webhook(&mut self, for_s: f64) {
        let replies = self.telegram.webhook(self.t, true);
        self.send_replies(replies);
        self.agenda.add(self.t + ms(for_s), Event::EndWebhook);
    }

    fn say(&mut self, text: &str) {
        let replies = self.telegram.say(self.t, text);
        self.send_replies(replies);
    }

    fn press(&mut self, button: Button, node: Option<&str>) {
        let tag = node.and_then(|node| self.named(node)).and_then(|at| self.hosts.get(at)).map(Host::tag);
        let pick = self.dice.next();
        let pressed = self.telegram.press(self.t, button, pick, tag.as_deref());
        let replies = pressed.unwrap_or_else(|| self.telegram.say(self.t, "/nodes"));
        self.send_replies(replies);
    }

    /// Whose name it is; `leader` is who polls, else who holds; `heir` the best of the others that run.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        match name {
            "leader" => self.leader(),
            "heir" => {
                let leader = self.leader();
                let others = self.hosts.iter().enumerate().filter(|(at, host)| host.runs() && Some(*at) != leader);
                others.min_by_key(|(_, host)| (host.network, host.priority, host.id)).map(|(at, _)| at)
            }
            name => self.hosts.iter().position(|host| host.name == name),
        }
    }

    /// Who serves the owner now.
    pub(super) fn leader(&self) -> Option<usize> {
        use constella_core::io::BotState;
        let rank = |at: usize| {
            let host = self.hosts.get(at)?;
            let now = host.clock.now(self.t);
            let seen = host.process.as_ref().filter(|_| host.frozen.is_none())?.node.inspect(now);
            let strength = seen.lease.as_ref()?.strength;
            Some((seen.bot == BotState::Polling, strength, std::cmp::Reverse(at)))
        };
        (0..self.hosts.len()).filter_map(|at| Some((rank(at)?, at))).max().map(|(_, at)| at)
    }

    /// The process dies at once.
    pub(super) fn crash(&mut self, at: usize) {
        let Some(host) = self.hosts.get_mut(at) else { return };
        host.torn_now = false;
        if let Some(frozen) = host.frozen.take().filter(|frozen| frozen.stopped) {
            host.clock.stood_still(frozen.since, self.t);
            self.rules.stood_still(at, frozen.since, self.t);
        }
        if host.process.is_none() {
            return;
        }
        host.die();
        let node = host.id;
        self.figures.crashes += 1;
        self.rules.died(self.t, (at, node));
        self.telegram.forget(at);
        self.connections_break(at);
    }

    pub(super) fn start(&mut self, at: usize, life: u64) {
        let (t, dice) = (self.t, &mut self.dice);
        let Some(host) = self.hosts.get_mut(at) else { return };
        if host.process.is_some() || !host.up || host.life != life || host.keep_down {
            return;
        }
        if host.full.is_some_and(|full| full.hard) {
            // S1: it cannot store its boot generation, so it ends, and the engine starts it again.
            return self.agenda.add(t + START_AGAIN_MS, Event::Start { host: at, life });
        }
        let started = host.start(t, dice);
        let name = host.name.clone();
        match started {
            Ok(outputs) => {
                self.note(|| format!("{name}: started"));
                self.after(at, outputs);
                self.looks_at_its_disk(at);
            }
            Err(why) => self.rules.fail(t, "S4", format!("{name} cannot read its own state: {why}")),
        }
    }

    /// Whatever became of the controller meanwhile, a host that was told to reboot does.
    pub(super) fn goes_down(&mut self, at: usize, boots: u64) {
        if self.hosts.get(at).is_some_and(|host| host.up && host.agent.boots == boots) {
            self.with_host(at, |host| host.up = false);
            self.crash(at);
            let back = self.t + self.dice.range(12_000, 45_000);
            self.agenda.add(back, Event::PowerOn { host: at });
        }
    }

    pub(super) fn power_on(&mut self, at: usize) {
        let t = self.t;
        let Some(host) = self.hosts.get_mut(at) else { return };
        if !host.up {
            host.up = true;
            host.clock.booted(t);
            host.agent.boots += 1;
        }
        let life = host.life;
        let wait = self.dice.range(200, 1_500);
        self.agenda.add(t + wait, Event::Start { host: at, life });
    }

    pub(super) fn resume(&mut self, at: usize, number: u64) {
        let t = self.t;
        let Some(host) = self.hosts.get_mut(at) else { return };
        let Some(frozen) = host.frozen.take_if(|frozen| frozen.number == number) else { return };
        host.awake_since = t;
        if frozen.stopped {
            host.clock.stood_still(frozen.since, t);
            self.rules.stood_still(at, frozen.since, t);
        }
        if let Some(process) = host.process.as_mut() {
            process.armed = Some(t);
        }
        // The runtime wakes up with its timers and the kernel's sockets at once: in any order.
        self.agenda.add(t + self.dice.below(20), Event::Wake { host: at });
        self.rearm(at);
        for event in frozen.waiting {
            if !matches!(event, Event::Wake { .. }) {
                let after = self.dice.below(20);
                self.agenda.add(t + after, event);
            }
        }
    }

    pub(super) fn reach_ends(&mut self, at: usize, number: u64) {
        if self.reaches.get(at) == Some(&number) {
            self.with_host(at, |host| host.reach = Reach::Well);
        }
    }

    pub(super) fn heal_network(&mut self) {
        self.network.heal(self.t);
        for at in 0..self.hosts.len() {
            self.with_host(at, |host| host.reach = Reach::Well);
        }
    }

    fn rearm(&mut self, at: usize) {
        let t = self.t;
        let due = t + self.dice.below(20);
        if let Some(process) = self.hosts.get_mut(at).and_then(|host| host.process.as_mut()) {
            process.armed = Some(due);
            self.agenda.add(due, Event::Wake { host: at });
        }
    }

    fn comes_back(&mut self, at: usize, back_s: Option<f64>) {
        self.with_host(at, |host| host.keep_down = back_s.is_none());
        if let Some(back_s) = back_s {
            let back_at = self.t + ms(back_s);
            self.with_host(at, |host| host.back_at = back_at);
            self.agenda.add(back_at, Event::PowerOn { host: at });
        }
    }

    fn freeze(&mut self, node: &str, for_ms: u64, stopped: bool) {
        let t = self.t;
        let Some(at) = self.named(node) else { return };
        let Some(host) = self.hosts.get_mut(at).filter(|host| host.runs()) else { return };
        self.freezes += 1;
        let number = self.freezes;
        host.frozen = Some(Frozen { since: t, number, stopped, waiting: Vec::new() });
        self.agenda.add(t + for_ms, Event::Resume { host: at, number });
    }

    fn rule(&mut self, rule: Rule, for_s: Option<f64>) {
        let number = self.network.begin(rule);
        if let Some(for_s) = for_s {
            self.agenda.add(self.t + ms(for_s), Event::EndRule(number));
        }
    }

    fn set_reach(&mut self, node: Option<&str>, is: Reach, for_s: Option<f64>) {
        let which: Vec<usize> = match node {
            Some(node) => self.named(node).into_iter().collect(),
            None => (0..self.hosts.len()).collect(),
        };
        for at in which {
            self.with_host(at, |host| host.reach = is);
            self.freezes += 1;
            let number = self.freezes;
            if let Some(reach) = self.reaches.get_mut(at) {
                *reach = number;
            }
            if let Some(for_s) = for_s {
                self.agenda.add(self.t + ms(for_s), Event::EndReach { host: at, number });
            }
        }
    }
}

/// A container that ended is started again.
const START_AGAIN_MS: u64 = 3_000;
