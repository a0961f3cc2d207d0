//! Duplicates: found while typing and over all data, put before people, said to be two.

use serde_json::{Value, json};

use super::{create, everything, fields, know, made, on_both, person};
use crate::{Access, Desk, Edit, Grant, Id, Reach, Reason, RecordsError, Role, Similar};

fn similar(desk: &Desk, access: &Access, object: &str, typed: Value) -> Vec<Similar> {
    desk.similar(access, object, &fields(typed), None).unwrap()
}

fn titles(found: &[Similar]) -> Vec<&str> {
    found.iter().map(|similar| similar.title.as_str()).collect()
}

fn update(desk: &Desk, object: &str, id: Id, given: Value) {
    desk.edit(&everything(), object, &[Edit::Update { id, fields: fields(given), version: None }], None).unwrap();
}

/// The names of the pairs that wait.
fn queue(desk: &Desk, access: &Access, object: &str) -> Vec<(String, String)> {
    while desk.find_duplicates(100).unwrap() > 0 {}
    let name = |record: &crate::Record| record.fields["name"].as_str().unwrap().to_owned();
    let pairs = desk.duplicates(access, object, 50).unwrap();
    pairs.iter().map(|pair| (name(&pair.one), name(&pair.other))).collect()
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn who_types_is_told_what_is_there_already() {
    on_both(|desk| {
        let access = everything();
        let ann = made(
            desk,
            &access,
            "contact",
            json!({ "name": "Ann Lee", "email": "ann.lee@gmail.com", "phone": "+49 30 1234567" }),
        );
        made(desk, &access, "contact", json!({ "name": "Katherine Schmidt", "other_emails": ["ks@acme.example"] }));
        made(desk, &access, "contact", json!({ "name": "张伟" }));
        made(desk, &access, "company", json!({ "name": "Acme GmbH", "website": "https://www.acme.example" }));
        let cases: [(&str, Value, &[&str]); 12] = [
            ("contact", json!({ "email": "Annlee+news@googlemail.com" }), &["Ann Lee"]),
            ("contact", json!({ "phone": "030 1234567" }), &["Ann Lee"]),
            ("contact", json!({ "name": "Catharine Schmitt" }), &["Katherine Schmidt"]),
            ("contact", json!({ "name": "Nobody", "email": "KS@acme.example" }), &["Katherine Schmidt"]),
            ("contact", json!({ "name": "Katherine Scgmidt" }), &["Katherine Schmidt"]),
            ("contact", json!({ "name": "Karherine Schmidt" }), &["Katherine Schmidt"]),
            ("contact", json!({ "name": "Katherine Smith" }), &[]),
            ("contact", json!({ "name": "张 伟" }), &["张伟"]),
            ("contact", json!({ "name": "Bo Wong", "email": "bo@acme.example" }), &[]),
            ("company", json!({ "name": "ACME, Inc." }), &["Acme GmbH"]),
            ("company", json!({ "name": "Other", "email": "info@acme.example" }), &["Acme GmbH"]),
            ("deal", json!({ "name": "Ann Lee" }), &[]),
        ];
        for (object, typed, expected) in cases {
            assert_eq!(titles(&similar(desk, &access, object, typed.clone())), expected, "{typed}");
        }
        let found = similar(desk, &access, "contact", json!({ "name": "Lee, Ann", "email": "ann.lee@gmail.com" }));
        assert_eq!(found[0].reasons, [Reason::Email, Reason::Name]);
        let typed = fields(json!({ "name": "Ann Lee" }));
        assert_eq!(desk.similar(&access, "contact", &typed, Some(ann.id)).unwrap(), []);
        // Keys go with the values: changed, into the trash, out of it.
        let mail = || titles(&similar(desk, &access, "contact", json!({ "email": "ann.lee@gmail.com" }))).len();
        update(desk, "contact", ann.id, json!({ "email": "ann@new.example" }));
        assert_eq!(mail(), 0);
        update(desk, "contact", ann.id, json!({ "email": "ann.lee@gmail.com" }));
        assert_eq!(mail(), 1);
        desk.edit(&access, "contact", &[Edit::Delete { id: ann.id, version: None }], None).unwrap();
        assert_eq!(mail(), 0);
        desk.edit(&access, "contact", &[Edit::Restore { id: ann.id }], None).unwrap();
        assert_eq!(mail(), 1);
        assert!(matches!(desk.similar(&access, "nothing", &typed, None), Err(RecordsError::NotFound(_))));
    });
}

#[test]
fn nobody_finds_by_what_they_may_not_see() {
    on_both(|desk| {
        let admin = everything();
        know(desk, &[1, 2], &[]);
        for owner in [1, 2] {
            let given = json!({ "name": format!("Ann {owner}{owner}"), "owner": Id(owner), "email": "ann@acme.example", "phone": "030 1234567" });
            made(desk, &admin, "contact", given);
        }
        let role = |read: Reach, hidden: &[&str]| {
            let hidden = hidden.iter().map(|name| (*name).to_owned()).collect();
            Role { other: Grant { read, hidden, ..Grant::default() }, ..Role::default() }
        };
        let typed = || json!({ "email": "ann@acme.example" });
        let own = person(1, &[], role(Reach::Own, &[]));
        assert_eq!(titles(&similar(desk, &own, "contact", typed())), ["Ann 11"]);
        let blind = person(1, &[], role(Reach::All, &["email", "phone"]));
        assert_eq!(similar(desk, &blind, "contact", typed()), []);
        let none = person(1, &[], role(Reach::None, &[]));
        assert!(matches!(desk.similar(&none, "contact", &fields(typed()), None), Err(RecordsError::Forbidden(_))));
        assert_eq!(queue(desk, &admin, "contact").len(), 1);
        let id = desk.duplicates(&admin, "contact", 1).unwrap()[0].id;
        for access in [&own, &blind] {
            assert_eq!(queue(desk, access, "contact"), []);
        }
        let mut writer = role(Reach::Own, &[]);
        writer.other.update = Reach::All;
        let cases = [&none, &own, &person(1, &[], writer)];
        for access in cases {
            assert!(desk.dismiss_duplicate(access, id).is_err());
        }
        assert_eq!(queue(desk, &admin, "contact").len(), 1);
    });
}

#[test]
fn the_queue_follows_the_records() {
    on_both(|desk| {
        let access = everything();
        let rows = [
            json!({ "name": "Ann Lee", "email": "ann@acme.example" }),
            json!({ "name": "Bo Wong", "email": "bo@acme.example" }),
            json!({ "name": "Lee, Ann", "email": "ANN@acme.example" }),
            json!({ "name": "John Smith" }),
            json!({ "name": "John Smith" }),
        ];
        let rows =
            desk.edit(&access, "contact", &rows.into_iter().map(create).collect::<Vec<_>>(), None).unwrap().records;
        assert_eq!(queue(desk, &access, "contact"), [pair("Ann Lee", "Lee, Ann")]);
        assert_eq!(desk.find_duplicates(100).unwrap(), 0, "nothing is left");
        // A change makes a pair, another takes it away; what has nothing to do with likeness changes nothing.
        update(desk, "contact", rows[1].id, json!({ "email": "ann@acme.example", "name": "Ann Lee" }));
        assert_eq!(queue(desk, &access, "contact").len(), 3);
        update(desk, "contact", rows[1].id, json!({ "email": "bo@acme.example", "name": "Bo Wong" }));
        let before = desk.duplicates(&access, "contact", 10).unwrap();
        update(desk, "contact", rows[0].id, json!({ "city": "Berlin" }));
        assert_eq!(queue(desk, &access, "contact"), [pair("Ann Lee", "Lee, Ann")]);
        assert_eq!(desk.duplicates(&access, "contact", 10).unwrap()[0].id, before[0].id);
        // A company in common makes two of one name a pair.
        let company = made(desk, &access, "company", json!({ "name": "Acme" }));
        for row in &rows[3..] {
            update(desk, "contact", row.id, json!({ "company": company.id }));
        }
        assert_eq!(queue(desk, &access, "contact").len(), 2);
        // Two that are said to be two stay that, also when they change.
        let found = desk.duplicates(&access, "contact", 10).unwrap();
        let smiths = found.iter().find(|pair| pair.one.fields["name"] == "John Smith").unwrap();
        desk.dismiss_duplicate(&access, smiths.id).unwrap();
        assert!(desk.dismiss_duplicate(&access, smiths.id).is_err());
        desk.reopen_duplicate(&access, smiths.id).unwrap();
        assert!(desk.reopen_duplicate(&access, smiths.id).is_err());
        assert_eq!(queue(desk, &access, "contact").len(), 2);
        desk.dismiss_duplicate(&access, smiths.id).unwrap();
        update(desk, "contact", rows[3].id, json!({ "phone": "030 1234567" }));
        update(desk, "contact", rows[4].id, json!({ "phone": "030 1234567" }));
        assert_eq!(queue(desk, &access, "contact"), [pair("Ann Lee", "Lee, Ann")]);
        // The trash holds no pairs.
        desk.edit(&access, "contact", &[Edit::Delete { id: rows[0].id, version: None }], None).unwrap();
        assert_eq!(queue(desk, &access, "contact"), []);
        desk.edit(&access, "contact", &[Edit::Restore { id: rows[0].id }], None).unwrap();
        assert_eq!(queue(desk, &access, "contact"), [pair("Ann Lee", "Lee, Ann")]);
    });
}

#[test]
fn what_thousands_share_makes_no_pairs_and_does_not_hide_others() {
    on_both(|desk| {
        let access = everything();
        // All sound the same and have the same telephone.
        let vowels = ["a", "e", "i", "o", "u"];
        let name = |n: usize| format!("Bo{}{}{}t", vowels[n % 5], vowels[n / 5 % 5], vowels[n / 25]);
        let crowd = (0..60).map(|n| create(json!({ "name": name(n), "phone": "030 1234567" })));
        desk.edit(&access, "contact", &crowd.collect::<Vec<_>>(), None).unwrap();
        assert_eq!(queue(desk, &access, "contact"), []);
        // The spelling leads one to the other all the same.
        made(desk, &access, "contact", json!({ "name": name(7), "phone": "030 1234567" }));
        assert_eq!(queue(desk, &access, "contact"), [pair(&name(7), &name(7))]);
    });
}

#[test]
fn objects_of_the_organisations_own_are_compared_by_their_addresses() {
    on_both(|desk| {
        let access = everything();
        let object = serde_json::from_value(json!({
            "name": "donor", "label": { "en": "Donor", "zh": "捐赠者" }, "plural": { "en": "Donors", "zh": "捐赠者" }, "title": "name",
            "fields": [
                { "name": "name", "label": { "en": "Name", "zh": "姓名" }, "kind": { "type": "text" } },
                { "name": "mail", "label": { "en": "Mail", "zh": "邮箱" }, "kind": { "type": "email" } },
            ],
        }));
        desk.define(&access, object.unwrap()).unwrap();
        for name in ["A", "B"] {
            made(desk, &access, "donor", json!({ "name": name, "mail": "x@acme.example" }));
        }
        made(desk, &access, "contact", json!({ "name": "C", "email": "x@acme.example" }));
        assert_eq!(queue(desk, &access, "donor"), [pair("A", "B")]);
        assert_eq!(queue(desk, &access, "contact"), []);
    });
}
