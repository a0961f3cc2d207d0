//! Real threads for tests of what must not depend on them.

use std::sync::atomic::{AtomicUsize, Ordering};

use rapport_ml::{Context, Parallel};

/// So many threads, started for each run.
pub(crate) struct Threads(pub(crate) usize);

impl Parallel for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    let pieces =
                        std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|p| *p < pieces);
                    pieces.for_each(work);
                });
            }
        });
    }
}

/// These threads, and patience without end.
pub(crate) fn patient(threads: &Threads) -> Context<'_> {
    Context { parallel: threads, stopped: &|| false }
}
