//! Records that seem to be one: found, dismissed, merged; and leads that become customers.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use axum::{extract::State, http::StatusCode};
use rapport_records::{Conversion, Converted, Fields, Id, Merged, Pair, Proposal, Similar};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ask, done};
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Json, Params, Piece, within},
    problem::Problem,
};

/// Fields as they are being typed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimilarBody {
    /// By name.
    #[schema(value_type = rapport_records::Values)]
    fields: Fields,
    /// The record that they are of, which is not like itself.
    #[serde(default)]
    except: Option<Id>,
}

/// Records that may be the same.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarList {
    /// The most alike first.
    records: Vec<Similar>,
}

/// Records that may be the one that is being typed.
#[utoipa::path(post, path = "/api/v1/objects/{object}/similar", tag = "duplicates", params(("object" = String, Path)), request_body = SimilarBody,
    responses((status = 200, body = SimilarList), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn similar(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
    Json(body): Json<SimilarBody>,
) -> Result<Answer<SimilarList>, Problem> {
    let found = move |desk: &rapport_records::Desk, access: &rapport_records::Access| {
        desk.similar(access, &object, &body.fields, body.except)
    };
    Ok(Answer(SimilarList { records: ask(&app, &operator, found).await? }))
}

/// Which pairs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PairParams {
    /// The object.
    object: String,
    /// At most so many.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
}

/// Pairs that wait for somebody to look at them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PairList {
    /// The most alike first.
    pairs: Vec<Pair>,
}

/// Pairs of records that seem to be one.
#[utoipa::path(get, path = "/api/v1/duplicates", tag = "duplicates", params(PairParams),
    responses((status = 200, body = PairList), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<PairParams>,
) -> Result<Answer<PairList>, Problem> {
    let limit = within(params.limit, 20, 100)? as usize;
    let pairs = ask(&app, &operator, move |desk, access| desk.duplicates(access, &params.object, limit)).await?;
    Ok(Answer(PairList { pairs }))
}

/// Says that a pair is two.
#[utoipa::path(post, path = "/api/v1/duplicates/{id}/dismiss", tag = "duplicates", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn dismiss(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.dismiss_duplicate(access, id)).await
}

/// Says that a pair that was said to be two is to be looked at again.
#[utoipa::path(post, path = "/api/v1/duplicates/{id}/reopen", tag = "duplicates", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn reopen(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.reopen_duplicate(access, id)).await
}

/// What is merged into a record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeBody {
    /// The record that goes to the trash.
    other: Id,
    /// Values that the record shall have, whatever either has.
    #[serde(default)]
    #[schema(value_type = rapport_records::Values)]
    fields: Fields,
}

/// Merges another record into this one. Everything that names the other names this one afterwards; its batch can be undone.
/// Where both are customers, their profiles are seen as one, until the batch is undone or the other contact comes back.
#[utoipa::path(post, path = "/api/v1/objects/{object}/records/{id}/merge", tag = "duplicates", params(("object" = String, Path), ("id" = String, Path)), request_body = MergeBody,
    responses((status = 200, body = Merged), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn merge(
    State(app): State<Shared>,
    operator: Operator,
    Piece((object, id)): Piece<(String, Id)>,
    Json(body): Json<MergeBody>,
) -> Result<Answer<Merged>, Problem> {
    let merged = move |desk: &rapport_records::Desk, access: &rapport_records::Access| {
        desk.merge(access, &object, id, body.other, &body.fields)
    };
    ask(&app, &operator, merged).await.map(Answer)
}

/// What a lead would become: contacts and companies that are there already.
#[utoipa::path(get, path = "/api/v1/objects/lead/records/{id}/convert", tag = "duplicates", params(("id" = String, Path)),
    responses((status = 200, body = Proposal), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn conversion(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Answer<Proposal>, Problem> {
    ask(&app, &operator, move |desk, access| desk.conversion(access, id)).await.map(Answer)
}

/// Makes a contact, a company and a deal of a lead.
#[utoipa::path(post, path = "/api/v1/objects/lead/records/{id}/convert", tag = "duplicates", params(("id" = String, Path)), request_body = Conversion,
    responses((status = 200, body = Converted), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn convert(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    Json(conversion): Json<Conversion>,
) -> Result<Answer<Converted>, Problem> {
    ask(&app, &operator, move |desk, access| desk.convert(access, id, &conversion)).await.map(Answer)
}
