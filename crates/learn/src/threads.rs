//! The hands that this crate lends to the algorithms.

use std::sync::atomic::{AtomicUsize, Ordering};

use rapport_ml::Parallel;

/// Threads that are started for each piece of parallel work and end with it.
#[derive(Debug, Clone, Copy)]
pub struct Threads(usize);

impl Threads {
    /// So many; at least one.
    pub fn new(threads: usize) -> Self {
        Self(threads.max(1))
    }

    /// One for each core.
    pub fn all() -> Self {
        Self(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl Parallel for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        if self.0 == 1 || pieces < 2 {
            return (0..pieces).for_each(work);
        }
        let next = AtomicUsize::new(0);
        let take = || {
            // Which thread takes a piece changes nothing, so no order between threads is needed.
            while let Some(piece) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|piece| *piece < pieces) {
                work(piece);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.0.min(pieces) {
                scope.spawn(take);
            }
            take();
        });
    }
}
