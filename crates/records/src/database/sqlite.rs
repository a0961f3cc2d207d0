//! SQLite: one connection writes, several read; the write-ahead log keeps them out of each other's way.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, ToSql, TransactionBehavior,
    functions::FunctionFlags,
    params_from_iter,
    types::{ToSqlOutput, ValueRef},
};
use sea_query::Value;

use super::{
    PATIENCE, READERS, Tx, TxInner,
    pool::Pool,
    row::{Datum, Row},
};
use crate::RecordsError;

/// The page cache of a connection that reads; negative numbers are KiB to SQLite.
const CACHE_KIB: i64 = -8_192;
/// That of the one that writes. The rows of an import go to pages all over the indexes; those that do not fit are written more
/// than once for a transaction. It is taken when it is needed, and given back after an import.
const WRITER_CACHE_KIB: i64 = -98_304;
/// After so many pages the write-ahead log is brought into the file. A page that is changed again until then is brought once.
const CHECKPOINT_PAGES: i64 = 16_384;
/// How much of the file is read through the system's page cache without a copy.
const MMAP_BYTES: i64 = 1 << 30;
/// Prepared statements kept by a connection: lists and inserts of some objects.
const STATEMENTS: usize = 128;
/// The write-ahead log is cut back to this size after a checkpoint of SQLite's.
const WAL_BYTES: i64 = 64 << 20;

#[derive(Debug)]
pub(crate) struct SqliteDatabase {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Whether somebody found the writer at work.
    awaited: AtomicBool,
    readers: Pool<Connection>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// What the system said when a write failed; nothing more is written then, because after a failed sync the system calls
    /// pages clean that it could not write.
    poison: Option<String>,
}

impl SqliteDatabase {
    pub(super) fn open(path: &Path) -> Result<Self, RecordsError> {
        let connection = Connection::open(path).map_err(|error| told_of(path, &error))?;
        prepare(&connection).map_err(|error| told_of(path, &error))?;
        let settings = [("cache_size", WRITER_CACHE_KIB), ("wal_autocheckpoint", CHECKPOINT_PAGES)];
        for (pragma, value) in settings {
            connection.pragma_update(None, pragma, value).map_err(|error| told_of(path, &error))?;
        }
        let writer = Mutex::new(Writer { connection, poison: None });
        Ok(Self { path: path.to_owned(), writer, awaited: AtomicBool::new(false), readers: Pool::new(READERS) })
    }

    /// Gives back memory that a large write took.
    pub(crate) fn shrink(&self) -> Result<(), RecordsError> {
        self.writer.lock().connection.execute_batch("PRAGMA shrink_memory").map_err(|error| told(&error))
    }

    /// Whether somebody had to wait for another's write since this was last asked.
    pub(super) fn was_awaited(&self) -> bool {
        self.awaited.swap(false, Ordering::Relaxed)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>) -> Result<T, RecordsError> {
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.path, flags).map_err(|error| told(&error))?;
            prepare(&connection)
                .and_then(|()| connection.pragma_update(None, "query_only", true))
                .map_err(|error| told(&error))?;
            Ok(connection)
        };
        self.readers.with(
            open,
            |_| true,
            |connection| {
                let moment = connection.transaction().map_err(|error| told(&error))?;
                read(&mut Tx { inner: TxInner::Sqlite(&moment) })
            },
        )?
    }

    pub(super) fn write<T>(
        &self,
        write: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let mut writer = self.writer.try_lock().unwrap_or_else(|| {
            self.awaited.store(true, Ordering::Relaxed);
            self.writer.lock()
        });
        if let Some(what) = &writer.poison {
            return Err(RecordsError::Database(format!(
                "{} takes no more writes since one failed ({what}); look after the disk, then start Rapport again",
                self.path.display()
            )));
        }
        let Writer { connection, poison } = &mut *writer;
        let run = || {
            let behavior = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior)?;
            let written = match write(&mut Tx { inner: TxInner::Sqlite(&transaction) }) {
                Ok(written) => written,
                Err(error) => return Ok(Err(error)),
            };
            transaction.commit()?;
            Ok(Ok(written))
        };
        match run() {
            Ok(written) => written,
            Err(error) => {
                if is_io_failure(&error) {
                    *poison = Some(error.to_string());
                }
                Err(told(&error))
            }
        }
    }

    /// A copy of the whole database as it is at one moment, made while others go on.
    pub(crate) fn copy_to(&self, target: &Path) -> Result<(), RecordsError> {
        let source = Connection::open(&self.path).map_err(|error| told(&error))?;
        source.execute("VACUUM INTO ?", [target.to_string_lossy()]).map(drop).map_err(|error| told_of(target, &error))
    }
}

/// Reads a database that nobody writes, such as a backup. Nothing is made beside it.
pub(crate) fn read_file<T>(
    path: &Path,
    read: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>,
) -> Result<T, RecordsError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| told_of(path, &error))?;
    read(&mut Tx { inner: TxInner::Sqlite(&connection) })
}

/// Makes one file of a database and its write-ahead log, which can then be read where nothing can be written.
pub(crate) fn settle_file(path: &Path) -> Result<(), RecordsError> {
    let connection = Connection::open(path).map_err(|error| told_of(path, &error))?;
    connection.pragma_update(None, "journal_mode", "delete").map_err(|error| told_of(path, &error))
}

fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "mmap_size", MMAP_BYTES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // What the condition language's `search` calls.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("fold", 1, flags, |context| {
        let text = context.get::<Option<String>>(0)?;
        Ok(text.map(|text| rapport_condition::fold(&text)))
    })
}

fn is_io_failure(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

/// A failure in words.
pub(super) fn told(error: &rusqlite::Error) -> RecordsError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            RecordsError::Unavailable("another process is writing".to_owned())
        }
        Some(ErrorCode::DiskFull) => RecordsError::Unavailable("no room is left on the disk".to_owned()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            RecordsError::Damaged { what: format!("the records' database ({error})") }
        }
        Some(ErrorCode::ConstraintViolation) => constraint(&error.to_string()),
        _ => RecordsError::Database(error.to_string()),
    }
}

fn told_of(path: &Path, error: &rusqlite::Error) -> RecordsError {
    match told(error) {
        RecordsError::Database(what) => RecordsError::Database(format!("{}: {what}", path.display())),
        other => other,
    }
}

/// `UNIQUE constraint failed: o_product.sku` names the column.
fn constraint(text: &str) -> RecordsError {
    match text.split_once("UNIQUE constraint failed: ") {
        Some((_, columns)) => {
            let column = columns.split([',', ' ']).next().unwrap_or_default();
            RecordsError::Taken { field: column.rsplit('.').next().unwrap_or_default().to_owned() }
        }
        None => RecordsError::Database(text.to_owned()),
    }
}

/// A value on its way in.
struct Bound<'v>(&'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let whole = |number: i64| ToSqlOutput::Owned(number.into());
        Ok(match self.0 {
            Value::Bool(Some(truth)) => whole(i64::from(*truth)),
            Value::TinyInt(Some(number)) => whole((*number).into()),
            Value::SmallInt(Some(number)) => whole((*number).into()),
            Value::Int(Some(number)) => whole((*number).into()),
            Value::BigInt(Some(number)) => whole(*number),
            Value::TinyUnsigned(Some(number)) => whole((*number).into()),
            Value::SmallUnsigned(Some(number)) => whole((*number).into()),
            Value::Unsigned(Some(number)) => whole((*number).into()),
            Value::BigUnsigned(Some(number)) => whole(*number as i64),
            Value::Float(Some(number)) => ToSqlOutput::Owned(f64::from(*number).into()),
            Value::Double(Some(number)) => ToSqlOutput::Owned((*number).into()),
            Value::String(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Char(Some(letter)) => ToSqlOutput::Owned(letter.to_string().into()),
            Value::Bytes(Some(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            _ => ToSqlOutput::Borrowed(ValueRef::Null),
        })
    }
}

pub(super) fn query(connection: &Connection, sql: &str, values: &[Value]) -> Result<Vec<Row>, RecordsError> {
    let run = || {
        let mut statement = connection.prepare_cached(sql)?;
        let width = statement.column_count();
        let mut rows = statement.query(params_from_iter(values.iter().map(Bound)))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let datum = |place| Ok(datum(row.get_ref(place)?));
            found.push(Row((0..width).map(datum).collect::<Result<_, rusqlite::Error>>()?));
        }
        Ok(found)
    };
    run().map_err(|error| told(&error))
}

pub(super) fn execute(connection: &Connection, sql: &str, values: &[Value]) -> Result<u64, RecordsError> {
    let run = || connection.prepare_cached(sql)?.execute(params_from_iter(values.iter().map(Bound)));
    run().map(|count| count as u64).map_err(|error| told(&error))
}

/// Runs a statement for each of some rows of values.
pub(super) fn execute_each<R: AsRef<[Value]>>(
    connection: &Connection,
    sql: &str,
    mut rows: impl Iterator<Item = R>,
) -> Result<(), RecordsError> {
    let mut run = || {
        let mut statement = connection.prepare_cached(sql)?;
        rows.try_for_each(|row| statement.execute(params_from_iter(row.as_ref().iter().map(Bound))).map(drop))
    };
    run().map_err(|error| told(&error))
}

fn datum(value: ValueRef<'_>) -> Datum {
    match value {
        ValueRef::Null => Datum::Null,
        ValueRef::Integer(number) => Datum::Int(number),
        ValueRef::Real(number) => Datum::Float(number),
        ValueRef::Text(text) => Datum::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Datum::Bytes(bytes.to_vec()),
    }
}
