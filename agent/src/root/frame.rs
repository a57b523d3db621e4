//! What passes between front and root part: an [`Ask`] goes down, a [`Record`] comes up for each; the ledger's rows are records too. Their
//! bytes in memory are their bytes in the socket: what holds power needs no parser but zerocopy's derived check of length and enums.

use constella_shared::limits::REBOOT_STDERR_BYTES;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// What the front can ask for. There is nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u32)]
pub(crate) enum Verb {
    Look = 1,
    LastReboot = 2,
    Speedtest = 3,
    Reboot = 4,
}

/// One request: when the reboot is too late (CLOCK_BOOTTIME), whose request it is, a verb and a command id.
#[derive(Debug, Clone, Copy, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Ask {
    pub(crate) not_after_ms: u64,
    pub(crate) uid: u32,
    pub(crate) verb: Verb,
    pub(crate) id: [u8; 32],
}

/// How far a command came. From `TooSoon` on, nothing was stored or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u32)]
pub(crate) enum State {
    NoneYet = 0,
    Started = 1,
    Accepted = 2,
    Failed = 3,
    TooLate = 4,
    TooSoon = 5,
    Busy = 6,
    Disabled = 7,
    NotStored = 8,
}

/// One command: when it was taken, in which boot; its exit status or -1; the end of its standard error.
#[derive(Debug, Clone, Copy, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Record {
    pub(crate) ask: Ask,
    pub(crate) taken_ms: u64,
    pub(crate) boot_id: [u8; 36],
    pub(crate) state: State,
    pub(crate) status: i64,
    pub(crate) stderr: [u8; REBOOT_STDERR_BYTES],
}
