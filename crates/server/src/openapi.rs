//! The OpenAPI document, made from the handlers and the types. It is checked in at `docs/reference/openapi.json`; a test
//! holds it to the code, and the pages' types are generated from it. A server serves it with the objects of its installation:
//! see `served`.

mod answers;
mod flat;
pub(crate) mod served;

use utoipa::{
    Modify, OpenApi,
    openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type},
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};

use self::{answers::Answers, flat::Flat};
use crate::{api, collect, customers, health, jobs, live, manage, models, people, problem, records, session};

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
        records::objects::list, records::objects::one, records::objects::put, served::document,
        records::many::list, records::many::bulk, records::many::aggregate, records::many::board,
        records::one::create, records::one::read, records::one::change, records::one::remove, records::one::restore, records::one::history,
        records::views::list, records::views::create, records::views::change, records::views::remove,
        records::duplicates::similar, records::duplicates::list, records::duplicates::dismiss, records::duplicates::reopen,
        records::duplicates::merge,
        records::duplicates::conversion, records::duplicates::convert,
        records::files::upload, records::files::list, records::files::one, records::files::map, records::files::check, records::files::start,
        records::files::cancel, records::files::errors, records::files::export,
        records::contents::upload, records::contents::replace, records::contents::content, records::many::empty_trash, records::workspace::export,
        records::search::search, records::changes::stream,
        records::batches::audit, records::batches::list, records::batches::undo,
        records::demo::one, records::demo::remove,
        people::sign_in::sign_in, people::sign_in::accept, people::sign_in::reset,
        people::sign_on::providers, people::sign_on::leave, people::sign_on::back, people::sign_on::list, people::sign_on::remove,
        people::account::me, people::account::change, people::account::password, people::account::begin, people::account::activate,
        people::account::remove, people::account::sessions, people::account::end, people::account::end_others,
        people::admin::colleagues, people::admin::users, people::admin::change_user, people::admin::password_link, people::admin::clear_second_factor,
        people::admin::roles, people::admin::add_role, people::admin::change_role, people::admin::delete_role,
        people::admin::teams, people::admin::add_team, people::admin::rename_team, people::admin::delete_team,
        people::keys::links, people::keys::invite, people::keys::revoke_link, people::keys::list, people::keys::add, people::keys::revoke,
        session::sign_in, session::session, session::sign_out,
        health::about, health::healthz, health::readyz, health::metrics,
    ),
    components(schemas(api::CustomerRow, api::Mistake, problem::Problem, collect::Collected, collect::EventResult)),
    modifiers(&Credentials, &OperationIds, &Answers, &Flat),
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

/// Names each operation by its method and path, such as `get_customers_id`: clients are generated with these names, and the
/// handlers' own are the same in more than one room.
struct OperationIds;

impl Modify for OperationIds {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let methods = [
                ("get", &mut item.get),
                ("put", &mut item.put),
                ("post", &mut item.post),
                ("delete", &mut item.delete),
                ("patch", &mut item.patch),
            ];
            for (method, operation) in methods {
                let Some(operation) = operation else { continue };
                let parts = path
                    .trim_start_matches("/api")
                    .trim_start_matches("/v1/")
                    .split('/')
                    .map(|part| part.trim_matches(['{', '}']));
                let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
                operation.operation_id = Some(format!("{method}_{}", parts.join("_")));
            }
        }
    }
}

/// A feature's window as it reads in JSON; the type itself belongs to a crate that knows no OpenAPI.
pub(crate) fn window() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let spanning = |kind: &str| ObjectBuilder::new().property(kind, Schema::from(text())).required(kind);
    // The comment on the field does not reach a schema made by hand.
    OneOfBuilder::new()
        .description(Some("Which events count: the span of a sliding window, or the gap that ends a session."))
        .item(Schema::from(text().enum_values(Some(["lifetime"]))))
        .item(Schema::from(spanning("sliding")))
        .item(Schema::from(spanning("session")))
        .into()
}

/// What is no text: bytes as they are.
pub(crate) struct Binary;

impl utoipa::ToSchema for Binary {}

impl utoipa::PartialSchema for Binary {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        let bytes = ObjectBuilder::new().schema_type(Type::String);
        Schema::from(bytes.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))).into()
    }
}

/// One event, as in the Segment tracking API, with the write key in the header or as `writeKey` in the body. `{call}` is identify, track, page, screen, group or alias.
#[utoipa::path(post, path = "/v1/{call}", tag = "collect", request_body = serde_json::Value, security((), ("write_key" = [])),
    params(("call" = String, Path, description = "identify, track, page, screen, group or alias")),
    responses((status = 200, body = collect::Collected), (status = 400, body = problem::Problem),
        (status = 401, body = problem::Problem), (status = 413, body = problem::Problem),
        (status = 429, body = problem::Problem), (status = 503, body = problem::Problem)))]
#[allow(dead_code, reason = "only its description is used: one handler serves six routes")]
fn collect_call() {}

/// Up to 2,500 events, as in the Segment tracking API, with the write key in the header or as `writeKey` in the body.
#[utoipa::path(post, path = "/v1/batch", tag = "collect", request_body = serde_json::Value, security((), ("write_key" = [])),
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
