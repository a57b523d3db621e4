//! x

pub mod telegram;
