//! Texts into types, one setting each. The command line's words are checked by the same functions.

use constella_core::roster::name::check;
use constella_shared::limits::RELEASE_URL_BYTES;
use constella_shared::link::Seed;
use constella_shared::secret::Secret;

use super::ConfigError;
use crate::address::HostPort;

/// A bot token as BotFather gives it: digits, a colon, then letters, digits, `-` and `_` (35 of them today).
///
/// # Errors
/// The text is no token; it is not in the error.
pub fn bot_token(key: &str, text: &str) -> Result<Secret, ConfigError> {
    let good = text.split_once(':').is_some_and(|(id, rest)| {
        !id.is_empty()
            && id.len() <= 16
            && id.bytes().all(|b| b.is_ascii_digit())
            && (8..=128).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    });
    if good {
        Ok(Secret::new(text.to_owned()))
    } else {
        Err(value(key, "holds no bot token (digits, a colon, letters)"))
    }
}

/// A Telegram user name, without its `@`.
///
/// # Errors
/// The text is no user name.
pub fn owner(key: &str, text: &str) -> Result<String, ConfigError> {
    let name = text.trim().trim_start_matches('@');
    let good = (4..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if good { Ok(name.to_owned()) } else { Err(value(key, "is no Telegram user name (4 to 32 letters, digits and _)")) }
}

/// A server's name, by the roster's own rule: one that others refuse must not found a network.
///
/// # Errors
/// The roster's.
pub fn server_name(text: &str) -> Result<String, ConfigError> {
    let name = text.trim();
    match check(name) {
        Ok(()) => Ok(name.to_owned()),
        Err(error) => Err(value("SERVER_NAME", format!("cannot be used: {error}"))),
    }
}

/// Where others reach this node; without a port, the one that it listens on.
///
/// # Errors
/// Not `host`, `host:port` or `[v6]:port`.
pub fn public_addr(text: &str, listen_port: u16) -> Result<HostPort, ConfigError> {
    let bare_v6 = text.parse::<std::net::Ipv6Addr>().map(|ip| format!("[{ip}]:{listen_port}"));
    let with_port = bare_v6.unwrap_or_else(|_| format!("{text}:{listen_port}"));
    let addr = text.parse::<HostPort>().or_else(|_| with_port.parse());
    let addr = addr.map_err(|_| value("PUBLIC_ADDR", "is not HOST or HOST:PORT ([V6]:PORT for IPv6)"))?;
    // S5: an address that no member would ever dial is found out here and not by everybody else.
    match addr.forbidden() {
        None => Ok(addr),
        Some(error) => Err(value("PUBLIC_ADDR", format!("cannot be used: {error}"))),
    }
}

pub(super) fn seed_peers(text: &str) -> Result<Vec<Seed>, ConfigError> {
    let wrong = || value("SEED_PEERS", "is not a list of HOST:PORT,PIN separated by blanks");
    let one = |entry: &str| {
        let (addr, pin) = entry.rsplit_once(',').ok_or_else(wrong)?;
        let addr = addr.parse::<HostPort>().map_err(|_| wrong())?.to_string();
        Ok(Seed { addr, pin: pin.parse().map_err(|_| wrong())? })
    };
    text.split_whitespace().map(one).collect()
}

pub(super) fn api_url(text: &str) -> Result<String, ConfigError> {
    let url = reqwest::Url::parse(text).ok();
    let good = url.filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none()
    });
    good.map(|_| text.trim_end_matches('/').to_owned())
        .ok_or_else(|| value("TELEGRAM_API_URL", "is no http or https address"))
}

/// The address of a release's folder. It becomes a word of a shell's command, so it holds nothing that a shell would read otherwise.
pub(super) fn release_url(text: &str) -> Result<String, ConfigError> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/%".contains(&b);
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let good = host.is_some_and(|rest| {
        rest.len() <= RELEASE_URL_BYTES
            && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && rest.bytes().all(is_plain)
    });
    if good {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(value("RELEASE_URL", "is no http or https address of letters, digits, dots, slashes and - _ ~ : % alone"))
    }
}

/// A filter of tracing's. It would take a misspelt level for the name of a target, and log nothing at all.
pub(super) fn log_filter(text: &str) -> Result<String, ConfigError> {
    let is_level = |word: &str| LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
    let is_good = |part: &str| match part.trim().rsplit_once('=') {
        Some((_, level)) => is_level(level),
        None => is_level(part.trim()) || part.trim().starts_with("constella") || part.contains('['),
    };
    if text.split(',').all(is_good) {
        Ok(text.to_owned())
    } else {
        Err(value("LOG", "is no filter; write e.g. info or constella_controller=debug"))
    }
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(super) fn value(key: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Value { key: key.to_owned(), problem: problem.into() }
}
