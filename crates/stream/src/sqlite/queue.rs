//! What waits for the disk: bounded in bytes, taken by the writer a commit at a time.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::{Condvar, Mutex};

use crate::{
    Append, LogError,
    log::{COMMIT_BYTES, COMMIT_ENTRIES},
    ticket::Completer,
};

/// An admitted append with its promise.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) append: Append,
    pub(crate) cost: usize,
    pub(crate) completer: Completer,
}

/// The queue between senders and the writer.
#[derive(Debug)]
pub(crate) struct Queue {
    limit: usize,
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    bytes: usize,
    refused: u64,
    holds: usize,
    closed: bool,
    poisoned: Option<Arc<str>>,
}

impl Queue {
    /// A queue that takes up to `limit` bytes besides the commit that is being written.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), ready: Condvar::new() }
    }

    /// Takes a job or says why not; a refused job's ticket is dropped by the caller.
    pub(crate) fn push(&self, job: Job) -> Result<(), LogError> {
        let mut state = self.state.lock();
        state.check()?;
        if state.bytes + job.cost > self.limit {
            state.refused += 1;
            return Err(LogError::Full { limit: self.limit });
        }
        state.bytes += job.cost;
        state.jobs.push_back(job);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// The next commit's jobs, in order; blocks until there are some. `None` once the queue is closed and empty, or poisoned.
    pub(crate) fn take(&self) -> Option<VecDeque<Job>> {
        let mut state = self.state.lock();
        while state.jobs.is_empty() || (state.holds > 0 && !state.closed) {
            if state.poisoned.is_some() || (state.closed && state.jobs.is_empty()) {
                return None;
            }
            self.ready.wait(&mut state);
        }
        let (mut count, mut entries, mut bytes) = (0, 0, 0);
        for job in &state.jobs {
            entries += job.append.entries.len();
            // One job alone is always within the limits: it was admitted.
            if bytes + job.cost > COMMIT_BYTES || entries > COMMIT_ENTRIES {
                break;
            }
            bytes += job.cost;
            count += 1;
        }
        state.bytes -= bytes;
        let rest = state.jobs.split_off(count);
        Some(std::mem::replace(&mut state.jobs, rest))
    }

    /// Refuses later jobs; the writer still gets what is there.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.ready.notify_one();
    }

    /// Refuses later jobs and fails those that wait. The first reason stays.
    pub(crate) fn poison(&self, why: &Arc<str>) {
        let jobs = {
            let mut state = self.state.lock();
            state.poisoned.get_or_insert_with(|| Arc::clone(why));
            state.bytes = 0;
            std::mem::take(&mut state.jobs)
        };
        for job in jobs {
            job.completer.complete(Err(LogError::Poisoned(Arc::clone(why))));
        }
    }

    /// Whether jobs are taken.
    pub(crate) fn healthy(&self) -> Result<(), LogError> {
        self.state.lock().check()
    }

    /// Bytes that wait, and how many jobs were refused for lack of room.
    pub(crate) fn load(&self) -> (usize, u64) {
        let state = self.state.lock();
        (state.bytes, state.refused)
    }

    /// Holds the writer back until the same number of calls of [`Queue::release`].
    pub(crate) fn hold(&self) {
        self.state.lock().holds += 1;
    }

    pub(crate) fn release(&self) {
        self.state.lock().holds -= 1;
        self.ready.notify_one();
    }
}

impl State {
    fn check(&self) -> Result<(), LogError> {
        match &self.poisoned {
            Some(why) => Err(LogError::Poisoned(Arc::clone(why))),
            None if self.closed => Err(LogError::Closed),
            None => Ok(()),
        }
    }
}
