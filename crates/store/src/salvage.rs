//! What can still be read of a damaged store: sources and models, which the log does not have.
//!
//! Row by row, up to the first that cannot be read; a model whose artifact has changed is left out. Checkpoints are not
//! looked at, because they can be made from the log.

use std::path::Path;

use rusqlite::{Connection, config::DbConfig, types::Value};

use crate::{SqliteStore, StoreError, checksum};

/// What came out of a damaged store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Sources with a write key.
    pub sources: u64,
    /// Models.
    pub models: u64,
    /// Whether anything could not be read.
    pub is_incomplete: bool,
}

/// Tables with their columns; those of a model begin with score, version and artifact.
const TABLES: [(&str, &str); 2] = [
    ("source", "id, name, key_hash"),
    ("model", "score, version, artifact, created_at, metrics, rows, range_from, range_to, algorithm, origin"),
];
/// Columns that came with a later format, and what stands for them where they are not there.
const LATER: [(&str, &str); 3] = [("algorithm", "'logistic_regression'"), ("origin", "'trained'"), ("crc32", "NULL")];

impl SqliteStore {
    /// Takes over what can be read of the store in `file`, which stays as it is. What this store has already is kept.
    pub fn salvage(&self, file: &Path) -> Result<Salvaged, StoreError> {
        let mut salvaged = Salvaged::default();
        for (table, columns) in TABLES {
            let (rows, is_whole) = rows_of(file, table, columns);
            salvaged.is_incomplete |= !is_whole;
            let marks = vec!["?"; columns.split(',').count()].join(", ");
            let insert = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})");
            let taken = self.write(|transaction| {
                let mut insert = transaction.prepare(&insert)?;
                let mut taken = 0;
                for row in &rows {
                    // A value of a kind that the table does not take is as bad as one that cannot be read.
                    match insert.execute(rusqlite::params_from_iter(row)) {
                        Ok(inserted) => taken += inserted as u64,
                        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                            salvaged.is_incomplete = true;
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok(taken)
            })?;
            match table {
                "source" => salvaged.sources = taken,
                "model" => salvaged.models = taken,
                _ => {}
            }
        }
        self.seal_models()?;
        Ok(salvaged)
    }

    /// Gives models without a checksum one.
    fn seal_models(&self) -> Result<(), StoreError> {
        self.write(|transaction| {
            let mut models = transaction.prepare("SELECT score, version, artifact FROM model WHERE crc32 IS NULL")?;
            let mut models = models.query([])?;
            while let Some(model) = models.next()? {
                let (score, version): (String, u32) = (model.get(0)?, model.get(1)?);
                let sum = checksum::of_model(&score, version, model.get_ref(2)?.as_blob()?);
                let update = "UPDATE model SET crc32 = ? WHERE score = ? AND version = ?";
                transaction.execute(update, rusqlite::params![sum, score, version])?;
            }
            Ok(())
        })
    }
}

/// The rows of a table up to the first that cannot be read, and whether there was none such.
fn rows_of(file: &Path, table: &str, columns: &str) -> (Vec<Vec<Value>>, bool) {
    let mut kept = Vec::new();
    let mut read = || -> rusqlite::Result<bool> {
        let connection = Connection::open(file)?;
        // Closing would write to the file, which is evidence.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let sum = if table == "model" { "crc32" } else { "NULL" };
        let mut wanted = format!("{columns}, {sum}");
        for (column, otherwise) in LATER {
            if connection.prepare(&format!("SELECT {column} FROM {table}")).is_err() {
                wanted = wanted.replace(column, otherwise);
            }
        }
        let mut query = connection.prepare(&format!("SELECT {wanted} FROM {table}"))?;
        let width = query.column_count() - 1;
        let mut rows = query.query([])?;
        let mut is_whole = true;
        while let Some(row) = rows.next()? {
            if row.get::<_, Option<u32>>(width)?.is_some_and(|sum| model_sum(row) != Some(sum)) {
                is_whole = false;
                continue;
            }
            kept.push((0..width).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>()?);
        }
        Ok(is_whole)
    };
    let is_whole = read().unwrap_or(false);
    (kept, is_whole)
}

fn model_sum(row: &rusqlite::Row<'_>) -> Option<u32> {
    let (score, version): (String, u32) = (row.get(0).ok()?, row.get(1).ok()?);
    Some(checksum::of_model(&score, version, row.get_ref(2).ok()?.as_blob().ok()?))
}
