//! Copies the write-ahead log into the file, beside the writer.
//!
//! SQLite would do it inside every so-manieth commit, and whoever waits for that commit waits for megabytes to be written
//! and synced. Here a thread with a connection of its own does it while the writer goes on appending. What it cannot do is
//! begin the write-ahead log anew: that needs a moment at which everything in it is copied, and under load there is always a
//! newer commit. So once the log is long the writer is asked to copy the little that came meanwhile itself, between two commits.
//!
//! Nothing that was acknowledged depends on this: commits are synced in the write-ahead log, and SQLite keeps them there
//! until a sync of the file that they were copied into has succeeded. A copy that fails is told and tried again.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use parking_lot::{Condvar, Mutex};

use super::{file::LogFile, row::Row};
use crate::LogError;

/// After so many pages they are copied: few enough that the sync of the copy does not hold up that of a commit for long.
const COPY_PAGES: usize = 1_000;
/// From this length on the write-ahead log shall begin anew. An opening writes it over itself, so it may not be long.
const LONG_PAGES: u32 = 8_000;
const PAGE_BYTES: usize = 4_096;

/// The running copier; dropping it ends its thread after the copy at hand.
#[derive(Debug)]
pub(super) struct Copier {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    due: Condvar,
    /// The write-ahead log is long, and nearly all of it is copied.
    is_long: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Pages that were written since the last copy, about.
    pages: usize,
    closed: bool,
}

impl Copier {
    /// Starts the thread for the log in `folder`, which the writer has opened.
    pub(super) fn start(folder: &Path) -> Result<Self, LogError> {
        let file = LogFile::open_copier(folder)?;
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log-copier".to_owned()).spawn(move || own.work(&file));
        let thread = thread.map_err(|error| LogError::io("starting the log's copier", &error))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The writer committed these rows. Whether it shall copy the rest itself now, before its next commit.
    pub(super) fn committed(&self, rows: &[Row]) -> bool {
        // A commit writes the table's head and its last pages besides.
        let pages: usize = rows.iter().map(|row| row.bytes.len() / PAGE_BYTES + 2).sum();
        let mut state = self.shared.state.lock();
        state.pages += pages + 1;
        if state.pages >= COPY_PAGES {
            self.shared.due.notify_one();
        }
        drop(state);
        self.shared.is_long.swap(false, Ordering::Relaxed)
    }
}

impl Drop for Copier {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.due.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told when it happened.
            let _panicked = thread.join().is_err();
        }
    }
}

impl Shared {
    fn work(&self, file: &LogFile) {
        while self.wait() {
            match file.copy_ahead() {
                Ok(pages) if pages >= LONG_PAGES => self.is_long.store(true, Ordering::Relaxed),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the log's newest entries cannot be copied into log.db yet"),
            }
        }
    }

    /// Waits until there is something to copy; not if the log is closed.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while state.pages < COPY_PAGES && !state.closed {
            self.due.wait(&mut state);
        }
        state.pages = 0;
        !state.closed
    }
}
