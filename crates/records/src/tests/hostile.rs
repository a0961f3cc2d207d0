//! What somebody sends or asks who wants more than an answer.

use serde_json::{Value, json};

use super::{everything, fields, on_both, person};
use crate::{
    AggregateQuery, AuditQuery, Edit, Fault, Grant, ListQuery, Reach, RecordsError, Role,
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
        let edit = |object: &str, edit: Edit| desk.edit(&access, object, vec![edit], None).map(drop);
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
