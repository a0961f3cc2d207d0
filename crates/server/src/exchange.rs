//! Reading requests and writing answers of the API, with refusals as problems.

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Shared, collect::body, problem::Problem};

/// The largest body of the API, definitions aside; they are documents of a few hundred KiB at most.
const BODY_BYTES: usize = 1024 * 1024;
/// The largest body of a bulk request: 10,000 records of about 1.6 KB.
const LONG_BYTES: usize = 16 * 1024 * 1024;

/// An answer in JSON.
pub(crate) struct Answer<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
            Err(error) => Problem::internal(&error).into_response(),
        }
    }
}

/// An answer that says that the work is on its way.
pub(crate) fn on_its_way<T: Serialize>(value: T) -> Response {
    (StatusCode::ACCEPTED, Answer(value)).into_response()
}

/// Parameters of the query.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(error) => {
                let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid_query", "The query is wrong");
                Err(problem.detail(std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string)))
            }
        }
    }
}

/// A percent-decoded piece of the path.
pub(crate) struct Piece<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Piece<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Path(piece)) => Ok(Self(piece)),
            Err(_) => Err(Problem::not_found("the path does not name anything")),
        }
    }
}

/// A body in JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let Text(text) = Text::from_request(request, app).await?;
        parse(&text).map(Self)
    }
}

/// Reads JSON.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_field", "A field is wrong").detail(error.to_string())
        }
        _ => Problem::not_json(error.to_string()),
    })
}

/// A body of text, as long as a bulk request may be.
pub(crate) struct LongText(pub(crate) String);

impl FromRequest<Shared> for LongText {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        read_text(request, app, LONG_BYTES).await.map(Self)
    }
}

async fn read_text(request: Request, app: &Shared, limit: usize) -> Result<String, Problem> {
    let (parts, content): (Parts, Body) = request.into_parts();
    let bytes = body::read(&parts.headers, content, limit, app.state.patience.body).await?;
    body::text(&bytes).map(str::to_owned)
}

/// A body of text.
pub(crate) struct Text(pub(crate) String);

impl FromRequest<Shared> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        read_text(request, app, BODY_BYTES).await.map(Self)
    }
}

/// How many are wanted: `usual` if nothing is said, at most `most`.
pub(crate) fn within(wanted: Option<u64>, usual: u64, most: u64) -> Result<u64, Problem> {
    let wanted = wanted.unwrap_or(usual);
    if (1..=most).contains(&wanted) {
        Ok(wanted)
    } else {
        Err(Problem::invalid("limit", format!("it must be 1 to {most}")))
    }
}

/// Runs what may touch the disk on a thread for blocking work.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}
