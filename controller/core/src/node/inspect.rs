//! A look at a node from outside, which changes nothing: for the simulator's rules, and for whoever wants to know how a node is.

use constella_shared::ids::{LeaderKey, Term};
use constella_shared::wire::heartbeat::Digest;
use constella_shared::wire::lease::LeaseView;
use constella_shared::wire::records::VotersMark;

use super::Node;
use crate::clock::Now;
use crate::io::{BotState, DocumentName};

/// How a node is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Its own lease.
    pub lease: Option<LeaseView>,
    /// As a voter: to whom it granted, in which term, until when by its CLOCK_BOOTTIME.
    pub grant: Option<(LeaderKey, Term, u64)>,
    /// What it does at the bot.
    pub bot: BotState,
    /// R3: over all records that it holds.
    pub roster: Digest,
    /// M1: over its view of the members.
    pub view: Digest,
    /// Which voter record it goes by.
    pub voters: VotersMark,
    /// Members that it sees alive, itself included.
    pub alive: usize,
    /// Whether commands are open here.
    pub open_commands: bool,
    /// L1: whether the disk has the vote as it is. A grant that it does not have was refused to its holder.
    pub vote_is_stored: bool,
}

impl Node {
    /// How this node is.
    #[must_use]
    pub fn inspect(&self, now: Now) -> Inspection {
        Inspection {
            lease: self.my_lease(now).filter(|view| view.left_ms > 0),
            grant: self.voter.granted(now),
            bot: self.bot_state(),
            roster: self.roster.digest(),
            view: self.membership.digest(),
            voters: self.roster.voters().mark,
            alive: self.membership.alive(),
            open_commands: self.commands.any_open(),
            vote_is_stored: !self.disk.is_behind(DocumentName::Vote),
        }
    }
}
