//! An ask, as the claim remembers it.

use constella_shared::ids::Term;
use constella_shared::wire::lease::Strength;

use crate::clock::Now;

/// What the asking node holds already, for the voters' own view of the lease.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holds {
    /// Weak or strong; None while it only claims.
    pub held: Option<Strength>,
    /// Whether it polls.
    pub polling: bool,
}

/// An ask as it was sent: what its answer is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AskSent {
    /// Both clocks right before it was sent.
    pub sent: Now,
    /// Its term.
    pub term: Term,
}
