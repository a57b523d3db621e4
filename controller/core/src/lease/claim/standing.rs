//! What a claim is worth at a moment.

/// What the claim is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No claim, or no answer that decides.
    Open,
    /// L2: grants from a majority of each list, until then.
    Strong {
        /// By this node's CLOCK_BOOTTIME.
        until: u64,
    },
    /// L2: every voter that answered granted, but there is no majority. `reached` is false where none answered at all.
    Weak {
        /// Whether any voter granted.
        reached: bool,
    },
    /// A rival has a majority, more grants, or as many and a better LeaderKey: give ours back, and do not claim before then.
    GiveWay {
        /// By this node's CLOCK_BOOTTIME: when a holder's grant runs out, or a rival claimant has had its chance.
        until: u64,
    },
}
