//! How much one source address may have: connections at once, and tries at `/join` within a minute.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use constella_shared::limits::{JOIN_SOURCES, JOINS_PER_MINUTE, PEER_CONNECTIONS, PEER_CONNECTIONS_PER_ADDRESS};

/// A source as it is counted: an IPv4 address, or the /64 of an IPv6 one, since one host has a whole /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            v4 @ IpAddr::V4(_) => Self(v4),
            IpAddr::V6(v6) => Self(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64))),
        }
    }
}

/// Counts connections; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<Source, usize>>>);

/// One counted connection; its place is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    connections: Connections,
    source: Source,
}

impl Connections {
    /// A place for one more connection; None where all, or all of this source, are taken.
    #[must_use]
    pub fn enter(&self, source: Source) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = counts.get(&source).copied().unwrap_or(0);
        if own >= PEER_CONNECTIONS_PER_ADDRESS || counts.values().sum::<usize>() >= PEER_CONNECTIONS {
            return None;
        }
        counts.insert(source, own + 1);
        Some(Place { connections: self.clone(), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                counts.remove(&self.source);
            }
        }
    }
}

/// Counts tries at `/join`.
#[derive(Debug, Default)]
pub struct Joins(Mutex<HashMap<Source, VecDeque<u64>>>);

impl Joins {
    /// Whether this source may try once more now; the try is counted.
    pub fn may_try(&self, source: Source, now_ms: u64) -> bool {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !tries.contains_key(&source) && tries.len() >= JOIN_SOURCES {
            tries.retain(|_, times| times.back().is_some_and(|last| now_ms.saturating_sub(*last) < MINUTE_MS));
            if tries.len() >= JOIN_SOURCES {
                return false;
            }
        }
        let times = tries.entry(source).or_default();
        while times.front().is_some_and(|first| now_ms.saturating_sub(*first) >= MINUTE_MS) {
            times.pop_front();
        }
        if times.len() >= JOINS_PER_MINUTE {
            return false;
        }
        times.push_back(now_ms);
        true
    }
}

/// The window of [`JOINS_PER_MINUTE`].
const MINUTE_MS: u64 = 60_000;

#[cfg(test)]
mod tests {

    use super::*;

    fn source(text: &str) -> Source {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn one_host_is_one_source() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn a_source_has_so_many_connections_and_gets_a_place_back() {
        let connections = Connections::default();
        let mut places: Vec<_> = std::iter::from_fn(|| connections.enter(source("192.0.2.1"))).collect();
        assert_eq!(places.len(), PEER_CONNECTIONS_PER_ADDRESS);
        assert!(connections.enter(source("192.0.2.2")).is_some());
        places.pop();
        assert!(connections.enter(source("192.0.2.1")).is_some());
        drop(places);
        assert!(connections.0.lock().unwrap().is_empty());
    }

    #[test]
    fn all_sources_together_have_so_many_connections() {
        let connections = Connections::default();
        let places: Vec<_> = (0..=255u8)
            .flat_map(|n| (0..4).map(move |_| n))
            .map_while(|n| connections.enter(source(&format!("192.0.2.{n}"))))
            .collect();
        assert_eq!(places.len(), PEER_CONNECTIONS);
    }

    #[test]
    fn joins_are_counted_within_a_minute_and_by_source() {
        let joins = Joins::default();
        for _ in 0..JOINS_PER_MINUTE {
            assert!(joins.may_try(source("192.0.2.1"), 1_000));
        }
        assert!(!joins.may_try(source("192.0.2.1"), 60_999));
        assert!(joins.may_try(source("192.0.2.2"), 60_999));
        assert!(joins.may_try(source("192.0.2.1"), 61_000));
    }

    #[test]
    fn a_flood_of_sources_takes_a_fixed_space_and_ends_with_the_minute() {
        let joins = Joins::default();
        for n in 0..u32::try_from(JOIN_SOURCES).unwrap() {
            assert!(joins.may_try(Source(IpAddr::V4(n.into())), 0));
        }
        assert!(!joins.may_try(source("192.0.2.1"), 59_999));
        assert!(joins.may_try(source("192.0.2.1"), 60_000));
    }
}
