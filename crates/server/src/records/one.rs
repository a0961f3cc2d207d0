//! One record: made, read, changed, put into the trash and taken out of it, and its history.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rapport_records::{Change, Edit, Fields, Id, Record};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ask, done, if_match, once};
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Json, Params, Piece, Text, parse, within},
    problem::Problem,
};

/// Values of fields.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldsBody {
    /// By the names of fields; `owner` and `team` are among them. Null takes a value away.
    #[schema(value_type = rapport_records::Values)]
    fields: Fields,
}

/// A record with its version as `ETag`.
pub(super) fn tagged(status: StatusCode, record: Record) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", record.version)).expect("digits are plain");
    (status, [(header::ETAG, tag)], Answer(record)).into_response()
}

fn id_of(text: &str) -> Result<Id, Problem> {
    text.parse().map_err(|_| Problem::not_found("there is no such record"))
}

/// Makes a record.
#[utoipa::path(post, path = "/api/v1/objects/{object}/records", tag = "records", request_body = FieldsBody,
    params(("object" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "a repeat with the same key is answered and not done again")),
    responses((status = 201, body = Record), (status = 204, description = "made; the caller may not read it"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
    headers: HeaderMap,
    Text(text): Text,
) -> Result<Response, Problem> {
    let body: FieldsBody = parse(&text)?;
    let once = once(&headers, &object, &text)?;
    let edit = Edit::Create { fields: body.fields };
    let mut edited =
        ask(&app, &operator, move |desk, access| desk.edit(access, &object, &[edit], once.as_ref())).await?;
    // Somebody may make what they may not read, such as a record of another team.
    match edited.records.pop() {
        Some(record) => Ok(tagged(StatusCode::CREATED, record)),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// One record, also from the trash.
#[utoipa::path(get, path = "/api/v1/objects/{object}/records/{id}", tag = "records", params(("object" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Record), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn read(
    State(app): State<Shared>,
    operator: Operator,
    Piece((object, id)): Piece<(String, String)>,
) -> Result<Response, Problem> {
    let id = id_of(&id)?;
    let record = ask(&app, &operator, move |desk, access| desk.get(access, &object, id)).await?;
    Ok(tagged(StatusCode::OK, record))
}

/// Changes fields of a record.
#[utoipa::path(patch, path = "/api/v1/objects/{object}/records/{id}", tag = "records", request_body = FieldsBody,
    params(("object" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was read; refused if the record has changed since")),
    responses((status = 200, body = Record), (status = 204, description = "changed; it cannot be read any more"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(app): State<Shared>,
    operator: Operator,
    Piece((object, id)): Piece<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<FieldsBody>,
) -> Result<Response, Problem> {
    let edit = Edit::Update { id: id_of(&id)?, fields: body.fields, version: if_match(&headers)? };
    let mut edited = ask(&app, &operator, move |desk, access| desk.edit(access, &object, &[edit], None)).await?;
    match edited.records.pop() {
        Some(record) => Ok(tagged(StatusCode::OK, record)),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// Puts a record into the trash.
#[utoipa::path(delete, path = "/api/v1/objects/{object}/records/{id}", tag = "records",
    params(("object" = String, Path), ("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was read")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    operator: Operator,
    Piece((object, id)): Piece<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let edit = Edit::Delete { id: id_of(&id)?, version: if_match(&headers)? };
    done(&app, &operator, move |desk, access| desk.edit(access, &object, &[edit], None).map(drop)).await
}

/// Takes a record out of the trash.
#[utoipa::path(post, path = "/api/v1/objects/{object}/records/{id}/restore", tag = "records", params(("object" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Record), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn restore(
    State(app): State<Shared>,
    operator: Operator,
    Piece((object, id)): Piece<(String, String)>,
) -> Result<Response, Problem> {
    let id = id_of(&id)?;
    let restore = move |desk: &rapport_records::Desk, access: &rapport_records::Access| {
        desk.edit(access, &object, &[Edit::Restore { id }], None)
    };
    match ask(&app, &operator, restore).await?.records.pop() {
        Some(record) => Ok(tagged(StatusCode::OK, record)),
        None => Err(Problem::not_found("there is no such record")),
    }
}

/// Which part of a history is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// Before this change.
    before: Option<i64>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u64>,
}

/// Changes, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeList {
    /// The changes.
    pub(super) changes: Vec<Change>,
}

/// A record's history: who changed what, when, from where, from what to what.
#[utoipa::path(get, path = "/api/v1/objects/{object}/records/{id}/history", tag = "records",
    params(("object" = String, Path), ("id" = String, Path), HistoryParams),
    responses((status = 200, body = ChangeList), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn history(
    State(app): State<Shared>,
    operator: Operator,
    Piece((object, id)): Piece<(String, String)>,
    Params(params): Params<HistoryParams>,
) -> Result<Answer<ChangeList>, Problem> {
    let id = id_of(&id)?;
    let limit = within(params.limit, 50, 500)?;
    let changes =
        ask(&app, &operator, move |desk, access| desk.history(access, &object, id, params.before, limit)).await?;
    Ok(Answer(ChangeList { changes }))
}
