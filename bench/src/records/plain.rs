//! The same questions in SQL by hand, through the databases' own clients: what a page costs at least.

use std::{collections::HashMap, path::Path};

use postgres::{Client, NoTls, Statement, types::ToSql};
use rusqlite::{Connection, types::Value};

use crate::error::BenchError;

/// A value for a `?` of a statement.
#[derive(Debug, Clone)]
pub(super) enum Bound {
    Whole(i64),
    Text(String),
}

/// A connection of its own.
pub(super) enum Plain {
    Sqlite(Connection),
    Postgres(Box<Client>, HashMap<String, Statement>),
}

impl Plain {
    pub(super) fn sqlite(file: &Path) -> Result<Self, BenchError> {
        let connection = Connection::open(file)?;
        // What the records' own connections have.
        connection.pragma_update(None, "cache_size", -8_192)?;
        connection.pragma_update(None, "mmap_size", 1 << 30)?;
        Ok(Self::Sqlite(connection))
    }

    pub(super) fn postgres(url: &str) -> Result<Self, BenchError> {
        Ok(Self::Postgres(Box::new(Client::connect(url, NoTls)?), HashMap::new()))
    }

    /// Does what the databases do by themselves some minutes after a large change: statistics, and the write-ahead log brought home.
    pub(super) fn settle(&mut self) -> Result<(), BenchError> {
        match self {
            Self::Sqlite(connection) => {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            }
            Self::Postgres(client, _) => {
                // One by one: a vacuum cannot be part of a transaction, which a text of two would be.
                client.batch_execute("VACUUM ANALYZE")?;
                client.batch_execute("CHECKPOINT")?;
            }
        }
        Ok(())
    }

    /// All values of all rows; how many rows. `?` stand for the values, in their order.
    pub(super) fn rows(&mut self, sql: &str, values: &[Bound]) -> Result<usize, BenchError> {
        match self {
            Self::Sqlite(connection) => {
                let values = values.iter().map(|value| match value {
                    Bound::Whole(number) => Value::Integer(*number),
                    Bound::Text(text) => Value::Text(text.clone()),
                });
                let mut statement = connection.prepare_cached(sql)?;
                let width = statement.column_count();
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                let mut count = 0;
                while let Some(row) = rows.next()? {
                    for place in 0..width {
                        std::hint::black_box(row.get::<_, Value>(place)?);
                    }
                    count += 1;
                }
                Ok(count)
            }
            Self::Postgres(client, prepared) => {
                if !prepared.contains_key(sql) {
                    prepared.insert(sql.to_owned(), client.prepare(&numbered(sql))?);
                }
                let values: Vec<&(dyn ToSql + Sync)> = values
                    .iter()
                    .map(|value| match value {
                        Bound::Whole(number) => number as &(dyn ToSql + Sync),
                        Bound::Text(text) => text as &(dyn ToSql + Sync),
                    })
                    .collect();
                Ok(client.query(&prepared[sql], &values)?.len())
            }
        }
    }
}

/// `?` as PostgreSQL numbers them. No statement here has one in a text.
fn numbered(sql: &str) -> String {
    let mut parts = sql.split('?');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.zip(1..).fold(first, |text, (part, place)| format!("{text}${place}{part}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_are_numbered() {
        assert_eq!(super::numbered("a = ? AND b IN (?, ?)"), "a = $1 AND b IN ($2, $3)");
    }
}
