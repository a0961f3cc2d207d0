//! Who may do what: keys from memory, sessions from the store.

use std::sync::Arc;

use parking_lot::RwLock;
use rapport_server::{
    api::Session,
    ports::{Access, NewSession, Refusal},
    system_time,
};
use rapport_store::{ApiKey, Source, SqliteStore, StoreError};
use rapport_types::{DAY_MS, Duration, SourceId};

/// How long a session lasts.
const SESSION_LASTS: Duration = Duration(30 * DAY_MS);

/// Keys of the installation. They change only at a start, so they are read once.
pub(super) struct AccessBook {
    store: Arc<SqliteStore>,
    sources: RwLock<Vec<Source>>,
    api_keys: Vec<ApiKey>,
}

impl AccessBook {
    pub(super) fn read(store: Arc<SqliteStore>) -> Result<Self, StoreError> {
        let (sources, api_keys) = (RwLock::new(store.sources()?), store.api_keys()?);
        Ok(Self { store, sources, api_keys })
    }

    /// The name of a source.
    pub(super) fn name_of(&self, id: SourceId) -> String {
        let sources = self.sources.read();
        let found = sources.iter().find(|source| source.id == id);
        found.map_or_else(|| format!("source {}", id.0), |source| source.name.clone())
    }
}

/// What a caller is told of a failure of the store.
pub(super) fn internal(error: &dyn std::error::Error) -> Refusal {
    Refusal::Internal(error.to_string())
}

impl Access for AccessBook {
    fn source(&self, write_key: &str) -> Option<SourceId> {
        self.sources.read().iter().find(|source| source.has_key(write_key)).map(|source| source.id)
    }

    fn source_name(&self, source: SourceId) -> String {
        self.name_of(source)
    }

    fn api_key(&self, key: &str) -> Option<Session> {
        let found = self.api_keys.iter().find(|known| known.is(key))?;
        Some(Session { name: found.name.clone(), since: None })
    }

    fn session(&self, secret: &str) -> Option<Session> {
        match self.store.session(secret, system_time()) {
            Ok(found) => found.map(|session| Session { name: session.name, since: Some(session.since) }),
            Err(error) => {
                tracing::error!(%error, "sessions cannot be read");
                None
            }
        }
    }

    fn sign_in(&self, token: &str) -> Result<Option<NewSession>, Refusal> {
        let now = system_time();
        let signed_in = self.store.sign_in(token, now, now.plus(SESSION_LASTS)).map_err(|error| internal(&error))?;
        Ok(signed_in.map(|(secret, session)| NewSession {
            secret: secret.reveal().to_owned(),
            name: session.name,
            since: session.since,
            lasts_s: SESSION_LASTS.0.unsigned_abs() / 1_000,
        }))
    }

    fn sign_out(&self, secret: &str) -> Result<(), Refusal> {
        self.store.sign_out(secret).map_err(|error| internal(&error))
    }
}
