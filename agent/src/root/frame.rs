//! What passes between front and root part, in rows of fixed size: an [`Ask`] goes down, a [`Record`] comes up. The ledger keeps records.

use crate::row::{byte_enum, sealed_row};

byte_enum! {
    /// What the front can ask for. There is nothing else.
    Verb {
        /// Look at the host's name and mounts.
        Look = 1,
        Reboot = 2,
        Speedtest = 3,
    }
}

byte_enum! {
    /// How far a command came. The first four are stored; the others are refusals that changed nothing.
    State {
        /// Stored, and begun.
        Started = 1,
        /// Ended well.
        Accepted = 2,
        /// Ended badly, or could not begin.
        Failed = 3,
        /// Stored, but the deadline was past before the act; or past at once, and not stored.
        TooLate = 4,
        /// The last reboot is too near.
        TooSoon = 5,
        /// Another of the kind is on its way.
        Busy = 6,
        /// The operator switched the verb off.
        Disabled = 7,
        /// The command id could not be stored, so nothing was begun.
        NotStored = 8,
    }
}

sealed_row! {
    /// One request: a verb, a command id, two numbers.
    Ask {
        verb: Verb,
        id: [u8; 32],
        /// The act is refused from this moment of CLOCK_BOOTTIME on (reboot only).
        not_after_ms: u64,
        /// Whose request it is, for the audit line.
        uid: u64,
    }
}

sealed_row! {
    /// One command and how far it came.
    Record {
        verb: Verb,
        state: State,
        id: [u8; 32],
        uid: u64,
        /// Counts the stored commands from 1, and so gives the place in the ledger.
        seq: u64,
        /// When it was taken, on CLOCK_BOOTTIME of the boot named next.
        taken_ms: u64,
        boot_id: [u8; 36],
        /// The exit status plus one; 0 where there is none.
        status: u64,
        /// The end of standard error, filled up with zeros.
        stderr: [u8; constella_shared::limits::REBOOT_STDERR_BYTES],
    }
}

impl Ask {
    /// The record of a command that is taken now.
    pub(super) fn record(&self, taken_ms: u64) -> Record {
        let Self { verb, id, uid, .. } = *self;
        Record { verb, state: State::Started, id, uid, seq: 0, taken_ms, boot_id: [0; _], status: 0, stderr: [0; _] }
    }
}

impl Record {
    pub(crate) fn exit_status(&self) -> Option<i32> {
        self.status.checked_sub(1)?.try_into().ok()
    }

    /// Standard error, for a person.
    pub(crate) fn message(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim_matches(['\0', '\n']).to_owned()
    }
}
