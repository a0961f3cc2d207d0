//! Facts for monitors and operators. They name no customer and hold no secret, so they are open.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    Shared,
    api::{About, Health},
    exchange::Answer,
    problem::Problem,
};

/// The facts, the log's own included.
fn facts(app: &Shared) -> Health {
    let mut health = app.state.health.health();
    if let Err(error) = app.state.log.healthy() {
        health.reasons.insert(0, error.to_string());
    }
    health
}

/// Facts; 200 as long as the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn healthz(State(app): State<Shared>) -> Answer<Health> {
    Answer(facts(&app))
}

/// Whether the installation does its work, with the reasons why not.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(crate) async fn readyz(State(app): State<Shared>) -> Response {
    let health = facts(&app);
    let status = if health.reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Answer(health)).into_response()
}

/// Numbers for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()),
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(app): State<Shared>) -> Result<Response, Problem> {
    let text = app.metrics.render(&app.state.health.health(), &app.state.hub, &*app.state.log);
    let text = text.map_err(|error| Problem::internal(&error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// About this installation.
#[utoipa::path(get, path = "/v1/about", tag = "operation",
    responses((status = 200, body = About), (status = 401, body = Problem)))]
pub(crate) async fn about(State(app): State<Shared>, _operator: crate::auth::Operator) -> Answer<About> {
    Answer(app.state.about.clone())
}
