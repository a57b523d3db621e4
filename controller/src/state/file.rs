//! One state file: private from its first byte, replaced as a whole, its previous good copy kept beside it (S3, S4).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::StateError;

/// Largest state file that is read: a roster of 1,000 nodes is under 2 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Only the owner reads and writes.
const PRIVATE: u32 = 0o600;

/// Replaces the file: a temporary one beside it, fsync, the old one kept as `<name>.previous`, rename, fsync of the folder. The copy before the
/// previous one becomes the next temporary file, so that a full disk has room for a document of the same size: it is written over in its place.
///
/// # Errors
/// [`StateError::Write`]; the file is then what it was before.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), StateError> {
    let failed = |source| StateError::Write { path: path.to_owned(), source };
    write_beside(path, content)
        .or_else(|error| {
            // Before the third copy was made, or after a backup was restored without it.
            if error.kind() == io::ErrorKind::StorageFull && has_room_for(&previous(path), content) {
                fs::rename(previous(path), beside(path, "new"))?;
                return write_beside(path, content);
            }
            Err(error)
        })
        .map_err(failed)?;
    swap(path).map_err(failed)?;
    sync_folder(path).map_err(failed)?;
    if !beside(path, "new").exists() {
        // One of its first writes. Without the room the next one does with what there is then.
        let _without = reserve(path, content.len());
    }
    Ok(())
}

/// Takes the room for the next [`replace`] of a document of today's size, where it is not taken yet.
///
/// # Errors
/// The system's own; nothing is lost by them.
pub fn take_room(path: &Path) -> io::Result<()> {
    let bytes = fs::metadata(path)?.len();
    reserve(path, usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// The same for a document of this size, which need not be there yet.
///
/// # Errors
/// The system's own; nothing is lost by them.
pub fn reserve(path: &Path, bytes: usize) -> io::Result<()> {
    if beside(path, "new").exists() { Ok(()) } else { write_beside(path, &vec![b' '; bytes]) }
}

fn write_beside(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = spare(&beside(path, "new"))?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// The file to write to, with its blocks where it is there: a private one with one name, so that nothing else is written over.
fn spare(temp: &Path) -> io::Result<File> {
    let ours = |meta: fs::Metadata| meta.is_file() && meta.nlink() == 1 && meta.mode() & 0o7777 == PRIVATE;
    if fs::symlink_metadata(temp).is_ok_and(ours) {
        return OpenOptions::new().write(true).open(temp);
    }
    remove_if_there(temp)?;
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(temp)
}

fn has_room_for(path: &Path, content: &[u8]) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.nlink() == 1 && meta.blocks() * 512 >= content.len() as u64)
}

/// The new file takes its place, what was there becomes the previous one, and that one the next spare. At no moment is the file itself missing,
/// and no inode and no block is needed.
fn swap(path: &Path) -> io::Result<()> {
    let (temp, previous) = (beside(path, "new"), previous(path));
    let exchange = |with: &Path| rustix::fs::renameat_with(CWD, &temp, CWD, with, RenameFlags::EXCHANGE);
    match exchange(path) {
        Ok(()) => match exchange(&previous) {
            Err(Errno::NOENT) => fs::rename(&temp, previous),
            other => other.map_err(io::Error::from),
        },
        Err(Errno::NOENT) => fs::rename(&temp, path),
        // A file system that exchanges no names.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            keep_previous(path)?;
            fs::rename(&temp, path)
        }
        Err(error) => Err(error.into()),
    }
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
