//! Records: made, read, listed, changed, deleted, undone.

use serde_json::{Value, json};

use super::{create, everything, fields, know, made, on_both, person};
use crate::{AggregateQuery, Desk, Edit, Fault, Grant, Id, ListQuery, Once, Op, Page, Reach, RecordsError, Role};

fn list(desk: &Desk, access: &crate::Access, object: &str, filter: &str) -> Page {
    let query = ListQuery {
        filter: Some(filter.to_owned()),
        limit: 100,
        sort: Some("created_at".to_owned()),
        ..ListQuery::default()
    };
    desk.list(access, object, &query).unwrap_or_else(|error| panic!("{filter}: {error}"))
}

fn names(page: &Page) -> Vec<&str> {
    page.records.iter().map(|record| record.fields["name"].as_str().unwrap()).collect()
}

#[test]
fn a_record_is_read_as_it_was_written() {
    on_both(|desk| {
        let access = everything();
        let company = made(desk, &access, "company", json!({ "name": "Acme", "domain": "acme.example" }));
        let given = json!({
            "first_name": "Ann", "last_name": "Lee", "email": "Ann.Lee@Example.com", "other_phones": ["+49 30 1234", "030-99"],
            "company": company.id, "lifecycle": "Customer", "birthday": "1980-02-29", "marketing_consent": true,
            "tags": ["vip"], "address": { "city": "Köln", "country": "DE" }, "website": "example.com/ann",
        });
        let contact = made(desk, &access, "contact", given);
        assert_eq!(contact.version, 1);
        let read = desk.get(&access, "contact", contact.id).unwrap();
        let expected = json!({
            "name": "Ann Lee", "first_name": "Ann", "last_name": "Lee", "email": "ann.lee@example.com",
            "other_phones": ["+49 30 1234", "030-99"], "company": company.id, "lifecycle": "customer", "birthday": "1980-02-29",
            "marketing_consent": true, "tags": ["vip"], "address": { "city": "Köln", "country": "DE" },
            "website": "https://example.com/ann",
        });
        assert_eq!(Value::Object(read.fields), expected);
        assert_eq!(read.related["company"]["title"], "Acme");
        let chinese = made(desk, &access, "contact", json!({ "first_name": "伟", "last_name": "张" }));
        assert_eq!(chinese.fields["name"], "张伟");
    });
}

#[test]
fn wrong_values_are_told_by_their_field() {
    on_both(|desk| {
        let access = everything();
        let cases = [
            (json!({}), "name"),
            (json!({ "name": "A", "email": "nobody" }), "email"),
            (json!({ "name": "A", "emial": "a@b.cd" }), "emial"),
            (json!({ "name": "A", "birthday": "1980-02-30" }), "birthday"),
            (json!({ "name": "A", "lifecycle": "unborn" }), "lifecycle"),
            (json!({ "name": "A", "company": "0000000000001" }), "company"),
            (json!({ "name": "A", "website": "javascript:alert(1)" }), "website"),
            (json!({ "name": "A\nB" }), "name"),
            (json!({ "name": "A", "id": "0000000000001" }), "id"),
            (json!({ "name": "A", "created_by": "user:0000000000001" }), "created_by"),
            (json!({ "name": "A", "owner": "0000000000001" }), "owner"),
            (json!({ "name": "A", "description": "\u{0}" }), "description"),
        ];
        for (given, wrong) in cases {
            match desk.edit(&access, "contact", &[create(given.clone())], None) {
                Err(RecordsError::Invalid { field, .. }) => assert_eq!(field, wrong, "{given}"),
                other => panic!("{given}: {other:?}"),
            }
        }
        assert_eq!(desk.count(&access, "contact", None).unwrap(), 0);
    });
}

#[test]
fn json_may_speak_of_the_character_that_it_may_not_have() {
    on_both(|desk| {
        let access = everything();
        let items = json!([{ "escape\\u0000": "C:\\u0000" }]);
        let order = made(desk, &access, "order", json!({ "number": "1", "items": items }));
        assert_eq!(desk.get(&access, "order", order.id).unwrap().fields["items"], items);
        for wrong in [json!(["a\u{0}"]), json!({ "a": { "b\u{0}": 1 } })] {
            let refused = desk.edit(&access, "order", &[create(json!({ "number": "2", "items": wrong }))], None);
            assert!(matches!(&refused, Err(RecordsError::Invalid { field, .. }) if field == "items"), "{refused:?}");
        }
    });
}

#[test]
fn conditions_find_what_they_are_true_of() {
    on_both(|desk| {
        let access = everything();
        let acme = made(desk, &access, "company", json!({ "name": "Acme", "industry": "retail" }));
        let other = made(desk, &access, "company", json!({ "name": "Other", "industry": "mining" }));
        let deals = [
            json!({ "name": "one", "amount": { "amount": "1000.50", "currency": "EUR" }, "company": acme.id, "close_date": "2026-01-10" }),
            json!({ "name": "two", "amount": 99.99, "company": other.id, "tags": ["vip", "partner"] }),
            json!({ "name": "three", "probability": 50, "amount": 10 }),
        ];
        for deal in deals {
            made(desk, &access, "deal", deal);
        }
        let cases: [(&str, &[&str]); 14] = [
            ("amount > 100", &["one"]),
            ("amount == 99.99", &["two"]),
            ("company.industry == \"retail\"", &["one"]),
            ("company.industry != \"retail\"", &["two", "three"]),
            ("\"vip\" in tags", &["two"]),
            ("size(tags) == 2", &["two"]),
            ("company == null", &["three"]),
            ("stage.outcome == \"open\" && probability == 10", &["one", "two"]),
            ("close_date < timestamp(\"2026-02-01\")", &["one"]),
            ("weighted == 5", &["three"]),
            ("name in [\"one\", \"three\"]", &["one", "three"]),
            ("name.search(\"TW\") || name.startsWith(\"th\")", &["two", "three"]),
            ("created_at <= now() && created_at > now() - duration(\"1d\")", &["one", "two", "three"]),
            ("name == \"'; DROP TABLE o_deal; --\"", &[]),
        ];
        for (filter, expected) in cases {
            assert_eq!(names(&list(desk, &access, "deal", filter)), expected, "{filter}");
        }
        let id = format!("company == \"{}\"", acme.id);
        assert_eq!(names(&list(desk, &access, "deal", &id)), ["one"]);
        for wrong in ["amoun > 1", "amount > \"x\"", "company < \"x\"", "company.nothing == 1", "name = 1", "1"] {
            let query = ListQuery { filter: Some(wrong.to_owned()), limit: 1, ..ListQuery::default() };
            assert!(matches!(desk.list(&access, "deal", &query), Err(RecordsError::Condition(_))), "{wrong}");
        }
    });
}

#[test]
fn pages_hold_every_record_once_while_rows_come_and_go() {
    on_both(|desk| {
        let access = everything();
        let create_some = (0..25).map(|n| {
            let city = (n % 3 != 0).then(|| format!("C{}", n % 5));
            create(json!({ "name": format!("N{n:02}"), "city": city }))
        });
        desk.edit(&access, "contact", &create_some.collect::<Vec<_>>(), None).unwrap();
        for sort in ["city", "-city", "name", "-name", "created_at", "-created_at", "-updated_at", "birthday"] {
            let mut query = ListQuery { sort: Some(sort.to_owned()), limit: 4, ..ListQuery::default() };
            let mut seen: Vec<String> = Vec::new();
            let mut values: Vec<Value> = Vec::new();
            loop {
                let page = desk.list(&access, "contact", &query).unwrap();
                for record in &page.records {
                    seen.push(record.fields["name"].as_str().unwrap().to_owned());
                    values.push(record.fields.get("city").cloned().unwrap_or(json!("")));
                }
                let extra = made(desk, &access, "contact", json!({ "name": "extra", "city": "A" }));
                desk.edit(&access, "contact", &[Edit::Delete { id: extra.id, version: None }], None).unwrap();
                let Some(next) = page.next else { break };
                query.cursor = Some(next);
            }
            seen.retain(|name| name != "extra");
            assert_eq!(seen.len(), 25, "{sort}: {seen:?}");
            let sorted = |texts: &[Value]| texts.is_sorted_by(|a, b| a.as_str() <= b.as_str());
            match sort {
                "city" => assert!(sorted(&values), "{values:?}"),
                "-city" => assert!(sorted(&values.into_iter().rev().collect::<Vec<_>>())),
                _ => {}
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 25, "{sort}");
        }
        // A page can be jumped to: from the beginning, from a cursor, and from the end by the reverse order.
        let page = |sort: &str, cursor: Option<String>, skip, limit| {
            let query = ListQuery { sort: Some(sort.to_owned()), cursor, skip, limit, ..ListQuery::default() };
            desk.list(&access, "contact", &query).unwrap()
        };
        let whole = page("city", None, 0, 100);
        let tenth = page("city", None, 0, 10);
        assert_eq!(names(&page("city", None, 17, 3)), names(&whole)[17..20]);
        assert_eq!(names(&page("city", tenth.next, 7, 3)), names(&whole)[17..20]);
        let from_end = page("-city", None, 25 - 20, 3);
        let back: Vec<_> = names(&from_end).into_iter().rev().collect();
        assert_eq!(back, names(&whole)[17..20]);
        let far = ListQuery { skip: u64::MAX, limit: 4, ..ListQuery::default() };
        assert!(matches!(desk.list(&access, "contact", &far), Err(RecordsError::Invalid { .. })));
        let trash = ListQuery { trash: true, limit: 100, ..ListQuery::default() };
        let thrown = desk.list(&access, "contact", &trash).unwrap().records.len() as u64;
        assert!(thrown > 0);
        assert_eq!(desk.count_listed(&access, "contact", &trash).unwrap(), thrown);
        let query = ListQuery {
            sort: Some("city".to_owned()),
            cursor: Some("AAAA".to_owned()),
            limit: 4,
            ..ListQuery::default()
        };
        assert!(matches!(desk.list(&access, "contact", &query), Err(RecordsError::Invalid { .. })));
    });
}

#[test]
fn a_jump_is_to_where_the_pages_before_lead_and_passes_over_the_trash() {
    on_both(|desk| {
        let access = everything();
        let some =
            (0..30).map(|n| create(json!({ "name": format!("N{:02}", n * 7 % 30), "city": format!("C{}", n % 4) })));
        let made = desk.edit(&access, "contact", &some.collect::<Vec<_>>(), None).unwrap().records;
        let gone = made.iter().step_by(3).map(|record| Edit::Delete { id: record.id, version: None });
        desk.edit(&access, "contact", &gone.collect::<Vec<_>>(), None).unwrap();
        for (trash, held) in [(false, 20), (true, 10)] {
            for sort in [None, Some("created_at"), Some("name"), Some("-name"), Some("-updated_at"), Some("city")] {
                let sort = sort.map(str::to_owned);
                let page = |cursor: Option<String>, skip, limit| {
                    let query = ListQuery { sort: sort.clone(), trash, cursor, skip, limit, ..ListQuery::default() };
                    desk.list(&access, "contact", &query).unwrap()
                };
                let whole = page(None, 0, 100);
                assert_eq!(whole.records.len(), held);
                let first = page(None, 0, 3);
                for skip in 0..held {
                    let expected = &names(&whole)[skip..held.min(skip + 4)];
                    let jumped = page(None, skip as u64, 4);
                    assert_eq!(names(&jumped), expected, "{sort:?} {trash} {skip}");
                    assert_eq!(jumped.next.is_some(), skip + 4 < held, "{sort:?} {trash} {skip}");
                    if let Some(more) = skip.checked_sub(3) {
                        assert_eq!(
                            names(&page(first.next.clone(), more as u64, 4)),
                            expected,
                            "{sort:?} {trash} {skip}"
                        );
                    }
                }
                assert_eq!(names(&page(None, held as u64, 4)), Vec::<&str>::new());
            }
        }
    });
}

#[test]
fn a_jump_in_what_ones_teams_own_leaves_out_theirs_alone() {
    on_both(|desk| {
        know(desk, &[1, 2, 3], &[10, 20]);
        for (name, owner, team) in [("a", 3, 20), ("b", 1, 10), ("c", 3, 20), ("d", 2, 10), ("e", 1, 10)] {
            made(desk, &everything(), "contact", json!({ "name": name, "owner": Id(owner), "team": Id(team) }));
        }
        let grant = Grant { read: Reach::Team, ..Grant::default() };
        let access = person(1, &[10], Role { other: grant, ..Role::default() });
        for (sort, skip, expected) in
            [("name", 0, vec!["b", "d"]), ("name", 1, vec!["d", "e"]), ("-name", 2, vec!["b"])]
        {
            let query = ListQuery { limit: 2, skip, sort: Some(sort.to_owned()), ..ListQuery::default() };
            assert_eq!(names(&desk.list(&access, "contact", &query).unwrap()), expected, "{sort} {skip}");
        }
    });
}

#[test]
fn nobody_sees_or_changes_what_they_may_not() {
    on_both(|desk| {
        let admin = everything();
        know(desk, &[1, 2, 3], &[10, 20]);
        for (name, owner, team, country) in [("mine", 1, 10, "DE"), ("team", 2, 10, "FR"), ("other", 3, 20, "DE")] {
            made(
                desk,
                &admin,
                "contact",
                json!({ "name": name, "owner": Id(owner), "team": Id(team), "country": country, "phone": "12345" }),
            );
        }
        let role = |read: Reach, update: Reach| {
            let grant = Grant {
                read,
                update,
                delete: Reach::Own,
                hidden: vec!["phone".to_owned()],
                locked: vec!["city".to_owned()],
                create: false,
            };
            Role { other: grant, ..Role::default() }
        };
        let cases = [
            (Reach::Own, vec!["mine"]),
            (Reach::Team, vec!["mine", "team"]),
            (Reach::All, vec!["mine", "team", "other"]),
            (Reach::Condition("country == \"DE\" && owner == me()".to_owned()), vec!["mine"]),
        ];
        for (reach, expected) in cases {
            let access = person(1, &[10], role(reach.clone(), reach.clone()));
            let page = desk
                .list(
                    &access,
                    "contact",
                    &ListQuery { limit: 10, sort: Some("created_at".to_owned()), ..ListQuery::default() },
                )
                .unwrap();
            assert_eq!(names(&page), expected, "{reach:?}");
            assert_eq!(desk.count(&access, "contact", None).unwrap(), expected.len() as u64);
            assert!(page.records.iter().all(|record| !record.fields.contains_key("phone")));
        }
        let access = person(1, &[10], role(Reach::Team, Reach::Own));
        let all = list(desk, &admin, "contact", "true == true").records;
        let (mine, team, other) = (all[0].id, all[1].id, all[2].id);
        let change = |id, given| {
            desk.edit(&access, "contact", &[Edit::Update { id, fields: fields(given), version: None }], None)
        };
        assert!(matches!(desk.get(&access, "contact", other), Err(RecordsError::NotFound(_))));
        assert!(matches!(change(other, json!({ "country": "X" })), Err(RecordsError::NotFound(_))));
        assert!(matches!(change(team, json!({ "country": "X" })), Err(RecordsError::Forbidden(_))));
        assert!(matches!(change(mine, json!({ "city": "X" })), Err(RecordsError::Invalid { .. })));
        assert!(matches!(change(mine, json!({ "phone": "9999" })), Err(RecordsError::Invalid { .. })));
        assert!(change(mine, json!({ "country": "AT" })).is_ok());
        assert!(matches!(
            desk.edit(&access, "contact", &[create(json!({ "name": "new" }))], None),
            Err(RecordsError::Forbidden(_))
        ));
        for query in [
            ListQuery { filter: Some("phone == \"12345\"".to_owned()), limit: 10, ..ListQuery::default() },
            ListQuery { sort: Some("phone".to_owned()), limit: 10, ..ListQuery::default() },
            ListQuery { fields: Some(vec!["phone".to_owned()]), limit: 10, ..ListQuery::default() },
        ] {
            assert!(desk.list(&access, "contact", &query).is_err(), "{query:?}");
        }
        let by_phone = AggregateQuery { group: "phone".to_owned(), ..AggregateQuery::default() };
        assert!(desk.aggregate(&access, "contact", &by_phone).is_err());
        let (seen, _) = desk.changes(&access, 0, 500).unwrap();
        let contacts: Vec<Id> =
            seen.iter().filter(|change| change.object == "contact").map(|change| change.record).collect();
        assert_eq!(contacts, [mine, team, mine]);
        assert!(seen.iter().all(|change| !change.after.contains_key("phone")));
        // What may not be read is not found by way of a relation either.
        let deal = made(desk, &admin, "deal", json!({ "name": "d", "contact": other, "owner": Id(1) }));
        assert_eq!(list(desk, &access, "deal", "contact.country == \"DE\"").records.len(), 0);
        assert!(desk.get(&access, "deal", deal.id).unwrap().related.get("contact").is_none());
        assert!(matches!(change(mine, json!({ "owner": Id(99) })), Err(RecordsError::Invalid { .. })));
    });
}

#[test]
fn what_only_one_may_have_goes_from_one_to_another_in_one_request() {
    on_both(|desk| {
        let access = everything();
        let contact = |id: &str| made(desk, &access, "contact", json!({ "name": id, "customer_id": id })).id;
        let (one, other) = (contact("a"), contact("b"));
        let give = |id: &str| Edit::Update { id: one, fields: fields(json!({ "customer_id": id })), version: None };
        let edit = |edits: Vec<Edit>| desk.edit(&access, "contact", &edits, None).unwrap().batch.unwrap();
        let batch = edit(vec![give("b"), Edit::Delete { id: other, version: None }]);
        edit(vec![Edit::Restore { id: other }, give("c")]);
        assert_eq!(desk.get(&access, "contact", other).unwrap().fields["customer_id"], "b");
        edit(vec![give("b"), Edit::Delete { id: other, version: None }]);
        assert_eq!(desk.undo(&access, batch).unwrap_err().fault(), Fault::Caller, "both were changed since");
        let again = edit(vec![give("d"), Edit::Restore { id: other }]);
        assert_eq!(desk.undo(&access, again).unwrap().kept, []);
        assert_eq!(desk.get(&access, "contact", one).unwrap().fields["customer_id"], "b");
        let twice = vec![give("e"), give("f")];
        assert!(desk.edit(&access, "contact", &twice, None).is_err());
    });
}

#[test]
fn a_stale_version_is_refused_and_a_repeat_is_answered_once() {
    on_both(|desk| {
        let access = everything();
        let contact = made(desk, &access, "contact", json!({ "name": "A" }));
        let update = |name: &str, version| {
            vec![Edit::Update { id: contact.id, fields: fields(json!({ "name": name })), version }]
        };
        assert_eq!(desk.edit(&access, "contact", &update("B", Some(1)), None).unwrap().records[0].version, 2);
        assert!(matches!(
            desk.edit(&access, "contact", &update("C", Some(1)), None),
            Err(RecordsError::Stale { current: 2 })
        ));
        assert_eq!(
            desk.edit(&access, "contact", &update("B", None), None).unwrap().records[0].version,
            2,
            "nothing changed"
        );
        let once = Once { key: "k1".to_owned(), request: [1; 32] };
        let first = desk.edit(&access, "contact", &[create(json!({ "name": "once" }))], Some(&once)).unwrap();
        let again = desk.edit(&access, "contact", &[create(json!({ "name": "once" }))], Some(&once)).unwrap();
        assert_eq!(first, again);
        assert_eq!(desk.count(&access, "contact", Some("name == \"once\"")).unwrap(), 1);
        let other = Once { request: [2; 32], ..once };
        assert!(desk.edit(&access, "contact", &[create(json!({ "name": "other" }))], Some(&other)).is_err());
    });
}

#[test]
fn many_edits_happen_all_or_none_and_can_be_undone() {
    on_both(|desk| {
        let access = everything();
        let wrong = vec![
            create(json!({ "name": "a", "sku": "1" })),
            create(json!({ "name": "b", "sku": "1" })),
            create(json!({ "sku": "3" })),
        ];
        match desk.edit(&access, "product", &wrong, None) {
            Err(RecordsError::Rows(rows)) => assert_eq!(
                rows.iter().map(|row| (row.index, row.field.as_str())).collect::<Vec<_>>(),
                [(1, "sku"), (2, "name")]
            ),
            other => panic!("{other:?}"),
        }
        let taken = vec![create(json!({ "name": "a", "sku": "1" })), create(json!({ "name": "b", "sku": "1" }))];
        assert!(matches!(desk.edit(&access, "product", &taken, None), Err(RecordsError::Rows(_))));
        assert_eq!(desk.count(&access, "product", None).unwrap(), 0);
        let upsert = |sku: &str, name: &str| Edit::Upsert {
            key: "sku".to_owned(),
            fields: fields(json!({ "sku": sku, "name": name })),
        };
        let first = desk.edit(&access, "product", &[upsert("1", "one"), upsert("2", "two")], None).unwrap();
        let second = desk.edit(&access, "product", &[upsert("1", "uno"), upsert("3", "three")], None).unwrap();
        assert_eq!(second.records[0].id, first.records[0].id);
        assert_eq!(desk.count(&access, "product", None).unwrap(), 3);
        desk.edit(
            &access,
            "product",
            &[Edit::Update { id: second.records[1].id, fields: fields(json!({ "name": "drei" })), version: None }],
            None,
        )
        .unwrap();
        let undone = desk.undo(&access, second.batch.unwrap()).unwrap();
        assert_eq!((undone.undone, undone.kept.len()), (1, 1));
        assert_eq!(undone.kept[0].id, second.records[1].id);
        assert_eq!(desk.get(&access, "product", first.records[0].id).unwrap().fields["name"], "one");
        assert!(desk.undo(&access, second.batch.unwrap()).is_err());
        let history = desk.history(&access, "product", first.records[0].id, None, 10).unwrap();
        let told: Vec<(Op, Value)> = history.iter().map(|change| (change.op, change.after["name"].clone())).collect();
        assert_eq!(told, [(Op::Update, json!("one")), (Op::Update, json!("uno")), (Op::Create, json!("one"))]);
        let alone = desk.edit(&access, "product", &[upsert("9", "nine")], None).unwrap();
        assert_eq!(alone.batch, None);
        let together = desk.edit_together(&access, "product", &[upsert("9", "neuf")], None).unwrap();
        desk.undo(&access, together.batch.unwrap()).unwrap();
        assert_eq!(desk.get(&access, "product", alone.records[0].id).unwrap().fields["name"], "nine");
        assert_eq!(desk.edit_together(&access, "product", &[], None).unwrap().batch, None);
    });
}

#[test]
fn a_stage_or_pipeline_goes_when_no_record_is_in_it() {
    on_both(|desk| {
        let access = everything();
        let deal = made(desk, &access, "deal", json!({ "name": "d" }));
        let stage: Id = deal.fields["stage"].as_str().unwrap().parse().unwrap();
        let remove = |object: &str, id| desk.edit(&access, object, &[Edit::Delete { id, version: None }], None);
        let refused = remove("stage", stage).unwrap_err();
        assert!(
            matches!(&refused, RecordsError::Conflict(what) if what.contains("deals in this stage")),
            "{refused:?}"
        );
        let pipeline: Id = deal.fields["pipeline"].as_str().unwrap().parse().unwrap();
        let refused = remove("pipeline", pipeline).unwrap_err();
        assert!(
            matches!(&refused, RecordsError::Conflict(what) if what.contains("deals in this pipeline")),
            "{refused:?}"
        );
        remove("deal", deal.id).unwrap();
        remove("stage", stage).unwrap();
        remove("pipeline", pipeline).unwrap();
    });
}

#[test]
fn deals_follow_their_stages_and_boards_count_them() {
    on_both(|desk| {
        let access = everything();
        let stages = list(desk, &access, "stage", "outcome == \"won\"").records;
        let deal = made(desk, &access, "deal", json!({ "name": "d", "amount": { "amount": 10.5, "currency": "EUR" } }));
        made(desk, &access, "deal", json!({ "name": "e", "amount": { "amount": 4.5, "currency": "EUR" } }));
        made(desk, &access, "deal", json!({ "name": "f", "amount": { "amount": 7, "currency": "USD" } }));
        assert_eq!(deal.fields["probability"], 10);
        let query = AggregateQuery { group: "stage".to_owned(), sum: Some("amount".to_owned()), filter: None };
        let groups = desk.aggregate(&access, "deal", &query).unwrap();
        assert_eq!(groups.len(), 1);
        assert_eq!((groups[0].count, &groups[0].sums), (3, &fields(json!({ "EUR": 15.0, "USD": 7.0 }))));
        let won = desk
            .edit(
                &access,
                "deal",
                &[Edit::Update { id: deal.id, fields: fields(json!({ "stage": stages[0].id })), version: None }],
                None,
            )
            .unwrap();
        assert_eq!(won.records[0].fields["probability"], 100);
        assert!(won.records[0].fields.contains_key("closed_at"));
        assert_eq!(desk.aggregate(&access, "deal", &query).unwrap().len(), 2);
    });
}

#[test]
fn custom_objects_are_first_class() {
    on_both(|desk| {
        let access = everything();
        let object: crate::schema::Object = serde_json::from_value(json!({
            "name": "car", "label": { "en": "Car", "zh": "汽车" }, "plural": { "en": "Cars", "zh": "汽车" }, "title": "plate",
            "fields": [
                { "name": "plate", "label": { "en": "Plate", "zh": "车牌" }, "kind": { "type": "text" }, "required": true, "unique": true },
                { "name": "driver", "label": { "en": "Driver", "zh": "司机" }, "kind": { "type": "relation", "object": "contact" } },
                { "name": "drivers", "label": { "en": "Drivers", "zh": "司机" }, "kind": { "type": "relations", "object": "contact" } },
                { "name": "km", "label": { "en": "km", "zh": "公里" }, "kind": { "type": "number" } },
                { "name": "miles", "label": { "en": "miles", "zh": "英里" }, "kind": { "type": "formula", "expression": "km * 0.621371" } },
            ],
        })).unwrap();
        desk.define(&access, object.clone()).unwrap();
        let (ann, bob) = (
            made(desk, &access, "contact", json!({ "name": "Ann" })),
            made(desk, &access, "contact", json!({ "name": "Bob" })),
        );
        let car = made(
            desk,
            &access,
            "car",
            json!({ "plate": "B-1", "driver": ann.id, "drivers": [ann.id, bob.id], "km": 100 }),
        );
        assert!((car.fields["miles"].as_f64().unwrap() - 62.1371).abs() < 1e-9);
        assert_eq!(car.fields["drivers"], json!([ann.id, bob.id]));
        let found = |filter: &str| desk.count(&access, "car", Some(filter)).unwrap();
        assert_eq!(found("driver.name == \"Ann\" && miles > 62"), 1);
        assert_eq!(found(&format!("\"{}\" in drivers", bob.id)), 1);
        let read = desk.get(&access, "car", car.id).unwrap();
        assert_eq!(read.related["drivers"][1]["title"], "Bob");
        let mut bad = object.clone();
        bad.fields[4].kind = crate::schema::FieldKind::Formula { expression: "km * unknown".to_owned() };
        assert!(desk.define(&access, bad).is_err());
        let mut gone = object.clone();
        gone.fields[3].retired = true;
        gone.fields[4].retired = true;
        desk.define(&access, gone).unwrap();
        assert!(desk.count(&access, "car", Some("km > 1")).is_err());
        desk.define(&access, object).unwrap();
        assert_eq!(found("km == 100"), 1, "values of a field that comes back are there");
        assert!(desk.define(&person(1, &[], Role::manager()), desk.schema().object("car").unwrap().clone()).is_err());
        desk.reload().unwrap();
        assert!(desk.schema().object("car").is_some());
    });
}

#[test]
fn a_condition_over_a_records_own_kind_goes_by_the_right_record() {
    on_both(|desk| {
        let admin = everything();
        let company = |value| made(desk, &admin, "company", value);
        let eu = company(json!({ "name": "EU" }));
        let inside = company(json!({ "name": "inside", "parent": eu.id, "employees": 7 }));
        let outside = company(json!({ "name": "outside", "employees": 7 }));
        for (name, of) in [("a", inside.id), ("b", outside.id)] {
            made(desk, &admin, "deal", json!({ "name": name, "company": of }));
        }
        let grant = Grant { read: Reach::Condition("parent.name == \"EU\"".to_owned()), ..Grant::default() };
        let mut role = Role::reader();
        role.objects.insert("company".to_owned(), grant);
        let access = person(1, &[], role);
        assert_eq!(names(&list(desk, &access, "company", "employees == 7")), ["inside"]);
        assert_eq!(names(&list(desk, &access, "deal", "company.employees == 7")), ["a"]);
        let itself = Edit::Update { id: eu.id, fields: fields(json!({ "parent": eu.id })), version: None };
        assert!(matches!(
            desk.edit(&admin, "company", &[itself], None),
            Err(RecordsError::Invalid { field, .. }) if field == "parent"
        ));
    });
}

#[test]
fn a_repeat_is_answered_with_the_rights_of_now() {
    on_both(|desk| {
        know(desk, &[1], &[]);
        let once = Once::of("k", &["request"]);
        let edit = || vec![create(json!({ "name": "A", "phone": "12345" }))];
        let first = desk.edit(&person(1, &[], Role::manager()), "contact", &edit(), Some(&once)).unwrap();
        assert_eq!(first.records[0].fields["phone"], "12345");
        let mut role = Role::manager();
        role.other.hidden = vec!["phone".to_owned()];
        let again = desk.edit(&person(1, &[], role), "contact", &edit(), Some(&once)).unwrap();
        assert_eq!(again.records[0].id, first.records[0].id);
        assert!(!again.records[0].fields.contains_key("phone"));
    });
}
