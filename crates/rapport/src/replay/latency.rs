//! How long things took, as percentiles with three digits of precision.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time that is told apart, in microseconds; longer ones count as this.
const LONGEST_US: u64 = 3_600_000_000;

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

/// Signed spans: an effect can arrive before the answer to the request that caused it, and that is told as it is.
pub(super) struct Spans {
    after: Histogram<u64>,
    before: Histogram<u64>,
}

impl Default for Spans {
    fn default() -> Self {
        let empty = || Histogram::new_with_max(LONGEST_US, 3).expect("the bounds are in order");
        Self { after: empty(), before: empty() }
    }
}

impl Spans {
    /// Notes the span from `from` to `to`.
    pub(super) fn note(&mut self, from: Instant, to: Instant) {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(LONGEST_US);
        match to.checked_duration_since(from) {
            Some(span) => self.after.saturating_record(micros(span)),
            None => self.before.saturating_record(micros(from - to)),
        }
    }

    /// None if nothing was noted.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let any = self.after.len() + self.before.len() > 0;
        any.then(|| Percentiles { p50: self.quantile(0.5), p99: self.quantile(0.99), max: self.quantile(1.0) })
    }

    fn quantile(&self, quantile: f64) -> f64 {
        let (before, after) = (self.before.len(), self.after.len());
        let rank = ((quantile * (before + after) as f64).ceil() as u64).max(1);
        if rank <= before {
            let from_top = (before - rank + 1) as f64 / before as f64;
            return -(self.before.value_at_quantile(from_top) as f64) / 1e3;
        }
        self.after.value_at_quantile((rank - before) as f64 / after as f64) as f64 / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_go_below_zero() {
        let mut spans = Spans::default();
        assert_eq!(spans.percentiles(), None);
        let from = Instant::now() + Duration::from_secs(1);
        for ms in [1_u64, 2, 3, 4] {
            spans.note(from, from + Duration::from_millis(ms));
        }
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        let plain = spans.percentiles().unwrap();
        assert!(near(plain.p50, 2.0) && near(plain.max, 4.0), "{plain:?}");
        for ms in [10_u64, 20, 30, 40, 50] {
            spans.note(from + Duration::from_millis(ms), from);
        }
        // -50 -40 -30 -20 -10 1 2 3 4: the fifth of nine.
        let mixed = spans.percentiles().unwrap();
        assert!((mixed.p50 + 10.0).abs() < 0.1 && near(mixed.max, 4.0), "{mixed:?}");
    }
}
