//! What a caller is told when a request is refused: RFC 9457 problem documents. Every refusal of this server is one,
//! those of the router included.

use std::num::NonZeroU32;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rapport_records::RowError;
use rapport_stream::{LogError, Retry};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::Mistake, ports::Refusal};

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Urn,
    /// What is wrong, in few words; the same for every problem of the kind.
    #[schema(value_type = String)]
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub detail: Option<Box<str>>,
    /// The field of the request that is wrong, such as `batch[3].userId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub field: Option<Box<str>>,
    /// The kind of problem as a word for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// Everything that is wrong with a document.
    #[serde(skip_serializing_if = "<[Mistake]>::is_empty")]
    #[schema(value_type = Vec<Mistake>)]
    pub mistakes: Box<[Mistake]>,
    /// Which records of a bulk request are wrong, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<RowError>>)]
    pub rows: Option<Box<Rows>>,
    /// Where in a condition it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Spot>)]
    pub at: Option<Box<Spot>>,
    #[serde(skip)]
    retry_after_s: Option<NonZeroU32>,
    #[serde(skip)]
    challenge: Challenge,
}

/// Mistakes of records. A problem is a result of most functions here, so what is rare in it is kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rows(Vec<RowError>);

/// A place in a text, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spot {
    /// The line.
    pub line: u32,
    /// The column, in letters.
    pub column: u32,
}

/// `urn:rapport:problem:` and the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Urn(&'static str);

impl Serialize for Urn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("urn:rapport:problem:{}", self.0))
    }
}

/// How to come in, for a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    None,
    Basic,
    Bearer,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            kind: Urn(code),
            title,
            status: status.as_u16(),
            detail: None,
            field: None,
            code,
            mistakes: Box::default(),
            rows: None,
            at: None,
            retry_after_s: None,
            challenge: Challenge::None,
        }
    }

    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub(crate) fn field(mut self, field: impl Into<Box<str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub(crate) fn rows(mut self, rows: Vec<RowError>) -> Self {
        self.rows = Some(Box::new(Rows(rows)));
        self
    }

    #[must_use]
    pub(crate) fn at(mut self, line: u32, column: u32) -> Self {
        self.at = Some(Box::new(Spot { line, column }));
        self
    }

    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(NonZeroU32::new(seconds).unwrap_or(NonZeroU32::MIN));
        self
    }

    /// 400 with the field that is wrong.
    pub(crate) fn invalid(field: impl Into<Box<str>>, detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_field", "A field is wrong").field(field).detail(detail)
    }

    /// 400: the body is not JSON.
    pub(crate) fn not_json(detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_json", "The body is not valid JSON").detail(detail)
    }

    /// 401 for the collect door.
    pub(crate) fn write_key() -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "write_key", "The write key is missing or not known")
            .detail("send the write key as the user name of Basic authentication, or as writeKey in the body");
        problem.challenge = Challenge::Basic;
        problem
    }

    /// 401 for everything else.
    pub(crate) fn unauthorized() -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Sign in or send a valid API key");
        problem.challenge = Challenge::Bearer;
        problem
    }

    pub(crate) fn not_found(detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing").detail(detail)
    }

    pub(crate) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "The path does not take this method")
    }

    pub(crate) fn too_large(detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request is too large").detail(detail)
    }

    pub(crate) fn too_fast(wait_s: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate", "Too many events with this write key")
            .detail("nothing of this request was kept; send it again later")
            .retry_after(wait_s)
    }

    pub(crate) fn unavailable(detail: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not possible at this moment").detail(detail)
    }

    /// 500. What happened goes to the program's log only.
    pub(crate) fn internal(what: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %what, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something is broken on our side")
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(what) => Self::not_found(what),
            Refusal::Conflict(what) => {
                Self::new(StatusCode::CONFLICT, "conflict", "It does not fit what is there").detail(what)
            }
            Refusal::Invalid { field, what } => {
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", "A field is wrong");
                problem.field(field).detail(what)
            }
            Refusal::Mistakes(mistakes) => {
                let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "mistakes", "The document has mistakes");
                problem.field = mistakes.first().map(|mistake| mistake.path.as_str().into());
                problem.detail = mistakes.first().map(|mistake| mistake.what.as_str().into());
                problem.mistakes = mistakes.into();
                problem
            }
            Refusal::Unavailable(what) => Self::unavailable(what).retry_after(5),
            Refusal::Internal(what) => Self::internal(&what),
        }
    }
}

impl From<LogError> for Problem {
    /// Nothing that the log refuses is ever told as accepted, so the caller may always send it again: repeats are dropped.
    fn from(error: LogError) -> Self {
        let problem = match &error {
            LogError::TooLarge { .. } => return Self::too_large(error.to_string()),
            LogError::Full { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "log_full", "The log's queue is full"),
            _ => {
                tracing::error!(error = %error, "an append was not acknowledged");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_durable", "The log cannot keep it at this moment")
            }
        };
        problem.retry_after(if error.retry() == Retry::Later { 1 } else { 30 })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("made from a status");
        let body = serde_json::to_vec(&self).expect("a problem is JSON");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.get().into());
        }
        let challenge = match self.challenge {
            Challenge::None => None,
            Challenge::Basic => Some("Basic realm=\"rapport\""),
            Challenge::Bearer => Some("Bearer realm=\"rapport\""),
        };
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
