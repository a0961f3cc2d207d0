//! The model registry: artifacts with their evaluation. Which of them is in service is in the log, not here.

use rapport_types::Timestamp;
use rusqlite::{
    OptionalExtension as _, Row, ToSql, params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

use crate::{SqliteStore, StoreError, checksum};

/// What [`record`] reads, in its order.
const RECORD: &str = "score, version, created_at, metrics, rows, range_from, range_to, algorithm, origin";

/// Where a model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelOrigin {
    /// Somebody asked for it.
    Trained,
    /// By schedule, or because of drift.
    Retrained,
    /// It was made elsewhere.
    Imported,
}

impl ModelOrigin {
    fn name(self) -> &'static str {
        match self {
            Self::Trained => "trained",
            Self::Retrained => "retrained",
            Self::Imported => "imported",
        }
    }
}

impl ToSql for ModelOrigin {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for ModelOrigin {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        let mut all = [Self::Trained, Self::Retrained, Self::Imported].into_iter();
        all.find(|origin| origin.name() == name).ok_or(FromSqlError::InvalidType)
    }
}

/// A model to be registered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewModel<'a> {
    /// The score that it computes.
    pub score: &'a str,
    /// When it was trained.
    pub created_at: Timestamp,
    /// How it was learnt, such as `logistic_regression`.
    pub algorithm: &'a str,
    /// Where it comes from.
    pub origin: ModelOrigin,
    /// The artifact's bytes.
    pub artifact: &'a [u8],
    /// Figures of the evaluation, a JSON object.
    pub metrics: &'a str,
    /// Labelled moments.
    pub rows: u64,
    /// The times of the first and the last of them.
    pub range: Option<(Timestamp, Timestamp)>,
}

/// A registered model, without its artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRecord {
    /// The score that it computes.
    pub score: String,
    /// From 1, growing by one for each score.
    pub version: u32,
    /// When it was trained.
    pub created_at: Timestamp,
    /// How it was learnt, such as `logistic_regression`.
    pub algorithm: String,
    /// Where it comes from.
    pub origin: ModelOrigin,
    /// Figures of the evaluation, a JSON object.
    pub metrics: String,
    /// Labelled moments.
    pub rows: u64,
    /// The times of the first and the last of them.
    pub range: Option<(Timestamp, Timestamp)>,
}

impl SqliteStore {
    /// Registers a model; its version.
    pub fn add_model(&self, model: &NewModel<'_>) -> Result<u32, StoreError> {
        self.write(|transaction| {
            let next = "SELECT coalesce(max(version), 0) + 1 FROM model WHERE score = ?";
            let version: u32 = transaction.query_row(next, [model.score], |row| row.get(0))?;
            let insert = "INSERT INTO model (score, version, created_at, artifact, metrics, rows, range_from, range_to, \
                          algorithm, origin, crc32) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
            let (from, to) = (model.range.map(|range| range.0.0), model.range.map(|range| range.1.0));
            let values = params![
                model.score,
                version,
                model.created_at.0,
                model.artifact,
                model.metrics,
                model.rows,
                from,
                to,
                model.algorithm,
                model.origin,
                checksum::of_model(model.score, version, model.artifact)
            ];
            transaction.execute(insert, values)?;
            Ok(version)
        })
    }

    /// All models, the newest first.
    pub fn models(&self) -> Result<Vec<ModelRecord>, StoreError> {
        self.read(|connection| {
            let query = format!("SELECT {RECORD} FROM model ORDER BY created_at DESC, score, version DESC");
            connection.prepare(&query)?.query_map([], record)?.collect()
        })
    }

    /// One model; none if there is no such model.
    pub fn model(&self, score: &str, version: u32) -> Result<Option<ModelRecord>, StoreError> {
        self.read(|connection| {
            let query = format!("SELECT {RECORD} FROM model WHERE score = ? AND version = ?");
            connection.query_row(&query, params![score, version], record).optional()
        })
    }

    /// The artifact of a model; none if there is no such model.
    pub fn artifact(&self, score: &str, version: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let found: Option<(Vec<u8>, Option<u32>)> = self.read(|connection| {
            let query = "SELECT artifact, crc32 FROM model WHERE score = ? AND version = ?";
            connection.query_row(query, params![score, version], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })?;
        let Some((artifact, sum)) = found else { return Ok(None) };
        if sum.is_some_and(|sum| sum != checksum::of_model(score, version, &artifact)) {
            return Err(self.damaged(format!("the artifact of model {version} of the score \"{score}\" has changed")));
        }
        Ok(Some(artifact))
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<ModelRecord> {
    let range: (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
    Ok(ModelRecord {
        score: row.get(0)?,
        version: row.get(1)?,
        created_at: Timestamp(row.get(2)?),
        metrics: row.get(3)?,
        rows: row.get(4)?,
        range: range.0.zip(range.1).map(|(from, to)| (Timestamp(from), Timestamp(to))),
        algorithm: row.get(7)?,
        origin: row.get(8)?,
    })
}
