//! Sources and their write keys. People, their sessions and keys of the API are with the records.

use rapport_types::SourceId;
use rusqlite::{OptionalExtension as _, params};

use crate::{Secret, SqliteStore, StoreError, secret::hash};

/// Who sends events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its number in entries of the log; 0 is the CRM itself.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// The hash of its write key; none if it has none.
    pub key_hash: Option<[u8; 32]>,
}

impl Source {
    /// Whether this is its write key.
    pub fn has_key(&self, write_key: &str) -> bool {
        self.key_hash == Some(hash(write_key))
    }
}

impl SqliteStore {
    /// All sources by number.
    pub fn sources(&self) -> Result<Vec<Source>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare("SELECT id, name, key_hash FROM source ORDER BY id")?;
            let of = |row: &rusqlite::Row<'_>| {
                Ok(Source { id: SourceId(row.get(0)?), name: row.get(1)?, key_hash: row.get(2)? })
            };
            query.query_map([], of)?.collect()
        })
    }

    /// A new source with a new write key; none if the name is taken.
    pub fn add_source(&self, name: &str) -> Result<Option<(SourceId, Secret)>, StoreError> {
        let key = Secret::random("wk_")?;
        let id = self.write(|transaction| {
            let insert = "INSERT INTO source (name, key_hash) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id";
            transaction.query_row(insert, params![name, hash(key.reveal())], |row| row.get(0)).optional()
        })?;
        Ok(id.map(|id| (SourceId(id), key)))
    }

    /// A source with a write key that was made before, as when the store was made anew; false if the name is taken.
    pub fn adopt_source(&self, name: &str, write_key: &str) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let insert = "INSERT INTO source (name, key_hash) VALUES (?, ?) ON CONFLICT DO NOTHING";
            Ok(transaction.execute(insert, params![name, hash(write_key)])? == 1)
        })
    }
}
