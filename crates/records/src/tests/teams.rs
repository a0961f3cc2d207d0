//! What teams own: filters over it are exact however little of a text an index holds, and the index follows the fields.

use sea_query::PostgresQueryBuilder;
use serde_json::{Map, json};

use super::{everything, know, made, on_both, person};
use crate::{
    Access, Backend, Desk, Grant, Id, ListQuery, Reach, Role,
    read::{Sorting, page_query},
    schema::{Choice, Field, FieldKind, Label, Object, Options},
};

/// Somebody who reads what they and team 10 own.
fn member() -> Access {
    let grant = Grant { read: Reach::Team, ..Grant::default() };
    person(1, &[10], Role { other: grant, ..Role::default() })
}

fn wanted(filter: &str) -> ListQuery {
    ListQuery {
        filter: Some(filter.to_owned()),
        sort: Some("created_at".to_owned()),
        limit: 100,
        ..ListQuery::default()
    }
}

fn field(name: &str, kind: FieldKind) -> Field {
    let label = Label { en: name.to_owned(), zh: name.to_owned() };
    Field {
        name: name.to_owned(),
        label,
        kind,
        required: false,
        unique: false,
        indexed: false,
        searchable: false,
        custom: true,
        retired: false,
    }
}

fn define(desk: &Desk, object: &str, change: impl FnOnce(&mut Object)) {
    let mut object = desk.schema().object(object).unwrap().clone();
    change(&mut object);
    desk.define(&everything(), object).unwrap();
}

/// Makes so many contacts, a fifth of them of team 10, that PostgreSQL thinks about how to find them.
fn crowd(desk: &Desk) {
    if desk.database.backend() == Backend::Postgres {
        let rows = "INSERT INTO o_contact (id, version, created_at, created_by, updated_at, updated_by, team, name) \
                    SELECT n, 1, 0, 'system', n, 'system', 10 + n % 5, 'N' || n FROM generate_series(1, 5000) AS n";
        desk.note(|tx| tx.script(&format!("{rows}; ANALYZE o_contact"))).unwrap();
    }
}

/// How PostgreSQL would go by indexes if it had to; none in SQLite.
fn index_conditions(desk: &Desk, object: &str, filter: &str) -> Option<String> {
    let access = member();
    desk.write(|moment, tx| {
        if tx.backend() == Backend::Sqlite {
            return Ok(None);
        }
        let ground = moment.ground(object, &access)?;
        let wanted = wanted(filter);
        let sorting = Sorting::read(wanted.sort.as_deref(), ground.object, &access)?;
        let (_, query) = page_query(&ground, &access, &wanted, &sorting, tx.backend())?;
        let (sql, values) = query.build_any(&PostgresQueryBuilder);
        // So few could be read whole, or in the order of the key.
        tx.script("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")?;
        let plan = tx.query_sql(&format!("EXPLAIN {sql}"), &values.0)?;
        let lines = plan.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(lines.join("\n")))
    })
    .unwrap()
}

/// Columns or expressions of the index of what teams own, as the database tells them.
fn held(desk: &Desk, object: &str) -> String {
    let of_index = match desk.database.backend() {
        Backend::Sqlite => "SELECT sql FROM sqlite_schema WHERE name LIKE 't\\_%' ESCAPE '\\' AND tbl_name = ?",
        Backend::Postgres => "SELECT indexdef FROM pg_indexes WHERE indexname LIKE 't\\_%' AND tablename = $1",
    };
    let rows = desk.read(|_, tx| tx.query_sql(of_index, &[format!("o_{object}").into()])).unwrap();
    assert_eq!(rows.len(), 1, "one index of what teams own");
    rows[0].text(0).unwrap().to_owned()
}

#[test]
fn a_filter_is_exact_beyond_the_head_of_a_text() {
    on_both(|desk| {
        know(desk, &[1, 2, 3], &[10, 20]);
        let begin = "Senior Vice President of";
        assert_eq!(begin.chars().count(), 24);
        let jobs = [
            ("head", Some(begin.to_owned())),
            ("sales", Some(format!("{begin} Sales"))),
            ("sale", Some(format!("{begin} Sale"))),
            ("small", Some(begin.to_lowercase())),
            ("short", Some("Senior Vice".to_owned())),
            ("chinese", Some("北京".repeat(12))),
            ("longer", Some(format!("{}市", "北京".repeat(12)))),
            ("faces", Some("😀".repeat(30))),
            ("combined", Some("Ä".to_owned())),
            ("apart", Some("A\u{308}".to_owned())),
            ("none", None),
        ];
        for (name, job) in &jobs {
            let contact = json!({ "name": name, "job_title": job, "owner": Id(2), "team": Id(10) });
            made(desk, &everything(), "contact", contact);
            // Nobody of the team owns these.
            let contact = json!({ "name": name, "job_title": job, "owner": Id(3), "team": Id(20) });
            made(desk, &everything(), "contact", contact);
        }
        let mine = json!({ "name": "mine", "job_title": format!("{begin} Sales"), "owner": Id(1), "team": Id(20) });
        made(desk, &everything(), "contact", mine);
        let beijing = "北京".repeat(12);
        let faces = "😀".repeat(30);
        let cases: &[(String, &[&str])] = &[
            (format!("job_title == \"{begin}\""), &["head"]),
            (format!("\"{begin} Sales\" == job_title"), &["sales", "mine"]),
            (format!("job_title == \"{begin} Sales \""), &[]),
            (format!("job_title == \"{}\"", begin.to_lowercase()), &["small"]),
            ("job_title == \"Senior Vice\"".to_owned(), &["short"]),
            ("job_title == \"senior vice\"".to_owned(), &[]),
            (format!("job_title == \"{beijing}\""), &["chinese"]),
            (format!("job_title == \"{beijing}市\""), &["longer"]),
            (format!("job_title == \"{faces}\""), &["faces"]),
            ("job_title == \"Ä\"".to_owned(), &["combined"]),
            ("job_title == \"\"".to_owned(), &[]),
            ("job_title == null".to_owned(), &["none"]),
            (format!("job_title in [\"Senior Vice\", \"{begin} Sale\", null]"), &["sale", "short"]),
            (format!("job_title in [\"{begin}\", \"Ä\"]"), &["head", "combined"]),
            (format!("job_title.startsWith(\"{begin}\")"), &["head", "sales", "sale", "mine"]),
            (format!("job_title.startsWith(\"{begin} Sale\")"), &["sales", "sale", "mine"]),
            ("job_title.startsWith(\"北\")".to_owned(), &["chinese", "longer"]),
            (format!("job_title != \"{begin} Sales\" && job_title.startsWith(\"S\")"), &["head", "sale", "short"]),
            (format!("!(job_title == \"{begin} Sales\") && name in [\"none\", \"sales\"]"), &["none"]),
        ];
        for (filter, expected) in cases {
            let page = desk.list(&member(), "contact", &wanted(filter)).unwrap();
            let names: Vec<&str> = page.records.iter().map(|record| record.fields["name"].as_str().unwrap()).collect();
            assert_eq!(names, *expected, "{filter}");
            assert_eq!(desk.count(&member(), "contact", Some(filter)).unwrap(), expected.len() as u64, "{filter}");
        }
    });
}

#[test]
fn conditions_are_asked_of_the_index_of_what_teams_own() {
    on_both(|desk| {
        know(desk, &[1], &[10]);
        crowd(desk);
        for (filter, asked) in [
            ("job_title == \"Boss\"", "(\"left\"(job_title, 24) = 'Boss'::text)"),
            ("job_title in [\"Boss\", \"Clerk\"]", "(\"left\"(job_title, 24) = ANY ('{Boss,Clerk}'::text[]))"),
            ("job_title.startsWith(\"Bo\")", "(\"left\"(job_title, 24) >= 'Bo'::text)"),
            ("lifecycle == \"lead\"", "(lifecycle = 'lead'::text)"),
            ("marketing_consent", "(marketing_consent = true)"),
            ("birthday > timestamp(\"1970-01-01\")", "(birthday > '0'::bigint)"),
        ] {
            let Some(conditions) = index_conditions(desk, "contact", filter) else { return };
            assert!(conditions.contains("team = ") && conditions.contains(asked), "{filter}: {conditions}");
        }
    });
}

#[test]
fn the_index_of_what_teams_own_follows_the_fields() {
    on_both(|desk| {
        know(desk, &[1, 2], &[10]);
        crowd(desk);
        made(desk, &everything(), "contact", json!({ "name": "before", "owner": Id(2), "team": Id(10) }));
        let options = Options {
            options: vec![Choice { value: "gold".to_owned(), label: Label { en: "G".to_owned(), zh: "G".to_owned() } }],
        };
        define(desk, "contact", |contact| {
            contact.fields.push(field("nickname", FieldKind::Text));
            contact.fields.push(field("grade", FieldKind::Choice(options)));
        });
        let after = json!({ "name": "after", "nickname": "N", "grade": "gold", "owner": Id(2), "team": Id(10) });
        made(desk, &everything(), "contact", after);
        let definition = held(desk, "contact");
        assert!(definition.contains("nickname") && definition.contains("grade"), "{definition}");
        for (filter, asked) in [
            ("nickname == \"N\"", "(\"left\"(nickname, 24) = 'N'::text)"),
            ("grade == \"gold\"", "(grade = 'gold'::text)"),
        ] {
            let page = desk.list(&member(), "contact", &wanted(filter)).unwrap();
            assert_eq!(page.records.len(), 1, "{filter}");
            assert_eq!(page.records[0].fields["name"], "after", "{filter}");
            if let Some(conditions) = index_conditions(desk, "contact", filter) {
                assert!(conditions.contains(asked), "{filter}: {conditions}");
            }
        }
        // That one is taken away from the page is no reason to make it anew.
        define(desk, "contact", |contact| contact.fields.last_mut().unwrap().retired = true);
        assert_eq!(held(desk, "contact"), definition);
    });
}

#[test]
fn an_object_of_many_long_texts_fits_into_its_index() {
    on_both(|desk| {
        know(desk, &[1], &[10]);
        let fields: Vec<Field> = (0..40).map(|n| field(&format!("t{n}"), FieldKind::Text)).collect();
        let mut values: Map<String, serde_json::Value> =
            fields.iter().map(|field| (field.name.clone(), json!("😀".repeat(255)))).collect();
        let object = Object {
            name: "wide".to_owned(),
            title: "t0".to_owned(),
            fields,
            ..desk.schema().object("note").unwrap().clone()
        };
        desk.define(&everything(), object).unwrap();
        values.extend([("owner".to_owned(), json!(Id(1))), ("team".to_owned(), json!(Id(10)))]);
        let wide = made(desk, &everything(), "wide", values.into());
        for name in ["t0", "t26", "t27", "t39"] {
            let filter = format!("{name} == \"{}\"", "😀".repeat(255));
            let page = desk.list(&member(), "wide", &wanted(&filter)).unwrap();
            assert_eq!(page.records.iter().map(|record| record.id).collect::<Vec<_>>(), [wide.id], "{name}");
        }
    });
}
