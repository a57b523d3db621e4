//! The Bot API double: an honest model of Telegram's server, on the network, with faults on request.

pub mod model;
pub mod owner;
pub mod server;
pub mod view;

pub use model::png_of as png;
