//! The block of an invitation: what an operator pastes into a shell of the new server.

use constella_core::bot::kit::language::Language;
use constella_core::bot::kit::page::Screen;
use constella_core::bot::kit::say::{Key, Say};
use constella_shared::secret::Secret;
use sha2::{Digest, Sha256};

use super::{LINK_CHARS, Rendered, render};
use crate::telegram::text::{Markup, clean, fill, words};

/// Where a new server gets Constella from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// The operator has put a folder with it there.
    #[default]
    Folder,
    /// A release at this address (`RELEASE_URL`), which a shell takes unquoted.
    Release(String),
}

impl Source {
    /// Renders a message; an invitation with the block that fits this source.
    #[must_use]
    pub fn render(&self, screen: &Screen) -> Rendered {
        match screen {
            Screen::Invite { language, link, ttl_s } => {
                Rendered { html: self.invite(*language, link, *ttl_s), keyboard: None }
            }
            Screen::Words { .. } | Screen::Note { .. } | Screen::Message(_) | Screen::Alert { .. } => render(screen),
        }
    }

    /// One block to copy. The link goes to standard input: an argument is shown by ps(1), and a shell keeps what it was given, here-documents
    /// too, unless it is told not to. The block is far within a message, so its tag may span lines.
    pub(super) fn invite(&self, language: Language, link: &Secret, ttl_s: u64) -> String {
        let ready = Say::new(Key::InviteReady).span("ttl", ttl_s.saturating_mul(1_000));
        let link = clean(link.expose(), LINK_CHARS, Markup::Html);
        let command = clean(&self.command(), LINK_CHARS, Markup::Html);
        let what_now = match self {
            Self::Folder => Key::InviteWhatNow,
            Self::Release(_) => Key::InviteWhatNowRelease,
        };
        format!(
            "{}\n\n<pre>set +o history\n{command} &lt;&lt;'LINK'\n{link}\nLINK\nset -o history</pre>\n\n{}",
            fill(language, &ready, Markup::Html),
            words(language, what_now),
        )
    }

    /// Root needs no sudo, and a small server may have none: then nothing stands before the command. Its path is given, because `command -v sudo`
    /// of an interactive shell may print an alias. The script's hash makes the transport's trust needless; the
    /// script holds the key that the release is signed with, and takes no release that is older than this node.
    fn command(&self) -> String {
        match self {
            Self::Folder => "$(command -v /usr/bin/sudo) ./install.sh join --join -".to_owned(),
            Self::Release(url) => format!(
                "$(command -v /usr/bin/sudo) bash -c 'set -e; d=$(mktemp -d); trap \"rm -rf $d\" EXIT; u={url}; \
                 {{ curl -fsSL $u/get.sh || wget -qO- $u/get.sh; }} >$d/get.sh; \
                 echo \"{} *$d/get.sh\" | sha256sum -c --quiet; bash $d/get.sh $u {} join --join -'",
                hex::encode(Sha256::digest(GET)),
                crate::VERSION,
            ),
        }
    }
}

/// What a release publishes under this name.
const GET: &[u8] = include_bytes!("../../../../compose/get.sh");
