//! Whether the state folder takes what is written to it: looked at now and then, and read from the errors of writes that failed.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use constella_core::io::{Input, Trouble};
use constella_shared::limits::STATE_ROOM_BYTES;
use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};
use tokio::time::sleep;

use super::StateError;
use crate::inbox::Inbox;

/// Tells the core when the folder's file system runs full, is mounted read-only, and when that is over. Ends with the inbox.
pub async fn watch(folder: PathBuf, inbox: Inbox) {
    let mut told = None;
    loop {
        let folder = folder.clone();
        // A file system that hangs keeps this task, and nothing else.
        if let Ok(Some(room)) = tokio::task::spawn_blocking(move || look(&folder, told.is_some())).await
            && room != told
        {
            told = room;
            inbox.input(Input::Room(room)).await;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Why the folder cannot be relied on; the outer None where it cannot be told.
fn look(folder: &Path, in_trouble: bool) -> Option<Option<Trouble>> {
    statvfs(folder).ok().map(|fs| judge(&fs, in_trouble))
}

fn judge(fs: &Statvfs, in_trouble: bool) -> Option<Trouble> {
    if fs.flags().contains(FsFlags::ST_RDONLY) {
        return Some(Trouble::ReadOnly);
    }
    // Twice as much ends it: a disk at the edge does not turn the node on and off.
    let wanted = if in_trouble { STATE_ROOM_BYTES.saturating_mul(2) } else { STATE_ROOM_BYTES };
    let free = fs.blocks_available().saturating_mul(fs.fragment_size());
    // Some file systems count no inodes.
    let no_inode = fs.files() > 0 && fs.files_available() == 0;
    (free < wanted || no_inode).then_some(Trouble::Full)
}

/// What the error of a write says of the disk; None where the disk is not the reason, and the process cannot go on.
#[must_use]
pub fn trouble(error: &StateError) -> Option<Trouble> {
    match error {
        StateError::Write { source, .. } => Some(of(source)),
        StateError::Read { .. }
        | StateError::Open { .. }
        | StateError::Damaged { .. }
        | StateError::Format { .. }
        | StateError::InUse(_)
        | StateError::NotEmpty(_)
        | StateError::Missing(_)
        | StateError::Identity { .. } => None,
    }
}

fn of(error: &io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Trouble::Full,
        ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
        ErrorKind::PermissionDenied => Trouble::Denied,
        _ => Trouble::Failing,
    }
}

/// Between two looks: one system call.
const LOOK_EVERY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_a_disk_is_told_by_its_kind() {
        use nix::errno::Errno;
        let cases = [
            (Errno::ENOSPC, Trouble::Full),
            (Errno::EDQUOT, Trouble::Full),
            (Errno::EROFS, Trouble::ReadOnly),
            (Errno::EACCES, Trouble::Denied),
            (Errno::EPERM, Trouble::Denied),
            (Errno::EIO, Trouble::Failing),
        ];
        for (errno, expected) in cases {
            let error = StateError::Write { path: PathBuf::from("vote.json"), source: errno.into() };
            assert_eq!(trouble(&error), Some(expected), "{errno}");
        }
        assert_eq!(trouble(&StateError::Missing(PathBuf::new())), None);
    }

    #[test]
    fn a_folder_with_room_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look(folder.path(), false), Some(None));
        assert_eq!(look(&folder.path().join("none"), false), None);
    }
}
