//! The hands that this crate lends to the algorithms.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread::{Builder, Scope},
};

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
            let helpers = self.0.min(pieces) - 1;
            start(scope, helpers, Builder::new, take);
            take();
        });
    }
}

/// Starts so many threads, or as many as the system grants: whoever asked works too, so less help only takes longer.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    helpers: usize,
    builder: impl Fn() -> Builder,
    work: impl Fn() + Copy + Send + 'scope,
) -> usize {
    (0..helpers).take_while(|_| builder().spawn_scoped(scope, work).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_grants_no_thread_is_no_panic() {
        let worked = AtomicUsize::new(0);
        let work = || {
            worked.fetch_add(1, Ordering::Relaxed);
        };
        let started = std::thread::scope(|scope| {
            // No machine has room for such a stack.
            let refused = start(scope, 3, || Builder::new().stack_size(1 << 56), work);
            (refused, start(scope, 3, Builder::new, work))
        });
        assert_eq!((started, worked.into_inner()), ((0, 3), 3));
    }
}
