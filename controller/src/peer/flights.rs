//! How many calls to each member are under way: what a node wants in a loop must not become connections without end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use constella_shared::ids::NodeId;
use constella_shared::limits::PEER_CALLS;

/// Calls under way, by member. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<NodeId, usize>>>);

/// One call; its end is counted when it is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    flights: Flights,
    to: NodeId,
}

impl Flights {
    /// Counts one more; None where [`PEER_CALLS`] are under way.
    pub(super) fn begin(&self, to: NodeId) -> Option<Flight> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = flights.entry(to).or_default();
        if *count >= PEER_CALLS {
            return None;
        }
        *count += 1;
        Some(Flight { flights: self.clone(), to })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = flights.get_mut(&self.to) {
            *count -= 1;
            if *count == 0 {
                flights.remove(&self.to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_called_so_often_at_once_and_others_beside_it() {
        let flights = Flights::default();
        let (beta, gamma) = (NodeId([2; 32]), NodeId([3; 32]));
        let mut under_way: Vec<_> = (0..PEER_CALLS).map(|_| flights.begin(beta).unwrap()).collect();
        assert!(flights.begin(beta).is_none());
        assert!(flights.begin(gamma).is_some());
        under_way.pop();
        under_way.extend(flights.begin(beta));
        assert_eq!(under_way.len(), PEER_CALLS);
        drop(under_way);
        assert!(flights.0.lock().unwrap().is_empty());
    }
}
