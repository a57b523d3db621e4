//! The rooms of the bot: one folder or file a feature, and its line here. Rooms lead to each other through `ways` alone.

pub mod alerts;
pub mod card;
pub mod charts;
pub mod invite;
pub mod list;
pub mod nodes;
pub mod reboot;
pub mod settings;
pub mod speedtest;
mod status;
#[cfg(test)]
mod tests;
pub mod thresholds;
pub mod ways;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::desk::dialogue::{Dialogue, Settings};
use super::desk::room::Room;
use super::kit::say::Key;
use super::{desk, kit};

/// Every room. The command menu has their commands in this order, and a text that is no command is for the first that it fits.
fn all(seed: [u8; 32]) -> Vec<Box<dyn Room>> {
    alloc::vec![
        Box::new(list::ListRoom),
        Box::new(status::StatusRoom),
        Box::new(alerts::AlertsRoom),
        Box::new(card::CardRoom),
        Box::new(charts::ChartsRoom),
        Box::new(speedtest::SpeedtestRoom),
        Box::new(reboot::RebootRoom::new(seed)),
        Box::new(nodes::NodesRoom::new(seed)),
        Box::new(invite::InviteRoom::default()),
        Box::new(thresholds::ThresholdsRoom),
        Box::new(settings::SettingsRoom::default()),
    ]
}

/// Every text of the bot, in the order of their names.
#[must_use]
pub fn words() -> Vec<Key> {
    let shared = [kit::words::ALL, desk::words::ALL];
    let mut all: Vec<Key> = shared.into_iter().flatten().copied().collect();
    all.extend(self::all([0; 32]).iter().flat_map(|room| room.words()).copied());
    all.sort_unstable();
    all
}

/// The dialogue with all rooms, which serves nobody yet.
#[must_use]
pub fn dialogue(settings: Settings) -> Dialogue {
    Dialogue::new(settings.language, all(settings.seed), list::home)
}
