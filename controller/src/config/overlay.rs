//! The overlay that this node is reached through, where its operator made one. `install.sh` makes keys and the file for WireGuard, the host
//! applies it; the controller only publishes the address (DESIGN 10) and tells in `doctor` whether it is there.

use std::net::IpAddr;

use super::value::Raw;
use super::{ConfigError, value};

/// `VPN_MODE=hub` or `client`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// `VPN_INTERFACE_NAME`.
    pub interface: String,
    /// `VPN_ADDRESS`, without a prefix length.
    pub address: IpAddr,
}

pub(super) fn overlay(raw: &Raw) -> Result<Option<Overlay>, ConfigError> {
    match raw.vpn_mode.as_ref().map_or("none", |mode| mode.0.as_str()) {
        "none" => return Ok(None),
        "hub" | "client" => {}
        _ => return Err(value("VPN_MODE", "is not none, hub or client")),
    }
    let interface = raw.vpn_interface_name.as_ref().map_or(INTERFACE, |name| name.0.as_str());
    // netdevice(7): IFNAMSIZ is 16 with the closing zero.
    let is_name = (1..=15).contains(&interface.len())
        && interface.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_name {
        return Err(value("VPN_INTERFACE_NAME", "is not 1 to 15 letters, digits, - and _"));
    }
    let Some(text) = raw.vpn_address.as_ref() else {
        let problem = "an overlay needs this node's address in it".to_owned();
        return Err(ConfigError::Contradiction { first: "VPN_MODE", second: "VPN_ADDRESS", problem });
    };
    let wrong = || value("VPN_ADDRESS", "is no IP address, nor one with its network's length, e.g. 10.42.0.7/24");
    let (address, length) = text.0.split_once('/').unwrap_or((text.0.as_str(), "0"));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    length.parse::<u8>().ok().filter(|length| *length <= longest).ok_or_else(wrong)?;
    Ok(Some(Overlay { interface: interface.to_owned(), address }))
}

/// DESIGN 11.
const INTERFACE: &str = "wg0";
