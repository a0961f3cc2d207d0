//! Work that needs no database, done by another thread while this one writes.

use std::{panic::resume_unwind, thread};

/// Of fewer records the work costs less than a thread.
const MANY: usize = 250;

/// What `aside` gives, and what `here` does meanwhile, for so many records.
pub(super) fn beside<A: Send, H>(records: usize, aside: impl FnOnce() -> A + Send, here: impl FnOnce() -> H) -> (A, H) {
    if records < MANY {
        return (aside(), here());
    }
    thread::scope(|scope| {
        let aside = scope.spawn(aside);
        let here = here();
        (aside.join().unwrap_or_else(|panic| resume_unwind(panic)), here)
    })
}
