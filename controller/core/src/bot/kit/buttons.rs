//! Buttons that many screens have.

use super::page::{Button, Label};
use super::press::Press;
use super::say::Key;

/// A button with a text.
#[must_use]
pub fn button(label: Key, press: Press) -> Button {
    Button { label: Label::Text(label), press }
}
