//! What a fit is given besides its data: hands to work with, and a way to be told to stop.
//!
//! This crate starts no threads and reads no clock. The caller lends both: [`Parallel`] runs pieces of work, at once if it
//! has threads, and [`Context::stopped`] asks the caller whether it lost patience.

use crate::MlError;

/// Runs independent pieces of work. The pieces never depend on one another's order, so every implementation gives the same
/// results, whatever its number of threads.
pub trait Parallel: Sync {
    /// How many pieces can run at the same time; at least 1.
    fn threads(&self) -> usize;

    /// Calls `work` once for each number below `pieces` and returns when all calls have returned.
    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync));
}

/// One piece after the other, on the caller's thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serial;

impl Parallel for Serial {
    fn threads(&self) -> usize {
        1
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..pieces).for_each(work);
    }
}

/// What a fit is given besides its data.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Hands to work with.
    pub parallel: &'a dyn Parallel,
    /// Whether the caller wants the work to end; asked between steps (a tree, a pass over the rows).
    pub stopped: &'a (dyn Fn() -> bool + Sync),
}

impl Context<'static> {
    /// One thread, and patience without end.
    pub fn serial() -> Self {
        Self { parallel: &Serial, stopped: &|| false }
    }
}

impl Context<'_> {
    /// An error if the caller wants the work to end.
    pub fn go_on(&self) -> Result<(), MlError> {
        if (self.stopped)() { Err(MlError::Stopped) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("threads", &self.parallel.threads()).finish_non_exhaustive()
    }
}
