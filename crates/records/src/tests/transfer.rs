//! Imports and exports: mapped, checked, run, interrupted, undone, and back out again.

use std::{
    cell::Cell,
    io::{BufRead as _, BufReader, Cursor, Read as _},
    ops::ControlFlow,
    path::Path,
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use rapport_testkit::postgres::Server;
use rapport_types::Timestamp;
use serde_json::{Value, json};

use super::{everything, know, made, on_both, person};
use crate::{
    Database, Desk, Grant, Id, ListQuery, Reach, RecordsError, Role,
    export::ExportFormat,
    import::{Column, Import, Mapping, State, Style, Tally, Target},
};

/// Rows of a step where an import must have several; elsewhere it is as many as people's imports have.
const STEP: usize = 2_000;

/// Runs a case on both databases, with a folder for files.
pub(super) fn with_files(case: impl Fn(&Desk)) {
    on_both(|desk| {
        let folder = tempfile::tempdir().unwrap();
        desk.set_files(folder.path()).unwrap();
        case(desk);
    });
}

pub(super) fn upload(desk: &Desk, object: &str, name: &str, file: impl AsRef<[u8]>) -> Import {
    desk.upload_import(&everything(), object, name, &mut Cursor::new(file)).unwrap()
}

pub(super) fn run(desk: &Desk, import: &Import) -> Import {
    desk.start_import(&everything(), import.id).unwrap();
    desk.run_import(import.id, &|_| ControlFlow::Continue(())).unwrap()
}

pub(super) fn all(desk: &Desk, object: &str) -> Vec<crate::Record> {
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

pub(super) fn errors(desk: &Desk, import: &Import) -> String {
    let mut text = String::new();
    if let Some(mut file) = desk.import_errors(&everything(), import.id).unwrap() {
        file.read_to_string(&mut text).unwrap();
    }
    text
}

pub(super) fn tally(created: u64, updated: u64, unchanged: u64, failed: u64) -> Tally {
    Tally { created, updated, unchanged, failed }
}

pub(super) fn goes(import: &Import) -> Vec<String> {
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
        let line = |n| format!("N{n},n{n}@a.de,{}\n", if n % 1_000 == 7 { "x" } else { "12345" });
        let rows = (0..5_000).map(line).collect::<Vec<String>>().concat();
        let import = upload(desk, "contact", "many.csv", format!("name,email,phone\n{rows}"));
        desk.start_import(&everything(), import.id).unwrap();
        let steps = Cell::new(0);
        let stopped = desk
            .run_import_by(import.id, &|| STEP, &|_| {
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
        let rows = (0..5_000).map(|n| format!("N{n}\n")).collect::<Vec<String>>().concat();
        let import = upload(desk, "contact", "many.csv", format!("name\n{rows}"));
        desk.start_import(&everything(), import.id).unwrap();
        let done = desk
            .run_import_by(import.id, &|| STEP, &|import| {
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

#[test]
fn exports_of_other_systems_are_known_by_their_columns() {
    with_files(|desk| {
        let cases: [(&str, &str, &str, &[&str], &str); 6] = [
            (
                "HubSpot",
                "contact",
                "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,Lifecycle Stage,City",
                &[
                    "customer_id",
                    "first_name",
                    "last_name",
                    "email",
                    "phone",
                    "@owner",
                    "company:name",
                    "lifecycle",
                    "city",
                ],
                "email",
            ),
            (
                "Salesforce",
                "deal",
                "Id,Name,StageName,Amount,CurrencyIsoCode,CloseDate,Probability,Account.Name,Owner.Email",
                &[
                    "-",
                    "name",
                    "stage:name",
                    "amount.amount",
                    "amount.currency",
                    "close_date",
                    "probability",
                    "company:name",
                    "@owner",
                ],
                "",
            ),
            (
                "Pipedrive",
                "contact",
                "Person - Name,Person - Email - Work,Person - Phone - Work,Person - Organization,Person - Owner",
                &["name", "email", "phone", "company:name", "@owner"],
                "email",
            ),
            (
                "Twenty",
                "contact",
                "Name / First Name,Name / Last Name,Emails / Primary Email,Job Title,City",
                &["first_name", "last_name", "email", "job_title", "city"],
                "email",
            ),
            (
                "EspoCRM",
                "company",
                "name,website,emailAddress,phoneNumber,industry,billingAddressCity,assignedUserName,createdAt",
                &["name", "website", "email", "phone", "industry", "city", "@owner", "-"],
                "name",
            ),
            (
                "",
                "contact",
                "姓名,手机号码,电子邮箱,公司名称,备注",
                &["name", "phone", "email", "company:name", "description"],
                "email",
            ),
        ];
        for (system, object, header, expected, key) in cases {
            let import = upload(desk, object, "export.csv", header);
            assert_eq!(import.about.system.as_deref().unwrap_or_default(), system, "{header}");
            assert_eq!(goes(&import), expected, "{header}");
            assert_eq!(import.mapping.key.as_deref().unwrap_or_default(), key, "{header}");
        }
    });
}

#[test]
fn whatever_letters_are_encoded_in_they_are_read() {
    with_files(|desk| {
        let text = "name,city\n张伟,上海\nZoë,Köln\n";
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let (gb, ..) = encoding_rs::GB18030.encode(text);
        let (latin, ..) = encoding_rs::WINDOWS_1252.encode("name,city\nZoë,Köln\n");
        let marked: Vec<u8> = [0xef, 0xbb, 0xbf].into_iter().chain(text.bytes()).collect();
        let cases: [(&[u8], &str, &[&str]); 4] = [
            (&utf16, "UTF-16LE", &["上海", "Köln"]),
            (&gb, "gb18030", &["上海", "Köln"]),
            (&marked, "UTF-8", &["上海", "Köln"]),
            (&latin, "windows-1252", &["Köln"]),
        ];
        let mut expected: Vec<&str> = Vec::new();
        for (bytes, encoding, cities) in cases {
            let import = upload(desk, "contact", "a.csv", bytes);
            assert_eq!(
                (import.about.encoding.as_str(), import.about.header.join(",")),
                (encoding, "name,city".to_owned())
            );
            run(desk, &import);
            expected.extend(cities);
            assert_eq!(values(desk, "contact", "city"), expected);
        }
    });
}

#[test]
fn nobody_imports_or_exports_what_they_may_not() {
    with_files(|desk| {
        know(desk, &[1], &[]);
        let grant = Grant {
            read: Reach::All,
            create: true,
            update: Reach::Own,
            locked: vec!["city".to_owned()],
            ..Grant::default()
        };
        let role = Role { name: "Importer".to_owned(), transfer: true, other: grant, ..Role::default() };
        let may_not = person(1, &[], Role { transfer: false, ..role.clone() });
        let file = "name,email,city\nAnn,ann@a.de,Rome\nBob,bob@a.de,Bonn\n";
        let refused = desk.upload_import(&may_not, "contact", "a.csv", &mut Cursor::new(file));
        assert!(matches!(refused, Err(RecordsError::Forbidden(_))));
        let mut out = Vec::new();
        let refused = desk.export(&may_not, "contact", &ListQuery::default(), ExportFormat::Csv, &mut out);
        assert!(matches!(refused, Err(RecordsError::Forbidden(_))) && out.is_empty());

        made(desk, &everything(), "contact", json!({ "name": "Ann Other", "email": "ann@a.de" }));
        // The run takes the rights that the person has in the tables, not those of the request.
        let id = desk.add_role(&everything(), &role).unwrap();
        desk.write(|_, tx| tx.execute_sql(&format!("UPDATE person SET role = {}", id.0), &[])).unwrap();
        let access = person(1, &[], role);
        let import = desk.upload_import(&access, "contact", "a.csv", &mut Cursor::new(file)).unwrap();
        assert_eq!(goes(&import), ["name", "email", "-"], "a locked field is not proposed");
        for field in ["city", "created_by", "version", "id", "deleted_at"] {
            let mut mapping = import.mapping.clone();
            mapping.columns[2].target = Target::Field { field: field.to_owned() };
            assert!(desk.map_import(&access, import.id, &mapping).is_err(), "{field}");
        }
        assert!(desk.import(&person(2, &[], Role::manager()), import.id).is_err(), "it is somebody else's");
        desk.start_import(&access, import.id).unwrap();
        let done = desk.run_import(import.id, &|_| ControlFlow::Continue(())).unwrap();
        assert_eq!(done.tally, tally(1, 0, 0, 1), "Ann is not theirs to change");
        assert_eq!(values(desk, "contact", "name"), ["Ann Other", "Bob"]);

        let import = desk.upload_import(&access, "contact", "b.csv", &mut Cursor::new("name\nCy\n")).unwrap();
        desk.start_import(&access, import.id).unwrap();
        desk.write(|_, tx| tx.execute_sql("UPDATE person SET active = false", &[])).unwrap();
        let stopped = desk.run_import(import.id, &|_| ControlFlow::Continue(())).unwrap();
        assert_eq!((stopped.state, stopped.position), (State::Failed, 0));
        assert_eq!(desk.count(&everything(), "contact", None).unwrap(), 2);
    });
}

#[test]
fn what_goes_out_comes_in_again_and_holds_no_formulas() {
    with_files(|desk| {
        let access = everything();
        let acme = made(
            desk,
            &access,
            "company",
            json!({ "name": "=1+2", "revenue": { "amount": -12.5, "currency": "USD" } }),
        );
        let given = json!({
            "name": "@Ann", "phone": "+49 30 1234", "company": acme.id, "tags": ["vip", "partner"], "birthday": "1980-02-29",
            "address": { "city": "Köln", "street": "A \"B\", 1" }, "description": "-1\n=x", "marketing_consent": false,
        });
        made(desk, &access, "contact", given);
        for format in [ExportFormat::Csv, ExportFormat::Xlsx] {
            let mut file = Vec::new();
            assert_eq!(desk.export(&access, "contact", &ListQuery::default(), format, &mut file).unwrap(), 1);
            if format == ExportFormat::Csv {
                let mut reader = csv::Reader::from_reader(file.as_slice());
                for cell in reader.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
                {
                    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
                }
            }
            let import = upload(desk, "contact", if format == ExportFormat::Csv { "a.csv" } else { "a.xlsx" }, &file);
            assert_eq!(import.mapping.key.as_deref(), Some("id"));
            let done = run(desk, &import);
            assert_eq!(done.tally, tally(0, 0, 1, 0), "{}", errors(desk, &done));
        }
        let mut lines = Vec::new();
        desk.export(&access, "company", &ListQuery::default(), ExportFormat::Jsonl, &mut lines).unwrap();
        let line: Value = serde_json::from_slice(&lines).unwrap();
        assert_eq!(line["fields"]["revenue"], json!({ "amount": -12.5, "currency": "USD" }));
    });
}

#[test]
fn lines_of_json_become_records() {
    with_files(|desk| {
        let file = "{\"name\":\"Ann\",\"tags\":[\"vip\"],\"address\":{\"city\":\"Rome\"}}\n\nno json\n{\"name\":\"Bob\",\"city\":\"Bonn\"}\n";
        let import = upload(desk, "contact", "a.jsonl", file);
        assert_eq!((import.total, goes(&import)), (3, ["address", "name", "tags", "city"].map(str::to_owned).to_vec()));
        assert_eq!(run(desk, &import).tally, tally(2, 0, 0, 1));
        assert_eq!(values(desk, "contact", "tags"), [json!(["vip"]), Value::Null]);
    });
}

#[test]
fn a_workspace_goes_out_whole_and_comes_back_whole() {
    let file = std::cell::RefCell::new(Vec::new());
    with_files(|desk| {
        let access = everything();
        know(desk, &[5], &[6]);
        let acme = made(desk, &access, "company", json!({ "name": "Acme" }));
        let ann =
            made(desk, &access, "contact", json!({ "name": "Ann", "company": acme.id, "owner": Id(5), "team": Id(6) }));
        let bob = made(desk, &access, "contact", json!({ "name": "Bob" }));
        made(
            desk,
            &access,
            "deal",
            json!({ "name": "Big", "amount": 10, "contacts": [ann.id, bob.id], "company": acme.id }),
        );
        let edits = vec![crate::Edit::Delete { id: bob.id, version: None }];
        desk.edit(&access, "contact", &edits, None).unwrap();
        let mut out = Vec::new();
        let manifest = desk.export_workspace(&access, &mut out, &mut |_, _| ()).unwrap();
        assert_eq!((manifest.counts["records/contact.jsonl"], manifest.counts["person.jsonl"]), (2, 1));
        assert!(desk.restore_workspace(Cursor::new(&out), &mut |_, _| ()).is_err(), "this installation has records");
        *file.borrow_mut() = out;
    });
    with_files(|desk| {
        let file = file.borrow();
        assert!(
            desk.restore_workspace(Cursor::new(&file[..file.len() / 2]), &mut |_, _| ()).is_err(),
            "half a file is none"
        );
        desk.restore_workspace(Cursor::new(file.as_slice()), &mut |_, _| ()).unwrap();
        let contacts = all(desk, "contact");
        assert_eq!((contacts.len(), contacts[0].owner, contacts[0].team), (1, Some(Id(5)), Some(Id(6))));
        assert_eq!((contacts[0].version, contacts[0].related["company"]["title"].as_str()), (1, Some("Acme")));
        let deals = all(desk, "deal");
        assert_eq!(deals[0].fields["contacts"].as_array().map(Vec::len), Some(2));
        assert_eq!(deals[0].fields["weighted"], json!(1));
        let trash = ListQuery { trash: true, limit: 5, ..ListQuery::default() };
        assert_eq!(desk.list(&everything(), "contact", &trash).unwrap().records.len(), 1);
        assert_eq!(all(desk, "stage").len(), 6, "the stages of the file alone");
    });
}

/// 85 accounts, 7 products and 8,800 deals of a company that does not exist, as the wizard brings them in.
#[test]
fn fictional_sales_of_the_shared_data_come_in_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/crm_sales");
    let Ok(accounts) = std::fs::read(folder.join("accounts.csv")) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let mut deals = Vec::new();
    flate2::read::GzDecoder::new(read("sales_pipeline.csv.gz").as_slice()).read_to_end(&mut deals).unwrap();
    with_files(|desk| {
        let import = upload(desk, "company", "accounts.csv", &accounts);
        assert_eq!(goes(&import), ["name", "industry", "founded", "revenue", "employees", "country", "parent:name"]);
        let done = run(desk, &import);
        assert_eq!((done.tally.created + done.tally.updated, done.tally.failed), (85, 0), "{}", errors(desk, &done));
        let products = upload(desk, "product", "products.csv", read("products.csv"));
        assert_eq!(goes(&products), ["name", "category", "price"]);
        assert_eq!(run(desk, &products).tally, tally(7, 0, 0, 0));
        let sellers = agents(&read("sales_teams.csv"));
        prepare_sales(desk, &sellers);
        let mut import = upload(desk, "deal", "sales_pipeline.csv", &deals);
        let expected =
            ["name", "@owner", "product:name", "company:name", "stage:name", "engage_date", "close_date", "amount"];
        assert_eq!(goes(&import), expected);
        // One product is spelled otherwise in the deals than in the list of products.
        let Target::Relation { create, .. } = &mut import.mapping.columns[2].target else { panic!("no relation") };
        *create = true;
        desk.map_import(&everything(), import.id, &import.mapping).unwrap();
        let check = desk.check_import(&everything(), import.id, &|_| ControlFlow::Continue(())).unwrap();
        assert_eq!((check.tally, check.related), (tally(8_800, 0, 0, 0), 1), "{:?}", check.mistakes);
        assert_eq!(run(desk, &import).tally, tally(8_800, 0, 0, 0));
        let count = |filter: &str| desk.count(&everything(), "deal", Some(filter)).unwrap();
        let stages = [("Prospecting", 500), ("Engaging", 1_589), ("Won", 4_238), ("Lost", 2_473)];
        for (stage, deals) in stages {
            assert_eq!(count(&format!("stage.name == \"{stage}\"")), deals, "{stage}");
        }
        assert_eq!((count("company == null"), count("company.name == \"Hottechi\"")), (1_425, 200));
        assert_eq!(
            (count("owner == null"), count("product == null"), count("product.name == \"GTXPro\"")),
            (0, 0, 1_480)
        );
        let first = ListQuery { filter: Some("name == \"1C1I7A6R\"".to_owned()), limit: 1, ..ListQuery::default() };
        let deal = desk.list(&everything(), "deal", &first).unwrap().records.remove(0);
        assert_eq!(sellers[deal.owner.unwrap().0 as usize - 1], "Moses Frase");
        assert_eq!(
            (&deal.fields["engage_date"], &deal.fields["close_date"]),
            (&json!("2016-10-20"), &json!("2017-03-01"))
        );
        assert_eq!((&deal.fields["amount"]["amount"], &deal.fields["probability"]), (&json!(1054), &json!(100)));
        assert_eq!(deal.fields["closed_at"], "2017-03-01T00:00:00.000Z", "not when the file came");
    });
}

/// Who sells, by the list of the teams.
fn agents(teams: &[u8]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(teams);
    reader.records().map(|row| row.unwrap()[0].to_owned()).collect()
}

/// What an administrator does before the deals come: the people who sell, two more stages, and a field for the day on which a
/// deal began.
fn prepare_sales(desk: &Desk, sellers: &[String]) {
    know(desk, &(1..=sellers.len() as i64).collect::<Vec<_>>(), &[]);
    desk.write(|_, tx| {
        for (place, name) in sellers.iter().enumerate() {
            let name = name.replace('\'', "''");
            tx.execute_sql(&format!("UPDATE person SET name = '{name}' WHERE id = {}", place + 1), &[])?;
        }
        Ok(())
    })
    .unwrap();
    let pipeline = all(desk, "pipeline").remove(0).id;
    for (position, name) in [(7, "Prospecting"), (8, "Engaging")] {
        let stage =
            json!({ "name": name, "pipeline": pipeline, "position": position, "outcome": "open", "probability": 20 });
        made(desk, &everything(), "stage", stage);
    }
    let mut deal = desk.schema().object("deal").unwrap().clone();
    let began = json!({ "name": "engage_date", "label": { "en": "Engage date", "zh": "接洽日期" }, "kind": { "type": "date" } });
    deal.fields.push(serde_json::from_value(began).unwrap());
    desk.define(&everything(), deal).unwrap();
}

#[test]
fn a_mapping_is_checked_before_it_is_kept() {
    with_files(|desk| {
        let import = upload(desk, "contact", "a.csv", "a,b\n1,2\n");
        let column = |name: &str, target: Target| Column { name: name.to_owned(), target, style: Style::default() };
        let field = |name: &str| Target::Field { field: name.to_owned() };
        let relation = |by: &str| Target::Relation { field: "company".to_owned(), by: by.to_owned(), create: true };
        let cases = [
            vec![column("a", field("name"))],
            vec![column("a", field("name")), column("b", field("name"))],
            vec![column("a", field("nothing")), column("b", Target::Skip)],
            vec![column("a", Target::Skip), column("b", Target::Skip)],
            vec![column("a", relation("id")), column("b", Target::Skip)],
            vec![column("a", relation("revenue")), column("b", Target::Skip)],
            vec![column("a", Target::Person { field: "name".to_owned() }), column("b", Target::Skip)],
            vec![column("b", field("name")), column("a", Target::Skip)],
        ];
        for columns in cases {
            let mapping = Mapping { columns, key: None, clear: false };
            let refused = desk.map_import(&everything(), import.id, &mapping);
            assert!(matches!(refused, Err(RecordsError::Invalid { .. })), "{mapping:?}");
        }
        let columns = vec![column("a", field("name")), column("b", field("city"))];
        let good = Mapping { columns, key: Some("name".to_owned()), clear: true };
        assert_eq!(desk.map_import(&everything(), import.id, &good).unwrap().mapping, good);
    });
}

/// Time as it is: processes that share one instant would draw the same ids.
fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(since.as_millis() as i64)
}

/// Where the child of the crash test finds its database and its import.
const CRASH: &str = "RAPPORT_TEST_IMPORT_CRASH";

/// Not a test of its own: the child of the crash test, which is killed.
#[test]
fn child_that_is_killed_while_it_imports() {
    let Ok(told) = std::env::var(CRASH) else { return };
    let (folder, rest) = told.split_once('|').unwrap();
    let (url, id) = rest.split_once('|').unwrap();
    let database = match url {
        "" => Database::sqlite(&Path::new(folder).join("records.db")).unwrap(),
        url => Database::postgres(url).unwrap(),
    };
    let desk = Desk::open(database, clock).unwrap();
    desk.set_files(Path::new(folder)).unwrap();
    let watch = |import: &Import| {
        println!("at {}", import.position);
        ControlFlow::Continue(())
    };
    desk.run_import_by(id.parse().unwrap(), &|| STEP, &watch).unwrap();
}

/// Kills an import several times at different places, then lets it end.
fn killed_and_gone_on_with(url: &str, open: impl Fn(&Path) -> Desk) {
    let folder = tempfile::tempdir().unwrap();
    let rows: u64 = 30_000;
    let (id, batch) = {
        let desk = open(folder.path());
        desk.set_files(folder.path()).unwrap();
        let line = |n: u64| format!("N{n},n{n}@a.de,{}\n", if n % 100 == 7 { "wrong" } else { "+49 30 12345" });
        let file: String = (0..rows).map(line).collect();
        let import = upload(&desk, "contact", "many.csv", format!("name,email,phone\n{file}"));
        let started = desk.start_import(&everything(), import.id).unwrap();
        (import.id, started.batch.unwrap())
    };
    let mut at = Vec::new();
    for kill in 0..4_u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::transfer::child_that_is_killed_while_it_imports", "--nocapture"])
            .env(CRASH, format!("{}|{url}|{id}", folder.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Each time a batch later in the run, and a bit more into it: the kill falls into reading, writing or committing.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.by_ref().filter(|line| line.contains("at ")).nth(kill as usize % 3).unwrap();
        for _ in 0..kill * 50_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let desk = open(folder.path());
        let import = desk.import(&everything(), id).unwrap();
        assert_eq!(import.state, State::Running, "{import:?}");
        assert_eq!(import.position, import.tally.rows());
        assert_eq!(desk.count(&everything(), "contact", None).unwrap(), import.tally.created);
        at.push(import.position);
    }
    assert!(at.is_sorted_by(|one, other| one < other) && at[3] < rows, "{at:?}");
    let desk = open(folder.path());
    desk.set_files(folder.path()).unwrap();
    let done = desk.run_import(id, &|_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.state, done.tally), (State::Done, tally(rows - rows / 100, 0, 0, rows / 100)));
    assert_eq!(desk.count(&everything(), "contact", None).unwrap(), rows - rows / 100);
    let told = errors(&desk, &done);
    let mut told: Vec<u64> =
        told.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    told.dedup();
    assert!(
        told.iter().enumerate().all(|(place, row)| *row == place as u64 * 100 + 8),
        "each wrong row once, in order"
    );
    assert_eq!(told.len() as u64, rows / 100);
    let (twice, lines) = desk
        .read(|_, tx| {
            let twice = tx.query_sql("SELECT email FROM o_contact GROUP BY email HAVING count(*) > 1", &[])?.len();
            let lines =
                tx.query_sql(&format!("SELECT count(*) FROM change WHERE batch = {}", batch.0), &[])?[0].int(0)?;
            Ok((twice, lines))
        })
        .unwrap();
    assert_eq!((twice, lines as u64), (0, rows - rows / 100), "every row once, with one line of the feed");
}

#[test]
fn a_killed_import_loses_and_doubles_nothing() {
    killed_and_gone_on_with("", |folder| Desk::open_file(&folder.join("records.db"), clock).unwrap());
    let server = Server::start().unwrap();
    let url = server.database("records");
    killed_and_gone_on_with(&url, |_| Desk::open(Database::postgres(&url).unwrap(), clock).unwrap());
}
