//! Requests: one connection each, limits on time, bytes and hops.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    client::conn::http1,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};
use tokio_rustls::TlsConnector;
use url::Url;

use crate::{
    Allowed, OutboundError,
    connect::{connect, system_roots, tls},
};

/// Requests that are under way at once; more wait, within their time.
pub const AT_ONCE: usize = 64;
/// The largest head of an answer, in bytes.
const HEAD: usize = 64 * 1024;
/// What Rapport calls itself.
const AGENT: &str = concat!("rapport/", env!("CARGO_PKG_VERSION"));

/// How much a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For all of it: waiting for its turn, look-up, connection, every hop, the body.
    pub time: Duration,
    /// The longest body of an answer, in bytes.
    pub bytes: usize,
    /// How often it is sent on.
    pub hops: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), bytes: 1024 * 1024, hops: 3 }
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status; whether it is a good one is the caller's to say.
    pub status: StatusCode,
    /// The head.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The door.
pub struct Client {
    allowed: Allowed,
    limits: Limits,
    tls: TlsConnector,
    turns: Semaphore,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("allowed", &self.allowed).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The host and port of an address, for errors.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("an address without a host");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl Client {
    /// A door that trusts the certificates that the system trusts. Reads them from the disk.
    pub fn new(allowed: Allowed, limits: Limits) -> Result<Self, OutboundError> {
        Self::with_roots(allowed, limits, system_roots()?)
    }

    pub(crate) fn with_roots(allowed: Allowed, limits: Limits, roots: RootCertStore) -> Result<Self, OutboundError> {
        Ok(Self { allowed, limits, tls: tls(roots)?, turns: Semaphore::new(AT_ONCE) })
    }

    /// Refuses an address that is not asked whatever it leads to: only HTTPS is, and HTTP to hosts that the operator named.
    pub fn check(&self, url: &Url) -> Result<(), OutboundError> {
        let refused = |what| Err(OutboundError::Address { host: host_of(url), what });
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return refused("the address must begin with https://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("a name or password in an address is sent nowhere");
        }
        if url.scheme() == "http" && !self.allowed.holds(url) {
            return refused("without TLS only hosts in the setting allow_private are asked");
        }
        Ok(())
    }

    /// Asks for a document. Where it is sent on to another host the headers stay behind.
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Answer, OutboundError> {
        self.in_time(url, async {
            let (mut at, mut headers) = (url.clone(), headers);
            for _ in 0..=self.limits.hops {
                let answer = self.exchange(Method::GET, &at, &headers, Bytes::new()).await?;
                let Some(next) = sent_on(&at, &answer)? else { return Ok(answer) };
                if next.origin() != at.origin() {
                    headers = HeaderMap::new();
                }
                at = next;
            }
            Err(OutboundError::Redirects { host: host_of(url) })
        })
        .await
    }

    /// Sends a body. An answer that sends on is returned as it is.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Answer, OutboundError> {
        self.in_time(url, self.exchange(Method::POST, url, &headers, body)).await
    }

    async fn in_time(
        &self,
        url: &Url,
        work: impl Future<Output = Result<Answer, OutboundError>>,
    ) -> Result<Answer, OutboundError> {
        let late = || OutboundError::Late { host: host_of(url), milliseconds: self.limits.time.as_millis() };
        let in_turn = async {
            let _turn = self.turns.acquire().await.map_err(|_| late())?;
            work.await
        };
        timeout(self.limits.time, in_turn).await.unwrap_or_else(|_| Err(late()))
    }

    /// One request on a connection of its own.
    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, OutboundError> {
        self.check(url)?;
        let failed =
            |error: &dyn std::fmt::Display| OutboundError::Answer { host: host_of(url), what: error.to_string() };
        let request = request(method, url, headers, body).map_err(|error| failed(&error))?;
        let stream = connect(url, self.allowed.holds(url), &self.tls).await?;
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        // Ends with this request, also where that is given up.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let (parts, incoming) = sender.send_request(request).await.map_err(|error| failed(&error))?.into_parts();
        let body = Limited::new(incoming, self.limits.bytes).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return OutboundError::TooLarge { host: host_of(url), bytes: self.limits.bytes };
            }
            failed(&error)
        })?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}

fn request(
    method: Method,
    url: &Url,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = Request::builder().method(method).uri(target).body(Full::new(body))?;
    let head = request.headers_mut();
    head.clone_from(headers);
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    head.insert(header::HOST, HeaderValue::from_str(host)?);
    head.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    head.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// Where an answer sends on to; none if it does not.
fn sent_on(from: &Url, answer: &Answer) -> Result<Option<Url>, OutboundError> {
    if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| from.join(location).ok());
    let nowhere = || OutboundError::Answer { host: host_of(from), what: "it sends on to nowhere".to_owned() };
    next.ok_or_else(nowhere).map(Some)
}
