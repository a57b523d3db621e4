//! The kinds of faults that a random run is made of, each with its own switch and its own rate.

/// A kind of fault, with its own switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Messages are lost.
    Drop,
    /// Messages are late, with long tails.
    Delay,
    /// Messages of a moment overtake each other.
    Reorder,
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
    /// A process dies, and what it wrote last is not on the disk.
    LostWrite,
    /// A host loses power.
    Power,
    /// SIGTERM.
    Stop,
    /// Everything restarts at once.
    RestartAll,
    /// Everything dies and stays away for long, and the owner wrote before and meanwhile.
    Blackout,
    /// Boot clocks run up to 1 % apart from true time, for the whole run.
    Drift,
    /// A wall clock jumps.
    Wall,
    /// Telegram is slow, down, silent or busy for one node.
    Telegram,
    /// The same for all.
    TelegramAll,
    /// The connection of a parked poll dies, and neither end is told.
    HalfOpen,
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
    /// A server joins, a node is removed, and the order changes, on the sides of a cut.
    Aside,
    /// Some dozens of commands within seconds.
    Burst,
    /// The owner sleeps.
    Idle,
    /// A process dies and is started again in place, within a second.
    InPlace,
    /// Telegram takes no message for minutes, while polls work.
    Mute,
    /// One node, or every node, is far away from the others: 340 to 1,000 ms there and back, some packets are lost, and each dial takes two round trips.
    Far,
    /// A reboot or a speedtest is confirmed, and in that moment something happens to who has it in hand, to its target, or between them.
    Moment,
    /// A disk runs full, or takes no write at all.
    DiskFull,
}

/// A kind of fault, and about once in how many seconds it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Which.
    pub fault: Fault,
    /// Seconds between two, on average.
    pub every_s: u64,
}

/// Every kind, with its word on the command line, and about once in how many seconds it comes.
pub(super) const FAULTS: [(Fault, &str, u64); 36] = [
    (Fault::Drop, "drop", 300),
    (Fault::Delay, "delay", 300),
    (Fault::Reorder, "reorder", 600),
    (Fault::Duplicate, "duplicate", 600),
    (Fault::OneWay, "oneway", 500),
    (Fault::Cut, "cut", 300),
    (Fault::Flap, "flap", 600),
    (Fault::Freeze, "freeze", 300),
    (Fault::Suspend, "suspend", 400),
    (Fault::Crash, "crash", 200),
    (Fault::Torn, "torn", 300),
    (Fault::LostWrite, "lostwrite", 600),
    (Fault::Power, "power", 500),
    (Fault::Stop, "stop", 300),
    (Fault::RestartAll, "restart", 2_400),
    (Fault::Blackout, "blackout", 5_000),
    (Fault::Drift, "drift", 1),
    (Fault::Wall, "wall", 900),
    (Fault::Telegram, "telegram", 300),
    (Fault::TelegramAll, "outage", 1_500),
    (Fault::HalfOpen, "halfopen", 600),
    (Fault::Agent, "agent", 900),
    (Fault::Message, "message", 1_200),
    (Fault::Stranger, "stranger", 5_000),
    (Fault::Webhook, "webhook", 5_000),
    (Fault::Join, "join", 1_500),
    (Fault::Remove, "remove", 3_000),
    (Fault::Edit, "edit", 1_000),
    (Fault::Aside, "aside", 2_500),
    (Fault::Burst, "burst", 1_500),
    (Fault::Idle, "idle", 5_000),
    (Fault::Moment, "moment", 600),
    (Fault::InPlace, "inplace", 300),
    (Fault::Mute, "mute", 1_500),
    (Fault::Far, "far", 600),
    (Fault::DiskFull, "fulldisk", 900),
];

impl Fault {
    /// All of them, at their usual rates.
    #[must_use]
    pub fn all() -> Vec<Rate> {
        FAULTS.iter().map(|(fault, _, every_s)| Rate { fault: *fault, every_s: *every_s }).collect()
    }

    /// By their words, with commas between, each with its own rate if wanted: `cut,join=600` is a join about once in 600 s. Also `all` and `none`.
    ///
    /// # Errors
    /// One sentence with the words that there are.
    pub fn read(words: &str) -> Result<Vec<Rate>, String> {
        match words {
            "all" => Ok(Self::all()),
            "none" => Ok(Vec::new()),
            words => words.split(',').map(Self::read_one).collect(),
        }
    }

    fn read_one(word: &str) -> Result<Rate, String> {
        let (word, rate) = word.split_once('=').map_or((word, None), |(word, rate)| (word, Some(rate)));
        let Some((fault, _, usual)) = FAULTS.iter().find(|(_, each, _)| *each == word) else {
            let words: Vec<&str> = FAULTS.iter().map(|(_, word, _)| *word).collect();
            return Err(format!("no fault is called {word}; there are: all, none, {}", words.join(", ")));
        };
        let every_s = rate.map_or(Ok(*usual), str::parse);
        let every_s = every_s.ok().filter(|every_s| *every_s > 0);
        let every_s = every_s.ok_or_else(|| format!("{word}= wants whole seconds from one to the next, 1 or more"))?;
        Ok(Rate { fault: *fault, every_s })
    }
}
