//! Random faults and a random owner, as a list of acts: what a seed does can be read, replayed and shortened.

use super::act::{Act, Button, Reach, Timed};
use super::dice::Dice;
use super::fault::{FAULTS, Fault, Rate};
use super::setup::name;

/// What a random run is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All chance comes from it.
    pub seed: u64,
    /// Nodes.
    pub nodes: usize,
    /// How long, milliseconds.
    pub for_ms: u64,
    /// Which faults, and how often.
    pub faults: Vec<Rate>,
}

impl Plan {
    /// The acts, by time.
    #[must_use]
    pub fn acts(&self) -> Vec<Timed> {
        let mut dice = Dice::new(self.seed ^ 0x0b5e_55ed);
        let mut acts = Vec::new();
        self.owner(&mut dice.fork(0), &mut acts);
        // What one kind does hangs on the seed alone, and not on which others are switched on.
        for (label, (fault, _, _)) in (1..).zip(FAULTS) {
            let mut dice = dice.fork(label);
            let Some(rate) = self.faults.iter().find(|rate| rate.fault == fault) else { continue };
            let every_ms = rate.every_s.saturating_mul(1_000);
            let mut t = BEGIN_MS + dice.around(every_ms);
            while t < self.for_ms {
                match fault {
                    Fault::Drift => {}
                    Fault::Idle => {
                        let awake = t + dice.range(600_000, 3_600_000);
                        acts.retain(|timed| !timed.act.is_owner() || !(t..awake).contains(&ms_of(timed.s)));
                    }
                    fault => acts.extend(self.fault(fault, t, &mut dice)),
                }
                t += 1_000 + dice.around(every_ms);
            }
        }
        // What a later act of a row would do after everything healed is no part of the plan.
        acts.retain(|timed| ms_of(timed.s) < self.for_ms);
        acts.sort_by(|a, b| a.s.total_cmp(&b.s));
        acts
    }

    /// Whether clocks run apart.
    #[must_use]
    pub fn drifts(&self) -> bool {
        self.faults.iter().any(|rate| rate.fault == Fault::Drift)
    }

    fn fault(&self, fault: Fault, t: u64, dice: &mut Dice) -> Vec<Timed> {
        let node = self.any(dice);
        let long = matches!(fault, Fault::Cut | Fault::OneWay | Fault::Telegram | Fault::Far) && dice.one_in(8);
        // Long enough for voters to be replaced.
        let tenths_long = if long { dice.range(1_200, 9_000) } else { dice.range(5, 20) + dice.around(250) };
        let for_s = tenths(tenths_long);
        let act = match fault {
            Fault::Drop => trouble(dice.range(1, 30), 0, 0.0, 0, for_s),
            Fault::Delay => trouble(0, dice.range(5, 60), tenths(dice.range(2, 60)), 0, for_s),
            Fault::Reorder => trouble(0, 50, tenths(dice.range(1, 5)), 0, for_s),
            Fault::Duplicate => trouble(0, 0, 0.0, dice.range(5, 50), for_s),
            Fault::Far => far(node, for_s, dice),
            Fault::OneWay => Act::OneWay { from: node, to: self.any(dice), for_s: Some(for_s) },
            Fault::Cut => Act::Cut { sides: self.sides(dice), for_s: Some(for_s) },
            Fault::Flap => {
                let period_s = tenths(dice.range(2, 80));
                Act::Flap { from: node, to: self.any(dice), period_s, for_s: Some(for_s) }
            }
            Fault::Freeze => Act::Freeze { node, for_s: pause(dice) },
            Fault::Suspend => Act::Suspend { node, for_s: pause(dice) },
            Fault::Crash => Act::Crash { node, back_s: back(dice), torn: false, lost: false },
            Fault::Torn => Act::Crash { node, back_s: back(dice), torn: true, lost: false },
            Fault::LostWrite => Act::Crash { node, back_s: back(dice), torn: true, lost: true },
            Fault::InPlace => {
                // A leader is one of many, and the one whose restart the owner feels.
                let node = if dice.one_in(2) { "leader".to_owned() } else { node };
                Act::RestartInPlace { node, after_s: tenths(dice.range(2, 10)) }
            }
            Fault::Power => Act::PowerOff { node, back_s: back(dice) },
            Fault::Stop => Act::Stop { node, back_s: back(dice) },
            Fault::RestartAll => Act::RestartAll { back_s: tenths(dice.range(1, 80)) },
            Fault::Blackout => return blackout(t, dice),
            Fault::Aside => return self.aside(t, for_s, dice),
            Fault::Burst => return burst(t, dice),
            Fault::Moment => return self.moment(t, dice),
            Fault::Drift | Fault::Idle => return Vec::new(),
            Fault::Wall => return wall(node, t, for_s, dice),
            Fault::Telegram => Act::Telegram { node: Some(node), is: reach(dice), for_s: Some(for_s) },
            Fault::TelegramAll => Act::Telegram { node: None, is: reach(dice), for_s: Some(for_s) },
            Fault::Mute => {
                let node = dice.one_in(3).then_some(node);
                Act::Telegram { node, is: Reach::Mute, for_s: Some(tenths(dice.range(50, 4_000))) }
            }
            Fault::HalfOpen => Act::HalfOpen { node },
            Fault::Agent => Act::AgentGone { node, for_s },
            Fault::DiskFull => Act::DiskFull { node, for_s: for_s * 2.0, hard: dice.one_in(2) },
            Fault::Message => Act::DeleteMessage,
            Fault::Stranger => Act::Stranger { for_s: for_s * 3.0 },
            Fault::Webhook => Act::Webhook { for_s },
            Fault::Join => Act::Join { name: format!("new{}", t / 1_000), seed: node },
            Fault::Remove => Act::Remove { node },
            Fault::Edit if dice.one_in(4) => Act::Rename { node, to: format!("name{}", t / 1_000) },
            Fault::Edit => Act::Priority { node, to: u32::try_from(dice.range(95, 105)).unwrap_or(100) },
        };
        vec![timed(t, act)]
    }

    /// The owner: mostly idle, now and then a look around, seldom a burst or a reboot.
    fn owner(&self, dice: &mut Dice, acts: &mut Vec<Timed>) {
        let mut t = BEGIN_MS;
        while t < self.for_ms {
            t += dice.around(90_000);
            match dice.below(10) {
                0 => {
                    for _ in 0..dice.range(3, 20) {
                        acts.push(timed(t, look(dice)));
                        t += dice.below(400);
                    }
                }
                1 => self.reboot(&mut t, dice, acts),
                2 => t += dice.around(600_000),
                3 => {
                    let node = Some(self.any(dice));
                    let presses = [Button::List, Button::Card, Button::Speedtest];
                    for (at, button) in presses.into_iter().enumerate() {
                        let node = node.clone().filter(|_| at > 0);
                        acts.push(timed(t, Act::Press { button, node }));
                        t += dice.range(500, 4_000);
                    }
                }
                _ => {
                    acts.push(timed(t, look(dice)));
                }
            }
        }
    }

    fn reboot(&self, t: &mut u64, dice: &mut Dice, acts: &mut Vec<Timed>) {
        let node = self.any(dice);
        acts.push(timed(*t, Act::Say { text: "/nodes".to_owned() }));
        let steps = [Button::Card, Button::Reboot, Button::Confirm];
        for button in steps {
            *t += dice.range(800, 6_000);
            acts.push(timed(*t, Act::Press { button, node: Some(node.clone()) }));
        }
        if dice.one_in(3) {
            // Impatient: the same button again, or after everything.
            *t += dice.around(20_000);
            acts.push(timed(*t, Act::Press { button: Button::Confirm, node: Some(node) }));
        }
    }

    /// An order, and one to three blows from two seconds before it is confirmed until four seconds after.
    fn moment(&self, t: u64, dice: &mut Dice) -> Vec<Timed> {
        let target = self.any(dice);
        let press = |at, button| timed(at, Act::Press { button, node: Some(target.clone()) });
        let (card, asked) = (t + dice.range(800, 2_000), t + dice.range(3_000, 5_000));
        let given = asked + dice.range(1_000, 6_000);
        let mut acts = vec![timed(t, Act::Say { text: "/nodes".to_owned() }), press(card, Button::Card)];
        if dice.one_in(5) {
            acts.push(press(given, Button::Speedtest));
        } else {
            acts.extend([press(asked, Button::Reboot), press(given, Button::Confirm)]);
        }
        for _ in 0..dice.range(1, 3) {
            let fault = *dice.pick(&AT_THAT_MOMENT).unwrap_or(&Fault::Cut);
            // Most of what decides an order lies within its first half second.
            let after = if dice.one_in(2) { 1_900 + dice.below(700) } else { dice.below(6_000) };
            let mut blow = self.fault(fault, (given + after).saturating_sub(2_000), dice);
            if let (Some(act), true) = (blow.first_mut(), dice.one_in(3)) {
                act.act.aim(&target);
            }
            acts.extend(blow);
        }
        acts
    }

    /// The network falls apart, and somebody edits it on whichever side there is a leader.
    fn aside(&self, t: u64, for_s: f64, dice: &mut Dice) -> Vec<Timed> {
        let for_s = for_s + 30.0;
        let edits = [
            Act::Join { name: format!("aside{}", t / 1_000), seed: self.any(dice) },
            Act::Priority { node: self.any(dice), to: u32::try_from(dice.range(95, 105)).unwrap_or(100) },
            Act::Remove { node: self.any(dice) },
        ];
        let mut acts = vec![timed(t, Act::Cut { sides: self.sides(dice), for_s: Some(for_s) })];
        for act in edits {
            // A removal is final: not in each of them, or few nodes would be left.
            if !matches!(act, Act::Remove { .. }) || dice.one_in(3) {
                acts.push(timed(t + dice.below(ms_of(for_s)), act));
            }
        }
        acts
    }

    fn any(&self, dice: &mut Dice) -> String {
        if dice.one_in(3) {
            return "leader".to_owned();
        }
        let at = dice.below(self.nodes as u64);
        name(usize::try_from(at).unwrap_or(0))
    }

    fn sides(&self, dice: &mut Dice) -> Vec<Vec<String>> {
        let count = dice.range(2, 3);
        let mut sides = vec![Vec::new(); usize::try_from(count).unwrap_or(2)];
        for at in 0..self.nodes {
            let side = usize::try_from(dice.below(count)).unwrap_or(0);
            if let Some(side) = sides.get_mut(side) {
                side.push(name(at));
            }
        }
        sides
    }
}

/// What the owner wrote before everything died waits at Telegram until somebody is back.
fn blackout(t: u64, dice: &mut Dice) -> Vec<Timed> {
    let back_ms = dice.range(20_000, 300_000);
    let say = |t: u64| timed(t, Act::Say { text: "/nodes".to_owned() });
    let restart = timed(t, Act::RestartAll { back_s: super::world::seconds(back_ms) });
    vec![say(t - dice.range(1, 1_500)), restart, say(t + dice.below(back_ms)), say(t + dice.below(back_ms))]
}

/// A wall clock that is off for a while.
fn wall(node: String, t: u64, for_s: f64, dice: &mut Dice) -> Vec<Timed> {
    let off_s = *dice.pick(&[1.0, 5.0, 25.0, 40.0, 3_600.0, -5.0, -40.0, -3_600.0]).unwrap_or(&0.0);
    let mut acts = vec![
        timed(t, Act::Wall { node: node.clone(), off_s }),
        timed(t + ms_of(for_s), Act::Wall { node: node.clone(), off_s: 0.0 }),
    ];
    if off_s <= -3_600.0 && dice.one_in(2) {
        // A machine that stands still right after: its own clocks tell of it less than otherwise. Were the wall clock off by no more
        // than the pause and set right within it, neither of them would tell of it at all.
        acts.push(timed(t + dice.range(20, 1_500), Act::Suspend { node, for_s: pause(dice) }));
    }
    acts
}

fn burst(t: u64, dice: &mut Dice) -> Vec<Timed> {
    let within = dice.range(1_000, 10_000);
    (0..dice.range(20, 60)).map(|_| timed(t + dice.below(within), look(dice))).collect()
}

fn timed(t: u64, act: Act) -> Timed {
    Timed { s: super::world::seconds(t), act }
}

fn trouble(drop: u64, late: u64, by_s: f64, twice: u64, for_s: f64) -> Act {
    let whole = |percent: u64| tenths(percent * 10);
    Act::Trouble { drop: whole(drop), late: whole(late), by_s, twice: whole(twice), for_s }
}

/// One node, or every node, is up to a second away.
fn far(node: String, for_s: f64, dice: &mut Dice) -> Act {
    let round_trip_s = tenths(dice.range(34, 100)) / 10.0;
    let loss = *dice.pick(&[0.0, 1.0, 5.0]).unwrap_or(&0.0);
    Act::Far { node: dice.one_in(2).then_some(node), round_trip_s, loss, for_s: Some(for_s) }
}

fn look(dice: &mut Dice) -> Act {
    let button = *dice.pick(&[Button::List, Button::Card, Button::Help, Button::Any]).unwrap_or(&Button::List);
    match dice.below(4) {
        0 => Act::Say { text: "/nodes".to_owned() },
        1 => Act::Say {
            text: dice.pick(&["/help", "/invite 15m", "/lang ru", "what?"]).copied().unwrap_or("/help").to_owned(),
        },
        _ => Act::Press { button, node: None },
    }
}

fn reach(dice: &mut Dice) -> Reach {
    *dice
        .pick(&[Reach::Refused, Reach::Silent, Reach::Slow, Reach::Late, Reach::Broken, Reach::Busy])
        .unwrap_or(&Reach::Silent)
}

/// Shorter and longer than the TTL.
fn pause(dice: &mut Dice) -> f64 {
    tenths(if dice.one_in(2) { dice.range(2, 60) } else { 30 + dice.around(200) })
}

fn back(dice: &mut Dice) -> Option<f64> {
    Some(tenths(dice.range(3, 30) + dice.around(150)))
}

fn tenths(of_a_second: u64) -> f64 {
    super::world::seconds(of_a_second * 100)
}

fn ms_of(seconds: f64) -> u64 {
    super::act::ms(seconds)
}

/// The network has found itself by then.
const BEGIN_MS: u64 = 15_000;

/// What can come in the moment of an order.
const AT_THAT_MOMENT: [Fault; 16] = [
    Fault::Cut,
    Fault::OneWay,
    Fault::Flap,
    Fault::Drop,
    Fault::Delay,
    Fault::Freeze,
    Fault::Suspend,
    Fault::Crash,
    Fault::Torn,
    Fault::LostWrite,
    Fault::Power,
    Fault::Stop,
    Fault::Telegram,
    Fault::InPlace,
    Fault::Far,
    Fault::DiskFull,
];
