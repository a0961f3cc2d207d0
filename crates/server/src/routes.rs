//! All routes, and what every answer carries: headers against misuse by browsers, and a line in the access log.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderValue, header},
    middleware::{Next, from_fn},
    response::Response,
    routing::{delete, get, patch, post},
};
use tokio::sync::Semaphore;

use crate::{
    App, Shared, State, auth::Doors, collect, customers, health, jobs, live, manage, metrics::Metrics, models, pages,
    people, problem::Problem, records, session,
};

/// The whole HTTP side.
pub fn router(state: State) -> Router {
    let metrics = Metrics::new(state.hub.pace());
    records::files::resume(&state.records);
    records::demo::resume(&state.records);
    let record_bell = records::changes::bell(&state.records);
    let app: Shared = Arc::new(App {
        state,
        metrics,
        doors: Doors::default(),
        record_bell,
        files_on_their_way: Arc::new(Semaphore::new(records::AT_ONCE)),
        workspace_turn: Arc::new(Semaphore::new(1)),
    });
    let other = Router::new()
        .route("/v1/customers", get(customers::list))
        .route("/v1/customers/{id}", get(customers::one).merge(patch(customers::change)))
        .route("/v1/customers/{id}/timeline", get(customers::timeline))
        .route("/v1/decide", post(customers::decide))
        .route("/v1/ledger", get(customers::ledger))
        .route("/v1/stream", get(live::stream))
        .route("/v1/definitions", get(manage::definitions).put(manage::put_definitions))
        .merge(model_routes())
        .merge(records::routes())
        .merge(people::routes())
        .route("/v1/session", get(session::session).post(session::sign_in).delete(session::sign_out))
        .route("/v1/about", get(health::about))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(pages::fallback)
        .method_not_allowed_fallback(|| async { Problem::method() })
        .layer(from_fn(around));
    // The door has its own short way: its answers are read by programs and its requests are counted, not listed.
    let door = collect::routes().method_not_allowed_fallback(|| async { Problem::method() });
    other.merge(door).with_state(app)
}

fn model_routes() -> Router<Shared> {
    Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/models/train", post(jobs::train))
        .route("/v1/models/jobs", get(jobs::list))
        .route("/v1/models/jobs/{id}", get(jobs::one).delete(jobs::cancel))
        .route("/v1/models/jobs/{id}/events", get(jobs::events))
        .route("/v1/models/{score}/import", post(models::import))
        .route("/v1/models/{score}/monitor", get(models::monitor))
        .route("/v1/models/{score}/rollback", post(models::rollback))
        .route("/v1/models/{score}/challenger", delete(models::end_trial))
        .route("/v1/models/{score}/{version}", get(models::one))
        .route("/v1/models/{score}/{version}/artifact", get(models::artifact))
        .route("/v1/models/{score}/{version}/onnx", get(models::onnx))
        .route("/v1/models/{score}/{version}/report", get(models::report))
        .route("/v1/models/{score}/{version}/activate", post(models::activate))
        .route("/v1/models/{score}/{version}/challenge", post(models::challenge))
}

/// Around every request but those of the door. Paths are logged as patterns: a path may name a person, a query a token.
async fn around(request: Request, next: Next) -> Response {
    let from = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    protect(&mut response);
    tracing::info!(
        target: "rapport::access",
        method = %method,
        route = route.as_ref().map_or("pages", MatchedPath::as_str),
        status = response.status().as_u16(),
        ms = from.elapsed().as_secs_f64() * 1_000.0,
    );
    response
}

fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    let mut set = |name, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    // The address of the sign-in page holds a token.
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set(header::CACHE_CONTROL, "no-store");
    set(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
}
