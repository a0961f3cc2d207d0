//! Requests of many edits: in what order they are done, and that one that is wrong is written in no part.

use proptest::{
    prelude::{Just, Strategy as _},
    prop_oneof,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};

use super::{NOW, create, everything, fields, made, on_both};
use crate::{
    AuditQuery, Desk, Edit, Id, Op, RecordsError, RowError, Tx,
    desk::Moment,
    edit::{Each, Editor, Given, Outcome},
};

fn update(id: Id, given: Value) -> Edit {
    Edit::Update { id, fields: fields(given), version: None }
}

fn delete(id: Id) -> Edit {
    Edit::Delete { id, version: None }
}

fn told(refused: Result<crate::Edited, RecordsError>) -> Vec<(usize, String)> {
    let Err(RecordsError::Rows(rows)) = refused else { panic!("{refused:?}") };
    rows.into_iter().map(|row| (row.index, row.field)).collect()
}

/// What products are there, by their numbers.
fn products(desk: &Desk) -> Vec<(String, String)> {
    let query = crate::ListQuery { limit: 99, sort: Some("sku".to_owned()), ..crate::ListQuery::default() };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let products = desk.list(&everything(), "product", &query).unwrap().records;
    products.iter().map(|product| (text(&product.fields["sku"]), text(&product.fields["name"]))).collect()
}

#[test]
fn what_is_deleted_or_changed_leaves_its_value_to_what_is_new() {
    on_both(|desk| {
        let access = everything();
        let product = |sku: &str| made(desk, &access, "product", json!({ "name": "old", "sku": sku })).id;
        let (a, b) = (product("a"), product("b"));
        let before = products(desk);
        let new = |sku: &str| create(json!({ "name": "new", "sku": sku }));
        let edits = vec![new("a"), update(b, json!({ "sku": "c" })), new("b"), delete(a)];
        let done = desk.edit(&access, "product", &edits, None).unwrap();
        let ids: Vec<Id> = done.records.iter().map(|record| record.id).collect();
        assert_eq!((ids.len(), ids[1], ids[3]), (4, b, a), "in the order of the edits");
        assert_eq!((&done.records[0].fields["sku"], &done.records[2].fields["sku"]), (&json!("a"), &json!("b")));
        let pair = |sku: &str, name: &str| (sku.to_owned(), name.to_owned());
        assert_eq!(products(desk), [pair("a", "new"), pair("b", "new"), pair("c", "old")]);
        // The feed tells of it in the order in which it was done; backwards it can be taken back.
        let lines = desk.audit(&access, &AuditQuery { batch: done.batch, limit: 9, ..AuditQuery::default() }).unwrap();
        let lines: Vec<(Op, Id)> = lines.iter().rev().map(|line| (line.op, line.record)).collect();
        assert_eq!(lines, [(Op::Delete, a), (Op::Update, b), (Op::Create, ids[0]), (Op::Create, ids[2])]);
        assert_eq!(desk.undo(&access, done.batch.unwrap()).unwrap().kept, []);
        assert_eq!(products(desk), before);
        // What comes back comes last, and finds its value given away.
        desk.edit(&access, "product", &[delete(a)], None).unwrap();
        let refused = desk.edit(&access, "product", &[Edit::Restore { id: a }, new("a")], None);
        assert_eq!(told(refused), [(0, "sku".to_owned())]);
    });
}

#[test]
fn nothing_new_names_what_the_same_request_deletes() {
    on_both(|desk| {
        let access = everything();
        let company = |value| made(desk, &access, "company", value).id;
        let gone = company(json!({ "name": "gone" }));
        let names_it = || create(json!({ "name": "new", "parent": gone }));
        assert_eq!(told(desk.edit(&access, "company", &[names_it(), delete(gone)], None)), [(0, "parent".to_owned())]);
        // Also where it is not written, since something else is wrong.
        let nobody = delete(Id(1));
        let refused = desk.edit(&access, "company", &[names_it(), nobody, delete(gone)], None);
        assert_eq!(told(refused), [(0, "parent".to_owned()), (1, "id".to_owned())]);
        assert_eq!(desk.count(&access, "company", None).unwrap(), 1);
    });
}

#[test]
fn of_a_request_that_is_wrong_nothing_is_written_and_everything_is_told() {
    on_both(|desk| {
        let access = everything();
        let product = |sku: &str| made(desk, &access, "product", json!({ "name": "old", "sku": sku })).id;
        let (a, b) = (product("a"), product("b"));
        let new = |sku: &str| create(json!({ "name": "new", "sku": sku }));
        let many = (0..600).map(|n| new(&format!("n{n}")));
        let mut edits = vec![update(Id(1), json!({})), delete(a), update(b, json!({ "sku": "a" })), new("b"), new("a")];
        edits.extend(many.chain([create(json!({ "sku": "z" })), new("n1")]));
        let version = |tx: &mut Tx<'_>, id: Id| {
            tx.query_sql(&format!("SELECT version FROM o_product WHERE id = {}", id.0), &[])?[0].int(0)
        };
        let looked = desk.write(|moment, tx| {
            let refused = Editor::new(moment, &access, "product", Some(Id(1)))?.run(tx, &edits);
            let Err(RecordsError::Rows(rows)) = refused else { panic!("{refused:?}") };
            let rows: Vec<(usize, String)> = rows.into_iter().map(|row| (row.index, row.field)).collect();
            let row = |index, field: &str| (index, field.to_owned());
            assert_eq!(rows, [row(0, "id"), row(4, "sku"), row(605, "name"), row(606, "sku")]);
            let there = tx.query_sql("SELECT count(*) FROM o_product", &[])?[0].int(0)?;
            Ok((there, version(tx, b)?))
        });
        assert_eq!(looked.unwrap(), (2, 1), "what came after the mistake was checked and not written");
    });
}

/// What a record of a small world is given: its numbers and the record that it names.
#[derive(Debug, Clone, Default)]
struct Car {
    plate: Option<usize>,
    vin: Option<usize>,
    like: Option<usize>,
}

/// What is done with one.
#[derive(Debug, Clone)]
enum Did {
    Made(Car),
    Changed(usize, Car),
    Deleted(usize),
    Restored(usize),
}

/// Records of the world, the last two in the trash; as many numbers and two more.
const WORLD: usize = 6;

/// A car has two numbers that no other one has, and can name another one.
fn cars(desk: &Desk) -> Vec<Id> {
    let access = everything();
    let object = json!({
        "name": "car", "label": { "en": "Car", "zh": "汽车" }, "plural": { "en": "Cars", "zh": "汽车" }, "title": "plate",
        "fields": [
            { "name": "plate", "label": { "en": "Plate", "zh": "车牌" }, "kind": { "type": "text" }, "unique": true },
            { "name": "vin", "label": { "en": "VIN", "zh": "车架号" }, "kind": { "type": "text" }, "unique": true },
            { "name": "like", "label": { "en": "Like", "zh": "像" }, "kind": { "type": "relation", "object": "car" } },
        ],
    });
    desk.define(&access, serde_json::from_value(object).unwrap()).unwrap();
    let car = |n: usize| made(desk, &access, "car", json!({ "plate": n.to_string(), "vin": n.to_string() })).id;
    let cars: Vec<Id> = (0..WORLD).map(car).collect();
    desk.edit(&access, "car", &cars[WORLD - 2..].iter().map(|id| delete(*id)).collect::<Vec<_>>(), None).unwrap();
    cars
}

fn edit_of(cars: &[Id], did: &Did) -> Edit {
    let given = |car: &Car| {
        let numbers = [("plate", car.plate), ("vin", car.vin)];
        let numbers = numbers.into_iter().filter_map(|(field, number)| Some((field, json!(number?.to_string()))));
        let given = numbers.chain(car.like.map(|like| ("like", json!(cars[like]))));
        given.map(|(field, value)| (field.to_owned(), value)).collect()
    };
    match did {
        Did::Made(car) => Edit::Create { fields: given(car) },
        Did::Changed(changed, car) => Edit::Update { id: cars[*changed], fields: given(car), version: None },
        Did::Deleted(car) => delete(cars[*car]),
        Did::Restored(car) => Edit::Restore { id: cars[*car] },
    }
}

fn each_of(editor: &Editor<'_, '_>, edit: &Edit) -> Each<'static> {
    let given = |fields| Given::Stuffs(editor.values(fields).unwrap());
    match edit {
        Edit::Create { fields } | Edit::Upsert { fields, .. } => Each::Create(given(fields)),
        Edit::Update { id, fields, version } => Each::Update(*id, given(fields), *version),
        Edit::Delete { id, version } => Each::Delete(*id, *version),
        Edit::Restore { id } => Each::Restore(*id),
    }
}

/// Tries edits and takes them back; what is wrong with them, and of which something was made.
fn tried(desk: &Desk, edits: &[Edit], dry: bool) -> (Vec<RowError>, Vec<bool>) {
    let mut ran = None;
    let access = everything();
    let undone = desk.write(|moment, tx| {
        let editor = Editor::new(moment, &access, "car", Some(Id(1)))?;
        let each = edits.iter().map(|edit| each_of(&editor, edit)).collect();
        let done = editor.run_each(tx, each, dry)?;
        ran = Some((done.errors, done.outcomes.iter().map(|outcome| *outcome != Outcome::Refused).collect()));
        Err::<(), _>(RecordsError::Conflict("only tried".to_owned()))
    });
    ran.unwrap_or_else(|| panic!("{undone:?}"))
}

fn refused_together(moment: &Moment<'_>, tx: &mut Tx<'_>, edits: &[Edit]) -> Result<Vec<RowError>, RecordsError> {
    match Editor::new(moment, &everything(), "car", Some(Id(1)))?.run(tx, edits) {
        Err(RecordsError::Rows(errors)) => Ok(errors),
        done => done.map(|_| Vec::new()),
    }
}

#[test]
fn what_is_wrong_does_not_go_by_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open_file(&folder.path().join("records.db"), || NOW).unwrap();
    let cars = cars(&desk);
    let number = || proptest::option::of(0..WORLD + 2);
    let like = prop_oneof![3 => Just(None), 1 => (0..WORLD).prop_map(Some)];
    let car = (number(), number(), like).prop_map(|(plate, vin, like)| Car { plate, vin, like });
    let did = prop_oneof![
        car.clone().prop_map(Did::Made),
        (0..WORLD, car).prop_map(|(changed, car)| Did::Changed(changed, car)),
        (0..WORLD).prop_map(Did::Deleted),
        (0..WORLD).prop_map(Did::Restored),
    ];
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&proptest::collection::vec(did, 1..10), |dids| {
        let edits: Vec<Edit> = dids.iter().map(|did| edit_of(&cars, did)).collect();
        let really = tried(&desk, &edits, false);
        if tried(&desk, &edits, true) != really {
            return Err(TestCaseError::fail(format!("dry {:?}, really {really:?}", tried(&desk, &edits, true))));
        }
        let mut together = None;
        let undone = desk.write(|moment, tx| {
            together = Some(refused_together(moment, tx, &edits)?);
            Err::<(), _>(RecordsError::Conflict("only tried".to_owned()))
        });
        let together = together.ok_or_else(|| TestCaseError::fail(format!("{undone:?}")))?;
        if together == really.0 { Ok(()) } else { Err(TestCaseError::fail(format!("{together:?}, each {really:?}"))) }
    });
    checked.unwrap();
}

#[test]
fn a_row_that_is_refused_takes_no_value_and_one_that_is_taken_is_told_of_each_time() {
    on_both(|desk| {
        let cars = cars(desk);
        let rows = |dids: &[Did]| {
            let edits: Vec<Edit> = dids.iter().map(|did| edit_of(&cars, did)).collect();
            let (wrong, done) = tried(desk, &edits, false);
            assert_eq!(tried(desk, &edits, true), (wrong.clone(), done.clone()));
            (wrong.into_iter().map(|row| (row.index, row.field)).collect::<Vec<_>>(), done)
        };
        let wrong = |index: usize, field: &str| (index, field.to_owned());
        let plate = |plate| Car { plate: Some(plate), ..Car::default() };
        let in_trash = Some(WORLD - 1);
        let told = rows(&[Did::Made(Car { like: in_trash, ..plate(7) }), Did::Made(plate(7))]);
        assert_eq!(told, (vec![wrong(0, "like")], vec![false, true]));
        let told = rows(&[Did::Made(plate(0)), Did::Made(plate(0)), Did::Made(plate(7))]);
        assert_eq!(told, (vec![wrong(0, "plate"), wrong(1, "plate")], vec![false, false, true]));
        // One that is refused for either number leaves the other one to the next.
        let both = |plate, vin| Did::Made(Car { plate: Some(plate), vin: Some(vin), like: None });
        let told = rows(&[both(7, 0), both(0, 7), both(7, 7), both(7, 7)]);
        let taken_twice = [wrong(0, "vin"), wrong(1, "plate"), wrong(3, "plate"), wrong(3, "vin")];
        assert_eq!(told, (taken_twice.to_vec(), vec![false, false, true, false]));
    });
}
