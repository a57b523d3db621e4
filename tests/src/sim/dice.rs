//! All chance of a run comes from one seed.

/// SplitMix64 (Steele, Lea, Flood 2014): small, quick, and the same for ever, so that a seed that fails today fails after an upgrade of any crate.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another stream: what one part draws does not move another's.
    pub(crate) fn fork(&mut self, label: u64) -> Self {
        let mut child = Self(self.next() ^ label.wrapping_mul(GOLDEN));
        child.next();
        child
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `n` - 1; 0 for 0. The bias of the remainder is far below what any figure shows.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// `low` to `high`, both included.
    pub(crate) fn range(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True so often in a million.
    pub(crate) fn per_million(&mut self, chance: u64) -> bool {
        chance > 0 && self.below(1_000_000) < chance
    }

    /// True once in so many.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = self.below(u64::try_from(of.len()).unwrap_or(0));
        usize::try_from(at).ok().and_then(|at| of.get(at))
    }

    /// About exponential with this mean, at most ten times it: waits between independent events, tails of delays.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    pub(crate) fn around(&mut self, mean: u64) -> u64 {
        let unit = ((self.next() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
        (-unit.ln()).min(10.0).mul_add(mean as f64, 0.0) as u64
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
