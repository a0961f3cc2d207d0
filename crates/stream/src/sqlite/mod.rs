//! The log of an installation: a SQLite file of checksummed rows, written by one thread with group commit.
//!
//! `log.db` is in WAL mode with `synchronous = FULL`: a commit returns after its fsync, and only then are tickets
//! completed and entries shown to readers. SQLite is trusted to be atomic, not to be silent: each row carries a CRC over
//! itself, its place and the row before it, and `log.ack` remembers what was acknowledged, so a flipped bit, a row that is
//! gone and a write-ahead log that was cut short are errors that name the place. After a commit that failed in an unknown
//! state the log is poisoned: it takes nothing more until it is opened again. Opening first writes the write-ahead log over
//! itself and syncs it, because what a failed sync left there may be in memory alone.
//!
//! Limits: one process at a time (a lock on `log.lock`); one append is at most 8 MiB and 20,000 entries.

mod ack;
mod again;
mod copier;
mod file;
mod queue;
mod row;
mod tail;
mod writer;

use std::{path::Path, sync::Arc, thread::JoinHandle, time::Duration};

use parking_lot::Mutex;
use rapport_types::{Offset, PartitionId};

use self::{
    ack::AckFile,
    copier::Copier,
    file::{Ends, LogFile},
    queue::{Job, Queue},
    tail::{Place, Tail},
    writer::Writer,
};
use crate::{Append, Log, LogError, LogId, Record, Statistics, Ticket, Verified};

/// How a SQLite log is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteLogOptions {
    /// How many partitions a new log gets, and an existing one must have.
    pub partitions: u32,
    /// How many bytes may wait for the disk before appends are refused.
    pub queue_bytes: usize,
    /// How many bytes of the newest entries stay in memory for readers that keep up.
    pub tail_bytes: usize,
}

impl Default for SqliteLogOptions {
    fn default() -> Self {
        Self { partitions: 4, queue_bytes: 32 << 20, tail_bytes: 32 << 20 }
    }
}

/// A durable log in a folder.
#[derive(Debug)]
pub struct SqliteLog {
    id: LogId,
    partitions: u32,
    queue: Arc<Queue>,
    tail: Arc<Tail>,
    /// Connections of readers that are not in use.
    readers: Mutex<Vec<LogFile>>,
    folder: std::path::PathBuf,
    statistics: Arc<Mutex<Statistics>>,
    writer: Option<JoinHandle<()>>,
    /// Released when the log is dropped, after the writer's end.
    _lock: std::fs::File,
}

impl SqliteLog {
    /// Opens the log in `folder`, or makes one. The ends of all partitions are checked against what was acknowledged;
    /// [`Log::verify`] checks every entry.
    pub fn open(folder: &Path, options: SqliteLogOptions) -> Result<Self, LogError> {
        if !(1..=row::MAX_PARTITIONS).contains(&options.partitions) {
            return Err(LogError::Partitions { wanted: options.partitions, limit: row::MAX_PARTITIONS });
        }
        let action = |what: &str| format!("{what} {}", folder.display());
        std::fs::create_dir_all(folder).map_err(|error| LogError::io(action("making the folder"), &error))?;
        let lock = file::lock(folder)?;
        let acknowledged = ack::read(folder).map_err(|error| LogError::io(action("reading log.ack in"), &error))?;
        again::write_again(folder).map_err(|error| LogError::io(action("writing log.db-wal again in"), &error))?;
        let file = LogFile::open(folder, options.partitions)?;
        let id = file.id();
        let Ends { offsets: ends, checksums, newest } = file.ends()?;
        let sequence = writer::compare(&acknowledged, id, &ends)?;
        file.trust()?;
        let mut ack =
            AckFile::open(folder, id, sequence).map_err(|error| LogError::io(action("opening log.ack in"), &error))?;
        ack.write(ends.iter().copied()).map_err(|error| LogError::io(action("writing log.ack in"), &error))?;
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let tail = Arc::new(Tail::new(options.tail_bytes, &ends));
        let statistics = Arc::new(Mutex::new(Statistics::default()));
        let writer = Writer {
            copier: Copier::start(folder)?,
            file,
            ack,
            queue: Arc::clone(&queue),
            tail: Arc::clone(&tail),
            statistics: Arc::clone(&statistics),
            ends,
            checksums,
            newest,
        };
        let run = move || writer.run();
        let writer = std::thread::Builder::new().name("log-writer".to_owned()).spawn(run);
        let writer = writer.map_err(|error| LogError::io("starting the log's writer", &error))?;
        Ok(Self {
            id,
            partitions: options.partitions,
            queue,
            tail,
            readers: Mutex::default(),
            folder: folder.to_owned(),
            statistics,
            writer: Some(writer),
            _lock: lock,
        })
    }

    /// Copies the log of a folder into a new file, as it is at one moment, also while another process has it. The file is a log
    /// by itself: `log.db` of another folder.
    pub fn copy(folder: &Path, target: &Path) -> Result<(), LogError> {
        file::copy(folder, target)
    }

    /// Runs `read` with a reader's connection. Connections are kept, as many as were in use at once.
    fn with_file<T>(&self, read: impl FnOnce(&LogFile) -> Result<T, LogError>) -> Result<T, LogError> {
        let kept = self.readers.lock().pop();
        let file = match kept {
            Some(file) => file,
            None => LogFile::open_reader(&self.folder, self.id)?,
        };
        let answer = read(&file);
        self.readers.lock().push(file);
        answer
    }

    /// Holds commits back while the answer lives, so that a test can look at the moment before durability.
    #[doc(hidden)]
    pub fn hold(&self) -> SqliteHold {
        self.queue.hold();
        SqliteHold { queue: Arc::clone(&self.queue) }
    }
}

/// While it lives, a log commits nothing.
#[derive(Debug)]
#[must_use = "commits go on as soon as it is dropped"]
pub struct SqliteHold {
    queue: Arc<Queue>,
}

impl Drop for SqliteHold {
    fn drop(&mut self) {
        self.queue.release();
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        // The last connection tidies up, which a reader's may not.
        self.readers.lock().clear();
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was told when it happened.
            let _panicked = writer.join().is_err();
        }
    }
}

impl Log for SqliteLog {
    fn id(&self) -> LogId {
        self.id
    }

    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn append(&self, append: Append) -> Result<Ticket, LogError> {
        let cost = append.admit(self.partitions)?;
        let (ticket, completer) = Ticket::pair();
        self.queue.push(Job { append, cost, completer })?;
        Ok(ticket)
    }

    fn read(&self, partition: PartitionId, from: Offset, max_bytes: usize) -> Result<Vec<Record>, LogError> {
        match self.tail.find(partition, from, max_bytes)? {
            Place::Memory(rows) => Ok(tail::records(&rows, from, max_bytes)),
            Place::File(end) => self.with_file(|file| file.read(partition, from, end, max_bytes)),
        }
    }

    fn end(&self, partition: PartitionId) -> Offset {
        self.tail.end(partition)
    }

    fn wait(&self, partition: PartitionId, beyond: Offset, timeout: Duration) -> Offset {
        self.tail.wait(partition, beyond, timeout)
    }

    fn healthy(&self) -> Result<(), LogError> {
        self.queue.healthy()
    }

    fn verify(&self) -> Result<Verified, LogError> {
        let ends = self.tail.ends();
        self.with_file(|file| file.verify(&ends))
    }

    fn statistics(&self) -> Statistics {
        let (queued_bytes, refused_full) = self.queue.load();
        Statistics { queued_bytes, refused_full, ..*self.statistics.lock() }
    }
}
