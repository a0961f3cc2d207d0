//! Who sends a request. Being let in is a value: handlers of the API take an [`Operator`], the collect door works with a
//! [`Door`], and neither can be made without a credential.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use parking_lot::RwLock;
use prometheus_client::metrics::counter::Counter;
use rapport_records::Verb;
use rapport_types::SourceId;
use rustc_hash::FxHashMap;

use crate::{
    App, Shared, api::Session, exchange::blocking, limit::Bucket, people::Peer, ports::SignedIn, problem::Problem,
};

pub(crate) use crate::ports::Credential;

/// The cookie of a session.
pub(crate) const COOKIE: &str = "rapport_session";
/// The ends of paths that take a body to be asked with, and change nothing.
const ASKING: [&str; 3] = ["/similar", "/check", "/decide"];
/// The header that a page of another origin cannot send without being asked first.
const REQUEST_HEADER: &str = "x-rapport-request";

impl Credential {
    /// Who it lets in; none if it does not let in any more. Only where memory does not know is the database asked, on another
    /// thread.
    pub(crate) async fn look(&self, app: &App) -> Result<Option<SignedIn>, Problem> {
        if let Some(known) = app.state.access.known(self) {
            return Ok(Some(known));
        }
        let (access, credential) = (Arc::clone(&app.state.access), self.clone());
        Ok(blocking(move || access.look_up(&credential)).await??)
    }

    /// Whether it still lets in. A database that cannot be asked now has signed nobody out.
    pub(crate) async fn holds(&self, app: &App) -> bool {
        !matches!(self.look(app).await, Ok(None))
    }
}

/// A person or program that may use the API.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) session: Session,
    /// The proof with which records are asked.
    pub(crate) access: rapport_records::Access,
    pub(crate) credential: Credential,
    /// The session; none for a key.
    pub(crate) session_id: Option<rapport_records::Id>,
}

impl Operator {
    /// Refuses those who may not read everything: a profile has no owner, and its timeline tells of records of all objects.
    pub(crate) fn must_read_customers(&self) -> Result<(), Problem> {
        must(self.access.reads_everything(), "customers are shown to those who may read all fields of all records")
    }

    /// Refuses those who may not change all customers.
    pub(crate) fn must_change_customers(&self) -> Result<(), Problem> {
        self.must_read_customers()?;
        must(self.access.may_all(Verb::Update, "contact"), "customers are changed by those who may change all contacts")
    }

    /// Refuses everybody but administrators.
    pub(crate) fn must_administer(&self) -> Result<(), Problem> {
        must(self.access.is_administrator(), "only administrators may do this")
    }
}

fn must(may: bool, why: &'static str) -> Result<(), Problem> {
    if may {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not let you do this").detail(why))
}

impl FromRequestParts<Shared> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let credential = credential(&parts.headers).ok_or_else(Problem::unauthorized)?;
        let signed_in = credential.look(app).await?.ok_or_else(Problem::unauthorized)?;
        // The browser adds the cookie by itself; this header shows that our page, and no other, made the request.
        if matches!(credential, Credential::Cookie(_)) && !parts.method.is_safe() && !has_request_header(&parts.headers)
        {
            let problem = Problem::new(StatusCode::FORBIDDEN, "request_header", "A header is missing");
            return Err(problem.field("X-Rapport-Request").detail("changes with a session need X-Rapport-Request: 1"));
        }
        let SignedIn { session, access, session_id } = signed_in;
        let path = parts.uri.path();
        let only_asks = parts.method.is_safe() || ASKING.iter().any(|end| path.ends_with(end));
        if access.is_read_only() && !only_asks {
            must(false, "this key is for reading only")?;
        }
        let access = match parts.extensions.get::<Peer>() {
            Some(peer) => access.from_address(peer.0.to_string()),
            None => access,
        };
        Ok(Self { session, access, credential, session_id })
    }
}

/// Whether a request that changes something says that our page made it.
pub(crate) fn has_request_header(headers: &HeaderMap) -> bool {
    headers.get(REQUEST_HEADER).is_some_and(|value| value == "1")
}

/// Refuses to sign somebody in where a foreign page may have sent the request: it could sign its visitor in under a stranger's
/// session.
pub(crate) fn must_be_our_page(headers: &HeaderMap) -> Result<(), Problem> {
    if has_request_header(headers) {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::FORBIDDEN, "request_header", "A header is missing");
    Err(problem.field("X-Rapport-Request").detail("signing in needs X-Rapport-Request: 1"))
}

/// An `Authorization` header is taken at its word: if it is wrong, the cookie does not help.
fn credential(headers: &HeaderMap) -> Option<Credential> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let key = after_scheme(value.to_str().ok()?, "bearer")?;
        return Some(Credential::Key(key.to_owned()));
    }
    cookie(headers).map(|secret| Credential::Cookie(secret.to_owned()))
}

/// The session's secret in the cookies.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// The value of a cookie.
pub(crate) fn cookie_named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == wanted).map(|(_, secret)| secret)
}

fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (first, rest) = value.split_once(' ')?;
    first.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// The way in for one source: only a valid write key leads to it.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) source: SourceId,
    pub(crate) accepted: Counter,
    bucket: Bucket,
}

impl Door {
    /// Lets `events` pass if the source is not too fast.
    pub(crate) fn pass(&self, events: usize) -> Result<(), Problem> {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let now = START.elapsed().as_nanos() as u64;
        self.bucket.take(now, events as u64).map_err(|wait| Problem::too_fast(wait.div_ceil(1_000_000_000) as u32))
    }
}

/// The doors of all sources that have sent something.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    by_source: RwLock<FxHashMap<SourceId, Arc<Door>>>,
}

impl Doors {
    /// The door by the `Authorization` header; none if there is no such header and the key must be in the body.
    pub(crate) fn by_header(&self, app: &App, headers: &HeaderMap) -> Result<Option<Arc<Door>>, Problem> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        let mut buffer = [0; 256];
        let key = basic_user(value.as_bytes(), &mut buffer).ok_or_else(Problem::write_key)?;
        self.by_key(app, Some(key)).map(Some)
    }

    /// The door by a write key.
    pub(crate) fn by_key(&self, app: &App, key: Option<&str>) -> Result<Arc<Door>, Problem> {
        let source = key.and_then(|key| app.state.access.source(key)).ok_or_else(Problem::write_key)?;
        if let Some(door) = self.by_source.read().get(&source) {
            return Ok(Arc::clone(door));
        }
        let limits = &app.state.limits;
        let make = || {
            let accepted = app.metrics.accepted(app.state.access.source_name(source));
            // A bucket smaller than a batch would refuse every full batch for ever.
            let burst = limits.burst.max(crate::collect::BATCH_EVENTS as u32);
            Arc::new(Door { source, accepted, bucket: Bucket::new(limits.events_per_second, burst) })
        };
        Ok(Arc::clone(self.by_source.write().entry(source).or_insert_with(make)))
    }
}

/// The user name of Basic authentication, decoded into `buffer`.
fn basic_user<'a>(value: &[u8], buffer: &'a mut [u8]) -> Option<&'a str> {
    let (scheme, rest) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let length = BASE64_STANDARD.decode_slice(rest.trim_ascii(), buffer).ok()?;
    let pair = std::str::from_utf8(&buffer[..length]).ok()?;
    Some(pair.split_once(':').map_or(pair, |(user, _)| user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_of_basic_authentication_is_read() {
        let user = |value: &str| basic_user(value.as_bytes(), &mut [0; 256]).map(str::to_owned);
        assert_eq!(user("Basic d2tfMTo="), Some("wk_1".to_owned()));
        assert_eq!(user("basic d2tfMQ=="), Some("wk_1".to_owned()), "no colon at all");
        assert_eq!(user("Bearer d2tfMTo="), None);
        assert_eq!(user("Basic !!"), None);
        assert_eq!(user(&format!("Basic {}", "A".repeat(4_000))), None, "longer than any key");
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; rapport_session=s-1; b=2".parse().unwrap());
        assert_eq!(cookie(&headers), Some("s-1"));
        headers.insert(header::COOKIE, "xrapport_session=s-1".parse().unwrap());
        assert_eq!(cookie(&headers), None);
    }
}
