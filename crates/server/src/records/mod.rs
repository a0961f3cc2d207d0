//! The CRM's API: objects, records, their history, search and live changes.
//!
//! It is a thin door: what somebody may see or do is decided by `rapport-records`, which answers nothing without the
//! [`rapport_records::Access`] that the credential made.

pub(crate) mod batches;
mod carry;
pub(crate) mod changes;
pub(crate) mod contents;
pub(crate) mod demo;
pub(crate) mod duplicates;
pub(crate) mod files;
pub(crate) mod many;
pub(crate) mod objects;
pub(crate) mod one;
pub(crate) mod search;
pub(crate) mod views;
pub(crate) mod workspace;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    routing::{delete, get, patch, post, put},
};
use rapport_records::{Access, Desk, Once, RecordsError};

pub(crate) use self::carry::AT_ONCE;
use crate::{Shared, auth::Operator, exchange::blocking, openapi::served, problem::Problem};

/// The routes of the CRM.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/openapi.json", get(served::document))
        .route("/api/v1/objects", get(objects::list))
        .route("/api/v1/objects/{object}", get(objects::one).put(objects::put))
        .route("/api/v1/objects/{object}/records", get(many::list).post(one::create))
        .route("/api/v1/objects/{object}/records/{id}", get(one::read).patch(one::change).delete(one::remove))
        .route("/api/v1/objects/{object}/records/{id}/restore", post(one::restore))
        .route("/api/v1/objects/{object}/records/{id}/history", get(one::history))
        .route("/api/v1/objects/{object}/bulk", post(many::bulk))
        .route("/api/v1/objects/{object}/aggregate", get(many::aggregate))
        .route("/api/v1/objects/{object}/board", get(many::board))
        .route("/api/v1/objects/{object}/similar", post(duplicates::similar))
        .route("/api/v1/objects/{object}/export", get(files::export))
        .route("/api/v1/objects/{object}/records/{id}/merge", post(duplicates::merge))
        .route("/api/v1/objects/lead/records/{id}/convert", get(duplicates::conversion).post(duplicates::convert))
        .route("/api/v1/duplicates", get(duplicates::list))
        .route("/api/v1/duplicates/{id}/dismiss", post(duplicates::dismiss))
        .route("/api/v1/duplicates/{id}/reopen", post(duplicates::reopen))
        .route("/api/v1/views", get(views::list).post(views::create))
        .route("/api/v1/views/{id}", patch(views::change).delete(views::remove))
        .route("/api/v1/imports", get(files::list).post(files::upload))
        .route("/api/v1/imports/{id}", get(files::one))
        .route("/api/v1/imports/{id}/mapping", put(files::map))
        .route("/api/v1/imports/{id}/check", post(files::check))
        .route("/api/v1/imports/{id}/start", post(files::start))
        .route("/api/v1/imports/{id}/cancel", post(files::cancel))
        .route("/api/v1/imports/{id}/errors", get(files::errors))
        .route("/api/v1/files", post(contents::upload))
        .route("/api/v1/files/{id}/content", get(contents::content).put(contents::replace))
        .route("/api/v1/objects/{object}/trash", delete(many::empty_trash))
        .route("/api/v1/workspace", get(workspace::export))
        .route("/api/v1/search", get(search::search))
        .route("/api/v1/changes", get(changes::stream))
        .route("/api/v1/audit", get(batches::audit))
        .route("/api/v1/batches", get(batches::list))
        .route("/api/v1/batches/{id}/undo", post(batches::undo))
        .route("/api/v1/demo", get(demo::one).delete(demo::remove))
}

/// Asks the desk on a thread for blocking work.
pub(crate) async fn ask<T: Send + 'static>(
    app: &Shared,
    operator: &Operator,
    question: impl FnOnce(&Desk, &Access) -> Result<T, RecordsError> + Send + 'static,
) -> Result<T, Problem> {
    let (desk, access) = (Arc::clone(&app.state.records), operator.access.clone());
    Ok(blocking(move || question(&desk, &access)).await??)
}

/// The same for what has no answer but that it is done.
pub(crate) async fn done(
    app: &Shared,
    operator: &Operator,
    work: impl FnOnce(&Desk, &Access) -> Result<(), RecordsError> + Send + 'static,
) -> Result<StatusCode, Problem> {
    ask(app, operator, work).await.map(|()| StatusCode::NO_CONTENT)
}

impl From<RecordsError> for Problem {
    fn from(error: RecordsError) -> Self {
        let told = error.to_string();
        let wrong = |code, title| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title);
        match error {
            RecordsError::NotFound(what) => Self::not_found(what),
            RecordsError::Forbidden(what) => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not let you do this").detail(what)
            }
            RecordsError::Invalid { field, what } => {
                wrong("invalid_field", "A field is wrong").field(field).detail(what)
            }
            RecordsError::Rows(rows) => {
                wrong("rows", "Some of the records are wrong; nothing was changed").detail(told).rows(rows)
            }
            RecordsError::Condition(error) => {
                let problem = wrong("condition", "The condition is wrong").field("filter").detail(told);
                match error.position() {
                    Some(at) => problem.at(at.line, at.column),
                    None => problem,
                }
            }
            RecordsError::Stale { .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "stale", "The record has changed since you read it")
                    .detail(told)
            }
            RecordsError::Conflict(what) => {
                Self::new(StatusCode::CONFLICT, "conflict", "It does not fit what is there").detail(what)
            }
            RecordsError::Taken { field } => {
                Self::new(StatusCode::CONFLICT, "taken", "Another record has this value").field(field).detail(told)
            }
            RecordsError::Limit(what) => Self::too_large(what),
            RecordsError::Unavailable(what) => Self::unavailable(what).retry_after(1),
            _ => Self::internal(&told),
        }
    }
}

/// The version of `If-Match: "3"`; none if the header is not there.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.trim_start_matches("W/").trim_matches('"').parse();
    number.map(Some).map_err(|_| Problem::invalid("If-Match", "it must be the record's ETag, such as \"3\""))
}

/// The key of `Idempotency-Key` with a hash of what was asked; none if the header is not there.
pub(crate) fn once(headers: &HeaderMap, route: &str, body: &str) -> Result<Option<Once>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().map_err(|_| Problem::invalid("Idempotency-Key", "it must be plain text"))?;
    Ok(Some(Once::of(key, &[route, body])))
}
