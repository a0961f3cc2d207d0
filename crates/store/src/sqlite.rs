//! The store in one SQLite file, `state.db`.
//!
//! One connection writes, under a lock; a load of a checkpoint opens its own, so that partitions are read side by side.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rapport_types::{Offset, PartitionId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::{Checkpoint, CheckpointHead, CheckpointPart, CheckpointWrite, Chunk, StoreError};

/// Every format up to now, in order; a database is brought from its own to the newest.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001.sql"), include_str!("migrations/0002.sql")];
/// How long a writer waits for another process, such as `rapport link` beside a server.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);
/// The page cache of a load; negative numbers are KiB to SQLite.
const LOAD_CACHE_KIB: i64 = -256;
/// The write-ahead log is cut back to this size after a checkpoint of SQLite's.
const WAL_BYTES: i64 = 64 << 20;

/// A store in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens `state.db` in a folder that is there, or makes it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("state.db");
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
        Ok(Self { path, writer: Mutex::new(connection) })
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        read(&self.writer.lock()).map_err(|error| StoreError::from_sqlite(&self.path, error))
    }

    /// A transaction that is on disk when this returns.
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let mut connection = self.writer.lock();
        let run = || {
            connection.pragma_update(None, "synchronous", "full")?;
            let written = in_transaction(&mut connection, write);
            connection.pragma_update(None, "synchronous", "normal")?;
            written
        };
        run().map_err(|error| StoreError::from_sqlite(&self.path, error))
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
        self.read(|connection| {
            let of = |row: &rusqlite::Row<'_>| {
                Ok(CheckpointHead { next: Offset(row.get(0)?), version: row.get(1)?, meta: row.get(2)? })
            };
            let query = "SELECT next, version, meta FROM checkpoint WHERE partition = ?";
            connection.query_row(query, [partition.0], of).optional()
        })
    }

    fn load(&self, partition: PartitionId, each: &mut dyn FnMut(CheckpointPart<'_>)) -> Result<(), StoreError> {
        let mut load = || -> Result<(), rusqlite::Error> {
            let mut connection = Connection::open(&self.path)?;
            connection.busy_timeout(BUSY)?;
            // Each page is read once, in order; a cache of them would only stay behind as memory that nobody uses.
            connection.pragma_update(None, "cache_size", LOAD_CACHE_KIB)?;
            let moment = connection.transaction()?;
            let mut rows = moment.prepare("SELECT key, row FROM checkpoint_row WHERE partition = ? ORDER BY key")?;
            let mut rows = rows.query([partition.0])?;
            while let Some(row) = rows.next()? {
                // Keys beyond 2^63 are stored as the negative number of the same bits.
                let key: i64 = row.get(0)?;
                each(CheckpointPart::Row(key as u64, row.get_ref(1)?.as_blob()?));
            }
            let query = "SELECT expires_at, keys FROM checkpoint_chunk WHERE partition = ? ORDER BY id";
            let mut chunks = moment.prepare(query)?;
            let mut chunks = chunks.query([partition.0])?;
            while let Some(row) = chunks.next()? {
                let chunk = Chunk { expires_at: Timestamp(row.get(0)?), keys: row.get(1)? };
                each(CheckpointPart::Chunk(chunk));
            }
            Ok(())
        };
        load().map_err(|error| StoreError::from_sqlite(&self.path, error))
    }

    fn save(&self, write: &CheckpointWrite<'_>) -> Result<(), StoreError> {
        let mut connection = self.writer.lock();
        let saved = in_transaction(&mut connection, |transaction| save(transaction, write));
        match saved.map_err(|error| StoreError::from_sqlite(&self.path, error))? {
            None => Ok(()),
            Some(found) => {
                let (partition, expected) = (write.partition.0, write.expected.0);
                Err(StoreError::Fenced { partition, expected, found })
            }
        }
    }

    fn reset(&self, partition: PartitionId) -> Result<(), StoreError> {
        let mut connection = self.writer.lock();
        let reset = |transaction: &Connection| {
            for table in ["checkpoint", "checkpoint_row", "checkpoint_chunk"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE partition = ?"), [partition.0])?;
            }
            Ok(())
        };
        in_transaction(&mut connection, reset).map_err(|error| StoreError::from_sqlite(&self.path, error))
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

/// Writes a checkpoint; where the stored one is, if that is not where it was expected (nothing is written then).
fn save(transaction: &Connection, write: &CheckpointWrite<'_>) -> Result<Option<u64>, rusqlite::Error> {
    let partition = write.partition.0;
    let query = "SELECT next FROM checkpoint WHERE partition = ?";
    let found: u64 = transaction.query_row(query, [partition], |row| row.get(0)).optional()?.unwrap_or(0);
    if found != write.expected.0 {
        return Ok(Some(found));
    }
    let head = "INSERT INTO checkpoint (partition, next, version, meta) VALUES (?, ?, ?, ?) ON CONFLICT (partition) \
                DO UPDATE SET next = excluded.next, version = excluded.version, meta = excluded.meta";
    transaction.execute(head, params![partition, write.next.0, write.version, write.meta])?;
    let mut delete = transaction.prepare_cached("DELETE FROM checkpoint_row WHERE partition = ? AND key = ?")?;
    for key in write.deleted {
        delete.execute(params![partition, *key as i64])?;
    }
    let upsert = "INSERT INTO checkpoint_row (partition, key, row) VALUES (?, ?, ?) ON CONFLICT (partition, key) \
                  DO UPDATE SET row = excluded.row";
    let mut upsert = transaction.prepare_cached(upsert)?;
    for (key, row) in write.changed {
        upsert.execute(params![partition, *key as i64, row])?;
    }
    let forget = "DELETE FROM checkpoint_chunk WHERE partition = ? AND expires_at <= ?";
    transaction.execute(forget, params![partition, write.forget_before.0])?;
    let insert = "INSERT INTO checkpoint_chunk (partition, expires_at, keys) VALUES (?, ?, ?)";
    let mut insert = transaction.prepare_cached(insert)?;
    for chunk in write.chunks {
        insert.execute(params![partition, chunk.expires_at.0, chunk.keys])?;
    }
    Ok(None)
}
