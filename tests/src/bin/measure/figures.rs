//! Times as they are reported: median, worst, and each.

use std::time::Duration;

/// Times of several runs.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// `3.21 | 4.10`: the median and the worst, for a table.
    pub(crate) fn cells(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let worst = sorted.last().copied().unwrap_or_default();
        format!("{:.2} | {:.2}", median(&sorted).as_secs_f64(), worst.as_secs_f64())
    }

    /// `median 3.21 s, worst 4.10 s, 10 runs (3.0 3.1 ...)`.
    pub(crate) fn sentence(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let Some(worst) = sorted.last() else { return "no run".to_owned() };
        let each: Vec<_> = self.0.iter().map(|time| format!("{:.2}", time.as_secs_f64())).collect();
        format!(
            "median {:.2} s, worst {:.2} s, {} runs ({})",
            median(&sorted).as_secs_f64(),
            worst.as_secs_f64(),
            sorted.len(),
            each.join(" ")
        )
    }
}

impl Times {
    /// `median 120 ms, p95 180 ms, worst 240 ms, 40 runs`.
    pub(crate) fn percentiles(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |part: usize| {
            sorted.get((sorted.len() * part).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
        };
        let (middle, late, worst) = (at(50).as_millis(), at(95).as_millis(), at(100).as_millis());
        format!("median {middle} ms, p95 {late} ms, worst {worst} ms, {} runs", sorted.len())
    }
}

/// The mean of the two in the middle where the number is even.
fn median(sorted: &[Duration]) -> Duration {
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { (at(half.saturating_sub(1)) + at(half)) / 2 } else { at(half) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        let seconds = |all: &[u64]| all.iter().copied().map(Duration::from_secs).collect::<Vec<_>>();
        assert_eq!(median(&seconds(&[1, 2, 9])), Duration::from_secs(2));
        assert_eq!(median(&seconds(&[1, 2, 4, 9])), Duration::from_secs(3));
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
