//! A long way between two nodes: round trip, jitter and loss, as TCP lets a program feel them.
//!
//! A relay on loopback sees no packets, so each effect is counted where it would be felt:
//! - The kernel of this machine accepts a connection at once. The round trip of SYN and SYN-ACK is waited for before the relay connects onward,
//!   and before the first byte goes on. A SYN that is lost is sent again after 1 s, then after twice that (RFC 6298, 2.1).
//! - Each piece that is read takes half a round trip, and up to the jitter more. So a TLS 1.3 handshake costs one round trip, a request another.
//! - No byte of TCP is ever missing. A lost segment is sent again after a round trip and the kernel's least time-out of 200 ms, doubled each
//!   time, and everything behind it on that connection waits (head-of-line blocking). Fast retransmission, which is sooner, is left out: the
//!   documents between nodes are one or two segments, and no later one tells of the loss. A lost acknowledgement costs nothing.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::sim::dice::Dice;

/// What a way between two nodes is like. The default is loopback itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// There and back, without loss.
    pub round_trip: Duration,
    /// Each piece is late by up to so much, evenly.
    pub jitter: Duration,
    /// Lost segments in a million.
    pub loss: u64,
}

impl Link {
    /// So many milliseconds of round trip, a twentieth of that as jitter, and so many lost segments in a hundred.
    #[must_use]
    pub fn far(round_trip_ms: u64, loss_percent: u64) -> Self {
        let round_trip = Duration::from_millis(round_trip_ms);
        Self { round_trip, jitter: round_trip / 20, loss: loss_percent * 10_000 }
    }

    /// How long the first packets of a connection take: SYN there, SYN-ACK back.
    pub(super) fn connects_after(self, dice: &mut Dice) -> Duration {
        self.round_trip + self.sent_again(SYN_TIMEOUT, 2, dice)
    }

    /// How long so many bytes are late because of segments that were lost.
    fn late(self, bytes: usize, dice: &mut Dice) -> Duration {
        let segments = u64::try_from(bytes.div_ceil(SEGMENT)).unwrap_or(1);
        self.sent_again(self.round_trip + LEAST_TIMEOUT, segments, dice)
    }

    /// The longest wait among so many packets, each sent again until it is not lost.
    fn sent_again(self, timeout: Duration, packets: u64, dice: &mut Dice) -> Duration {
        let one = |dice: &mut Dice| {
            let (mut wait, mut timeout) = (Duration::ZERO, timeout);
            while dice.per_million(self.loss.min(MOST_LOSS)) {
                wait += timeout;
                timeout *= 2;
            }
            wait
        };
        (0..packets).map(|_| one(dice)).max().unwrap_or_default()
    }

    fn one_way(self, dice: &mut Dice) -> Duration {
        let jitter_us = u64::try_from(self.jitter.as_micros()).unwrap_or(0);
        self.round_trip / 2 + Duration::from_micros(dice.below(jitter_us + 1))
    }
}

/// One direction of one connection: what was sent first arrives first.
#[derive(Debug)]
pub(super) struct Direction {
    link: Link,
    dice: Dice,
    last: Option<Instant>,
}

impl Direction {
    pub(super) fn new(link: Link, dice: Dice) -> Self {
        Self { link, dice, last: None }
    }

    /// When what is sent now arrives.
    fn arrives(&mut self, now: Instant, bytes: usize) -> Instant {
        let at = now + self.link.one_way(&mut self.dice) + self.link.late(bytes, &mut self.dice);
        let at = self.last.map_or(at, |last| last.max(at));
        self.last = Some(at);
        at
    }

    /// Carries everything from one end to the other until the first end is done, or is gone; both look alike from here, and arrive as late as bytes do.
    pub(super) async fn carry<P: Future<Output = ()>>(
        mut self,
        mut from: impl AsyncRead + Unpin,
        to: &mut (impl AsyncWrite + Unpin),
        passable: impl Fn() -> P,
    ) -> std::io::Result<()> {
        let (sender, mut on_the_way) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
        let reads = async move {
            let mut bytes = vec![0; PIECE];
            loop {
                // A reset ends the stream as its end does: what was read before it still arrives.
                let read = from.read(&mut bytes).await.unwrap_or(0);
                let piece = bytes.get(..read).unwrap_or_default().to_vec();
                // Nobody takes it any more: the other end is gone.
                if sender.send((self.arrives(Instant::now(), read), piece)).await.is_err() || read == 0 {
                    return Ok(());
                }
            }
        };
        let writes = async {
            while let Some((at, piece)) = on_the_way.recv().await {
                sleep_until(at).await;
                passable().await;
                if piece.is_empty() {
                    break;
                }
                to.write_all(&piece).await?;
            }
            Ok(())
        };
        tokio::try_join!(reads, writes).map(|_| ())
    }
}

/// A full segment over Ethernet, with the usual options.
const SEGMENT: usize = 1_448;
/// What is read at once.
const PIECE: usize = 16 << 10;
/// Pieces on one way: far more than two nodes have under way.
const ON_THE_WAY: usize = 256;
/// RFC 6298, 2.1: before anything was measured.
const SYN_TIMEOUT: Duration = Duration::from_secs(1);
/// Linux never waits for less (TCP_RTO_MIN).
const LEAST_TIMEOUT: Duration = Duration::from_millis(200);
/// A wire that loses more carries nothing.
const MOST_LOSS: u64 = 900_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn directions(link: Link) -> impl Iterator<Item = Direction> {
        (0..200).map(move |seed| Direction::new(link, Dice::new(seed)))
    }

    #[test]
    fn a_piece_takes_half_a_round_trip_and_the_jitter_at_most() {
        let link = Link { round_trip: Duration::from_millis(600), jitter: Duration::from_millis(30), loss: 0 };
        let now = Instant::now();
        for mut direction in directions(link) {
            let took = direction.arrives(now, 100).duration_since(now);
            assert!((300..=330).contains(&took.as_millis()), "{took:?}");
        }
        assert_eq!(Direction::new(Link::default(), Dice::new(1)).arrives(now, 100), now);
    }

    #[test]
    fn what_is_sent_behind_a_lost_segment_waits_for_it() {
        let link = Link { round_trip: Duration::from_millis(600), jitter: Duration::ZERO, loss: 500_000 };
        let now = Instant::now();
        let mut lost = 0;
        for mut direction in directions(link) {
            let first = direction.arrives(now, 100);
            let late = first.duration_since(now) - link.round_trip / 2;
            if late.is_zero() {
                continue;
            }
            lost += 1;
            // After one time-out of a round trip and 200 ms, or after 1 + 2, 1 + 2 + 4 ... of them.
            let timeouts = late.as_millis() / 800;
            assert!(late.as_millis().is_multiple_of(800) && (timeouts + 1).is_power_of_two(), "{late:?}");
            assert!(direction.arrives(now, 100) >= first);
        }
        assert!((60..140).contains(&lost), "about half of 200: {lost}");
    }

    #[test]
    fn a_connection_costs_a_round_trip_and_a_lost_syn_a_second() {
        let link = Link { round_trip: Duration::from_millis(100), jitter: Duration::ZERO, loss: 0 };
        assert_eq!(link.connects_after(&mut Dice::new(1)), link.round_trip);
        let lossy = Link { loss: 500_000, ..link };
        let worst = (0..50).map(|seed| lossy.connects_after(&mut Dice::new(seed))).max().unwrap_or_default();
        assert!(worst >= link.round_trip + SYN_TIMEOUT);
    }
}
