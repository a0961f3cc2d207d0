//! The refusals that an operation has because of what it takes: every one is a problem document, and each handler names only
//! those that are its own.

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

/// What a body can be refused for before anybody looks at what it says.
const OF_A_BODY: [(&str, &str); 4] = [
    ("400", "the body or a parameter cannot be read"),
    ("408", "the body took too long to come"),
    ("413", "the body is larger than it may be"),
    ("415", "the body's encoding is not known"),
];
const OF_A_PARAMETER: (&str, &str) = ("400", "a parameter cannot be read");
const OF_A_PATH: (&str, &str) = ("404", "there is no such thing, or the caller does not see it");
const OF_A_CREDENTIAL: [(&str, &str); 2] =
    [("401", "there is no valid credential"), ("403", "the caller's role does not let them, or a header is missing")];
/// Records are asked of a database, which may be busy.
const OF_RECORDS: (&str, &str) = ("503", "not possible at this moment; the same request can succeed later");

/// Adds the refusals of all operations, and says of each that it is a problem document.
pub(super) struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                complete(path, operation);
                operation.responses.responses.values_mut().for_each(as_problem);
            }
        }
    }
}

/// The operations of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
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
    for (status, description) in more {
        let responses = &mut operation.responses.responses;
        let response = responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(refusal(description)));
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            description.clone_into(&mut response.description);
        }
    }
}

fn problem() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build()
}

fn refusal(description: &str) -> Response {
    ResponseBuilder::new().description(description).content(PROBLEM, problem()).build()
}

/// The media type of a problem, where a handler names it as JSON.
fn as_problem(response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else { return };
    let is_problem = |content: &RefOr<Content>| {
        let RefOr::T(content) = content else { return false };
        matches!(&content.schema, Some(RefOr::<Schema>::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
    };
    if response.content.get(JSON).is_some_and(is_problem) {
        response.content.clear();
        response.content.insert(PROBLEM.to_owned(), RefOr::T(problem()));
    }
}
