//! Sources, API keys, one-time links and sessions. Times come from the caller.

use rapport_types::{SourceId, Timestamp};
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

/// A program that may use the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// What it is called.
    pub name: String,
    /// The hash of the key.
    pub key_hash: [u8; 32],
}

impl ApiKey {
    /// Whether this is the key.
    pub fn is(&self, key: &str) -> bool {
        self.key_hash == hash(key)
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What the person is called.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
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

    /// An API key that was made before.
    pub fn adopt_api_key(&self, name: &str, key: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| {
            let insert = "INSERT INTO api_key (name, key_hash, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
            transaction.execute(insert, params![name, hash(key), now.0]).map(drop)
        })
    }

    /// All API keys.
    pub fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare("SELECT name, key_hash FROM api_key ORDER BY id")?;
            let of = |row: &rusqlite::Row<'_>| Ok(ApiKey { name: row.get(0)?, key_hash: row.get(1)? });
            query.query_map([], of)?.collect()
        })
    }

    /// A new API key.
    pub fn add_api_key(&self, name: &str, now: Timestamp) -> Result<Secret, StoreError> {
        let key = Secret::random("rk_")?;
        self.write(|transaction| {
            let insert = "INSERT INTO api_key (name, key_hash, created_at) VALUES (?, ?, ?)";
            transaction.execute(insert, params![name, hash(key.reveal()), now.0])
        })?;
        Ok(key)
    }

    /// A new one-time token with which `name` can sign in until `ends_at`.
    pub fn add_link(&self, name: &str, ends_at: Timestamp) -> Result<Secret, StoreError> {
        let token = Secret::random("")?;
        self.write(|transaction| {
            let insert = "INSERT INTO link (token_hash, name, ends_at) VALUES (?, ?, ?)";
            transaction.execute(insert, params![hash(token.reveal()), name, ends_at.0])
        })?;
        Ok(token)
    }

    /// Takes a one-time token and begins a session; none if the token is unknown, used or too old. However many take it
    /// at once, one gets the session.
    pub fn sign_in(
        &self,
        token: &str,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<Option<(Secret, Session)>, StoreError> {
        let secret = Secret::random("")?;
        let name: Option<String> = self.write(|transaction| {
            let take = "UPDATE link SET used = 1 WHERE token_hash = ? AND used = 0 AND ends_at > ? RETURNING name";
            let name: Option<String> =
                transaction.query_row(take, params![hash(token), now.0], |row| row.get(0)).optional()?;
            if let Some(name) = &name {
                transaction.execute("DELETE FROM session WHERE ends_at <= ?", [now.0])?;
                let insert = "INSERT INTO session (secret_hash, name, since, ends_at) VALUES (?, ?, ?, ?)";
                transaction.execute(insert, params![hash(secret.reveal()), name, now.0, ends_at.0])?;
            }
            Ok(name)
        })?;
        Ok(name.map(|name| (secret, Session { name, since: now, ends_at })))
    }

    /// Whose session this is, if it has not ended by `now`.
    pub fn session(&self, secret: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.read(|connection| {
            let query = "SELECT name, since, ends_at FROM session WHERE secret_hash = ? AND ends_at > ?";
            let of = |row: &rusqlite::Row<'_>| {
                Ok(Session { name: row.get(0)?, since: Timestamp(row.get(1)?), ends_at: Timestamp(row.get(2)?) })
            };
            connection.query_row(query, params![hash(secret), now.0], of).optional()
        })
    }

    /// Ends a session.
    pub fn sign_out(&self, secret: &str) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM session WHERE secret_hash = ?", [hash(secret)])?;
            Ok(())
        })
    }
}
