//! Requests that are at work at once, from two connections to a PostgreSQL: SQLite has one writer. Either may come first; what
//! has to hold holds in both orders.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ScopedJoinHandle},
};

use rapport_testkit::postgres::Server;
use serde_json::{Value, json};

use super::{create, everything, fields, made, opened};
use crate::{
    AuditQuery, Database, Desk, Edit, Edited, Fields, Id, Identity, ListQuery, RecordsError, Tx, edit::Editor,
};

/// How often two race.
const ROUNDS: usize = 12;

/// Runs a case with two processes that have one database.
pub(super) fn on_two(case: impl Fn(&Desk, &Desk)) {
    let server = Server::start().unwrap();
    let url = server.database("records");
    let open = || opened(Database::postgres(&url).unwrap());
    case(&open(), &open());
}

/// Does both at once.
fn at_once<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    let begin = Barrier::new(2);
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            begin.wait();
            one()
        });
        begin.wait();
        let other = other();
        (one.join().unwrap(), other)
    })
}

/// Returns when somebody waits for a transaction, or has come to an end without that.
pub(super) fn wait_for_waiting<T>(tx: &mut Tx<'_>, work: &ScopedJoinHandle<'_, T>) -> Result<(), RecordsError> {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    while !work.is_finished() && tx.query_sql(waiting, &[])?[0].int(0)? == 0 {
        thread::yield_now();
    }
    Ok(())
}

fn update(id: Id, given: Value) -> Edit {
    Edit::Update { id, fields: fields(given), version: None }
}

fn delete(id: Id) -> Edit {
    Edit::Delete { id, version: None }
}

/// Whether it was done; if not, some of its rows were wrong, and nothing else was.
fn is_done(done: &Result<Edited, RecordsError>) -> bool {
    assert!(matches!(done, Ok(_) | Err(RecordsError::Rows(_))), "{done:?}");
    done.is_ok()
}

/// How many lines of the feed tell of a request.
fn lines_of(desk: &Desk, done: &Edited) -> usize {
    desk.audit(&everything(), &AuditQuery { batch: done.batch, limit: 99, ..AuditQuery::default() }).unwrap().len()
}

/// Whether a record has a line in the feed for each of its versions.
fn has_whole_history(desk: &Desk, object: &str, id: Id) -> bool {
    let version = desk.get(&everything(), object, id).unwrap().version;
    let history = desk.history(&everything(), object, id, None, 99).unwrap();
    history.iter().rev().map(|change| change.version).eq(1..=version)
}

fn is_there(desk: &Desk, object: &str, id: Id) -> bool {
    desk.get(&everything(), object, id).is_ok_and(|record| record.deleted_at.is_none())
}

#[test]
fn a_value_that_goes_to_another_request_is_told_by_its_row() {
    on_two(|desk, other| {
        let access = everything();
        let product = |sku: &str| create(json!({ "name": "new", "sku": sku }));
        let (a, b) = (made(desk, &access, "product", json!({ "name": "a", "sku": "a" })).id, product("b"));
        let b = desk.edit(&access, "product", &[b], None).unwrap().records[0].id;
        let many = |last: &str| (0..9).map(|n| product(&format!("{last}{n}"))).chain([product(last)]).collect();
        let cases: [(&str, Vec<Edit>, usize); 3] = [
            ("few", vec![product("x"), product("few")], 1),
            ("many", many("many"), 9),
            ("given", vec![update(a, json!({ "name": "c" })), update(b, json!({ "sku": "given" }))], 1),
        ];
        for (sku, edits, lost) in cases {
            thread::scope(|scope| {
                let late = desk.write(|moment, tx| {
                    Editor::new(moment, &access, "product", None)?.run(tx, &[product(sku)])?;
                    let late = scope.spawn(|| other.edit(&everything(), "product", &edits, None));
                    wait_for_waiting(tx, &late)?;
                    Ok(late)
                });
                let Err(RecordsError::Rows(rows)) = late.unwrap().join().unwrap() else { panic!("{sku} was taken") };
                let rows: Vec<(usize, &str)> = rows.iter().map(|row| (row.index, row.field.as_str())).collect();
                assert_eq!(rows, [(lost, "sku")]);
            });
        }
        assert_eq!(desk.count(&access, "product", None).unwrap(), 5);
    });
}

#[test]
fn an_event_fills_a_contact_that_somebody_makes_meanwhile() {
    on_two(|desk, other| {
        let attributes = fields(json!({ "city": "Rome" }));
        let heard = [Identity { customer: "c".to_owned(), attributes }];
        let made = thread::scope(|scope| {
            let taken = desk.write(|moment, tx| {
                let contact = create(json!({ "name": "Ann", "customer_id": "c" }));
                let made = Editor::new(moment, &everything(), "contact", None)?.run(tx, &[contact])?;
                let taken = scope.spawn(|| other.take_identities(0, 1, &heard));
                wait_for_waiting(tx, &taken)?;
                Ok((made[0], taken))
            });
            let (made, taken) = taken.unwrap();
            taken.join().unwrap().unwrap();
            made
        });
        assert_eq!(desk.get(&everything(), "contact", made).unwrap().fields["city"], "Rome");
        assert_eq!(desk.count(&everything(), "contact", None).unwrap(), 1);
    });
}

#[test]
fn who_gives_way_to_another_transaction_begins_anew() {
    on_two(|desk, other| {
        let access = everything();
        let contacts = ["a", "b"].map(|name| made(desk, &access, "contact", json!({ "name": name })).id);
        let both_hold = Barrier::new(2);
        let tagged = |desk: &Desk, [first, second]: [Id; 2], tag: &str| {
            let is_first_try = AtomicBool::new(true);
            desk.write_anew(|moment, tx| {
                let mut tag = |id, field: &str| {
                    let edit = update(id, json!({ field: tag }));
                    Editor::new(moment, &everything(), "contact", None)?.run(tx, &[edit])
                };
                tag(first, "city")?;
                if is_first_try.swap(false, Ordering::Relaxed) {
                    both_hold.wait();
                }
                tag(second, "city")
            })
        };
        let [a, b] = contacts;
        let (one, another) = at_once(|| tagged(desk, [a, b], "one"), || tagged(other, [b, a], "another"));
        assert!(one.is_ok() && another.is_ok(), "{one:?}, {another:?}");
        let city = |id| desk.get(&access, "contact", id).unwrap().fields["city"].clone();
        assert_eq!(city(a), city(b), "one after the other");
        assert!(contacts.iter().all(|id| has_whole_history(desk, "contact", *id)));
    });
}

#[test]
fn mixed_requests_over_the_same_records_are_each_done_whole_or_not() {
    on_two(|desk, other| {
        let access = everything();
        for round in 0..ROUNDS {
            let sku = |name: &str| format!("{name}{round}");
            let product = |name: &str| made(desk, &access, "product", json!({ "name": name, "sku": sku(name) })).id;
            let products = ["a", "b", "c"].map(product);
            let [a, b, c] = products;
            desk.edit(&access, "product", &[delete(c)], None).unwrap();
            let edits = |name: &str| {
                let new = create(json!({ "name": name, "sku": sku("a") }));
                vec![delete(a), update(b, json!({ "name": name })), new, Edit::Restore { id: c }]
            };
            let (forth, mut back) = (edits("one"), edits("other"));
            back.reverse();
            let (one, another) = at_once(
                || desk.edit(&access, "product", &forth, None),
                || other.edit(&everything(), "product", &back, None),
            );
            let done = [is_done(&one), is_done(&another)];
            assert!(done == [true, false] || done == [false, true], "one found the other's: {one:?}, {another:?}");
            let done = one.or(another).unwrap();
            assert_eq!(lines_of(desk, &done), 4);
            let named = desk.get(&access, "product", b).unwrap().fields["name"].clone();
            let filter = format!("sku == \"{}\"", sku("a"));
            let query = ListQuery { filter: Some(filter), limit: 9, ..ListQuery::default() };
            let with_sku = desk.list(&access, "product", &query).unwrap().records;
            assert_eq!((with_sku.len(), &with_sku[0].fields["name"]), (1, &named));
            assert_eq!(products.map(|id| is_there(desk, "product", id)), [false, true, true]);
            assert!(products.iter().all(|id| has_whole_history(desk, "product", *id)));
        }
    });
}

#[test]
fn long_requests_in_opposite_orders_are_done_one_after_the_other() {
    on_two(|desk, other| {
        let access = everything();
        let contacts: Vec<Edit> = (0..1_100).map(|n| create(json!({ "name": format!("N{n}") }))).collect();
        let ids = desk.edit(&access, "contact", &contacts, None).unwrap().records.into_iter().map(|record| record.id);
        let ids: Vec<Id> = ids.collect();
        let cities = |city: &str| ids.iter().map(|id| update(*id, json!({ "city": city }))).collect::<Vec<_>>();
        let (forth, mut back) = (cities("Bonn"), cities("Rome"));
        back.reverse();
        let (one, another) = at_once(
            || desk.edit(&access, "contact", &forth, None),
            || other.edit(&everything(), "contact", &back, None),
        );
        assert!(is_done(&one) && is_done(&another));
        let last = desk.get(&access, "contact", ids[0]).unwrap().fields["city"].clone();
        let filter = format!("city == {last} && version == 3");
        assert_eq!(desk.count(&access, "contact", Some(&filter)).unwrap(), 1_100, "all are {last}");
    });
}

#[test]
fn of_a_merge_and_who_deletes_the_same_records_one_is_done() {
    on_two(|desk, other| {
        let access = everything();
        for _ in 0..ROUNDS {
            let contacts = ["winner", "loser"].map(|name| made(desk, &access, "contact", json!({ "name": name })).id);
            let [winner, loser] = contacts;
            let deal = made(desk, &access, "deal", json!({ "name": "d", "contact": loser, "contacts": [loser] })).id;
            let (merged, deleted) = at_once(
                || desk.merge(&access, "contact", winner, loser, &Fields::new()),
                || other.edit(&everything(), "contact", &[delete(loser), delete(winner)], None),
            );
            let deal = desk.get(&access, "deal", deal).unwrap().fields;
            let (named, there) = match (&merged, is_done(&deleted)) {
                (Ok(_), false) => (winner, [true, false]),
                (Err(RecordsError::NotFound(_)), true) => (loser, [false, false]),
                _ => panic!("{merged:?}, {deleted:?}"),
            };
            assert_eq!((&deal["contact"], &deal["contacts"]), (&json!(named), &json!([named])));
            assert_eq!(contacts.map(|id| is_there(desk, "contact", id)), there);
            assert!(contacts.iter().all(|id| has_whole_history(desk, "contact", *id)));
        }
    });
}

#[test]
fn of_two_merges_of_the_same_records_one_is_done() {
    on_two(|desk, other| {
        let access = everything();
        for _ in 0..ROUNDS {
            let contacts = ["a", "b"].map(|name| made(desk, &access, "contact", json!({ "name": name })).id);
            let [a, b] = contacts;
            let merge = |desk: &Desk, winner, loser| {
                desk.merge(&everything(), "contact", winner, loser, &Fields::new()).map(|merged| merged.record.id)
            };
            let left = match at_once(|| merge(desk, a, b), || merge(other, b, a)) {
                (Ok(left), Err(RecordsError::NotFound(_))) | (Err(RecordsError::NotFound(_)), Ok(left)) => left,
                both => panic!("{both:?}"),
            };
            assert_eq!(contacts.map(|id| is_there(desk, "contact", id)), contacts.map(|id| id == left));
        }
    });
}

#[test]
fn a_merge_leaves_what_was_given_to_another_meanwhile() {
    on_two(|desk, other| {
        let access = everything();
        let [winner, loser, third] =
            ["winner", "loser", "third"].map(|name| made(desk, &access, "contact", json!({ "name": name })).id);
        let deal = made(desk, &access, "deal", json!({ "name": "d", "contact": loser })).id;
        thread::scope(|scope| {
            let merge = desk.write(|moment, tx| {
                let edit = update(deal, json!({ "contact": third }));
                Editor::new(moment, &access, "deal", None)?.run(tx, &[edit])?;
                let merge = scope.spawn(|| other.merge(&everything(), "contact", winner, loser, &Fields::new()));
                wait_for_waiting(tx, &merge)?;
                Ok(merge)
            });
            assert_eq!(merge.unwrap().join().unwrap().unwrap().moved, 0);
        });
        assert_eq!(desk.get(&access, "deal", deal).unwrap().fields["contact"], json!(third));
        assert!(has_whole_history(desk, "deal", deal));
    });
}

#[test]
fn a_merge_leaves_lists_of_which_the_one_that_goes_was_taken_meanwhile() {
    on_two(|desk, other| {
        let access = everything();
        let [winner, loser, third] =
            ["winner", "loser", "third"].map(|name| made(desk, &access, "contact", json!({ "name": name })).id);
        let deal = |contacts: &[Id]| made(desk, &access, "deal", json!({ "name": "d", "contacts": contacts })).id;
        let (of_it, of_both, stays) = (deal(&[loser]), deal(&[loser, third]), deal(&[loser, third]));
        thread::scope(|scope| {
            let merge = desk.write(|moment, tx| {
                let emptied = update(of_it, json!({ "contacts": [] }));
                let edits =
                    [emptied, update(of_both, json!({ "contacts": [third] })), update(stays, json!({ "name": "e" }))];
                Editor::new(moment, &access, "deal", Some(Id(1)))?.run(tx, &edits)?;
                let merge = scope.spawn(|| other.merge(&everything(), "contact", winner, loser, &Fields::new()));
                wait_for_waiting(tx, &merge)?;
                Ok(merge)
            });
            assert_eq!(merge.unwrap().join().unwrap().unwrap().moved, 1);
        });
        let of = |deal| {
            let deal = desk.get(&access, "deal", deal).unwrap();
            (deal.version, deal.fields.get("contacts").cloned().unwrap_or_default())
        };
        assert_eq!([of_it, of_both].map(of), [(2, json!(null)), (2, json!([third]))]);
        assert_eq!(of(stays), (3, json!([winner, third])));
        assert!([of_it, of_both, stays].iter().all(|id| has_whole_history(desk, "deal", *id)));
    });
}

#[test]
fn what_is_only_changed_can_be_named_meanwhile_however_many_it_is() {
    on_two(|desk, other| {
        let access = everything();
        let companies: Vec<Edit> = (0..501).map(|n| create(json!({ "name": format!("C{n}") }))).collect();
        let ids = desk.edit(&access, "company", &companies, None).unwrap().records.into_iter().map(|record| record.id);
        let ids: Vec<Id> = ids.collect();
        let changes: Vec<Edit> = ids.iter().map(|id| update(*id, json!({ "city": "Bonn" }))).collect();
        thread::scope(|scope| {
            let named = desk.write(|moment, tx| {
                Editor::new(moment, &access, "company", Some(Id(1)))?.run(tx, &changes)?;
                let new = create(json!({ "name": "Ann", "company": ids[0] }));
                let named = scope.spawn(move || other.edit(&everything(), "contact", &[new], None));
                wait_for_waiting(tx, &named)?;
                Ok((named.is_finished(), named))
            });
            let (has_not_waited, named) = named.unwrap();
            assert!(is_done(&named.join().unwrap()) && has_not_waited);
        });
    });
}

#[test]
fn who_stays_in_a_merge_can_be_named_meanwhile() {
    on_two(|desk, other| {
        let access = everything();
        let [winner, loser] = ["a", "b"].map(|name| made(desk, &access, "contact", json!({ "name": name })).id);
        thread::scope(|scope| {
            let merge = desk.write(|moment, tx| {
                let new = create(json!({ "name": "d", "contact": winner }));
                Editor::new(moment, &access, "deal", None)?.run(tx, &[new])?;
                let merge = scope.spawn(|| other.merge(&everything(), "contact", winner, loser, &Fields::new()));
                wait_for_waiting(tx, &merge)?;
                Ok((merge.is_finished(), merge))
            });
            let (has_not_waited, merge) = merge.unwrap();
            assert!(merge.join().unwrap().is_ok() && has_not_waited);
        });
    });
}

#[test]
fn what_comes_back_while_the_trash_is_emptied_comes_whole_or_is_gone() {
    on_two(|desk, other| {
        let access = everything();
        for _ in 0..ROUNDS {
            let contacts = [0; 5].map(|_| made(desk, &access, "contact", json!({ "name": "c" })).id);
            let deal = made(desk, &access, "deal", json!({ "name": "d", "contacts": contacts })).id;
            desk.edit(&access, "contact", &contacts.map(delete), None).unwrap();
            let back = [contacts[4], contacts[0], contacts[2]];
            let (gone, restored) = at_once(
                || desk.empty_trash(&access, "contact").unwrap(),
                || other.edit(&everything(), "contact", &back.map(|id| Edit::Restore { id }), None),
            );
            let is_back = is_done(&restored);
            assert_eq!(gone, if is_back { 2 } else { 5 });
            assert_eq!(back.map(|id| is_there(desk, "contact", id)), [is_back; 3]);
            let mut named = if is_back { back.to_vec() } else { Vec::new() };
            named.sort_unstable();
            let deal = desk.get(&access, "deal", deal).unwrap().fields;
            assert_eq!(deal.get("contacts").unwrap_or(&json!([])), &json!(named));
        }
    });
}
