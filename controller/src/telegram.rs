//! Telegram for the shell: the Bot API client, and the core's screens as its texts and buttons.
//!
//! Payloads are teloxide's; what comes in is read by types of our own, because teloxide fails a whole message for one kind that it does not
//! know. The requests are sent by [`client::Telegram`] itself, because teloxide sleeps ten seconds inside a request on a 5xx, polls in a way
//! that evicts a successor (FACTS), and prints the token in its errors.

pub mod client;
mod error;
mod fields;
pub mod render;
pub mod text;
mod unknown;
mod update;

#[cfg(test)]
mod tests;
