//! S5: which addresses are dialled. A member that announces a metadata service, a printer or ourselves must not make us talk to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `host:port`, `v4:port` or `[v6]:port`, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A name, or an address without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

/// Text that is no address to dial. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `host:port`.
    #[error("{0:?} is not HOST:PORT ([V6]:PORT for IPv6)")]
    Shape(String),
    /// An address that is never dialled (S5).
    #[error("{ip} is not dialled: it is {kind}")]
    Forbidden {
        /// Which.
        ip: IpAddr,
        /// What kind of address that is.
        kind: &'static str,
    },
}

impl std::str::FromStr for HostPort {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError::Shape(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(v6) if v6.parse::<Ipv6Addr>().is_ok() => v6,
            Some(_) => return Err(wrong()),
            None if is_name_or_v4(host) => host,
            None => return Err(wrong()),
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl HostPort {
    /// Whether this names the loopback of its own host.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let ip = self.host.parse::<IpAddr>().map(|ip| plain(ip).is_loopback());
        ip.unwrap_or_else(|_| self.host.eq_ignore_ascii_case("localhost"))
    }
}

impl HostPort {
    /// S5, where the host is an address and no name: why nobody dials it.
    #[must_use]
    pub fn forbidden(&self) -> Option<AddressError> {
        self.host.parse().ok().and_then(|ip| check(ip, true).err())
    }
}

/// A DNS name: labels of letters, digits, hyphens and underscores. An IPv4 address has that shape too.
fn is_name_or_v4(host: &str) -> bool {
    let good = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(good)
}

/// S5, for one resolved address. `loopback` says whether this node itself publishes loopback.
///
/// # Errors
/// [`AddressError::Forbidden`] with the kind.
pub fn check(ip: IpAddr, loopback: bool) -> Result<(), AddressError> {
    let ip = plain(ip);
    let kind = match ip {
        _ if METADATA.contains(&ip) => Some("a cloud's metadata service"),
        IpAddr::V4(v4) => forbidden_v4(v4, loopback),
        IpAddr::V6(v6) => forbidden_v6(v6, loopback),
    };
    kind.map_or(Ok(()), |kind| Err(AddressError::Forbidden { ip, kind }))
}

fn forbidden_v4(ip: Ipv4Addr, loopback: bool) -> Option<&'static str> {
    match ip {
        _ if ip.octets().starts_with(&[0]) => Some("unspecified"),
        _ if ip.is_loopback() && !loopback => Some("loopback, which this node does not publish itself"),
        _ if ip.is_link_local() => Some("link-local"),
        _ if ip.is_multicast() => Some("multicast"),
        _ if ip.octets() >= [240, 0, 0, 0] => Some("reserved or broadcast"),
        _ => None,
    }
}

fn forbidden_v6(ip: Ipv6Addr, loopback: bool) -> Option<&'static str> {
    match ip {
        _ if ip.is_loopback() => (!loopback).then_some("loopback, which this node does not publish itself"),
        _ if ip.is_unspecified() => Some("unspecified"),
        _ if ip.is_unicast_link_local() => Some("link-local"),
        _ if ip.is_multicast() => Some("multicast"),
        // fec0::/10, site-local, was withdrawn (RFC 3879); ::/96, IPv4-compatible, too (RFC 4291), and both reach what the rest forbids.
        _ if ip.to_bits() >> 118 == 0x3fb || ip.to_bits() >> 32 == 0 => Some("of a withdrawn kind"),
        _ => None,
    }
}

/// The IPv4 address inside a mapped one (RFC 4291), a NAT64 one (RFC 6052) or a 6to4 one (RFC 3056): those are other spellings of it.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else { return ip.to_canonical() };
    let bits = v6.to_bits();
    let inner = if bits >> 32 == NAT64 {
        Some(bits & 0xffff_ffff)
    } else if bits >> 112 == 0x2002 {
        Some(bits >> 80 & 0xffff_ffff)
    } else {
        None
    };
    inner.and_then(|inner| u32::try_from(inner).ok()).map_or(IpAddr::V6(v6), |inner| IpAddr::V4(inner.into()))
}

/// 64:ff9b::/96.
const NAT64: u128 = 0x0064_ff9b_0000_0000_0000_0000;

/// Metadata services outside link-local: Alibaba, Oracle, Azure's wire server, AWS over IPv6.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn s5_addresses_are_dialled_or_refused_by_kind() {
        // S5
        let refused = [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.0.1",
            "169.254.169.254",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "240.0.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fec0::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2002:e000:1::",
        ];
        for text in refused {
            assert!(check(text.parse().unwrap(), true).is_err(), "{text}");
        }
        let dialled = [
            "203.0.113.7",
            "10.42.0.2",
            "192.168.1.1",
            "172.17.0.2",
            "100.64.0.1",
            "2001:db8::1",
            "fd00::1",
            "64:ff9b::cb00:7107",
        ];
        for text in dialled {
            assert_eq!(check(text.parse().unwrap(), false), Ok(()), "{text}");
        }
    }

    #[test]
    fn s5_loopback_is_dialled_by_a_node_that_publishes_loopback_only() {
        // S5
        for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert!(check(text.parse().unwrap(), false).is_err(), "{text}");
            assert_eq!(check(text.parse().unwrap(), true), Ok(()), "{text}");
        }
    }

    #[test]
    fn addresses_are_parsed_and_printed_alike() {
        // S5
        for text in ["203.0.113.7:4747", "[2001:db8::1]:4747", "vps.example.net:1", "a_b-c.example.:65535"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        let junk = [
            "",
            ":",
            "a",
            "a:",
            ":1",
            "a:0",
            "a:65536",
            "2001:db8::1:4747",
            "[::1]",
            "[x]:1",
            "[127.0.0.1]:1",
            "a b:1",
            "a/b:1",
            "user@a:1",
            "a..b:1",
            "a\u{0}b:1",
            "\u{444}:1",
        ];
        for text in junk {
            assert!(text.parse::<HostPort>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn loopback_is_told_from_the_text() {
        // S5
        for (text, is) in [
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("LocalHost:1", true),
            ("203.0.113.7:1", false),
            ("a.example:1", false),
        ] {
            assert_eq!(text.parse::<HostPort>().unwrap().is_loopback(), is, "{text}");
        }
    }
}
