//! One HTTP connection to the server, kept open and opened again when it broke.
//!
//! HTTP/1.1 without TLS: a replay plays to a server on this machine or behind a tunnel. What may be sent twice is repeated
//! with growing pauses while the server says that it is busy or cannot be reached.

use std::time::{Duration, Instant};

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::error::ReplayError;

/// How long a busy or restarting server is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// The first of the pauses between tries, each twice as long as the one before, where the server names none.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    host: Box<str>,
    pub(super) port: u16,
}

impl Endpoint {
    /// Reads `http://host:port`.
    pub(super) fn parse(url: &str) -> Result<Self, ReplayError> {
        let wrong = || ReplayError::Usage(format!("--url {url} must be like http://127.0.0.1:8321"));
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
        let (host, port) = rest.rsplit_once(':').unwrap_or((rest, "80"));
        let port = port.parse().map_err(|_| wrong())?;
        if host.is_empty() || host.contains(['/', '@']) {
            return Err(wrong());
        }
        Ok(Self { host: host.into(), port })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// Whether it is this machine.
    pub(super) fn is_local(&self) -> bool {
        &*self.host == "localhost" || self.host.starts_with("127.") || &*self.host == "[::1]"
    }

    fn unreachable(&self, why: impl std::fmt::Display) -> ReplayError {
        ReplayError::Unreachable { url: self.url(), why: why.to_string() }
    }
}

/// How a connection says who it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Credential<'a> {
    WriteKey(&'a str),
    ApiKey(&'a str),
}

impl Credential<'_> {
    fn header(self) -> Result<HeaderValue, ReplayError> {
        let text = match self {
            Self::WriteKey(key) => {
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{key}:")))
            }
            Self::ApiKey(key) => format!("Bearer {key}"),
        };
        HeaderValue::from_str(&text).map_err(|_| ReplayError::Key { which: self.which() })
    }

    fn which(self) -> &'static str {
        match self {
            Self::WriteKey(_) => "write",
            Self::ApiKey(_) => "API",
        }
    }
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    retry_after: Option<Duration>,
}

impl Answer {
    /// What the problem document says, or the start of the body.
    pub(super) fn detail(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let told: Vec<&str> = ["title", "field", "detail"].iter().filter_map(|name| problem[*name].as_str()).collect();
        if told.is_empty() { String::from_utf8_lossy(&self.body).chars().take(200).collect() } else { told.join(": ") }
    }
}

/// One connection.
pub(super) struct Client {
    endpoint: Endpoint,
    host: HeaderValue,
    authorization: HeaderValue,
    which: &'static str,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(super) fn new(endpoint: &Endpoint, credential: Credential<'_>) -> Result<Self, ReplayError> {
        let host = HeaderValue::from_str(&format!("{}:{}", endpoint.host, endpoint.port))
            .map_err(|_| ReplayError::Usage(format!("{} is no host", endpoint.host)))?;
        let authorization = credential.header()?;
        Ok(Self { endpoint: endpoint.clone(), host, authorization, which: credential.which(), connection: None })
    }

    async fn connect(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, ReplayError> {
        let mut open = self.connection.take();
        if let Some(connection) = &mut open
            && connection.ready().await.is_err()
        {
            open = None;
        }
        let connection = match open {
            Some(connection) => connection,
            None => {
                let address = (&*self.endpoint.host, self.endpoint.port);
                let stream = TcpStream::connect(address).await.map_err(|error| self.endpoint.unreachable(error))?;
                stream.set_nodelay(true)?;
                let (sender, connection) =
                    handshake(TokioIo::new(stream)).await.map_err(|error| self.endpoint.unreachable(error))?;
                // It ends with the connection; how it ended is told by the request that fails.
                tokio::spawn(connection);
                sender
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// Sends a request once and answers the head of the response.
    pub(super) async fn open(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        last_event_id: Option<&str>,
    ) -> Result<Response<Incoming>, ReplayError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(AUTHORIZATION, &self.authorization);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Full::new(body)).map_err(|error| ReplayError::Usage(format!("{path}: {error}")))?;
        let sent = self.connect().await?.send_request(request).await;
        sent.map_err(|error| {
            self.connection = None;
            self.endpoint.unreachable(error)
        })
    }

    /// Sends a request once and answers the whole response. A wrong key is an error.
    pub(super) async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<Answer, ReplayError> {
        let response = self.open(method, path, body, None).await?;
        let status = response.status().as_u16();
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| {
            self.connection = None;
            self.endpoint.unreachable(error)
        })?;
        if matches!(status, 401 | 403) {
            return Err(ReplayError::Key { which: self.which });
        }
        Ok(Answer { status, body: body.to_bytes(), retry_after: seconds.map(Duration::from_secs) })
    }

    /// Sends a request that may come twice, until it is neither unreachable nor told to come later; `repeated` is called
    /// before each repetition.
    pub(super) async fn persist(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        mut repeated: impl FnMut(),
    ) -> Result<Answer, ReplayError> {
        let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let answer = self.send(method.clone(), path, body.clone()).await;
            let (wait, given_up) = match answer {
                Ok(answer) if !matches!(answer.status, 429 | 503) => return Ok(answer),
                Ok(answer) => {
                    let detail = format!("{}, for {} s", answer.detail(), PATIENCE.as_secs());
                    let refused = ReplayError::Refused { what: path.to_owned(), status: answer.status, detail };
                    (answer.retry_after.unwrap_or(pause), refused)
                }
                Err(error @ ReplayError::Unreachable { .. }) => (pause, error),
                Err(error) => return Err(error),
            };
            if begun.elapsed() + wait > PATIENCE {
                return Err(given_up);
            }
            repeated();
            // As long as the server asked for, or longer each time.
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_mistakes_are_told() {
        let endpoint = Endpoint::parse("http://127.0.0.1:8321/").unwrap();
        assert_eq!((endpoint.url().as_str(), endpoint.port), ("http://127.0.0.1:8321", 8321));
        assert_eq!(Endpoint::parse("http://localhost").unwrap().port, 80);
        for wrong in ["https://a:1", "127.0.0.1:8321", "http://:1", "http://a:b", "http://a/b:1", "http://u@h:1"] {
            let error = Endpoint::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("must be like http://127.0.0.1:8321"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_problem_is_told_with_its_field() {
        let body = br#"{"title":"An event is wrong","field":"batch[3].userId","detail":"it must be a text"}"#;
        let answer = Answer { status: 400, body: Bytes::from_static(body), retry_after: None };
        assert_eq!(answer.detail(), "An event is wrong: batch[3].userId: it must be a text");
        let answer = Answer { status: 502, body: Bytes::from_static(b"Bad gateway"), retry_after: None };
        assert_eq!(answer.detail(), "Bad gateway");
    }
}
