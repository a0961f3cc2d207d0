//! What somebody sends or asks who wants more than an answer.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::{create, everything, fields, know, made, on_both, person};
use crate::{
    AggregateQuery, AuditQuery, Edit, Fault, Grant, Identity, ListQuery, Reach, RecordsError, Role,
    import::State,
    people::{Origin, SignIn},
    schema::{FieldKind, Schema},
};

/// PostgreSQL has no text with the character NUL; nobody may make a failure of that.
#[test]
fn a_text_with_nul_is_no_failure() {
    on_both(|desk| {
        let access = everything();
        let nul = "a\0b";
        let condition = Some("name == \"a\\u0000b\" || name.contains(\"\\u0000\")".to_owned());
        let query = || ListQuery { filter: condition.clone(), limit: 10, ..ListQuery::default() };
        let key = |value: Value| Edit::Upsert { key: "email".to_owned(), fields: fields(value) };
        let create = |value: Value| Edit::Create { fields: fields(value) };
        let edit = |object: &str, edit: Edit| desk.edit(&access, object, &[edit], None).map(drop);
        let similar = fields(json!({ "name": nul, "email": nul, "phone": nul }));
        let aggregate = AggregateQuery { group: "country".to_owned(), sum: None, filter: condition.clone() };
        let audit = AuditQuery {
            actor: Some(nul.to_owned()),
            object: Some(nul.to_owned()),
            limit: 10,
            ..AuditQuery::default()
        };
        let sign_in = SignIn { email: nul.to_owned(), password: nul.to_owned(), code: Some(nul.to_owned()) };
        let asked = [
            desk.list(&access, "contact", &query()).map(drop),
            desk.count(&access, "contact", condition.as_deref()).map(drop),
            desk.aggregate(&access, "contact", &aggregate).map(drop),
            desk.list(&access, nul, &query()).map(drop),
            desk.search(&access, nul, Some(&[nul.to_owned()]), 10).map(drop),
            desk.search(&access, nul, None, 10).map(drop),
            desk.find(&access, "contact", nul, &ListQuery { limit: 10, ..ListQuery::default() }).map(drop),
            desk.similar(&access, "contact", &similar, None).map(drop),
            desk.views(&access, Some(nul)).map(drop),
            desk.audit(&access, &audit).map(drop),
            desk.sign_in(&sign_in, &Origin::default()).map(drop),
            edit("contact", key(json!({ "name": nul, "email": nul }))),
            edit("contact", create(json!({ "name": nul, "description": nul, "address": { "city": nul } }))),
            edit("order", create(json!({ "number": "1", "items": { nul: [nul] } }))),
            edit("contact", create(json!({ nul: nul }))),
        ];
        for (place, answer) in asked.into_iter().enumerate() {
            let is_failure = answer.as_ref().is_err_and(|error| error.fault() != Fault::Caller);
            assert!(!is_failure, "{place}: {answer:?}");
        }
        let items = |text: &str| edit("order", create(json!({ "number": "1", "items": [text] })));
        assert!(matches!(items(nul), Err(RecordsError::Invalid { field, .. }) if field == "items"));
        items("a").unwrap();
    });
}

/// A row of a file is the row's own mistake, whether its text would be stored or looked for.
#[test]
fn a_row_with_nul_is_wrong_and_the_others_are_imported() {
    on_both(|desk| {
        let folder = tempfile::tempdir().unwrap();
        desk.set_files(folder.path()).unwrap();
        let file = "Name;Email;Firma;Owner;City\n\
            Ann;ann@example.com;Acme;;Rome\n\
            B\0b;bob@example.com;Acme;;Rome\n\
            Cy;cy@example.com;Ac\0me;;Rome\n\
            Di;di@example.com;Acme;d\0i@example.com;Rome\n\
            Ed;e\0d@example.com;Acme;;Rome\n\
            Fay;fay@example.com;Acme;;R\0me\n";
        let mut reader = std::io::Cursor::new(file);
        let import = desk.upload_import(&everything(), "contact", "a.csv", &mut reader).unwrap();
        let going = || ControlFlow::Continue(());
        let check = desk.check_import(&everything(), import.id, &|_| going()).unwrap();
        let wrong: Vec<(u64, &str)> = check.mistakes.iter().map(|wrong| (wrong.row, wrong.field.as_str())).collect();
        assert_eq!(wrong, [(2, "name"), (3, "company"), (4, "owner"), (5, "email"), (6, "city")]);
        desk.start_import(&everything(), import.id).unwrap();
        let done = desk.run_import(import.id, &|_| going()).unwrap();
        assert_eq!((done.state, done.message, done.tally.created, done.tally.failed), (State::Done, None, 1, 5));
        assert_eq!(done.tally, check.tally);
    });
}

/// Nobody reads what becomes of an event, so what is odd in it is left out, and it stops nothing.
#[test]
fn customers_become_contacts_whatever_events_say_of_them() {
    on_both(|desk| {
        let say = |customer: &str, attributes: Value| Identity {
            customer: customer.to_owned(),
            attributes: fields(attributes),
        };
        let said = [
            say("a\0b", json!({ "name": "Nobody" })),
            say(
                "c-1",
                json!({ "name": "A\0nn", "email": "ann@\0example.com", "address": { "ci\0ty": "R\0me", "street": 1 } }),
            ),
            say("c-2", json!({ "na\0me": "x", "firstName": "\0", "description": "two\0\nlines" })),
            say("c-3", json!({ "email": " " })),
            say("c-4", json!({ "name": 4711, "email": "d@example.com" })),
        ];
        desk.take_identities(3, 7, &said).unwrap();
        assert_eq!(desk.identities_position(3).unwrap(), 7);
        let query = ListQuery { limit: 9, sort: Some("customer_id".to_owned()), ..ListQuery::default() };
        let contacts = desk.list(&everything(), "contact", &query).unwrap().records;
        let contacts: Vec<Value> = contacts.into_iter().map(|contact| Value::Object(contact.fields)).collect();
        let ann = json!({
            "customer_id": "c-1", "name": "Ann", "email": "ann@example.com", "address": { "city": "Rme", "street": "1" },
        });
        let other = json!({ "customer_id": "c-2", "name": "c-2", "description": "two\nlines" });
        let blank = json!({ "customer_id": "c-3", "name": "c-3" });
        let number = json!({ "customer_id": "c-4", "name": "4711", "email": "d@example.com" });
        assert_eq!(contacts, [ann, other, blank, number]);
    });
}

/// A family may have one address. The contact is one of them, and does not become another.
#[test]
fn of_two_customers_with_the_address_of_one_contact_the_first_is_that_contact() {
    on_both(|desk| {
        let access = everything();
        let contact = made(desk, &access, "contact", json!({ "name": "Ann", "email": "lee@example.com" })).id;
        let say = |customer: &str| Identity {
            customer: customer.to_owned(),
            attributes: fields(json!({ "email": "lee@example.com" })),
        };
        desk.take_identities(0, 1, &[say("c-1"), say("c-2")]).unwrap();
        let query = ListQuery { limit: 9, sort: Some("customer_id".to_owned()), ..ListQuery::default() };
        let contacts = desk.list(&access, "contact", &query).unwrap().records;
        let known: Vec<&Value> = contacts.iter().map(|contact| &contact.fields["customer_id"]).collect();
        assert_eq!((known, contacts[0].id), (vec![&json!("c-1"), &json!("c-2")], contact));
    });
}

/// What is called by names, and what stands in definitions.
#[test]
fn no_name_and_no_definition_has_nul() {
    on_both(|desk| {
        know(desk, &[1], &[]);
        let access = person(1, &[], Role::administrator());
        let nul = "a\0b";
        let text = json!({ "type": "text" });
        let options = |value: &str| json!({ "type": "choice", "options": [{ "value": value, "label": { "en": "a", "zh": "a" } }] });
        let formula = |text: &str| json!({ "type": "formula", "expression": format!("name == {}", json!(text)) });
        let object = |label: &str, field: &str, kind: Value| {
            let both = |text: &str| json!({ "en": text, "zh": text });
            let name = json!({ "name": "name", "label": both("Name"), "kind": text });
            let other = json!({ "name": field, "label": both(label), "kind": kind });
            let lamp = json!({ "name": "lamp", "label": both("Lamp"), "plural": both("Lamps"), "title": "name", "fields": [name, other] });
            desk.define(&access, serde_json::from_value(lamp).unwrap()).map(drop)
        };
        let view = |name: &str, filter: &str| {
            let view = json!({ "object": "contact", "name": name, "definition": { "filter": filter } });
            desk.create_view(&access, &serde_json::from_value(view).unwrap()).map(drop)
        };
        let refused = [
            object(nul, "more", text.clone()),
            object("More", nul, text.clone()),
            object("More", "more", options(nul)),
            object("More", "more", formula(nul)),
            view(nul, ""),
            view("a", &format!("name == {}", json!(nul))),
            desk.add_team(&access, nul).map(drop),
            desk.add_role(&access, &Role { name: nul.to_owned(), ..Role::reader() }).map(drop),
            desk.edit(&access, "note", &[create(json!({ "title": nul }))], None).map(drop),
            desk.edit(&access, "note", &[create(json!({ "title": "a", "description": nul }))], None).map(drop),
        ];
        for (place, answer) in refused.into_iter().enumerate() {
            let is_told = matches!(answer, Err(RecordsError::Invalid { .. } | RecordsError::Condition(_)));
            assert!(is_told, "{place}: {answer:?}");
        }
        object("More", "more", options("a")).unwrap();
        view("a", "name == \"a\"").unwrap();
    });
}

/// What a formula gives tells of the fields that it is over.
#[test]
fn a_formula_over_a_hidden_field_is_hidden_too() {
    let mut schema = Schema::builtin();
    let hiding = |names: &[&str]| Grant {
        read: Reach::All,
        hidden: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Grant::default()
    };
    let mut role = Role { other: hiding(&["amount"]), ..Role::reader() };
    let seen = |role: &Role, schema: &Schema| person(1, &[], role.hiding_formulas(schema)).may_see("deal", "weighted");
    assert!(!seen(&role, &schema), "by what is said of all objects");
    role.objects.insert("deal".to_owned(), hiding(&["next_step"]));
    assert!(seen(&role, &schema));
    role.objects.insert("deal".to_owned(), hiding(&["probability"]));
    assert!(!seen(&role, &schema), "by what is said of this one");
    assert!(seen(&Role::administrator(), &schema));
    // A field that only begins like the hidden one is another.
    let mut deal = schema.object("deal").unwrap().clone();
    let formula = FieldKind::Formula { expression: "amounts + 1".to_owned() };
    deal.fields.iter_mut().find(|field| field.name == "weighted").unwrap().kind = formula;
    schema.put(deal);
    role.objects.insert("deal".to_owned(), hiding(&["amount"]));
    assert!(seen(&role, &schema));
}
