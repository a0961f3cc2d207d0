//! The document as it is served: typed records of the objects that the caller reads, with the fields that they see.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::house::{CALLERS, Caller, House};

async fn document(house: &House, caller: Caller) -> Value {
    house.ask(caller, "GET", "/api/v1/openapi.json", "").await.json()
}

fn fields(document: &Value, schema: &str) -> BTreeSet<String> {
    let schema = &document["components"]["schemas"][schema];
    let fields = if schema["properties"]["fields"].is_object() { &schema["properties"]["fields"] } else { schema };
    fields["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn methods(document: &Value, path: &str) -> Vec<String> {
    document["paths"][path].as_object().into_iter().flatten().map(|(method, _)| method.clone()).collect()
}

#[tokio::test]
async fn an_object_made_at_run_time_is_a_type_at_once() {
    let house = House::new();
    let before = document(&house, Caller::Administrator).await;
    assert_eq!(before["components"]["schemas"]["BoatFields"], Value::Null);
    let label = |text: &str| json!({ "en": text, "zh": text });
    let field = |name: &str, kind: Value| json!({ "name": name, "label": label(name), "kind": kind });
    let option = |value: &str| json!({ "value": value, "label": label(value) });
    let object = json!({ "name": "boat", "label": label("Boat"), "plural": label("Boats"), "title": "name", "fields": [
        json!({ "name": "name", "label": label("Name"), "kind": { "type": "text" }, "required": true }),
        field("length", json!({ "type": "number" })),
        field("built", json!({ "type": "date" })),
        field("sails", json!({ "type": "multi_choice", "options": [option("jib"), option("main")] })),
        field("price", json!({ "type": "money" })),
        field("skipper", json!({ "type": "relation", "object": "contact" })),
        field("twice", json!({ "type": "formula", "expression": "length * 2" })),
    ] });
    let told = house.ask(Caller::Administrator, "PUT", "/api/v1/objects/boat", &object.to_string()).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let document = document(&house, Caller::Administrator).await;
    let schemas = &document["components"]["schemas"];
    let read = &schemas["BoatFields"]["properties"];
    assert_eq!(read["length"]["type"], "number");
    assert_eq!((&read["built"]["type"], &read["built"]["format"]), (&json!("string"), &json!("date")));
    assert_eq!(read["price"]["required"], json!(["amount", "currency"]));
    assert_eq!(read["skipper"]["pattern"], schemas["Id"]["pattern"]);
    let sent = &schemas["BoatNew"]["properties"]["fields"];
    assert_eq!(sent["required"], json!(["name"]));
    assert_eq!(sent["properties"]["sails"]["items"]["$ref"], "#/components/schemas/BoatSails");
    assert_eq!(schemas["BoatSails"]["enum"], json!(["jib", "main"]));
    assert_eq!(sent["properties"]["name"]["type"], "string", "it cannot be taken away");
    assert_eq!(sent["properties"]["length"]["type"], json!(["number", "null"]));
    assert!(read["twice"].is_object() && sent["properties"]["twice"].is_null(), "what is computed is not sent");
    assert_eq!(schemas["BoatChange"]["properties"]["fields"]["required"], Value::Null);
    let path = "/api/v1/objects/boat/records";
    assert_eq!(methods(&document, path), ["get", "post"]);
    assert_eq!(methods(&document, &format!("{path}/{{id}}")), ["delete", "get", "patch"]);
    let create = &document["paths"][path]["post"];
    let of = |content: &Value| content["content"]["application/json"]["schema"]["$ref"].clone();
    assert_eq!(of(&create["requestBody"]), "#/components/schemas/BoatNew");
    assert_eq!(of(&create["responses"]["201"]), "#/components/schemas/BoatRecord");
    assert_eq!(of(&document["paths"][path]["get"]["responses"]["200"]), "#/components/schemas/BoatList");
}

#[tokio::test]
async fn nobody_is_told_of_what_they_do_not_see() {
    let house = House::new();
    let all = document(&house, Caller::Administrator).await;
    assert!(fields(&all, "ContactFields").contains("email") && fields(&all, "DealFields").contains("weighted"));
    let blind = document(&house, Caller::Blind).await;
    for kind in ["Fields", "New", "Change"] {
        let contact = fields(&blind, &format!("Contact{kind}"));
        assert!(contact.contains("phone") && !contact.contains("email") && !contact.contains("birthday"), "{kind}");
        let deal = fields(&blind, &format!("Deal{kind}"));
        assert!(deal.contains("name") && !deal.contains("amount") && !deal.contains("weighted"), "{kind}");
    }
    let reader = document(&house, Caller::Reader).await;
    for caller in [&reader, &document(&house, Caller::ReadKey).await] {
        assert_eq!(methods(caller, "/api/v1/objects/vehicle/records"), ["get"]);
        assert_eq!(methods(caller, "/api/v1/objects/vehicle/records/{id}"), ["get"]);
    }
    let stranger = document(&house, Caller::Stranger).await;
    assert_eq!(methods(&stranger, "/api/v1/objects/contact/records"), [""; 0]);
    assert_eq!(methods(&stranger, "/api/v1/objects/pipeline/records"), ["get"]);
    let text = stranger["components"]["schemas"].to_string();
    assert!(!text.contains("VehicleFields") && !text.contains("marketing_consent"));
}

/// All references of a document.
fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(members) => members.iter().for_each(|member| references(member, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_served_document_is_whole() {
    let house = House::new();
    for caller in CALLERS {
        let document = document(&house, caller).await;
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{caller:?}: {reference} leads nowhere");
        }
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{caller:?}: {name} is called twice: {method} {path}");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let meaning = response["description"].as_str().unwrap_or_default();
                    assert!(!meaning.is_empty(), "{method} {path}: what does {status} mean?");
                }
            }
        }
    }
}
