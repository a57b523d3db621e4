//! Why a network of processes did not do what was wanted.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::programs::ProgramsError;
use crate::botapi::owner::OwnerError;

/// Why a network of processes did not do what was wanted.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The programs are missing or old.
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    /// The system refused.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A verb of the command line failed; nothing else was tried.
    #[error("`{verb}` on {node} failed: {stderr}")]
    Cli {
        /// The node.
        node: String,
        /// Verb and arguments, without secrets.
        verb: String,
        /// What it said.
        stderr: String,
    },
    /// The controller answered something else.
    #[error("{node} answered {verb} with something else")]
    Answer {
        /// The node.
        node: String,
        /// What was asked.
        verb: &'static str,
    },
    /// There is no such node.
    #[error("there is no node {0}")]
    NoNode(String),
    /// A condition did not come about.
    #[error("waited {waited:?} for {what}; instead: {seen}")]
    Late {
        /// The condition.
        what: String,
        /// How long.
        waited: Duration,
        /// What was seen last.
        seen: String,
    },
    /// The owner's phone did not show it.
    #[error(transparent)]
    Owner(#[from] OwnerError),
}

impl ClusterError {
    /// Puts what was tried to an error of the system.
    pub(super) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}
