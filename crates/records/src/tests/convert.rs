//! Leads become contacts, companies and deals.

use serde_json::{Value, json};

use super::{everything, fields, know, made, on_both, person};
use crate::{Conversion, Edit, Grant, Id, NewDeal, Part, Reach, RecordsError, Role};

fn lead() -> Value {
    json!({
        "name": "Ann Lee", "email": "ann@acme.example", "phone": "030 1234567", "company_name": "Acme GmbH", "job_title": "CTO",
        "website": "https://acme.example", "value": { "amount": 500, "currency": "EUR" }, "source": "web", "tags": ["vip"],
    })
}

#[test]
fn a_lead_becomes_three_records_and_a_lead_again() {
    on_both(|desk| {
        let access = everything();
        let lead = made(desk, &access, "lead", lead());
        let wanted = Conversion { deal: Some(NewDeal::default()), ..Conversion::default() };
        let converted = desk.convert(&access, lead.id, &wanted).unwrap();
        let (company, contact, deal) =
            (converted.company.unwrap(), converted.contact.unwrap(), converted.deal.unwrap());
        let read = |object: &str, id| desk.get(&access, object, id).unwrap();
        let expected = json!({ "name": "Acme GmbH", "website": "https://acme.example" });
        assert_eq!(Value::Object(read("company", company).fields), expected);
        let expected = json!({
            "name": "Ann Lee", "email": "ann@acme.example", "phone": "030 1234567", "job_title": "CTO", "source": "web",
            "tags": ["vip"], "company": company,
        });
        assert_eq!(Value::Object(read("contact", contact).fields), expected);
        let made = read("deal", deal);
        assert_eq!((&made.fields["name"], &made.fields["amount"]["amount"]), (&json!("Acme GmbH"), &json!(500)));
        assert_eq!((&made.fields["company"], &made.fields["contact"]), (&json!(company), &json!(contact)));
        let after = read("lead", lead.id);
        assert_eq!(after.fields["status"], "converted");
        let links = ["company", "contact", "deal"].map(|name| after.fields[name].clone());
        assert_eq!(links, [json!(company), json!(contact), json!(deal)]);
        assert!(after.fields.contains_key("converted_at"));
        assert!(matches!(desk.convert(&access, lead.id, &wanted), Err(RecordsError::Conflict(_))));
        let undone = desk.undo(&access, converted.batch).unwrap();
        assert_eq!((undone.undone, undone.kept), (4, Vec::new()));
        assert_eq!(read("lead", lead.id).fields, lead.fields);
        for (object, id) in [("company", company), ("contact", contact), ("deal", deal)] {
            assert!(read(object, id).deleted_at.is_some(), "{object}");
        }
        assert!(desk.convert(&access, lead.id, &wanted).is_ok());
    });
}

#[test]
fn what_is_there_is_proposed_and_used_if_wanted() {
    on_both(|desk| {
        let access = everything();
        let by_domain = made(desk, &access, "company", json!({ "name": "Acme Holding", "domain": "acme.example" })).id;
        let by_name = made(desk, &access, "company", json!({ "name": "ACME" })).id;
        let contact = made(desk, &access, "contact", json!({ "name": "Ann", "email": "ann@acme.example" })).id;
        made(desk, &access, "contact", json!({ "name": "Bo Wong" }));
        let lead = made(desk, &access, "lead", lead()).id;
        let proposal = desk.conversion(&access, lead).unwrap();
        let companies: Vec<Id> = proposal.companies.iter().map(|similar| similar.id).collect();
        assert_eq!(companies, [by_name, by_domain]);
        assert_eq!(proposal.contacts.iter().map(|similar| similar.id).collect::<Vec<_>>(), [contact]);
        let deal = NewDeal { name: Some("Big".to_owned()), amount: Some(json!(7)) };
        let wanted =
            Conversion { company: Part::Existing(by_domain), contact: Part::Existing(contact), deal: Some(deal) };
        let converted = desk.convert(&access, lead, &wanted).unwrap();
        assert_eq!((converted.company, converted.contact), (Some(by_domain), Some(contact)));
        assert_eq!(desk.get(&access, "contact", contact).unwrap().fields["company"], json!(by_domain));
        let made = desk.get(&access, "deal", converted.deal.unwrap()).unwrap();
        assert_eq!((&made.fields["name"], &made.fields["amount"]["amount"]), (&json!("Big"), &json!(7)));
        desk.undo(&access, converted.batch).unwrap();
        assert!(!desk.get(&access, "contact", contact).unwrap().fields.contains_key("company"));
        // As it comes in a request.
        let given = json!({ "company": "none", "contact": { "existing": contact } });
        let given: Conversion = serde_json::from_value(given).unwrap();
        let converted = desk.convert(&access, lead, &given).unwrap();
        assert_eq!((converted.company, converted.contact, converted.deal), (None, Some(contact), None));
    });
}

#[test]
fn a_conversion_needs_the_rights_of_its_parts_and_is_whole() {
    on_both(|desk| {
        let admin = everything();
        know(desk, &[1, 2], &[10]);
        let mut given = lead();
        given["owner"] = json!(Id(1));
        given["team"] = json!(Id(10));
        let mine = made(desk, &admin, "lead", given).id;
        let theirs = made(desk, &admin, "lead", json!({ "name": "Bo", "owner": Id(2) })).id;
        let nothing = made(desk, &admin, "lead", json!({ "name": "Di", "owner": Id(1) })).id;
        let grant = |create: bool| Grant { read: Reach::All, create, update: Reach::Own, ..Grant::default() };
        let role = |deal: bool| {
            let mut role = Role { other: grant(true), ..Role::default() };
            role.objects.insert("deal".to_owned(), grant(deal));
            role.objects.insert("contact".to_owned(), Grant { locked: vec!["phone".to_owned()], ..grant(true) });
            role
        };
        let (seller, helper) = (person(1, &[], role(true)), person(1, &[], role(false)));
        let wanted = Conversion { deal: Some(NewDeal::default()), ..Conversion::default() };
        let end = desk.newest_change().unwrap();
        assert!(matches!(desk.convert(&helper, mine, &wanted), Err(RecordsError::Forbidden(_))));
        assert!(matches!(desk.convert(&seller, theirs, &wanted), Err(RecordsError::Forbidden(_))));
        let missing = Conversion { contact: Part::Existing(mine), ..Conversion::default() };
        assert!(matches!(desk.convert(&seller, mine, &missing), Err(RecordsError::NotFound(_))));
        let none = Conversion { company: Part::None, contact: Part::None, deal: None };
        assert!(matches!(desk.convert(&seller, mine, &none), Err(RecordsError::Invalid { .. })));
        let bad = NewDeal { name: None, amount: Some(json!("much")) };
        let bad = Conversion { deal: Some(bad), ..Conversion::default() };
        match desk.convert(&seller, mine, &bad) {
            Err(RecordsError::Invalid { field, .. }) => assert_eq!(field, "deal.amount"),
            other => panic!("{other:?}"),
        }
        desk.edit(&admin, "lead", &[Edit::Delete { id: nothing, version: None }], None).unwrap();
        assert!(matches!(desk.convert(&seller, nothing, &wanted), Err(RecordsError::NotFound(_))));
        assert_eq!(desk.changes(&admin, end, 10).unwrap().0.len(), 1, "only the delete");
        let converted = desk.convert(&seller, mine, &wanted).unwrap();
        let contact = desk.get(&admin, "contact", converted.contact.unwrap()).unwrap();
        assert_eq!((contact.owner, contact.team), (Some(Id(1)), Some(Id(10))));
        assert_eq!(contact.fields.get("phone"), None, "a locked field is not set");
        assert_eq!(fields(json!({ "email": "ann@acme.example" }))["email"], contact.fields["email"]);
    });
}
