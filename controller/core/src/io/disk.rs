//! The state folder as the core sees it: which document, and what is wrong with the disk.

use constella_shared::wire::heartbeat::DiskTrouble;

use super::Document;

/// Which state file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentName {
    /// `vote.json`.
    Vote,
    /// `network_state.json`.
    Network,
    /// `invites.json`.
    Invites,
    /// `commands.json`.
    Commands,
}

/// Why state cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// ENOSPC, EDQUOT: no space, no inode, or the quota is used up.
    Full,
    /// EROFS: the file system is mounted read-only.
    ReadOnly,
    /// EACCES, EPERM: the folder does not belong to this process any more.
    Denied,
    /// EIO and everything else.
    Failing,
}

impl Document {
    /// Which one it is.
    #[must_use]
    pub const fn name(&self) -> DocumentName {
        match self {
            Self::Network(_) => DocumentName::Network,
            Self::Invites(_) => DocumentName::Invites,
            Self::Vote(_) => DocumentName::Vote,
            Self::Commands(_) => DocumentName::Commands,
        }
    }
}

impl Trouble {
    /// For the log and the operator.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Full => "its disk is full",
            Self::ReadOnly => "its disk is read-only",
            Self::Denied => "it may not write to its state folder",
            Self::Failing => "its disk fails",
        }
    }

    /// As a heartbeat has it.
    #[must_use]
    pub const fn to_wire(self) -> DiskTrouble {
        match self {
            Self::Full => DiskTrouble::Full,
            Self::ReadOnly => DiskTrouble::ReadOnly,
            Self::Denied => DiskTrouble::Denied,
            Self::Failing => DiskTrouble::Failing,
        }
    }

    /// From a heartbeat.
    #[must_use]
    pub const fn of_wire(trouble: DiskTrouble) -> Self {
        match trouble {
            DiskTrouble::Full => Self::Full,
            DiskTrouble::ReadOnly => Self::ReadOnly,
            DiskTrouble::Denied => Self::Denied,
            DiskTrouble::Failing => Self::Failing,
        }
    }
}
