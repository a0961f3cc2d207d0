//! Two sides asked by turns.

use std::time::Instant;

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};

use crate::{
    error::BenchError,
    limits::{at, histogram},
};

/// How long each side took, in microseconds.
pub(super) struct Both {
    pub(super) ours: Histogram<u64>,
    pub(super) plain: Histogram<u64>,
    /// Processor time of this thread on our side; of SQLite that is all of it, on a machine that others use too.
    pub(super) cpu: Histogram<u64>,
}

impl Both {
    pub(super) fn new() -> Self {
        Self { ours: histogram(), plain: histogram(), cpu: histogram() }
    }

    /// The times that stand behind a figure; `by_hand` says what the other side is.
    pub(super) fn note(&self, by_hand: &str) -> String {
        let [half, cpu] = [&self.ours, &self.cpu].map(|times| at(times, 0.5));
        let [plain, most] = [0.5, 0.95].map(|share| at(&self.plain, share));
        format!("p50 {half:.2}, of this thread {cpu:.2} ms; {by_hand} p50 {plain:.2}, p95 {most:.2} ms")
    }

    /// Times one question on each side; the side that goes first, and so finds cold pages, changes each time.
    pub(super) fn ask(
        &mut self,
        turn: usize,
        ours: impl FnOnce() -> Result<(), BenchError>,
        plain: impl FnOnce() -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        let (times, cpu) = (&mut self.ours, &mut self.cpu);
        let ours = || {
            let begun = thread_us();
            timed(times, ours)?;
            cpu.saturating_record(thread_us() - begun);
            Ok(())
        };
        if turn.is_multiple_of(2) {
            ours()?;
            timed(&mut self.plain, plain)
        } else {
            timed(&mut self.plain, plain)?;
            ours()
        }
    }
}

/// Microseconds that the processor spent on this thread so far.
fn thread_us() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}

/// Times one question.
pub(super) fn timed(
    times: &mut Histogram<u64>,
    ask: impl FnOnce() -> Result<(), BenchError>,
) -> Result<(), BenchError> {
    let begun = Instant::now();
    ask()?;
    times.saturating_record(begun.elapsed().as_micros() as u64);
    Ok(())
}
