//! The demo: the newcomer's first minute.

pub mod page;
