//! Settings: environment, then `config.toml` of the state folder, then defaults. What cannot be used stops the node with one sentence that names it.
//!
//! A key of `config.toml` that nobody knows is an error. The environment has other programs' variables too: there an unknown `CONSTELLA_*` is an
//! error, and a name one letter off one of ours is a warning. An empty variable counts as absent, since compose files pass those.

pub mod check;
pub mod differences;
mod overlay;
pub mod settings;
mod source;
mod value;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use constella_core::config::Settings;
use constella_shared::ids::NetworkId;
use constella_shared::link::{InviteLink, Seed};
use constella_shared::secret::Secret;

use crate::address::HostPort;
use crate::state::file;
use check::{api_url, bot_token, log_filter, owner, public_addr, release_url, seed_peers, server_name, value};
pub use overlay::Overlay;
pub use source::Environment;
use value::{Raw, RawSeed, RawTiming, Seconds};

/// Everything that the controller is told from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `STATE_DIR`.
    pub state_dir: PathBuf,
    /// `SERVER_NAME`; None: the host's name.
    pub server_name: Option<String>,
    /// `LISTEN_ADDR`.
    pub listen: SocketAddr,
    /// `PUBLIC_ADDR`, with a port.
    pub public_addr: Option<HostPort>,
    /// `PRIORITY`; None: [`Self::priority`] has the default.
    pub priority: Option<u32>,
    /// What seeds an empty state, and is compared with a full one.
    pub seed: SeedSettings,
    /// For the core.
    pub timing: Timing,
    /// `TELEGRAM_API_URL`, without a slash at its end.
    pub telegram_api_url: String,
    /// `TELEGRAM_PROXY`: may have a password, so it is a secret.
    pub telegram_proxy: Option<Secret>,
    /// Where this node's release came from; invitations send new servers there.
    pub release_url: Option<String>,
    /// `AGENT_SOCKET`.
    pub agent_socket: PathBuf,
    /// `CONTROL_SOCKET`.
    pub control_socket: PathBuf,
    /// `VPN_MODE` and what goes with it; None without an overlay.
    pub overlay: Option<Overlay>,
    /// `LOG`: a filter of tracing's.
    pub log: String,
    /// Sentences for the log.
    pub warnings: Vec<String>,
}

/// What the environment seeds an empty state with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeedSettings {
    /// `OWNER_USERNAME`, without `@`.
    pub owner: Option<String>,
    /// `BOT_TOKEN` or `BOT_TOKEN_FILE`.
    pub bot_token: Option<TokenSource>,
    /// `NETWORK_ID`.
    pub network_id: Option<NetworkId>,
    /// `NETWORK_SECRET`.
    pub network_secret: Option<Secret>,
    /// `SEED_PEERS`: more seeds for joining, `host:port,<pin>` each, separated by blanks.
    pub peers: Vec<Seed>,
    /// `JOIN_URL`.
    pub join: Option<InviteLink>,
}

/// Where the bot token comes from. A file is read when the token is needed: a node with a full state runs without it.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenSource {
    /// The token itself.
    Given(Secret),
    /// A file that holds it, or `-` for standard input.
    File(PathBuf),
}

impl TokenSource {
    /// The token.
    ///
    /// # Errors
    /// The file cannot be read or holds no token. Its content is never in the error.
    pub fn read(&self) -> Result<Secret, ConfigError> {
        let text = match self {
            Self::Given(token) => return Ok(token.clone()),
            Self::File(path) if path.as_os_str() == "-" => std::io::read_to_string(std::io::stdin()),
            Self::File(path) => std::fs::read_to_string(path),
        };
        let text = text.map_err(|error| value("BOT_TOKEN_FILE", format!("cannot be read: {error}")))?;
        bot_token("BOT_TOKEN_FILE", text.trim())
    }
}

/// Times of the core, milliseconds, and its default language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// `HEARTBEAT_INTERVAL`.
    pub heartbeat_ms: u64,
    /// `DOWN_AFTER_MISSES`.
    pub down_after_misses: u32,
    /// `DOWN_AFTER`.
    pub down_after_ms: u64,
    /// `HEARTBEAT_TIMEOUT`.
    pub heartbeat_timeout_ms: u64,
    /// `RPC_TIMEOUT`.
    pub rpc_timeout_ms: u64,
    /// `CLOCK_SKEW`.
    pub clock_skew_ms: u64,
    /// `BOT_LEASE_TTL`.
    pub lease_ttl_ms: u64,
    /// `LANG_DEFAULT`.
    pub language: String,
}

/// Settings that cannot be used. Nothing was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key that nobody knows.
    #[error("{place} has the unknown key {key}{hint}")]
    Unknown {
        /// File or environment.
        place: String,
        /// As written.
        key: String,
        /// What may have been meant, as a half-sentence.
        hint: String,
    },
    /// A value of the wrong kind or out of bounds.
    #[error("{key} {problem}")]
    Value {
        /// The setting, in capitals.
        key: String,
        /// What is wrong with it; never the value of a secret.
        problem: String,
    },
    /// Two settings that cannot both be.
    #[error("{first} and {second} contradict each other: {problem}")]
    Contradiction {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// Why.
        problem: String,
    },
    /// `config.toml` is there and cannot be read.
    #[error("{place} cannot be read: {problem}")]
    File {
        /// Which file.
        place: String,
        /// Why; no content.
        problem: String,
    },
}

impl Config {
    /// Reads everything. `state_dir` is the command line's word, which goes before the environment's.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(environment: &Environment, state_dir: Option<&Path>) -> Result<Self, ConfigError> {
        let warnings = environment.check_names()?;
        let named = environment.get("STATE_DIR").map(PathBuf::from);
        let state_dir = state_dir.map(Path::to_owned).or(named).unwrap_or_else(|| PathBuf::from(STATE_DIR));
        let (raw, seed, timing) = source::read(environment, &state_dir.join(CONFIG_FILE))?;
        Self::from_raw(raw, checked_seed(seed)?, checked_timing(&timing)?, state_dir, warnings)
    }

    fn from_raw(
        raw: Raw,
        seed: SeedSettings,
        timing: Timing,
        state_dir: PathBuf,
        warnings: Vec<String>,
    ) -> Result<Self, ConfigError> {
        let overlay = overlay::overlay(&raw)?;
        let listen = raw.listen_addr.map_or(Ok(LISTEN), |text| {
            let addr = text.0.parse().ok().filter(|addr: &SocketAddr| addr.port() != 0);
            addr.ok_or_else(|| value("LISTEN_ADDR", "is not ADDRESS:PORT, e.g. [::]:4747 or 0.0.0.0:4747"))
        })?;
        let inside = overlay.as_ref().map(|overlay| SocketAddr::new(overlay.address, listen.port()).to_string());
        let public_addr =
            raw.public_addr.map(|text| text.0).or(inside).map(|text| public_addr(&text, listen.port())).transpose()?;
        let control_socket =
            raw.control_socket.map_or_else(|| default_control_socket(&state_dir), |text| PathBuf::from(text.0));
        Ok(Self {
            server_name: raw.server_name.map(|text| server_name(&text.0)).transpose()?,
            listen,
            public_addr,
            priority: raw
                .priority
                .map(|count| count.0.try_into().map_err(|_| value("PRIORITY", "is over 4294967295")))
                .transpose()?,
            seed,
            timing,
            telegram_api_url: raw.telegram_api_url.map_or_else(|| Ok(TELEGRAM.to_owned()), |text| api_url(&text.0))?,
            telegram_proxy: raw.telegram_proxy.map(|text| Secret::new(text.0)),
            release_url: raw.release_url.map(|text| release_url(&text.0)).transpose()?,
            agent_socket: raw.agent_socket.map_or_else(|| PathBuf::from(AGENT_SOCKET), |text| PathBuf::from(text.0)),
            control_socket,
            overlay,
            log: raw.log.map_or_else(|| Ok(LOG.to_owned()), |text| log_filter(&text.0))?,
            state_dir,
            warnings,
        })
    }

    /// `SERVER_NAME`, or else the host's name.
    ///
    /// # Errors
    /// The host has no usable name and none is set.
    pub fn name(&self) -> Result<String, ConfigError> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => {
                let host = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
                server_name(host.trim()).map_err(|_| value("SERVER_NAME", "is not set and the host has no usable name"))
            }
        }
    }

    /// `PRIORITY`, or the default.
    #[must_use]
    pub fn priority(&self) -> u32 {
        self.priority.unwrap_or(PRIORITY)
    }

    /// The core's settings.
    #[must_use]
    pub fn settings(&self, share_token: bool) -> Settings {
        let timing = self.timing.clone();
        Settings {
            heartbeat_ms: timing.heartbeat_ms,
            down_after_misses: timing.down_after_misses,
            down_after_ms: timing.down_after_ms,
            heartbeat_timeout_ms: timing.heartbeat_timeout_ms,
            rpc_timeout_ms: timing.rpc_timeout_ms,
            clock_skew_ms: timing.clock_skew_ms,
            lease_ttl_ms: timing.lease_ttl_ms,
            language: timing.language,
            version: crate::VERSION.to_owned(),
            share_token,
        }
    }
}

fn checked_timing(raw: &RawTiming) -> Result<Timing, ConfigError> {
    let heartbeat_ms = raw.heartbeat_interval.map_or(Ok(2_000), |s| bounded("HEARTBEAT_INTERVAL", s, 50, 60_000))?;
    // A probe has to have failed before the period ends, or no indirect probe has time left.
    let half = (heartbeat_ms / 2).max(1);
    let heartbeat_timeout_ms =
        raw.heartbeat_timeout.map_or(Ok(half), |s| bounded("HEARTBEAT_TIMEOUT", s, 10, 60_000))?;
    if heartbeat_timeout_ms >= heartbeat_ms {
        let problem = "the time-out must be shorter than the interval, so that another node can probe too".to_owned();
        return Err(ConfigError::Contradiction { first: "HEARTBEAT_TIMEOUT", second: "HEARTBEAT_INTERVAL", problem });
    }
    let down_after_misses = match raw.down_after_misses.map_or(3, |count| count.0) {
        misses @ 1..=100 => u32::try_from(misses).unwrap_or(100),
        _ => return Err(value("DOWN_AFTER_MISSES", "is not between 1 and 100")),
    };
    let language = match raw.lang_default.as_ref().map_or("ru", |text| text.0.as_str()) {
        language @ ("ru" | "en") => language.to_owned(),
        _ => return Err(value("LANG_DEFAULT", "is neither ru nor en")),
    };
    Ok(Timing {
        heartbeat_ms,
        down_after_misses,
        down_after_ms: raw.down_after.map_or(Ok(30_000), |s| bounded("DOWN_AFTER", s, 10_000, 600_000))?,
        heartbeat_timeout_ms,
        rpc_timeout_ms: raw.rpc_timeout.map_or(Ok(3_000), |s| bounded("RPC_TIMEOUT", s, 100, 60_000))?,
        clock_skew_ms: raw.clock_skew.map_or(Ok(30_000), |s| bounded("CLOCK_SKEW", s, 1_000, 3_600_000))?,
        lease_ttl_ms: raw.bot_lease_ttl.map_or(Ok(4_000), |s| bounded("BOT_LEASE_TTL", s, 400, 60_000))?,
        language,
    })
}

fn bounded(key: &str, seconds: Seconds, min_ms: u64, max_ms: u64) -> Result<u64, ConfigError> {
    let ms = seconds.millis();
    if (min_ms..=max_ms).contains(&ms) {
        return Ok(ms);
    }
    let text =
        |ms: u64| format!("{}.{:03}", ms / 1_000, ms % 1_000).trim_end_matches('0').trim_end_matches('.').to_owned();
    Err(value(key, format!("is not between {} and {} seconds", text(min_ms), text(max_ms))))
}

fn checked_seed(raw: RawSeed) -> Result<SeedSettings, ConfigError> {
    let bot_token = match (raw.bot_token, raw.bot_token_file) {
        (Some(_), Some(_)) => {
            let problem = "set one of them".to_owned();
            return Err(ConfigError::Contradiction { first: "BOT_TOKEN", second: "BOT_TOKEN_FILE", problem });
        }
        (Some(text), None) => Some(TokenSource::Given(bot_token("BOT_TOKEN", &text.0)?)),
        (None, Some(path)) => Some(TokenSource::File(PathBuf::from(path.0))),
        (None, None) => None,
    };
    let network_id = raw
        .network_id
        .map(|text| text.0.parse().map_err(|_| value("NETWORK_ID", "is no id of 64 lower-case hex digits")));
    let is_secret =
        |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let network_secret = match raw.network_secret {
        Some(text) if is_secret(&text.0) => Some(Secret::new(text.0)),
        Some(_) => return Err(value("NETWORK_SECRET", "is not 64 lower-case hex digits")),
        None => None,
    };
    let join = raw.join_url.map(|text| {
        text.0.parse::<InviteLink>().map_err(|error| value("JOIN_URL", format!("cannot be used: {error}")))
    });
    Ok(SeedSettings {
        owner: raw.owner_username.map(|text| owner("OWNER_USERNAME", &text.0)).transpose()?,
        bot_token,
        network_id: network_id.transpose()?,
        network_secret,
        peers: raw.seed_peers.map_or_else(|| Ok(Vec::new()), |text| seed_peers(&text.0))?,
        join: join.transpose()?,
    })
}

/// In the container's tmpfs where there is one, else beside the state, which is private too.
fn default_control_socket(state_dir: &Path) -> PathBuf {
    let tmpfs = Path::new(CONTROL_FOLDER);
    if tmpfs.is_dir() { tmpfs.join(CONTROL_NAME) } else { state_dir.join(CONTROL_NAME) }
}

const STATE_DIR: &str = "state";
const CONFIG_FILE: &str = "config.toml";
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), 4747);
const PRIORITY: u32 = 100;
const TELEGRAM: &str = "https://api.telegram.org";
const AGENT_SOCKET: &str = "/run/constella/agent.sock";
const LOG: &str = "info";
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
const CONTROL_FOLDER: &str = "/run/constella-control";
const CONTROL_NAME: &str = "control.sock";

/// Reads `config.toml`, which may hold a token and is then a secret file.
fn read_file(path: &Path) -> Result<Option<String>, ConfigError> {
    let problem = |problem: String| ConfigError::File { place: path.display().to_string(), problem };
    if !path.exists() {
        return Ok(None);
    }
    let content = file::read(path).map_err(|error| problem(error.to_string()))?;
    String::from_utf8(content).map(Some).map_err(|_| problem("it is no text".into()))
}

#[cfg(test)]
mod tests;
