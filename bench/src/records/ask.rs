//! Two sides asked by turns.

use std::time::Instant;

use hdrhistogram::Histogram;

use crate::{error::BenchError, limits::histogram};

/// How long each side took, in microseconds.
pub(super) struct Both {
    pub(super) ours: Histogram<u64>,
    pub(super) plain: Histogram<u64>,
}

impl Both {
    pub(super) fn new() -> Self {
        Self { ours: histogram(), plain: histogram() }
    }

    /// Times one question on each side; the side that goes first, and so finds cold pages, changes each time.
    pub(super) fn ask(
        &mut self,
        turn: usize,
        ours: impl FnOnce() -> Result<(), BenchError>,
        plain: impl FnOnce() -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        if turn.is_multiple_of(2) {
            timed(&mut self.ours, ours)?;
            timed(&mut self.plain, plain)
        } else {
            timed(&mut self.plain, plain)?;
            timed(&mut self.ours, ours)
        }
    }
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
