//! The OpenAPI document, made from the handlers and the types. It is checked in at `docs/reference/openapi.json`; a test
//! holds it to the code, and the pages' types are generated from it.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};

use crate::{api, collect, customers, health, jobs, live, manage, models, problem, session};

#[derive(OpenApi)]
#[openapi(
    info(title = "Rapport", description = "A CRM that answers while the customer is still there."),
    paths(
        collect_call, collect_batch,
        customers::list, customers::one, customers::timeline, customers::change, customers::decide, customers::ledger,
        live::stream,
        manage::definitions, manage::put_definitions,
        models::list, models::one, models::artifact, models::onnx, models::report, models::import, models::monitor,
        models::activate, models::rollback, models::challenge, models::end_trial,
        jobs::train, jobs::list, jobs::one, jobs::events, jobs::cancel,
        session::sign_in, session::session, session::sign_out,
        health::about, health::healthz, health::readyz, health::metrics,
    ),
    components(schemas(api::CustomerRow, api::Mistake, problem::Problem, collect::Collected, collect::EventResult)),
    modifiers(&Credentials),
)]
struct Document;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE)));
        components.add_security_scheme("api_key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        components.add_security_scheme("write_key", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
        components.add_security_scheme("session", cookie);
        let of = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        document.security = Some(vec![of("api_key"), of("session")]);
    }
}

/// One event, as in the Segment tracking API. `{call}` is identify, track, page, screen, group or alias.
#[utoipa::path(post, path = "/v1/{call}", tag = "collect", request_body = serde_json::Value, security(("write_key" = [])),
    params(("call" = String, Path, description = "identify, track, page, screen, group or alias")),
    responses((status = 200, body = collect::Collected), (status = 400, body = problem::Problem),
        (status = 401, body = problem::Problem), (status = 413, body = problem::Problem),
        (status = 429, body = problem::Problem), (status = 503, body = problem::Problem)))]
#[allow(dead_code, reason = "only its description is used: one handler serves six routes")]
fn collect_call() {}

/// Up to 2,500 events, as in the Segment tracking API.
#[utoipa::path(post, path = "/v1/batch", tag = "collect", request_body = serde_json::Value, security(("write_key" = [])),
    responses((status = 200, body = collect::Collected), (status = 400, body = problem::Problem),
        (status = 401, body = problem::Problem), (status = 413, body = problem::Problem),
        (status = 429, body = problem::Problem), (status = 503, body = problem::Problem)))]
#[allow(dead_code, reason = "only its description is used: the handler is private to its room")]
fn collect_batch() {}

/// The document as JSON, ending in a line break.
pub fn document() -> String {
    let mut text = Document::openapi().to_pretty_json().expect("the document is JSON");
    text.push('\n');
    text
}
