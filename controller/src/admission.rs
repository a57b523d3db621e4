//! How much one source address may have: connections at once, and tries at `/join` within a minute; and who makes room when all places are
//! taken.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use constella_shared::limits::{JOIN_SOURCES, JOINS_PER_MINUTE, PEER_CONNECTIONS, PEER_CONNECTIONS_PER_ADDRESS};
use tokio::sync::Notify;

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
pub struct Connections(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    counts: HashMap<Source, usize>,
    /// Connections that have not shown a member's certificate, by age: whoever asks for a place when all are taken gets the oldest one's, so
    /// that strangers who only sit there keep no member out.
    strangers: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

/// One counted connection; its place is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    connections: Connections,
    source: Source,
    number: u64,
    asked: Arc<Notify>,
}

impl Connections {
    /// A place for one more connection; None where all of this source, or all by members, are taken.
    #[must_use]
    pub fn enter(&self, source: Source) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.counts.get(&source).copied().unwrap_or(0);
        if own >= PEER_CONNECTIONS_PER_ADDRESS {
            return None;
        }
        if taken.counts.values().sum::<usize>() >= PEER_CONNECTIONS {
            // It ends a moment later, so there may be one more for that moment.
            taken.strangers.pop_first()?.1.notify_one();
        }
        let (number, asked) = (taken.next, Arc::new(Notify::new()));
        taken.next += 1;
        taken.counts.insert(source, own + 1);
        taken.strangers.insert(number, Arc::clone(&asked));
        Some(Place { connections: self.clone(), source, number, asked })
    }
}

impl Place {
    /// The connection showed a member's certificate: its place is its own.
    pub fn is_members(&self) {
        let mut taken = self.connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.strangers.remove(&self.number);
    }

    /// Resolves when somebody else needs this place.
    pub fn is_needed(&self) -> impl Future<Output = ()> + Send + use<> {
        let asked = Arc::clone(&self.asked);
        async move { asked.notified().await }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.strangers.remove(&self.number);
        match taken.counts.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                taken.counts.remove(&self.source);
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
        let taken = connections.0.lock().unwrap();
        assert!(taken.counts.is_empty() && taken.strangers.is_empty());
    }

    #[test]
    fn all_sources_together_have_so_many_connections() {
        let connections = Connections::default();
        let places: Vec<_> = (0..=255u8)
            .flat_map(|n| (0..4).map(move |_| n))
            .map_while(|n| connections.enter(source(&format!("192.0.2.{n}"))))
            .inspect(Place::is_members)
            .collect();
        assert_eq!(places.len(), PEER_CONNECTIONS);
    }

    #[tokio::test]
    async fn a_newcomer_gets_the_place_of_the_oldest_stranger_and_of_no_member() {
        let connections = Connections::default();
        let enter = |n: usize| connections.enter(source(&format!("192.0.2.{}", n % 250)));
        let mut places: Vec<_> = (0..PEER_CONNECTIONS).map_while(enter).collect();
        places[0].is_members();
        let newcomer = enter(0).unwrap();
        places[1].is_needed().await;
        assert!(
            places.iter().chain([&newcomer]).enumerate().all(|(n, place)| { n == 1 || is_pending(place.is_needed()) })
        );
        places.remove(1);
        newcomer.is_members();
        drop(places);
        assert_eq!(connections.0.lock().unwrap().counts.values().sum::<usize>(), 1);
    }

    fn is_pending(future: impl Future<Output = ()>) -> bool {
        let mut future = std::pin::pin!(future);
        future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
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
