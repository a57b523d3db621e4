//! Telegram for the shell: the Bot API client, and the core's screens as its texts and buttons.
//!
//! Types and payloads are teloxide's; the requests are sent by [`client::Telegram`] itself, because teloxide sleeps ten seconds inside a
//! request on a 5xx, polls in a way that evicts a successor (FACTS), and prints the token in its errors.

pub mod client;
mod error;
pub mod render;
pub mod text;
mod update;

#[cfg(test)]
mod tests;
