//! Time: what the processor spent on this program, and how long one call takes.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

/// Calls that are timed together: one call may be shorter than reading the clock.
pub(crate) const ROUND: usize = 1_000;

/// Seconds of processor time of all threads of this process so far, user and system.
pub(crate) fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The value in the middle; NaN of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Nanoseconds of processor time of one call, the mean over a thousand with the numbers from 0 on. Calls that wait for nothing
/// take as much time on a machine that nobody else uses.
pub(crate) fn round(mut call: impl FnMut(usize) -> f64) -> f64 {
    let begun = cpu_seconds();
    for number in 0..ROUND {
        black_box(call(black_box(number)));
    }
    (cpu_seconds() - begun) * 1e9 / ROUND as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_work_takes_time() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert!(median(&[]).is_nan());
        let begun = cpu_seconds();
        let one = round(|number| (0..number).map(|n| (n as f64).sqrt()).sum());
        assert!(one > 0.0 && cpu_seconds() > begun);
    }
}
