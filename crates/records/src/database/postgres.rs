//! PostgreSQL by its synchronous client.
//!
//! A read runs repeatable and read-only, so that all its queries see one moment. A write runs at "read committed" and locks
//! the rows that it goes by. What it did not lock can still get in its way, once it waits for a transaction that waits for it, or finds
//! a value of a unique column taken meanwhile; then it has to be begun anew.

use std::{collections::HashMap, error::Error, io::Write as _};

use postgres::{
    Client, Config, IsolationLevel, Statement, Transaction,
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};
use sea_query::Value;

use super::{
    PATIENCE, READERS, TRIES, Tx, TxInner,
    pool::Pool,
    row::{Datum, Row},
    tls::{self, Secured, SecuredBy},
};
use crate::RecordsError;

/// Prepared statements kept by a connection; beyond it all are forgotten.
const STATEMENTS: usize = 256;
/// So much of what is copied goes out at once: a message for each row would cost more than the row.
const COPIED_BYTES: usize = 64 << 10;
/// How what is copied begins and ends (PostgreSQL's manual, COPY, Binary Format): a mark, no flags, nothing more in front.
const COPY_BEGIN: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_END: [u8; 2] = (-1_i16).to_be_bytes();
/// How a transaction fails that another one got in the way of.
const OVERTAKEN: [SqlState; 2] = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION];
/// The length of a value that is not there.
const NO_VALUE: [u8; 4] = (-1_i32).to_be_bytes();

pub(crate) struct PostgresDatabase {
    config: Config,
    tls: SecuredBy,
    /// The `sslmode` that was asked for.
    mode: String,
    connections: Pool<Connection>,
}

impl std::fmt::Debug for PostgresDatabase {
    /// The configuration holds the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresDatabase")
    }
}

struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

/// A transaction and the statements that its connection has prepared.
pub(super) struct PostgresTx<'c> {
    transaction: Transaction<'c>,
    statements: &'c mut HashMap<String, Statement>,
    /// Set when another transaction gets in the way.
    is_overtaken: &'c mut bool,
}

impl PostgresDatabase {
    pub(super) fn connect(url: &str) -> Result<Self, RecordsError> {
        let Secured { mut config, tls, mode } = tls::read(url)?;
        config.application_name("rapport").connect_timeout(PATIENCE);
        let database = Self { config, tls, mode, connections: Pool::new(READERS) };
        database.read(|_| Ok(()))?;
        Ok(database)
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>) -> Result<T, RecordsError> {
        self.with(|connection| {
            let builder = connection.client.build_transaction();
            let builder = builder.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
            let transaction = builder.start().map_err(|error| told(&error))?;
            let statements = &mut connection.statements;
            let inner = PostgresTx { transaction, statements, is_overtaken: &mut false };
            read(&mut Tx { inner: TxInner::Postgres(inner) })
        })
    }

    pub(super) fn write<T>(
        &self,
        write: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        self.try_to_write(&mut false, write)
    }

    /// See [`super::Database::write_anew`].
    pub(super) fn write_anew<T>(
        &self,
        write: impl Fn(&mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let mut is_overtaken = false;
            let done = self.try_to_write(&mut is_overtaken, &write);
            if done.is_ok() || !is_overtaken || tries == 0 {
                return done;
            }
        }
    }

    fn try_to_write<T>(
        &self,
        is_overtaken: &mut bool,
        write: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        self.with(|connection| {
            let transaction = connection.client.transaction().map_err(|error| told(&error))?;
            let inner = PostgresTx { transaction, statements: &mut connection.statements, is_overtaken };
            let mut tx = Tx { inner: TxInner::Postgres(inner) };
            let written = write(&mut tx)?;
            if let TxInner::Postgres(inner) = tx.inner {
                inner.transaction.commit().map_err(|error| told(&error))?;
            }
            Ok(written)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, RecordsError>) -> Result<T, RecordsError> {
        let open = || {
            let mut client = self.config.connect(self.tls.clone()).map_err(|error| self.not_connected(&error))?;
            // A plan made for no value in particular does not know whether a filter lets through much or little.
            client.batch_execute("SET plan_cache_mode = force_custom_plan").map_err(|error| told(&error))?;
            Ok(Connection { client, statements: HashMap::new() })
        };
        self.connections.with(open, |connection| !connection.client.is_closed(), work)?
    }
}

impl PostgresDatabase {
    /// Why there is no connection, with the mode that asked for TLS if it is for want of that.
    fn not_connected(&self, error: &postgres::Error) -> RecordsError {
        let what = error.source().map_or_else(String::new, ToString::to_string);
        if !error.to_string().contains("TLS") {
            return told(error);
        }
        let asked = format!("the address of the records asks for TLS (sslmode={})", self.mode);
        RecordsError::Database(format!("{asked}, and PostgreSQL cannot be reached by it: {what}"))
    }
}

impl PostgresTx<'_> {
    fn prepared(&mut self, sql: &str) -> Result<Statement, RecordsError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(sql).map_err(|error| failed(self.is_overtaken, &error))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn script(&mut self, sql: &str) -> Result<(), RecordsError> {
        self.transaction.batch_execute(sql).map_err(|error| failed(self.is_overtaken, &error))
    }

    pub(super) fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, RecordsError> {
        let statement = self.prepared(sql)?;
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self.transaction.query(&statement, &bound).map_err(|error| failed(self.is_overtaken, &error))?;
        rows.iter()
            .map(|row| {
                let datum = |place| Ok(row.try_get::<_, Option<Datum>>(place)?.unwrap_or(Datum::Null));
                (0..row.len()).map(datum).collect::<Result<_, postgres::Error>>().map(Row).map_err(|error| told(&error))
            })
            .collect()
    }

    /// Copies rows into a table. A statement that selects the columns tells their types.
    pub(super) fn copy_rows<R: AsRef<[Value]>>(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: impl Iterator<Item = R>,
    ) -> Result<(), RecordsError> {
        let columns = columns.join("\", \"");
        let statement = self.prepared(&format!("SELECT \"{columns}\" FROM \"{table}\""))?;
        let types: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
        let sql = format!("COPY \"{table}\" (\"{columns}\") FROM STDIN BINARY");
        let mut out = self.transaction.copy_in(&sql).map_err(|error| failed(self.is_overtaken, &error))?;
        let mut buffer = BytesMut::with_capacity(COPIED_BYTES * 2);
        buffer.extend_from_slice(COPY_BEGIN);
        for row in rows {
            copied(row.as_ref(), &types, &mut buffer)
                .map_err(|error| RecordsError::Database(format!("a row of {table} cannot be copied: {error}")))?;
            if buffer.len() >= COPIED_BYTES {
                out.write_all(&buffer).map_err(|error| told_of_stream(self.is_overtaken, &error))?;
                buffer.clear();
            }
        }
        buffer.extend_from_slice(&COPY_END);
        out.write_all(&buffer).map_err(|error| told_of_stream(self.is_overtaken, &error))?;
        out.finish().map(drop).map_err(|error| failed(self.is_overtaken, &error))
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, RecordsError> {
        let statement = self.prepared(sql)?;
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.transaction.execute(&statement, &bound).map_err(|error| failed(self.is_overtaken, &error))
    }
}

/// Puts a row into the form of `COPY ... BINARY`: how many values, then of each its length and its bytes.
fn copied(row: &[Value], types: &[Type], out: &mut BytesMut) -> Result<(), Box<dyn Error + Sync + Send>> {
    out.extend_from_slice(&i16::try_from(types.len())?.to_be_bytes());
    for (value, kind) in row.iter().zip(types) {
        let begin = out.len();
        out.extend_from_slice(&NO_VALUE);
        if let IsNull::No = Bound(value).to_sql(kind, out)? {
            let length = i32::try_from(out.len() - begin - NO_VALUE.len())?;
            out[begin..begin + NO_VALUE.len()].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(())
}

/// What the server said while rows were copied to it.
fn told_of_stream(is_overtaken: &mut bool, error: &std::io::Error) -> RecordsError {
    let said = error.get_ref().and_then(|inner| inner.downcast_ref::<postgres::Error>());
    said.map_or_else(|| RecordsError::Unavailable(error.to_string()), |error| failed(is_overtaken, error))
}

/// A failure within a transaction in words; notes whether another one got in the way.
fn failed(is_overtaken: &mut bool, error: &postgres::Error) -> RecordsError {
    *is_overtaken |= error.code().is_some_and(|code| OVERTAKEN.contains(code));
    told(error)
}

/// A failure in words.
fn told(error: &postgres::Error) -> RecordsError {
    let Some(database) = error.as_db_error() else {
        let cause = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        let is_gone = error.is_closed() || error.source().is_some_and(<dyn Error>::is::<std::io::Error>);
        return if is_gone { RecordsError::Unavailable(cause) } else { RecordsError::Database(cause) };
    };
    let code = database.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        // Unique indexes are named u_<table>__<field>.
        let field = database.constraint().and_then(|name| name.split_once("__")).map_or("value", |(_, field)| field);
        return RecordsError::Taken { field: field.to_owned() };
    }
    // SQLite takes such a text and finds nothing by it; no text that is kept has one.
    if *code == SqlState::CHARACTER_NOT_IN_REPERTOIRE || *code == SqlState::UNTRANSLATABLE_CHARACTER {
        return RecordsError::invalid("text", "no text has the character NUL in it");
    }
    let passing = [
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::DISK_FULL,
    ];
    if passing.contains(code) {
        RecordsError::Unavailable(database.message().to_owned())
    } else {
        RecordsError::Database(format!("{} ({})", database.message(), code.code()))
    }
}

/// A value on its way in, in whatever width the column has.
#[derive(Debug)]
struct Bound<'v>(&'v Value);

impl Bound<'_> {
    fn number(&self) -> Option<f64> {
        match self.0 {
            Value::Float(number) => number.map(f64::from),
            Value::Double(number) => *number,
            _ => self.whole().map(|number| number as f64),
        }
    }

    fn whole(&self) -> Option<i64> {
        match self.0 {
            Value::Bool(truth) => truth.map(i64::from),
            Value::TinyInt(number) => number.map(i64::from),
            Value::SmallInt(number) => number.map(i64::from),
            Value::Int(number) => number.map(i64::from),
            Value::BigInt(number) => *number,
            Value::TinyUnsigned(number) => number.map(i64::from),
            Value::SmallUnsigned(number) => number.map(i64::from),
            Value::Unsigned(number) => number.map(i64::from),
            Value::BigUnsigned(number) => number.map(|number| number as i64),
            Value::Double(Some(number)) if number.fract() == 0.0 => Some(*number as i64),
            _ => None,
        }
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, kind) {
            (Value::String(Some(text)), _) => text.as_str().to_sql(&Type::TEXT, out),
            (Value::Char(Some(letter)), _) => letter.to_string().to_sql(&Type::TEXT, out),
            (Value::Bytes(Some(bytes)), _) => bytes.as_slice().to_sql(&Type::BYTEA, out),
            (_, &Type::BOOL) => self.whole().map(|number| number != 0).to_sql(kind, out),
            (_, &Type::FLOAT8) => self.number().to_sql(kind, out),
            (_, &Type::FLOAT4) => self.number().map(|number| number as f32).to_sql(kind, out),
            (_, &Type::INT8) => self.whole().to_sql(kind, out),
            (_, &Type::INT4) => self.whole().map(i32::try_from).transpose()?.to_sql(kind, out),
            (_, &Type::INT2) => self.whole().map(i16::try_from).transpose()?.to_sql(kind, out),
            _ if self.number().is_none() => Ok(IsNull::Yes),
            _ => Err(format!("a number cannot be bound to {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'r> FromSql<'r> for Datum {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::BOOL => Self::Bool(bool::from_sql(kind, raw)?),
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Self::Float(f64::from_sql(kind, raw)?),
            Type::FLOAT4 => Self::Float(f32::from_sql(kind, raw)?.into()),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => Self::Text(String::from_sql(kind, raw)?),
            _ => return Err(format!("columns of type {kind} are not read").into()),
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
