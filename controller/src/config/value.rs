//! Settings as they are written, before they are checked. A value is a text wherever it comes from: `SERVER_NAME=7` is the name "7".

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Settings of the process. Each key here and below is the variable's name in lower case.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Raw {
    pub(super) server_name: Option<Text>,
    pub(super) listen_addr: Option<Text>,
    pub(super) public_addr: Option<Text>,
    pub(super) priority: Option<Count>,
    pub(super) telegram_api_url: Option<Text>,
    pub(super) telegram_proxy: Option<Text>,
    pub(super) release_url: Option<Text>,
    pub(super) agent_socket: Option<Text>,
    pub(super) control_socket: Option<Text>,
    pub(super) log: Option<Text>,
    pub(super) vpn_mode: Option<Text>,
    pub(super) vpn_interface_name: Option<Text>,
    pub(super) vpn_address: Option<Text>,
}

/// What seeds an empty state.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RawSeed {
    pub(super) owner_username: Option<Text>,
    pub(super) bot_token: Option<Text>,
    pub(super) bot_token_file: Option<Text>,
    pub(super) network_id: Option<Text>,
    pub(super) network_secret: Option<Text>,
    pub(super) seed_peers: Option<Text>,
    pub(super) join_url: Option<Text>,
}

/// What the core is timed by.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RawTiming {
    pub(super) heartbeat_interval: Option<Seconds>,
    pub(super) down_after: Option<Seconds>,
    pub(super) down_after_misses: Option<Count>,
    pub(super) heartbeat_timeout: Option<Seconds>,
    pub(super) rpc_timeout: Option<Seconds>,
    pub(super) clock_skew: Option<Seconds>,
    pub(super) bot_lease_ttl: Option<Seconds>,
    pub(super) lang_default: Option<Text>,
}

/// Any scalar, as text. It may be a secret, so its Debug shows nothing.
pub(super) struct Text(pub(super) String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

/// A duration in plain seconds, also fractional.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seconds(f64);

impl Seconds {
    /// Rounded to whole milliseconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10^9 s by construction")]
    pub(super) fn millis(self) -> u64 {
        (self.0 * 1_000.0).round() as u64
    }
}

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Scalar).map(Self)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = from.deserialize_any(Scalar)?;
        let seconds = text.trim().parse::<f64>().ok().filter(|seconds| (0.0..=1e9).contains(seconds));
        seconds.map(Self).ok_or_else(|| D::Error::custom("is no plain number of seconds"))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = from.deserialize_any(Scalar)?;
        text.trim().parse().map(Self).map_err(|_| D::Error::custom("is no whole number"))
    }
}

struct Scalar;

impl Visitor<'_> for Scalar {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<String, E> {
        Ok(value.to_string())
    }
}
