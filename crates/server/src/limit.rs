//! How fast one write key may send.
//!
//! The generic cell rate algorithm (ITU-T I.371): a token bucket whose whole state is one instant, so that a request costs
//! one compare-and-swap. Invariant: within any span `t` no more than `burst + rate * t` events pass.

use std::sync::atomic::{AtomicU64, Ordering};

/// A token bucket. Times are nanoseconds since any fixed instant.
#[derive(Debug)]
pub(crate) struct Bucket {
    interval_ns: u64,
    burst_ns: u64,
    /// When the bucket is full again.
    full_at: AtomicU64,
}

impl Bucket {
    /// `rate` events a second, `burst` at once.
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        let interval_ns = 1_000_000_000 / u64::from(rate.max(1));
        Self { interval_ns, burst_ns: interval_ns * u64::from(burst), full_at: AtomicU64::new(0) }
    }

    /// Takes `events` tokens, all or none; the error is for how many nanoseconds to wait.
    pub(crate) fn take(&self, now_ns: u64, events: u64) -> Result<(), u64> {
        let cost = events * self.interval_ns;
        if cost == 0 {
            // More than one event a nanosecond is no limit. Threads read the clock in one order and come here in another,
            // which a burst of nothing would take for too many events.
            return Ok(());
        }
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        loop {
            let next = full_at.max(now_ns) + cost;
            if let Some(wait) = (next - now_ns).checked_sub(self.burst_ns).filter(|wait| *wait > 0) {
                return Err(wait);
            }
            match self.full_at.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => full_at = changed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_refuses_nobody_whatever_order_threads_come_in() {
        let bucket = Bucket::new(u32::MAX, u32::MAX);
        assert_eq!([10, 5, 7].map(|now| bucket.take(now, 100)), [Ok(()); 3]);
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let bucket = Bucket::new(1_000, 10);
        assert_eq!(bucket.take(0, 10), Ok(()));
        assert_eq!(bucket.take(0, 1), Err(1_000_000));
        assert_eq!(bucket.take(1_000_000, 1), Ok(()));
        assert!(bucket.take(1_000_000, 1).is_err());
        assert_eq!(bucket.take(1_000_000_000, 10), Ok(()), "it fills up while nobody sends");
        assert!(bucket.take(1_000_000_000, 1).is_err(), "and not beyond its size");
    }
}
