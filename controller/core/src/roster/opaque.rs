//! S7: records of kinds that this version does not know, and of kinds of which there are many. They are kept and passed on, and bounded, so that
//! tolerance is no door.

use alloc::collections::BTreeMap;

use constella_shared::ids::NodeId;
use constella_shared::limits::{OPAQUE_BYTES, OPAQUE_BYTES_OF_ONE, OPAQUE_RECORDS, RECORD_NAME_BYTES};
use constella_shared::wire::records::{NetRecord, NetValue};

use super::Roster;
use super::merge::{Refusal, TOO_MUCH};

/// What the opaque records that are held take, by writer.
#[derive(Debug, Default)]
pub(super) struct Opaque {
    by_writer: BTreeMap<NodeId, Load>,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Load {
    records: usize,
    bytes: usize,
}

/// Whether there may be many like it: of an unknown kind, of one that there is for each node, one more of a kind that this version has one of,
/// or a mark of no node.
pub(super) fn is_opaque(record: &NetRecord) -> bool {
    match record.value {
        NetValue::Other(_) => true,
        NetValue::Leaving {} => super::leaving::leaves(record).is_none(),
        NetValue::Owner { .. }
        | NetValue::Token { .. }
        | NetValue::Message { .. }
        | NetValue::Language { .. }
        | NetValue::Bot { .. }
        | NetValue::AlertRule { .. }
        | NetValue::QuietHours { .. }
        | NetValue::Alert(_) => record.which.is_some(),
    }
}

impl Opaque {
    /// Books that a record takes the place of another one with its name.
    pub(super) fn change(&mut self, old: Option<&NetRecord>, new: &NetRecord) {
        old.into_iter().for_each(|old| self.leave(old));
        if is_opaque(new) {
            let load = self.by_writer.entry(new.stamp.node).or_default();
            load.records = load.records.saturating_add(1);
            load.bytes = load.bytes.saturating_add(bytes(new));
            self.bytes = self.bytes.saturating_add(bytes(new));
        }
    }

    /// Books that a record is held no longer.
    pub(super) fn leave(&mut self, old: &NetRecord) {
        if is_opaque(old) {
            let load = self.by_writer.entry(old.stamp.node).or_default();
            load.records = load.records.saturating_sub(1);
            load.bytes = load.bytes.saturating_sub(bytes(old));
            self.bytes = self.bytes.saturating_sub(bytes(old));
        }
    }

    /// Whether the record fits in the place of the one with its name.
    fn has_room(&self, old: Option<&NetRecord>, new: &NetRecord) -> bool {
        let writer = new.stamp.node;
        let load = self.by_writer.get(&writer).copied().unwrap_or_default();
        let freed = old.filter(|old| is_opaque(old)).map_or(0, bytes);
        let own = old.is_some_and(|old| is_opaque(old) && old.stamp.node == writer);
        let (own_freed, one_less) = if own { (freed, 1) } else { (0, 0) };
        let size = bytes(new);
        load.records.saturating_sub(one_less) < OPAQUE_RECORDS
            && load.bytes.saturating_sub(own_freed).saturating_add(size) <= OPAQUE_BYTES_OF_ONE
            && self.bytes.saturating_sub(freed).saturating_add(size) <= OPAQUE_BYTES
    }
}

impl Roster {
    /// What can be known of a record without knowing its kind.
    pub(super) fn check_opaque(&self, record: &NetRecord) -> Result<(), Refusal> {
        let kind = record.value.kind();
        let which = record.which.as_deref().unwrap_or_default();
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if kind.is_empty() || !kind.chars().all(is_word) || which.chars().any(char::is_control) {
            return Err(Refusal::Unsound("its kind is no word"));
        }
        if kind.len().saturating_add(which.len()) > RECORD_NAME_BYTES {
            return Err(Refusal::Unsound("its name is too long"));
        }
        if matches!(&record.value, NetValue::Other(value) if !value.is_bounded()) {
            return Err(Refusal::Unsound(TOO_MUCH));
        }
        if !self.owners.contains_key(&record.stamp.node) {
            return Err(Refusal::UnknownNode);
        }
        let held = self.net.get(&record.name());
        if self.opaque.has_room(held, record) { Ok(()) } else { Err(Refusal::TooMany) }
    }
}

/// Of its content; the rest has a bound of its own.
fn bytes(record: &NetRecord) -> usize {
    let value = if let NetValue::Other(value) = &record.value { value.bytes() } else { 0 };
    value.saturating_add(record.more.bytes()).saturating_add(record.more_in_value.bytes())
}
