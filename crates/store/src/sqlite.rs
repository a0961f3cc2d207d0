//! The store in one SQLite file, `state.db`.
//!
//! One connection writes, under a lock; a load of a checkpoint opens its own, so that partitions are read side by side.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rapport_types::{Offset, PartitionId, Timestamp};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params};

use crate::{Checkpoint, CheckpointHead, CheckpointPart, CheckpointWrite, Chunk, StoreError, checksum};

/// The file's name in the data folder.
pub(crate) const FILE: &str = "state.db";
/// Every format up to now, in order; a database is brought from its own to the newest.
const MIGRATIONS: &[&str] =
    &[include_str!("migrations/0001.sql"), include_str!("migrations/0002.sql"), include_str!("migrations/0003.sql")];
/// How long a writer waits for another process, such as `rapport link` beside a server.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);
/// The page cache of a load; negative numbers are KiB to SQLite. It is the way to the row at hand: each thread's share of the
/// system's allocator keeps what a load took for as long as the program runs.
const LOAD_CACHE_KIB: i64 = -64;
/// The write-ahead log is cut back to this size after a checkpoint of SQLite's.
const WAL_BYTES: i64 = 64 << 20;

/// A store in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Writer>,
}

/// The connection that writes.
#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// What the system said when a write failed; nothing more is written then.
    ///
    /// After a failed sync Linux calls the pages clean that it could not write, so the next sync would succeed without
    /// them, and what is committed behind them would be lost with them.
    poison: Option<String>,
}

impl SqliteStore {
    /// Opens `state.db` in a folder that is there, or makes it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let open = || -> Result<Connection, rusqlite::Error> {
            let connection = Connection::open(&path)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "normal")?;
            connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
            Ok(connection)
        };
        let mut connection = open().map_err(|error| StoreError::from_sqlite(&path, error))?;
        migrate(&path, &mut connection)?;
        let store = Self { path, writer: Mutex::new(Writer { connection, poison: None }) };
        store.settle()?;
        Ok(store)
    }

    /// Copies the store of a folder into a new file, as it is at one moment, also while a server writes it.
    pub fn copy(folder: &Path, target: &Path) -> Result<(), StoreError> {
        let path = folder.join(FILE);
        let copy = || -> Result<(), rusqlite::Error> {
            let connection = Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(BUSY)?;
            connection.execute("VACUUM INTO ?", [target.to_string_lossy()]).map(drop)
        };
        copy().map_err(|error| StoreError::from_sqlite(&path, error))
    }

    /// Copies what the write-ahead log has into the file and syncs it. A sync that failed in an earlier process may have left
    /// the write-ahead log readable in memory and not on the disk; a copy of it is written, whatever the system believes.
    /// Where another process is at work, it does that itself.
    fn settle(&self) -> Result<(), StoreError> {
        let settle =
            |connection: &mut Connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.change(settle)
    }

    pub(crate) fn damaged(&self, what: String) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), what }
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        read(&self.writer.lock().connection).map_err(|error| StoreError::from_sqlite(&self.path, error))
    }

    /// A transaction that is on disk when this returns.
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        self.change(|connection| {
            connection.pragma_update(None, "synchronous", "full")?;
            let written = in_transaction(connection, write);
            connection.pragma_update(None, "synchronous", "normal")?;
            written
        })
    }

    /// Whatever writes goes through here.
    fn change<T>(&self, change: impl FnOnce(&mut Connection) -> Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        let mut writer = self.writer.lock();
        if let Some(what) = &writer.poison {
            return Err(StoreError::Poisoned { path: self.path.clone(), what: what.clone() });
        }
        change(&mut writer.connection).map_err(|error| {
            if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
                let what = error.to_string();
                writer.poison = Some(what.clone());
                return StoreError::Poisoned { path: self.path.clone(), what };
            }
            StoreError::from_sqlite(&self.path, error)
        })
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
) -> Result<T, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let written = write(&transaction)?;
    transaction.commit()?;
    Ok(written)
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let wrong = |error| StoreError::from_sqlite(path, error);
    let version = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let known = MIGRATIONS.len() as u32;
    let found: u32 = version(connection).map_err(wrong)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found == known {
        return Ok(());
    }
    let bring = |transaction: &Connection| {
        // Another process may have done it while this one waited for the lock.
        let found: u32 = version(transaction)?;
        for step in &MIGRATIONS[found as usize..] {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", known)
    };
    in_transaction(connection, bring).map_err(wrong)
}

impl Checkpoint for SqliteStore {
    fn head(&self, partition: PartitionId) -> Result<Option<CheckpointHead>, StoreError> {
        Ok(self.stored_head(partition)?.map(|stored| stored.head))
    }

    fn load(&self, partition: PartitionId, each: &mut dyn FnMut(CheckpointPart<'_>)) -> Result<(), StoreError> {
        let stored = self.stored_head(partition)?;
        let mut changed = None;
        let mut load = || -> Result<(u64, u64), rusqlite::Error> {
            let (mut rows_read, mut chunks_read) = (0, 0);
            let mut connection = Connection::open(&self.path)?;
            connection.busy_timeout(BUSY)?;
            // Each page is read once, in order; a cache of them would only stay behind as memory that nobody uses.
            connection.pragma_update(None, "cache_size", LOAD_CACHE_KIB)?;
            let moment = connection.transaction()?;
            let query = "SELECT key, row, crc32 FROM checkpoint_row WHERE partition = ? ORDER BY key";
            let mut rows = moment.prepare(query)?;
            let mut rows = rows.query([partition.0])?;
            while let Some(row) = rows.next()? {
                // Keys beyond 2^63 are stored as the negative number of the same bits.
                let key = row.get::<_, i64>(0)? as u64;
                let (bytes, sum): (&[u8], Option<u32>) = (row.get_ref(1)?.as_blob()?, row.get(2)?);
                if sum.is_some_and(|sum| sum != checksum::of_row(partition, key, bytes)) {
                    changed
                        .get_or_insert(format!("row {key} of the checkpoint of partition {} has changed", partition.0));
                }
                rows_read += 1;
                each(CheckpointPart::Row(key, bytes));
            }
            let query = "SELECT expires_at, keys, crc32 FROM checkpoint_chunk WHERE partition = ? ORDER BY id";
            let mut chunks = moment.prepare(query)?;
            let mut chunks = chunks.query([partition.0])?;
            while let Some(row) = chunks.next()? {
                let (expires_at, keys, sum): (i64, Vec<u8>, Option<u32>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if sum.is_some_and(|sum| sum != checksum::of_chunk(partition, expires_at, &keys)) {
                    changed.get_or_insert(format!(
                        "message keys of the checkpoint of partition {} have changed",
                        partition.0
                    ));
                }
                chunks_read += 1;
                each(CheckpointPart::Chunk(Chunk { expires_at: Timestamp(expires_at), keys }));
            }
            Ok((rows_read, chunks_read))
        };
        let read = load().map_err(|error| StoreError::from_sqlite(&self.path, error))?;
        if let Some(what) = changed {
            return Err(self.damaged(what));
        }
        match stored.and_then(|stored| stored.parts) {
            Some(parts) if parts != read => Err(self.damaged(format!(
                "the checkpoint of partition {} has {} rows and {} chunks of message keys, it says {} and {}",
                partition.0, read.0, read.1, parts.0, parts.1
            ))),
            _ => Ok(()),
        }
    }

    fn save(&self, write: &CheckpointWrite<'_>) -> Result<(), StoreError> {
        let saved = self.change(|connection| in_transaction(connection, |transaction| save(transaction, write)))?;
        match saved {
            None => Ok(()),
            Some(found) => {
                let (partition, expected) = (write.partition.0, write.expected.0);
                Err(StoreError::Fenced { partition, expected, found })
            }
        }
    }

    fn reset(&self, partition: PartitionId) -> Result<(), StoreError> {
        let reset = |transaction: &Connection| {
            for table in ["checkpoint", "checkpoint_row", "checkpoint_chunk"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE partition = ?"), [partition.0])?;
            }
            Ok(())
        };
        self.change(|connection| in_transaction(connection, reset))
    }

    fn bind(&self, log: u128) -> Result<(), StoreError> {
        let bound: Vec<u8> = self.write(|transaction| {
            let insert = "INSERT INTO about (key, value) VALUES ('log', ?) ON CONFLICT DO NOTHING";
            transaction.execute(insert, [log.to_le_bytes().as_slice()])?;
            transaction.query_row("SELECT value FROM about WHERE key = 'log'", [], |row| row.get(0))
        })?;
        if bound == log.to_le_bytes() { Ok(()) } else { Err(StoreError::OtherLog { path: self.path.clone() }) }
    }
}

/// The head of a checkpoint as it is stored.
struct StoredHead {
    head: CheckpointHead,
    /// How many rows and chunks there are; formats before 3 did not say.
    parts: Option<(u64, u64)>,
}

impl SqliteStore {
    fn stored_head(&self, partition: PartitionId) -> Result<Option<StoredHead>, StoreError> {
        let found = self.read(|connection| {
            let of = |row: &rusqlite::Row<'_>| {
                let head = CheckpointHead { next: Offset(row.get(0)?), version: row.get(1)?, meta: row.get(2)? };
                let sums: (Option<u64>, Option<u64>, Option<u32>) = (row.get(3)?, row.get(4)?, row.get(5)?);
                Ok((head, sums))
            };
            let query = "SELECT next, version, meta, rows, chunks, crc32 FROM checkpoint WHERE partition = ?";
            connection.query_row(query, [partition.0], of).optional()
        })?;
        let Some((head, sums)) = found else { return Ok(None) };
        let parts = match sums {
            (None, None, None) => None,
            (Some(rows), Some(chunks), Some(sum))
                if sum == checksum_of(partition, head.next, head.version, (rows, chunks), &head.meta) =>
            {
                Some((rows, chunks))
            }
            _ => {
                return Err(
                    self.damaged(format!("the head of the checkpoint of partition {} has changed", partition.0))
                );
            }
        };
        Ok(Some(StoredHead { head, parts }))
    }
}

fn checksum_of(partition: PartitionId, next: Offset, version: u32, parts: (u64, u64), meta: &[u8]) -> u32 {
    checksum::of_head([u64::from(partition.0), next.0, u64::from(version), parts.0, parts.1], meta)
}

/// Writes a checkpoint; where the stored one is, if that is not where it was expected (nothing is written then).
fn save(transaction: &Connection, write: &CheckpointWrite<'_>) -> Result<Option<u64>, rusqlite::Error> {
    let (place, partition) = (write.partition, write.partition.0);
    let query = "SELECT next FROM checkpoint WHERE partition = ?";
    let found: u64 = transaction.query_row(query, [partition], |row| row.get(0)).optional()?.unwrap_or(0);
    if found != write.expected.0 {
        return Ok(Some(found));
    }
    let mut delete = transaction.prepare_cached("DELETE FROM checkpoint_row WHERE partition = ? AND key = ?")?;
    for key in write.deleted {
        delete.execute(params![partition, *key as i64])?;
    }
    let upsert = "INSERT INTO checkpoint_row (partition, key, row, crc32) VALUES (?, ?, ?, ?) \
                  ON CONFLICT (partition, key) DO UPDATE SET row = excluded.row, crc32 = excluded.crc32";
    let mut upsert = transaction.prepare_cached(upsert)?;
    for (key, row) in write.changed {
        upsert.execute(params![partition, *key as i64, row, checksum::of_row(place, *key, row)])?;
    }
    let forget = "DELETE FROM checkpoint_chunk WHERE partition = ? AND expires_at <= ?";
    transaction.execute(forget, params![partition, write.forget_before.0])?;
    let insert = "INSERT INTO checkpoint_chunk (partition, expires_at, keys, crc32) VALUES (?, ?, ?, ?)";
    let mut insert = transaction.prepare_cached(insert)?;
    for chunk in write.chunks {
        let sum = checksum::of_chunk(place, chunk.expires_at.0, &chunk.keys);
        insert.execute(params![partition, chunk.expires_at.0, chunk.keys, sum])?;
    }
    let count = "SELECT count(*) FROM checkpoint_chunk WHERE partition = ?";
    let chunks: u64 = transaction.query_row(count, [partition], |row| row.get(0))?;
    let sum = checksum_of(place, write.next, write.version, (write.rows, chunks), write.meta);
    let head = "INSERT INTO checkpoint (partition, next, version, meta, rows, chunks, crc32) VALUES (?, ?, ?, ?, ?, ?, ?) \
                ON CONFLICT (partition) DO UPDATE SET next = excluded.next, version = excluded.version, \
                meta = excluded.meta, rows = excluded.rows, chunks = excluded.chunks, crc32 = excluded.crc32";
    transaction.execute(head, params![partition, write.next.0, write.version, write.meta, write.rows, chunks, sum])?;
    Ok(None)
}
