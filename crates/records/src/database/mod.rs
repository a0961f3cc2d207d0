//! The one door to the database: SQLite in a file, or PostgreSQL.
//!
//! Statements are built by sea-query for either; values are always bound. A read sees one moment; a write is whole and
//! durable when it returns, or did not happen.
//!
//! Limits: [`READERS`] connections read at once; who finds none free waits [`PATIENCE`], then is told to come back. SQLite has
//! one writer.

mod pool;
mod postgres;
mod row;
mod sqlite;
mod tls;

use std::{path::Path, time::Duration};

use sea_query::{
    Alias, Expr, LockType, Order, PostgresQueryBuilder, QueryStatementWriter, SchemaStatementBuilder, SelectStatement,
    SqliteQueryBuilder, Value, Values,
};
use serde_json::json;

pub(crate) use row::Datum;
pub use row::Row;
pub(crate) use sqlite::{read_file, settle_file as sqlite_settle_file};

use self::{postgres::PostgresDatabase, sqlite::SqliteDatabase};
use crate::RecordsError;

/// Connections that read at once.
pub(crate) const READERS: usize = 8;
/// How long one waits for a free connection, or for another process's lock.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How often is begun what another transaction got in the way of. An import begins its batches anew by itself, since it keeps a file of
/// errors beside the database.
pub(crate) const TRIES: usize = 5;
/// So many rows are copied into PostgreSQL; fewer are inserted, which takes fewer messages.
const COPIED: usize = 8;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// SQLite in a file.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A database that holds records.
#[derive(Debug)]
pub struct Database {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Sqlite(SqliteDatabase),
    Postgres(PostgresDatabase),
}

impl Database {
    /// Opens a SQLite file, or makes it.
    pub fn sqlite(path: &Path) -> Result<Self, RecordsError> {
        Ok(Self { inner: Inner::Sqlite(SqliteDatabase::open(path)?) })
    }

    /// Connects to PostgreSQL by a URL such as `postgres://user:password@host/database`.
    pub fn postgres(url: &str) -> Result<Self, RecordsError> {
        Ok(Self { inner: Inner::Postgres(PostgresDatabase::connect(url)?) })
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        match &self.inner {
            Inner::Sqlite(_) => Backend::Sqlite,
            Inner::Postgres(_) => Backend::Postgres,
        }
    }

    /// Gives back memory that a large write took.
    pub(crate) fn shrink(&self) -> Result<(), RecordsError> {
        self.as_sqlite().map_or(Ok(()), SqliteDatabase::shrink)
    }

    /// Whether somebody had to wait for another's write since this was last asked. In PostgreSQL nobody has to, but whoever follows
    /// the feed waits for the end of every write, so the answer is always yes.
    pub(crate) fn was_awaited(&self) -> bool {
        self.as_sqlite().is_none_or(SqliteDatabase::was_awaited)
    }

    /// Runs queries that all see the same moment.
    pub fn read<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>) -> Result<T, RecordsError> {
        match &self.inner {
            Inner::Sqlite(database) => database.read(read),
            Inner::Postgres(database) => database.read(read),
        }
    }

    /// Runs a transaction: durable when this returns `Ok`, undone on `Err`.
    pub fn write<T>(&self, write: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>) -> Result<T, RecordsError> {
        match &self.inner {
            Inner::Sqlite(database) => database.write(write),
            Inner::Postgres(database) => database.write(write),
        }
    }

    /// The same for what can be done anew. Where in PostgreSQL two transactions wait for one another, one of them is ended; where two
    /// give the same value to a unique column, the later one fails, however carefully it looked before. It is begun again then,
    /// at most [`TRIES`] times in all, and sees what the other one did.
    pub(crate) fn write_anew<T>(
        &self,
        write: impl Fn(&mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        match &self.inner {
            Inner::Sqlite(database) => database.write(write),
            Inner::Postgres(database) => database.write_anew(write),
        }
    }

    /// The SQLite side; none where it is PostgreSQL.
    pub(crate) fn as_sqlite(&self) -> Option<&SqliteDatabase> {
        if let Inner::Sqlite(database) = &self.inner { Some(database) } else { None }
    }
}

/// A transaction.
pub struct Tx<'c> {
    inner: TxInner<'c>,
}

enum TxInner<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(postgres::PostgresTx<'c>),
}

impl Tx<'_> {
    /// Which database it is.
    pub fn backend(&self) -> Backend {
        match &self.inner {
            TxInner::Sqlite(_) => Backend::Sqlite,
            TxInner::Postgres(_) => Backend::Postgres,
        }
    }

    /// All rows of a query, or of a statement that returns some.
    pub fn query(&mut self, statement: &impl QueryStatementWriter) -> Result<Vec<Row>, RecordsError> {
        let (sql, values) = self.build(statement);
        self.query_sql(&sql, &values.0)
    }

    /// The first row of a query, if there is one.
    pub fn first(&mut self, statement: &impl QueryStatementWriter) -> Result<Option<Row>, RecordsError> {
        Ok(self.query(statement)?.into_iter().next())
    }

    /// Runs a statement; how many rows it touched.
    pub fn execute(&mut self, statement: &impl QueryStatementWriter) -> Result<u64, RecordsError> {
        let (sql, values) = self.build(statement);
        self.execute_sql(&sql, &values.0)
    }

    /// Runs a statement of the schema.
    pub fn define(&mut self, statement: &impl SchemaStatementBuilder) -> Result<(), RecordsError> {
        let sql = match self.backend() {
            Backend::Sqlite => statement.build(SqliteQueryBuilder),
            Backend::Postgres => statement.build(PostgresQueryBuilder),
        };
        self.script(&sql)
    }

    /// Runs statements without values. Never made of anything that a user wrote.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), RecordsError> {
        match &mut self.inner {
            TxInner::Sqlite(connection) => connection.execute_batch(sql).map_err(|error| sqlite::told(&error)),
            TxInner::Postgres(tx) => tx.script(sql),
        }
    }

    /// Runs a query given as text with placeholders of the backend (`?` or `$n`).
    pub(crate) fn query_sql(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, RecordsError> {
        match &mut self.inner {
            TxInner::Sqlite(connection) => sqlite::query(connection, sql, values),
            TxInner::Postgres(tx) => tx.query(sql, values),
        }
    }

    /// Runs a statement given as text with placeholders of the backend.
    pub(crate) fn execute_sql(&mut self, sql: &str, values: &[Value]) -> Result<u64, RecordsError> {
        match &mut self.inner {
            TxInner::Sqlite(connection) => sqlite::execute(connection, sql, values),
            TxInner::Postgres(tx) => tx.execute(sql, values),
        }
    }

    /// Inserts rows of equal width. SQLite runs one prepared statement for each row, which costs it less than parsing a
    /// long one; PostgreSQL copies many rows in, and plans nothing for them. Rows that are made on the way, by an iterator, are
    /// written while they are still in the processor's cache.
    pub(crate) fn insert_rows<R: AsRef<[Value]>>(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: impl IntoIterator<Item = R, IntoIter: ExactSizeIterator>,
    ) -> Result<(), RecordsError> {
        let mut rows = rows.into_iter();
        if rows.len() == 0 {
            return Ok(());
        }
        let insert = insert_text(self.backend(), table, columns);
        match &mut self.inner {
            TxInner::Sqlite(connection) => sqlite::execute_each(connection, &insert, rows),
            TxInner::Postgres(tx) if rows.len() >= COPIED => tx.copy_rows(table, columns, rows),
            TxInner::Postgres(tx) => rows.try_for_each(|row| tx.execute(&insert, row.as_ref()).map(drop)),
        }
    }

    /// Runs `work` so that its failure undoes only what it did itself.
    pub(crate) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, RecordsError>,
    ) -> Result<Result<T, RecordsError>, RecordsError> {
        self.script("SAVEPOINT attempt")?;
        match work(self) {
            Ok(done) => {
                self.script("RELEASE SAVEPOINT attempt")?;
                Ok(Ok(done))
            }
            Err(error) => {
                self.script("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")?;
                Ok(Err(error))
            }
        }
    }

    fn build(&self, statement: &impl QueryStatementWriter) -> (String, Values) {
        match self.backend() {
            Backend::Sqlite => statement.build_any(&SqliteQueryBuilder),
            Backend::Postgres => statement.build_any(&PostgresQueryBuilder),
        }
    }
}

/// Whether a text can stand in a database: PostgreSQL has none with the character NUL, so there is none in SQLite either. To ask for
/// another finds nothing in SQLite, and is an error in PostgreSQL that ends the transaction.
pub(crate) fn can_be_kept(text: &str) -> bool {
    !text.contains('\0')
}

/// Whether a text is one of many. They are one value of the statement, so that neither its text nor its planning grows with them;
/// both databases look each of them up in an index. (PostgreSQL reads all rows to compare them with a list of some hundred values
/// if it knows nothing of the table yet.)
pub(crate) fn among<'t>(backend: Backend, text: Expr, texts: impl Iterator<Item = &'t str>) -> Expr {
    let texts = json!(texts.filter(|text| can_be_kept(text)).collect::<Vec<_>>()).to_string();
    let sql = match backend {
        Backend::Sqlite => "? IN (SELECT value FROM json_each(?))",
        Backend::Postgres => "$1 = ANY(ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)))",
    };
    Expr::cust_with_exprs(sql, [text, Expr::val(texts)])
}

/// Has a query of records lock them until the transaction ends, and wait for who is at them: what these did is seen by all looks that
/// come after. Everybody locks in the order of ids, so that nobody waits in a circle. What a lock keeps others from: `Update` from
/// changing a record and from naming it, `NoKeyUpdate` from changing it, `KeyShare` from taking it away. SQLite has one writer anyway.
pub(crate) fn hold(tx: &Tx<'_>, query: &mut SelectStatement, lock: LockType) {
    if tx.backend() == Backend::Postgres {
        query.order_by(Alias::new("id"), Order::Asc).lock(lock);
    }
}

/// An insert of a row. Names are quoted; they come from the schema, which lets letters, digits and `_` through.
fn insert_text(backend: Backend, table: &str, columns: &[&str]) -> String {
    let place = |place: usize| match backend {
        Backend::Sqlite => "?".to_owned(),
        Backend::Postgres => format!("${place}"),
    };
    let places = (1..=columns.len()).map(place).collect::<Vec<_>>().join(", ");
    format!("INSERT INTO \"{table}\" (\"{}\") VALUES ({places})", columns.join("\", \""))
}
