//! What a provider says of itself (OpenID Connect Discovery 1.0): read, kept for a while, and read again.
//!
//! A provider may hang, and whoever waits for it may go: it is asked in a task of its own, by one at a time, and what comes of
//! that counts for all.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use rapport_outbound::{Answer, Client};
use rapport_types::{DAY_MS, HOUR_MS, SECOND_MS, Timestamp};
use serde::Deserialize;
use url::Url;

use super::{
    ProviderSettings, SignOnError,
    keys::Keys,
    provider::{good, headers, read, unreachable},
};

/// After this time documents are read again.
pub(super) const FRESH_MS: i64 = HOUR_MS;
/// So long old ones serve where new ones cannot be had.
const STALE_MS: i64 = DAY_MS;
/// A provider is asked for its documents no more often than this, whatever comes.
const PAUSE_MS: i64 = 10 * SECOND_MS;

/// What a provider says of itself.
#[derive(Debug)]
pub(super) struct Documents {
    pub(super) metadata: Metadata,
    pub(super) keys: Keys,
    read_at: Timestamp,
}

/// Where a provider is asked what, and what it can.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    jwks_uri: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
    /// Whether it says with each answer that it is its own (RFC 9207).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// Where the documents of a provider come from.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    issuer: String,
    discovery: Url,
    client: Arc<Client>,
    known: Mutex<Known>,
    /// Held while the provider is asked.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    documents: Option<Arc<Documents>>,
    /// When it was last asked in vain, and why.
    failed: Option<(Timestamp, String)>,
}

/// What is to be done for whoever wants documents.
enum Next {
    Take(Arc<Documents>),
    GiveUp(String),
    /// Old ones serve if there are any.
    Ask(Option<Arc<Documents>>),
}

impl Source {
    pub(super) fn new(settings: &ProviderSettings, discovery: Url, client: Arc<Client>) -> Self {
        let (name, issuer) = (settings.name.clone(), settings.issuer.clone());
        Self { name, issuer, discovery, client, known: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The provider's documents; others than `but`, if those can be had now.
    pub(super) async fn documents(
        self: &Arc<Self>,
        now: Timestamp,
        but: Option<&Arc<Documents>>,
    ) -> Result<Arc<Documents>, SignOnError> {
        match self.next(now, but) {
            Next::Take(documents) => Ok(documents),
            Next::GiveUp(why) => Err(SignOnError::Unreachable(why)),
            Next::Ask(_) => {
                let asked = tokio::spawn(Arc::clone(self).read_again(now, but.cloned()));
                asked.await.map_err(|error| unreachable(&error))?
            }
        }
    }

    /// The same without waiting where old ones serve: the new ones are for whoever comes next.
    pub(super) async fn documents_at_once(self: &Arc<Self>, now: Timestamp) -> Result<Arc<Documents>, SignOnError> {
        let Next::Ask(Some(old)) = self.next(now, None) else { return self.documents(now, None).await };
        if self.turn.try_lock().is_ok() {
            tokio::spawn(Arc::clone(self).read_again(now, None));
        }
        Ok(old)
    }

    fn next(&self, now: Timestamp, but: Option<&Arc<Documents>>) -> Next {
        let known = self.known.lock();
        let held = known.documents.as_ref().map(|held| (now.0 - held.read_at.0, held));
        if let Some((age, held)) = held {
            let is_wanted = but.is_none_or(|but| !Arc::ptr_eq(but, held));
            if age < if is_wanted { FRESH_MS } else { PAUSE_MS } {
                return Next::Take(Arc::clone(held));
            }
        }
        let old = held.filter(|(age, _)| *age < STALE_MS).map(|(_, held)| Arc::clone(held));
        match (&known.failed, old) {
            (Some((at, why)), old) if now.0 - at.0 < PAUSE_MS => {
                old.map_or_else(|| Next::GiveUp(why.clone()), Next::Take)
            }
            (_, old) => Next::Ask(old),
        }
    }

    async fn read_again(
        self: Arc<Self>,
        now: Timestamp,
        but: Option<Arc<Documents>>,
    ) -> Result<Arc<Documents>, SignOnError> {
        let _turn = self.turn.lock().await;
        // Whoever had the turn before may have got the answer.
        let old = match self.next(now, but.as_ref()) {
            Next::Take(documents) => return Ok(documents),
            Next::GiveUp(why) => return Err(SignOnError::Unreachable(why)),
            Next::Ask(old) => old,
        };
        let began = Instant::now();
        match self.ask(now).await {
            Ok(documents) => {
                let documents = Arc::new(documents);
                *self.known.lock() = Known { documents: Some(Arc::clone(&documents)), failed: None };
                Ok(documents)
            }
            Err(why) => {
                tracing::warn!(provider = self.name, %why, "a provider's documents cannot be read");
                // The pause begins when it was given up, not when it was asked.
                let ended = Timestamp(now.0 + began.elapsed().as_millis() as i64);
                self.known.lock().failed = Some((ended, why.clone()));
                old.ok_or(SignOnError::Unreachable(why))
            }
        }
    }

    async fn ask(&self, now: Timestamp) -> Result<Documents, String> {
        let said = |error: SignOnError| error.to_string();
        let metadata: Metadata = self.document(&self.discovery).await.and_then(|answer| read(&answer)).map_err(said)?;
        if metadata.issuer != self.issuer {
            return Err(format!("it calls itself {}, and the settings {}", metadata.issuer, self.issuer));
        }
        // A browser is sent there with what was begun.
        self.client.check(&metadata.authorization_endpoint).map_err(|error| error.to_string())?;
        let keys = self.document(&metadata.jwks_uri).await.map_err(said)?;
        let keys = Keys::read(&keys.body).map_err(|error| format!("its keys cannot be read: {error}"))?;
        Ok(Documents { metadata, keys, read_at: now })
    }

    async fn document(&self, url: &Url) -> Result<Answer, SignOnError> {
        let answer = self.client.get(url, headers()).await.map_err(|error| unreachable(&error))?;
        good(&answer)?;
        Ok(answer)
    }
}
