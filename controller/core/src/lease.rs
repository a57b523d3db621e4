//! The lease (DESIGN 5, L1 to L7): who may poll Telegram.
//!
//! A [`voter::Voter`] grants, a [`claim::Claim`] gathers grants, [`seen::Seen`] is what everybody else knows of the outcome, [`durable::Durable`]
//! is what none of them may forget.

pub mod claim;
pub mod durable;
pub mod seen;
pub mod voter;
