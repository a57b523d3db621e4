//! What the bot says, by key: the words are the shell's, in every language; the core names a key and fills its slots.

use alloc::string::String;
use alloc::vec::Vec;

/// Declares the keys with the slots that each one's text must have.
macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident ($($slot:ident),*)),* $(,)?) => {
        /// Names a text of the bot.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $($(#[$doc])* $key,)*
        }

        impl Key {
            /// Every key.
            pub const ALL: &'static [Self] = &[$(Self::$key,)*];

            /// The slots that the key's text has in every language.
            #[must_use]
            pub const fn slots(self) -> &'static [&'static str] {
                match self {
                    $(Self::$key => &[$(stringify!($slot)),*],)*
                }
            }
        }
    };
}

keys! {
    /// Button: read again.
    Refresh(),
    /// Button: start a speedtest.
    Speedtest(),
    /// Button: ask for a reboot.
    Reboot(),
    /// Button: do reboot.
    RebootYes(),
    /// Button: rather not.
    Cancel(),
    /// Button: to the list.
    ToList(),
    /// Button: to the card.
    ToCard(),
    /// Button: the help.
    Help(),
    /// Title of the list.
    ListTitle(alive, total),
    /// The list of a network without nodes: cannot be, but must not be blank.
    ListEmpty(),
    /// The mark of the leader.
    Leader(),
    /// Status of a node.
    Alive(),
    /// Status of a node.
    Left(),
    /// When a node was last heard.
    LastSeen(ago),
    /// A node that was never heard by this leader.
    NeverSeen(),
    /// Label on a card: when a node was last heard.
    DownSince(since, ago),
    /// The same where this leader never heard it: at least since this leader runs.
    DownBefore(since, ago),
    /// The same of a node that was stopped.
    StoppedSince(since, ago),
    /// The leader lacks voters.
    VotersMissing(missing, total, needed),
    /// Label on a card.
    Cpu(),
    /// Label on a card.
    Memory(),
    /// Label on a card.
    Swap(),
    /// Label on a card.
    Disk(),
    /// Label on a card.
    Load(),
    /// Label on a card.
    Uptime(),
    /// Label on a card: of the last heartbeat.
    RoundTrip(),
    /// Label on a card.
    Network(),
    /// Label on a card: a graph over hours.
    Hours(hours),
    /// Label on a card: mean.
    Average(),
    /// Label on a card: largest.
    Peak(),
    /// Label on a card.
    LastSpeedtest(),
    /// No speedtest was run yet.
    NoSpeedtest(),
    /// The last speedtest failed.
    SpeedtestFailedShort(why),
    /// A speedtest is on its way.
    SpeedtestRunningShort(),
    /// There is no series yet.
    NoHistory(),
    /// The versions of the node's programs.
    Versions(controller, agent),
    /// A card without figures.
    NoFigures(why),
    /// Figures on a card that are older than two samples.
    FiguresOld(ago),
    /// A card whose figures are still on their way.
    Loading(),
    /// Label of a speedtest.
    Latency(),
    /// Label of a speedtest.
    Jitter(),
    /// Label of a speedtest.
    Download(),
    /// Label of a speedtest.
    Upload(),
    /// Title of a speedtest.
    SpeedtestTitle(name),
    /// A speedtest is being asked for.
    SpeedtestAsked(name),
    /// Phase.
    PhaseLatency(),
    /// Phase.
    PhaseDownload(),
    /// Phase.
    PhaseUpload(),
    /// A speedtest ended well.
    SpeedtestDone(name),
    /// The same in one line, while the owner looks at something else.
    SpeedtestNotice(name, download, upload),
    /// A speedtest ended with an error.
    SpeedtestFailed(name, why),
    /// A speedtest did not end in time, or the node went away.
    SpeedtestLost(name, waited),
    /// A speedtest of another leader, whose result cannot be found.
    SpeedtestUnknown(name, via),
    /// The confirmation of a reboot.
    ConfirmReboot(name, seconds),
    /// The confirmation of a reboot of the leader itself.
    ConfirmRebootLeader(name, seconds),
    /// The same where no other node could serve the owner meanwhile.
    ConfirmRebootAlone(name, seconds),
    /// Toast: the one-time button's time is over.
    ConfirmExpired(),
    /// A confirmation that was not pressed in time.
    ConfirmOver(name),
    /// Toast: the one-time button was pressed before, or a newer one took its place.
    ConfirmUsed(),
    /// Toast: another leader showed the one-time button.
    ConfirmElsewhere(),
    /// Another leader showed the one-time button, and may have taken the press and given the order.
    ConfirmTaken(name),
    /// A reboot is being asked for.
    RebootAsking(name),
    /// The host took the command; it still answers.
    RebootGoing(name, waited),
    /// The host does not answer: it is on its way down or up.
    RebootAway(name, waited),
    /// It is not known whether the host took the command.
    RebootUnsure(name, why),
    /// Another leader asked, and is gone.
    RebootViaGone(name, via),
    /// Another leader asked, and leads no longer.
    RebootVia(name, via),
    /// From a node that was removed: commands that it alone had in hand.
    Farewell(name, count),
    /// This node asked in an earlier life or an earlier lease.
    RebootSelf(name),
    /// The host answers, and it is not known whether it took the command.
    RebootStillUp(name, waited),
    /// The host has another boot id.
    RebootBack(name, took),
    /// The same where nobody knows how long it took.
    RebootBackSometime(name),
    /// The host does not answer, and is not watched any longer.
    RebootNotBack(name, waited),
    /// The host answers, with the boot id that it had.
    RebootNotDone(name, waited),
    /// The host answers, and tells neither boot id nor uptime.
    RebootUntold(name, waited),
    /// The host's command failed.
    RebootFailed(name, why),
    /// Refused; nothing was done.
    RebootRefused(name, why),
    /// The node could not be reached; nothing was done.
    RebootNotSent(name, why),
    /// A new leader found it too late to ask.
    RebootTooLate(name),
    /// A refusal, in words.
    WhyDisabled(),
    /// A refusal, in words.
    WhyOldTerm(),
    /// A refusal, in words.
    WhyTooLate(),
    /// A refusal, in words.
    WhyBusy(),
    /// A refusal, in words.
    WhyAgentUnreachable(),
    /// A refusal, in words.
    WhyAgentFailed(message),
    /// A refusal, in words.
    WhyOther(message),
    /// No answer came.
    WhyNoAnswer(),
    /// No connection came about.
    WhyNoConnection(),
    /// An exit status and the end of standard error.
    WhyExit(status, message),
    /// A signal ended the command.
    WhySignal(message),
    /// The node does not belong to the network any longer.
    NodeGone(),
    /// Toast: a button of another version.
    UnknownButton(),
    /// Toast: a button on an older message.
    OldMessage(),
    /// Toast: Telegram lets the bot show nothing for so long (429).
    FloodWait(wait),
    /// A forwarded text that would have done something.
    Forwarded(),
    /// What a group reads.
    PrivateOnly(),
    /// Telegram refused an answer for good; its own words.
    AnswerRefused(why),
    /// What was asked while Telegram took no message.
    WhileRefused(from, to, span, asked),
    /// What was asked long ago, for whatever reason it was not answered.
    AnsweredLate(from, to, span, asked),
    /// So many more than are named.
    AndMore(count),
    /// A text that fits the names of several nodes.
    SeveralMeant(text, count),
    /// Toast: a button for what a node that is down cannot do.
    NodeDown(),
    /// `/lang` without a language.
    AskLanguage(),
    /// A text that is no command.
    UnknownText(),
    /// A newer version began it, and this one cannot know its outcome.
    OtherVersion(),
    /// The help.
    HelpText(),
    /// What the owner reads at first contact.
    Welcome(name),
    /// What a stranger reads.
    Stranger(),
    /// An invitation, above the link.
    InviteReady(ttl),
    /// An invitation, below the link.
    InviteWhatNow(),
    /// `/invite` with something that is no duration.
    InviteUsage(),
    /// `/invite` with a duration that is too short or too long.
    InviteBounds(least, most),
    /// No invitation.
    InviteFailed(why),
    /// Why there is none, in words.
    InviteTooMany(count),
    /// Why there is none, in words.
    InviteNoAddress(),
    /// In the place of an invitation: a server came in with it.
    InviteUsed(name),
    /// In the place of an invitation: nobody used it in time.
    InviteOver(),
    /// The language was changed.
    LanguageSet(),
    /// Another program polls with this token (F1).
    TokenElsewhere(),
    /// That is over.
    TokenOursAgain(),
    /// A webhook is set, so the bot gets no updates.
    WebhookSet(),
    /// That is over.
    WebhookGone(),
    /// A node stores nothing that is new.
    DiskTrouble(name, why),
    /// It does again.
    DiskAgain(name),
    /// An order, or an edit, while the node that serves stores nothing: nothing was done.
    DiskRefuses(name, why),
    /// In the list and on the card.
    DiskMark(why),
    /// Why a node stores nothing.
    WhyDiskFull(),
    /// Why a node stores nothing.
    WhyDiskReadOnly(),
    /// Why a node stores nothing.
    WhyDiskDenied(),
    /// Why a node stores nothing.
    WhyDiskFailing(),
    /// Command menu.
    MenuNodes(),
    /// Command menu.
    MenuInvite(),
    /// Command menu.
    MenuLang(),
    /// Command menu.
    MenuHelp(),
}

/// A text with its slots filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Say {
    /// Which text.
    pub key: Key,
    /// What goes into its slots.
    pub values: Vec<(&'static str, Value)>,
}

/// What goes into a slot; the shell writes it as its language does.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// As it is; escaped by the shell.
    Text(String),
    /// Another text.
    Say(Say),
    /// A number of things.
    Count(u64),
    /// A time span, milliseconds.
    Span(u64),
    /// Bits a second; None where it was not measured.
    Bits(Option<u64>),
    /// A moment of the day, unix seconds.
    Clock(u64),
    /// One after the other.
    Several(Vec<Value>),
}

impl From<Key> for Say {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

impl Say {
    /// A text without slots, or before they are filled.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self { key, values: Vec::new() }
    }

    /// Fills a slot.
    #[must_use]
    pub fn with(mut self, slot: &'static str, value: Value) -> Self {
        self.values.push((slot, value));
        self
    }

    /// Fills a slot with a text.
    #[must_use]
    pub fn text(self, slot: &'static str, text: impl Into<String>) -> Self {
        self.with(slot, Value::Text(text.into()))
    }

    /// Fills a slot with a time span in milliseconds.
    #[must_use]
    pub fn span(self, slot: &'static str, ms: u64) -> Self {
        self.with(slot, Value::Span(ms))
    }

    /// Whether exactly the slots of its key are filled, and so in the texts within it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let slots = self.key.slots();
        slots.len() == self.values.len()
            && self.values.iter().all(|(slot, value)| slots.contains(slot) && value.is_whole())
    }
}

impl Value {
    fn is_whole(&self) -> bool {
        match self {
            Self::Say(say) => say.is_whole(),
            Self::Several(values) => values.iter().all(Self::is_whole),
            Self::Text(_) | Self::Count(_) | Self::Span(_) | Self::Bits(_) | Self::Clock(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_whole_with_its_slots_and_no_others() {
        assert!(Say::new(Key::Refresh).is_whole());
        assert!(!Say::new(Key::RebootBack).is_whole());
        let said = Say::new(Key::RebootBack).text("name", "alpha").span("took", 43_000);
        assert!(said.is_whole());
        assert!(!said.text("more", "x").is_whole());
        let within = Say::new(Key::RebootFailed).text("name", "a").with("why", Value::Say(Say::new(Key::WhyExit)));
        assert!(!within.is_whole());
    }
}
