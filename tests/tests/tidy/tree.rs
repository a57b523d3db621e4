//! The files of a repository: this one's as git lists them, or a snippet's.

use std::path::Path;
use std::process::Command;

/// One text file.
pub(crate) struct File {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    /// Whole text.
    pub(crate) text: String,
}

impl File {
    /// The file's last component.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the whole file is tests: `tests.rs`, a folder `tests` below a crate, or the integration tests themselves.
    pub(crate) fn is_test(&self) -> bool {
        let inside = self.path.split_once('/').map_or("", |(_, rest)| rest);
        self.name() == "tests.rs"
            || inside.split('/').any(|part| part == "tests" || part == "benches" || part == "fuzz")
    }
}

/// All text files of a repository.
pub(crate) struct Tree {
    /// In path order.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Tracked files and new ones that are not ignored. Panics without git: a rule must not pass for want of files.
    #[expect(clippy::panic, reason = "a test that cannot see its subject fails")]
    pub(crate) fn of_this_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"));
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .unwrap_or_else(|error| panic!("git ls-files: {error}"));
        assert!(listed.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr));
        let mut files: Vec<File> = String::from_utf8_lossy(&listed.stdout)
            .split('\0')
            .filter(|path| !path.is_empty())
            .filter_map(|path| {
                let text = std::fs::read(root.join(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
                Some(File { path: path.to_owned(), text })
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(files.len() > 20, "only {} files: this is not the repository", files.len());
        Self { files }
    }

    /// A tree of snippets.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() })
                .collect(),
        }
    }

    /// The text at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Whether `path` is a file, or a folder with files.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files
            .iter()
            .any(|file| file.path == path || file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Rust sources.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// Rust sources that are not tests.
    pub(crate) fn product(&self) -> impl Iterator<Item = &File> {
        self.rust().filter(|file| !file.is_test())
    }
}
