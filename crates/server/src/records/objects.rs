//! Objects: what kinds of records there are.

use axum::extract::State;
use rapport_records::{
    Verb,
    schema::{Field, Label, Object},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Json, Piece},
    problem::Problem,
};

/// All objects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectList {
    /// By name.
    objects: Vec<SeenObject>,
}

/// An object as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeenObject {
    /// Its name in the API.
    name: String,
    /// What one record is called.
    label: Label,
    /// What many are called.
    plural: Label,
    /// The field that tells a record apart for people.
    title: String,
    /// Whether the organisation made it.
    custom: bool,
    /// The fields that the caller sees.
    fields: Vec<SeenField>,
    /// What the caller may do with its records, at least with some.
    may: May,
}

/// A field as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeenField {
    #[serde(flatten)]
    field: Field,
    /// Whether the caller may change it.
    writable: bool,
}

/// What somebody may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct May {
    create: bool,
    update: bool,
    delete: bool,
}

fn seen(object: &Object, operator: &Operator) -> Option<SeenObject> {
    let access = &operator.access;
    access.may(Verb::Read, &object.name).then(|| SeenObject {
        name: object.name.clone(),
        label: object.label.clone(),
        plural: object.plural.clone(),
        title: object.title.clone(),
        custom: object.custom,
        fields: object
            .fields
            .iter()
            .filter(|field| access.may_see(&object.name, &field.name) && (!field.retired || access.is_administrator()))
            .map(|field| SeenField { field: field.clone(), writable: access.may_set(&object.name, &field.name) })
            .collect(),
        may: May {
            create: access.may(Verb::Create, &object.name),
            update: access.may(Verb::Update, &object.name),
            delete: access.may(Verb::Delete, &object.name),
        },
    })
}

/// The objects of which the caller may read records.
#[utoipa::path(get, path = "/api/v1/objects", tag = "objects",
    responses((status = 200, body = ObjectList), (status = 401, body = Problem)))]
pub(crate) async fn list(State(app): State<Shared>, operator: Operator) -> Answer<ObjectList> {
    let schema = app.state.records.schema();
    Answer(ObjectList { objects: schema.objects().filter_map(|object| seen(object, &operator)).collect() })
}

/// One object.
#[utoipa::path(get, path = "/api/v1/objects/{object}", tag = "objects", params(("object" = String, Path)),
    responses((status = 200, body = SeenObject), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(app): State<Shared>,
    operator: Operator,
    Piece(name): Piece<String>,
) -> Result<Answer<SeenObject>, Problem> {
    let schema = app.state.records.schema();
    let found = schema.object(&name).and_then(|object| seen(object, &operator));
    found.map(Answer).ok_or_else(|| Problem::not_found("there is no such object"))
}

/// Makes an object, or changes one: fields are added, renamed for people, or retired. For administrators.
#[utoipa::path(put, path = "/api/v1/objects/{object}", tag = "objects", params(("object" = String, Path)), request_body = Object,
    responses((status = 200, body = SeenObject), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn put(
    State(app): State<Shared>,
    operator: Operator,
    Piece(name): Piece<String>,
    Json(object): Json<Object>,
) -> Result<Answer<SeenObject>, Problem> {
    if object.name != name {
        return Err(Problem::invalid("name", "it must be the name in the path"));
    }
    let schema = ask(&app, &operator, move |desk, access| desk.define(access, object)).await?;
    let found = schema.object(&name).and_then(|object| seen(object, &operator));
    found.map(Answer).ok_or_else(|| Problem::not_found("there is no such object"))
}
