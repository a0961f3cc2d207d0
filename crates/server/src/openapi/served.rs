//! The document as a caller is served it: besides what every installation has, each object that they read has paths and
//! schemas of its own, with its fields and their types, so that a client made from it knows their records by type.
//!
//! The paths of an object are those of any object with its name in them. Only what the caller may do is among them, and only
//! fields that they see, or may set. What is read stays open for more: a field that is added later must break no client. An
//! option that was taken away may still be what a record has, so only values that are sent are bound to the options.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use axum::extract::State;
use rapport_records::{
    Access, Verb,
    schema::{Field, FieldKind, Object, Options, Schema},
};
use serde_json::{Map, Value, json};

use super::Document;
use crate::{Shared, auth::Operator, exchange::Answer, problem::Problem};

/// The paths of records that an object gets of its own: what of them, method, the verb that it needs, and what a client
/// calls it.
const OPERATIONS: [(&str, &str, Verb, &str); 6] = [
    ("/records", "get", Verb::Read, "list"),
    ("/records", "post", Verb::Create, "create"),
    ("/records/{id}", "get", Verb::Read, "read"),
    ("/records/{id}", "patch", Verb::Update, "change"),
    ("/records/{id}", "delete", Verb::Delete, "remove"),
    ("/records/{id}/restore", "post", Verb::Delete, "restore"),
];

/// What every installation has.
static GENERIC: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(<Document as utoipa::OpenApi>::openapi()).expect("the document is JSON"));

/// This document, with a type for each object that the caller reads. A client made from it knows an organisation's own objects
/// and fields; it is made anew when they change.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "objects",
    responses((status = 200, body = serde_json::Value, description = "an OpenAPI 3.1 document"), (status = 401, body = Problem)))]
pub(crate) async fn document(State(app): State<Shared>, operator: Operator) -> Answer<Value> {
    Answer(of(&app.state.records.schema(), &operator.access))
}

/// The document for somebody.
fn of(schema: &Schema, access: &Access) -> Value {
    let mut document = GENERIC.clone();
    let known = document["components"]["schemas"].as_object().into_iter().flatten();
    let mut taken: BTreeSet<String> = known.map(|(name, _)| name.to_lowercase()).collect();
    for object in schema.objects().filter(|object| access.may(Verb::Read, &object.name)) {
        let typed = Typed::new(object, access, &mut taken);
        for (name, schema) in typed.schemas() {
            document["components"]["schemas"][name] = schema;
        }
        for (path, method, operation) in typed.operations() {
            document["paths"][path][method] = operation;
        }
    }
    document
}

/// What an object's types are called: `service_contract` is `ServiceContract`, unless something is called so already.
fn free_name(object: &str, kinds: &[&str], taken: &mut BTreeSet<String>) -> String {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    let plain: String = object.split('_').filter(|part| !part.is_empty()).map(capital).collect();
    let names = (1_u32..).map(|count| if count == 1 { plain.clone() } else { format!("{plain}{count}") });
    let is_free = |name: &String| kinds.iter().all(|kind| !taken.contains(&format!("{name}{kind}").to_lowercase()));
    let name = names.into_iter().find(is_free).expect("numbers do not end");
    taken.extend(kinds.iter().map(|kind| format!("{name}{kind}").to_lowercase()));
    name
}

/// The types of an object: of its fields as they are read, of a record, of a page, of what makes and of what changes a record.
const KINDS: [&str; 5] = ["Fields", "Record", "List", "New", "Change"];

/// An object as somebody sees it, as types.
struct Typed<'t> {
    object: &'t Object,
    access: &'t Access,
    name: String,
    /// What the options of a field are called.
    choices: BTreeMap<&'t str, String>,
}

impl<'t> Typed<'t> {
    fn new(object: &'t Object, access: &'t Access, taken: &mut BTreeSet<String>) -> Self {
        let name = free_name(&object.name, &KINDS, taken);
        let mut typed = Self { object, access, name, choices: BTreeMap::new() };
        let choosing: Vec<&'t str> =
            typed.settable().filter(|field| options(field).is_some()).map(|field| field.name.as_str()).collect();
        for field in choosing {
            typed.choices.insert(field, free_name(&format!("{}_{field}", object.name), &[""], taken));
        }
        typed
    }

    fn reference(&self, kind: &str) -> String {
        format!("#/components/schemas/{}{kind}", self.name)
    }

    fn seen(&self) -> impl Iterator<Item = &'t Field> {
        let (object, access) = (self.object, self.access);
        object.live_fields().filter(move |field| access.may_see(&object.name, &field.name))
    }

    fn settable(&self) -> impl Iterator<Item = &'t Field> {
        let (object, access) = (self.object, self.access);
        self.seen().filter(move |field| access.may_set(&object.name, &field.name) && field.kind.is_settable())
    }

    fn schemas(&self) -> Vec<(String, Value)> {
        let generic = |name: &str| GENERIC["components"]["schemas"][name].clone();
        let fields: Map<String, Value> = self.seen().map(|field| (field.name.clone(), read(field))).collect();
        let what = format!("Fields of {}, without those that have no value.", self.object.plural.en);
        let fields = json!({ "type": "object", "description": what, "properties": fields });
        let mut record = generic("Record");
        record["description"] = json!(format!("A record of {}.", self.object.plural.en));
        record["properties"]["fields"] = json!({ "$ref": self.reference("Fields") });
        let mut list = generic("RecordList");
        list["properties"]["records"]["items"] = json!({ "$ref": self.reference("Record") });
        let kinds = [fields, record, list, self.sent(true), self.sent(false)];
        let kinds = KINDS.iter().zip(kinds).map(|(kind, schema)| (format!("{}{kind}", self.name), schema));
        let choices = self.settable().filter_map(|field| {
            let what = format!("What {} of {} can be.", field.label.en, self.object.plural.en);
            let schema = json!({ "type": "string", "description": what, "enum": values(options(field)?) });
            Some((self.choices.get(field.name.as_str())?.clone(), schema))
        });
        kinds.chain(choices).collect()
    }

    /// The body that makes or changes a record.
    fn sent(&self, new: bool) -> Value {
        let written = |field: &Field| (field.name.clone(), written(field, self.choices.get(field.name.as_str())));
        let mut properties: Map<String, Value> = self.settable().map(written).collect();
        properties.insert("owner".to_owned(), id("The person to whom it belongs.", true));
        properties.insert("team".to_owned(), id("The team to which it belongs.", true));
        let must = |field: &&Field| new && self.object.must_be_given(field);
        let required: Vec<&str> = self.settable().filter(must).map(|field| field.name.as_str()).collect();
        let mut fields = json!({ "type": "object", "additionalProperties": false, "properties": properties,
            "description": "By the names of fields. Null takes a value away." });
        if !required.is_empty() {
            fields["required"] = json!(required);
        }
        let what = if new { "A new record" } else { "Changes of a record" };
        let what = format!("{what} of {}.", self.object.plural.en);
        json!({ "type": "object", "description": what, "required": ["fields"], "additionalProperties": false,
            "properties": { "fields": fields } })
    }

    fn operations(&self) -> impl Iterator<Item = (String, &'static str, Value)> {
        let may = |verb: Verb| {
            self.access.may(verb, &self.object.name) && !(self.access.is_read_only() && verb != Verb::Read)
        };
        OPERATIONS.into_iter().filter(move |(_, _, verb, _)| may(*verb)).map(|(path, method, _, called)| {
            let mut operation = GENERIC["paths"][format!("/api/v1/objects/{{object}}{path}")][method].clone();
            operation["operationId"] = json!(format!("{called}_{}", self.object.name));
            operation["tags"] = json!([self.object.name]);
            if let Some(parameters) = operation["parameters"].as_array_mut() {
                parameters.retain(|parameter| parameter["name"] != "object" || parameter["in"] != "path");
            }
            let body = if method == "post" { "New" } else { "Change" };
            for (generic, kind) in [("Record", "Record"), ("RecordList", "List"), ("FieldsBody", body)] {
                replace(&mut operation, &format!("#/components/schemas/{generic}"), &self.reference(kind));
            }
            (format!("/api/v1/objects/{}{path}", self.object.name), method, operation)
        })
    }
}

/// Puts another reference into the place of one, wherever it stands.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(members) => members.iter_mut().for_each(|member| replace(member, from, to)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, from, to)),
        _ => {}
    }
}

fn id(what: &str, nullable: bool) -> Value {
    let pattern = &GENERIC["components"]["schemas"]["Id"]["pattern"];
    let kind = if nullable { json!(["string", "null"]) } else { json!("string") };
    json!({ "type": kind, "pattern": pattern, "description": what })
}

/// What a field's values are chosen from.
fn options(field: &Field) -> Option<&Options> {
    match &field.kind {
        FieldKind::Choice(options) | FieldKind::MultiChoice(options) => Some(options),
        _ => None,
    }
}

fn values(options: &Options) -> Vec<&str> {
    options.options.iter().map(|option| option.value.as_str()).collect()
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// A field's value as it is answered.
fn read(field: &Field) -> Value {
    let mut schema = match &field.kind {
        FieldKind::Text | FieldKind::LongText | FieldKind::Email | FieldKind::Phone | FieldKind::Actor => {
            json!({ "type": "string" })
        }
        FieldKind::Url => json!({ "type": "string", "format": "uri" }),
        FieldKind::Number => json!({ "type": "number" }),
        FieldKind::Money => money(),
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        FieldKind::DateTime => json!({ "type": "string", "format": "date-time" }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Choice(options) => json!({ "type": "string", "examples": values(options) }),
        FieldKind::MultiChoice(options) => list(&json!({ "type": "string", "examples": values(options) })),
        FieldKind::Emails | FieldKind::Phones => list(&json!({ "type": "string" })),
        FieldKind::Address => address(),
        FieldKind::Relation { object } => id(&format!("A record of `{object}`."), false),
        FieldKind::Relations { object } => list(&id(&format!("A record of `{object}`."), false)),
        FieldKind::User => id("A person.", false),
        FieldKind::File => id("A record of `file`.", false),
        FieldKind::Formula { .. } => json!({ "type": ["number", "string", "boolean"] }),
        FieldKind::Json => json!({}),
    };
    let what = schema["description"].as_str().map(|what| format!("{}. {what}", field.label.en));
    schema["description"] = json!(what.unwrap_or_else(|| format!("{}.", field.label.en)));
    schema
}

/// A field's value as it is sent: null takes it away, unless every record must have it.
fn written(field: &Field, choices: Option<&String>) -> Value {
    let mut schema = read(field);
    let choice = choices.map(|name| json!({ "$ref": format!("#/components/schemas/{name}") }));
    match (&field.kind, choice) {
        (FieldKind::Text, _) => schema["maxLength"] = json!(255),
        (FieldKind::Email, _) => schema["format"] = json!("email"),
        (FieldKind::Emails, _) => schema["items"]["format"] = json!("email"),
        (FieldKind::MultiChoice(_), Some(choice)) => schema["items"] = choice,
        (FieldKind::Choice(_), Some(choice)) if field.required => return choice,
        (FieldKind::Choice(_), Some(choice)) => return json!({ "oneOf": [choice, { "type": "null" }] }),
        _ => {}
    }
    if !field.required
        && let Some(kind) = schema["type"].as_str().map(str::to_owned)
    {
        schema["type"] = json!([kind, "null"]);
    }
    schema
}

fn money() -> Value {
    json!({ "type": "object", "required": ["amount", "currency"], "additionalProperties": false, "properties": {
        "amount": { "type": "number" },
        "currency": { "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217." },
    } })
}

fn address() -> Value {
    let part = json!({ "type": "string", "maxLength": 255 });
    let parts: Map<String, Value> = ["street", "city", "region", "postcode", "country"]
        .map(|name| (name.to_owned(), part.clone()))
        .into_iter()
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_takes_the_name_of_something_else() {
        let mut taken = BTreeSet::from(["recordlist".to_owned()]);
        assert_eq!(free_name("service_contract", &KINDS, &mut taken), "ServiceContract");
        assert_eq!(free_name("record", &KINDS, &mut taken), "Record2", "RecordList is there already");
        assert_eq!(
            free_name("servicecontract", &KINDS, &mut taken),
            "Servicecontract2",
            "names differ not only in their case"
        );
    }
}
