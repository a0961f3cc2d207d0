//! `log.db`: its schema, and the reading and writing of rows.

use std::{
    fs::File,
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rapport_types::{Offset, PartitionId, Timestamp};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, config::DbConfig, params};

use super::row::{Budget, Header, Row, offset_of, places};
use crate::{LogError, LogId, Record, Verified};

const FILE: &str = "log.db";
const LOCK: &str = "log.lock";
/// The format that this version writes.
const FORMAT: i64 = 1;
/// How long a connection waits for a foreign program that holds the file, such as a backup.
const BUSY: Duration = Duration::from_secs(5);
/// The page cache of a reader; negative numbers are KiB to SQLite. Rows are read once and in order, so a cache of them would only stay
/// behind as memory that nobody uses; this holds the way to them.
const READER_CACHE_KIB: i64 = -256;
const SCHEMA: &str = "
CREATE TABLE about (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE row (
  place INTEGER PRIMARY KEY, count INTEGER NOT NULL, appended_at INTEGER NOT NULL,
  previous_crc32 INTEGER NOT NULL, crc32 INTEGER NOT NULL, bytes BLOB NOT NULL
);";
const COLUMNS: &str = "place, count, appended_at, previous_crc32, crc32, bytes";

/// Takes the folder for this process, until the file is dropped.
pub(super) fn lock(folder: &Path) -> Result<File, LogError> {
    let path = folder.join(LOCK);
    let wrong = |error: &std::io::Error| LogError::io(format!("locking {}", path.display()), error);
    let mut options = File::options();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(&path).map_err(|error| wrong(&error))?;
    if let Err(error) = file.try_lock() {
        let std::fs::TryLockError::WouldBlock = error else {
            return Err(LogError::io(format!("locking {}", path.display()), &error));
        };
        let mut holder = String::new();
        let told = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
        let holder = if told { holder.trim().into() } else { "another process".into() };
        return Err(LogError::Locked { path: folder.to_owned(), holder });
    }
    let note = format!("process {}", std::process::id());
    let write = || file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes()));
    let mut write = write;
    write().map_err(|error| wrong(&error))?;
    Ok(file)
}

/// Copies the log of a folder into a new file, as it is at one moment, also while a server appends to it. What was acknowledged
/// before is in it. The witness beside the log is not copied: it may be ahead of the copy, and would call it damaged.
pub(super) fn copy(folder: &Path, target: &Path) -> Result<(), LogError> {
    let path = folder.join(FILE);
    let copy = || -> rusqlite::Result<()> {
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY)?;
        connection.execute("VACUUM INTO ?", [target.to_string_lossy()]).map(drop)
    };
    copy().map_err(|error| failed(&path, &error))
}

/// One connection to the file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    id: LogId,
    partitions: u32,
    connection: Connection,
}

impl LogFile {
    /// The writer's connection; makes the file if it is not there.
    pub(super) fn open(folder: &Path, partitions: u32) -> Result<Self, LogError> {
        let path = folder.join(FILE);
        let open = || -> rusqlite::Result<(Connection, i64)> {
            let connection = Connection::open(&path)?;
            connection.busy_timeout(BUSY)?;
            // Closing would copy what SQLite believes of the write-ahead log into the file and delete the rest, which is
            // evidence as long as the log has not been found whole.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            Ok((connection, format))
        };
        let (connection, format) = open().map_err(|error| unreadable(&path, &error))?;
        if format > FORMAT {
            return Err(LogError::Format { path, found: format, known: FORMAT });
        }
        let mut file = Self { path, id: LogId(0), partitions, connection };
        if format == 0 {
            file.create()?;
        }
        file.read_about(folder)?;
        Ok(file)
    }

    /// A reader's connection.
    pub(super) fn open_reader(folder: &Path, id: LogId) -> Result<Self, LogError> {
        let path = folder.join(FILE);
        let open = || -> rusqlite::Result<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "cache_size", READER_CACHE_KIB)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| unreadable(&path, &error))?;
        Ok(Self { path, id, partitions: 0, connection })
    }

    /// The connection of the one that copies the write-ahead log into the file. The writer's, which lives longer, tidies up.
    pub(super) fn open_copier(folder: &Path) -> Result<Self, LogError> {
        let path = folder.join(FILE);
        let open = || -> rusqlite::Result<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            connection.pragma_update(None, "synchronous", "full")?;
            Ok(connection)
        };
        let connection = open().map_err(|error| unreadable(&path, &error))?;
        Ok(Self { path, id: LogId(0), partitions: 0, connection })
    }

    fn create(&mut self) -> Result<(), LogError> {
        let id = LogId::random()?;
        let partitions = self.partitions;
        let create = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            let insert = "INSERT INTO about (key, value) VALUES (?, ?)";
            transaction.execute(insert, params!["id", id.0.to_le_bytes().as_slice()])?;
            transaction.execute(insert, params!["partitions", partitions.to_le_bytes().as_slice()])?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
            transaction.commit()
        };
        let mut create = create;
        create().map_err(|error| failed(&self.path, &error))
    }

    fn read_about(&mut self, folder: &Path) -> Result<(), LogError> {
        let get = |key: &str| -> Result<Vec<u8>, LogError> {
            let query = "SELECT value FROM about WHERE key = ?";
            self.connection.query_row(query, [key], |row| row.get(0)).map_err(|error| unreadable(&self.path, &error))
        };
        let damaged = || LogError::Damaged { path: self.path.clone(), what: "its head does not decode".into() };
        let id = <[u8; 16]>::try_from(get("id")?).map_err(|_| damaged())?;
        let found = u32::from_le_bytes(<[u8; 4]>::try_from(get("partitions")?).map_err(|_| damaged())?);
        if found != self.partitions {
            return Err(LogError::PartitionCount { path: folder.to_owned(), found, wanted: self.partitions });
        }
        self.id = LogId(u128::from_le_bytes(id));
        Ok(())
    }

    pub(super) fn id(&self) -> LogId {
        self.id
    }

    /// The log was found whole: from now on closing may tidy up.
    pub(super) fn trust(&self) -> Result<(), LogError> {
        let set = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        set.map(drop).map_err(|error| failed(&self.path, &error))
    }

    /// What each partition ends with.
    pub(super) fn ends(&self) -> Result<Ends, LogError> {
        let mut ends = Ends { offsets: Vec::new(), checksums: Vec::new(), newest: Timestamp::MIN };
        for partition in (0..self.partitions).map(PartitionId) {
            let (first, last) = places(partition);
            let query = format!("SELECT {COLUMNS} FROM row WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1");
            let raw = self.connection.query_row(&query, [first, last], Raw::of).optional();
            let row = match raw.map_err(|error| unreadable(&self.path, &error))? {
                Some(raw) => Some(self.checked(partition, raw)?),
                None => None,
            };
            ends.offsets.push(row.as_ref().map_or(Offset(0), |row| row.header.end()));
            ends.checksums.push(row.as_ref().map_or(0, |row| row.crc32));
            ends.newest = row.map_or(ends.newest, |row| ends.newest.max(row.header.appended_at));
        }
        Ok(ends)
    }

    /// Writes rows in one commit; durable when this returns.
    pub(super) fn write(&mut self, rows: &[Row]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let insert = format!("INSERT INTO row ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)");
            let mut insert = transaction.prepare_cached(&insert)?;
            for row in rows {
                let header = &row.header;
                let place = super::row::place(header.partition, header.base);
                insert.execute(params![
                    place,
                    header.count,
                    header.appended_at.0,
                    header.previous_crc32,
                    row.crc32,
                    &row.bytes[..]
                ])?;
            }
        }
        transaction.commit()
    }

    /// Copies what is in the write-ahead log into the file, as far as no reader needs it where it is, and syncs it. How many
    /// pages the write-ahead log has; it begins anew with the next commit if all of them are copied.
    pub(super) fn copy_ahead(&self) -> Result<u32, LogError> {
        let pages = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1));
        let pages = pages.map_err(|error| failed(&self.path, &error))?;
        Ok(u32::try_from(pages).unwrap_or(0))
    }

    /// Whether no transaction is open, so that a failed write left nothing behind.
    pub(super) fn is_at_rest(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// The entries of a partition from `from` on, which is before `end`.
    pub(super) fn read(
        &self,
        partition: PartitionId,
        from: Offset,
        end: Offset,
        max_bytes: usize,
    ) -> Result<Vec<Record>, LogError> {
        let mut records = Vec::new();
        let mut budget = Budget::new(max_bytes);
        let mut next = from;
        let mut previous: Option<u32> = None;
        self.walk(partition, from, |row| {
            // The first row may begin before `from`; every other one must begin where the one before it ended.
            let fits = if records.is_empty() { row.holds(next) } else { row.header.base == next };
            if !fits {
                return Err(gap(partition, next));
            }
            if previous.is_some_and(|previous| previous != row.header.previous_crc32) {
                return Err(stranger(partition, next));
            }
            previous = Some(row.crc32);
            let go_on = row.collect(next, &mut budget, &mut records);
            next = row.header.end();
            Ok(go_on && next < end)
        })?;
        if records.is_empty() {
            return Err(gap(partition, from));
        }
        // A commit that came after `end` was asked for is durable, but not yet shown to readers.
        records.truncate(records.partition_point(|record| record.offset < end));
        Ok(records)
    }

    /// Walks every row of every partition up to `ends`.
    pub(super) fn verify(&self, ends: &[Offset]) -> Result<Verified, LogError> {
        let mut verified = Verified { ends: ends.to_vec(), entries: 0, bytes: 0 };
        for (partition, end) in (0..).map(PartitionId).zip(ends) {
            let (mut next, mut previous) = (Offset(0), 0);
            self.walk(partition, Offset(0), |row| {
                if row.header.base != next {
                    return Err(gap(partition, next));
                }
                if row.header.previous_crc32 != previous {
                    return Err(stranger(partition, next));
                }
                (next, previous) = (row.header.end(), row.crc32);
                verified.entries += u64::from(row.header.count);
                verified.bytes += row.bytes.len() as u64 - 4 * u64::from(row.header.count);
                Ok(next < *end)
            })?;
            if next < *end {
                return Err(gap(partition, next));
            }
        }
        Ok(verified)
    }

    /// Gives the rows of a partition from the one that holds `from` on, until `each` says to stop.
    fn walk(
        &self,
        partition: PartitionId,
        from: Offset,
        mut each: impl FnMut(&Row) -> Result<bool, LogError>,
    ) -> Result<(), LogError> {
        let wrong = |error: rusqlite::Error| unreadable(&self.path, &error);
        let (first, last) = places(partition);
        let start = super::row::place(partition, from);
        let query = format!(
            "SELECT {COLUMNS} FROM row WHERE place <= ?3 AND place >= \
             coalesce((SELECT max(place) FROM row WHERE place BETWEEN ?1 AND ?2), ?2) ORDER BY place"
        );
        let mut statement = self.connection.prepare_cached(&query).map_err(wrong)?;
        let mut rows = statement.query([first, start, last]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let row = self.checked(partition, Raw::of(row).map_err(wrong)?)?;
            if !each(&row)? {
                break;
            }
        }
        Ok(())
    }

    fn checked(&self, partition: PartitionId, raw: Raw) -> Result<Row, LogError> {
        let base = offset_of(raw.place);
        let header = Header {
            partition,
            base,
            count: raw.count,
            appended_at: raw.appended_at,
            previous_crc32: raw.previous_crc32,
        };
        Row::decode(self.id, header, raw.crc32, raw.bytes).map_err(|what| LogError::Corrupt {
            partition,
            offset: base,
            what: what.into(),
        })
    }
}

/// What the partitions end with.
pub(super) struct Ends {
    /// The offset that comes next.
    pub(super) offsets: Vec<Offset>,
    /// The checksum of the last row; 0 without one.
    pub(super) checksums: Vec<u32>,
    /// The newest time of a row.
    pub(super) newest: Timestamp,
}

/// A row as it is stored.
struct Raw {
    place: i64,
    count: u32,
    appended_at: Timestamp,
    previous_crc32: u32,
    crc32: u32,
    bytes: Vec<u8>,
}

impl Raw {
    fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get(0)?,
            count: row.get(1)?,
            appended_at: Timestamp(row.get(2)?),
            previous_crc32: row.get(3)?,
            crc32: row.get(4)?,
            bytes: row.get(5)?,
        })
    }
}

fn gap(partition: PartitionId, offset: Offset) -> LogError {
    LogError::Corrupt { partition, offset, what: "the batch with this entry is missing".into() }
}

fn stranger(partition: PartitionId, offset: Offset) -> LogError {
    LogError::Corrupt { partition, offset, what: "the batch does not belong behind the one before it".into() }
}

/// A failure of reading: damage if SQLite says so, else the system's.
fn unreadable(path: &Path, error: &rusqlite::Error) -> LogError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LogError::Damaged { path: path.to_owned(), what: error.to_string().into() }
        }
        Some(_) => failed(path, error),
        None => LogError::Damaged { path: path.to_owned(), what: error.to_string().into() },
    }
}

/// A failure of the system.
pub(super) fn failed(path: &Path, error: &rusqlite::Error) -> LogError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LogError::DiskFull,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LogError::Busy,
        _ => LogError::io(format!("using {}", path.display()), error),
    }
}
