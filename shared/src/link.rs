//! The invitation link: `join://<seed>?net=<id>&token=<token>&ttl=<15m>&fp=<pin>[&seed=<host:port>,<pin>]...`, and what is derived from its token.
//!
//! A seed knows only the SHA-256 of a token. From that hash both sides derive the invitation's public id (to find it) and its key (to sign
//! `POST /join`): the token itself never travels.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::ids::{NetworkId, Pin, TokenHash};
use crate::secret::Secret;

/// An invitation, as a person carries it to a new server.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// The seeds, the writer of the link first; one to three.
    pub seeds: Vec<Seed>,
    /// The network.
    pub network: NetworkId,
    /// The one-time token: 64 hex digits.
    pub token: Secret,
    /// How long it holds, seconds from when it was made; for people, the seeds know the date.
    pub ttl_s: u64,
}

/// One seed of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// `host:port` or `[v6]:port`.
    pub addr: String,
    /// SHA-256 of its certificate, checked before anything is sent.
    pub pin: Pin,
}

/// Why a link is refused. Nothing was sent and nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It does not begin with `join://`.
    #[error("an invitation begins with join://")]
    Scheme,
    /// No host and port.
    #[error("the invitation names no server and port")]
    Seed,
    /// `net` is missing or no network id.
    #[error("the invitation's network (net) cannot be read; ask for a new link")]
    Network,
    /// `token` is missing or no token.
    #[error("the invitation's token cannot be read; ask for a new link")]
    Token,
    /// `fp` is missing or no pin: whoever answers could not be checked.
    #[error("the invitation does not say whom to trust (fp); ask for a new link")]
    Pin,
    /// `ttl` cannot be read.
    #[error("the invitation's ttl cannot be read; ask for a new link")]
    Ttl,
    /// A parameter that this version does not know.
    #[error("the invitation has a part that this version does not know; ask for a new link")]
    Unknown,
}

/// Names an invitation to a seed without giving its key away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InviteId(pub [u8; 16]);

impl InviteId {
    /// The id of the invitation with this token hash.
    #[must_use]
    pub fn of(token: &TokenHash) -> Self {
        let full: [u8; 32] = Sha256::new().chain_update(b"constella invite id").chain_update(token.0).finalize().into();
        let mut id = [0; 16];
        id.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for InviteId {
    type Err = LinkError;
    fn from_str(text: &str) -> Result<Self, LinkError> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).map_err(|_| LinkError::Token)?;
        Ok(Self(id))
    }
}

/// SHA-256 of a token's text.
#[must_use]
pub fn token_hash(token: &Secret) -> TokenHash {
    TokenHash(Sha256::digest(token.expose().as_bytes()).into())
}

/// The MAC of a `POST /join`: HMAC-SHA256 under the invitation's key over the joiner's pin and the body.
#[must_use]
pub fn join_mac(token: &TokenHash, joiner: &Pin, body: &[u8]) -> [u8; 32] {
    join_hmac(token, joiner, body).map_or([0; 32], |mac| mac.finalize().into_bytes().into())
}

/// Checks a MAC of [`join_mac`] in constant time.
#[must_use]
pub fn join_mac_holds(token: &TokenHash, joiner: &Pin, body: &[u8], mac: &[u8; 32]) -> bool {
    join_hmac(token, joiner, body).is_some_and(|expected| expected.verify_slice(mac).is_ok())
}

fn join_hmac(token: &TokenHash, joiner: &Pin, body: &[u8]) -> Option<Hmac<Sha256>> {
    let key: [u8; 32] = Sha256::new().chain_update(b"constella invite key").chain_update(token.0).finalize().into();
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
    mac.update(&joiner.0);
    mac.update(&(body.len() as u64).to_be_bytes());
    mac.update(body);
    Some(mac)
}

impl fmt::Display for InviteLink {
    /// The whole link, token included: only for the one place that hands it to a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, more)) = self.seeds.split_first() else { return Err(fmt::Error) };
        write!(
            f,
            "join://{}?net={}&token={}&ttl={}s&fp={}",
            first.addr,
            self.network,
            self.token.expose(),
            self.ttl_s,
            first.pin
        )?;
        more.iter().try_for_each(|seed| write!(f, "&seed={},{}", seed.addr, seed.pin))
    }
}

impl fmt::Debug for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteLink").field("seeds", &self.seeds).field("network", &self.network).finish_non_exhaustive()
    }
}

impl FromStr for InviteLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let rest = text.trim().strip_prefix("join://").ok_or(LinkError::Scheme)?;
        let (addr, query) = rest.split_once('?').ok_or(LinkError::Network)?;
        let (mut network, mut token, mut ttl_s, mut pin, mut more) = (None, None, None, None, Vec::new());
        for part in query.split('&') {
            let (key, value) = part.split_once('=').ok_or(LinkError::Unknown)?;
            match key {
                "net" => network = Some(value.parse().map_err(|_| LinkError::Network)?),
                "token" => token = Some(parse_token(value)?),
                "ttl" => ttl_s = Some(parse_ttl(value).ok_or(LinkError::Ttl)?),
                "fp" => pin = Some(value.parse().map_err(|_| LinkError::Pin)?),
                "seed" => more.push(parse_seed(value)?),
                _ => return Err(LinkError::Unknown),
            }
        }
        let first = Seed { addr: checked_addr(addr)?, pin: pin.ok_or(LinkError::Pin)? };
        let seeds = core::iter::once(first).chain(more).take(3).collect();
        Ok(Self {
            seeds,
            network: network.ok_or(LinkError::Network)?,
            token: token.ok_or(LinkError::Token)?,
            ttl_s: ttl_s.ok_or(LinkError::Ttl)?,
        })
    }
}

/// Seconds of `900`, `900s`, `15m`, `2h` or `1d`; None for anything else and for zero.
#[must_use]
pub fn parse_ttl(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 's') => (text.get(..at)?, 1),
        (at, 'm') => (text.get(..at)?, 60),
        (at, 'h') => (text.get(..at)?, 3_600),
        (at, 'd') => (text.get(..at)?, 86_400),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| *seconds > 0)
}

fn parse_token(value: &str) -> Result<Secret, LinkError> {
    let good = value.len() == 64 && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if good { Ok(Secret::new(value.to_string())) } else { Err(LinkError::Token) }
}

fn parse_seed(value: &str) -> Result<Seed, LinkError> {
    let (addr, pin) = value.rsplit_once(',').ok_or(LinkError::Pin)?;
    Ok(Seed { addr: checked_addr(addr)?, pin: pin.parse().map_err(|_| LinkError::Pin)? })
}

/// The address itself where it is `host:port`, `v4:port` or `[v6]:port` with a port that is not 0, and nothing that could end it early.
///
/// # Errors
/// [`LinkError::Seed`] for anything else.
pub fn checked_addr(addr: &str) -> Result<String, LinkError> {
    let (host, port) = addr.rsplit_once(':').ok_or(LinkError::Seed)?;
    let host_is_good = !host.is_empty() && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')));
    let no_junk = addr.bytes().all(|b| b.is_ascii_graphic() && !b"/?#@&,".contains(&b));
    if host_is_good && no_junk && port.parse::<u16>().is_ok_and(|p| p != 0) {
        Ok(addr.to_string())
    } else {
        Err(LinkError::Seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};

    fn link() -> InviteLink {
        InviteLink {
            seeds: vec![
                Seed { addr: "203.0.113.7:4747".into(), pin: Pin([7; 32]) },
                Seed { addr: "[2001:db8::1]:4747".into(), pin: Pin([8; 32]) },
            ],
            network: NetworkId([1; 32]),
            token: Secret::new("ab".repeat(32)),
            ttl_s: 900,
        }
    }

    #[test]
    fn a_link_is_read_back_from_its_own_text() {
        assert_eq!(link().to_string().parse::<InviteLink>(), Ok(link()));
    }

    #[test]
    fn each_damaged_part_is_named() {
        let text = link().to_string();
        let cases = [
            (text.replace("join://", "https://"), LinkError::Scheme),
            (text.replace("203.0.113.7:4747", "203.0.113.7"), LinkError::Seed),
            (text.replace("203.0.113.7:4747", "user@203.0.113.7:4747"), LinkError::Seed),
            (text.replace("net=01", "net=0"), LinkError::Network),
            (text.replace("token=ab", "token=AB"), LinkError::Token),
            (text.replace("&fp=07", "&fp=7"), LinkError::Pin),
            (text.replace("ttl=900s", "ttl=0"), LinkError::Ttl),
            (format!("{text}&more=1"), LinkError::Unknown),
            (text.split("&fp=").next().unwrap_or_default().to_string(), LinkError::Pin),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<InviteLink>(), Err(error), "{text}");
        }
    }

    #[test]
    fn debug_does_not_show_the_token() {
        assert!(!format!("{:?}", link()).contains("abab"));
    }

    #[test]
    fn a_mac_holds_for_its_own_pin_and_body_only() {
        let hash = token_hash(&link().token);
        let mac = join_mac(&hash, &Pin([1; 32]), b"body");
        assert!(join_mac_holds(&hash, &Pin([1; 32]), b"body", &mac));
        assert!(!join_mac_holds(&hash, &Pin([2; 32]), b"body", &mac));
        assert!(!join_mac_holds(&hash, &Pin([1; 32]), b"bodz", &mac));
        assert!(!join_mac_holds(&TokenHash([0; 32]), &Pin([1; 32]), b"body", &mac));
    }

    #[test]
    fn durations_take_a_unit() {
        let cases = [
            ("90", Some(90)),
            ("15m", Some(900)),
            ("2h", Some(7_200)),
            ("1d", Some(86_400)),
            ("0", None),
            ("m", None),
            ("-5", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_ttl(text), seconds, "{text}");
        }
    }
}
