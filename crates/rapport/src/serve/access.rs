//! Who may do what: write keys from memory, people and keys of the API from the records' desk, which holds them in memory.

use std::sync::Arc;

use parking_lot::RwLock;
use rapport_records::{
    Access as Proof, Desk, RecordsError,
    people::{Origin, SESSION_MS, SessionFacts},
};
use rapport_server::{
    api::Session,
    ports::{Access, Credential, NewSession, Refusal, SignedIn},
};
use rapport_store::{Source, SqliteStore, StoreError};
use rapport_types::SourceId;

/// Keys of the installation. Write keys change only at a start, so they are read once.
pub(super) struct AccessBook {
    desk: Arc<Desk>,
    sources: RwLock<Vec<Source>>,
}

impl AccessBook {
    pub(super) fn read(store: &SqliteStore, desk: Arc<Desk>) -> Result<Self, StoreError> {
        Ok(Self { desk, sources: RwLock::new(store.sources()?) })
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

/// Nobody is let in while it cannot be looked up who may be, and nobody is told that they are signed out.
fn unknown_now(error: &RecordsError) -> Refusal {
    tracing::error!(%error, "people cannot be looked up");
    Refusal::Unavailable("it cannot be looked up at this moment who you are".to_owned())
}

fn by_key(access: Proof) -> SignedIn {
    let session = Session { name: access.name().to_owned(), since: None };
    SignedIn { session, access, session_id: None }
}

fn by_session((access, facts): (Proof, SessionFacts)) -> SignedIn {
    let session = Session { name: access.name().to_owned(), since: Some(facts.since) };
    SignedIn { session, access, session_id: Some(facts.id) }
}

impl Access for AccessBook {
    fn source(&self, write_key: &str) -> Option<SourceId> {
        self.sources.read().iter().find(|source| source.has_key(write_key)).map(|source| source.id)
    }

    fn source_name(&self, source: SourceId) -> String {
        self.name_of(source)
    }

    fn known(&self, credential: &Credential) -> Option<SignedIn> {
        match credential {
            Credential::Key(key) => self.desk.known_key(key).map(by_key),
            Credential::Cookie(secret) => self.desk.known_session(secret).map(by_session),
        }
    }

    fn look_up(&self, credential: &Credential) -> Result<Option<SignedIn>, Refusal> {
        let found = match credential {
            Credential::Key(key) => self.desk.access_of_key(key).map(|access| access.map(by_key)),
            Credential::Cookie(secret) => self.desk.access_of_session(secret).map(|found| found.map(by_session)),
        };
        found.map_err(|error| unknown_now(&error))
    }

    fn sign_in(&self, token: &str, origin: &Origin) -> Result<Option<NewSession>, Refusal> {
        let signed_in = self.desk.sign_in_by_link(token, origin).map_err(|error| internal(&error))?;
        let Some(signed_in) = signed_in else { return Ok(None) };
        let secret = signed_in.secret.reveal().to_owned();
        let found = self.desk.access_of_session(&secret).map_err(|error| unknown_now(&error))?;
        let name = found.map(|(access, _)| access.name().to_owned()).unwrap_or_default();
        let lasts_s = SESSION_MS.unsigned_abs() / 1_000;
        Ok(Some(NewSession { secret, name, since: signed_in.session.since, lasts_s }))
    }

    fn sign_out(&self, secret: &str) -> Result<(), Refusal> {
        let found = self.desk.access_of_session(secret).map_err(|error| unknown_now(&error))?;
        let Some((access, _)) = found else { return Ok(()) };
        self.desk.sign_out(&access, secret).map_err(|error| internal(&error))
    }
}
