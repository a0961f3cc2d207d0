//! What every operation answers because of what it takes: each handler names only what is its own.
//!
//! A refusal is a problem document, whatever operation it is of, and every answer says what it means.

use axum::http::StatusCode;
use utoipa::{
    Modify,
    openapi::{
        OpenApi, Ref, RefOr, Response,
        content::{Content, ContentBuilder},
        path::{Operation, Parameter, ParameterIn, PathItem},
        response::ResponseBuilder,
        schema::Schema,
        security::SecurityRequirement,
    },
};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// What a status means where its handler does not say more.
const MEANINGS: [(&str, &str); 16] = [
    ("200", "What was asked for."),
    ("201", "It was made."),
    ("202", "It is on its way."),
    ("204", "It was done."),
    ("400", "The body or a parameter cannot be read."),
    ("401", "There is no valid credential."),
    ("403", "The caller's role does not let them, or a header is missing."),
    ("404", "There is no such thing, or the caller does not see it."),
    ("408", "The body took too long to come."),
    ("409", "It does not fit what is there."),
    ("412", "It has changed since the caller read it."),
    ("413", "The request is larger than it may be."),
    ("415", "The body's encoding is not known."),
    ("422", "What the request says is wrong."),
    ("429", "Too many requests; Retry-After says when to come again."),
    ("503", "Not possible at this moment; the same request can succeed later."),
];
/// What a body can be refused for before anybody looks at what it says.
const OF_A_BODY: [&str; 4] = ["400", "408", "413", "415"];
const OF_A_PARAMETER: &str = "400";
const OF_A_PATH: &str = "404";
const OF_A_CREDENTIAL: [&str; 2] = ["401", "403"];
/// Records are asked of a database, which may be busy.
const OF_RECORDS: &str = "503";

/// Adds what all operations answer.
pub(super) struct Answers;

impl Modify for Answers {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                complete(path, operation);
                for (status, response) in &mut operation.responses.responses {
                    describe(status, response);
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn complete(path: &str, operation: &mut Operation) {
    let open = SecurityRequirement::default();
    let is_secured = !operation.security.as_ref().is_some_and(|ways| ways.contains(&open));
    let takes = |place: ParameterIn| {
        let stands =
            |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place);
        operation.parameters.as_ref().is_some_and(|all| all.iter().any(stands))
    };
    let mut more = Vec::new();
    if operation.request_body.is_some() {
        more.extend(OF_A_BODY);
    }
    if takes(ParameterIn::Query) || takes(ParameterIn::Header) {
        more.push(OF_A_PARAMETER);
    }
    if takes(ParameterIn::Path) {
        more.push(OF_A_PATH);
    }
    if is_secured {
        more.extend(OF_A_CREDENTIAL);
    }
    if path.starts_with("/api/v1/") {
        more.push(OF_RECORDS);
    }
    for status in more {
        let refusal = || RefOr::T(ResponseBuilder::new().content(PROBLEM, problem()).build());
        operation.responses.responses.entry(status.to_owned()).or_insert_with(refusal);
    }
}

fn problem() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build()
}

/// Says what an answer means, and gives a problem its media type.
fn describe(status: &str, response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else { return };
    if response.description.is_empty() {
        let meaning = MEANINGS.iter().find(|(known, _)| *known == status).map(|(_, meaning)| *meaning);
        let phrase = || StatusCode::from_bytes(status.as_bytes()).ok().and_then(|status| status.canonical_reason());
        meaning.or_else(phrase).unwrap_or(status).clone_into(&mut response.description);
    }
    let is_problem = |content: &RefOr<Content>| {
        let RefOr::T(content) = content else { return false };
        matches!(&content.schema, Some(RefOr::<Schema>::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
    };
    if response.content.get(JSON).is_some_and(is_problem) {
        response.content.clear();
        response.content.insert(PROBLEM.to_owned(), RefOr::T(problem()));
    }
}
