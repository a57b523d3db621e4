//! What holds for every room: the order of answers, buttons, screens on their way, and what comes late.

mod buttons;
mod late;
mod order;
mod property;
mod room;
mod show;
