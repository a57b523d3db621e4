//! S7: a build of protocol 1 refuses a state file with anything that it does not know, so the file itself has what that build reads, and the whole document
//! stands in `<name>.whole` beside it. That one counts as long as it belongs to the file: a build that wrote the file since knows better.

use std::path::{Path, PathBuf};

use constella_shared::state::Plain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{StateError, file};

/// The whole document.
#[derive(Serialize, Deserialize)]
struct Whole<T> {
    /// SHA-256 of the file that it belongs to, hex.
    of: String,
    state: T,
}

/// Replaces a state file, and what stands beside it. The whole goes first: where the power fails between the two, the file still has the whole before as
/// the previous copy.
///
/// # Errors
/// [`StateError::Write`].
pub(super) fn replace<T: Plain>(path: &Path, state: &T) -> Result<(), StateError> {
    let plain = state.plain();
    let content = text(path, &plain)?;
    let beside = whole(path);
    if plain != *state {
        let whole = Whole { of: hash(&content), state: state.clone() };
        file::replace(&beside, &text(&beside, &whole)?)?;
    } else {
        for stale in [file::previous(&beside), beside] {
            file::remove(&stale)?;
        }
    }
    file::replace(path, &content)
}

/// Takes the room for the next [`replace`] of a document of today's size.
///
/// # Errors
/// The system's own; nothing is lost by them.
pub(super) fn take_room(path: &Path) -> std::io::Result<()> {
    file::take_room(path)?;
    let beside = whole(path);
    if beside.exists() {
        return file::take_room(&beside);
    }
    // The first that is written may be a grant of the vote, on a disk that is full by then.
    let bytes = usize::try_from(std::fs::metadata(path)?.len()).unwrap_or(usize::MAX);
    file::reserve(&beside, bytes.saturating_add(MORE_BYTES))
}

/// The whole document of a file with this content; None where the file is the whole, or was written by another build since.
pub(super) fn of<T: DeserializeOwned>(path: &Path, content: &[u8]) -> Option<T> {
    let beside = whole(path);
    let hash = hash(content);
    [file::previous(&beside), beside].into_iter().rev().filter(|path| path.exists()).find_map(|path| {
        let text = file::read(&path).ok()?;
        let whole: Whole<T> = serde_json::from_slice(&text).ok()?;
        (whole.of == hash).then_some(whole.state)
    })
}

/// Hash and unknown fields that a whole document has beyond its file.
const MORE_BYTES: usize = 512;

fn text(path: &Path, document: &impl Serialize) -> Result<Vec<u8>, StateError> {
    let mut text = serde_json::to_vec(document)
        .map_err(|error| StateError::Write { path: path.to_owned(), source: std::io::Error::other(error) })?;
    text.push(b'\n');
    Ok(text)
}

fn hash(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

fn whole(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".whole");
    PathBuf::from(name)
}
