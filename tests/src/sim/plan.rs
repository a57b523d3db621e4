//! Random faults and a random owner, as a list of acts: what a seed does can be read, replayed and shortened.

use super::act::{Act, Button, Reach, Timed};
use super::dice::Dice;
use super::setup::name;

/// A kind of fault, with its own switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Messages are lost.
    Drop,
    /// Messages are late, with long tails, so that they overtake each other.
    Delay,
    /// Messages arrive twice.
    Duplicate,
    /// A link works one way only.
    OneWay,
    /// The network falls apart.
    Cut,
    /// A link comes and goes.
    Flap,
    /// A process stands still, its clocks go on.
    Freeze,
    /// A virtual machine stands still.
    Suspend,
    /// A process dies.
    Crash,
    /// A process dies in the middle of a step.
    Torn,
    /// A host loses power.
    Power,
    /// SIGTERM.
    Stop,
    /// Everything restarts at once.
    RestartAll,
    /// A wall clock jumps.
    Wall,
    /// Telegram is slow, down, silent or busy for one node.
    Telegram,
    /// The same for all.
    TelegramAll,
    /// An agent does not answer.
    Agent,
    /// The owner deletes the message.
    Message,
    /// Another program has the token.
    Stranger,
    /// A webhook is set.
    Webhook,
    /// New servers join.
    Join,
    /// The owner removes a node.
    Remove,
    /// The owner changes who should lead, or a name.
    Edit,
}

/// Every kind, with its word on the command line, and how often it comes: about once in so many seconds in a network of five.
const FAULTS: [(Fault, &str, u64); 23] = [
    (Fault::Drop, "drop", 300),
    (Fault::Delay, "delay", 300),
    (Fault::Duplicate, "duplicate", 600),
    (Fault::OneWay, "oneway", 500),
    (Fault::Cut, "cut", 300),
    (Fault::Flap, "flap", 600),
    (Fault::Freeze, "freeze", 300),
    (Fault::Suspend, "suspend", 400),
    (Fault::Crash, "crash", 200),
    (Fault::Torn, "torn", 300),
    (Fault::Power, "power", 500),
    (Fault::Stop, "stop", 300),
    (Fault::RestartAll, "restart", 2_400),
    (Fault::Wall, "wall", 900),
    (Fault::Telegram, "telegram", 300),
    (Fault::TelegramAll, "outage", 1_500),
    (Fault::Agent, "agent", 900),
    (Fault::Message, "message", 1_200),
    (Fault::Stranger, "stranger", 5_000),
    (Fault::Webhook, "webhook", 5_000),
    (Fault::Join, "join", 1_500),
    (Fault::Remove, "remove", 3_000),
    (Fault::Edit, "edit", 1_000),
];

impl Fault {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        FAULTS.iter().map(|(fault, _, _)| *fault).collect()
    }

    /// By their words, with commas between; `all` and `none` too.
    ///
    /// # Errors
    /// One sentence with the words that there are.
    pub fn read(words: &str) -> Result<Vec<Self>, String> {
        match words {
            "all" => Ok(Self::all()),
            "none" => Ok(Vec::new()),
            words => words.split(',').map(Self::read_one).collect(),
        }
    }

    fn read_one(word: &str) -> Result<Self, String> {
        let found = FAULTS.iter().find(|(_, each, _)| *each == word).map(|(fault, _, _)| *fault);
        let words: Vec<&str> = FAULTS.iter().map(|(_, word, _)| *word).collect();
        found.ok_or_else(|| format!("no fault is called {word}; there are: all, none, {}", words.join(", ")))
    }
}

/// What a random run is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All chance comes from it.
    pub seed: u64,
    /// Nodes.
    pub nodes: usize,
    /// How long, milliseconds.
    pub for_ms: u64,
    /// Which faults.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// The acts, by time.
    #[must_use]
    pub fn acts(&self) -> Vec<Timed> {
        let mut dice = Dice::new(self.seed ^ 0x0b5e_55ed);
        let mut acts = Vec::new();
        for (fault, _, every_s) in FAULTS.iter().filter(|(fault, _, _)| self.faults.contains(fault)) {
            let mut dice = dice.fork(*every_s);
            let mut t = BEGIN_MS + dice.around(every_s * 1_000);
            while t < self.for_ms {
                acts.extend(self.fault(*fault, t, &mut dice));
                t += 1_000 + dice.around(every_s * 1_000);
            }
        }
        self.owner(&mut dice, &mut acts);
        acts.sort_by(|a, b| a.s.total_cmp(&b.s));
        acts
    }

    fn fault(&self, fault: Fault, t: u64, dice: &mut Dice) -> Vec<Timed> {
        let node = self.any(dice);
        let for_s = tenths(dice.range(5, 20) + dice.around(250));
        let act = match fault {
            Fault::Drop => trouble(dice.range(1, 30), 0, 0.0, 0, for_s),
            Fault::Delay => trouble(0, dice.range(5, 60), tenths(dice.range(2, 60)), 0, for_s),
            Fault::Duplicate => trouble(0, 0, 0.0, dice.range(5, 50), for_s),
            Fault::OneWay => Act::OneWay { from: node, to: self.any(dice), for_s: Some(for_s) },
            Fault::Cut => Act::Cut { sides: self.sides(dice), for_s: Some(for_s) },
            Fault::Flap => {
                let period_s = tenths(dice.range(2, 80));
                Act::Flap { from: node, to: self.any(dice), period_s, for_s: Some(for_s) }
            }
            Fault::Freeze => Act::Freeze { node, for_s: pause(dice) },
            Fault::Suspend => Act::Suspend { node, for_s: pause(dice) },
            Fault::Crash => Act::Crash { node, back_s: back(dice), torn: false },
            Fault::Torn => Act::Crash { node, back_s: back(dice), torn: true },
            Fault::Power => Act::PowerOff { node, back_s: back(dice) },
            Fault::Stop => Act::Stop { node, back_s: back(dice) },
            Fault::RestartAll => Act::RestartAll { back_s: tenths(dice.range(1, 80)) },
            Fault::Wall => {
                let off_s = *dice.pick(&[1.0, 5.0, 25.0, 40.0, 3_600.0, -5.0, -40.0, -3_600.0]).unwrap_or(&0.0);
                return vec![
                    timed(t, Act::Wall { node: node.clone(), off_s }),
                    timed(t + ms_of(for_s), Act::Wall { node, off_s: 0.0 }),
                ];
            }
            Fault::Telegram => Act::Telegram { node: Some(node), is: reach(dice), for_s: Some(for_s) },
            Fault::TelegramAll => Act::Telegram { node: None, is: reach(dice), for_s: Some(for_s) },
            Fault::Agent => Act::AgentGone { node, for_s },
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

fn timed(t: u64, act: Act) -> Timed {
    Timed { s: super::world::seconds(t), act }
}

fn trouble(drop: u64, late: u64, by_s: f64, twice: u64, for_s: f64) -> Act {
    let whole = |percent: u64| tenths(percent * 10);
    Act::Trouble { drop: whole(drop), late: whole(late), by_s, twice: whole(twice), for_s }
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
    *dice.pick(&[Reach::Refused, Reach::Silent, Reach::Slow, Reach::Broken, Reach::Busy]).unwrap_or(&Reach::Silent)
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
