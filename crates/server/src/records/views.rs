//! Saved views of lists and boards.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rapport_records::{Id, NewView, View, ViewChange};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ask, done};
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Json, Params, Piece},
    problem::Problem,
};

/// Which views are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ViewParams {
    /// Of one object.
    object: Option<String>,
}

/// Views.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ViewList {
    /// In their order.
    views: Vec<View>,
}

/// The caller's own views, those of their teams, and those for all.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", params(ViewParams),
    responses((status = 200, body = ViewList), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<ViewParams>,
) -> Result<Answer<ViewList>, Problem> {
    let views = ask(&app, &operator, move |desk, access| desk.views(access, params.object.as_deref())).await?;
    Ok(Answer(ViewList { views }))
}

/// Saves a view.
#[utoipa::path(post, path = "/api/v1/views", tag = "views", request_body = NewView,
    responses((status = 201, body = View), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(app): State<Shared>,
    operator: Operator,
    Json(wanted): Json<NewView>,
) -> Result<Response, Problem> {
    let view = ask(&app, &operator, move |desk, access| desk.create_view(access, &wanted)).await?;
    Ok((StatusCode::CREATED, Answer(view)).into_response())
}

/// Changes a view.
#[utoipa::path(patch, path = "/api/v1/views/{id}", tag = "views", params(("id" = String, Path)), request_body = ViewChange,
    responses((status = 200, body = View), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    Json(change): Json<ViewChange>,
) -> Result<Answer<View>, Problem> {
    ask(&app, &operator, move |desk, access| desk.change_view(access, id, &change)).await.map(Answer)
}

/// Takes a view away.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.delete_view(access, id)).await
}
