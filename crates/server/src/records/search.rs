//! Search over all objects.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use axum::extract::State;
use rapport_records::Found;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask;
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Params, within},
    problem::Problem,
};

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// Words; the last one may be unfinished, and typing errors are forgiven.
    q: String,
    /// Names of objects, joined by commas; all if it is left out.
    objects: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hits {
    /// The best first.
    hits: Vec<Found>,
}

/// Looks for records of all objects.
#[utoipa::path(get, path = "/api/v1/search", tag = "records", params(SearchParams),
    responses((status = 200, body = Hits), (status = 400, body = Problem), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn search(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<SearchParams>,
) -> Result<Answer<Hits>, Problem> {
    let limit = within(params.limit, 20, 100)? as usize;
    let objects = params.objects.map(|text| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>());
    let hits =
        ask(&app, &operator, move |desk, access| desk.search(access, &params.q, objects.as_deref(), limit)).await?;
    Ok(Answer(Hits { hits }))
}
