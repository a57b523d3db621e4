//! What a newer version wrote into a document that this version reads: kept as it is, and written again (S7).

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::{MORE_BYTES, MORE_DEPTH};

/// The fields of an object that this version does not know, or a whole object of a kind that it does not know.
///
/// Whole numbers keep their value up to 64 bits. A new field that needs more is written as a text.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct More(BTreeMap<String, Value>);

impl More {
    /// No unknown field.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether there is no unknown field.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// A field that is a text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// Its length as JSON, bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // A map of texts to JSON values is always written; one that were not would be refused for its length.
        serde_json::to_vec(self).map_or(usize::MAX, |text| text.len())
    }

    /// Whether it is as small as what members may make each other keep: at most [`MORE_BYTES`] long and [`MORE_DEPTH`] deep.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.0.values().all(|value| is_shallow(value, MORE_DEPTH)) && self.bytes() <= MORE_BYTES
    }

    /// The object itself where its tag names none of the `known` kinds. One of a known kind would have been read, were it not damaged.
    pub(crate) fn of_another<E: serde::de::Error>(self, tag: &str, known: &[&str]) -> Result<Self, E> {
        match self.text(tag) {
            Some(kind) if !known.contains(&kind) => Ok(self),
            Some(kind) => Err(E::custom(format_args!("a {kind} is not so"))),
            None => Err(E::missing_field("kind")),
        }
    }

    /// The value as one object; None where it is no object.
    pub(crate) fn of(value: &impl Serialize) -> Option<Self> {
        match serde_json::to_value(value) {
            Ok(Value::Object(fields)) => Some(Self(fields.into_iter().collect())),
            Ok(_) | Err(_) => None,
        }
    }

    /// The object as a value of this type.
    pub(crate) fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.0.clone().into_iter().collect()))
    }

    /// Without the fields that `known` has.
    pub(crate) fn without(mut self, known: &Self) -> Self {
        self.0.retain(|field, _| !known.0.contains_key(field));
        self
    }

    /// With the fields of `other` that it lacks.
    pub(crate) fn with(mut self, other: &Self) -> Self {
        for (field, value) in &other.0 {
            self.0.entry(field.clone()).or_insert_with(|| value.clone());
        }
        self
    }
}

/// Names only: a value may be a secret (S3).
impl fmt::Debug for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn is_shallow(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return false };
    match value {
        Value::Array(values) => values.iter().all(|value| is_shallow(value, below)),
        Value::Object(fields) => fields.values().all(|value| is_shallow(value, below)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
