//! The demo: the newcomer's first minute.

pub mod nodes;
pub mod page;
pub mod story;
