//! Definitions.

use axum::{extract::State, response::Response};
use rapport_types::{Object, Value};

use crate::{
    Shared,
    api::DefinitionsAccepted,
    auth::Operator,
    exchange::{Answer, Text, blocking, on_its_way},
    problem::Problem,
};

/// The definitions in force: the document, with its `version`.
#[utoipa::path(get, path = "/v1/definitions", tag = "definitions",
    responses((status = 200, body = serde_json::Value), (status = 401, body = Problem)))]
pub(crate) async fn definitions(State(app): State<Shared>, _operator: Operator) -> Result<Answer<Object>, Problem> {
    let (version, document) = app.state.definitions.get();
    let document = if document.is_empty() { "{}" } else { &document };
    let fields: Object = serde_json::from_str(document).map_err(|error| Problem::internal(&error))?;
    let version = (Box::from("version"), Value::Int(version.into()));
    Ok(Answer(std::iter::once(version).chain(fields.0).collect()))
}

/// Puts definitions into force. With `version` in the document, only if that is the version in force.
#[utoipa::path(put, path = "/v1/definitions", tag = "definitions", request_body = serde_json::Value,
    responses((status = 202, body = DefinitionsAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn put_definitions(
    State(app): State<Shared>,
    operator: Operator,
    Text(document): Text,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    let (expected, document) = split_version(&document)?;
    let version = blocking(move || app.state.definitions.put(&document, expected)).await??;
    Ok(on_its_way(DefinitionsAccepted { version }))
}

/// The version that the sender read, and the document without it.
fn split_version(document: &str) -> Result<(Option<u32>, String), Problem> {
    // Numbers of definitions are far from the ends of their ranges, so that a round trip through values keeps them.
    let mut fields: Object = match serde_json::from_str(document) {
        Ok(fields) => fields,
        Err(error) => return Err(Problem::not_json(error.to_string())),
    };
    let expected = match fields.get("version") {
        None => None,
        Some(Value::Int(version)) => {
            Some(u32::try_from(*version).map_err(|_| Problem::invalid("version", "it must be a version"))?)
        }
        Some(_) => return Err(Problem::invalid("version", "it must be a whole number")),
    };
    fields.0.retain(|(name, _)| &**name != "version");
    let document = serde_json::to_string(&fields).map_err(|error| Problem::internal(&error))?;
    Ok((expected, document))
}
