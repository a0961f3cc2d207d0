//! A whole database copied into another, table by table, and proof that both hold the same.
//!
//! The source is read in one moment; the target, which must be empty, is written in one transaction. So a copy is whole, or
//! there is none, and a copy that is there already is found out and not made again: who was interrupted does the same once
//! more. It serves the move from SQLite to PostgreSQL, and the backup of a PostgreSQL, whose copy is a SQLite file.
//!
//! The proof is a count and a checksum for each table. The checksum does not depend on the order of rows: the BLAKE3 hashes of
//! all rows are added up as four numbers of 64 bits (after AdHash: Bellare and Micciancio, 1997). It finds accidents; against
//! somebody who forges rows on purpose it is no protection.

use std::collections::BTreeSet;

use sea_query::Value as Bound;
use serde::{Deserialize, Serialize};

use crate::{Backend, Database, RecordsError, Tx, database::Datum, migrate, schema::columns};

/// Rows that are in memory at once.
const BATCH: usize = 2_000;
/// PostgreSQL's own column of the feed, which means nothing elsewhere.
const TRANSACTION: (&str, &str) = ("change", "xact");

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// Its name.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// Of all values of all rows, whatever their order.
    pub checksum: String,
}

/// Copies all of `source` into `target`, which must be empty or hold the same already; what every table holds, the same on
/// both sides.
pub fn copy(source: &Database, target: &Database) -> Result<Vec<TableSum>, RecordsError> {
    source.read(|source| target.write(|target| copy_all(source, target)))
}

fn copy_all(source: &mut Tx<'_>, target: &mut Tx<'_>) -> Result<Vec<TableSum>, RecordsError> {
    let found = migrate::format_of(source)?;
    if found != migrate::FORMAT {
        let known = migrate::FORMAT;
        let what = format!("it has format {found}, not {known}; start this version on it once, which brings it there");
        return Err(RecordsError::invalid("source", what));
    }
    // Another copy may be at work, such as one whose program was killed a moment ago.
    migrate::lock(target)?;
    if let Some(table) = tables(target)?.first() {
        // To count rows costs little; to sum all of what turns out to be something else can take hours.
        if migrate::format_of(target)? == found && counts(source)? == counts(target)? {
            let (wanted, there) = (sums(source)?, sums(target)?);
            if wanted == there {
                return Ok(there);
            }
        }
        return Err(RecordsError::invalid("target", format!("it is not empty: it has a table {table}")));
    }
    migrate::migrate(target)?;
    migrate::ensure_all(target, &migrate::read_schema(source)?)?;
    let (wanted, made) = (tables(source)?, tables(target)?);
    if let Some(missing) = wanted.difference(&made).next() {
        return Err(RecordsError::invalid("source", format!("it has a table {missing}, which is not Rapport's")));
    }
    let growing = if target.backend() == Backend::Postgres { growing(target) } else { growing(source) }?;
    set_given_by_others(target, &growing, true)?;
    // What the format itself puts into new tables is in the source's as it is now.
    made.iter().try_for_each(|table| target.script(&format!("DELETE FROM \"{table}\"")))?;
    let mut sums = Vec::with_capacity(wanted.len());
    for table in wanted {
        sums.push(copy_table(source, target, &table)?);
        tracing::info!(table, rows = sums.last().map(|sum| sum.rows), "copied");
    }
    set_given_by_others(target, &growing, false)?;
    for (table, column) in &growing {
        let last = last_given(source, table, column)?;
        go_on_after(target, table, column, last)?;
    }
    for sum in &sums {
        let there = sum_of(target, &sum.table)?;
        if there != *sum {
            return Err(RecordsError::Damaged {
                what: format!("the copy of {} ({} rows came of {})", sum.table, there.rows, sum.rows),
            });
        }
    }
    Ok(sums)
}

/// How many rows every table has.
fn counts(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, RecordsError> {
    let mut counts = Vec::new();
    for table in tables(tx)? {
        let rows = tx.query_sql(&format!("SELECT count(*) FROM \"{table}\""), &[])?;
        counts.push((table, rows.first().map_or(Ok(0), |row| row.int(0))?));
    }
    Ok(counts)
}

/// What every table holds.
pub(crate) fn sums(tx: &mut Tx<'_>) -> Result<Vec<TableSum>, RecordsError> {
    tables(tx)?.iter().map(|table| sum_of(tx, table)).collect()
}

/// The tables with records and what belongs to them.
fn tables(tx: &mut Tx<'_>) -> Result<BTreeSet<String>, RecordsError> {
    let sql = match tx.backend() {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        Backend::Postgres => {
            "SELECT table_name::text FROM information_schema.tables \
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        }
    };
    let mut names = BTreeSet::new();
    for row in tx.query_sql(sql, &[])? {
        // The format's number is no content.
        if row.text(0)? != "records_format" {
            names.insert(row.text(0)?.to_owned());
        }
    }
    Ok(names)
}

/// The columns that are content, by name.
fn content(tx: &mut Tx<'_>, table: &str) -> Result<BTreeSet<String>, RecordsError> {
    let mut columns = columns(tx, table)?;
    if table == TRANSACTION.0 {
        columns.remove(TRANSACTION.1);
    }
    Ok(columns)
}

fn copy_table(source: &mut Tx<'_>, target: &mut Tx<'_>, table: &str) -> Result<TableSum, RecordsError> {
    let names = content(source, table)?;
    if let Some(missing) = names.difference(&content(target, table)?).next() {
        let what = format!("its table {table} has a column {missing}, which is not Rapport's");
        return Err(RecordsError::invalid("source", what));
    }
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut sum = Sum::default();
    each_batch(source, table, &names, |rows| {
        rows.iter().for_each(|row| sum.add(row));
        let rows: Vec<Vec<Bound>> = rows.into_iter().map(|row| row.into_iter().map(bound).collect()).collect();
        target.insert_rows(table, &columns, &rows)
    })?;
    Ok(sum.of(table))
}

fn sum_of(tx: &mut Tx<'_>, table: &str) -> Result<TableSum, RecordsError> {
    let names = content(tx, table)?;
    let mut sum = Sum::default();
    each_batch(tx, table, &names, |rows| {
        rows.iter().for_each(|row| sum.add(row));
        Ok(())
    })?;
    Ok(sum.of(table))
}

/// Reads a whole table, some rows at a time: by SQLite's primary keys, or by a cursor of PostgreSQL's.
fn each_batch(
    tx: &mut Tx<'_>,
    table: &str,
    columns: &BTreeSet<String>,
    mut each: impl FnMut(Vec<Vec<Datum>>) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let names = columns.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    match tx.backend() {
        Backend::Sqlite => {
            let keys = keys(tx, table)?;
            let key = keys.join(", ");
            let places = vec!["?"; keys.len()].join(", ");
            let mut behind: Vec<Bound> = Vec::new();
            loop {
                let after = if behind.is_empty() { String::new() } else { format!("WHERE ({key}) > ({places})") };
                let sql = format!("SELECT {names}, {key} FROM \"{table}\" {after} ORDER BY {key} LIMIT {BATCH}");
                let rows = tx.query_sql(&sql, &behind)?;
                let Some(end) = rows.last() else { return Ok(()) };
                behind = end.0[columns.len()..].iter().cloned().map(bound).collect();
                let content = |mut row: crate::Row| {
                    row.0.truncate(columns.len());
                    row.0
                };
                each(rows.into_iter().map(content).collect())?;
            }
        }
        Backend::Postgres => {
            let cursor = format!("\"copy_{table}\"");
            tx.script(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR SELECT {names} FROM \"{table}\""))?;
            loop {
                let rows = tx.query_sql(&format!("FETCH {BATCH} FROM {cursor}"), &[])?;
                if rows.is_empty() {
                    return tx.script(&format!("CLOSE {cursor}"));
                }
                each(rows.into_iter().map(|row| row.0).collect())?;
            }
        }
    }
}

/// By what the rows of a table of SQLite are in order: its primary key, or its row numbers where it has none.
fn keys(tx: &mut Tx<'_>, table: &str) -> Result<Vec<String>, RecordsError> {
    let sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk";
    let names = tx.query_sql(sql, &[table.into()])?;
    let mut keys =
        names.iter().map(|row| Ok(format!("\"{}\"", row.text(0)?))).collect::<Result<Vec<_>, RecordsError>>()?;
    if keys.is_empty() {
        keys.push("rowid".to_owned());
    }
    Ok(keys)
}

fn bound(datum: Datum) -> Bound {
    match datum {
        Datum::Null => Bound::String(None),
        Datum::Int(number) => number.into(),
        Datum::Float(number) => number.into(),
        Datum::Bool(truth) => truth.into(),
        Datum::Text(text) => text.into(),
        Datum::Bytes(bytes) => bytes.into(),
    }
}

/// Columns whose numbers the database gives.
fn growing(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, RecordsError> {
    let sql = match tx.backend() {
        Backend::Sqlite => "SELECT name, '' FROM sqlite_sequence ORDER BY name",
        Backend::Postgres => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND is_identity = 'YES' ORDER BY table_name"
        }
    };
    tx.query_sql(sql, &[])?.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
}

/// Lets a copy give numbers that otherwise only PostgreSQL gives, or forbids it again.
fn set_given_by_others(tx: &mut Tx<'_>, growing: &[(String, String)], may: bool) -> Result<(), RecordsError> {
    if tx.backend() == Backend::Sqlite {
        return Ok(());
    }
    let when = if may { "BY DEFAULT" } else { "ALWAYS" };
    growing.iter().try_for_each(|(table, column)| {
        tx.script(&format!("ALTER TABLE \"{table}\" ALTER COLUMN \"{column}\" SET GENERATED {when}"))
    })
}

/// The last number that was given, though its row may be gone; 0 if there was none.
fn last_given(tx: &mut Tx<'_>, table: &str, column: &str) -> Result<i64, RecordsError> {
    let (sql, values): (_, Vec<Bound>) = match tx.backend() {
        Backend::Sqlite => ("SELECT seq FROM sqlite_sequence WHERE name = ?", vec![table.into()]),
        Backend::Postgres => (
            "SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident($1), $2)::regclass)",
            vec![table.into(), column.into()],
        ),
    };
    let rows = tx.query_sql(sql, &values)?;
    rows.first().map_or(Ok(0), |row| Ok(row.int_or_none(0)?.unwrap_or(0)))
}

/// Has the next number be the one after `last`.
fn go_on_after(tx: &mut Tx<'_>, table: &str, column: &str, last: i64) -> Result<(), RecordsError> {
    if last == 0 {
        return Ok(());
    }
    match tx.backend() {
        Backend::Sqlite => {
            tx.execute_sql("DELETE FROM sqlite_sequence WHERE name = ?", &[table.into()])?;
            tx.execute_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", &[table.into(), last.into()])?;
        }
        Backend::Postgres => {
            let sql = "SELECT setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, $3)";
            tx.query_sql(sql, &[table.into(), column.into(), last.into()])?;
        }
    }
    Ok(())
}

/// A table's count and checksum as its rows come.
#[derive(Default)]
struct Sum {
    rows: u64,
    total: [u64; 4],
}

impl Sum {
    fn add(&mut self, row: &[Datum]) {
        let mut hasher = blake3::Hasher::new();
        let mut part = |kind: u8, bytes: &[u8]| {
            hasher.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        for datum in row {
            match datum {
                Datum::Null => part(0, &[]),
                // SQLite keeps true as 1.
                Datum::Bool(truth) => part(1, &i64::from(*truth).to_le_bytes()),
                Datum::Int(number) => part(1, &number.to_le_bytes()),
                Datum::Float(number) => part(2, &number.to_bits().to_le_bytes()),
                Datum::Text(text) => part(3, text.as_bytes()),
                Datum::Bytes(bytes) => part(4, bytes),
            }
        }
        let hash = hasher.finalize();
        let (words, _) = hash.as_bytes().as_chunks::<8>();
        for (total, word) in self.total.iter_mut().zip(words) {
            *total = total.wrapping_add(u64::from_le_bytes(*word));
        }
        self.rows += 1;
    }

    fn of(self, table: &str) -> TableSum {
        let checksum = self.total.iter().fold(String::new(), |text, word| text + &format!("{word:016x}"));
        TableSum { table: table.to_owned(), rows: self.rows, checksum }
    }
}
