//! Imports and exports: mapped, checked, run, interrupted, undone, and back out again.

use std::{
    cell::Cell,
    io::{Cursor, Read as _},
    ops::ControlFlow,
    path::Path,
};

use serde_json::{Value, json};

use super::{everything, know, made, on_both, person};
use crate::{
    Access, Desk, Grant, Id, ListQuery, Reach, RecordsError, Role,
    export::ExportFormat,
    import::{Column, Import, Mapping, State, Style, Tally, Target},
};

/// Runs a case on both databases, with a folder for files.
fn with_files(case: impl Fn(&Desk)) {
    on_both(|desk| {
        let folder = tempfile::tempdir().unwrap();
        desk.set_files(folder.path()).unwrap();
        case(desk);
    });
}

fn upload(desk: &Desk, object: &str, name: &str, file: impl AsRef<[u8]>) -> Import {
    desk.upload_import(&everything(), object, name, &mut Cursor::new(file)).unwrap()
}

fn run(desk: &Desk, import: &Import) -> Import {
    desk.start_import(&everything(), import.id).unwrap();
    desk.run_import(import.id, &|_| ControlFlow::Continue(())).unwrap()
}

fn all(desk: &Desk, object: &str) -> Vec<crate::Record> {
    let query = ListQuery {
        limit: 500,
        sort: Some("created_at".to_owned()),
        expand: vec!["*".to_owned()],
        ..ListQuery::default()
    };
    desk.list(&everything(), object, &query).unwrap().records
}

fn values(desk: &Desk, object: &str, field: &str) -> Vec<Value> {
    all(desk, object).into_iter().map(|record| record.fields.get(field).cloned().unwrap_or(Value::Null)).collect()
}

fn errors(desk: &Desk, import: &Import) -> String {
    let mut text = String::new();
    if let Some(mut file) = desk.import_errors(&everything(), import.id).unwrap() {
        file.read_to_string(&mut text).unwrap();
    }
    text
}

fn tally(created: u64, updated: u64, unchanged: u64, failed: u64) -> Tally {
    Tally { created, updated, unchanged, failed }
}

fn goes(import: &Import) -> Vec<String> {
    let columns = import.mapping.columns.iter();
    columns
        .map(|column| match &column.target {
            Target::Skip => "-".to_owned(),
            Target::Id => "id".to_owned(),
            Target::Field { field } => field.clone(),
            Target::Part { field, part } => format!("{field}.{part}"),
            Target::Relation { field, by, .. } => format!("{field}:{by}"),
            Target::Person { field } => format!("@{field}"),
        })
        .collect()
}

#[test]
fn rows_become_records_and_wrong_rows_are_told_of() {
    with_files(|desk| {
        know(desk, &[7], &[]);
        let acme = made(desk, &everything(), "company", json!({ "name": "Acme" }));
        let file = "First Name;Surname;E-Mail;Firma;Mobile;Owner;City\n\
            Ann;Lee;ann@example.com;Acme;+49 30 1234;p7@example.com;Köln\n\
            Bob;Kay;nobody;Acme;1;;\n\
            伟;张;wei@example.com;新公司;;Person 7;上海\n\
            Cy;Dow;cy@example.com;Acme;;stranger@example.com;Rome\n\
            Too;Long;long@example.com;;;;;;more\n";
        let import = upload(desk, "contact", "contacts.csv", file);
        assert_eq!(import.about.delimiter, Some(';'));
        assert_eq!(goes(&import), ["first_name", "last_name", "email", "company:name", "phone", "@owner", "city"]);
        assert_eq!(import.mapping.key.as_deref(), Some("email"));
        assert_eq!(import.total, 5);
        let check = desk.check_import(&everything(), import.id, &|_| ControlFlow::Continue(())).unwrap();
        assert_eq!((check.rows, check.tally, check.related), (5, tally(2, 0, 0, 3), 1));
        assert_eq!(all(desk, "contact").len() + all(desk, "company").len(), 1, "a check writes nothing");
        let done = run(desk, &import);
        assert_eq!((done.state, done.tally, done.position), (State::Done, tally(2, 0, 0, 3), 5));
        let contacts = all(desk, "contact");
        assert_eq!(values(desk, "contact", "name"), ["Ann Lee", "张伟"]);
        assert_eq!(contacts[0].fields["company"], json!(acme.id));
        assert_eq!(contacts[1].related["company"]["title"], "新公司");
        assert_eq!(contacts.iter().map(|contact| contact.owner).collect::<Vec<_>>(), [Some(Id(7)); 2]);
        assert_eq!(contacts[0].created_by, format!("import:{}", import.id));
        let told: Vec<(u64, &str)> = check.mistakes.iter().map(|wrong| (wrong.row, wrong.field.as_str())).collect();
        assert_eq!(told, [(2, "email"), (2, "phone"), (4, "owner"), (5, "")]);
        let errors = errors(desk, &done);
        let lines: Vec<&str> = errors.lines().collect();
        assert_eq!(lines.len(), 4, "{errors}");
        assert_eq!(lines[0], "row,field,problem,First Name,Surname,E-Mail,Firma,Mobile,Owner,City");
        assert!(lines[1].starts_with("2,email; phone,") && lines[1].ends_with("Bob,Kay,nobody,Acme,1,,"), "{errors}");
        assert!(lines[2].contains("there is no person \"\"stranger@example.com\"\""), "{errors}");
    });
}

#[test]
fn a_second_run_changes_what_differs_and_can_be_undone() {
    with_files(|desk| {
        let first = upload(desk, "contact", "a.csv", "name,email,city\nAnn,ann@a.de,Rome\nBob,bob@a.de,Bonn\n");
        run(desk, &first);
        let file = "Email,City,Name\nann@a.de,Paris,Ann\nBOB@a.de,Bonn,Bob\nnew@a.de,Oslo,New\nnew@a.de,Bergen,\n";
        let second = upload(desk, "contact", "b.csv", file);
        assert!(second.about.remembered, "the same columns, ordered and spelled otherwise");
        let check = desk.check_import(&everything(), second.id, &|_| ControlFlow::Continue(())).unwrap();
        assert_eq!(check.tally, tally(1, 2, 1, 0));
        assert_eq!(check.differences.len(), 1);
        assert_eq!(Value::Object(check.differences[0].before.clone()), json!({ "city": "Rome" }));
        assert_eq!(Value::Object(check.differences[0].after.clone()), json!({ "city": "Paris" }));
        let done = run(desk, &second);
        assert_eq!(done.tally, check.tally);
        assert_eq!(values(desk, "contact", "city"), ["Paris", "Bonn", "Bergen"]);
        assert_eq!(values(desk, "contact", "name"), ["Ann", "Bob", "New"], "an empty cell leaves what is there");
        let undone = desk.undo(&everything(), done.batch.unwrap()).unwrap();
        assert_eq!((undone.undone, undone.kept.len()), (3, 0));
        assert_eq!(values(desk, "contact", "city"), ["Rome", "Bonn"]);
        assert!(desk.undo(&everything(), done.batch.unwrap()).is_err());
    });
}

#[test]
fn an_interrupted_import_goes_on_where_it_was() {
    with_files(|desk| {
        let rows: String =
            (0..5_000).map(|n| format!("N{n},n{n}@a.de,{}\n", if n % 1_000 == 7 { "x" } else { "12345" })).collect();
        let import = upload(desk, "contact", "many.csv", format!("name,email,phone\n{rows}"));
        desk.start_import(&everything(), import.id).unwrap();
        let steps = Cell::new(0);
        let stopped = desk
            .run_import(import.id, &|_| {
                steps.set(steps.get() + 1);
                ControlFlow::Break(())
            })
            .unwrap();
        assert_eq!((stopped.state, stopped.position, steps.get()), (State::Running, 2_000, 1));
        assert_eq!(desk.unfinished_imports().unwrap(), [import.id]);
        let done = desk.run_import(import.id, &|_| ControlFlow::Continue(())).unwrap();
        assert_eq!((done.state, done.tally), (State::Done, tally(4_995, 0, 0, 5)));
        assert_eq!(desk.count(&everything(), "contact", None).unwrap(), 4_995);
        assert_eq!(errors(desk, &done).lines().count(), 6);
        assert!(desk.unfinished_imports().unwrap().is_empty());
        assert!(matches!(
            desk.run_import(import.id, &|_| ControlFlow::Continue(())),
            Err(RecordsError::Conflict(_)) | Ok(_)
        ));
        let undone = desk.undo(&everything(), done.batch.unwrap()).unwrap();
        assert_eq!(undone.undone, 4_995);
        assert_eq!(desk.count(&everything(), "contact", None).unwrap(), 0);
    });
}

#[test]
fn a_cancelled_import_stops_and_keeps_what_is_in() {
    with_files(|desk| {
        let rows: String = (0..5_000).map(|n| format!("N{n}\n")).collect();
        let import = upload(desk, "contact", "many.csv", format!("name\n{rows}"));
        desk.start_import(&everything(), import.id).unwrap();
        let done = desk
            .run_import(import.id, &|import| {
                if import.state == State::Running {
                    desk.cancel_import(&everything(), import.id).unwrap();
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!((done.state, done.position), (State::Cancelled, 2_000));
        assert_eq!(desk.count(&everything(), "contact", None).unwrap(), 2_000);
        assert!(desk.start_import(&everything(), import.id).is_err());
    });
}
