//! A bounded set of connections, opened when they are needed.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::PATIENCE;
use crate::RecordsError;

/// Connections that wait for work, and how many there are.
#[derive(Debug)]
pub(super) struct Pool<C> {
    state: Mutex<State<C>>,
    freed: Condvar,
    limit: usize,
}

#[derive(Debug)]
struct State<C> {
    idle: Vec<C>,
    open: usize,
}

impl<C> Pool<C> {
    pub(super) fn new(limit: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), open: 0 }), freed: Condvar::new(), limit }
    }

    /// Runs `work` with a connection. It goes back to the others unless `keep` says that it is broken.
    pub(super) fn with<T>(
        &self,
        open: impl FnOnce() -> Result<C, RecordsError>,
        keep: impl FnOnce(&C) -> bool,
        work: impl FnOnce(&mut C) -> T,
    ) -> Result<T, RecordsError> {
        let mut lent = Lent { pool: self, connection: self.take()? };
        if lent.connection.is_none() {
            lent.connection = Some(open()?);
        }
        let connection = lent.connection.as_mut().expect("it was opened above");
        let done = work(connection);
        if !keep(connection) {
            lent.connection = None;
        }
        Ok(done)
    }

    /// An idle connection, or the right to open one.
    fn take(&self) -> Result<Option<C>, RecordsError> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state.lock();
        loop {
            if let Some(connection) = state.idle.pop() {
                return Ok(Some(connection));
            }
            if state.open < self.limit {
                state.open += 1;
                return Ok(None);
            }
            if self.freed.wait_until(&mut state, deadline).timed_out() {
                return Err(RecordsError::Unavailable("all its connections are at work".to_owned()));
            }
        }
    }
}

/// A lent connection; it comes back however the work ends, a panic included.
struct Lent<'p, C> {
    pool: &'p Pool<C>,
    connection: Option<C>,
}

impl<C> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        match self.connection.take() {
            // A transaction that a panic left open must not be anybody else's.
            Some(connection) if !std::thread::panicking() => state.idle.push(connection),
            _ => state.open -= 1,
        }
        drop(state);
        self.pool.freed.notify_one();
    }
}
