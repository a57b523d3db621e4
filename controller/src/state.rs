//! The state folder: who this node is, its network, its votes, its commands. One controller at a time; a file that cannot be read stops the node (S4).

pub mod file;
mod place;
pub mod room;
mod whole;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use constella_core::io::Document;
use constella_shared::ids::{Generation, NodeId, Seq, Term};
use constella_shared::state::{CommandsState, InvitesState, NetworkState, Plain, STATE_FORMAT, VoteState};
use constella_shared::wire::more::More;
use nix::fcntl::{Flock, FlockArg};
use serde::de::DeserializeOwned;

use crate::identity::{Identity, IdentityError};
use place::Place;

/// Earlier starts are remembered this long (L6), seconds.
const STARTS_KEPT_S: u64 = 600;

/// Starts that are remembered at most: a process in a restart loop must not grow the file.
const STARTS_KEPT: usize = 32;

/// Why the state cannot be used. Nothing was changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file cannot be read. The operator's to mend.
    #[error("{} cannot be read; {}", path.display(), recovery(path))]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file with secrets is open to others. The operator's to mend.
    #[error("{} is open to others (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file is damaged. The operator's to mend: the previous good copy is beside it, as soon as there was one.
    #[error("{} is damaged; {}", path.display(), recovery(path))]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What was found.
        source: serde_json::Error,
    },
    /// A later version wrote the file.
    #[error("{} has format {found}, this version reads {STATE_FORMAT}; use the newer version that wrote it", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A file cannot be written; it is what it was before. The operator's: disk full, or the folder belongs to somebody else.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another controller uses the folder.
    #[error("another controller uses {}; stop it first", .0.display())]
    InUse(PathBuf),
    /// `init` or `join` on a folder that already has a network: nothing is overwritten, ever.
    #[error("{} already belongs to a network; use another folder, or remove it if its network is gone for good", .0.display())]
    NotEmpty(PathBuf),
    /// Some files of a network are there and others are not: a lost file, not an empty folder.
    #[error("{} is missing, though other files of the network are there; {}", .0.display(), recovery(.0))]
    Missing(PathBuf),
    /// The node's own key or certificate cannot be used.
    #[error("the identity in {} cannot be used; {LOST}", path.display())]
    Identity {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: IdentityError,
    },
}

/// S4: how this file is had again.
fn recovery(path: &Path) -> String {
    let previous = file::previous(path);
    if previous.exists() {
        format!("stop the controller and recover with: cp -p {} {}", previous.display(), path.display())
    } else {
        LOST.to_owned()
    }
}

/// Where no copy is beside the file: what an operator can do.
const LOST: &str =
    "restore the folder from a backup, or move it away and let this node join again with a new invitation";

/// A state folder that this process alone uses.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    lock: Flock<File>,
}

/// Everything that is in a folder.
#[derive(Debug)]
pub struct Loaded {
    /// `network_state.json`.
    pub network: NetworkState,
    /// `invites.json`.
    pub invites: InvitesState,
    /// `vote.json`, its generation already raised and on disk.
    pub vote: VoteState,
    /// `commands.json`.
    pub commands: CommandsState,
    /// L1: the earlier process on this folder is dead, and ran here, on this boot of this kernel (`place.rs`).
    pub in_place: bool,
}

impl State {
    /// Opens the folder, creates it (0700) where it is missing, and locks it until the value is dropped.
    ///
    /// # Errors
    /// [`StateError::InUse`], or the folder cannot be made or written.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Write { path: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = folder.join(LOCK);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&lock);
        let file = file.map_err(|source| StateError::Write { path: lock, source })?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
            nix::errno::Errno::EWOULDBLOCK => StateError::InUse(folder.to_owned()),
            other => failed(other.into()),
        })?;
        Ok(Self { folder: folder.to_owned(), lock })
    }

    /// Whether the folder has no network yet. A node that ever started has a generation above 0 in `vote.json`: where its network file is
    /// gone, the file was lost and the folder is not empty. Generation 0 without a network file is an `init` or join cut short.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let network = self.path(NETWORK);
        if network.exists() || file::previous(&network).exists() {
            return false;
        }
        !self.path(VOTE).exists()
            || self.read(VOTE, |vote: &VoteState| vote.format).is_ok_and(|vote| vote.generation == Generation(0))
    }

    /// Refuses to go on where a network is there.
    ///
    /// # Errors
    /// [`StateError::NotEmpty`].
    pub fn must_be_empty(&self) -> Result<(), StateError> {
        if self.is_empty() { Ok(()) } else { Err(StateError::NotEmpty(self.folder.clone())) }
    }

    /// This node's identity: read, or made and stored where there is none. A joiner that crashed keeps the one it began with.
    ///
    /// # Errors
    /// A file of it is missing while others are there, or cannot be read or used.
    pub fn identity(&self, name: &str) -> Result<Identity, StateError> {
        let there = [NODE_ID, KEY, CERT].map(|file| self.path(file).exists());
        match there {
            [true, true, true] => self.read_identity(),
            // The id is written last, so before it is there nobody can have heard of the other two.
            [false, ..] if self.is_empty() => self.make_identity(name),
            _ => {
                let missing = [NODE_ID, KEY, CERT].into_iter().zip(there).find(|(_, there)| !there);
                Err(StateError::Missing(self.path(missing.map_or(NODE_ID, |(file, _)| file))))
            }
        }
    }

    fn read_identity(&self) -> Result<Identity, StateError> {
        let [id, key, cert] = [NODE_ID, KEY, CERT].map(|name| file::read(&self.path(name)));
        Identity::from_files(&id?, &key?, &cert?).map_err(|source| self.bad_identity(source))
    }

    fn make_identity(&self, name: &str) -> Result<Identity, StateError> {
        let made = Identity::generate(name).map_err(|source| self.bad_identity(source))?;
        file::replace(&self.path(KEY), made.key_pem().expose().as_bytes())?;
        file::replace(&self.path(CERT), made.cert_pem().as_bytes())?;
        file::replace(&self.path(NODE_ID), format!("{}\n", made.node).as_bytes())?;
        Ok(made)
    }

    fn bad_identity(&self, source: IdentityError) -> StateError {
        StateError::Identity { path: self.folder.clone(), source }
    }

    /// Writes the state of a new node into an empty folder. The network's file comes last: until it is there, the folder counts as empty.
    ///
    /// # Errors
    /// The folder is not empty, or cannot be written.
    pub fn initialise(&self, network: &NetworkState, invites: &InvitesState) -> Result<(), StateError> {
        self.must_be_empty()?;
        let vote = VoteState {
            format: STATE_FORMAT,
            generation: Generation(0),
            term: Term(0),
            seq_reserved: Seq(0),
            starts: Vec::new(),
            granted: None,
            more: More::none(),
        };
        let commands = CommandsState::empty();
        self.write(VOTE, &vote)?;
        self.write(COMMANDS, &commands)?;
        self.write(INVITES, invites)?;
        self.write(NETWORK, network)
    }

    /// Reads everything and takes a new boot generation, on disk before this returns (S1).
    ///
    /// # Errors
    /// Any file that is missing, open to others, damaged or of a later format.
    pub fn load(&self, unix_s: u64) -> Result<Loaded, StateError> {
        let mut network: NetworkState = self.read(NETWORK, |state: &NetworkState| state.format)?;
        let invites = self.read(INVITES, |state: &InvitesState| state.format)?;
        let commands = self.read(COMMANDS, |state: &CommandsState| state.format)?;
        let mut vote: VoteState = self.read(VOTE, |state: &VoteState| state.format)?;
        let place = Place::of(&self.lock);
        let in_place = place.as_ref().is_some_and(|place| place.was_left_by(&self.lock, vote.generation));
        let repaired = constella_core::repair::repair(&mut vote, &mut network);
        for what in &repaired {
            tracing::warn!(what, "a stored count was damaged and is set back");
        }
        vote.generation = vote.generation.next();
        vote.starts.retain(|start| unix_s.saturating_sub(*start) < STARTS_KEPT_S && *start <= unix_s);
        vote.starts.insert(0, unix_s);
        vote.starts.truncate(STARTS_KEPT);
        self.write(VOTE, &vote)?;
        if let Some(place) = place {
            place.leave(&self.lock, vote.generation);
        }
        for name in [VOTE, NETWORK, INVITES, COMMANDS] {
            // A disk that is full already has what it has.
            let _without = whole::take_room(&self.path(name));
        }
        // L1: the quiet time after the start stands for what the voter cannot know of its grants any more.
        Ok(Loaded { network, invites, vote, commands, in_place: in_place && repaired.is_empty() })
    }

    /// Replaces a document's file; it is on disk when this returns.
    ///
    /// # Errors
    /// [`StateError::Write`].
    pub fn persist(&self, document: &Document) -> Result<(), StateError> {
        match document {
            Document::Network(state) => self.write(NETWORK, state),
            Document::Invites(state) => self.write(INVITES, state),
            Document::Vote(state) => self.write(VOTE, state),
            Document::Commands(state) => self.write(COMMANDS, state),
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&self, name: &str, state: &impl Plain) -> Result<(), StateError> {
        whole::replace(&self.path(name), state)
    }

    fn read<T: DeserializeOwned>(&self, name: &str, format: impl Fn(&T) -> u32) -> Result<T, StateError> {
        let path = self.path(name);
        if !path.exists() {
            return Err(StateError::Missing(path));
        }
        let content = file::read(&path)?;
        if let Ok(Format { format: found }) = serde_json::from_slice(&content)
            && found != STATE_FORMAT
        {
            return Err(StateError::Format { path, found });
        }
        let state = serde_json::from_slice(&content)
            .map_err(|source| StateError::Damaged { path: path.clone(), source: without_content(&source) })?;
        match format(&state) {
            STATE_FORMAT => Ok(whole::of(&path, &content).unwrap_or(state)),
            found => Err(StateError::Format { path, found }),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}

/// serde's own words may quote what it met, and these files hold secrets: only the place is kept.
fn without_content(error: &serde_json::Error) -> serde_json::Error {
    let place = format!("damaged at line {} column {}", error.line(), error.column());
    serde::de::Error::custom(place)
}

const LOCK: &str = "lock";
const NODE_ID: &str = "node_id";
const KEY: &str = "node_key.pem";
const CERT: &str = "node_cert.pem";
const NETWORK: &str = "network_state.json";
const INVITES: &str = "invites.json";
const VOTE: &str = "vote.json";
const COMMANDS: &str = "commands.json";

/// Reads the id that a folder belongs to, without a lock: for the CLI's words.
///
/// # Errors
/// As [`file::read`]; [`StateError::Read`] too where the text is no id.
pub fn node_id(folder: &Path) -> Result<NodeId, StateError> {
    let path = folder.join(NODE_ID);
    let text = file::read(&path)?;
    let parsed = str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
    parsed.ok_or_else(|| StateError::Read { path, source: io::Error::other("it holds no node id") })
}

#[cfg(test)]
mod tests;
