//! How long the way to another node is, there and back: RFC 6298's smoothed round trip and its variation, from which time limits follow.

/// What was measured of the way to one node. Nothing to begin with: then every limit is that of a short wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoundTrip(Option<Known>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    /// SRTT, microseconds.
    smooth_us: u64,
    /// RTTVAR, microseconds.
    varies_us: u64,
    last_ms: u64,
    /// Only from a dial, which has other things in it.
    dialled: bool,
}

impl RoundTrip {
    /// Takes a measurement in: a request on an open connection, or half a dial, which counts only until a request was measured.
    ///
    /// TCP hides that a packet was sent again, so such a request counts for as long as it took: that is what a limit has to bear (Karn's rule is
    /// for who can tell the two apart). A single one that is far longer than the wire is a machine that stood still; it counts in part, and only
    /// several in a row are the wire.
    pub fn measured(&mut self, ms: u64, dialled: bool) {
        let us = ms.saturating_mul(1_000);
        let known = match self.0 {
            Some(known) if dialled && !known.dialled => known,
            Some(known) if dialled || !known.dialled => {
                let most_us = known.timeout_us().saturating_mul(2).saturating_add(STALL_US);
                known.with(us.min(most_us).min(MOST_US))
            }
            _ => {
                let us = us.min(MOST_US);
                Known { smooth_us: us, varies_us: us / 2, last_ms: 0, dialled }
            }
        };
        let last_ms = if dialled && !known.dialled { known.last_ms } else { ms };
        self.0 = Some(Known { last_ms, ..known });
    }

    /// SRTT + 4 RTTVAR, milliseconds, at most [`MOST_TIMEOUT_MS`]: nearly every request is answered within it. 0 while nothing was measured.
    #[must_use]
    pub fn timeout_ms(&self) -> u64 {
        self.0.map_or(0, |known| known.timeout_us() / 1_000).min(MOST_TIMEOUT_MS)
    }

    /// What a time limit for a call has to have beyond that of a wire without length: an answer that is late by one lost packet still counts.
    #[must_use]
    pub fn allowance_ms(&self) -> u64 {
        self.timeout_ms().saturating_mul(2)
    }

    /// The last measurement of a request, milliseconds.
    #[must_use]
    pub fn last_ms(&self) -> Option<u64> {
        self.0.filter(|known| !known.dialled).map(|known| known.last_ms)
    }
}

impl Known {
    /// RFC 6298, 2.3: alpha is an eighth, beta a quarter.
    const fn with(self, us: u64) -> Self {
        let varies_us = (3 * self.varies_us + self.smooth_us.abs_diff(us)) / 4;
        let smooth_us = (7 * self.smooth_us + us) / 8;
        Self { smooth_us, varies_us, ..self }
    }

    const fn timeout_us(&self) -> u64 {
        self.smooth_us.saturating_add(self.varies_us.saturating_mul(4))
    }
}

/// A pause of a machine that measures nothing: a turn that a busy host gives late.
const STALL_US: u64 = 250_000;

/// No longer measurement is believed: it bounds the sums.
const MOST_US: u64 = 10_000_000;

/// Wires of over a second (two satellites in a row) get no longer limits: with twice this a dead node's silence would be known later than its
/// lease is over.
pub const MOST_TIMEOUT_MS: u64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn after(samples: impl IntoIterator<Item = u64>) -> RoundTrip {
        let mut round_trip = RoundTrip::default();
        for ms in samples {
            round_trip.measured(ms, false);
        }
        round_trip
    }

    #[test]
    fn nothing_is_allowed_before_anything_was_measured() {
        assert_eq!(RoundTrip::default().allowance_ms(), 0);
        assert_eq!(RoundTrip::default().last_ms(), None);
    }

    #[test]
    fn limits_follow_a_steady_wire_and_bear_one_lost_packet() {
        // RFC 6298, 2.2 and 2.3
        assert_eq!(after([600]).timeout_ms(), 1_800);
        let steady = after([600; 30]);
        assert!((600..620).contains(&steady.timeout_ms()), "{steady:?}");
        // A packet that is lost is sent again after a round trip and 200 ms.
        assert!(1_000 + steady.allowance_ms() >= 600 + 600 + 200);
        assert!(after([1; 30]).allowance_ms() <= 4, "a short wire's limits stay as they are");
    }

    #[test]
    fn one_long_measurement_is_a_pause_and_several_are_the_wire() {
        let mut round_trip = after([1; 30]);
        round_trip.measured(8_000, false);
        assert!(round_trip.timeout_ms() < 400, "{round_trip:?}");
        for _ in 0..10 {
            round_trip.measured(1, false);
        }
        assert!(round_trip.timeout_ms() < 100, "{round_trip:?}");
        for _ in 0..4 {
            round_trip.measured(1_000, false);
        }
        assert!(round_trip.timeout_ms() >= 1_000, "{round_trip:?}");
    }

    #[test]
    fn a_dial_counts_until_a_request_was_measured() {
        let mut round_trip = RoundTrip::default();
        round_trip.measured(700, true);
        assert!(round_trip.timeout_ms() >= 700);
        assert_eq!(round_trip.last_ms(), None);
        round_trip.measured(5, false);
        assert_eq!((round_trip.timeout_ms(), round_trip.last_ms()), (15, Some(5)));
        round_trip.measured(700, true);
        assert_eq!((round_trip.timeout_ms(), round_trip.last_ms()), (15, Some(5)));
    }

    #[test]
    fn no_wire_gets_more_than_the_bound() {
        assert_eq!(after([u64::MAX; 30]).timeout_ms(), MOST_TIMEOUT_MS);
    }
}
