//! The audit of all records, and what can be taken back.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use axum::extract::State;
use rapport_records::{AuditQuery, Batch, Id, Undone};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ask, one::ChangeList};
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Params, Piece, within},
    problem::Problem,
};

/// Which changes are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// By whom, such as `user:<id>`.
    actor: Option<String>,
    /// Of which object.
    object: Option<String>,
    /// Done together.
    #[param(value_type = Option<String>)]
    batch: Option<Id>,
    /// Before this change.
    before: Option<i64>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u64>,
}

/// Changes of all records, people and roles, the newest first. For administrators.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditParams),
    responses((status = 200, body = ChangeList), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn audit(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<AuditParams>,
) -> Result<Answer<ChangeList>, Problem> {
    let AuditParams { actor, object, batch, before, limit } = params;
    let query = AuditQuery { actor, object, batch, before, limit: within(limit, 50, 500)? };
    let changes = ask(&app, &operator, move |desk, access| desk.audit(access, &query)).await?;
    Ok(Answer(ChangeList { changes }))
}

/// Changes made together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchList {
    /// The newest first.
    batches: Vec<Batch>,
}

/// What was done at once and can be taken back: the caller's own, or all for administrators.
#[utoipa::path(get, path = "/api/v1/batches", tag = "audit",
    responses((status = 200, body = BatchList), (status = 401, body = Problem)))]
pub(crate) async fn list(State(app): State<Shared>, operator: Operator) -> Result<Answer<BatchList>, Problem> {
    let batches = ask(&app, &operator, |desk, access| desk.batches(access, 100)).await?;
    Ok(Answer(BatchList { batches }))
}

/// Takes a batch back. Records that were changed since stay as they are, and are told.
#[utoipa::path(post, path = "/api/v1/batches/{id}/undo", tag = "audit", params(("id" = String, Path)),
    responses((status = 200, body = Undone), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn undo(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Answer<Undone>, Problem> {
    ask(&app, &operator, move |desk, access| desk.undo(access, id)).await.map(Answer)
}
