//! A method's parameters, whatever body they came in: names and texts, and uploaded files.

use std::collections::BTreeMap;
use std::str::FromStr;

/// The parameters of one call.
#[derive(Clone, Debug, Default)]
pub struct Args {
    fields: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Args {
    /// Adds a text; a name that is there already keeps its first value.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.fields.entry(name.into()).or_insert_with(|| value.into());
    }

    /// Adds a file of a multipart body.
    pub fn add_file(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.files.insert(name.into(), bytes);
    }

    /// The same with one more text, for tests and for callers in the process.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.add(name, value.to_string());
        self
    }

    /// The same with one more file.
    #[must_use]
    pub fn with_file(mut self, name: &str, bytes: &[u8]) -> Self {
        self.add_file(name, bytes.to_vec());
        self
    }

    /// The text, "" where it is missing: Telegram makes no difference.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// The text, where it is there and not empty.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The number; `None` where it is missing or none, which Telegram answers with the default.
    #[must_use]
    pub fn number<N: FromStr>(&self, name: &str) -> Option<N> {
        self.text(name).trim().parse().ok()
    }

    /// Telegram's idea of a boolean: `true`, `yes`, `1`, in any case.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.text(name).trim().to_ascii_lowercase().as_str(), "true" | "yes" | "1")
    }

    /// The uploaded file that a value means: `attach://name`, or the part with the field's own name.
    #[must_use]
    pub fn file(&self, field: &str, value: &str) -> Option<&[u8]> {
        let name = match value.strip_prefix("attach://") {
            Some(name) => name,
            None if value.is_empty() => field,
            None => return None,
        };
        self.files.get(name).map(Vec::as_slice)
    }
}
