//! One state file: private from its first byte, replaced as a whole, its previous good copy kept beside it (S3, S4).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::StateError;

/// Largest state file that is read: a roster of 1,000 nodes is under 2 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Only the owner reads and writes.
const PRIVATE: u32 = 0o600;

/// Replaces the file: a temporary one beside it, fsync, the old one kept as `<name>.previous`, rename, fsync of the folder.
///
/// # Errors
/// [`StateError::Write`]; the file is then what it was before.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), StateError> {
    let failed = |source| StateError::Write { path: path.to_owned(), source };
    let temp = beside(path, "new");
    remove_if_there(&temp).map_err(failed)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&temp).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    keep_previous(path).map_err(failed)?;
    fs::rename(&temp, path).map_err(failed)?;
    sync_folder(path).map_err(failed)
}

/// Creates a file that must not exist yet, private from its first byte, and on disk when this returns.
///
/// # Errors
/// [`StateError::Write`], also where the file exists.
pub fn create(path: &Path, content: &[u8]) -> Result<(), StateError> {
    if path.exists() {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "it is there already");
        return Err(StateError::Write { path: path.to_owned(), source });
    }
    replace(path, content)
}

/// Reads a private file.
///
/// # Errors
/// [`StateError::Read`] with the reason: missing, readable by others, too large, or the system's own.
pub fn read(path: &Path) -> Result<Vec<u8>, StateError> {
    let failed = |source| StateError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(failed(io::Error::other("it is no regular file")));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(StateError::Open { path: path.to_owned(), mode: meta.mode() & 0o777 });
    }
    let mut content = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(failed(io::Error::other("it is too large to be a state file")));
    }
    Ok(content)
}

/// Where the previous good copy of a file is.
#[must_use]
pub fn previous(path: &Path) -> PathBuf {
    beside(path, "previous")
}

/// A hard link to what is there now, so that at no moment the file itself is missing.
fn keep_previous(path: &Path) -> io::Result<()> {
    let link = beside(path, "previous.new");
    remove_if_there(&link)?;
    match fs::hard_link(path, &link) {
        Ok(()) => fs::rename(&link, previous(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes a file, where it is there.
///
/// # Errors
/// [`StateError::Write`].
pub fn remove(path: &Path) -> Result<(), StateError> {
    remove_if_there(path).map_err(|source| StateError::Write { path: path.to_owned(), source })
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Without it the rename itself may be lost with the power (fsync(2)).
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
